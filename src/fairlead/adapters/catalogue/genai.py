"""The prices of genai-prices, for those who want its updates. Needs the extra `genai-prices`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...core.errors import ConfigurationError
from ...core.prices import Price, Tariff, UnitRate
from ._remember import Remembered
from .vendors import is_address, vendor_name

if TYPE_CHECKING:
    from datetime import date, time
    from decimal import Decimal

UNITS = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "output_reasoning_mtok": "reasoning",
    "input_audio_mtok": "input_audio",
    "output_audio_mtok": "output_audio",
    "cache_audio_read_mtok": "cache_read_audio",
    "input_image_mtok": "input_image",
    "output_image_mtok": "output_image",
    "cache_image_read_mtok": "cache_read_image",
    "input_video_mtok": "input_video",
    "output_video_mtok": "output_video",
    "web_searches_kcount": "web_searches",
    "requests_kcount": "request",
}
"""Its words for what has a rate. What it has besides is not told in any usage."""
_TIERS = ("service_tier", "processing", "speed")
"""What it chooses rates by that is a service tier here."""


class GenaiPrices(Remembered):
    """
    What genai-prices knows at present.

    It asks nobody. If your program starts the library's own `UpdatePrices`, what that brings is
    used from then on.

    Raises:
        ConfigurationError: genai-prices is not installed.
    """

    def __init__(self) -> None:
        super().__init__()
        try:
            from genai_prices import data_snapshot
        except ImportError as error:
            raise ConfigurationError(
                "genai-prices is not installed: pip install 'fairlead[genai-prices]'"
            ) from error
        self._data = data_snapshot
        self._snapshot: Any = None

    def price(self, provider: str, model: str, /) -> Price | None:
        """That of *model*, by the library's own rules."""
        snapshot = self._data.get_snapshot()
        if snapshot is not self._snapshot:
            self._snapshot = snapshot
            self.forget()
        return super().price(provider, model)

    def _look_up(self, provider: str, model: str) -> Price | None:
        address = provider if is_address(provider) else None
        vendor = None if address else vendor_name(provider)
        try:
            found, entry = self._snapshot.find_provider_model(model, None, vendor, address)
        except LookupError:
            return None
        if vendor is not None and found.id != vendor:
            return None  # it takes any name for OpenAI's in which there is "openai"
        updated = self._snapshot.timestamp.date() if self._snapshot.from_auto_update else None
        exact = model.lower() in {entry.id, *rules_of(entry.match)}
        return price_of(entry, as_of=updated, exact=exact, own=entry in found.models)


def price_of(entry: Any, *, as_of: date | None, exact: bool, own: bool = True) -> Price | None:
    """*entry*, one of its models, as we have it; None if it is not charged by the token."""
    tariffs = tariffs_of(entry, own=own)
    if tariffs is None:
        return None
    return Price(model=entry.id, source="genai-prices", as_of=as_of, exact=exact, tariffs=tariffs)


def tariffs_of(entry: Any, *, own: bool = True) -> tuple[Tariff, ...] | None:
    """
    The tariffs of *entry*, one of its models; None if it is not charged by the token.

    Args:
        entry: The model.
        own: Whether the vendor has it itself; where it is another's, it has no service tiers.
    """
    told: Any = entry.prices
    if hasattr(told, "calc_price"):
        usual = [_tariff(told)]
    else:
        usual = [_tariff(each.prices, each.constraint) for each in told]
    if not any({"input", "output"} & each.rates.keys() for each in usual):
        return None
    variants = entry.price_variants or () if own else ()
    special: list[Tariff] = []
    for variant in variants:
        [(kind, tier), *more] = variant.when.items()
        tariff = _tariff(variant.prices, variant.constraint, tier)
        if kind in _TIERS and not more and (tariff.rates or tier != "default"):
            special.insert(0, tariff)  # there the first counts, here the last
    return (*usual, *special)


def rules_of(match: Any) -> list[str]:
    """The names that *match*, a clause of its, is for, as `tariffs.fits` reads them."""
    if either := getattr(match, "or_", None):
        return [rule for each in either for rule in rules_of(each)]
    if both := getattr(match, "and_", None):
        joined = [""]
        for each in both:
            joined = [f"{start}&{rule}" for start in joined for rule in rules_of(each)]
        return [rule[1:] for rule in joined]
    for kind, mark in _MARKS.items():
        if (text := getattr(match, kind, None)) is not None:
            return [mark + (text if mark == "/" else text.lower())]
    raise TypeError(f"{type(match).__name__} is no rule that is known here")


_MARKS = {"equals": "", "starts_with": "^", "ends_with": "$", "contains": "*", "regex": "/"}


def _tariff(prices: Any, constraint: Any = None, tier: str | None = None) -> Tariff:
    start: time | None = getattr(constraint, "start_time", None)
    told = {key: getattr(prices, key, None) for key in UNITS}
    return Tariff(
        rates={UNITS[key]: _rate(key, rate) for key, rate in told.items() if rate is not None},
        since=getattr(constraint, "start_date", None),
        hours=None if start is None else (_plain(start), _plain(constraint.end_time)),
        service_tier=tier,
    )


def _plain(moment: time) -> time:
    """*moment*, which is one of UTC, without saying so."""
    return moment.replace(tzinfo=None)


def _rate(key: str, value: Any) -> UnitRate:
    steps = [(tier.start, _each(key, tier.price)) for tier in getattr(value, "tiers", ())]
    return UnitRate(_each(key, getattr(value, "base", value)), tuple(steps))


def _each(key: str, rate: Decimal) -> Decimal:
    """The rate for as many as ours is for; of requests it has that of a thousand."""
    return rate.scaleb(-3) if key == "requests_kcount" else rate
