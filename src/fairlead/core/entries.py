"""
What a cache keeps of an answer, in bytes: versioned JSON, compressed where that is worth it.

A vector is a line of JSON and the packed numbers after it. What cannot be read is a `ValueError`,
whatever is wrong with it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .embeddings import Embedding, EmbeddingSpace
from .events import (
    ReasoningDelta,
    RefusalDelta,
    StreamEnd,
    StreamEvent,
    StreamStart,
    TextDelta,
    ToolCallDelta,
)
from .results import FinishReason
from .usage import Cost, Usage

if TYPE_CHECKING:
    from collections.abc import Callable

E = TypeVar("E")
FORMAT = 2
LARGEST = 64 * 1024 * 1024
"""Bytes of an entry, decompressed."""
SKEW = 60.0
"""Seconds by which the clocks of those who share a store may differ."""
_SMALL = 512
"""Bytes that are not worth compressing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    What all entries tell.

    Args:
        at: When it was kept, in Unix seconds.
        until: When it is over; None is never.
        provider: Who answered.
        model: The model that was asked, where the answer does not name it.
        usage: What it had consumed.
        cost: What that had cost.
        vendor_request_id: The vendor's id of the request.
        warnings: What was done otherwise than asked.
    """

    at: float
    until: float | None = None
    provider: str
    model: str | None = None
    usage: Usage | None = None
    cost: Cost | None = None
    vendor_request_id: str | None = None
    warnings: tuple[str, ...] = ()

    def fresh(self, now: float, max_age: float | None) -> bool:
        """Whether it will do now. One from the future will not: a clock was set back since."""
        if self.at > now + SKEW or (self.until is not None and now >= self.until):
            return False
        return max_age is None or now - self.at <= max_age

    def age(self, now: float) -> float:
        """Seconds since it was kept."""
        return max(now - self.at, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Entry):
    """An answer, as the events that tell it."""

    events: Sequence[StreamEvent]

    def encode(self) -> bytes:
        """It in bytes. Raises TypeError if it holds what JSON has no word for."""
        told = {**_facts(self), "events": [_EVENTS[type(it)][1](it) for it in self.events]}
        if _ends_with(self.events, self.usage, self.cost):
            del told["usage"], told["cost"]
        return _sealed(_packed(_dumps(told).encode()))

    @classmethod
    def decode(cls, data: bytes) -> Answer:
        """The answer that *data* is. Raises ValueError if it is none."""

        def read() -> Answer:
            told = json.loads(_unpacked(_unsealed(data)).decode())
            events = [_READ[it[0]](*it[1:]) for it in told["events"]]
            facts = _facts_of(told)
            if "usage" not in told:
                end = cast("StreamEnd", events[-1])
                facts |= {"usage": end.usage, "cost": end.cost}
            return cls(events=events, **facts)

        return _checked(read)


def _ends_with(events: Sequence[StreamEvent], usage: Usage | None, cost: Cost | None) -> bool:
    """Whether the end tells the same, so that it is told once."""
    end = events[-1] if events else None
    return isinstance(end, StreamEnd) and (end.usage, end.cost) == (usage, cost)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector(Entry):
    """One vector."""

    vector: Embedding
    space: EmbeddingSpace

    def encode(self) -> bytes:
        """It in bytes. Numbers of a vector hardly get smaller, so it is not compressed."""
        space = [self.space.model, self.space.revision, self.space.dimensions]
        head = _dumps({**_facts(self), "space": space}).encode()
        return _sealed(head + b"\n" + self.vector.tobytes())

    @classmethod
    def decode(cls, data: bytes) -> Vector:
        """The vector that *data* is. Raises ValueError if it is none."""

        def read() -> Vector:
            head, _, numbers = _unsealed(data).partition(b"\n")
            told = json.loads(head)
            vector = Embedding(numbers)
            if not vector or not vector.finite:
                msg = "no vector"
                raise ValueError(msg)
            model, revision, dimensions = told["space"]
            space = EmbeddingSpace(model=model, revision=revision, dimensions=dimensions)
            return cls(vector=vector, space=space, **_facts_of(told))

        return _checked(read)


def _dumps(told: Mapping[str, Any]) -> str:
    return json.dumps(told, separators=(",", ":"), default=_plain)


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, Any]", value))
    msg = f"a cache cannot keep a {type(value).__name__}"
    raise TypeError(msg)


def _sealed(data: bytes) -> bytes:
    """*data* and its checksum: a disk may forget, and must not make an answer up."""
    return zlib.crc32(data).to_bytes(4, "big") + data


def _unsealed(data: bytes) -> bytes:
    if zlib.crc32(data[4:]) != int.from_bytes(data[:4], "big"):
        msg = "it is damaged"
        raise ValueError(msg)
    return data[4:]


def _packed(data: bytes) -> bytes:
    return data if len(data) < _SMALL else b"z" + zlib.compress(data, 1)


def _unpacked(data: bytes) -> bytes:
    if not data.startswith(b"z"):
        return data
    machine = zlib.decompressobj()
    whole = machine.decompress(data[1:], LARGEST)
    if not machine.eof:
        msg = "it is cut, or too large"
        raise ValueError(msg)
    return whole


def _checked(read: Callable[[], E]) -> E:
    """What *read* returns; whatever is wrong with what it reads is a ValueError."""
    try:
        return read()
    except (ArithmeticError, LookupError, TypeError, RecursionError, zlib.error) as error:
        msg = f"no entry of a cache: {error}"
        raise ValueError(msg) from error


def _facts(entry: Entry) -> dict[str, Any]:
    told: dict[str, Any] = {"v": FORMAT, "at": entry.at, "provider": entry.provider}
    for name in ("until", "model", "vendor_request_id"):
        if (value := getattr(entry, name)) is not None:
            told[name] = value
    told["usage"], told["cost"] = _usage(entry.usage), _cost(entry.cost)
    told["warnings"] = list(entry.warnings)
    return told


def _facts_of(told: Any) -> dict[str, Any]:
    if told["v"] != FORMAT:
        msg = f"it has the version {told['v']!r}"
        raise ValueError(msg)
    return {
        "at": float(told["at"]),
        "until": told.get("until"),
        "provider": str(told["provider"]),
        "model": told.get("model"),
        "usage": _usage_of(told.get("usage")),
        "cost": _cost_of(told.get("cost")),
        "vendor_request_id": told.get("vendor_request_id"),
        "warnings": tuple(told["warnings"]),
    }


_COUNTS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "total_tokens",
)


def _usage(usage: Usage | None) -> Any:
    if usage is None:
        return None
    counts = [getattr(usage, name) for name in _COUNTS]
    return [counts, usage.estimated, usage.apart, usage.raw]


def _usage_of(told: Any) -> Usage | None:
    if told is None:
        return None
    counts, estimated, apart, raw = told
    known = dict(zip(_COUNTS, counts, strict=True))
    return Usage(**known, estimated=estimated, apart=apart, raw=raw)


def _cost(cost: Cost | None) -> Any:
    if cost is None:
        return None
    day = None if cost.as_of is None else cost.as_of.isoformat()
    return [str(cost.amount), cost.source, cost.estimated, cost.matched, day, cost.exact]


def _cost_of(told: Any) -> Cost | None:
    if told is None:
        return None
    amount, source, estimated, matched, day, exact = told
    return Cost(
        amount=Decimal(amount),
        source=source,
        estimated=estimated,
        matched=matched,
        as_of=None if day is None else date.fromisoformat(day),
        exact=exact,
    )


def _start(event: StreamStart) -> list[Any]:
    return ["s", event.response_id, event.model]


def _text(event: TextDelta) -> list[Any]:
    return ["t", event.text]


def _reasoning(event: ReasoningDelta) -> list[Any]:
    return ["r", event.text, event.opaque, event.origin]


def _refusal(event: RefusalDelta) -> list[Any]:
    return ["f", event.text]


def _call(event: ToolCallDelta) -> list[Any]:
    known = (event.index, event.id, event.name, event.arguments, event.opaque, event.origin)
    return ["c", *known]


def _end(event: StreamEnd) -> list[Any]:
    return [
        "e",
        event.finish_reason,
        event.finish_reason_raw,
        _usage(event.usage),
        _cost(event.cost),
        event.warnings,
        event.logprobs,
        event.details,
    ]


def _end_of(*told: Any) -> StreamEnd:
    reason, raw, usage, cost, warnings, logprobs, details = told
    return StreamEnd(
        FinishReason(reason),
        raw,
        usage=_usage_of(usage),
        cost=_cost_of(cost),
        warnings=tuple(warnings),
        logprobs=tuple(logprobs),
        details=details,
    )


_EVENTS: Mapping[type, tuple[str, Callable[[Any], list[Any]], Callable[..., StreamEvent]]] = {
    StreamStart: ("s", _start, StreamStart),
    TextDelta: ("t", _text, TextDelta),
    ReasoningDelta: ("r", _reasoning, ReasoningDelta),
    RefusalDelta: ("f", _refusal, RefusalDelta),
    ToolCallDelta: ("c", _call, ToolCallDelta),
    StreamEnd: ("e", _end, _end_of),
}
_READ: Mapping[str, Callable[..., StreamEvent]] = {tag: read for tag, _, read in _EVENTS.values()}
