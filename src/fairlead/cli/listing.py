"""`fairlead providers`, `fairlead models` and `fairlead health`."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .asked import Asked, Files, takes
from .failures import FAILED, say

if TYPE_CHECKING:
    from ..core.health import ProviderHealth

Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


@takes(Files)
def providers(files: Files, as_json: Json = False) -> None:
    """
    List the providers: which could be asked, and what the others lack. Nobody is contacted.

    For example:

      fairlead providers

      fairlead providers --config fairlead.yaml --json
    """
    from ..settings import load
    from .output import print_json, print_table
    from .sections import known

    listed: list[dict[str, Any]] = [
        {
            "name": each.name,
            "vendor": each.vendor,
            "configured": each.obstacle is None,
            "model": each.resolved and each.resolved.model.model,
            "why_not": each.obstacle,
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
            "yes" if each["configured"] else f"no: {each['why_not']}",
        )
        for each in listed
    ]
    print_table(("provider", "model", "can be asked"), rows)


@takes(Asked)
def models(asked: Asked, as_json: Json = False) -> None:
    """
    List the models that the provider offers now.

    Where there are several providers, as with --fallback, each line is provider:model.

    For example:

      fairlead models

      fairlead models --base-url http://localhost:8000
    """
    import anyio

    from .output import print_json, printable

    found = anyio.run(partial(_models, asked))
    if as_json:
        print_json([{"provider": name, "model": model} for name, model in found])
        return
    several = len({name for name, _ in found}) > 1
    for name, model in found:
        print(printable(f"{name}:{model}" if several else model))


async def _models(asked: Asked) -> list[tuple[str, str]]:
    from ..facade.health import over_targets
    from .choice import ListsModels, opened

    found: list[tuple[str, str]] = []
    async with await opened(asked, any_model=True) as provider:
        listers = list(over_targets(provider, ListsModels))
        for lister in listers:
            found += [(lister.name, model) for model in await lister.list_models()]
        if not listers and provider.model.name is not None:
            say(f"{provider.name} has no list of models; this is the one that it answers with")
            found.append((provider.name, provider.model.name))
    return found


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
    from dataclasses import asdict

    import anyio

    from .output import print_json, print_table

    found = anyio.run(partial(_health, asked))
    if as_json:
        print_json(asdict(found))
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


def _health_row(health: ProviderHealth) -> tuple[str, str, str, str]:
    latency = "" if health.latency_ms is None else f"{health.latency_ms:.0f} ms"
    healthy = "yes" if health.healthy else "no, misconfigured" if health.misconfigured else "no"
    return health.name, healthy, latency, health.error or ""
