"""
The funnel.

Every awaitable operation, opening a stream included, is one immutable `Call`. A decorator is one
method, `handle(call)`; `call.on(provider)` sends the call on, any number of times.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    Protocol,
    Self,
    TypeAlias,
    TypeVar,
    cast,
    runtime_checkable,
)

from .journal import Attempt, Journal, Outcome
from .requests import CallOptions, EmbedRequest, GenerateRequest, embed_request, generate_request
from .tags import with_current

if TYPE_CHECKING:
    from types import TracebackType

    from .embeddings import Embedding, Embeddings
    from .errors import ProviderError
    from .messages import Prompt
    from .plans import Plan
    from .results import Generation

T = TypeVar("T")
P = TypeVar("P")
E = TypeVar("E", bound="ProviderError")

_OURS = "fairlead."
"""Where the classes live whose answers need no check."""

Clock = Callable[[], float]
"""Seconds, from any start, never going back: the running loop's clock."""


class Scope(Protocol):
    """
    Ends what runs inside it when its time is over, or when it is cancelled from any task.

    It swallows its own cancellation and nobody else's; `anyio.CancelScope` is one.
    """

    def __enter__(self) -> object: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> bool | None: ...
    def cancel(self) -> None: ...


Scopes: TypeAlias = Callable[[float | None], Scope]
"""Makes a scope for so many seconds; None is no end."""


class Unlimited:
    """The scope where no event loop is known: it ends nothing."""

    def __init__(self, seconds: float | None) -> None: ...
    def __enter__(self) -> None: ...
    def __exit__(self, *raised: object) -> bool | None: ...
    def cancel(self) -> None:
        """Nothing can be cancelled."""


class Operation(StrEnum):
    """What a call asks for."""

    GENERATE = "generate"
    STREAM = "generate_stream"
    EMBED = "embed"
    EMBED_BATCH = "embed_batch"


class Deadline:
    """
    When a call has to be over. It is asked and never copied, so that it may be set later.

    Args:
        clock: The clock that it is measured by.
        seconds: From now; None is never.
        whole: The deadline of what this is a part of, which comes no later.
    """

    __slots__ = ("_at", "_clock", "_whole")

    def __init__(
        self, clock: Clock, seconds: float | None = None, whole: Deadline | None = None
    ) -> None:
        self._clock = clock
        self._at = None if seconds is None else clock() + seconds
        self._whole = whole

    def remaining(self) -> float | None:
        """Seconds left, at least 0; None if there is no end."""
        whole = None if self._whole is None else self._whole.remaining()
        if self._at is None:
            return whole
        own = max(self._at - self._clock(), 0.0)
        return own if whole is None or own < whole else whole

    def within(self, seconds: float) -> Deadline:
        """The deadline of a part that has *seconds* from now, if so much is left."""
        return Deadline(self._clock, seconds, self)

    def tighten(self, seconds: float | None) -> None:
        """Let it come no later than *seconds* from now."""
        if seconds is not None:
            at = self._clock() + seconds
            self._at = at if self._at is None else min(self._at, at)


def _always() -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Call(Generic[T]):
    """One operation, ready to be made on any provider any number of times."""

    operation: Operation
    request: GenerateRequest | EmbedRequest
    options: CallOptions
    deadline: Deadline
    clock: Clock
    scope: Scopes = Unlimited
    """Makes what ends an attempt that takes too long, and wakes a reader that waits."""
    began: float
    """When it began, by that clock."""
    journal: Journal = field(default_factory=Journal)
    plan: Plan | None = None
    """Which targets may answer, where a policy has asked."""
    attempt_limit: int | None = None
    """How often providers may be asked in all, counted by the journal."""
    holds: Callable[[], bool] = _always
    """Whether what was chosen for it still stands; who lets it wait asks before it goes on."""
    given: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The caller's own options, for objects that are no handlers; so is `prompt`."""
    prompt: Any = None

    @classmethod
    def generate(
        cls, prompt: Prompt, given: Mapping[str, Any], clock: Clock, scope: Scopes = Unlimited
    ) -> Call[Generation]:
        """Raises as `generate_request` does; so do the other constructors."""
        request, options = generate_request(prompt, given)
        return Call.start(
            Operation.GENERATE, request, options, clock, scope, given=given, prompt=prompt
        )

    @classmethod
    def embed(
        cls, text: str, given: Mapping[str, Any], clock: Clock, scope: Scopes = Unlimited
    ) -> Call[Embedding]:
        """One vector."""
        if not isinstance(text, str):
            msg = f"embed() takes one str, not {type(text).__name__}; for many use embed_batch()"
            raise TypeError(msg)
        request, options = embed_request((text,), given)
        return Call.start(Operation.EMBED, request, options, clock, scope, given=given, prompt=text)

    @classmethod
    def embed_batch(
        cls,
        texts: Sequence[str],
        given: Mapping[str, Any],
        clock: Clock,
        scope: Scopes = Unlimited,
    ) -> Call[Embeddings]:
        """Many vectors."""
        request, options = embed_request(texts, given)
        return Call.start(
            Operation.EMBED_BATCH, request, options, clock, scope, given=given, prompt=texts
        )

    @staticmethod
    def start(
        operation: Operation,
        request: GenerateRequest | EmbedRequest,
        options: CallOptions,
        clock: Clock,
        scope: Scopes = Unlimited,
        *,
        given: Mapping[str, Any],
        prompt: Any,
    ) -> Call[Any]:
        """A call whose time begins now, with the tags of the context besides its own."""
        tags = with_current(options.tags)
        if tags is not options.tags:
            options = replace(options, tags=tags)
        call: Call[Any] = object.__new__(_CALL)
        # The constructor that `dataclass` makes sets them one by one, at twice the cost.
        values = {
            "operation": operation,
            "request": request,
            "options": options,
            "deadline": Deadline(clock, options.timeout),
            "clock": clock,
            "scope": scope,
            "began": clock(),
            "journal": Journal(),
            "plan": None,
            "attempt_limit": None,
            "holds": _always,
            "given": given,
            "prompt": prompt,
        }
        object.__setattr__(call, "__dict__", values)
        return call

    def now(self) -> float:
        """The loop's time; where no loop runs any more, as in a finaliser, when it began."""
        try:
            return self.clock()
        except RuntimeError:
            return self.began

    def with_(self, **changes: Any) -> Self:
        """The same call, changed; journal and deadline stay shared unless they are changed."""
        known = self.__dict__
        values = known | changes
        if len(values) > len(known):
            msg = f"a Call has no {', '.join(sorted(values.keys() - known.keys()))}"
            raise TypeError(msg)
        derived: Self = object.__new__(type(self))
        object.__setattr__(derived, "__dict__", values)
        return derived

    def on(self, provider: Any) -> Coroutine[Any, Any, T]:
        """
        Make this call on *provider*: through its `handle`, or its public method if it has none.

        Raises:
            ProviderError: Once awaited.
            TypeError: Once awaited: it has a `handle` that gives no answer.
        """
        kind = _class_of(provider)
        if hasattr(kind, "handle") and hasattr(kind, "plan"):
            handler: Handler = provider
            return handler.handle(self) if kind.__module__[:9] == _OURS else self._checked(handler)
        from .adapt import adapt

        return adapt(provider).handle(self)

    async def _checked(self, handler: Handler) -> T:
        """What *handler*, which is a user's own, answers, if it is an answer."""
        from .adapt import ANSWERS

        answer = await handler.handle(self)
        expected = ANSWERS[self.operation]
        if not isinstance(answer, expected):
            got = None if answer is None else type(answer).__name__
            wanted = f"{'an' if self.embeds else 'a'} {expected.__name__}"
            msg = (
                f"{type(handler).__name__}.handle() returned {got} instead of {wanted}; "
                "does it `return await call.on(...)`?"
            )
            raise TypeError(msg)
        return answer

    def refused(self, error: E) -> E:
        """*error*, which is ours and no provider's, once the journal tells of it."""
        self.journal.record(
            Attempt(
                outcome=Outcome.SKIPPED,
                provider=error.provider or "",
                model=error.model,
                reason=error.message,
                error=type(error).__name__,
            )
        )
        error.journal = self.journal
        return error

    @property
    def generation(self) -> GenerateRequest:
        """The request of a `GENERATE` or `STREAM` call."""
        return cast("GenerateRequest", self.request)

    @property
    def embedding(self) -> EmbedRequest:
        """The request of an `EMBED` or `EMBED_BATCH` call."""
        return cast("EmbedRequest", self.request)

    @property
    def embeds(self) -> bool:
        """Whether it asks for vectors."""
        return isinstance(self.request, EmbedRequest)

    @property
    def attempts_left(self) -> bool:
        """Whether a provider may be asked once more."""
        return self.attempt_limit is None or self.journal.asked < self.attempt_limit


# For type checkers that do not know what is in an object of any type.
_CALL: type[Any] = Call
_class_of: Callable[[Any], type] = type


@runtime_checkable
class Handler(Protocol):
    """What decorators and fairlead's own adapters are, besides a `ProviderPort`."""

    async def handle(self, call: Call[T]) -> T:
        """
        Make *call*; by its deadline, if this asks a provider itself or waits.

        Raises:
            ProviderError: It failed. Cancellation passes untouched.
        """
        ...

    def plan(self, call: Call[Any]) -> Plan:
        """
        Which targets could answer *call*, in order.

        Synchronous, from local state alone; it changes nothing and raises nothing.
        """
        ...


def find(provider: object, protocol: Callable[..., P]) -> P | None:
    """
    The first object that fits *protocol*, a runtime-checkable one, from *provider* inwards.

    Walks `inner` and `targets`, depth first.
    """
    # Not annotated as the class that it is: mypy lets nobody hand a protocol to a `type[P]`.
    if isinstance(provider, cast("type[P]", protocol)):
        return provider
    for child in below(provider):
        found = find(child, protocol)
        if found is not None:
            return found
    return None


def below(provider: object) -> list[object]:
    """What *provider* wraps and dispatches to."""
    inner, targets = getattr(provider, "inner", None), getattr(provider, "targets", ())
    found: list[object] = [] if inner is None else [inner]
    if isinstance(targets, tuple):
        found += cast("tuple[object, ...]", targets)
    return found
