"""LM Studio."""

from .provider import LMStudioProvider as LMStudioProvider
