"""Asks several providers side by side whether they are well."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar, cast

import anyio
from anyio.lowlevel import checkpoint_if_cancelled

from ..core.adapter import Adapter
from ..core.calls import below
from ..core.health import HEALTH_SECONDS, HealthCheckable, ProviderHealth
from ..core.redact import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

P = TypeVar("P")


def over_targets(provider: object, protocol: Callable[..., P]) -> Iterator[P]:
    """The outermost objects that fit *protocol*, one for each target below *provider*."""
    kind = cast("type[P]", protocol)
    return (each for each in ends(provider, protocol) if isinstance(each, kind))


def ends(provider: object, protocol: Callable[..., object]) -> Iterator[object]:
    """The same, and each target over which nothing fits."""
    fits = isinstance(provider, cast("type[object]", protocol))
    children = [] if fits else below(provider)
    if not children:
        yield provider
    for child in children:
        yield from ends(child, protocol)


def mistakes_in(provider: object) -> dict[int, str]:
    """What adapters below *provider* were last refused for, by the ids of their `ends`."""
    found: dict[int, str] = {}
    if isinstance(provider, Adapter) and provider.misconfigured is not None:
        ids = map(id, ends(provider, HealthCheckable))
        found = dict.fromkeys(ids, provider.misconfigured)
    for child in below(provider):
        found |= mistakes_in(child)
    return found


async def checked(
    name: str, targets: Sequence[object], mistakes: Mapping[int, str] | None = None
) -> ProviderHealth:
    """
    The health of what stands over *targets*: that of the only one, or of the best.

    What its last call was refused for, in *mistakes*, is told of each, even if it is well: a list
    of models may be had where the model that is asked for is not.
    """
    asked = await side_by_side(targets)
    found = tuple(
        _with_mistake(health, (mistakes or {}).get(id(target)))
        for target, health in zip(targets, asked, strict=True)
    )
    if len(found) == 1:
        return found[0]
    told = [health for health in found if health.healthy is not None]
    healthy = next((health for health in told if health.healthy), None)
    errors = "; ".join(f"{one.name}: {one.error}" for one in found)
    return ProviderHealth(
        name=name,
        healthy=healthy is not None if told else None,
        latency_ms=healthy.latency_ms if healthy else None,
        error=None if healthy else errors,
        misconfigured=bool(told) and not healthy and all(one.misconfigured for one in told),
        targets=found,
    )


async def side_by_side(targets: Sequence[object]) -> tuple[ProviderHealth, ...]:
    """The health of each, in order, asked at the same time."""
    found: dict[int, ProviderHealth] = {}

    async def ask(index: int, target: object) -> None:
        found[index] = await _asked(target)

    async with anyio.create_task_group() as tasks:
        for index, target in enumerate(targets):
            tasks.start_soon(ask, index, target)
    return tuple(found[index] for index in range(len(targets)))


async def _asked(target: object) -> ProviderHealth:
    name = str(getattr(target, "name", type(target).__name__))
    if not isinstance(target, HealthCheckable):
        return ProviderHealth(name=name, healthy=None, error="it has no health_check()")
    error = f"no answer within {HEALTH_SECONDS:g} s"
    try:
        with anyio.move_on_after(HEALTH_SECONDS):
            began = anyio.current_time()
            answer: object = target.health_check()
            if inspect.isawaitable(answer):
                answer = await answer
            return _understood(answer, name, anyio.current_time() - began)
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as failure:  # noqa: BLE001  one that is broken must not hide the others
        await checkpoint_if_cancelled()  # a cancellation that is not its own passes
        error = shown(f"{type(failure).__name__}: {failure}")
    return ProviderHealth(name=name, healthy=False, error=error)


def _with_mistake(health: ProviderHealth, mistake: str | None) -> ProviderHealth:
    if mistake is None or health.misconfigured:
        return health
    told = f"its last call was refused: {shown(mistake)}"
    error = told if health.error is None else f"{health.error}; {told}"
    return replace(health, misconfigured=True, error=error)


def _understood(answer: object, name: str, seconds: float) -> ProviderHealth:
    """What a health check says, in our words; users' own say True or False just as well."""
    if isinstance(answer, ProviderHealth):
        return replace(answer, error=answer.error and shown(answer.error))
    if isinstance(answer, bool):
        error = None if answer else "health_check() says no"
        return ProviderHealth(name=name, healthy=answer, latency_ms=seconds * 1000, error=error)
    error = f"health_check() gave {type(answer).__name__}, not a ProviderHealth"
    return ProviderHealth(name=name, healthy=None, error=error)
