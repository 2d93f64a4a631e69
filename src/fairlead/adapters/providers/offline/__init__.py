"""The offline provider."""

from .provider import OfflineProvider as OfflineProvider
