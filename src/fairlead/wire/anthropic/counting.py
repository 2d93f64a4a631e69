"""The vendor's own count of a prompt's tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...core.errors import InvalidResponseError
from ..codec import Encoded
from ..faults import not_an_answer, provider_error
from ..values import as_count, as_dict, decode_json, encode_json
from .encode import body_of
from .errors import fault_in

if TYPE_CHECKING:
    from ...core.requests import GenerateRequest
    from ..http import WireResponse
    from .dialect import Dialect

PATH = "/messages/count_tokens"
_COUNTED = frozenset(
    {
        *("model", "system", "messages", "tools", "tool_choice", "thinking", "output_config"),
        *("cache_control", "speed", "mcp_servers", "context_management"),
    }
)


def encode_count(request: GenerateRequest, dialect: Dialect) -> Encoded:
    """What is asked to know how many tokens *request* has. Raises as `encode_generate`."""
    body, warnings = body_of(request, dialect)
    told: dict[str, Any] = {name: value for name, value in body.items() if name in _COUNTED}
    return Encoded(path=PATH, body=encode_json(told), warnings=warnings)


def decode_count(response: WireResponse) -> int:
    """
    The tokens of the prompt.

    Raises:
        ProviderError: The response tells of an error.
        InvalidResponseError: It is no count.
    """
    content_type = response.headers.get("content-type", "")
    try:
        told = as_dict(decode_json(response.body))
    except ValueError:
        raise not_an_answer(response.body, content_type, wanted="a count") from None
    fault = fault_in(told)
    if fault is not None:
        raise provider_error(fault, headers=response.headers)
    count = as_count(told.get("input_tokens"))
    if count is None:
        raise InvalidResponseError("the vendor counted no input_tokens", sent=True)
    return count
