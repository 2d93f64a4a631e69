"""
Makes a conversation fit a model's context window.

What is left out is left out whole: a call of a tool goes with its result, and what a model thought
goes with the turn that it thought it for. All is pure; `ContextFitProvider` applies it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from .checks import check_count, check_number
from .errors import ConfigurationError, ContextLengthExceededError
from .messages import Message, Role, Text, ToolResult
from .requests import GenerateRequest, messages_of
from .tokens import least_tokens, weight, weights

if TYPE_CHECKING:
    from .messages import File, Image, Part, Prompt
    from .models import ModelInfo
    from .ports import Tokenizer
    from .usage import Usage


class Strategy(StrEnum):
    """What may be done to a prompt that is too long. System messages and the last one stay."""

    SHORTEN_RESULTS = "shorten-results"
    """Long results of tools lose their middle, the oldest first, the last turn's only in need."""
    DROP_OLDEST = "drop-oldest"
    """Turns are left out, the oldest first; then rounds of tools within the last turn."""
    KEEP_LAST = "keep-last"
    """All turns but the last are left out at once; then all rounds of tools but its last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextOptions:
    """
    How a prompt is made to fit.

    Args:
        strategies: What is done, in this order, until it fits.
        room: Tokens that are kept for the answer to a call without `max_tokens`; by default the
            most that the model can answer, but no more than a quarter of its window.
        result_tokens: What is left of a result that is shortened, about.
        margin: By how much a prompt may be longer than it is counted, as counts are estimates.

    Raises:
        ConfigurationError: One makes no sense.
    """

    strategies: tuple[Strategy, ...] = (Strategy.SHORTEN_RESULTS, Strategy.DROP_OLDEST)
    room: int | None = None
    result_tokens: int = 500
    margin: float = 1.1

    def __post_init__(self) -> None:
        try:
            known = tuple(Strategy(strategy) for strategy in self.strategies)
        except (TypeError, ValueError):
            raise ConfigurationError(
                f"strategies must be some of {', '.join(Strategy)}, in a sequence, "
                f"not {self.strategies!r}"
            ) from None
        object.__setattr__(self, "strategies", known)
        if self.room is not None:
            check_count("room", self.room, 0)
        check_count("result_tokens", self.result_tokens, 1)
        check_number("margin", self.margin, "at least 1", lambda it: it >= 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """
    A request that fits, as far as can be known.

    Args:
        request: The request; the very one that was given if nothing had to be done.
        warning: What was left out, in words; None if nothing was.
        dropped: How many messages were left out.
        shortened: How many results of tools were shortened.
    """

    request: GenerateRequest
    warning: str | None = None
    dropped: int = 0
    shortened: int = 0

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation that is left, a prompt again."""
        return self.request.messages


_DEFAULT = ContextOptions()


def fit(
    prompt: Prompt | GenerateRequest,
    model: ModelInfo,
    *,
    max_tokens: int | None = None,
    options: ContextOptions = _DEFAULT,
    tokenizer: Tokenizer | None = None,
) -> Fitted:
    """
    *prompt*, cut if need be so that it fits the window of *model* together with the answer.

    A model whose window nobody told takes it as it is.

    Args:
        prompt: A conversation, or a whole request, whose tools are counted too.
        model: Whose window, output limit and family of tokenizers.
        max_tokens: What the answer may have; by default what the request says.
        options: How it is cut.
        tokenizer: Of the model's family, if there is one.

    Raises:
        ContextLengthExceededError: Even what has to stay does not fit; nothing was sent.
        TypeError, InvalidRequestError: The prompt is none.
    """
    if not isinstance(prompt, GenerateRequest):
        prompt = GenerateRequest(messages=messages_of(prompt), max_tokens=max_tokens)
    elif max_tokens is not None:
        prompt = replace(prompt, max_tokens=max_tokens)
    window = model.context_window
    if window is None:
        return Fitted(request=prompt)
    room = _room(prompt, model, window, options)
    cutting = _Cutting(prompt, model, options, tokenizer)
    limit = (window - room) / options.margin - 1  # one token is lost to rounding
    before = cutting.total
    if before <= limit:
        return Fitted(request=prompt)
    for step in cutting.steps():
        step()
        if cutting.total <= limit:
            return cutting.fitted(before, f"{model.name or 'the model'} ({window} tokens)")
    name = model.name or "the model"
    raise ContextLengthExceededError(
        f"the prompt has about {before:.0f} tokens, of which about {cutting.total:.0f} have to "
        f"stay; with {room} for the answer that is more than the window of {name}, {window}",
        limit=window,
        requested=round(before) + room,
        model=model.name,
        sent=False,
    )


def truncated_prompt(
    request: GenerateRequest,
    model: ModelInfo,
    usage: Usage | None,
    tokenizer: Tokenizer | None = None,
) -> str | None:
    """
    Why a server that says it consumed *usage* cannot have read all of *request*; None if it can.

    It read fewer tokens than the request has words; or it read as many as its window holds, and the
    request has more by our count. Whoever does not tell its input is believed.
    """
    read = None if usage is None else usage.input_tokens
    if read is None:
        return None
    least = least_tokens(request)
    if read < least:
        return f"it read {read} tokens of a prompt that has at least {least}"
    window = model.context_window
    if window is None or read < window:
        return None
    rest, each = weights(request, model.tokenizer, tokenizer)
    expected = round(rest + sum(each))
    if expected <= read:
        return None
    return f"it read {read} tokens, all that its window holds, of a prompt of about {expected}"


def _room(request: GenerateRequest, model: ModelInfo, window: int, options: ContextOptions) -> int:
    """Tokens for the answer."""
    if request.max_tokens is not None:
        return request.max_tokens
    if options.room is not None:
        return options.room
    quarter = window // 4
    return quarter if model.max_output_tokens is None else min(model.max_output_tokens, quarter)


class _Cutting:
    """A request while it is being cut."""

    def __init__(
        self,
        request: GenerateRequest,
        model: ModelInfo,
        options: ContextOptions,
        tokenizer: Tokenizer | None,
    ) -> None:
        self._request = request
        self._options = options
        self._scale = (model.tokenizer, tokenizer)
        rest, each = weights(request, *self._scale)
        self._kept = dict(enumerate(request.messages))
        self._weights = each
        self._turns = turns(request.messages)
        self._shortened = 0
        self.total = rest + sum(each)
        """Tokens that what is left is expected to have."""

    def fitted(self, before: float, window: str) -> Fitted:
        """What is left, with the words for it."""
        dropped = len(self._request.messages) - len(self._kept)
        results = f"the middle of {self._shortened} tool results" if self._shortened else ""
        messages = f"{dropped} of {len(self._request.messages)} messages" if dropped else ""
        left_out = " and ".join(part for part in (messages, results) if part)
        return Fitted(
            request=replace(self._request, messages=tuple(self._kept.values())),
            warning=(
                f"to fit the window of {window}, {left_out} were left out: about "
                f"{before - self.total:.0f} of {before:.0f} tokens"
            ),
            dropped=dropped,
            shortened=self._shortened,
        )

    def steps(self) -> Iterator[Callable[[], None]]:
        """What can be done, in order."""
        if not self._turns:  # system messages alone, which stay
            return
        last = self._turns[-1][-1]
        for strategy in self._options.strategies:
            if strategy is Strategy.SHORTEN_RESULTS:
                yield from self._shortening(range(last[0]))
            elif strategy is Strategy.DROP_OLDEST:
                yield from (partial(self._drop, [block]) for block in self._early())
                yield from (partial(self._drop, [block]) for block in self._turns[-1][1:-1])
            else:
                yield partial(self._drop, self._early())
                yield partial(self._drop, self._turns[-1][1:-1])
        if Strategy.SHORTEN_RESULTS in self._options.strategies:
            yield from self._shortening(last)

    def _early(self) -> list[list[int]]:
        """All turns but the last."""
        return [[index for block in turn for index in block] for turn in self._turns[:-1]]

    def _shortening(self, indices: Sequence[int]) -> Iterator[Callable[[], None]]:
        return (partial(self._shorten, index) for index in indices)

    def _drop(self, parts: Sequence[Sequence[int]]) -> None:
        for index in [index for part in parts for index in part]:
            if self._kept.pop(index, None) is not None:
                self.total -= self._weights[index]

    def _shorten(self, index: int) -> None:
        message = self._kept.get(index)
        if message is None:
            return
        parts = [self._shorter(part) for part in message.parts]
        shorter = Message(message.role, parts)
        now = weight(shorter, *self._scale)
        if now < self._weights[index]:
            pairs = zip(parts, message.parts, strict=True)
            self._shortened += sum(new is not old for new, old in pairs)
            self.total -= self._weights[index] - now
            self._weights[index], self._kept[index] = now, shorter

    def _shorter(self, part: Part) -> Part:
        if not isinstance(part, ToolResult):
            return part
        content = part.content
        if isinstance(content, str):
            short: str | tuple[Text | Image | File, ...] = self._without_middle(content)
        else:
            short = tuple(
                Text(self._without_middle(it.text)) if isinstance(it, Text) else it
                for it in content
            )
        return part if short == content else replace(part, content=short)

    def _without_middle(self, text: str) -> str:
        tokens = weight(Message(Role.USER, text), *self._scale)
        kept = int(len(text) * self._options.result_tokens / tokens)
        if kept >= len(text) - _MARK_LENGTH:
            return text
        tail = kept // 3
        mark = f"\n[{len(text) - kept:,} characters were left out here]\n"
        return text[: kept - tail] + mark + text[len(text) - tail :]


_MARK_LENGTH = 60
"""Characters that the note on what was left out has at most, nearly always."""


def turns(messages: Sequence[Message]) -> list[list[list[int]]]:
    """
    The turns of a conversation, each in blocks that must not be divided, by places of messages.

    A turn begins where a user speaks. A block is a message, or calls of tools with all messages up
    to the last of their results. System messages are in none of them.
    """
    found: list[list[list[int]]] = []
    for block in _blocks(messages):
        if not found or _begins(messages[block[0]]):
            found.append([])
        found[-1].append(block)
    return found


def _begins(message: Message) -> bool:
    answers = any(isinstance(part, ToolResult) for part in message.parts)
    return message.role is Role.USER and not answers


def _blocks(messages: Sequence[Message]) -> Iterator[list[int]]:
    reach = _reach(messages)
    block: list[int] = []
    end = -1
    for index, message in enumerate(messages):
        end = max(end, reach[index])
        if message.role is not Role.SYSTEM:
            block.append(index)
        if index >= end and block:
            yield block
            block = []


def _reach(messages: Sequence[Message]) -> list[int]:
    """How far what each message calls for goes: to the last message with a result of it."""
    reach = list(range(len(messages)))
    callers: dict[str, int] = {}
    for index, message in enumerate(messages):
        for part in message.parts:
            if isinstance(part, ToolResult) and part.call_id in callers:
                caller = callers[part.call_id]
                reach[caller] = max(reach[caller], index)
        for call in message.tool_calls:
            callers[call.id] = index
    return reach
