"""`fairlead count`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .asked import Asked, takes

if TYPE_CHECKING:
    from ..core.results import TokenCount


@takes(Asked)
def count(
    asked: Asked,
    texts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TEXT", help="Texts; - stands for standard input, and so does nothing."
        ),
    ] = None,
    files: Annotated[
        list[Path] | None,
        typer.Option("--file", "-f", metavar="FILE", help="A file that is one text."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """
    Count the tokens of texts, as the provider's model does. Nobody is asked.

    A count is exact where the model's vocabulary is on this machine (see "fairlead tokens"), else
    an estimate; it says which.

    For example:

      fairlead count "How many tokens is this?"

      fairlead count --file README.md --file LICENSE

      git diff | fairlead count --json
    """
    import anyio

    from .output import print_json, print_table
    from .prompts import texts_of

    named = texts_of(texts or (), files or ())
    model, counts = anyio.run(partial(_counted, asked, [text for _, text in named]))
    exact = all(each.exact for each in counts)
    total = sum(counts)
    if as_json:
        each = [
            {"name": name, "tokens": int(found), "exact": found.exact}
            for (name, _), found in zip(named, counts, strict=True)
        ]
        print_json({"tokens": total, "exact": exact, "model": model, "texts": each})
    elif len(counts) == 1:
        print(f"{total} tokens, {_how(exact)}")
    else:
        rows = [
            (str(int(found)), _how(found.exact), _short(name))
            for (name, _), found in zip(named, counts, strict=True)
        ]
        print_table(("tokens", "count", "text"), [*rows, (str(total), _how(exact), "all")])


async def _counted(asked: Asked, texts: list[str]) -> tuple[str | None, list[TokenCount]]:
    from ..container import Container
    from .choice import counting

    async with await counting(asked) as provider:
        Container.tokenizers().wait()
        return provider.model.name, [provider.count_tokens(text) for text in texts]


def _how(exact: bool) -> str:
    return "exact" if exact else "estimated"


def _short(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:59]}…"
