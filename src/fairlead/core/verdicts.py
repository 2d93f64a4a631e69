"""What a policy can make of an error. Which error gets which verdict is in `errors`."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Retry(StrEnum):
    """Whether the same target is worth asking again."""

    NEVER = "never"
    TRANSIENT = "transient"
    THROTTLED = "throttled"
    """Only if the wait that the vendor asks for fits."""
    ONCE_IF_SENT = "once-if-sent"
    """The vendor may have worked on it, and billed it: at most one repeat if it was sent."""
    NEXT_KEY = "next-key"
    """Not with the same credentials."""


class Another(StrEnum):
    """Whether another target is worth asking."""

    NEVER = "never"
    ALWAYS = "always"
    LARGER_WINDOW = "larger-window"
    LARGER_CEILING = "larger-ceiling"
    OPT_IN = "opt-in"


class KeyFate(StrEnum):
    """What becomes of the API key that a call was made with."""

    KEPT = "kept"
    RESTS = "rests"
    """Not asked with until the vendor's limit is reset."""
    SPENT = "spent"
    """Nor any other key of its account, for a while."""
    DEAD = "dead"
    """Not asked with again until somebody reloads the keys."""


class Verdict(NamedTuple):
    """What the policies make of an error."""

    retry: Retry
    another: Another
    counts: bool
    """Whether the circuit breaker counts it as a failure of the target."""
    http: int
    """The status that a gateway answers with."""
    misconfigured: bool = False
    """Whether it speaks of a mistake in the set-up, which health and `explain` show."""
    key: KeyFate = KeyFate.KEPT
