"""What calls come to at worst in policies that do not tell it themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.bounds import bounds_of
from ..decorators.breaker import CircuitBreakerProvider
from ..decorators.retry import RetryProvider

if TYPE_CHECKING:
    from ..core.bounds import Bounds
    from ..core.calls import Operation

__all__ = ["bounds_of"]

# ruff: noqa: SLF001 - how they were built


@bounds_of.register(CircuitBreakerProvider)
def _of_breaker(breaker: CircuitBreakerProvider, operation: Operation) -> Bounds:
    return bounds_of(breaker.inner, operation)


@bounds_of.register(RetryProvider)
def _of_retry(retry: RetryProvider, operation: Operation) -> Bounds:
    repeats = retry._max_retries
    return bounds_of(retry.inner, operation).repeated(repeats + 1, retry._backoff.longest(repeats))
