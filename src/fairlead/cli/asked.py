"""The options that commands have in common, and the one place where they are declared."""

from __future__ import annotations

import inspect
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

Command = TypeVar("Command", bound="Callable[..., None]")


def provider_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """The vendors, and the sections of the file that `--config` names, for the shell."""
    from ..assembly.vendors import discover_providers
    from ..core.errors import ConfigurationError
    from ..settings import load

    names = {*discover_providers()}
    if file := ctx.params.get("config"):
        with suppress(ConfigurationError):  # the command itself is going to say so
            names |= {*load(file=file, environ={}).section("providers")}
    return [name for name in sorted(names) if name.startswith(incomplete)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Where settings are read from, besides the environment."""

    config: Annotated[
        Path | None,
        typer.Option(
            "--config", metavar="FILE", help="A file of settings: YAML, TOML, JSON or Python."
        ),
    ] = None
    env_file: Annotated[
        Path | None,
        typer.Option("--env-file", metavar="FILE", help="A file of variables, such as .env."),
    ] = None
    debug: Annotated[
        bool, typer.Option("--debug", help="Show what happens, and all of an error.")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Files):
    """Who is to be asked."""

    provider: Annotated[
        str | None,
        typer.Option(
            "--provider",
            "-p",
            metavar="NAME",
            help="A vendor, vendor:model, or a section of the settings.",
            autocompletion=provider_names,
        ),
    ] = None
    model: Annotated[
        str | None, typer.Option("--model", "-m", metavar="NAME", help="The model to ask.")
    ] = None
    base_url: Annotated[
        str | None,
        typer.Option("--base-url", "-b", metavar="URL", help="An OpenAI-compatible server to ask."),
    ] = None
    api_key_env: Annotated[
        str | None,
        typer.Option(
            "--api-key-env", metavar="VARIABLE", help="The variable that holds the key to use."
        ),
    ] = None
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no model: let the offline provider answer.")
    ] = False
    fallback: Annotated[
        list[str] | None,
        typer.Option(
            "--fallback",
            metavar="NAME",
            help="Who is asked next, in this order; several times for several.",
            autocompletion=provider_names,
        ),
    ] = None
    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout",
            metavar="SECONDS",
            help="Seconds for the answer; streamed, until it begins.",
        ),
    ] = None
    allow_plain_http: Annotated[
        bool, typer.Option("--allow-plain-http", help="Allow plain http to a public host.")
    ] = False

    @property
    def names_one(self) -> bool:
        """Whether it says by itself who is to be asked."""
        return self.offline or self.base_url is not None or self.provider is not None


def takes(kind: type[Files]) -> Callable[[Command], Command]:
    """
    Let a command take the options that *kind* declares, and hand them to it as one value.

    The command's first parameter is that value; its other parameters are its own options.
    """
    hints = get_type_hints(kind, include_extras=True)
    shared = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=hints[field.name],
        )
        for field in sorted(
            fields(kind), key=lambda field: field.name in Files.__dataclass_fields__
        )
    ]

    def taking(command: Command) -> Command:
        own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]

        @wraps(command)
        def run(**given: Any) -> None:
            options = kind(**{parameter.name: given.pop(parameter.name) for parameter in shared})
            if options.debug:
                from ..adapters.telemetry.structlog import configure_debug

                configure_debug()
            command(options, **given)

        run.__signature__ = inspect.Signature([*own, *shared])  # type: ignore[attr-defined]
        run.__annotations__ = {}
        return run  # type: ignore[return-value]

    return taking
