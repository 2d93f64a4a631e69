"""
What a circuit that opens by failures in a row must do, worked out from what vendors wrote down.

Knows neither the policy's states nor its code: each model behind each key gets a circuit on paper,
which attempts vote on as they end. The policy may be stricter, as chance lengthens what is written
here as the least; it must never be laxer.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from math import inf

UNCOUNTED = {"throttle", "throttle for", "refuse key", "spend"}
"""What says nothing about how the vendor does."""
LEAST_GIVEN = 5.0
"""Seconds; who was given less has not been slow."""
CLOSE = 1e-6


@dataclass(frozen=True)
class Rules:
    """How circuits were told to behave."""

    failures: int
    recovery: float
    longest: float = 300.0
    jitter: float = 0.1
    permits: int = 1
    permit_timeout: float = 60.0
    successes: int = 2


@dataclass
class Circuit:
    """One of them, on paper."""

    rules: Rules
    state: str = "closed"
    epoch: int = 0
    row: int = 0
    good: int = 0
    openings: int = 0
    until: float = 0.0
    begun: dict = field(default_factory=dict)
    """The epoch in which each attempt began."""
    probes: dict = field(default_factory=dict)
    """When those began whose place is taken."""

    def begin(self, ask):
        """Why *ask* should never have begun; None is well."""
        if self.state == "open":
            if ask.at < self.until - CLOSE:
                return f"the circuit is open until {self.until}"
            self.move("half-open")
        if self.state == "half-open":
            timeout = self.rules.permit_timeout
            live = [at for at in self.probes.values() if ask.at - at < timeout - CLOSE]
            if len(live) >= self.rules.permits:
                return f"the circuit is half-open, and probes began at {live}"
            self.probes[ask.number] = ask.at
        self.begun[ask.number] = self.epoch
        return None

    def content(self, ask):
        self.probes.pop(ask.number, None)

    def end(self, ask, failed):
        """*failed* is None if it says nothing."""
        self.probes.pop(ask.number, None)
        if failed is None or self.begun.pop(ask.number, None) != self.epoch:
            return
        if self.state == "half-open":
            if failed:
                self.open(ask.over_at)
            else:
                self.good += 1
                if self.good == self.rules.successes:
                    self.openings = 0
                    self.move("closed")
            return
        self.row = self.row + 1 if failed else 0
        if self.row == self.rules.failures:
            self.open(ask.over_at)

    def open(self, now):
        rules = self.rules
        seconds = min(rules.recovery * 2.0**self.openings, rules.longest)
        self.until = now + seconds * (1 - rules.jitter)
        self.openings += 1
        self.move("open")

    def move(self, state):
        self.state = state
        self.epoch += 1
        self.row = self.good = 0
        self.probes.clear()


def check_circuits(world, rules):
    """No attempt was made that a circuit on paper would have kept back."""
    circuits = defaultdict(lambda: Circuit(rules))
    asks_of = defaultdict(list)
    for ask in world.asks:
        asks_of[ask.call].append(ask)
    turns = [(ask.turn, 0, ask) for ask in world.asks]
    turns += [(ask.content_turn, 1, ask) for ask in world.asks if ask.content_turn < inf]
    turns += [(ask.over_turn, 2, ask) for ask in world.asks]
    for _, what, ask in sorted(turns, key=lambda turn: turn[:2]):
        circuit = circuits[ask.door]
        if what == 0:
            why = circuit.begin(ask)
            assert why is None, f"seed {world.seed}: {why}, and yet: {ask}"
        elif what == 1:
            circuit.content(ask)
        else:
            circuit.end(ask, vote(ask, world.calls[ask.call], asks_of[ask.call]))
    return sum(circuit.openings > 0 or circuit.epoch > 0 for circuit in circuits.values())


def vote(ask, told, asks):
    """Whether *ask* has failed; None if it says nothing."""
    if ask.ended == "answered":
        return False
    if ask.ended != "cut off":
        return None if ask.ended in UNCOUNTED else True
    if ask.content_turn < ask.over_turn:  # a stream, whose reader left or saw it stall
        return True if told.ends == ["failed with StreamInterruptedError"] else None
    if told.ends == ["left"] and abs(ask.over_at - told.left_at) < CLOSE:
        return None
    if any(answers(other) and other.content_at == ask.over_at for other in asks):
        return None  # it lost the race
    return True if ask.over_at - ask.at >= LEAST_GIVEN - CLOSE else None


def answers(ask):
    """Whether there was an answer to *ask*, or the beginning of one."""
    return ask.ended == "answered" or ask.content_turn < ask.over_turn
