"""Errors, in this format's shape and in those of others that speak it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..faults import Fault, provider_error
from ..openai_chat.errors import read_fault as read_any
from ..redact import summary
from ..values import as_dict, as_str, decode_json

if TYPE_CHECKING:
    from ...core.errors import ProviderError
    from ..http import WireResponse


def decode_error(response: WireResponse) -> ProviderError:
    """The error that a response with an unsuccessful status stands for."""
    try:
        told: object = decode_json(response.body)
    except ValueError:
        told = None
    fault = read_fault(told)
    if not fault.message:
        fault.message = f"HTTP {response.status} with {summary(response.body)}"
    error = provider_error(fault, status=response.status, headers=response.headers)
    error.request_id = error.request_id or as_str(as_dict(told).get("request_id")) or None
    return error


def fault_in(told: dict[str, Any]) -> Fault | None:
    """What *told*, from a successful response, says went wrong."""
    return read_fault(told) if told.get("error") or told.get("type") == "error" else None


def read_fault(told: object) -> Fault:
    """What *told* says went wrong. Its `details` have the most telling code."""
    error = as_dict(told).get("error") or told
    fault = read_any(error)
    code = as_str(as_dict(as_dict(error).get("details")).get("error_code"))
    if code:
        fault.code, fault.codes = code, (code, *fault.codes)
    return fault
