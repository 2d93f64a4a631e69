"""`fairlead config`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, cast

import typer

from .asked import Files, takes
from .failures import FAILED, plainly, say, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..settings import RawSettings, Resolved, Source

app: typer.Typer = typer.Typer(rich_markup_mode=None, invoke_without_command=True)

Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


ANSWERS = "who answers"


class Value(NamedTuple):
    """One effective value."""

    key: str
    value: Any
    source: Source


@app.callback()
@takes(Files)
def config(
    files: Files,
    ctx: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Show providers too that nothing is said about.")
    ] = False,
    as_json: Json = False,
) -> None:
    """
    Print who answers, and every effective setting and where it comes from, with secrets masked.

    Nobody is contacted. Without --all, providers that nothing is said about are left out.

    For example:

      fairlead config

      fairlead config --config fairlead.yaml --env-file .env --json
    """
    if ctx.invoked_subcommand is not None:
        return
    from ..settings import load
    from .output import print_json, print_table

    raw = load(file=files.config, env_file=files.env_file)
    values = list(_values(raw, everything=everything))
    names, why_not = _who_answers(files)
    if as_json:
        print_json(
            [
                {"key": ANSWERS, "value": names, "source": None},
                *(
                    {"key": each.key, "value": _masked(each.value), "source": asdict(each.source)}
                    for each in values
                ),
            ]
        )
    else:
        rows = [(ANSWERS, ", then ".join(names) or f"nobody: {why_not}", "what follows")]
        rows += [(each.key, _shown(each.value), str(each.source)) for each in values]
        print_table(("setting", "value", "from"), rows)
    if _tell_mistakes(raw):
        sys.exit(FAILED)


@app.command()
def check(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A file of settings, or of variables such as .env."),
    ],
    as_json: Json = False,
) -> None:
    """
    Find all mistakes in a file of settings: line, key, and what was perhaps meant.

    If there are any, the exit status is 1.

    For example:

      fairlead config check fairlead.yaml
    """
    from .output import print_json, printable
    from .sections import mistakes_in

    mistakes = mistakes_in(file)
    if as_json:
        print_json(
            [
                {
                    "file": each.source.place,
                    "line": each.source.line,
                    "key": each.source.name,
                    "problem": each.problem,
                    "nearest": each.nearest,
                }
                for each in mistakes
            ]
        )
    else:
        for mistake in mistakes:
            print(printable(str(mistake)))
        if not mistakes:
            say(f"{file}: no mistakes")
    if mistakes:
        sys.exit(FAILED)


@app.command()
def schema() -> None:
    """
    Print the JSON schema of settings files, for editors.

    For example:

      fairlead config schema > fairlead.schema.json
    """
    from ..settings import json_schema
    from .output import print_json
    from .sections import MODELS, vendor_models

    print_json(json_schema(MODELS, vendor_models()))


def _who_answers(files: Files) -> tuple[list[str], str]:
    """The providers that would be asked, in order; why there are none."""
    from ..core.errors import ConfigurationError
    from .choice import name_of, who_answers
    from .failures import in_words

    try:
        return [name_of(target) for target in who_answers(files)], ""
    except ConfigurationError as error:
        return [], in_words(error)


def _values(raw: RawSettings, *, everything: bool) -> Iterator[Value]:
    from ..assembly.sections import PROVIDERS, SECTIONS
    from ..settings import resolve
    from .sections import MODELS, known

    for path, model in MODELS.items():
        also = (*SECTIONS, PROVIDERS) if not path else ()
        yield from _of(path, resolve(raw, path, model, also=also))
    for each in known(raw):
        if each.resolved is not None and (everything or each.is_set_up):
            yield from _of(each.path, each.resolved)


def _of(path: str, resolved: Resolved[Any]) -> Iterator[Value]:
    from ..settings.sources import MASK

    preset = _policies().get(path, {})
    values = resolved.values()
    for key, source in resolved.sources.items():
        value = values[key]
        if value is None:
            value = preset.get(key)
        elif key == "headers":  # whatever they are called, nobody here knows which are secret
            value = dict.fromkeys(cast("dict[str, str]", value), MASK)
        yield Value(f"{path}.{key}" if path else key, value, source)


def _policies() -> dict[str, dict[str, Any]]:
    """What the policies take where the settings leave it to them."""
    from ..assembly.pipeline import MAX_RETRIES
    from ..decorators.backoff import Backoff
    from ..decorators.circuit import BreakerOptions

    return {
        "retry": {"max_retries": MAX_RETRIES, **asdict(Backoff())},
        "circuit_breaker": asdict(BreakerOptions()),
    }


def _masked(value: Any) -> Any:
    from pydantic import SecretBytes, SecretStr

    from ..settings.sources import MASK, may_be_secret, without_userinfo

    if isinstance(value, (SecretStr, SecretBytes)):
        return MASK
    if isinstance(value, str):
        return without_userinfo(value)
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {
            name: MASK if may_be_secret(name) else _masked(item) for name, item in members.items()
        }
    if isinstance(value, (list, tuple)):
        return [_masked(item) for item in cast("list[Any]", value)]
    return value


def _shown(value: Any) -> str:
    import json

    if value is None:
        return "-"
    plain = _masked(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False, default=str)


def _tell_mistakes(raw: RawSettings) -> bool:
    """
    Tell of providers that cannot be built; returns whether there are any.

    And of each variable that looks like one of ours and is none, which is a warning.
    """
    from ..settings import unknown_variables, variable_names
    from .sections import MODELS, known

    names = {
        name
        for path, model in MODELS.items()
        for each in variable_names(model, path).values()
        for name in each
    }
    failed = False
    for each in known(raw):
        if each.resolved is None:
            say(f"error: {plainly(each.mistake or '')}")
            failed = True
        else:
            names |= {name for variables in each.variables().values() for name in variables}
    for mistake in unknown_variables(raw, names):
        warn(str(mistake))
    return failed
