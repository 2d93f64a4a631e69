"""The sections of the settings, with the source of every value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..adapters.http.address import check_address
from ..assembly.choice import section_of
from ..assembly.routing import HEDGED, named_in
from ..assembly.sections import PROVIDERS, SECTIONS, ChoiceSettings
from ..assembly.targets import Described
from ..assembly.vendors import canonical, discover_providers, vendor
from ..core.errors import ConfigurationError
from ..settings import Mistake, check, resolve, variable_names
from ..settings.words import NULL_IN_QUOTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pydantic import BaseModel

    from ..settings import RawSettings, Resolved, Setting

MODELS: dict[str, type[BaseModel]] = {"": ChoiceSettings, **SECTIONS}
"""The models of all sections but the providers', by their keys."""
ADDRESSES = ("endpoint", "base_url")
"""The fields of a provider's section that say where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One provider that the settings or this installation know."""

    name: str
    """Its section, as it is written."""
    vendor: str
    resolved: Resolved[Any] | None
    """Its settings; None where they hold a mistake."""
    mistake: str | None = None

    @property
    def path(self) -> str:
        """The dotted path of its section."""
        return f"{PROVIDERS}.{self.name}"

    @property
    def is_namesake(self) -> bool:
        """Whether it bears the vendor's name, and so has the vendor's own variables."""
        return canonical(self.name) == self.vendor

    @property
    def is_set_up(self) -> bool:
        """Whether anybody has said anything about it."""
        if self.resolved is None:
            return True
        return any(source.kind != "default" for source in self.resolved.sources.values())

    @property
    def target(self) -> Described | None:
        """What would be asked; None where its settings hold a mistake."""
        if self.resolved is None:
            return None
        return Described(
            name=canonical(self.name),
            section=self.name,
            vendor=vendor(self.vendor),
            settings=self.resolved.model,
            is_namesake=self.is_namesake,
        )

    @property
    def obstacle(self) -> str | None:
        """Why it cannot be asked, or is not unless it is named."""
        target = self.target
        if target is None:
            return self.mistake
        if target.lacks is None and not target.is_declared:
            address = next(name for name in ADDRESSES if name in self.variables())
            return f"nothing says that it is there; set {self.variables()[address][0]}"
        return target.lacks

    def variables(self) -> Mapping[str, tuple[str, ...]]:
        """The variables of each of its settings."""
        return variable_names(vendor(self.vendor).Settings, self.path, aliases=self.is_namesake)


def vendor_models() -> dict[str, type[BaseModel]]:
    """The model of each vendor's section. A vendor whose package is broken is left out."""
    models: dict[str, type[BaseModel]] = {}
    for name in discover_providers():
        try:
            models[name] = vendor(name).Settings
        except ConfigurationError:
            continue
    return models


def section_model(name: str, kind: str | None) -> type[BaseModel]:
    """
    The model of the provider's section *name*, made by *kind* if it says so.

    Raises:
        ConfigurationError: There is no such vendor.
    """
    return vendor(kind or name).Settings


def known(raw: RawSettings) -> Iterator[Known]:
    """All providers that *raw* or this installation knows, by name. Nobody is contacted."""
    sections = raw.section(PROVIDERS)
    own = {canonical(name) for name in sections}
    for name in sorted({*sections, *(each for each in discover_providers() if each not in own)}):
        made_by = canonical(name)
        try:
            kind = raw.section(f"{PROVIDERS}.{name}").get("vendor")
            made_by = canonical(str(kind.value)) if kind else made_by
            found = Known(name=name, vendor=made_by, resolved=None)
            resolved = resolve(raw, found.path, vendor(made_by).Settings, aliases=found.is_namesake)
        except ConfigurationError as error:
            yield Known(name=name, vendor=made_by, resolved=None, mistake=str(error))
        else:
            yield Known(name=name, vendor=made_by, resolved=resolved)


def key_variable(raw: RawSettings, name: str) -> str:
    """The variable that the key of the provider *name* comes from, or could come from."""
    by_name = {canonical(each.name): each for each in known(raw)}
    # A server that OPENAI_BASE_URL names gets OpenAI's key, and is called otherwise.
    for each in (by_name.get(name), by_name.get("openai")):
        for field in ("api_key", "api_token"):
            if each and each.resolved and getattr(each.resolved.model, field, None):
                source = each.resolved.sources[field]
                is_variable = source.kind in {"environment", ".env"}
                return source.name if is_variable else each.variables()[field][0]
    return "API_KEY"


def mistakes_in(file: Path) -> tuple[Mistake, ...]:
    """All mistakes in a file of settings, or of variables. Python is run; nobody is contacted."""
    providers = {f"{PROVIDERS}.{name}": model for name, model in vendor_models().items()}
    return check(file, {**MODELS, **providers}, provider=section_model, verify=_verified)


def _verified(raw: RawSettings, path: str, given: Mapping[str, Setting]) -> Iterator[Mistake]:
    """What keeps a section from being built, although each of its values fits its field."""
    if not path:
        yield from _nobody(raw, given)
    if path == "routing":
        yield from _routing(raw, given)
    if path.startswith(f"{PROVIDERS}."):
        plain_http = "allow_plain_http" in given and given["allow_plain_http"].value is True
        for address in (given[name] for name in ADDRESSES if name in given):
            if isinstance(address.value, str):
                try:
                    check_address(address.value, plain_http)
                except ConfigurationError as error:
                    yield Mistake(address.source, f"cannot be used: {error}")


def _routing(raw: RawSettings, given: Mapping[str, Setting]) -> Iterator[Mistake]:
    """Who is named in vain, and what contradicts another section, as far as the file can tell."""
    hedged = raw.section("hedge").get("enabled")
    strategy = given.get("strategy")
    if strategy is not None and hedged is not None and hedged.value is True:
        yield Mistake(strategy.source, HEDGED)
    if raw.variables:  # the rest may stand in a file beside it
        return
    if strategy is None and given:
        source = next(iter(given.values())).source
        yield Mistake(source, "does nothing without routing.strategy")
    for key, source in named_in(raw).items():
        try:
            section_of(raw, key.partition(".")[2])
        except ConfigurationError as error:
            yield Mistake(source, f"is of no use: {error}")


def _nobody(raw: RawSettings, given: Mapping[str, Setting]) -> Iterator[Mistake]:
    """The names in *given* that nobody bears, as far as the file alone can tell."""
    for field in ("provider", "safe_default_provider"):
        if field in given and given[field].value is None:
            yield Mistake(given[field].source, f"names nobody; {NULL_IN_QUOTES}")
    if raw.variables:  # the sections may stand in a file beside it
        return
    for field in ("provider", "fallback"):
        named: Any = given[field].value if field in given else None
        names: list[Any] = [named] if isinstance(named, str) else list(named or ())
        for name in (each for each in names if isinstance(each, str)):
            try:
                section_of(raw, name)
            except ConfigurationError as error:
                yield Mistake(given[field].source, f"is of no use: {error}")
