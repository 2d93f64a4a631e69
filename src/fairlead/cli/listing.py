"""`fairlead providers`, `fairlead models` and `fairlead health`."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .asked import Asked, Files, takes
from .failures import FAILED, in_words, plainly, say, told_as_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from ..assembly.targets import Described
    from ..core.health import ProviderHealth

Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


@takes(Files)
def providers(files: Files, as_json: Json = False) -> None:
    """
    List the providers: which could be asked, who answers, and what the others lack.

    Nobody is contacted. A model is shown where a provider has one of its own.

    For example:

      fairlead providers

      fairlead providers --config fairlead.yaml --json
    """
    from ..settings import load
    from .choice import model_of
    from .output import print_json, print_table
    from .sections import known

    places = {target.section: place for place, target in enumerate(_answering(files), 1)}
    listed: list[dict[str, Any]] = [
        {
            "name": each.name,
            "vendor": each.vendor,
            "configured": each.obstacle is None,
            "model": each.target and model_of(each.target),
            "why_not": each.obstacle,
            "answers": places.get(each.name),
        }
        for each in known(load(file=files.config, env_file=files.env_file))
    ]
    if as_json:
        print_json(listed)
        return
    rows = [
        (
            each["name"]
            if each["name"] == each["vendor"]
            else f"{each['name']} ({each['vendor']})",
            each["model"] or "",
            _whether(each["answers"], each["why_not"]),
        )
        for each in listed
    ]
    print_table(("provider", "model", "can be asked"), rows)


def _answering(files: Files) -> Iterator[Described]:
    from ..assembly.targets import Described
    from ..core.errors import ConfigurationError
    from .choice import who_answers

    try:
        yield from (each for each in who_answers(files) if isinstance(each, Described))
    except ConfigurationError as error:
        say(f"nobody answers: {in_words(error)}")


def _whether(place: int | None, why_not: str | None) -> str:
    if place is not None:
        return "yes, and answers" if place == 1 else f"yes, and is number {place} to be asked"
    return "yes" if why_not is None else f"no: {plainly(why_not)}"


@takes(Asked)
def models(asked: Asked, as_json: Json = False) -> None:
    """
    List the models that the provider offers now, and what is known of them.

    Window and answer are the most tokens that prompt and answer may have together, and the answer
    alone; prices are US dollars for a million tokens. What nobody knows stays empty. Where there
    are several providers, as with --fallback, each line is provider:model.

    For example:

      fairlead models

      fairlead models --base-url http://localhost:8000
    """
    import anyio

    from .output import print_json, print_table, printable

    with told_as_json(as_json):
        found = anyio.run(partial(_models, asked))
    if as_json:
        print_json([asdict(each) for each in found])
        return
    several = len({each.provider for each in found}) > 1
    names = [f"{each.provider}:{each.model}" if several else each.model for each in found]
    if not any(each.is_known for each in found):
        for name in names:
            print(printable(name))
        return
    rows = [(name, *each.cells) for name, each in zip(names, found, strict=True)]
    print_table(("model", "window", "answer", "input", "output"), rows)


@dataclass(frozen=True, slots=True)
class _Offered:
    """A model that a provider offers, and what is known of it."""

    provider: str
    model: str
    context_window: int | None = None
    max_output_tokens: int | None = None
    input_usd_per_million: Decimal | None = None
    output_usd_per_million: Decimal | None = None

    @classmethod
    def of(cls, target: object, name: str, model: str) -> _Offered:
        from ..core.adapter import Adapter

        if not isinstance(target, Adapter):
            return cls(name, model)
        info, price = target.info_of(model), target.price_of(model)
        rates = (None, None) if price is None else (price.input, price.output)
        return cls(name, model, info.context_window, info.max_output_tokens, *rates)

    @property
    def is_known(self) -> bool:
        """Whether anything is known of it besides its name."""
        return any(self.cells)

    @property
    def cells(self) -> tuple[str, ...]:
        """What is known, for a table."""
        limits = (self.context_window, self.max_output_tokens)
        rates = (self.input_usd_per_million, self.output_usd_per_million)
        return (
            *("" if limit is None else f"{limit:,}" for limit in limits),
            *("" if rate is None else f"{rate:f}" for rate in rates),
        )


async def _models(asked: Asked) -> list[_Offered]:
    from ..core.errors import ProviderError
    from ..facade.health import ends
    from .choice import ListsModels, opened

    found: list[_Offered] = []
    failed: list[ProviderError] = []
    async with await opened(asked, any_model=True) as provider:
        targets = list(ends(provider, ListsModels))
        for target in targets:
            if not isinstance(target, ListsModels):
                found += _own_model(target)
                continue
            try:
                listed = await target.list_models()
            except ProviderError as error:
                if len(targets) == 1:
                    raise
                failed.append(error)
                say(f"warning: {target.name} does not list its models: {in_words(error)}")
            else:
                found += [_Offered.of(target, target.name, model) for model in listed]
    if len(failed) == len(targets):
        raise failed[0]
    return found


def _own_model(target: object) -> list[_Offered]:
    from .choice import model_name

    name, model = str(getattr(target, "name", type(target).__name__)), model_name(target)
    if model is None:
        say(f"{name} has no list of models, and none of its own")
        return []
    say(f"{name} has no list of models; this is the one that it answers with")
    return [_Offered.of(target, name, model)]


@takes(Asked)
def health(asked: Asked, as_json: Json = False) -> None:
    """
    Ask the provider whether it is well, at its cheapest address and within 5 s.

    With --fallback all of them are asked, side by side; one that is well is enough. If none is,
    the exit status is 1.

    For example:

      fairlead health

      fairlead health --provider lmstudio --fallback offline --json
    """
    import anyio

    from .output import print_json, print_table

    with told_as_json(as_json):
        found = anyio.run(partial(_health, asked))
    if as_json:
        print_json(_rounded(asdict(found)))
    else:
        print_table(
            ("provider", "healthy", "latency", "error"),
            [_health_row(each) for each in found.targets or (found,)],
        )
    if not found.healthy:
        sys.exit(FAILED)


async def _health(asked: Asked) -> ProviderHealth:
    from .choice import opened

    async with await opened(asked, any_model=True) as provider:
        return await provider.health_check()


def _rounded(health: dict[str, Any]) -> dict[str, Any]:
    latency = health["latency_ms"]
    rounded = None if latency is None else round(latency, 3)
    return {**health, "latency_ms": rounded, "targets": [*map(_rounded, health["targets"])]}


def _health_row(health: ProviderHealth) -> tuple[str, str, str, str]:
    latency = "" if health.latency_ms is None else f"{health.latency_ms:.0f} ms"
    healthy = {True: "yes", False: "no", None: "unknown"}[health.healthy]
    if health.misconfigured:
        healthy += ", misconfigured"
    return health.name, healthy, latency, health.error or ""
