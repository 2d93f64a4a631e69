"""
Tariffs and names of models as the catalogue's file has them: short, and read only when asked for.

Tariffs are words: rates such as `i=1.25>200000:2.5`, and before them what they hold for, such as
`@2026-10-01` (since), `!0100-0500` (hours, in UTC) or `#batch` (service tier); `;` stands between
tariffs. Names are words too: a name itself, `^its beginning`, `$its end`, `*a part of it`, or
`/a regular expression/`, and several of them joined by `&`.
"""

from __future__ import annotations

import re
from datetime import date, time
from decimal import Decimal
from typing import TYPE_CHECKING

from ...core.prices import Tariff, UnitRate

if TYPE_CHECKING:
    from collections.abc import Mapping

SHORT: Mapping[str, str] = {
    "i": "input",
    "o": "output",
    "r": "cache_read",
    "w": "cache_write",
    "h": "cache_write_1h",
    "t": "reasoning",
    "ia": "input_audio",
    "oa": "output_audio",
    "ra": "cache_read_audio",
    "ii": "input_image",
    "oi": "output_image",
    "ri": "cache_read_image",
    "iv": "input_video",
    "ov": "output_video",
    "s": "web_searches",
    "q": "request",
}
"""The file's words for units."""
_LONG = {unit: word for word, unit in SHORT.items()}


def read_tariffs(written: str) -> tuple[Tariff, ...]:
    """The tariffs of one model."""
    return tuple(map(_tariff, written.split(";")))


def write_tariffs(tariffs: tuple[Tariff, ...]) -> str:
    """The same, as it is read again."""
    return ";".join(" ".join(_words(tariff)) for tariff in tariffs)


def fits(rule: str, name: str) -> bool:
    """Whether *name*, in lower case, is one of those that *rule* is for."""
    return all(_fits(part, name) for part in rule.split("&"))


def is_name(rule: str) -> bool:
    """Whether *rule* is a name itself."""
    return rule[0] not in "^$*/"


def _fits(rule: str, name: str) -> bool:
    kind, rest = rule[0], rule[1:]
    if kind == "^":
        return name.startswith(rest)
    if kind == "$":
        return name.endswith(rest)
    if kind == "*":
        return rest in name
    if kind == "/":
        return re.search(rest, name) is not None
    return name == rule


def _tariff(written: str) -> Tariff:
    rates: dict[str, UnitRate] = {}
    since, hours, tier = None, None, None
    for word in written.split():
        kind, rest = word[0], word[1:]
        if kind == "@":
            since = date.fromisoformat(rest)
        elif kind == "!":
            start, _, end = rest.partition("-")
            hours = _time(start), _time(end)
        elif kind == "#":
            tier = rest
        else:
            unit, _, rate = word.partition("=")
            rates[SHORT[unit]] = _rate(rate)
    return Tariff(rates=rates, since=since, hours=hours, service_tier=tier)


def _rate(written: str) -> UnitRate:
    base, *steps = written.split(">")
    pairs = [step.partition(":") for step in steps]
    return UnitRate(Decimal(base), tuple((int(above), Decimal(rate)) for above, _, rate in pairs))


def _time(written: str) -> time:
    return time(int(written[:2]), int(written[2:]))


def _words(tariff: Tariff) -> list[str]:
    words: list[str] = []
    if tariff.since is not None:
        words.append(f"@{tariff.since.isoformat()}")
    if tariff.hours is not None:
        words.append("!{:%H%M}-{:%H%M}".format(*tariff.hours))
    if tariff.service_tier is not None:
        words.append(f"#{tariff.service_tier}")
    for unit, rate in tariff.rates.items():
        steps = "".join(f">{above}:{dearer}" for above, dearer in rate.steps)
        words.append(f"{_LONG[unit]}={rate.base}{steps}")
    return words
