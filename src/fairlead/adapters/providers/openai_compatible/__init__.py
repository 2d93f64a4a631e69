"""Any server that speaks OpenAI's Chat Completions."""

from .provider import OpenAICompatibleProvider as OpenAICompatibleProvider
