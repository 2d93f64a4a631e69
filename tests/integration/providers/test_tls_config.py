"""Providers take a `TLSConfig` as they are built."""

import pytest

from fairlead import CertificateError, ConfigurationError, HttpxEngine, OpenAICompatibleProvider
from fairlead.adapters.http.tls_config import TLSConfig
from tests.support.answers import completion, script

pytestmark = pytest.mark.anyio


def provider(server, **options):
    return OpenAICompatibleProvider(
        base_url=server.url("/v1", port="https"), model="test", **options
    )


async def test_it_says_whom_to_trust(server, tmp_path):
    file = tmp_path / "ca.pem"
    server.authority.cert_pem.write_to_path(str(file))
    script(completion("Hello!"))

    async with provider(server, tls_config=TLSConfig(ca_file=file)) as trusting:
        assert await trusting.generate("Hello") == "Hello!"


async def test_without_one_nobody_new_is_trusted(server):
    async with provider(server) as distrusting:
        with pytest.raises(CertificateError):
            await distrusting.generate("Hello")


def test_an_engine_of_your_own_has_its_own(server):
    with pytest.raises(ConfigurationError, match="give it to your own engine"):
        provider(server, tls_config=TLSConfig(verify=False), engine=HttpxEngine())


def test_it_is_nothing_else(server):
    with pytest.raises(TypeError, match="tls_config"):
        provider(server, tls_config={"verify": False})
