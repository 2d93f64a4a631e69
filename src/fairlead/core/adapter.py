"""The innermost object of every pipeline: it asks a provider and writes down what came of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import inf
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, Union, cast

from .attempts import OpenAttempt
from .bounds import Amounts, Bounds
from .calls import Operation
from .errors import (
    ProviderError,
    ProviderTimeoutError,
    UnsupportedOperationError,
)
from .journal import Outcome
from .models import UNLISTED, ModelInfo
from .plans import Plan, Target, obstacle, only_words
from .prices import UNPRICED
from .provider import Funnel
from .results import Generation, Metadata
from .streams import GenerationStream
from .tokens import count

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from .calls import Call, T
    from .embeddings import Embeddings
    from .limits import TimeLimits
    from .messages import Prompt
    from .ports import ModelBook, PriceBook, Tokenizers
    from .prices import Price
    from .results import TokenCount

_Answer: TypeAlias = Union[Generation, GenerationStream, "Embeddings"]


class Adapter(Funnel, ABC):
    """
    Base class of adapters: one target, one attempt per call.

    A subclass asks its provider in three methods; public methods, plan and journal are here.
    """

    tokenizers: Tokenizers = MappingProxyType(dict[str, Any]())
    """What `count_tokens` counts by, where that of the model's family is there."""
    version: ClassVar[str] = "1"
    """Part of what caches know its answers by: raise it when it asks or understands otherwise."""
    misconfigured: str | None = None
    """What it was last refused for that only a change of the set-up mends; None once it answers."""
    prices: PriceBook = UNPRICED
    """What answers cost by, where the vendor does not tell; by default nobody knows."""
    models: ModelBook = UNLISTED
    """What is known of models besides what it knows itself; by default nothing."""
    _completed: tuple[ModelBook, dict[str | None, tuple[ModelInfo, ModelInfo]]] = (UNLISTED, {})
    """What that book made of what is known here, by the models' names."""
    _planned_for: ModelInfo | None = None
    _planned: Plan = Plan(())
    """The plan for that model, which is the same for every request that it can take."""
    _identified: tuple[ModelInfo, str] | None = None
    """The identity of the target with that model."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {Target(provider=self.name, model=self.model).label}>"

    @property
    @abstractmethod
    def name(self) -> str:
        """The provider's name, such as `openai`."""

    @property
    @abstractmethod
    def model(self) -> ModelInfo:
        """What is known of the model that answers unless a call names another."""

    @property
    def endpoint(self) -> str | None:
        """The address that is asked, for those that have one."""
        return None

    @property
    def billed_by(self) -> str:
        """Who sends the bill, in the words of price books: a vendor's name, or an address."""
        return self.name

    def price_of(self, model: str | None) -> Price | None:
        """What *model* costs; None where nobody knows."""
        if model is None:
            return None
        try:
            return self.prices.price(self.billed_by, model)
        except Exception:  # noqa: BLE001 - somebody's own book; an answer is not lost for it
            return None

    def info_of(self, model: str) -> ModelInfo:
        """What is known of *model*."""
        own = self.model
        return own if model == own.name else self._complete_info(self._model_named(model))

    @property
    def limits(self) -> TimeLimits | None:
        """The time limits of those that keep time themselves; others are cut at the deadline."""
        return None

    @abstractmethod
    async def _generate(self, call: Call[Generation]) -> Generation:
        """Ask for a whole answer."""

    @abstractmethod
    async def _open(self, call: Call[GenerationStream]) -> GenerationStream:
        """Ask for a stream, and wait until it commits."""

    @abstractmethod
    async def _embed(self, call: Call[Any]) -> Embeddings:
        """Ask for the vectors of `call.embedding.texts`."""

    def count_tokens(self, text: str | Prompt) -> TokenCount:
        """Exact where the model's tokenizer is at hand, else an estimate for its family."""
        family = self.model.tokenizer
        return count(text, family, None if family is None else self.tokenizers.get(family))

    def plan(self, call: Call[Any]) -> Plan:
        """One target: this one."""
        request, model = call.request, self.model
        kept = model is self._planned_for and request.model is None
        cannot = None
        if not (kept and only_words(request, model.context_window)):
            model = self._model_for(call)
            cannot = obstacle(request, model)
            if call.embeds and not self._can_embed(model):
                cannot = self._no_embeddings().message
        price = self.price_of(model.name)
        planned = cannot is None and model is self._planned_for
        if planned and self._planned.targets[0].price is price:
            return self._planned
        plan = Plan((self._target(model, cannot, price),))
        if cannot is None:
            self._planned_for, self._planned = model, plan
        return plan

    @property
    def defaults(self) -> Mapping[str, object]:
        """What is asked for where a call says nothing."""
        return {}

    def _target(
        self, model: ModelInfo, cannot: str | None = None, price: Price | None = None
    ) -> Target:
        return Target(
            provider=self.name,
            model=model,
            endpoint=self.endpoint,
            cannot=cannot,
            price=price,
            adapter=self._kind(),
            defaults=self.defaults,
        )

    def _kind(self) -> str:
        """What speaks to the provider, with its version."""
        kind = type(self)
        return f"{kind.__module__}.{kind.__qualname__}/{self.version}"

    def _identity(self, call: Call[Any]) -> str:
        """Of the target that *call* asks."""
        model, known = self._model_for(call), self._identified
        if known is None or known[0] is not model:
            known = self._identified = model, self._target(model).identity
        return known[1]

    def bounds(self, operation: Operation) -> Bounds:
        """One attempt. A window holds all of its tokens, and so bounds what it costs."""
        limit, limits = None, self.limits
        if limits is not None:
            streams = operation is Operation.STREAM
            content = limits.content(reasoning=bool(self.model.reasoning))
            limit = content if streams else limits.total
        window = self.model.context_window if operation in _GENERATES else None
        price = None if window is None else self.price_of(self.model.name)
        money = None
        if window is not None and price is not None:
            money = price.within(window, self.model.max_output_tokens)
        return Bounds.once(
            Amounts(seconds=inf if limit is None else limit, tokens=window, money=money)
        )

    async def handle(self, call: Call[T]) -> T:
        """Ask once. The attempt is recorded when it is over, a stream's when it has ended."""
        limit = None if self.limits is not None else call.deadline.remaining()
        if limit == 0:
            raise self._refused(call)
        attempt = OpenAttempt(self, call)
        try:
            if limit is None:
                return cast("T", attempt.told(await self._ask(call)))
            with call.scope(limit):
                return cast("T", attempt.told(await self._ask(call)))
            # A scope swallows its own cancellation alone, so the time is over.
            raise _late(call, limit)
        except ProviderError as error:
            attempt.failed(error)
            raise
        except BaseException:
            attempt.record(Outcome.ABANDONED, usage=attempt.seen())
            raise

    def _ask(self, call: Call[Any]) -> Coroutine[Any, Any, _Answer]:
        if call.operation is Operation.GENERATE:
            return self._generate(call)
        if call.operation is Operation.STREAM:
            return self._open(call)
        return self._embed(call)

    def _refused(self, call: Call[Any]) -> ProviderTimeoutError:
        """The error for a call whose time is over before anything was asked."""
        return call.refused(
            ProviderTimeoutError(
                f"no time was left to ask {self.name}",
                limit=0.0,
                provider=self.name,
                model=self._model_for(call).name,
                sent=False,
            )
        )

    def _model_named(self, name: str) -> ModelInfo:
        """What is known here of another model than the default one."""
        return ModelInfo(name=name)

    def _complete_info(self, info: ModelInfo) -> ModelInfo:
        """*info* with what `models` knows besides: the same object each time, as plans go by it."""
        book = self.models
        if book is UNLISTED:
            return info
        told_by, kept = self._completed
        found = kept.get(info.name) if told_by is book else None
        if found is not None and (found[0] is info or found[0] == info):
            return found[1]
        if told_by is not book or len(kept) >= _MOST:
            self._completed = _, kept = book, {}
        try:
            complete = book.complete(self.billed_by, info)
        except Exception:  # noqa: BLE001 - somebody's own book; a call is not lost for it
            complete = info
        kept[info.name] = info, complete
        return complete

    def _model_for(self, call: Call[Any]) -> ModelInfo:
        """The model that would answer *call*; its name is None if the vendor has to choose."""
        asked = call.request.model
        if asked is None:
            return ModelInfo(name=self.model.embedding_model) if call.embeds else self.model
        for separator in ":/":
            asked = asked.removeprefix(self.name + separator)
        return self.info_of(asked)

    def _can_embed(self, model: ModelInfo) -> bool:
        return model.name is not None

    def _no_embeddings(self) -> UnsupportedOperationError:
        return UnsupportedOperationError(
            f"{self.name} has no embedding model here; give it embedding_model=, or model= "
            "with the call",
            provider=self.name,
        )

    def _metadata(
        self, call: Call[Any], model: str | None, *, warnings: tuple[str, ...] = (), **facts: Any
    ) -> Metadata:
        """What is known of an answer to *call* before it arrives."""
        return Metadata(
            provider=self.name,
            model=model,
            request_id=call.options.request_id,
            warnings=warnings,
            journal=call.journal,
            response_format=None if call.embeds else call.generation.response_format,
            **facts,
        )


_MOST = 256
"""Models of which it is kept what is known: callers may name any number of them."""
_GENERATES = (Operation.GENERATE, Operation.STREAM)


def _late(call: Call[Any], limit: float) -> ProviderTimeoutError:
    what = "first content" if call.operation is Operation.STREAM else "answer"
    return ProviderTimeoutError(f"no {what} in time: {limit:g} s", limit=limit)
