"""One attempt, from when a provider is asked until it is written down."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .calls import Operation
from .consumed import consumed, is_whole, may_be_billed
from .embeddings import fault_in
from .errors import InvalidRequestError, InvalidResponseError, ProviderError
from .journal import Attempt, Outcome
from .outcomes import truncated
from .requests import is_plain
from .results import Generation, Metadata
from .streams import GenerationStream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .adapter import Adapter
    from .calls import Call
    from .embeddings import EmbeddingMetadata
    from .journal import Journal
    from .outcomes import StreamOutcome
    from .usage import Cost, Usage


class OpenAttempt:
    """One attempt, until it is recorded."""

    __slots__ = ("_adapter", "_call", "_started")

    def __init__(self, adapter: Adapter, call: Call[Any]) -> None:
        self._adapter = adapter
        self._call = call
        self._started = call.now()

    def record(self, outcome: Outcome, **facts: Any) -> None:
        call = self._call
        facts.setdefault("model", self._asked)
        if facts.get("cost") is None and (usage := facts.get("usage")) is not None:
            facts["cost"] = self.cost(usage, facts["model"])
        call.journal.record(
            Attempt(
                outcome=outcome,
                provider=self._adapter.name,
                seconds=max(call.now() - self._started, 0.0),
                id=call.journal.new_id(),
                **facts,
            )
        )

    @property
    def _asked(self) -> str | None:
        return self._adapter._model_for(self._call).name  # noqa: SLF001

    def cost(
        self, usage: Usage, told: str | None, details: Mapping[str, Any] | None = None
    ) -> Cost | None:
        """
        What *usage* comes to.

        Args:
            usage: What was consumed.
            told: The model that answered, in the vendor's words.
            details: What else the vendor told, such as its service tier.
        """
        price, asked = self._adapter.price_of(told), self._asked
        if asked != told and (price is None or not price.exact):
            own = self._adapter.price_of(asked)
            # The dated name of what was asked for is in the list by a rule, its own name by itself.
            if price is None or (own is not None and own.model == price.model):
                price = own
        tier = (details or {}).get("service_tier")
        if price is None:
            return None
        return price.cost(usage, service_tier=tier if isinstance(tier, str) else None)

    def told(self, answer: Any) -> Any:
        """*answer*, as the call wants it, once it is written down."""
        if isinstance(answer, GenerationStream):
            answer.reckon(self.cost)
            answer.on_close(self.closed)
            return answer
        if isinstance(answer, Generation):
            answer = self._priced(answer)
            if (error := truncated(answer)) is not None:
                raise error
            self.succeeded(answer.metadata)
            journal = self._call.journal
            return answer if answer.metadata.journal is journal else answer.told_in(journal)
        fault = fault_in(answer, len(self._call.embedding.texts))
        if fault is not None:
            msg = f"{self._adapter.name} answered {fault}"
            raise InvalidResponseError(msg, misconfigured=True)
        known = answer.metadata
        if known.cost is None and known.usage is not None:
            cost = self.cost(known.usage, known.space.model)
            answer = answer if cost is None else answer.described(replace(known, cost=cost))
        self.succeeded(answer.metadata)
        return answer[0] if self._call.operation is Operation.EMBED else answer

    def _priced(self, answer: Generation) -> Generation:
        known = answer.metadata
        if known.cost is not None or known.usage is None:
            return answer
        cost = self.cost(known.usage, known.model, known.details)
        return answer if cost is None else Generation(str(answer), replace(known, cost=cost))

    def succeeded(self, metadata: Metadata | EmbeddingMetadata) -> None:
        if self._adapter.misconfigured is not None:
            self._adapter.misconfigured = None
        if self._told_in(metadata.journal):
            return
        model = metadata.model if isinstance(metadata, Metadata) else metadata.space.model
        self.record(
            Outcome.SUCCEEDED,
            model=model,
            usage=metadata.usage,
            cost=metadata.cost,
            request_id=metadata.vendor_request_id,
            target=self._adapter._identity(self._call),  # noqa: SLF001
        )

    def failed(self, error: ProviderError, outcome: Outcome = Outcome.FAILED, **facts: Any) -> None:
        if error.provider is None:
            error.provider = self._adapter.name
            error.model = error.model or self._adapter._model_for(self._call).name  # noqa: SLF001
        misconfigured = error.verdict.misconfigured and not self._may_be_the_callers(error)
        if misconfigured and self._asks_its_own_model():
            status = "" if error.status_code is None else f" (HTTP {error.status_code})"
            self._adapter.misconfigured = f"{type(error).__name__}{status}: {error.message}"
            error.model = error.model or self._asked
        received = error.partial if isinstance(error.partial, Generation) else None
        if "usage" not in facts and (received is not None or may_be_billed(error)):
            facts["usage"] = self.seen(received, whole=is_whole(error))
        if not self._told_in(error.journal):
            self.record(
                outcome,
                reason=error.message,
                error=type(error).__name__,
                status_code=error.status_code,
                request_id=error.request_id,
                misconfigured=misconfigured,
                **facts,
            )
        error.journal = self._call.journal

    def _may_be_the_callers(self, error: ProviderError) -> bool:
        """Whether it is a mistake that lies in the request as well as in the set-up."""
        return isinstance(error, InvalidRequestError) and not is_plain(self._call.request)

    def _asks_its_own_model(self) -> bool:
        """Whether the model is that of the set-up, and none that only this call names."""
        if self._call.request.model is None:
            return True
        own = self._adapter.model
        return self._adapter._model_for(self._call).name in {own.name, own.embedding_model}  # noqa: SLF001

    def closed(self, outcome: StreamOutcome) -> None:
        metadata = outcome.generation.metadata
        if outcome.outcome is Outcome.SUCCEEDED:
            self.succeeded(metadata)
        elif outcome.error is not None:
            usage = self.seen(outcome.generation, whole=is_whole(outcome.error))
            self.failed(outcome.error, outcome.outcome, usage=usage)
        elif not self._told_in(metadata.journal):
            self.record(outcome.outcome, usage=self.seen(outcome.generation))

    def seen(self, received: Generation | None = None, *, whole: bool = False) -> Usage:
        """What an attempt has consumed that has no answer: as it was told, and else an estimate."""
        family = self._adapter._model_for(self._call).tokenizer  # noqa: SLF001
        return consumed(self._call.request, family, received, whole=whole)

    def _told_in(self, journal: Journal | None) -> bool:
        """
        Whether a foreign answer or error told its attempts itself; they are taken over then.

        An error that is raised again brings what was written down here the first time.
        """
        ours, name = self._call.journal, self._adapter.name
        if journal is None or journal is ours or not journal.asked:
            return False
        if any(attempt.sent and attempt.provider == name for attempt in journal):
            return False
        ours.extend(journal)
        return True
