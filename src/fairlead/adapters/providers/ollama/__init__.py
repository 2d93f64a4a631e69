"""Ollama."""

from .provider import OllamaProvider as OllamaProvider
