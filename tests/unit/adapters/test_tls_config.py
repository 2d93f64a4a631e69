import pytest

from fairlead.adapters.http.tls_config import TLSConfig
from fairlead.core.errors import ConfigurationError


@pytest.mark.parametrize(
    "given, verify, cert",
    [
        ({}, True, None),
        ({"verify": False}, False, None),
        ({"ca_file": "ca.pem"}, "ca.pem", None),
        ({"cert_file": "me.pem"}, True, "me.pem"),
        ({"cert_file": "me.pem", "key_file": "my.key"}, True, ("me.pem", "my.key")),
    ],
)
def test_it_tells_requests_and_engines_what_they_take(given, verify, cert):
    assert TLSConfig(**given).as_requests_kwargs() == {"verify": verify, "cert": cert}


def test_files_may_be_paths(tmp_path):
    arguments = TLSConfig(cert_file=tmp_path / "me.pem", ca_file=tmp_path).as_requests_kwargs()

    assert arguments == {"verify": str(tmp_path), "cert": str(tmp_path / "me.pem")}


@pytest.mark.parametrize(
    "given, told",
    [
        ({"key_file": "my.key"}, "cert_file"),
        ({"verify": "false"}, "True or False, not 'false'"),
        ({"verify": False, "ca_file": "ca.pem"}, "trusts anybody"),
    ],
)
def test_what_contradicts_itself_is_refused(given, told):
    with pytest.raises(ConfigurationError, match=told):
        TLSConfig(**given)
