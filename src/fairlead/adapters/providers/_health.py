"""How a provider is, by a question that costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from ...core.errors import ProviderError
from ...core.health import HEALTH_SECONDS, ProviderHealth
from ...core.redact import shown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


async def health_of(name: str, question: Callable[[float], Awaitable[object]]) -> ProviderHealth:
    """How the provider called *name* is: well if *question*, given 5 s, is answered."""
    began = anyio.current_time()
    error: ProviderError | None = None
    try:
        await question(HEALTH_SECONDS)
    except ProviderError as failure:
        error = failure
    return ProviderHealth(
        name=name,
        healthy=error is None,
        latency_ms=(anyio.current_time() - began) * 1000,
        error=None if error is None else shown(error.message),
        misconfigured=error is not None and error.verdict.misconfigured,
    )
