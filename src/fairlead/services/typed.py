"""Answers as pydantic models, asked for again while they are none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

from ..core.bounds import bounds_of
from ..core.calls import Call, Operation
from ..core.checks import check_count
from ..core.errors import ResponseParseError
from ..core.journal import Attempt, Outcome
from ..core.messages import Message
from ..decorators._base import Decorator
from .parsing import parse_as

if TYPE_CHECKING:
    from typing import Unpack

    from pydantic import BaseModel

    from ..core.messages import Prompt
    from ..core.provider import LooseProvider, ProviderPort
    from ..core.requests import GenerateOptions
    from ..core.results import Generation

M = TypeVar("M", bound="BaseModel")
_REASK = "That is not valid: {}. Answer again, with nothing but JSON that fits the schema."


@dataclass(frozen=True, slots=True)
class TypedAnswer(Generic[M]):
    """A *value*, and the generation that it was read from, whose `attempts` are those of all."""

    value: M
    generation: Generation


async def generate_as(
    provider: ProviderPort | LooseProvider,
    kind: type[M],
    prompt: Prompt,
    /,
    *,
    max_reasks: int = 2,
    **options: Unpack[GenerateOptions],
) -> M:
    """As `answer_as`, the value alone."""
    return (await answer_as(provider, kind, prompt, max_reasks=max_reasks, **options)).value


async def answer_as(
    provider: ProviderPort | LooseProvider,
    kind: type[M],
    prompt: Prompt,
    /,
    *,
    max_reasks: int = 2,
    **options: Unpack[GenerateOptions],
) -> TypedAnswer[M]:
    """
    The answer to *prompt* as a pydantic model, *kind*, whose schema is the `response_format`.

    An answer that is none is given back with what is wrong with it, up to *max_reasks* times, as
    part of the same call: by its deadline, and with as many attempts as one call has at worst (or
    one each time). In the journal a note follows the attempt that was of no use.

    Raises:
        ResponseParseError: No answer was one; `partial` is the last.
        ProviderError: A call failed.
    """
    check_count("max_reasks", max_reasks, 0)
    node = Decorator(provider)
    options["response_format"] = kind
    call = Call.generate(prompt, options, node.clock(), node.scope)
    worst = bounds_of(node, Operation.GENERATE).attempts
    if worst is not None:
        call = call.with_(attempt_limit=max(worst, 1 + max_reasks))
    while True:
        answer = await call.on(node)
        try:
            return TypedAnswer(parse_as(kind, answer), answer)
        except ResponseParseError as error:
            error.provider, error.model, error.sent = answer.provider, answer.model, True
            error.partial, error.journal = answer, call.journal
            note = Attempt(outcome=Outcome.NOTED, provider=answer.provider, model=answer.model)
            call.journal.record(replace(note, error=type(error).__name__, reason=error.message))
            refused = answer.refusal is not None and not answer
            if (
                refused
                or not max_reasks
                or not call.attempts_left
                or call.deadline.remaining() == 0
            ):
                raise
            again = Message.user(_REASK.format(error.message))
            asked = (*call.generation.messages, answer.message, again)
            call = call.with_(request=replace(call.generation, messages=asked))
            max_reasks -= 1
