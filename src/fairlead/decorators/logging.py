"""Tells a log what becomes of calls."""

from __future__ import annotations

from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from ..core.bounds import Bounds, bounds_of
from ..core.errors import ProviderError
from ..core.journal import Outcome
from ..core.redact import shown
from ..core.results import Metadata
from ..core.streams import GenerationStream
from ._base import Decorator

if TYPE_CHECKING:
    from ..core.calls import Call, Operation, T
    from ..core.embeddings import EmbeddingMetadata
    from ..core.journal import Attempt
    from ..core.outcomes import StreamOutcome
    from ..core.ports import EventLog, Level
    from ..core.provider import LooseProvider, ProviderPort
    from ..core.usage import Usage


class LoggingProvider(Decorator):
    """
    Writes one line per call when it is over, and one per step of it.

    A call that was answered, or that its caller left, is told at info; one that failed at error;
    a repeat at warning; every attempt and whatever was left out at debug. A stream is over when it
    is closed. Nothing of prompts and answers is written.

    Args:
        inner: What is asked.
        log: Where it is written.
        messages: Whether the words of errors and warnings are written too. They are masked and
            bounded; but they are other people's, who may quote a part of the request.
    """

    layer = "logging"

    def __init__(
        self,
        inner: ProviderPort | LooseProvider,
        /,
        *,
        log: EventLog,
        messages: bool = True,
    ) -> None:
        super().__init__(inner)
        self._log = log
        self._messages = messages

    def bounds(self, operation: Operation) -> Bounds:
        """That of what it wraps."""
        return bounds_of(self._inner, operation)

    async def handle(self, call: Call[T]) -> T:
        """Make *call*, and tell what becomes of it."""
        if not self._log.is_on("error"):
            return await call.on(self._inner)
        story = _Story(self._log, call, self._asked_model(call), messages=self._messages)
        try:
            result = await call.on(self._inner)
        except Exception as error:
            story.failed(error)
            raise
        except BaseException:
            story.abandoned()
            raise
        if isinstance(result, GenerationStream):
            story.opened(result)
        else:
            story.answered(getattr(result, "metadata", None))
        return result

    def _asked_model(self, call: Call[Any]) -> str | None:
        own = self.model
        return call.request.model or (own.embedding_model if call.embeds else own.name)


class _Story:
    """What there is to tell of one call."""

    def __init__(
        self, log: EventLog, call: Call[Any], model: str | None, *, messages: bool
    ) -> None:
        self._log = log
        self._messages = messages
        self._call = call
        self._opening: float | None = None
        self._failures: set[str | None] = set()
        self._operation = call.operation.value
        self._context = {
            "request_id": call.options.request_id,
            "tags": dict(call.options.tags) or None,
        }
        self._model = model
        self._watches = log.is_on("warning")
        if self._watches:
            call.journal.watch(self.step)

    def step(self, entry: Attempt) -> None:
        """Tell of an entry of the journal."""
        # Who is going to repeat waits in the words of a failure; others wait for their turn.
        waits_again = entry.outcome is Outcome.WAITED and entry.reason in self._failures
        if entry.error is not None:
            self._failures.add(f"{entry.error}: {entry.reason}")
        self._tell(
            "warning" if waits_again else "debug",
            "asking again" if waits_again else _STEPS[entry.outcome],
            attempt=self._call.journal.asked or None,
            provider=entry.provider,
            model=entry.model,
            error=entry.error,
            status=entry.status_code,
            reason=self._words(entry.reason),
            misconfigured=entry.misconfigured or None,
            seconds=round(entry.seconds, 3) if entry.sent or entry.seconds else None,
            **_consumed(entry.usage),
        )

    def answered(self, metadata: Metadata | EmbeddingMetadata | None) -> None:
        """Tell that the call was answered."""
        self._over("info", "call answered", **self._facts(metadata))

    def failed(self, error: BaseException) -> None:
        """Tell that the call failed."""
        self._over("error", "call failed", **self._mistake(error))

    def abandoned(self, **facts: Any) -> None:
        """Tell that the caller left."""
        self._over("info", "call abandoned", **facts)

    def opened(self, stream: GenerationStream) -> None:
        """Tell the rest when *stream* is closed, in the context that it was opened in."""
        self._opening = self._seconds()
        context = copy_context()
        stream.on_close(lambda outcome: context.run(self._closed, outcome))

    def _closed(self, outcome: StreamOutcome) -> None:
        facts = self._facts(outcome.generation.metadata)
        if outcome.outcome is Outcome.SUCCEEDED:
            self._over("info", "call answered", **facts)
        elif outcome.error is None:
            self.abandoned(**facts)
        else:
            self._over("error", "stream interrupted", **facts | self._mistake(outcome.error))

    def _over(self, level: Level, event: str, **facts: Any) -> None:
        if self._watches:
            # The journal lives on in the answer, and must not keep the prompt alive.
            self._call.journal.unwatch(self.step)
        facts["model"] = facts.get("model") or self._model
        facts["attempts"] = self._call.journal.asked
        facts["seconds"] = self._seconds()
        facts["first_content"] = self._opening
        self._tell(level, event, **facts)

    def _tell(self, level: Level, event: str, **facts: Any) -> None:
        if self._log.is_on(level):
            fields = {"operation": self._operation, **facts, **self._context}
            known = {name: value for name, value in fields.items() if value is not None}
            self._log.record(level, event, known)

    def _seconds(self) -> float:
        return round(max(self._call.now() - self._call.began, 0.0), 3)

    def _facts(self, metadata: Metadata | EmbeddingMetadata | None) -> dict[str, Any]:
        if metadata is None:
            return {}
        facts = {
            "provider": metadata.provider,
            "vendor_request_id": metadata.vendor_request_id,
            "cost_usd": None if metadata.cost is None else str(metadata.cost.amount),
            "warnings": self._warnings(metadata.warnings),
            **_consumed(metadata.usage),
        }
        if isinstance(metadata, Metadata):
            reason = metadata.finish_reason
            facts["model"] = metadata.model
            facts["finish_reason"] = None if reason is None else reason.value
            facts["cached"] = metadata.cached or None
        else:
            facts["model"] = metadata.space.model
        return facts

    def _warnings(self, warnings: tuple[str, ...]) -> list[str] | int | None:
        if self._messages:
            return [shown(warning) for warning in warnings] or None
        return len(warnings) or None

    def _words(self, message: str | None) -> str | None:
        return shown(message) if message and self._messages else None

    def _mistake(self, error: BaseException) -> dict[str, Any]:
        facts: dict[str, Any] = {"error": type(error).__name__}
        if isinstance(error, ProviderError):
            facts |= {
                "status": error.status_code,
                "code": error.code and shown(error.code),
                "message": self._words(error.message),
                "retry_after": error.retry_after,
                "vendor_request_id": error.request_id,
                "misconfigured": error.verdict.misconfigured or None,
            }
            facts |= {"provider": error.provider} if error.provider else {}
            facts |= {"model": error.model} if error.model else {}
        return facts


def _consumed(usage: Usage | None) -> dict[str, Any]:
    if usage is None:
        return {}
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "estimated": usage.estimated or None,
    }


_STEPS = {
    Outcome.SUCCEEDED: "attempt succeeded",
    Outcome.FAILED: "attempt failed",
    Outcome.INTERRUPTED: "attempt interrupted",
    Outcome.ABANDONED: "attempt abandoned",
    Outcome.WAITED: "waiting",
    Outcome.SKIPPED: "target left out",
    Outcome.HIT: "cache hit",
    Outcome.NOTED: "noted",
    Outcome.FOLDED: "older steps",
}
