"""Whom to trust and who we are, as plain settings."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TypedDict

from ...core.checks import in_words
from ...core.errors import ConfigurationError


class TLSArguments(TypedDict):
    """What requests and `HttpxEngine` both take."""

    verify: bool | str
    cert: str | tuple[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TLSConfig:
    """
    How servers prove who they are, and how we do.

    ::

        engine = HttpxEngine(**TLSConfig(ca_file="corporate.pem").as_requests_kwargs())

    Args:
        verify: Whether servers have to prove it at all.
        cert_file: A PEM file with our own certificate, and with its key if there is no *key_file*.
        key_file: A PEM file with the key of *cert_file*.
        ca_file: A file or folder with the authorities to trust, in place of the usual ones.

    Raises:
        ConfigurationError: There is a key without a certificate, or authorities that would not be
            asked. Whether the files exist is looked at by the engine.
    """

    verify: bool = True
    cert_file: str | os.PathLike[str] | None = None
    key_file: str | os.PathLike[str] | None = None
    ca_file: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.verify, bool):
            msg = f"verify must be True or False, not {in_words(self.verify)}; ca_file is a file"
            raise ConfigurationError(msg)
        if self.key_file is not None and self.cert_file is None:
            msg = "key_file is the key of a certificate; give cert_file too"
            raise ConfigurationError(msg)
        if self.ca_file is not None and not self.verify:
            msg = "ca_file names whom to trust, and verify=False trusts anybody; give one of them"
            raise ConfigurationError(msg)

    def as_requests_kwargs(self) -> TLSArguments:
        """The same as `verify` and `cert`, which requests and `HttpxEngine` take alike."""
        ca, cert, key = (_path(file) for file in (self.ca_file, self.cert_file, self.key_file))
        return {"verify": ca or self.verify, "cert": (cert, key) if cert and key else cert}


def _path(file: str | os.PathLike[str] | None) -> str | None:
    return None if file is None else os.fspath(file)
