"""The commands and their options."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

app: typer.Typer = typer.Typer(
    add_completion=True,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Ask language models from the command line.",
)


def _version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        typer.echo(f"fairlead {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Ask language models from the command line."""


@app.command()
def generate(
    prompt: Annotated[
        list[str] | None,
        typer.Argument(help="What to ask; - stands for standard input, and so does nothing."),
    ] = None,
    system: Annotated[
        str | None, typer.Option("--system", "-s", help="What the model should keep to.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="The model to ask.")] = None,
    base_url: Annotated[
        str | None,
        typer.Option("--base-url", "-b", help="An OpenAI-compatible server to ask."),
    ] = None,
    api_key_env: Annotated[
        str | None,
        typer.Option("--api-key-env", help="The variable that holds the key of that server."),
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", help="How long the answer may be.")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option("--temperature", "-t", help="How freely the model chooses.")
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", help="Seconds for the answer; streamed, until it begins."),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no model: let the offline provider answer.")
    ] = False,
    no_stream: Annotated[
        bool, typer.Option("--no-stream", help="Print the answer when it is whole.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print all that is known of the answer, as JSON.")
    ] = False,
    allow_plain_http: Annotated[
        bool,
        typer.Option("--allow-plain-http", help="Allow plain http to a public host."),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show all of an error.")] = False,
) -> None:
    """
    Ask a model and print its answer as it arrives.

    For example:

      fairlead generate "Why is the sky blue?"

      git diff | fairlead generate "Write a commit message for this:" -

      fairlead generate -b http://localhost:8000 "Count to ten."
    """
    import anyio

    from ..core.requests import GenerateOptions
    from .choice import Choice
    from .generate import Request, prompt_of
    from .generate import generate as run

    del debug  # read before the options are, so that it covers their errors too
    request = Request(
        prompt=prompt_of(tuple(prompt or ())),
        options=GenerateOptions(
            system_prompt=system, max_tokens=max_tokens, temperature=temperature, timeout=timeout
        ),
        choice=Choice(
            model=model,
            base_url=base_url,
            api_key_env=api_key_env,
            offline=offline,
            allow_plain_http=allow_plain_http,
        ),
        stream=not no_stream,
        as_json=as_json,
    )
    anyio.run(partial(run, request))
