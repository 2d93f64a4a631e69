"""The provider that answers nothing."""

from .provider import NullProvider as NullProvider
