"""OpenAI's Responses, which Azure and a growing number of servers speak too."""

from __future__ import annotations

from .choice import prefers_responses
from .codec import OpenAIResponsesCodec
from .stream import ResponsesStreamDecoder

__all__ = ["OpenAIResponsesCodec", "ResponsesStreamDecoder", "prefers_responses"]
