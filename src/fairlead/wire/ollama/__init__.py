"""Ollama's own format: chat and embeddings, an answer being one JSON object per line."""

from __future__ import annotations

from .codec import OllamaCodec
from .messages import ORIGIN
from .stream import OllamaStreamDecoder

__all__ = ["ORIGIN", "OllamaCodec", "OllamaStreamDecoder"]
