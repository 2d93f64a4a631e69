"""Builds pipelines. The order of the policies lives here and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .core.adapt import Node, adapt
from .core.errors import ConfigurationError
from .decorators.attempt import AttemptTimeoutProvider
from .decorators.breaker import BreakerOptions, CircuitBreakerProvider
from .decorators.deadline import DeadlineProvider
from .decorators.fallback import FallbackProvider
from .decorators.retry import RetryProvider

if TYPE_CHECKING:
    from .core.provider import LooseProvider, ProviderPort
    from .decorators.backoff import Backoff

TOTAL = 600.0
"""Seconds for a whole `generate` or `embed*`, over all attempts and targets."""


def target_pipeline(
    adapter: ProviderPort | LooseProvider,
    /,
    *,
    max_retries: int = 2,
    backoff: Backoff | None = None,
    breaker: BreakerOptions | None = None,
) -> Node:
    """
    What stands round one target: retry, circuit breaker, time limit, adapter.

    An adapter that keeps time limits of its own, as all that speak HTTP do, gets no second one.
    """
    inner: Node = adapt(adapter)
    if getattr(inner, "limits", None) is None:
        inner = AttemptTimeoutProvider(inner)
    inner = CircuitBreakerProvider(inner, options=breaker)
    return RetryProvider(inner, max_retries=max_retries, backoff=backoff)


def default_pipeline(
    *adapters: ProviderPort | LooseProvider,
    total: float | None = TOTAL,
    max_retries: int = 2,
    backoff: Backoff | None = None,
    breaker: BreakerOptions | None = None,
) -> DeadlineProvider:
    """
    The pipeline that fairlead builds unless it is told otherwise.

    Outermost first: deadline; with several adapters, fallback in their order; then round each
    what `target_pipeline` puts there. Closing it closes the adapters.

    Args:
        adapters: What is asked, in order.
        total: Seconds for a whole call that is not a stream; None is no end.
        max_retries: Repeats at each target.
        backoff: How long to wait before a repeat.
        breaker: When a circuit opens and closes.

    Raises:
        ConfigurationError: There is no adapter, or one is no provider.
    """
    if not adapters:
        msg = "a pipeline needs at least one adapter"
        raise ConfigurationError(msg)
    targets = [
        target_pipeline(adapter, max_retries=max_retries, backoff=backoff, breaker=breaker)
        for adapter in adapters
    ]
    inner = targets[0] if len(targets) == 1 else FallbackProvider(targets)
    return DeadlineProvider(inner, total=total)
