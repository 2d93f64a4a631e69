"""Google's generateContent and its embeddings, as Gemini and Vertex AI have them."""

from __future__ import annotations

from .codec import GeminiCodec
from .dialect import GEMINI, VERTEX, GeminiDialect
from .rules import GeminiRule, rule_for
from .stream import GeminiStreamDecoder

__all__ = [
    "GEMINI",
    "VERTEX",
    "GeminiCodec",
    "GeminiDialect",
    "GeminiRule",
    "GeminiStreamDecoder",
    "rule_for",
]
