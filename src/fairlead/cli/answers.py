"""Asks what a person wants to know, and prints the answer."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..core.errors import FairleadError
from ..core.events import StreamEnd, TextDelta
from ..core.results import FinishReason
from ..settings import load
from .choice import opened, tell_unbooked
from .dry_run import NotSentError, RecordingEngine, as_curl, as_json, as_text
from .failures import plainly, say, warn
from .output import print_json
from .schemas import validated
from .sections import key_variable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..core.events import StreamEvent
    from ..core.journal import Attempt
    from ..core.results import Generation
    from ..core.streams import GenerationStream
    from ..facade import Provider
    from .generate import Request


async def answer(request: Request) -> None:
    """
    Print the answer as it arrives; one that has to fit a schema, when it has been found to.

    What has been received is kept when it is interrupted, and then the exit status says so.
    """
    async with await opened(request.asked) as provider:
        if request.stream:
            generation = await _streamed(provider, request)
        else:
            generation = await provider.generate(request.prompt, **request.options)
    tell_unbooked(provider)
    value = _validated(generation, request.schema) if request.schema is not None else None
    if request.as_json:
        print_generation(generation, value)
    elif request.schema is not None:
        print_json(value)
    elif not request.stream:
        print(generation, flush=True)
    tell(generation, warnings_alone=request.as_json)


def tell(generation: Generation, *, warnings_alone: bool = False) -> None:
    """Tell of *generation* what its words do not say."""
    warn(*generation.warnings)
    if is_empty(generation):
        say("the answer is empty")
    if not warnings_alone:
        for call in generation.tool_calls:
            say(f"the model wants to call {call.name}({call.arguments})")
        if generation.refusal:
            say(f"the model refuses: {generation.refusal}")


def is_empty(generation: Generation) -> bool:
    """Whether it is nothing at all, although the model says that it is whole."""
    said = generation or generation.tool_calls or generation.refusal
    return not said and generation.finish_reason is FinishReason.STOP


async def show_request(request: Request, *, curl: bool) -> None:
    """Print what would be sent first."""
    provider = await opened(request.asked, engine=RecordingEngine(), quiet=True)
    async with provider:
        try:
            if request.stream:
                await provider.generate_stream(request.prompt, **request.options).collect()
            else:
                await provider.generate(request.prompt, **request.options)
        except NotSentError as shown:
            warn(*shown.request.warnings)
            if curl:
                asked = request.asked
                raw = load(file=asked.config, env_file=asked.env_file)
                key = asked.api_key_env or key_variable(raw, provider.name)
                print(as_curl(shown.request, key=key))
            elif request.as_json:
                print_json(as_json(shown.request))
            else:
                print(as_text(shown.request))
        else:
            say(f"{provider.name} answers by itself, so there is no request")


def _validated(generation: Generation, schema: dict[str, Any]) -> Any:
    try:
        return validated(generation, schema)
    except Exception:
        # It has been paid for, and may be of use to a person if not to a program.
        print(generation, file=sys.stderr, flush=True)
        raise


async def _streamed(provider: Provider, request: Request) -> Generation:
    async with provider.generate_stream(request.prompt, **request.options) as stream:
        try:
            if request.as_json:
                await stream.collect()
            else:
                async for event in stream.events():
                    print_event(event)
        except BaseException as error:
            # Also Ctrl-C: what had arrived has been printed, or is now; as JSON with the error.
            if not (request.as_json and isinstance(error, FairleadError)):
                _keep(_partial(stream), request)
            raise
        return stream.generation


def print_event(event: StreamEvent) -> None:
    """Print the words in *event*; at the end of an answer, that of the line."""
    if isinstance(event, TextDelta):
        sys.stdout.write(event.text)
        sys.stdout.flush()
    elif isinstance(event, StreamEnd):
        print(flush=True)


def _partial(stream: GenerationStream) -> Generation:
    stream.cancel()
    return stream.generation


def _keep(partial: Generation, request: Request) -> None:
    if request.as_json:
        print_generation(partial)
    elif partial:
        print(flush=True)


def print_generation(generation: Generation, value: Any = None) -> None:
    """Everything that is known of *generation*, as one JSON object."""
    told = generation_as_json(generation)
    print_json(told if value is None else {**told, "parsed": value})


def generation_as_json(generation: Generation) -> dict[str, Any]:
    """Everything that is known of *generation*, for programs."""
    metadata = generation.metadata
    usage = asdict(metadata.usage) if metadata.usage else None
    if usage and usage["total_tokens"] is None:
        both = (usage["input_tokens"], usage["output_tokens"])
        usage["total_tokens"] = None if None in both else sum(both)
    return {
        "text": str(generation),
        "provider": metadata.provider,
        "model": metadata.model,
        "finish_reason": metadata.finish_reason,
        "usage": usage and {name: usage[name] for name in usage if name != "raw"},
        "cost": str(metadata.cost.amount) if metadata.cost else None,
        "reasoning": generation.reasoning or None,
        "refusal": generation.refusal,
        "tool_calls": [
            {"id": call.id, "name": call.name, "arguments": call.arguments}
            for call in generation.tool_calls
        ],
        "warnings": list(generation.warnings),
        "request_id": generation.request_id,
        "response_id": metadata.response_id,
        "attempts": attempts_as_json(generation.attempts),
    }


def attempts_as_json(attempts: Iterable[Attempt]) -> list[dict[str, Any]]:
    """What was done for a call, for programs."""
    return [
        {
            "outcome": attempt.outcome,
            "provider": attempt.provider,
            "model": attempt.model,
            "seconds": round(attempt.seconds, 3),
            "reason": attempt.reason and plainly(attempt.reason),
        }
        for attempt in attempts
    ]
