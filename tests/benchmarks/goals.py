"""What is measured, and what must be reached."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.benchmarks.clients import SUBJECTS

OURS = "fairlead"
Figures = Mapping[tuple[str, str, str], float]
"""Medians, by probe, subject and figure."""


@dataclass(frozen=True, kw_only=True)
class Goal:
    """
    A row of the table.

    Args:
        what: The row's first cell.
        probe: Whose figures it shows.
        figure: Which of them.
        unit: What they are counted in.
        limit: What must be reached.
        at_least: Whether the limit is a lower one.
        against: The subject whose figure ours is divided by; None takes ours as it is.
        over: The probe whose figure for fairlead ours is divided by.
    """

    what: str
    probe: str
    figure: str
    unit: str
    limit: float
    at_least: bool = False
    against: str | None = None
    over: str | None = None

    @property
    def probes(self) -> tuple[str, ...]:
        return (self.probe, self.over) if self.over else (self.probe,)

    @property
    def divisor(self) -> tuple[str, str, str] | None:
        """Whose figure ours is divided by."""
        if self.over:
            return (self.over, OURS, self.figure)
        return (self.probe, self.against, self.figure) if self.against else None

    def is_measured(self, figures: Figures) -> bool:
        return {(self.probe, OURS, self.figure), self.divisor} - {None} <= figures.keys()

    def reached(self, figures: Figures) -> float:
        ours = figures[self.probe, OURS, self.figure]
        return ours / figures[self.divisor] if self.divisor else ours

    def holds(self, figures: Figures) -> bool:
        reached = self.reached(figures)
        return reached >= self.limit if self.at_least else reached <= self.limit


GOALS = (
    Goal(
        what="one call after the other", probe="alone", figure="us", unit="µs",
        against="httpx", limit=0.70,
    ),
    Goal(
        what="100 calls at once", probe="load-100", figure="per_second", unit="calls/s",
        against="httpx", limit=4, at_least=True,
    ),
    Goal(
        what="100 calls at once", probe="load-100", figure="per_second", unit="calls/s",
        against="httpx2", limit=1.6, at_least=True,
    ),
    Goal(
        what="CPU of a call, 100 at once over alone", probe="load-100", figure="cpu_us",
        unit="µs", over="load-1", limit=1.15,
    ),
    Goal(
        what="CPU of a call, 1,000 at once over alone", probe="load-1000", figure="cpu_us",
        unit="µs", over="load-1", limit=1.15,
    ),
    Goal(
        what="a chunk, in big reads", probe="big-reads", figure="us", unit="µs", limit=4,
    ),
    Goal(
        what="a chunk, an HTTP chunk each", probe="small-chunks", figure="us", unit="µs",
        against="httpx", limit=0.92,
    ),
    Goal(
        what="CPU of a chunk, paced", probe="paced", figure="cpu_us", unit="µs",
        against="httpx", limit=0.85,
    ),
    Goal(
        what="an open stream, http", probe="open-http", figure="kb", unit="KB", limit=28,
    ),
    Goal(
        what="an open stream, TLS", probe="open-tls", figure="kb", unit="KB", limit=80,
    ),
    Goal(
        what="CPU of a stream, 1,000 opened, read, closed", probe="thousand-streams",
        figure="cpu_us", unit="µs", against="httpx", limit=0.6,
    ),
    Goal(what="passing through a layer", probe="layers", figure="passing", unit="µs", limit=0.5),
    *(
        Goal(what=what, probe="layers", figure=figure, unit="µs", limit=limit)
        for what, figure, limit in (
            ("retry", "retry", 3),
            ("breaker", "breaker", 3),
            ("fallback, of two", "fallback", 3),
            ("router, in order", "router_in_order", 3),
            ("router, least busy", "router_least_busy", 3),
            ("router, fastest", "router_fastest", 3),
            ("router, weighted", "router_weighted", 3),
            ("router, cheapest", "router_cheapest", 3),
            ("router, sticky", "router_sticky", 3),
            ("router, experiment", "router_experiment", 3),
            ("limiter, requests alone", "limiter", 5),
            ("limiter, with tokens", "limiter_tokens", 5),
            ("limiter, with tokens, 1 KB", "limiter_kilobyte", 13),
            ("budget, strict", "budget", 40),
            ("budget, strict, of all and of each user", "budget_tagged", 40),
            ("hedge that does not know enough yet", "hedge_idle", 5),
            ("hedge that is ready to", "hedge_racing", 60),
            ("key pool, two keys", "key_pool", 5),
            ("split, nothing to split", "split", 0.5),
            ("logging, nobody listens", "logging_off", 2),
            ("deadline, kept by the adapter", "deadline", 12),
            ("one time limit", "time_limit", 12),
            ("`default_pipeline`", "pipeline", 25),
            ("`default_pipeline`, two targets", "pipeline_of_two", 25),
            ("`open_provider`", "opened", 25),
            ("`open_provider`, two targets", "opened_of_two", 25),
        )
    ),
    Goal(
        what="twelve layers, per chunk", probe="layers", figure="chunk", unit="µs", limit=0.03,
    ),
    Goal(what="an answer from memory", probe="cache", figure="memory", unit="µs", limit=30),
    Goal(what="each KB of its prompt", probe="cache", figure="memory_kb", unit="µs", limit=8),
    Goal(what="an answer from a file", probe="cache", figure="file", unit="µs", limit=200),
    Goal(what="`import`, over bare Python", probe="import", figure="ms", unit="ms", limit=30),
    Goal(what="cold start, by hand", probe="cold-start", figure="ms", unit="ms", limit=150),
    Goal(
        what="cold start, from settings", probe="cold-settings", figure="ms", unit="ms", limit=250,
    ),
    Goal(what="`get_provider()`, once built", probe="layers", figure="shared", unit="µs", limit=20),
    Goal(what="growth over 20,000 calls", probe="growth", figure="kb", unit="KB", limit=512),
)  # fmt: skip
"""
In the table's order. What should be nothing has its noise for a limit: of memory, two arenas of
Python's allocator.
"""

COMPARED = frozenset(
    {"alone", "load-100", "big-reads", "small-chunks", "paced", "open-http", "open-tls"}
    | {"thousand-streams", "import", "cold-start"}
)
"""Probes that the raw libraries run too."""

ONCE = frozenset({"open-http", "open-tls", "thousand-streams", "growth", "layers", "cache"})
"""Probes that repeat within themselves, or are averages over a thousand streams."""


def subjects(probe: str) -> tuple[str, ...]:
    """Who runs *probe*."""
    return SUBJECTS if probe in COMPARED else (OURS,)
