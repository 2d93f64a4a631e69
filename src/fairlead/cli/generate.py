"""`fairlead generate`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .asked import Asked, takes

if TYPE_CHECKING:
    from ..core.messages import Message
    from ..core.requests import GenerateOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the person wants."""

    asked: Asked
    prompt: str | Message
    options: GenerateOptions
    schema: dict[str, Any] | None
    stream: bool
    as_json: bool


@takes(Asked)
def generate(
    asked: Asked,
    prompt: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PROMPT", help="What to ask; - stands for standard input, and so does nothing."
        ),
    ] = None,
    system: Annotated[
        str | None,
        typer.Option("--system", "-s", metavar="TEXT", help="What the model should keep to."),
    ] = None,
    images: Annotated[
        list[str] | None,
        typer.Option("--image", "-i", metavar="FILE|URL", help="A picture that goes with it."),
    ] = None,
    files: Annotated[
        list[Path] | None,
        typer.Option(
            "--file", "-f", metavar="FILE", help="A file that goes with it: a text, or a document."
        ),
    ] = None,
    schema: Annotated[
        Path | None,
        typer.Option("--schema", metavar="FILE", help="A JSON schema that the answer has to fit."),
    ] = None,
    max_tokens: Annotated[
        int | None,
        typer.Option("--max-tokens", metavar="NUMBER", help="How long the answer may be."),
    ] = None,
    temperature: Annotated[
        float | None,
        typer.Option("--temperature", "-t", metavar="NUMBER", help="How freely the model chooses."),
    ] = None,
    no_stream: Annotated[
        bool, typer.Option("--no-stream", help="Print the answer when it is whole.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print all that is known of the answer, as JSON.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the request, secrets masked; send nothing.")
    ] = False,
    curl: Annotated[
        bool, typer.Option("--curl", help="Print the request as a curl command; send nothing.")
    ] = False,
) -> None:
    """
    Ask a model and print its answer as it arrives.

    For example:

      fairlead generate "Why is the sky blue?"

      git diff | fairlead generate "Write a commit message for this:" -

      fairlead generate -b http://localhost:8000 "Count to ten."

      fairlead generate --image cat.png --schema animal.json "Which animal is this?"

      fairlead generate -p openai --curl "Why is the sky blue?"
    """
    import anyio

    from ..core.requests import GenerateOptions
    from .answers import answer, show_request
    from .failures import told_as_json
    from .prompts import prompt_of, with_attachments
    from .schemas import read_schema

    with told_as_json(as_json):
        words = prompt_of(tuple(prompt or ()), needed=not (images or files))
        wanted = read_schema(schema) if schema else None
        request = Request(
            asked=asked,
            prompt=with_attachments(words, images=images or (), files=files or ()),
            options=GenerateOptions(
                system_prompt=system,
                max_tokens=max_tokens,
                temperature=temperature,
                timeout=asked.timeout,
                response_format=wanted,
            ),
            schema=wanted,
            stream=not no_stream and wanted is None,
            as_json=as_json,
        )
        if dry_run or curl:
            anyio.run(partial(show_request, request, curl=curl))
        else:
            anyio.run(partial(answer, request))
