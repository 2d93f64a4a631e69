"""What a call consumed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..openai_chat.usage import decode_usage as decode_chat_usage
from ..values import as_dict

if TYPE_CHECKING:
    from ...core.usage import Usage
    from ..openai_chat import Dialect

_DETAILS = {
    "input_tokens_details": "prompt_tokens_details",
    "output_tokens_details": "completion_tokens_details",
}
"""What is told in more detail, and what Chat Completions call it."""


def decode_usage(raw: object, dialect: Dialect) -> Usage | None:
    """*raw* in the normal form; None if nothing was told."""
    told = as_dict(raw)
    usage = decode_chat_usage({_DETAILS.get(name, name): told[name] for name in told}, dialect)
    return usage and replace(usage, raw=told)
