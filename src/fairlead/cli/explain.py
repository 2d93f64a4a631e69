"""`fairlead explain`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .asked import Asked, takes

if TYPE_CHECKING:
    from ..assembly.explain import Explanation


@takes(Asked)
def explain(
    asked: Asked,
    settings: Annotated[
        Path | None, typer.Argument(metavar="CONFIG", help="A file of settings, as for --config.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """
    Show the pipeline that would answer, and what a call comes to at worst. Nobody is contacted.

    For example:

      fairlead explain fairlead.yaml

      fairlead explain --provider openai --fallback offline --json
    """
    import anyio

    from ..core.errors import ConfigurationError
    from .output import print_json

    if settings is not None:
        if asked.config is not None:
            raise ConfigurationError("--config and CONFIG both name a file; leave one of them out")
        asked = replace(asked, config=settings)
    explanation = anyio.run(partial(_explained, asked))
    if as_json:
        print_json(explanation.as_dict())
    else:
        print(explanation)


async def _explained(asked: Asked) -> Explanation:
    from .choice import opened

    async with await opened(asked, any_model=True, quiet=True) as provider:
        return provider.explain()
