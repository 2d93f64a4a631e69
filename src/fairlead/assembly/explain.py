"""Tells what a pipeline is made of, and what a call through it comes to at worst."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from decimal import ROUND_CEILING, Context, Decimal
from math import isfinite, isinf
from textwrap import wrap
from typing import TYPE_CHECKING, Any, cast

from ..core.adapt import ForeignProvider, adapt
from ..core.adapter import Adapter
from ..core.bounds import bounds_of
from ..core.calls import Call, Handler, Operation, below
from ..core.checks import in_words
from ..core.plans import Target
from ..core.redact import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from ..core.bounds import Bounds
    from ..core.calls import Clock
    from ..core.plans import Plan
    from ..core.provider import LooseProvider, ProviderPort

WIDTH = 100
"""Characters of a line of the tree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """
    One object of a pipeline.

    Args:
        kind: Its class.
        layer: Which layer of the order it is, if it is one.
        options: How it was built; of an adapter, what is known of it.
        target: Who is asked, in an adapter.
        obstacles: Why those behind it, or it itself, would not be asked now; and of an adapter,
            what it was last refused for, if only a change of the set-up mends that.
        inside: What it wraps or dispatches to, in order.
    """

    kind: str
    layer: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    target: str | None = None
    obstacles: tuple[str, ...] = ()
    inside: tuple[Part, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The same for JSON, without what is empty."""
        told: dict[str, Any] = {
            "kind": self.kind,
            "layer": self.layer,
            "target": self.target,
            "options": dict(self.options),
            "obstacles": list(self.obstacles),
            "inside": [part.as_dict() for part in self.inside],
        }
        return {name: value for name, value in told.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """
    What a pipeline is made of, and what a call comes to at worst. `str` prints both.

    Args:
        pipeline: Its outermost object.
        worst: For each operation, the most that a call without options of its own comes to; of a
            stream, until it commits. A call's own `timeout` stands in the deadline's stead.
    """

    pipeline: Part
    worst: Mapping[Operation, Bounds]

    def __str__(self) -> str:
        lines = [*_tree(self.pipeline), "", "At worst:"]
        by_words: dict[str, list[str]] = {}
        for operation, bounds in self.worst.items():
            by_words.setdefault(in_short(bounds), []).append(_OPERATIONS[operation])
        if len(by_words) == 1:
            return "\n".join([*lines, f"  every call: {next(iter(by_words))}"])
        lines += [f"  {', '.join(names)}: {words}" for words, names in by_words.items()]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """The same for JSON: null where it is unknown, or, with `endless`, has no end."""
        worst = {operation.value: _numbers(bounds) for operation, bounds in self.worst.items()}
        return {"pipeline": self.pipeline.as_dict(), "worst": worst}


def explain(provider: ProviderPort | LooseProvider, /) -> Explanation:
    """
    What *provider* is made of, and what a call comes to at worst. Nobody is asked.

    Both are told by the objects themselves, so any pipeline will do, built by hand or not. What an
    object does not tell is unknown: see `fairlead.core.bounds` on how a policy of your own tells.

    Args:
        provider: A pipeline, or any provider.

    Raises:
        ConfigurationError: It is no provider.
    """
    node = adapt(provider)
    call: Call[Any] = Call.generate("?", {}, _clock(node))
    return Explanation(
        pipeline=_part(node, node.plan(call), call),
        worst={operation: bounds_of(node, operation) for operation in Operation},
    )


def in_short(bounds: Bounds) -> str:
    """*bounds* in one line, as in `2 + 1 = 3 attempts, capped at 2; at most 180 s`."""
    told = [_attempts(bounds)]
    if bounds.seconds is None:
        told.append("time unknown")
    else:
        told.append("no end" if isinf(bounds.seconds) else f"at most {bounds.seconds:,.4g} s")
    told.append("tokens unknown" if bounds.tokens is None else f"{bounds.tokens:,} tokens")
    told.append("cost unknown" if bounds.money is None else _money(bounds.money))
    return "; ".join(told)


def _money(amount: Decimal) -> str:
    """*amount* in three digits, rounded up: it is a bound."""
    in_cents = 0 < amount < 1
    rounded = _UP.create_decimal(amount * 100 if in_cents else amount).normalize()
    return f"{rounded:f} {'cents' if in_cents else 'USD'}"


_UP = Context(prec=3, rounding=ROUND_CEILING)


_OPERATIONS = {
    Operation.GENERATE: "generate",
    Operation.STREAM: "generate_stream until it commits",
    Operation.EMBED: "embed",
    Operation.EMBED_BATCH: "embed_batch",
}


def _attempts(bounds: Bounds) -> str:
    if bounds.attempts is None or bounds.planned is None:
        return "attempts unknown"
    noun = "attempt" if bounds.planned == 1 else "attempts"
    how = "" if bounds.terms == str(bounds.planned) else f"{bounds.terms} = "
    cap = "" if bounds.attempts == bounds.planned else f", capped at {bounds.attempts}"
    return f"{how}{bounds.planned} {noun}{cap}"


def _numbers(bounds: Bounds) -> dict[str, Any]:
    endless = bounds.seconds is not None and isinf(bounds.seconds)
    return {
        "attempts": bounds.attempts,
        "planned": bounds.planned,
        "terms": bounds.terms,
        "seconds": None if endless else bounds.seconds,
        "endless": endless,
        "tokens": bounds.tokens,
        "usd": None if bounds.money is None else str(bounds.money),
    }


def _clock(node: object) -> Clock:
    """The clock that its calls have, where there is one; nothing has to run for an explanation."""
    ask = getattr(type(node), "clock", None)
    try:
        clock = cast("Clock", ask()) if callable(ask) else time.monotonic
        clock()
    except Exception:  # noqa: BLE001 - each way of asking for a loop has an error of its own
        return time.monotonic
    return clock


def _part(node: object, plan: Plan | None, call: Call[Any]) -> Part:
    if isinstance(node, Adapter):
        return _adapter(node, plan, call)
    handed = {id(child): part for child, part in plan.children} if plan is not None else {}
    inner = getattr(node, "inner", None)
    inside = [
        # What is wrapped has the plan of its wrapper; what is dispatched to has its own part.
        _part(child, plan if child is inner else handed.get(id(child)) or _own(child, call), call)
        for child in below(node)
    ]
    return Part(
        kind=type(node).__name__,
        layer=getattr(type(node), "layer", None),
        options=_options(node),
        obstacles=() if inside else _obstacles(plan),
        inside=tuple(inside),
    )


def _own(child: object, call: Call[Any]) -> Plan | None:
    """What *child* plans by itself, where whoever dispatches to it does not say."""
    return child.plan(call) if isinstance(child, Handler) else None


def _adapter(adapter: Adapter, plan: Plan | None, call: Call[Any]) -> Part:
    asks: object = adapter.inner if isinstance(adapter, ForeignProvider) else adapter
    known = {name: value for name, value in _fields(adapter.model) if value is not None}
    known.pop("name", None)
    if adapter.endpoint is not None:
        known = {"endpoint": _plain(adapter.endpoint), **known}
    price = adapter.price_of(adapter.model.name)
    for side in ("input", "output") if price is not None else ():
        if (rate := getattr(price, side)) is not None:
            known[f"usd_per_million_{side}"] = str(rate)
    if adapter.limits is not None:
        known["limits"] = _plain(adapter.limits)
    return Part(
        kind=type(asks).__name__,
        options=known,
        target=Target(provider=adapter.name, model=adapter.model).label,
        obstacles=(*_obstacles(plan), *_mistakes(adapter)),
        inside=tuple(_part(each, None, call) for each in below(asks)),
    )


def _obstacles(plan: Plan | None) -> tuple[str, ...]:
    return tuple(_obstacle(target) for target in plan or () if target.obstacle)


def _mistakes(adapter: Adapter) -> tuple[str, ...]:
    told = adapter.misconfigured
    return () if told is None else (f"misconfigured: {shown(told)}",)


def _obstacle(target: Target) -> str:
    if target.cannot:
        return f"cannot be asked: {shown(target.cannot)}"
    wait = "" if target.retry_after is None else f", for another {target.retry_after:.3g} s"
    return f"is not asked at present: {shown(target.refuses or '')}{wait}"


def _options(node: object) -> dict[str, Any]:
    """What a policy's `repr` tells of, with what goes without saying."""
    names: Mapping[str, object] = getattr(type(node), "OPTIONS", {})
    return {name: _plain(getattr(node, f"_{name}", None)) for name in names}


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    for each in fields(value):
        yield each.name, _plain(getattr(value, each.name))


def _plain(value: object) -> Any:
    """*value* as JSON has it; what it has no word for is described."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, str):
        return shown(str(value))
    if isinstance(value, tuple):
        return [_plain(each) for each in cast("tuple[object, ...]", value)]
    if is_dataclass(value) and not isinstance(value, type):
        return dict(_fields(value))
    return in_words(value)


def _tree(part: Part, first: str = "", rest: str = "") -> Iterator[str]:
    words = f"{part.kind} {part.target}" if part.target else part.kind
    told = ", ".join(_words(name, value) for name, value in part.options.items())
    yield from _wrapped(f"{words}: {told}" if told else words, first, f"{rest}    ")
    for obstacle in part.obstacles:
        yield from _wrapped(f"! {obstacle}", f"{rest}  ", f"{rest}    ")
    for index, inside in enumerate(part.inside):
        is_last = index == len(part.inside) - 1
        branch, below_it = ("└─ ", "   ") if is_last else ("├─ ", "│  ")
        yield from _tree(inside, rest + branch, rest + below_it)


def _words(name: str, value: Any) -> str:
    if isinstance(value, dict):
        options = cast("dict[str, Any]", value)
        return ", ".join(_words(each, own) for each, own in options.items())
    if isinstance(value, list):
        value = f"[{', '.join(map(str, cast('list[object]', value)))}]"
    return f"{name}={value!r}" if value == "" else f"{name}={value}"


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    return wrap(
        "".join(char if char.isprintable() else " " for char in text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
