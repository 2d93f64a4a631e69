"""A provider that does what a test says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from copy import copy
from enum import Enum
from inspect import isawaitable
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast

from ..adapters.providers._local import LocalProvider
from ..adapters.providers._played import Pause, PlayedEvents, Step
from ..core.calls import Call, Operation
from ..core.errors import ProviderError
from ..core.events import (
    ReasoningDelta,
    RefusalDelta,
    StreamEnd,
    StreamEvent,
    StreamStart,
    TextDelta,
    ToolCallDelta,
)
from ..core.messages import PARTS, Part, Reasoning, Refusal, Text, ToolCall
from ..core.models import ModelInfo
from ..core.results import FinishReason, Generation

if TYPE_CHECKING:
    from ..core.embeddings import Embeddings
    from ..core.usage import Usage


__all__ = ["CUT", "Answer", "Line", "Pause", "ScriptExhaustedError", "ScriptedProvider", "Vector"]


class _Cut(Enum):
    CUT = "cut"


CUT: Final = _Cut.CUT
"""Ends a stream without the format's own end, as a lost connection does."""

Vector: TypeAlias = Sequence[float]
Line: TypeAlias = (
    str | Part | StreamEvent | Pause | Exception | type[Exception] | Literal[_Cut.CUT] | Vector
)
Answer: TypeAlias = Line | Sequence[Line] | Callable[[Call[Any]], Any]


class ScriptExhaustedError(AssertionError):
    """A call was made for which the script has no answer."""


class ScriptedProvider(LocalProvider):
    """
    Plays a script: one answer per call, in the order of the calls.

    ::

        provider = RetryProvider(ScriptedProvider([ServerError, ["Hel", "lo"]]))
        assert await provider.generate("Hi") == "Hello"

    An answer is one line or a list of them, and a line is

    - a `str`, or a part of a message such as a `ToolCall`: a piece of the answer;
    - a `Generation`: a whole answer with its usage and finish reason;
    - an exception, or its class: raised there, be that before or after the first piece;
    - `Pause(seconds)`: silence, by the loop's clock; `Pause()` never ends;
    - `CUT`: the stream stops without its end;
    - a stream event, for what the others cannot say;
    - a list of numbers: a vector; a call for vectors needs one for each text.

    An answer may also be a function of the `Call` that returns one, sync or async. What is missing
    at the end of an answer is supplied: `StreamEnd`, with *usage*.

    Args:
        script: The answers. One that is no list is given to every call.
        name: The provider's name.
        model: The model's name, or all that is known of it; one without an `embedding_model` has
            no vectors.
        usage: What answers that do not say so themselves have consumed.

    Raises:
        ScriptExhaustedError: From a call: the script is over.
        TypeError: From a call: the script's answer is none to such a call.
    """

    def __init__(
        self,
        script: Answer | Iterable[Answer],
        *,
        name: str = "scripted",
        model: str | ModelInfo = "scripted",
        usage: Usage | None = None,
    ) -> None:
        self.calls: list[Call[Any]] = []
        """The calls that were made, in their order."""
        self.open_streams: int = 0
        """How many streams are open: neither read to their end, nor failed, nor closed."""
        answers: Any = script
        counted = type(answers) in {list, tuple}
        self.left: int | None = len(cast("list[object]", answers)) if counted else None
        """How many answers have not been given yet; None if nobody knows."""
        self._script = _one_by_one(answers)
        self._name = name
        self._model = (
            model
            if isinstance(model, ModelInfo)
            else ModelInfo(name=model, embedding_model=f"{model}-embedding")
        )
        self._usage = usage

    @property
    def name(self) -> str:
        """As it was given."""
        return self._name

    @property
    def model(self) -> ModelInfo:
        """As it was given."""
        return self._model

    async def _answer(self, call: Call[Any]) -> PlayedEvents:
        steps = _steps(await self._next(call), self._usage)
        if call.operation is not Operation.STREAM:
            return PlayedEvents(steps, deadline=call.deadline)
        self.open_streams += 1
        return PlayedEvents(steps, deadline=call.deadline, closed=self._closed)

    async def _embed(self, call: Call[Any]) -> Embeddings:
        if not self._can_embed(self._model_for(call)):
            raise self._no_embeddings()
        vectors: list[Vector] = []
        for line in _lines(await self._next(call)):
            if isinstance(line, Pause):
                await self._wait(line.seconds, call)
            elif (error := _error(line)) is not None:
                raise error
            elif _is_vector(line):
                vectors.append(line)
            else:
                msg = f"the script's answer to an {call.operation} call is no vector: {line!r}"
                raise TypeError(msg)
        if len(vectors) != (texts := len(call.embedding.texts)):
            msg = f"the script has {len(vectors)} vectors for {texts} texts"
            raise TypeError(msg)
        return self._embeddings(call, vectors, usage=self._usage)

    async def _next(self, call: Call[Any]) -> Answer:
        self.calls.append(call)
        try:
            answer = next(self._script)
        except StopIteration:
            msg = f"the script is over; call number {len(self.calls)} was {call.operation}"
            raise ScriptExhaustedError(msg) from None
        if self.left is not None:
            self.left -= 1
        while callable(answer) and not isinstance(answer, type):
            given = answer(call)
            answer = await cast("Awaitable[Answer]", given) if isawaitable(given) else given
        return cast("Answer", answer)

    def _closed(self) -> None:
        self.open_streams -= 1


def _one_by_one(script: Any) -> Iterator[Any]:
    if isinstance(script, (list, tuple, Iterator)):
        return iter(cast("Iterable[Any]", script))
    return repeat(script)


def _lines(answer: Any) -> Sequence[Any]:
    is_list = isinstance(answer, (list, tuple)) and not _is_vector(answer)
    return cast("Sequence[Any]", answer) if is_list else [answer]


def _is_vector(line: Any) -> bool:
    if isinstance(line, str) or not isinstance(line, Sequence):
        return False
    numbers = cast("Sequence[object]", line)
    return bool(numbers) and all(isinstance(number, (int, float)) for number in numbers)


def _error(line: Any) -> Exception | None:
    """The error that *line* raises; a copy, as calls write on their errors."""
    if isinstance(line, type) and issubclass(line, Exception):
        return line(f"as scripted: {line.__name__}")
    error = copy(line) if isinstance(line, Exception) else None
    if isinstance(error, ProviderError):
        error.journal = None
    return error


def _steps(answer: Answer, usage: Usage | None) -> Iterator[Step]:
    """The events of *answer*."""
    index = 0
    for line in _lines(answer):
        if line is CUT:
            return
        if isinstance(line, Generation):
            yield from _replayed(line)
            return
        if isinstance(line, (str, *PARTS)):
            yield _delta(Text(line) if isinstance(line, str) else line, index)
            index += isinstance(line, ToolCall)
        elif (error := _error(line)) is not None:
            yield error
            return
        elif isinstance(line, (Pause, *_EVENTS)):
            yield line
            if isinstance(line, StreamEnd):
                return
        else:
            msg = f"a script cannot say {line!r} in answer to a prompt"
            raise TypeError(msg)
    yield StreamEnd(FinishReason.TOOL_CALLS if index else FinishReason.STOP, usage=usage)


_EVENTS = (StreamStart, TextDelta, ReasoningDelta, RefusalDelta, ToolCallDelta, StreamEnd)


def _replayed(generation: Generation) -> Iterator[Step]:
    """The events that tell *generation*."""
    metadata = generation.metadata
    yield StreamStart(metadata.response_id, metadata.model)
    for index, part in enumerate(generation.message.parts):
        yield _delta(part, index)
    yield StreamEnd(
        metadata.finish_reason or FinishReason.STOP,
        metadata.finish_reason_raw,
        metadata.usage,
        metadata.cost,
        metadata.warnings,
        metadata.logprobs,
        metadata.details,
    )


def _delta(part: Part, index: int) -> StreamEvent:
    match part:
        case Text(text):
            return TextDelta(text)
        case Reasoning(text, opaque, origin):
            return ReasoningDelta(text, opaque, origin)
        case Refusal(text):
            return RefusalDelta(text)
        case ToolCall(id, name, arguments, opaque, origin):
            return ToolCallDelta(index, id, name, arguments, opaque, origin)
        case _:
            msg = f"a script cannot say {part!r} in answer to a prompt"
            raise TypeError(msg)
