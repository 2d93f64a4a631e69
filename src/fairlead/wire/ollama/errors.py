"""Errors, which are one string."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..faults import Fault, provider_error
from ..openai_chat.errors import read_fault
from ..redact import summary
from ..values import decode_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...core.errors import ProviderError
    from ..http import WireResponse

_UNABLE = re.compile(r"does not support (?:tools|thinking|chat|embeddings|insert|completion|image)")


def decode_error(response: WireResponse) -> ProviderError:
    """The error that a response with an unsuccessful status stands for."""
    try:
        told = decode_json(response.body)
    except ValueError:
        told = None
    return error_of(
        told,
        status=response.status,
        headers=response.headers,
        otherwise=f"HTTP {response.status} with {summary(response.body)}",
    )


def error_of(
    told: object,
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    otherwise: str = "",
) -> ProviderError:
    """
    The error that *told* stands for.

    Args:
        told: What the server said: its words under `error`, as a rule.
        status: The status of the response, if it was not a success.
        headers: Those of the response.
        otherwise: The message if nothing was said.
    """
    fault = read_fault(told) if told is not None else Fault()
    fault.message = fault.message or otherwise
    if _UNABLE.search(fault.message):
        fault.codes = ("unsupported_parameter", *fault.codes)
    return provider_error(fault, status=status, headers=headers)
