"""vLLM."""

from .provider import VLLMProvider as VLLMProvider
