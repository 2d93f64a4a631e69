"""Lets a model call typed Python functions until it has an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio

from ..core.checks import check_count
from ..core.messages import Message, Role, ToolResult
from ..core.refusals import ToolRoundsExceededError
from ..core.requests import messages_of
from ..decorators._base import Decorator
from .function_tools import FunctionTool

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Unpack

    from ..core.messages import Prompt, ToolCall
    from ..core.provider import LooseProvider, ProviderPort
    from ..core.requests import GenerateOptions
    from ..core.results import Generation


@dataclass(frozen=True, slots=True)
class ToolRun:
    """The last *generation*, all of them in order, and the whole conversation that it ends."""

    generation: Generation
    generations: tuple[Generation, ...]
    messages: tuple[Message, ...]


async def run_tools(
    provider: ProviderPort | LooseProvider,
    prompt: Prompt,
    functions: Sequence[Callable[..., Any]],
    /,
    *,
    max_rounds: int = 8,
    max_parallel: int = 8,
    **options: Unpack[GenerateOptions],
) -> ToolRun:
    """
    Ask, call the *functions* that the model wants called, and ask again, until there is an answer.

    Each time is a call of its own; `tool_choice` is for the first. Up to *max_parallel* functions
    run side by side, those that are not async in threads; one that is cancelled there runs on, and
    nobody waits for it. What a function raises is told to the model, and so are wrong arguments.

    Raises:
        ToolRoundsExceededError: Tools were called *max_rounds* times, and there is no answer;
            `partial` is the run so far.
        ConfigurationError: A function cannot be a tool.
        ProviderError: A call failed.
    """
    check_count("max_rounds", max_rounds, 1)
    check_count("max_parallel", max_parallel, 1)
    tools = [FunctionTool(function) for function in functions]
    known = {tool.tool.name: tool for tool in tools}
    options["tools"] = [tool.tool for tool in tools]
    node = Decorator(provider)
    messages = messages_of(prompt)
    generations: tuple[Generation, ...] = ()
    while True:
        answer = await node.generate(messages, **options)
        messages, generations = (*messages, answer.message), (*generations, answer)
        run = ToolRun(answer, generations, messages)
        if not answer.tool_calls:
            return run
        if len(generations) > max_rounds:
            msg = f"the model still wants tools called after {max_rounds} rounds"
            error = ToolRoundsExceededError(msg, provider=answer.provider, model=answer.model)
            error.sent, error.partial, error.journal = True, run, answer.metadata.journal
            raise error
        options["tool_choice"] = None
        messages += await _results(known, answer.tool_calls, max_parallel)


async def _results(
    known: dict[str, FunctionTool], calls: Sequence[ToolCall], most: int
) -> tuple[Message, ...]:
    """What comes of *calls*, in their order."""
    results: dict[int, ToolResult] = {}
    places = anyio.Semaphore(most)

    async def run(index: int, call: ToolCall) -> None:
        if tool := known.get(call.name):
            async with places:
                results[index] = await tool(call)
        else:
            told = f"there is no tool {call.name!r}, but {', '.join(known) or 'none at all'}"
            results[index] = ToolResult(call, told, error=True)

    async with anyio.create_task_group() as group:
        for index, call in enumerate(calls):
            group.start_soon(run, index, call)
    return tuple(Message(Role.TOOL, results[index]) for index in range(len(calls)))
