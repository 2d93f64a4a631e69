"""Through a whole pipeline, money adds up to the last digit, whatever callers and vendors do."""

import gc
from collections import Counter
from copy import copy
from decimal import Decimal
from functools import partial
from itertools import count

import anyio
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.adapters.stores.ledger_memory import MemoryLedger
from fairlead.adapters.stores.memory import MemoryCache
from fairlead.assembly.pipeline import chain, target_pipeline
from fairlead.core.budgets import BudgetLimit, BudgetOptions, nanos
from fairlead.core.errors import (
    OverloadedError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    ServerError,
)
from fairlead.core.events import StreamEnd
from fairlead.core.journal import Outcome
from fairlead.core.ledger import Booking
from fairlead.core.models import ModelInfo
from fairlead.core.results import FinishReason
from fairlead.core.usage import Usage
from fairlead.decorators._base import Decorator
from fairlead.decorators.backoff import Backoff
from fairlead.decorators.cache import CacheProvider
from fairlead.decorators.hedging import HedgeOptions
from fairlead.decorators.local_budgets import LocalBudgetStore
from fairlead.testing import CUT, Pause, ScriptedProvider
from fairlead.testing.virtual_time import BACKENDS, virtual_time_backend
from tests.support.ledgers import all_of
from tests.support.prices import FlatBook, flat_price

PRICE = flat_price(per_input=1237, per_output=7919)
WORDS = ["Good ", "evening, ", "all of ", "you"]
FAILURES = [
    ServerError("no", status_code=500, sent=True),
    OverloadedError("no", status_code=529, sent=True),
    ServerError("a gateway", status_code=504, sent=True),
    ProviderConnectionError("gone", sent=True),
    ProviderConnectionError("never there", sent=False),
    ProviderTimeoutError("late", limit=9, sent=True),
    RuntimeError("a bug"),
    CUT,
]
numbers = count(1)


class Vendor(ScriptedProvider):
    """Does what it is told; no two answers cost the same. It sees what is written down of each."""

    prices = FlatBook(PRICE)

    def __init__(self, name, does):
        known = ModelInfo(name="m", embedding_model="e", max_batch_items=2)
        super().__init__(iter(self._answer_to, None), name=name, model=known)
        self.does = iter(does)
        self.attempts = []
        self._watched = []

    def _answer_to(self):
        pause, fails, after = next(self.does, (0, None, 0))
        number = next(numbers)
        usage = Usage(input_tokens=1000 + number, output_tokens=3 * number + 1)
        steps = [Pause(pause / 2), f"{number}: ", *WORDS, Pause(pause / 2), end(usage)]
        return steps if fails is None else [*steps[:after], fails]

    async def _embed(self, call):
        self.calls.append(call)
        pause, fails, _ = next(self.does, (0, None, 0))
        await self._wait(pause, call)
        if fails is not None:
            raise ServerError("cut", status_code=200) if fails is CUT else copy(fails)
        usage = Usage(input_tokens=1000 + next(numbers), output_tokens=0)
        vectors = [[float(len(text)), 1.0] for text in call.embedding.texts]
        return self._embeddings(call, vectors, usage=usage)

    async def handle(self, call):
        if not any(journal is call.journal for journal in self._watched):
            self._watched.append(call.journal)
            call.journal.watch(self._written)
        return await super().handle(call)

    def _written(self, attempt):
        if attempt.provider == self.name and attempt.sent:
            self.attempts.append(attempt)


def end(usage):
    return StreamEnd(FinishReason.STOP, usage=usage)


class Witness(Decorator):
    """Stands outside of all, and keeps the journals."""

    def __init__(self, inner, /):
        super().__init__(inner)
        self.journals = []

    async def handle(self, call):
        self.journals.append(call.journal)
        return await call.on(self._inner)


behaviours = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1, 2, 5]),
        st.sampled_from([None, None, None, *FAILURES]),
        st.integers(0, 6),
    ),
    max_size=12,
)
callers = st.lists(
    st.fixed_dictionaries(
        {
            "at": st.sampled_from([0, 0, 0, 0.5, 1, 2, 6]),
            "prompt": st.sampled_from(["hi", "hi", "ho"]),
            "user": st.sampled_from(["ann", "ann", "bob"]),
            "way": st.sampled_from(["generate", "generate", "read", "close", "drop", "embed"]),
            "texts": st.lists(st.sampled_from(["a", "bb", "ccc", "dddd"]), min_size=1, max_size=5),
            "leaves": st.sampled_from([None, None, None, 0, 0.5, 1, 1.5, 2, 3]),
            "timeout": st.sampled_from([None, None, None, 0.5, 1, 2.5]),
            "reads": st.integers(0, 6),
            "pauses": st.sampled_from([0, 0, 1]),
            "cache": st.sampled_from([True, True, True, False, {"mode": "refresh"}, None]),
        }
    ),
    min_size=1,
    max_size=8,
)


async def ask(provider, plan, answers):
    """One caller's call."""
    await anyio.sleep(plan["at"])
    options = {
        "cache": plan["cache"],
        "timeout": plan["timeout"],
        "tags": {"user": plan["user"]},
    }
    leaves = plan["leaves"]
    with anyio.move_on_after(leaves):
        try:
            if plan["way"] == "generate":
                answers.append(await provider.generate(plan["prompt"], max_tokens=5000, **options))
            elif plan["way"] == "embed":
                answers.append(await provider.embed_batch(plan["texts"], **options))
            else:
                options["max_tokens"] = 5000
                await read(await provider.generate_stream(plan["prompt"], **options), plan)
        except (ProviderError, RuntimeError):
            pass


async def read(stream, plan):
    if plan["way"] == "read":
        async for _ in stream:
            await anyio.sleep(plan["pauses"])
        return
    left = plan["reads"]
    async for _ in stream:
        await anyio.sleep(plan["pauses"])
        left -= 1
        if left < 0:
            break
    if plan["way"] == "close":
        await stream.aclose()
    del stream
    gc.collect(0)


async def run(first, second, plans, *, hedged, retries, stored):
    vendors = [Vendor("one", first), Vendor("two", second)]
    books, ledger = LocalBudgetStore(), MemoryLedger()
    limits = (BudgetLimit(money=10**6), BudgetLimit(scope="user", tokens=10**9))
    targets = [
        target_pipeline(
            vendor,
            max_retries=retries,
            backoff=Backoff(jitter=False),
            budget=BudgetOptions(limits=limits),
            budgets=books,
        )
        for vendor in vendors
    ]
    hedging = HedgeOptions(delay=0.5, minimum_samples=1, max_share=1.0) if hedged else None
    cache = partial(CacheProvider, store=MemoryCache() if stored else None)
    provider = Witness(chain(targets, hedging=hedging, cache=cache, ledger=ledger))
    answers = []
    async with anyio.create_task_group() as group:
        for plan in plans:
            group.start_soon(ask, provider, plan, answers)
    gc.collect(0)
    for _ in range(10):
        await checkpoint()
    await provider.aclose()
    return vendors, provider.journals, answers, await all_of(ledger), await books.balances()


def cost_of(entries):
    return sum((each.cost.amount for each in entries), Decimal(0))


def tokens_of(entries):
    return sum(each.usage.input_tokens + each.usage.output_tokens for each in entries)


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=100)
@given(
    first=behaviours,
    second=behaviours,
    plans=callers,
    hedged=st.booleans(),
    retries=st.sampled_from([None, 1]),
    stored=st.booleans(),
)
def test_money_adds_up(backend, first, second, plans, hedged, retries, stored):
    name, options = virtual_time_backend(backend)
    vendors, journals, answers, entries, balances = anyio.run(
        partial(run, first, second, plans, hedged=hedged, retries=retries, stored=stored),
        backend=name,
        backend_options=options,
    )

    # Each attempt that the vendors saw is written down once, and each that consumed has a price.
    seen = [attempt for vendor in vendors for attempt in vendor.attempts]
    assert len(seen) == sum(len(vendor.calls) for vendor in vendors)
    consumed = [attempt for attempt in seen if attempt.usage is not None]
    assert all(attempt.cost == PRICE.cost(attempt.usage) for attempt in consumed)
    paid = cost_of(consumed)

    # The callers' journals have them all, once.
    told = Counter(entry.id for journal in journals for entry in journal if entry.sent)
    assert told == Counter(attempt.id for attempt in seen)

    # The ledger has them, too, and nothing else but what the caches saved.
    booked = [entry for entry in entries if entry.booking is not Booking.SAVED]
    assert {entry.booking for entry in booked} <= {Booking.SPENT, Booking.WASTED}
    assert {entry.id for entry in booked} == {attempt.id for attempt in consumed}
    assert cost_of(booked) == paid
    spent = [entry for entry in booked if entry.booking is Booking.SPENT]
    answered = {each.id for each in seen if each.outcome is Outcome.SUCCEEDED}
    assert {entry.id for entry in spent} <= answered

    # What an answer says that it cost is what is booked as spent for it.
    amounts = {entry.id: entry.cost.amount for entry in spent}
    for answer in answers:
        its = sum(amounts.get(entry.id, 0) for entry in answer.metadata.journal)
        assert its == answer.metadata.cost.amount

    # What was saved is what the same answer had cost whoever paid.
    hits = [entry for journal in journals for entry in journal if entry.outcome is Outcome.HIT]
    saved = [entry for entry in entries if entry.booking is Booking.SAVED]
    assert {entry.id for entry in saved} == {entry.id for entry in hits}
    prices = {attempt.cost.amount for attempt in seen if attempt.id in answered}
    whole = [entry for entry in saved if not entry.operation.startswith("embed")]
    assert {entry.cost.amount for entry in whole} <= prices
    assert cost_of(saved) == cost_of(hits)

    # Budgets have spent the same, each attempt rounded up, and hold nothing back.
    assert all(not any(balance.reserved) for balance in balances)
    money, tokens = sum(nanos(each.cost.amount) for each in consumed), tokens_of(consumed)
    everybody = [balance.spent for balance in balances if balance.key.startswith("global")]
    each_user = [balance.spent for balance in balances if balance.key.startswith("user=")]
    for spending in (everybody, each_user):
        assert sum(it.money for it in spending) == money
        assert sum(it.tokens for it in spending) == tokens
