"""What a router knows of its targets, and who comes first by weight or by a hash."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from math import log
from typing import TYPE_CHECKING, Any, TypeAlias

from ..core.checks import check_number, nearest
from ..core.errors import ConfigurationError

if TYPE_CHECKING:
    from ..core.calls import Operation

Weights: TypeAlias = Mapping[str, float] | Sequence[float]
"""By the names of the routes, or one for each in their order; those without are asked last."""


class Route:
    """
    What a router knows of one of its targets. It awaits nothing and knows no clock.

    Args:
        name: What weights and arms call it.
        index: Its place among the targets as they were given, from 0.
    """

    ALPHA = 0.2
    """The share of the newest sample in a fresh average: the last ten make up nine tenths."""
    HALF_LIFE = 60.0
    """Seconds in which an average loses half of its worth, so that who was slow is asked again."""
    UNKNOWN = 1e-9

    __slots__ = ("_averages", "index", "last", "name", "running", "salt")

    def __init__(self, name: str, index: int) -> None:
        self.name: str = name
        self.index: int = index
        self.running: int = 0
        """Calls that are being answered, open streams included."""
        self.last: int = 0
        """The number of the call that it was asked last."""
        self.salt: int = hashed(name)
        self._averages: dict[Operation, tuple[float, float]] = {}

    def closed(self, _outcome: object) -> None:
        """A stream of it was closed."""
        self.running -= 1

    def took(
        self, operation: Operation, seconds: float, now: float, *, answered: bool = True
    ) -> None:
        """
        It took *seconds* until the first content.

        Who has not answered would have taken longer, so that counts only against it.
        """
        known = self._averages.get(operation)
        if known is None:
            if answered:
                self._averages[operation] = (seconds, now)
        elif answered or seconds > known[0]:
            average, at = known
            kept = (1 - self.ALPHA) * 0.5 ** (max(now - at, 0.0) / self.HALF_LIFE)
            self._averages[operation] = (seconds + kept * (average - seconds), now)

    def seconds(self, operation: Operation, now: float) -> float:
        """About how long it takes until the first content; next to nothing where nobody knows."""
        known = self._averages.get(operation)
        if known is None:
            return self.UNKNOWN
        average, at = known
        return average if now <= at else average * 0.5 ** ((now - at) / self.HALF_LIFE)


Routes: TypeAlias = Sequence[Route]


class ByHash:
    """
    Weighted rendezvous hashing: each route draws a number from the hash of it and a value.

    What was settled for a value is kept, for so many of them.
    """

    REMEMBERED = 1024

    def __init__(self, weights: Weights | None, prefix: str = "") -> None:
        self._weights = weights
        self._prefix = prefix
        self._rarity: Sequence[float] = ()
        self._settled: dict[str, tuple[Routes, Sequence[int]]] = {}

    def prepared(self, routes: Routes) -> ByHash:
        """The same for *routes*."""
        other = ByHash(self._weights, self._prefix)
        other._rarity = rarity_of(self._weights, routes)
        return other

    def arranged(self, value: str, routes: Routes) -> Sequence[int]:
        """The places of *routes* in the order that *value* settles."""
        known = self._settled.get(value)
        if known is not None and known[0] is routes:
            return known[1]
        whose = hashed(self._prefix + value)
        keys: list[float] = []
        for route in routes:
            number = (_mixed(whose ^ route.salt) >> 11) * 2.0**-53
            keys.append(-log(number or LEAST) * self._rarity[route.index])
        places = ranked(keys)
        if len(self._settled) >= self.REMEMBERED:
            self._settled.pop(next(iter(self._settled)))
        self._settled[value] = routes, places
        return places


def rarity_of(weights: Weights | None, routes: Routes) -> Sequence[float]:
    """
    Of each route the inverse of its weight.

    An exponential variable times that has the weight for its rate, and the least of several such
    is each one's in proportion to its weight.

    Raises:
        ConfigurationError: The weights are not those of *routes*.
    """
    if weights is None:
        return [1.0] * len(routes)
    if isinstance(weights, Mapping):
        _check_names(weights, [route.name for route in routes])
        shares: Sequence[float] = [weights.get(route.name, 0.0) for route in routes]
    else:
        shares = weights
    if len(shares) != len(routes):
        raise ConfigurationError(f"{len(shares)} weights for {len(routes)} targets")
    return [1 / max(share, _LEAST_SHARE) if share else _NEVER for share in shares]


LEAST = 2.0**-64
_LEAST_SHARE, _NEVER = 1e-250, 1e300
"""So far apart that no number drawn lets a share of 0 come before any other."""


def checked_weights(weights: Weights) -> Weights:
    """A copy of *weights*, if they are any."""
    if isinstance(weights, str) or not isinstance(weights, (Mapping, Sequence)):
        kind = type(weights).__name__
        raise ConfigurationError(f"weights must be numbers, by name or in order, not {kind}")
    values = weights.values() if isinstance(weights, Mapping) else weights
    for value in values:
        check_number("a weight", value, "at least 0", lambda it: it >= 0)
    if not any(values):
        raise ConfigurationError("at least one weight must be more than 0")
    return dict(weights) if isinstance(weights, Mapping) else tuple(weights)


def _check_names(names: Iterable[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            near = nearest(str(name), known)
            hint = f"did you mean {near!r}?" if near else f"there are {', '.join(known)}"
            raise ConfigurationError(f"{name!r} is none of the targets; {hint}")


def ranked(keys: Sequence[Any]) -> list[int]:
    """The places of *keys*, the least first; of equal ones, the first."""
    if len(keys) == 2:
        return [1, 0] if keys[1] < keys[0] else [0, 1]
    return sorted(range(len(keys)), key=keys.__getitem__)


def hashed(value: str) -> int:
    """64 bits that are the same in every process."""
    digest = blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _mixed(bits: int) -> int:
    """Spreads each bit over all 64: the finisher of splitmix64."""
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9 & _ALL
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EB & _ALL
    return bits ^ bits >> 31


_ALL = 2**64 - 1
