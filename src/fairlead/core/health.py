"""Whether a provider can be reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

HEALTH_SECONDS = 5.0
"""How long one health check may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderHealth:
    """
    Whether a provider answers.

    Args:
        name: The provider's name.
        healthy: Whether it does; None if nobody can tell.
        latency_ms: How long it took, in milliseconds.
        error: What went wrong, or why nobody can tell.
        misconfigured: Whether only a change of the configuration helps: a wrong key, address or
            model. It may be well nevertheless, where the check does not need what is wrong.
        targets: The same of each target, where there are several; one healthy one is enough.
    """

    name: str
    healthy: bool | None
    latency_ms: float | None = None
    error: str | None = None
    misconfigured: bool = False
    targets: tuple[ProviderHealth, ...] = ()


@runtime_checkable
class HealthCheckable(Protocol):
    """Something that can say whether it is well."""

    async def health_check(self) -> ProviderHealth:
        """Ask, as cheaply as possible. Raises nothing but cancellation."""
        ...
