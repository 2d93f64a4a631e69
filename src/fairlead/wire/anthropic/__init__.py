"""Anthropic's Messages, and what servers that speak them too make of them."""

from __future__ import annotations

from .codec import AnthropicCodec
from .dialect import ANTHROPIC, CURRENT, VERSIONS, Dialect
from .rules import ModelRule, rule_for
from .stream import MessagesStreamDecoder

__all__ = [
    "ANTHROPIC",
    "CURRENT",
    "VERSIONS",
    "AnthropicCodec",
    "Dialect",
    "MessagesStreamDecoder",
    "ModelRule",
    "rule_for",
]
