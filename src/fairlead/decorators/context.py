"""Makes conversations fit the windows of those who are asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, cast, get_args

from ..core.bounds import bounds_of
from ..core.checks import check_kind
from ..core.context import ContextOptions, Fitted, fit, truncated_prompt
from ..core.errors import (
    ConfigurationError,
    ContextLengthExceededError,
    PromptTruncatedError,
)
from ..core.events import StreamEnd
from ..core.models import ModelInfo
from ..core.plans import Plan, Target, obstacle
from ..core.streams import GenerationStream
from ._base import Decorator

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..core.bounds import Bounds
    from ..core.calls import Call, Operation, T
    from ..core.events import StreamEvent
    from ..core.ports import Tokenizer, Tokenizers
    from ..core.provider import LooseProvider, ProviderPort
    from ..core.requests import GenerateRequest
    from ..core.results import Generation, Metadata
    from ..core.usage import Usage

Truncation: TypeAlias = Literal["warn", "raise", "ignore"]
"""What is done where a server can be shown to have cut a prompt by itself."""


class ContextFitProvider(Decorator):
    """
    Cuts a conversation that is too long for a model's window, and says so on the answer.

    Each target is asked what fits its own window, so that one with a small window does not take
    from the others. Targets whose window nobody told are asked as the caller asked.

    A server that cuts prompts silently is found out by the input that it tells: fewer tokens than
    the prompt has words cannot be all of it.

    Args:
        inner: What is asked.
        options: How a prompt is cut.
        truncation: Where a server has cut it: `"warn"` on the answer, `"raise"`, or `"ignore"`.
        tokenizers: What counts exactly, where that of a model's family is there.

    Raises:
        ContextLengthExceededError: From a call, with `limit` and `requested`: what has to stay
            fits no target that could be asked; nothing was sent.
        PromptTruncatedError: From a call, with `truncation="raise"`; a stream, which has been
            shown by then, ends in a `StreamInterruptedError`.
    """

    layer = "context"
    OPTIONS: ClassVar[Mapping[str, Any]] = {"options": ContextOptions(), "truncation": "warn"}

    def __init__(
        self,
        inner: ProviderPort | LooseProvider,
        /,
        *,
        options: ContextOptions | None = None,
        truncation: Truncation = "warn",
        tokenizers: Tokenizers | None = None,
    ) -> None:
        check_kind("options", options, ContextOptions)
        if truncation not in get_args(Truncation):
            raise ConfigurationError(
                f"truncation must be one of {', '.join(get_args(Truncation))}, not {truncation!r}"
            )
        super().__init__(inner)
        self._options = options or ContextOptions()
        self._truncation = truncation
        self._tokenizers: Tokenizers = {} if tokenizers is None else tokenizers

    def bounds(self, operation: Operation) -> Bounds:
        """That of what it wraps."""
        return bounds_of(self._inner, operation)

    def plan(self, call: Call[Any]) -> Plan:
        """The inner plan, each target asked what fits it."""
        return super().plan(call) if call.embeds else self._planned(call).plan

    async def handle(self, call: Call[T]) -> T:
        """Make *call*, cut to fit."""
        if call.embeds:
            return await call.on(self._inner)
        planned = self._planned(call)
        if planned.too_long is not None:
            raise call.refused(planned.too_long)
        fitted = call
        if planned.cut:
            fitted = call.with_(request=planned.request, plan=planned.plan)
        result = await fitted.on(self._inner)
        answer = cast("Generation | GenerationStream", result)
        who = planned.answered_by(answer.metadata)
        if who.fitted.warning is not None:
            result = cast("Any", result).warned(who.fitted.warning)
        if self._truncation == "ignore" or answer.metadata.cached:
            return result
        reading = _Reading(call, who, raises=self._truncation == "raise")
        if isinstance(answer, GenerationStream):
            answer.transform(reading)
            return result
        warning = reading.warning(answer.usage, answer)
        return result if warning is None else cast("Any", result).warned(warning)

    def _planned(self, call: Call[Any]) -> _Planned:
        planned = _Planned(call)
        inner = call.plan or self._inner.plan(call)

        def asked(target: Target) -> Target:
            request = cast("GenerateRequest", target.request or call.request)
            tokenizer = self._tokenizer(target)
            try:
                fitted = fit(request, target.model, options=self._options, tokenizer=tokenizer)
            except ContextLengthExceededError as error:
                error.provider = target.provider
                planned.refuse(error)
                return replace(target, cannot=target.cannot or error.message)
            cannot = target.cannot
            if cannot is not None and cannot == obstacle(request, target.model):
                cannot = obstacle(fitted.request, target.model)
            told = replace(target, request=fitted.request, cannot=cannot)
            planned.add(_Asked(told, fitted, tokenizer))
            return told

        planned.plan = inner.map(asked)
        if not planned.cut and planned.too_long is None:
            planned.plan = inner
        return planned

    def _tokenizer(self, target: Target) -> Tokenizer | None:
        family = target.model.tokenizer
        return None if family is None else self._tokenizers.get(family)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A target, and what it is asked."""

    target: Target
    fitted: Fitted
    tokenizer: Tokenizer | None = None

    def resembles(self, metadata: Metadata) -> int:
        """How well it goes with an answer: a vendor's name of a model may be longer than ours."""
        if self.target.provider != metadata.provider:
            return 0
        ours, theirs = self.target.model.name, metadata.model
        return 1 + len(ours) if ours and theirs and theirs.startswith(ours) else 1


class _Planned:
    """What becomes of one call."""

    def __init__(self, call: Call[Any]) -> None:
        self._call = call
        self._able: list[_Asked] = []
        self._refusals: list[ContextLengthExceededError] = []
        self._asked: list[_Asked] = []
        self.plan: Plan = Plan(())

    def add(self, asked: _Asked) -> None:
        """A target whose window holds it."""
        self._asked.append(asked)
        if asked.target.cannot is None:
            self._able.append(asked)

    def refuse(self, error: ContextLengthExceededError) -> None:
        """A target whose window does not."""
        self._refusals.append(error)

    @property
    def too_long(self) -> ContextLengthExceededError | None:
        """The error of a call that nobody can take; that of the largest window."""
        if self._able or not self._refusals:
            return None
        return max(self._refusals, key=lambda error: error.limit or 0)

    @property
    def cut(self) -> bool:
        """Whether anybody is to be asked less than the caller asked."""
        return bool(self._refusals) or any(it.fitted.warning is not None for it in self._asked)

    @property
    def request(self) -> GenerateRequest:
        """What the first that can take it is asked."""
        return self._able[0].fitted.request if self._able else self._call.generation

    def answered_by(self, metadata: Metadata) -> _Asked:
        """Who has given an answer with such *metadata*, and what that was asked."""
        if not self._able:
            unknown = Target(provider=metadata.provider, model=ModelInfo(name=metadata.model))
            return _Asked(unknown, Fitted(request=self.request))
        return max(self._able, key=lambda asked: asked.resembles(metadata))


@dataclass(frozen=True, slots=True)
class _Reading:
    """Finds out whether a server has read all of what it was asked."""

    call: Call[Any]
    who: _Asked
    raises: bool

    def warning(self, usage: Usage | None, answer: Generation | None = None) -> str | None:
        """That it has not; None if it has, as far as is known. Raises instead if it is to."""
        target = self.who.target
        reason = truncated_prompt(self.who.fitted.request, target.model, usage, self.who.tokenizer)
        if reason is None:
            return None
        told = f"{target.label} cut the prompt: {reason}"
        if not self.raises:
            return told
        error = PromptTruncatedError(
            told, provider=target.provider, model=target.model.name, sent=True
        )
        error.partial, error.journal = answer, self.call.journal
        raise error

    def feed(self, event: StreamEvent) -> Iterable[StreamEvent]:
        """*event*, with the warning if it is the end."""
        if isinstance(event, StreamEnd) and (warning := self.warning(event.usage)) is not None:
            return (replace(event, warnings=(*event.warnings, warning)),)
        return (event,)
