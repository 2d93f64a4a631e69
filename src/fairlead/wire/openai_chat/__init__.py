"""OpenAI's Chat Completions and embeddings, and what compatible servers make of them."""

from __future__ import annotations

from .codec import OpenAIChatCodec
from .dialect import OPENAI, Dialect
from .rules import OPENAI_RULES, ModelRule, rule_for
from .stream import ChatStreamDecoder

__all__ = [
    "OPENAI",
    "OPENAI_RULES",
    "ChatStreamDecoder",
    "Dialect",
    "ModelRule",
    "OpenAIChatCodec",
    "rule_for",
]
