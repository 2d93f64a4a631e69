"""A `TLSConfig` is all that an engine has to know of certificates."""

from contextlib import aclosing

import pytest

from fairlead.adapters.http.httpx import HttpxEngine
from fairlead.adapters.http.tls_config import TLSConfig
from fairlead.core.errors import CertificateError, ConfigurationError, ProviderConnectionError
from fairlead.wire.http import WireRequest
from tests.support.server import TIMEOUT

pytestmark = pytest.mark.anyio


@pytest.fixture
def files(server, tmp_path):
    """Certificate authority, and certificate and key of a client, in files of their own."""
    client = server.authority.issue_cert("client")
    server.authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    client.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    client.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    return {f"{name}_file": str(tmp_path / f"{name}.pem") for name in ("ca", "cert", "key")}


async def status(config, url):
    async with aclosing(HttpxEngine(**config.as_requests_kwargs())) as engine:
        response = await engine.send(WireRequest(url=url), connect=TIMEOUT, within=TIMEOUT)
        return response.status


async def test_both_sides_show_who_they_are(server, files):
    assert await status(TLSConfig(**files), server.url(port="mutual")) == 200


async def test_who_shows_no_certificate_is_not_let_in(server, files):
    with pytest.raises(ProviderConnectionError):
        await status(TLSConfig(ca_file=files["ca_file"]), server.url(port="mutual"))


async def test_an_unknown_authority_is_not_trusted_unless_nobody_is_asked(server):
    with pytest.raises(CertificateError):
        await status(TLSConfig(), server.url(port="https"))

    assert await status(TLSConfig(verify=False), server.url(port="https")) == 200


async def test_a_file_that_is_not_there_is_told_at_once():
    with pytest.raises(ConfigurationError, match=r"nowhere\.pem"):
        HttpxEngine(**TLSConfig(ca_file="nowhere.pem").as_requests_kwargs())
