"""What the offline provider says."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import takewhile
from random import Random
from typing import TYPE_CHECKING

from ....core.errors import UnsupportedOperationError
from ....core.events import StreamEnd, StreamStart, TextDelta, ToolCallDelta
from ....core.messages import Media, Message, Role, ToolResult
from ....core.results import FinishReason
from ....core.tokens import estimate
from ....core.usage import Usage
from .._local import FREE
from .._played import Pause
from .schema import instance

if TYPE_CHECKING:
    from ....core.messages import Tool
    from ....core.requests import GenerateRequest
    from .._played import Step

MAX_QUOTED = 300
"""Characters of a prompt that an answer repeats."""

_WORDS = re.compile(r"\S+\s*|\s+")


def answer(request: GenerateRequest, *, model: str, seed: int, delay: float) -> Iterator[Step]:
    """
    The answer to *request*, word by word, with a pause of *delay* seconds before each.

    Raises:
        UnsupportedOperationError: While iterating: no instance of a schema could be made.
    """
    yield StreamStart(model=model)
    asked = "\n".join([str(seed), model, *map(_transcript, request.messages)])
    digest = sha256(asked.encode("utf-8", "surrogatepass"))
    random = Random(digest.digest())  # noqa: S311 - it has to be the same every time
    tool = _forced_tool(request)
    if tool is not None:
        text, reason = _json(instance(tool.parameters, random)), FinishReason.TOOL_CALLS
    elif request.response_format is not None:
        text, reason = _formatted(request, random), FinishReason.STOP
    else:
        text, reason = _words(request, model, seed), FinishReason.STOP
    if tool is None:
        text = _stopped(text, request.stop_sequences)
    kept = _limited(text, request.max_tokens)
    if len(kept) < len(text):
        reason = FinishReason.LENGTH
    if tool is not None:
        yield ToolCallDelta(0, id=f"call_{digest.hexdigest()[:24]}", name=tool.name)
    for word in _WORDS.findall(kept):
        yield Pause(delay)
        yield TextDelta(word) if tool is None else ToolCallDelta(0, arguments=word)
    usage = Usage(
        input_tokens=estimate(request.messages), output_tokens=estimate(kept), estimated=True
    )
    yield StreamEnd(reason, usage=usage, cost=FREE)


def _transcript(message: Message) -> str:
    results = [part.text for part in message.parts if isinstance(part, ToolResult)]
    return "\n".join([message.role, message.text, *results])


def _forced_tool(request: GenerateRequest) -> Tool | None:
    if request.tool_choice in {None, "auto", "none"}:
        return None
    named = [tool for tool in request.tools if tool.name == request.tool_choice]
    return (named or list(request.tools))[0]


def _formatted(request: GenerateRequest, random: Random) -> str:
    text = _json(instance(request.schema or {}, random))
    if isinstance(request.response_format, type):
        try:
            request.response_format.model_validate_json(text)
        except ValueError as error:
            msg = (
                "the offline provider cannot tell from its JSON schema what "
                f"{request.response_format.__name__} accepts"
            )
            raise UnsupportedOperationError(msg) from error
    return text


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _words(request: GenerateRequest, model: str, seed: int) -> str:
    place = "" if model == "offline" else f", in place of {model}"
    luck = f" (seed {seed})" if seed else ""
    said = [f"This is fairlead's offline provider{place}: no model was asked{luck}."]
    results = _latest_results(request.messages)
    said += [
        f"The tool {result.tool or result.call_id} {'failed' if result.error else 'answered'}: "
        f"“{_quoted(result.text)}”."
        for result in results
    ]
    last = request.messages[-1]
    if not results and (quoted := _quoted(last.text)):
        said.append(f"The prompt was: “{quoted}”.")
    attached = [type(part).__name__.lower() for part in last.parts if isinstance(part, Media)]
    if attached:
        said.append(f"It came with: {', '.join(attached)}.")
    if request.tools and not results:
        said.append(f"Not called: {', '.join(tool.name for tool in request.tools)}.")
    return " ".join(said)


def _latest_results(messages: Sequence[Message]) -> list[ToolResult]:
    """What tools have answered since anybody else spoke, oldest first."""
    latest = list(takewhile(lambda message: message.role is Role.TOOL, reversed(messages)))
    return [
        part
        for message in reversed(latest)
        for part in message.parts
        if isinstance(part, ToolResult)
    ]


def _quoted(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= MAX_QUOTED else plain[:MAX_QUOTED].rstrip() + "…"


def _stopped(text: str, sequences: Sequence[str]) -> str:
    return text[: min((at for one in sequences if (at := text.find(one)) >= 0), default=None)]


def _limited(text: str, max_tokens: int | None) -> str:
    """As much of *text* as is estimated to have *max_tokens*."""
    if max_tokens is None:
        return text
    lengths = range(len(text) + 1)
    return text[: bisect_right(lengths, max_tokens, key=lambda n: estimate(text[:n])) - 1]
