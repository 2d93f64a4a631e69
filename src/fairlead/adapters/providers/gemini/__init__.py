"""Google's Gemini."""

from .provider import GeminiProvider as GeminiProvider
