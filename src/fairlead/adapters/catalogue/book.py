"""What comes with fairlead: prices of models, and what is known of them besides."""

from __future__ import annotations

import json
import re
from datetime import date
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ...core.models import ModelInfo, filled
from ...core.prices import Price
from ._remember import Remembered
from .facts import kin, read_facts, without_refusals
from .tariffs import fits, is_name, read_tariffs
from .vendors import is_address, vendor_name

if TYPE_CHECKING:
    from pathlib import Path

DATA = "models.json"
_PACKAGE = __name__.rpartition(".")[0]


class Catalogue(Remembered):
    """
    The vendors' price lists, and what is known of their models: limits, abilities, tokenizers.

    All as it was when this version of fairlead was made. It is read from a file in the package when
    it is asked for the first time. A vendor is known by its name or by its address, a model by its
    name; what stands neither in the list nor under one of its rules has no price.

    Args:
        path: Another file of that kind.
    """

    def __init__(self, path: Path | None = None) -> None:
        super().__init__()
        self._path = path
        self._vendors: dict[str, _Vendor] | None = None
        self._source, self._as_of = "", date.min

    def info(self, provider: str, model: str, /) -> ModelInfo | None:
        """
        What is known of *model*; None if it is in no list.

        Of a model that is not listed by the very name, but for its day or as that of another
        vendor which *provider* serves, it tells nothing that would keep a request away: what such
        a model cannot do is left out.
        """
        vendor = self._vendor(provider)
        if vendor is None:
            return None
        vendors, name = self._load(), model.lower()
        own = (name, _with_hyphens(name))
        for asked in (*own, *kin(name)):
            for each in (vendor, *(vendors[other] for other in vendor.falls_back)):
                written = each.facts.get(asked)
                if written is not None:
                    info = read_facts(model, written)
                    exact = asked in own and each is vendor
                    return info if exact else without_refusals(info)
        return None

    def complete(self, provider: str, info: ModelInfo, /) -> ModelInfo:
        """*info*, with what is known of that model besides."""
        known = None if info.name is None else self.info(provider, info.name)
        return info if known is None else filled(info, known)

    def _look_up(self, provider: str, model: str) -> Price | None:
        vendors = self._load()
        vendor = self._vendor(provider)
        name = model.lower()
        if vendor is None:
            return None
        for asked in dict.fromkeys((name, _with_hyphens(name))):
            for each in (vendor, *(vendors[other] for other in vendor.falls_back)):
                entry = each.find(asked)
                if entry is not None:
                    exact = asked in each.names or asked == entry[0]
                    return self._price(entry, exact=exact, own=each is vendor)
        return None

    def _price(self, entry: _Entry, *, exact: bool, own: bool) -> Price:
        model, written = entry
        tariffs = read_tariffs(written)
        if not own:  # what it costs in haste is known for the vendor's own alone
            tariffs = tuple(each for each in tariffs if each.service_tier is None)
        return Price(
            model=model, source=self._source, as_of=self._as_of, exact=exact, tariffs=tariffs
        )

    def _vendor(self, provider: str) -> _Vendor | None:
        vendors = self._load()
        if is_address(provider):
            there = (each for each in vendors.values() if re.match(each.address, provider))
            return next(there, None)
        return vendors.get(vendor_name(provider))

    def _load(self) -> dict[str, _Vendor]:
        if self._vendors is not None:
            return self._vendors
        where = files(_PACKAGE) / DATA if self._path is None else self._path
        told = json.loads(where.read_text("utf-8"))
        self._source, self._as_of = told["source"], date.fromisoformat(told["as_of"])
        self._vendors = {name: _Vendor(vendor) for name, vendor in told["vendors"].items()}
        return self._vendors


_Entry = tuple[str, str]
"""A model, and its tariffs as they are written."""


class _Vendor:
    """The list of one vendor. It is put in order when its first model is asked for."""

    __slots__ = ("_models", "_names", "_rules", "address", "facts", "falls_back")

    def __init__(self, told: dict[str, Any]) -> None:
        self.address: str = told["address"]
        self.falls_back: list[str] = told.get("falls_back", [])
        self.facts: dict[str, str] = told.get("facts", {})
        """What is known of its models, by their names, as it is written."""
        self._models: list[list[str]] = told["models"]
        self._names: dict[str, _Entry] | None = None
        self._rules: list[tuple[str, _Entry]] = []

    @property
    def names(self) -> dict[str, _Entry]:
        """Its models by their names."""
        if self._names is None:
            self._names = {}
            for model, *rules, tariffs in self._models:
                for rule in rules[0].split() if rules else [model]:
                    name = model if rule == "=" else rule
                    if is_name(name):
                        self._names.setdefault(name, (model, tariffs))
                    else:
                        self._rules.append((name, (model, tariffs)))
        return self._names

    def find(self, name: str) -> _Entry | None:
        """The model of that name, or the first whose rules fit it."""
        entry = self.names.get(name)
        if entry is None:
            entry = next((entry for rule, entry in self._rules if fits(rule, name)), None)
        return entry


def _with_hyphens(name: str) -> str:
    """*name* with a day at its end as some write it: `-2026-11-10`, not `-20261110`."""
    return _DAY.sub(r"-\1-\2-\3", name)


_DAY = re.compile(r"-(20\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)")
