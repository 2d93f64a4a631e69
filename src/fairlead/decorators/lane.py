"""What a limiter knows of one model: who waits, who runs, and what calls are likely to need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from ..core.checks import check_count, check_number, check_seconds
from ..core.errors import ConfigurationError, ProviderError, RateLimitError
from ..core.journal import Attempt, Outcome
from ..core.messages import Text
from ..core.rates import Amount, Rate, Rates
from ..core.requests import GenerateRequest
from ..core.results import Generation
from ..core.tokens import MESSAGE_OVERHEAD, O200K, PROMPT_OVERHEAD, count_request, measure
from .adaptive import AdaptivePace
from .buckets import MINUTE, Account, LocalRateStore
from .line import Line, Ticket

if TYPE_CHECKING:
    from ..core.calls import Call
    from ..core.embeddings import Embedding, Embeddings
    from ..core.models import ModelInfo
    from ..core.outcomes import StreamOutcome
    from ..core.ports import RateStore
    from ..core.rates import RateLimits
    from ..core.requests import EmbedRequest
    from ..core.results import Metadata
    from ..core.usage import Usage

Whole: TypeAlias = Union[Generation, "Embedding", "Embeddings"]
"""The answer to a call that is no stream."""
FIRST_OUTPUT = 1024
"""Tokens of output that are expected as long as none were seen."""
SHORT = 256
"""Characters up to which a text is not measured, but guessed at 0.3 tokens each, or 1."""
NEWEST = 1 / 8
"""Weight of the newest answer in the moving average [RFC 6298]."""
NOTHING = Amount(0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitOptions:
    """
    How fast and how much at once a target may be asked. None is no limit of ours.

    Args:
        requests_per_minute: Calls, retries included.
        tokens_per_minute: Input and output together.
        requests_burst: Calls that may come at once after a rest; by default a minute's.
        tokens_burst: Tokens that may be had at once after a rest; by default a minute's.
        max_running: Calls at a time; a stream runs until it is closed.
        max_queued: Calls that may wait for their turn; 0 refuses rather than waits.
        max_wait: Seconds that a call may wait; one that would have to wait longer is refused, so
            that a fallback acts. None leaves it to the call's deadline.
        learn: Whether to take over what the vendor tells of limits that are not set here.
        adaptive: Whether to slow down when the vendor refuses, and to feel up again.

    Raises:
        ConfigurationError: A value makes no sense.
    """

    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    requests_burst: int | None = None
    tokens_burst: int | None = None
    max_running: int | None = None
    max_queued: int = 1000
    max_wait: float | None = None
    learn: bool = True
    adaptive: bool = False

    def __post_init__(self) -> None:
        for kind in ("requests", "tokens"):
            rate, burst = f"{kind}_per_minute", f"{kind}_burst"
            if getattr(self, rate) is not None:
                check_number(rate, getattr(self, rate), "more than 0", lambda it: it > 0)
            if getattr(self, burst) is not None:
                check_count(burst, getattr(self, burst), 1)
                if getattr(self, rate) is None:
                    raise ConfigurationError(f"{burst} needs {rate}, which is not set")
        if self.max_running is not None:
            check_count("max_running", self.max_running, 1)
        check_count("max_queued", self.max_queued, 0)
        if self.max_wait is not None:
            check_seconds("max_wait", self.max_wait)
        for name in ("learn", "adaptive"):
            if not isinstance(getattr(self, name), bool):
                msg = f"{name} must be True or False, not {getattr(self, name)!r}"
                raise ConfigurationError(msg)

    @property
    def rates(self) -> Rates:
        """The limits per second."""
        return Rates(
            _rate(self.requests_per_minute, self.requests_burst),
            _rate(self.tokens_per_minute, self.tokens_burst),
            self.learn,
        )


def _rate(per_minute: float | None, burst: int | None) -> Rate | None:
    if per_minute is None:
        return None
    return Rate(per_minute / MINUTE, max(per_minute, 1.0) if burst is None else burst)


class Lane:
    """
    The limits of one model under one key.

    Args:
        options: The limits.
        store: Where rates are kept.
        key: Whose limits they are.
        provider: For the journal.
        model: The model's name, if it has one.
    """

    def __init__(
        self,
        options: LimitOptions,
        store: RateStore,
        *,
        key: str,
        provider: str,
        model: str | None,
    ) -> None:
        self.key: str = f"{key}:{model or ''}"
        self.rates: Rates = options.rates
        self.line: Line = Line(options.max_running, options.max_queued)
        self.pace: AdaptivePace | None = AdaptivePace() if options.adaptive else None
        self._store = store
        self._near = store if type(store) is LocalRateStore else None
        self._account: Account | None = None
        """What a store in this process keeps for us: asked for once, as all calls pass here."""
        self._provider = provider
        self._model = model
        self._rated = self.rates.requests is not None or self.rates.tokens is not None
        """Whether there is any rate to keep to; a vendor may tell of one any time."""
        own = self.rates.tokens
        self._most_tokens = None if own is None else own.capacity
        """At once; None as long as tokens are not limited, and need not be counted."""
        self._output = float(FIRST_OUTPUT)

    def ticket(self, call: Call[Any], model: ModelInfo) -> Ticket:
        """What *call* is expected to need."""
        if self._most_tokens is None:
            return Ticket(_ONE_REQUEST, 0)
        request = call.request
        certain = input_tokens(request, model.tokenizer)
        output = request.max_tokens if isinstance(request, GenerateRequest) else 0
        if output is None:
            output = int(self._output)
        return Ticket(Amount(1, certain + output), certain)

    def never(self, call: Call[Any], ticket: Ticket) -> bool:
        """Whether *call* is sure to need more than may ever be had at once."""
        if self._most_tokens is None or ticket.need[1] <= self._most_tokens:
            return False
        return most_output(call) is not None

    def starts(self, call: Call[Any], ticket: Ticket) -> bool:
        """Whether *call* runs already, as nobody and nothing is in its way."""
        most = self._most_tokens
        if most is not None and ticket.need[1] > most:
            return False
        if not self.line.idle or self.look(ticket, call.now()) != 0.0:
            return False
        self.line.pass_by()
        return True

    def look(self, ticket: Ticket, now: float) -> float | None:
        """
        0 if what *ticket* needs was taken; else seconds until it makes sense to look again.

        None if the store is far away and has to be asked.
        """
        if self.pace is not None:
            wait = self.pace.wait(now)
            if wait > 0.0:
                return wait
        if self._rated:
            if self._near is None:
                return None
            account = self._account
            if account is None:
                account = self._account = self._near.account(self.key, self.rates)
            wait = account.take(ticket.need, now)
            if wait > 0.0:
                return wait
            ticket.reserved = True
        if self.pace is not None:
            self.pace.take(now)
        return 0.0

    async def ask(self, ticket: Ticket, now: float) -> float:
        """As `look`, of a store that is far away; raises whatever that raises."""
        wait = await self._store.reserve(self.key, self.rates, ticket.need, now)
        if wait > 0.0:
            return wait
        ticket.reserved = True
        if self.pace is not None:
            self.pace.take(now)
        return 0.0

    def peek(self, call: Call[Any], need: Amount) -> float:
        """Seconds until so much can be had, as far as is known."""
        try:
            return self._store.peek(self.key, self.rates, need, call.now())
        except Exception as error:  # noqa: BLE001 - whatever it is, a store fails no call
            self.lost(call, error)
            return 0.0

    def opened(self, call: Call[Any], ticket: Ticket, metadata: Metadata) -> None:
        """A stream has begun."""
        now = call.now()
        if ticket.reserved:
            self._settle(call, ticket.need, ticket.need, now)
        self._answered(call, metadata.rate_limits, now)

    def closed(self, call: Call[Any], ticket: Ticket, outcome: StreamOutcome) -> None:
        """It has ended, in whatever way."""
        self.line.stop()
        now = call.now()
        if ticket.counted:
            generation = outcome.generation
            whole = outcome.outcome is Outcome.SUCCEEDED
            tokens = self._used(ticket, generation.metadata.usage, generation, whole=whole)
            self._settle(call, NOTHING, Amount(0, tokens - ticket.need[1]), now)
        if isinstance(outcome.error, RateLimitError):
            self._refused(call, outcome.error, now)

    def done(self, call: Call[Any], ticket: Ticket, result: Whole) -> None:
        """A call that is no stream has been answered."""
        self.line.stop()
        now = call.now()
        metadata = result.metadata
        if ticket.reserved:
            used = need = ticket.need
            if need[1]:
                usage = None if metadata is None else metadata.usage
                words = result if isinstance(result, Generation) else None
                used = Amount(1, self._used(ticket, usage, words, whole=words is not None))
            self._settle(call, need, used, now)
        told = None if metadata is None else metadata.rate_limits
        if told is not None or self.pace is not None:
            self._answered(call, told, now)

    def failed(self, call: Call[Any], ticket: Ticket, error: BaseException) -> None:
        """A call has failed, or was cancelled: what it asked may have been read all the same."""
        self.line.stop()
        now = call.now()
        told = error if isinstance(error, ProviderError) else None
        if ticket.reserved:
            unsent = told is not None and told.sent is False
            used = NOTHING if unsent else Amount(1, ticket.certain)
            self._settle(call, ticket.need, used, now)
        if isinstance(told, RateLimitError):
            self._refused(call, told, now)
        elif told is not None and told.rate_limits is not None:
            self._observe(call, told.rate_limits, now)

    def note(self, call: Call[Any], outcome: Outcome, why: str, seconds: float = 0.0) -> None:
        """Tell the journal."""
        call.journal.record(
            Attempt(
                outcome=outcome,
                provider=self._provider,
                model=self._model,
                reason=why,
                seconds=seconds,
            )
        )

    def lost(self, call: Call[Any], error: Exception) -> None:
        """The store has failed, which no call has to suffer for."""
        self.note(call, Outcome.NOTED, f"the rate store failed: {type(error).__name__}")

    def _used(self, ticket: Ticket, usage: Usage | None, words: str | None, *, whole: bool) -> int:
        """The tokens that were used; estimated if nobody tells."""
        asked = answered = None
        if usage is not None:
            asked, answered = usage.input_tokens, usage.output_tokens
        if answered is None:
            answered = round(words_tokens(words)) if words else 0
        if whole:
            self._output += NEWEST * (answered - self._output)
        return (ticket.certain if asked is None else asked) + answered

    def _answered(self, call: Call[Any], told: RateLimits | None, now: float) -> None:
        if self.pace is not None:
            self.pace.succeeded(now)
        if told is not None:
            self._observe(call, told, now)

    def _refused(self, call: Call[Any], error: RateLimitError, now: float) -> None:
        if self.pace is not None:
            self.pace.throttled(now)
        told, wait = error.rate_limits, error.retry_after
        if wait is None and told is not None:
            kinds = [kind for kind in (told.requests, told.tokens) if kind is not None]
            resets = [kind.reset for kind in kinds if kind.remaining == 0]
            wait = max((reset for reset in resets if reset is not None), default=None)
        self._observe(call, told, now, empty_for=wait or 0.0)

    def _settle(self, call: Call[Any], reserved: Amount, used: Amount, now: float) -> None:
        if self._account is not None:
            self._account.settle(reserved, used, now)
            return
        try:
            self._store.settle(self.key, reserved, used, now)
        except Exception as error:  # noqa: BLE001 - whatever it is, a store fails no call
            self.lost(call, error)

    def _observe(
        self,
        call: Call[Any],
        told: RateLimits | None,
        now: float,
        empty_for: float | None = None,
    ) -> None:
        self._rated = True
        if told is not None and told.tokens is not None and self.rates.learns_tokens:
            self._most_tokens = told.tokens.limit or self._most_tokens
        try:
            self._store.observe(self.key, self.rates, told, now, empty_for=empty_for)
            self._account = None  # a store that is short of room may have begun a new one
        except Exception as error:  # noqa: BLE001 - whatever it is, a store fails no call
            self.lost(call, error)


def most_output(call: Call[Any]) -> int | None:
    """The tokens of output that *call* cannot exceed, if that is known."""
    return 0 if call.embeds else call.generation.max_tokens


def input_tokens(request: GenerateRequest | EmbedRequest, family: str | None) -> int:
    """How many tokens of input *request* is expected to have."""
    if not isinstance(request, GenerateRequest) or request.tools or request.response_format:
        return count_request(request, family)
    # Words alone, as most are, at a part of what it costs to look for all else.
    total: float = PROMPT_OVERHEAD
    for message in request.messages:
        total += MESSAGE_OVERHEAD
        for part in message.parts:
            if type(part) is not Text:
                return count_request(request, family)
            total += words_tokens(part.text, family)
    return round(total)


def words_tokens(text: str, family: str | None = None) -> float:
    """
    How many tokens *text* is expected to have.

    What is short is not worth a measurement, beside the answer that it gets.
    """
    if len(text) > SHORT:
        return measure(text, family or O200K)
    return len(text) * (0.3 if text.isascii() else 1.0)


_ONE_REQUEST = Amount(1, 0)
