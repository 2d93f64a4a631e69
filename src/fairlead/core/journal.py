"""What was done for a call."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from .usage import Cost, Usage, add_cost, add_usage


class Outcome(StrEnum):
    """What became of a step of a call."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """A stream failed after its reader had been shown something."""
    ABANDONED = "abandoned"
    """The caller left."""
    WAITED = "waited"
    SKIPPED = "skipped"
    HIT = "hit"
    NOTED = "noted"
    FOLDED = "folded"
    """Older entries, put together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One entry of a journal: something was sent, waited for, or left out."""

    outcome: Outcome
    provider: str
    model: str | None = None
    reason: str | None = None
    """Why it was waited for or left out, or the error's message."""
    error: str | None = None
    """The name of the error's class."""
    status_code: int | None = None
    seconds: float = 0.0
    """How long it took, in the event loop's time."""
    usage: Usage | None = None
    cost: Cost | None = None
    request_id: str | None = None
    """The vendor's id of the request."""
    target: str | None = None
    """Of an answer, who gave it: the target's `identity`."""
    misconfigured: bool = False
    """Whether the failure speaks of a mistake in the set-up."""
    count: int = 1
    """How many entries it stands for."""
    id: str = ""
    """Its own, in all processes; empty where there is nothing to book."""

    def __str__(self) -> str:
        """One line that people can read; `repr` has it all."""
        who = ":".join(part for part in (self.provider, self.model) if part)
        took = f" {_TOOK.get(self.outcome, 'after')} {self.seconds:.3g} s" if self.seconds else ""
        kind = " ".join(part for part in (self.error, _http(self.status_code)) if part)
        why = ": ".join(part for part in (kind, self.reason) if part)
        told = " ".join(f"{who} {self.outcome}{took}{why and ': '}{why}".split())
        return told if len(told) <= MOST_SHOWN else f"{told[: MOST_SHOWN - 1]}…"

    @property
    def sent(self) -> bool:
        """Whether it stands for something that a provider was asked."""
        return self.outcome in _ASKED


MOST_SHOWN = 200
"""Characters of the line that an attempt is to `str`."""


_TOOK = {Outcome.WAITED: "for"}


def _http(status: int | None) -> str:
    return "" if status is None else f"(HTTP {status})"


_ASKED = {Outcome.SUCCEEDED, Outcome.FAILED, Outcome.INTERRUPTED, Outcome.ABANDONED}


class Journal:
    """
    What was done for one call, oldest first. Append only.

    It keeps *capacity* entries; older ones are folded into one that keeps their number and what
    they consumed.
    """

    __slots__ = ("_entries", "_folded", "_id", "_ids", "_watchers", "asked")

    CAPACITY = 256

    def __init__(self, entries: Iterable[Attempt] = ()) -> None:
        self._entries: deque[Attempt] = deque()
        self._folded: Attempt | None = None
        self._id: str = ""
        self._ids: int = 0
        self._watchers: tuple[Callable[[Attempt], None], ...] = ()
        self.asked: int = 0
        """How often a provider was asked; what is asked for parts side by side counts once."""
        self.extend(entries)

    def record(self, entry: Attempt) -> None:
        """Append *entry*."""
        self._entries.append(entry)
        self.asked += entry.sent
        if len(self._entries) > self.CAPACITY:
            oldest = self._entries.popleft()
            self._folded = _fold(self._folded, oldest)
        for watcher in self._watchers:
            watcher(entry)

    def new_id(self) -> str:
        """For an entry; no other, in this journal or any, has the same."""
        if not self._id:
            self._id = os.urandom(12).hex()
        self._ids += 1
        return f"{self._id}-{self._ids}"

    @property
    def watchers(self) -> tuple[Callable[[Attempt], None], ...]:
        """Those who are shown each entry."""
        return self._watchers

    def watch(self, watcher: Callable[[Attempt], None]) -> None:
        """Show *watcher* each entry from now on, synchronously; it must not raise."""
        self._watchers = (*self._watchers, watcher)

    def unwatch(self, watcher: Callable[[Attempt], None]) -> None:
        """Show it no more."""
        self._watchers = tuple(each for each in self._watchers if each != watcher)

    def extend(self, entries: Iterable[Attempt]) -> None:
        """Append *entries*, in their order."""
        for entry in entries:
            self.record(entry)

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """All entries."""
        return (*([self._folded] if self._folded else []), *self._entries)

    def __len__(self) -> int:
        return len(self._entries) + (self._folded is not None)

    def __iter__(self) -> Iterator[Attempt]:
        return iter(self.attempts)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore_journal, (self._folded, tuple(self._entries), self.asked)

    def __repr__(self) -> str:
        return f"Journal({list(self.attempts)})"


def _restore_journal(folded: Attempt | None, entries: tuple[Attempt, ...], asked: int) -> Journal:
    journal = Journal(entries)
    journal._folded = folded  # noqa: SLF001 - its own pickle
    journal.asked = asked
    return journal


def _fold(folded: Attempt | None, entry: Attempt) -> Attempt:
    if folded is None:
        return replace(entry, outcome=Outcome.FOLDED, reason="older entries", error=None, id="")
    return replace(
        folded,
        id="",
        count=folded.count + entry.count,
        seconds=folded.seconds + entry.seconds,
        usage=add_usage(folded.usage, entry.usage),
        cost=add_cost(folded.cost, entry.cost),
    )
