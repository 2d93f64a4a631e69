"""`fairlead generate`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..assembly import default_pipeline
from ..core.errors import ConfigurationError, StreamInterruptedError
from .choice import Choice, choose
from .failures import say

if TYPE_CHECKING:
    from ..core.requests import GenerateOptions
    from ..core.results import Generation
    from ..core.streams import GenerationStream
    from ..decorators.deadline import DeadlineProvider


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the person wants."""

    prompt: str
    options: GenerateOptions
    choice: Choice
    stream: bool
    as_json: bool


async def generate(request: Request) -> None:
    """
    Print the answer as it arrives.

    What has been received is kept when it is interrupted, and then the exit status says so.
    """
    prompt = request.prompt
    adapter, notice = await choose(request.choice)
    async with default_pipeline(adapter) as provider:
        if notice:
            say(notice)
        if request.stream:
            generation = await _streamed(provider, prompt, request)
        else:
            generation = await provider.generate(prompt, **request.options)
            if not request.as_json:
                print(generation, flush=True)
    if request.as_json:
        print_json(generation)
    for warning in generation.warnings:
        say(f"warning: {warning}")
    if not request.as_json:
        for call in generation.tool_calls:
            say(f"the model wants to call {call.name}({call.arguments})")
        if generation.refusal:
            say(f"the model refuses: {generation.refusal}")


def prompt_of(words: tuple[str, ...]) -> str:
    """
    The prompt that *words* make; `-`, or no words at all, stand for standard input.

    To be called where no event loop runs, so that Ctrl-C ends the wait for it.

    Raises:
        ConfigurationError: There is nothing to ask, or standard input is not text.
    """
    if not words:
        if sys.stdin.isatty():
            say("reading the prompt from standard input; end it with Ctrl-D")
        words = ("-",)
    pieces = [_standard_input() if word == "-" else word for word in words]
    separator = "\n\n" if "-" in words else " "
    prompt = separator.join(piece for piece in pieces if piece)
    if not prompt.strip():
        msg = 'the prompt is empty; try: fairlead generate "Why is the sky blue?"'
        raise ConfigurationError(msg)
    return prompt


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8").strip()
    except UnicodeDecodeError as error:
        msg = f"standard input is not UTF-8 text (at byte {error.start})"
        raise ConfigurationError(msg) from error


async def _streamed(provider: DeadlineProvider, prompt: str, request: Request) -> Generation:
    async with provider.generate_stream(prompt, **request.options) as stream:
        try:
            async for text in stream:
                if not request.as_json:
                    sys.stdout.write(text)
                    sys.stdout.flush()
        except StreamInterruptedError as error:
            _keep(error.partial, request)
            raise
        except BaseException:
            # Ctrl-C: what had arrived has been printed, or is now.
            _keep(_partial(stream), request)
            raise
        if not request.as_json:
            print(flush=True)
        return stream.generation


def _partial(stream: GenerationStream) -> Generation:
    stream.cancel()
    return stream.generation


def _keep(partial: Generation, request: Request) -> None:
    if request.as_json:
        print_json(partial)
    elif partial:
        print(flush=True)


def print_json(generation: Generation) -> None:
    """Everything that is known of *generation*, as one JSON object."""
    metadata = generation.metadata
    usage = asdict(metadata.usage) if metadata.usage else None
    told: dict[str, Any] = {
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
        "attempts": [
            {
                "outcome": attempt.outcome,
                "provider": attempt.provider,
                "model": attempt.model,
                "seconds": round(attempt.seconds, 3),
                "reason": attempt.reason,
            }
            for attempt in generation.attempts
        ],
    }
    print(json.dumps(told, ensure_ascii=False, indent=2), flush=True)
