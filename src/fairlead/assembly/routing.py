"""In which order settings say that providers are asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.checks import nearest
from ..core.requests import GenerateRequest
from ..decorators.lane import input_tokens
from ..decorators.orders import (
    Cheapest,
    Experiment,
    Fastest,
    InOrder,
    LeastBusy,
    Order,
    Sticky,
    Weighted,
)
from ..settings import Mistake, as_error, resolve
from .sections import HedgeSettings, RoutingSettings
from .vendors import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from decimal import Decimal

    from ..core.plans import Target
    from ..core.requests import EmbedRequest
    from ..settings import RawSettings, Source

SHARES = ("weights", "arms")
"""The keys that name providers."""
OUTPUT = 1024
"""Tokens of an answer that has no limit, for comparing prices (as the limiter's first guess)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """
    The section `routing`, validated.

    Args:
        settings: What it says.
        sources: Where each key, and each name below `weights` and `arms`, came from.
    """

    settings: RoutingSettings
    sources: Mapping[str, Source]

    @classmethod
    def of(cls, raw: RawSettings) -> Routing:
        """
        Validate it.

        Raises:
            ConfigurationError: It holds a mistake, or contradicts `hedge`.
        """
        resolved = resolve(raw, "routing", RoutingSettings)
        sources = {**resolved.sources, **named_in(raw)}
        hedges = resolve(raw, "hedge", HedgeSettings).model.enabled
        if hedges and resolved.model.strategy is not None:
            raise as_error([Mistake(sources["strategy"], HEDGED)])
        return cls(settings=resolved.model, sources=sources)

    def order(self, names: Sequence[str], missing: Iterable[str] = ()) -> Order | None:
        """
        The order for the providers *names*; None for the fallback's.

        Args:
            names: As `names_of` has them.
            missing: Those who were named too, and cannot be asked.

        Raises:
            ConfigurationError: It names somebody else.
        """
        strategy = self.settings.strategy
        if strategy is None:
            return None
        self._check(names, missing)
        return _ORDERS[strategy](self.settings, names)

    def _check(self, names: Sequence[str], missing: Iterable[str]) -> None:
        mistakes: list[Mistake] = []
        absent = {canonical(name) for name in missing}
        for key, shares in (("weights", self.settings.weights), ("arms", self.settings.arms)):
            for given in shares or {}:
                problem = _problem(given, names)
                if problem is None or canonical(given.partition(":")[0]) in absent:
                    continue
                source = self.sources.get(f"{key}.{given}") or self.sources[key]
                near = nearest(given, names)
                mistakes.append(Mistake(source, f"names {given!r}, {problem}", near))
        if mistakes:
            raise as_error(mistakes)


HEDGED = "contradicts hedge.enabled: a hedge asks in the order of the fallback; keep one of them"


def named_in(raw: RawSettings) -> dict[str, Source]:
    """The source of each name below `weights` and `arms`, as far as files and arguments say."""
    return {
        f"{key}.{name}": setting.source
        for key in SHARES
        for name, setting in raw.section(f"routing.{key}").items()
    }


def names_of(targets: Sequence[tuple[str, str | None]]) -> list[str]:
    """
    What weights and arms call each of *targets*, which are names and models.

    That is the name, or `name:model` where several have the same.
    """
    called = [name for name, _ in targets]
    names: list[str] = []
    for name, model in targets:
        full = f"{name}:{model}" if model and called.count(name) > 1 else name
        alike = sum(other.split("#")[0] == full for other in names)
        names.append(f"{full}#{alike + 1}" if alike else full)
    return names


def _problem(given: str, names: Sequence[str]) -> str | None:
    """Why *given* stands for none of *names*; None if it does."""
    if _meant(given, names) is not None:
        return None
    alike = [name for name in names if name.startswith(f"{canonical(given)}:")]
    if alike:
        return f"and there are {' and '.join(alike)}"
    return f"who is not asked; there are {', '.join(names)}"


def _meant(given: str, names: Sequence[str]) -> str | None:
    """Which of *names* is meant: a provider may be named with its model too."""
    name, separator, model = given.partition(":")
    spelled = (given, canonical(given), f"{canonical(name)}{separator}{model}", canonical(name))
    last = -1 if any(":" in each for each in names) else None
    return next((each for each in spelled[:last] if each in names), None)


def _shares(given: Mapping[str, float] | None, names: Sequence[str]) -> dict[str, float]:
    """*given* by the routes' names; equal if nobody who is asked has any."""
    meant = {_meant(name, names): share for name, share in (given or {}).items()}
    shares = {name: meant[name] for name in names if name in meant}
    return shares if any(shares.values()) else dict.fromkeys(names, 1.0)


def _price(target: Target, request: GenerateRequest | EmbedRequest) -> Decimal | None:
    """The most that *target* can take for *request*, where its price is known."""
    bound: Callable[[int, int], Decimal] | None = getattr(
        getattr(target, "price", None), "bound", None
    )
    if bound is None:
        return None
    answer = 0
    if isinstance(request, GenerateRequest):
        answer = request.max_tokens or OUTPUT
    return bound(input_tokens(request, target.model.tokenizer), answer)


def _sticky(settings: RoutingSettings, names: Sequence[str]) -> Order:
    weights = None if settings.weights is None else _shares(settings.weights, names)
    return Sticky(settings.tag or "", weights=weights)


_ORDERS: dict[str, Callable[[RoutingSettings, Sequence[str]], Order]] = {
    "in_order": lambda _, __: InOrder(),
    "least_busy": lambda _, __: LeastBusy(),
    "fastest": lambda _, __: Fastest(),
    "cheapest": lambda _, __: Cheapest(_price),
    "weighted": lambda it, names: Weighted(_shares(it.weights, names)),
    "sticky": _sticky,
    "experiment": lambda it, names: Experiment(it.name or "", _shares(it.arms, names), tag=it.tag),
}
