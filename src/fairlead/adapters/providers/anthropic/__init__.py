"""Anthropic."""

from .provider import AnthropicProvider as AnthropicProvider
