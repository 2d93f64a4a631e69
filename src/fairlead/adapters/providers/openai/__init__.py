"""OpenAI."""

from .provider import OpenAIProvider as OpenAIProvider
