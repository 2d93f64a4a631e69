import gc
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import anyio
import pytest

from fairlead.core.bounds import Amounts, Bounds
from fairlead.core.budgets import (
    NOTHING,
    AssumedPrice,
    BudgetLimit,
    BudgetOptions,
    Consumption,
    nanos,
)
from fairlead.core.calls import Operation
from fairlead.core.embeddings import Embedding
from fairlead.core.errors import (
    CertificateError,
    ConfigurationError,
    InvalidResponseError,
    OutputTruncatedError,
    OverloadedError,
    ProviderConnectionError,
    ProviderTimeoutError,
    ResponseTooLargeError,
    ServerError,
    StoreError,
    StreamInterruptedError,
)
from fairlead.core.events import TextDelta
from fairlead.core.messages import Image, Message, Reasoning, Role, Text, ToolCall
from fairlead.core.refusals import BudgetExceededError, CircuitOpenError
from fairlead.core.results import Generation
from fairlead.core.tokens import FACTOR, count_request, most_tokens
from fairlead.core.usage import Cost, Usage
from fairlead.decorators._base import Decorator
from fairlead.decorators.breaker import CircuitBreakerProvider
from fairlead.decorators.budget import MAX_TOLD, BudgetProvider
from fairlead.decorators.local_budgets import LocalBudgetStore
from tests.support.logs import ListLog
from tests.support.prices import Priced, flat_price
from tests.unit.core.fakes import METADATA, WAIT, Scripted, Source, generating, words

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()
HI = Usage(input_tokens=3, output_tokens=2)
"""What the scripted provider says that a call has used."""
PRICE = flat_price()
COST = nanos(PRICE.cost(HI).amount)


class Vendor(Priced, Scripted):
    """One whose price is known, and which may tell other usage and cost."""

    usage = HI
    cost = None
    parts = ()

    async def _generate(self, call):
        answer = await super()._generate(call)
        metadata = replace(answer.metadata, usage=self.usage, cost=self.cost, parts=self.parts)
        return Generation(str(answer), metadata)


class Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now


class Ledger(LocalBudgetStore):
    """A store whose clock stands still."""

    def __init__(self):
        self.clock = Clock()
        super().__init__(wall=self.clock)

    def books(self, key="global in all"):
        return self._accounts[key].books(self.clock.now)


def budgeted(inner=None, *limits, store=None, listeners=(), log=None, **options):
    inner = inner or Vendor("ho", embedding_model="e")
    options = BudgetOptions(limits=limits or (BudgetLimit(money=100),), **options)
    return BudgetProvider(
        inner, options=options, store=store or Ledger(), listeners=listeners, log=log
    )


def books(provider, key="global in all"):
    return provider._reservations._store.books(key)


def spent(provider, key="global in all"):
    done, reserved = books(provider, key)
    assert reserved == NOTHING
    return done


async def test_without_limits_nothing_is_counted():
    vendor = Scripted("ho")

    assert await BudgetProvider(vendor).generate("hi") == "ho"
    assert vendor.requests[0].max_tokens is None


async def test_an_answer_is_settled_at_what_it_cost():
    provider = budgeted()

    answer = await provider.generate("hi", max_tokens=10)

    assert answer.warnings == ()
    assert spent(provider) == Consumption(COST, 5, 1)


async def test_the_vendors_own_cost_is_preferred():
    vendor = Vendor("ho")
    vendor.cost = Cost(amount=Decimal("0.5"), source="vendor")
    provider = budgeted(vendor)

    await provider.generate("hi", max_tokens=10)

    assert spent(provider).money == nanos(Decimal("0.5"))


async def test_while_it_runs_it_is_reserved():
    provider = budgeted(Vendor("ho", seconds=1), bound="strict")
    bound = most_tokens(generating("hi").request)

    async with anyio.create_task_group() as group:
        group.start_soon(lambda: provider.generate("hi", max_tokens=10))
        await anyio.sleep(0.5)
        assert books(provider) == (
            NOTHING,
            Consumption(nanos(PRICE.bound(bound, 10)), bound + 10, 1),
        )
    assert spent(provider).calls == 1


async def test_expected_is_an_estimate_with_a_margin():
    provider = budgeted(Vendor("ho", seconds=1))

    async with anyio.create_task_group() as group:
        group.start_soon(lambda: provider.generate("hi" * 400, max_tokens=10))
        await anyio.sleep(0.5)
        reserved = books(provider)[1].tokens - 10
    estimate = 800 * 0.23 + 6
    assert estimate * FACTOR <= reserved <= estimate * FACTOR + 2


async def test_what_does_not_fit_is_refused_and_nothing_is_sent():
    vendor = Vendor("ho")
    store = Ledger()
    provider = budgeted(vendor, BudgetLimit(scope="user", money="0.02", per="day"), store=store)
    await provider.generate("hi", max_tokens=2, tags={"user": "ann"})

    with pytest.raises(BudgetExceededError) as refused:
        await provider.generate("hi", max_tokens=100, tags={"user": "ann"})

    error = refused.value
    assert len(vendor.asked) == 1
    assert (error.scope, error.unit, error.limit) == ("user=ann", "USD", Decimal("0.02"))
    assert (error.spent, error.reserved) == (Decimal("0.007"), 0)
    assert error.needed > Decimal("0.2")
    assert error.resets_at == datetime(2026, 11, 26, tzinfo=UTC)
    assert error.retry_after == 12 * 3600
    assert error.sent is False
    assert "0.02 USD per day for user=ann, 0.007 USD are spent" in str(error)
    assert "comes back at 2026-11-26 00:00:00 UTC" in str(error)
    assert [it.outcome for it in error.attempts] == ["skipped"]
    assert spent(provider, "user=ann per day").calls == 1
    await provider.generate("hi", max_tokens=2, tags={"user": "bob"})
    store.clock.now += 86400
    await provider.generate("hi", max_tokens=2, tags={"user": "ann"})


async def test_nothing_of_any_scope_is_taken_if_one_is_full():
    provider = budgeted(
        None, BudgetLimit(money=100), BudgetLimit(scope="user", calls=1), bound="strict"
    )
    await provider.generate("hi", max_tokens=1, tags={"user": "ann"})
    before = books(provider)

    with pytest.raises(BudgetExceededError) as refused:
        await provider.generate("hi", max_tokens=1, tags={"user": "ann"})

    assert refused.value.unit == "calls"
    assert refused.value.resets_at is None
    assert refused.value.retry_after is None
    assert "1 call in all for user=ann, 1 call is spent and 0 calls reserved" in str(refused.value)
    assert books(provider) == before


async def test_those_without_a_tag_share_one_account():
    provider = budgeted(None, BudgetLimit(scope="user", calls=1))
    await provider.generate("hi")

    with pytest.raises(BudgetExceededError, match="for user="):
        await provider.generate("hi")
    await provider.generate("hi", tags={"user": "ann"})


async def test_a_limit_of_one_value_is_nobody_elses():
    provider = budgeted(None, BudgetLimit(scope="user", only="ann", calls=0))

    await provider.generate("hi", tags={"user": "bob"})
    with pytest.raises(BudgetExceededError):
        await provider.generate("hi", tags={"user": "ann"})


async def test_targets_that_share_a_store_share_the_money():
    store = Ledger()
    first, second = (budgeted(None, BudgetLimit(calls=2), store=store) for _ in range(2))
    await first.generate("hi")
    await second.generate("hi")

    for provider in (first, second):
        with pytest.raises(BudgetExceededError):
            await provider.generate("hi")


async def test_who_names_no_max_tokens_gets_what_the_money_buys():
    vendor = Vendor("ho", max_output_tokens=10_000)
    provider = budgeted(vendor, BudgetLimit(money="0.2"))

    answer = await provider.generate("hi")

    [request] = vendor.requests
    price = PRICE.bound(4, request.max_tokens)
    assert 80 < request.max_tokens < 100
    assert price <= Decimal("0.2")
    [warning] = answer.warnings
    assert warning.startswith(f"max_tokens was set to {request.max_tokens} by the budget")
    assert vendor.asked[0].given["max_tokens"] == request.max_tokens


async def test_who_can_pay_for_all_the_model_may_say_is_left_alone():
    vendor = Vendor("ho", max_output_tokens=100)
    provider = budgeted(vendor)

    answer = await provider.generate("hi")

    assert vendor.requests[0].max_tokens is None
    assert answer.warnings == ()


async def test_where_nobody_knows_the_ceiling_one_is_set():
    vendor = Vendor("ho")
    provider = budgeted(vendor, output=500)

    answer = await provider.generate("hi")
    stream = await provider.generate_stream("hi")

    assert [request.max_tokens for request in vendor.requests] == [500, 500]
    assert len(answer.warnings) == 1
    assert (await stream.collect()).warnings == answer.warnings


async def test_a_token_limit_cuts_as_well():
    vendor = Vendor("ho", max_output_tokens=10_000)
    provider = budgeted(vendor, BudgetLimit(tokens=300))

    await provider.generate("hi")

    assert 200 < vendor.requests[0].max_tokens < 300
    assert spent(provider)[1:] == (5, 1)


async def test_what_buys_next_to_nothing_is_refused():
    provider = budgeted(Vendor("ho", max_output_tokens=1000), BudgetLimit(money="0.02"))

    with pytest.raises(BudgetExceededError):
        await provider.generate("hi")
    provider = budgeted(
        Vendor("ho", max_output_tokens=1000), BudgetLimit(money="0.02"), least_output=2
    )
    await provider.generate("hi")


async def test_only_calls_are_counted_where_only_they_are_limited():
    vendor = Scripted("ho")  # of unknown price
    provider = budgeted(vendor, BudgetLimit(calls=5))

    answer = await provider.generate("hi")

    assert answer.warnings == ()
    assert vendor.requests[0].max_tokens is None
    assert spent(provider) == Consumption(0, 5, 1)


async def test_vectors_have_no_output():
    vendor = Vendor("ho", embedding_model="e")
    provider = budgeted(vendor)

    vectors = await provider.embed_batch(["hi", "ho"])
    vector = await provider.embed("hi")

    assert vectors.metadata.warnings == ()
    assert vector.metadata.warnings == ()
    assert 0 < spent(provider).tokens < 20
    assert spent(provider).calls == 2


class Bare(Vendor):
    """Gives one vector that tells nothing."""

    async def handle(self, call):
        await super().handle(call)
        return Embedding([1.0])


async def test_a_vector_that_tells_nothing_is_estimated():
    provider = budgeted(Bare("ho", embedding_model="e"))

    await provider.embed("hi")

    assert spent(provider).tokens == 1


async def test_what_costs_nothing_needs_no_price():
    class Free(Scripted):
        def bounds(self, operation):
            return Bounds.once(Amounts(seconds=1.0, tokens=None, money=Decimal(0)))

    vendor = Free("ho")
    provider = budgeted(CircuitBreakerProvider(vendor))

    for _ in range(2):
        assert (await provider.generate("hi")).warnings == ()
    assert vendor.requests[0].max_tokens is None
    assert spent(provider) == Consumption(0, 10, 2)


async def test_unpriced_models_are_denied_by_default():
    vendor = Scripted("ho")
    provider = budgeted(vendor)

    with pytest.raises(BudgetExceededError, match="nobody knows what scripted:m costs"):
        await provider.generate("hi")
    assert vendor.asked == []


async def test_unpriced_models_may_be_allowed():
    provider = budgeted(Scripted("ho"), unpriced="allow")

    answer = await provider.generate("hi")

    assert answer.warnings == (
        "nobody knows what scripted:m costs, so the budget does not count it",
    )
    assert spent(provider) == Consumption(0, 5, 1)


async def test_unpriced_models_may_be_taken_to_cost_something():
    provider = budgeted(Scripted("ho"), unpriced=AssumedPrice(input=1000, output=2000))

    await provider.generate("hi", max_tokens=10)

    assert spent(provider) == Consumption(COST, 5, 1)


async def test_a_strict_budget_takes_no_pictures():
    prompt = [Message(Role.USER, (Text("what is it?"), Image(url="https://example.com/a.png")))]
    provider = budgeted(bound="strict")

    with pytest.raises(BudgetExceededError, match="pictures"):
        await provider.generate(prompt, max_tokens=10)
    assert await budgeted().generate(prompt, max_tokens=10) == "ho"


@pytest.mark.parametrize(
    "error",
    [
        ServerError("never left", sent=False),
        CircuitOpenError("open"),
        BudgetExceededError("another one's"),
    ],
)
async def test_what_was_never_sent_is_released(error):
    provider = budgeted(Vendor(error))

    with pytest.raises(type(error)):
        await provider.generate("hi", max_tokens=10)
    assert spent(provider) == NOTHING


async def test_who_would_be_refused_reserves_nothing():
    inner = CircuitBreakerProvider(Vendor("ho"))
    inner.breaker("m").isolate()
    provider = budgeted(inner, BudgetLimit(calls=0))

    with pytest.raises(CircuitOpenError):
        await provider.generate("hi")


@pytest.mark.parametrize("status", [400, 401, 429, 500, 503])
async def test_what_the_vendor_refused_is_a_call_and_no_money(status):
    provider = budgeted(Vendor(ServerError("no", status_code=status, sent=True)))

    with pytest.raises(ServerError):
        await provider.generate("hi", max_tokens=10)
    assert spent(provider) == Consumption(0, 0, 1)


@pytest.mark.parametrize(
    "error",
    [
        ProviderTimeoutError("late", sent=True),
        ProviderTimeoutError("late"),
        ServerError("gateway", status_code=504),
        ServerError("an error event", status_code=200, sent=True),
        RuntimeError("whatever"),
    ],
)
async def test_what_the_vendor_may_have_worked_on_is_booked_at_its_input(error):
    provider = budgeted(Vendor(error), bound="strict")

    with pytest.raises(type(error)):
        await provider.generate("hi", max_tokens=10)
    booked = spent(provider)
    assert booked.calls == 1
    assert booked.tokens == count_request(generating("hi").request)  # and no output
    assert booked.money == nanos(PRICE.bound(booked.tokens, 0))


def cut_off(error, words, **usage):
    told = Usage(**usage) if usage else None
    error.partial = Generation(words, replace(METADATA, usage=told))
    return error


@pytest.mark.parametrize(
    "error",
    [
        ProviderTimeoutError("late", sent=True),
        ProviderTimeoutError("late", sent=False),
        ProviderConnectionError("gone", sent=True),
        ProviderConnectionError("nobody knows"),
        ServerError("gateway", status_code=504),
        ServerError("an error event", status_code=200, sent=True),
        ServerError("never begun", sent=True),
        OverloadedError("no", status_code=529, sent=True),
        InvalidResponseError("half of it", sent=True),
        InvalidResponseError("a page", misconfigured=True, status_code=200, sent=True),
        ResponseTooLargeError("too much", sent=True),
        CertificateError("whose is it?"),
        RuntimeError("whatever"),
        cut_off(OutputTruncatedError("cut"), "{", input_tokens=3, output_tokens=2),
        cut_off(OutputTruncatedError("cut"), '{"words": "of no use"}'),
        cut_off(ServerError("gone", status_code=500), "word " * 9, input_tokens=7, output_tokens=1),
    ],
    ids=repr,
)
async def test_budgets_and_journals_tell_the_same_of_failures(error):
    provider = budgeted(Vendor(error))
    call = generating("Good evening. How are you today?", max_tokens=10)

    with pytest.raises(type(error)):
        await call.on(provider)

    [attempt] = call.journal
    booked = spent(provider)
    assert booked.money == (0 if attempt.cost is None else nanos(attempt.cost.amount))
    assert booked.tokens == (0 if attempt.usage is None else total(attempt.usage))
    assert (attempt.usage is None) == (attempt.cost is None)


def total(usage):
    return usage.input_tokens + usage.output_tokens


async def test_budgets_and_journals_tell_the_same_of_what_is_left():
    provider = budgeted(Vendor(Source([TextDelta("word " * 100)], WAIT)))

    async with provider.generate_stream("hi", max_tokens=10_000) as stream:
        assert await anext(stream)

    [attempt] = stream.metadata.journal
    assert spent(provider) == Consumption(nanos(attempt.cost.amount), total(attempt.usage), 1)
    assert attempt.usage.output_tokens > 80


async def test_an_answer_that_was_cut_is_booked_as_it_is():
    cut = OutputTruncatedError("cut")
    cut.partial = Generation("{", replace(generating_metadata(), usage=HI))
    provider = budgeted(Vendor(cut))

    with pytest.raises(OutputTruncatedError):
        await provider.generate("hi", max_tokens=10)
    assert spent(provider) == Consumption(COST, 5, 1)


def generating_metadata():
    from fairlead.core.results import Metadata

    return Metadata(provider="scripted", model="m")


async def test_without_usage_what_was_read_and_said_is_estimated():
    vendor = Vendor("word " * 60)
    vendor.usage = None
    vendor.parts = (
        Text("word " * 60),
        Reasoning("thinking " * 40),
        ToolCall(id="1", name="look", arguments='{"where": "there"}'),
    )
    provider = budgeted(vendor)

    await provider.generate("hi", max_tokens=1000)

    assert 120 < spent(provider).tokens < 200


async def test_a_strict_budget_never_books_an_estimate_beyond_what_was_reserved():
    vendor = Vendor("word " * 600)
    vendor.usage = None
    provider = budgeted(vendor, bound="strict")

    await provider.generate("hi", max_tokens=10)

    bound = most_tokens(generating("hi").request)
    assert spent(provider).tokens == bound + 10
    assert spent(provider).money == nanos(PRICE.bound(bound, 10))


async def test_what_the_vendor_tells_is_booked_even_if_it_is_more():
    vendor = Vendor("ho")
    vendor.usage = Usage(input_tokens=30_000, output_tokens=0)
    provider = budgeted(vendor, bound="strict")

    await provider.generate("hi", max_tokens=10)

    assert spent(provider).tokens == 30_000


async def test_a_stream_is_settled_when_it_has_ended():
    provider = budgeted(Vendor(lambda: words("h", "o")))

    stream = await provider.generate_stream("hi", max_tokens=10)
    assert books(provider)[1].calls == 1
    await stream.collect()

    assert spent(provider) == Consumption(COST, 5, 1)


async def test_a_stream_that_is_left_is_booked_at_what_was_seen():
    provider = budgeted(Vendor(Source([TextDelta("word " * 100)], WAIT)))

    async with provider.generate_stream("hi", max_tokens=10_000) as stream:
        assert await anext(stream)

    assert 80 < spent(provider).tokens < 150


async def test_a_stream_that_breaks_off_is_booked_at_what_was_seen():
    source = Source([TextDelta("word " * 100)], ServerError("gone", status_code=500))
    provider = budgeted(Vendor(source))

    with pytest.raises(StreamInterruptedError):
        await provider.generate_stream("hi", max_tokens=10_000).collect()
    assert 80 < spent(provider).tokens < 150


async def test_a_stream_that_is_dropped_is_booked():
    provider = budgeted(Vendor(Source([TextDelta("word")], WAIT)))

    stream = await provider.generate_stream("hi", max_tokens=10)
    del stream
    gc.collect()

    assert spent(provider).calls == 1


async def test_what_the_vendor_had_told_of_a_failed_answer_is_booked():
    error = ServerError("gone", status_code=500)
    usage = Usage(input_tokens=700, output_tokens=1)
    error.partial = Generation("word " * 100, replace(generating_metadata(), usage=usage))
    provider = budgeted(Vendor(error))

    with pytest.raises(ServerError):
        await provider.generate("hi", max_tokens=10)

    assert 780 < spent(provider).tokens < 850


async def test_soft_limits_are_told_once_in_a_window():
    store, log, told = Ledger(), ListLog(), []
    limits = (
        BudgetLimit(calls=10, per="day", soft=0.2),
        BudgetLimit(scope="user", calls=4, rolling=60, soft=0.5),
        BudgetLimit(money=100),
    )
    provider = budgeted(None, *limits, store=store, listeners=(told.append,), log=log)
    for _ in range(4):
        await provider.generate("hi", max_tokens=1, tags={"user": "ann"})

    assert [(alert.scope, alert.spent.calls) for alert in told] == [("global", 2), ("user=ann", 2)]
    assert told[0].limit is limits[0]
    assert told[0].resets_at == datetime(2026, 11, 26, tzinfo=UTC)
    assert [event for _, event in log.told] == ["a budget's soft limit is reached"] * 2
    store.clock.now += 86400
    for _ in range(3):
        await provider.generate("hi", max_tokens=1, tags={"user": "bob"})
    assert [alert.scope for alert in told[2:]] == ["global", "user=bob"]


async def test_a_listener_that_fails_fails_no_call():
    def listen(alert):
        raise RuntimeError("deaf")

    provider = budgeted(None, BudgetLimit(calls=5, soft=0.1), listeners=(listen,))
    await provider.generate("hi")

    answer = await provider.generate("hi")

    assert any("a listener of the budget failed" in (it.reason or "") for it in answer.attempts)
    assert spent(provider).calls == 2


async def test_little_is_remembered():
    provider = budgeted(None, BudgetLimit(scope="user", calls=5, soft=0.1))
    for number in range(MAX_TOLD + 5):
        for _ in range(2):
            await provider.generate("hi", tags={"user": str(number)})

    assert len(provider._told_of) == MAX_TOLD
    assert len(provider._known) <= MAX_TOLD


class Broken(Ledger):
    """Fails at whatever it is asked."""

    async def reserve(self, *wish):
        raise StoreError("the disk is full")


async def test_a_store_that_fails_fails_no_call():
    log = ListLog()
    provider = budgeted(None, store=Broken(), log=log)

    answer = await provider.generate("hi")
    stream = await provider.generate_stream("hi")

    [warning] = answer.warnings
    assert warning == (
        "no budget was kept for this call, as its store failed: StoreError: the disk is full"
    )
    assert (await stream.collect()).warnings == answer.warnings
    assert "the budget store failed" in answer.attempts[0].reason
    level, event, fields = log.lines[0]
    assert (level, event, fields["allowed"]) == ("error", "the budget store failed", True)


async def test_a_store_that_fails_may_stop_all_calls():
    vendor = Vendor("ho")
    provider = budgeted(vendor, store=Broken(), on_store_failure="deny")

    with pytest.raises(BudgetExceededError, match="the disk is full"):
        await provider.generate("hi")
    assert vendor.asked == []


def test_a_budget_is_told_in_words():
    provider = budgeted(None, BudgetLimit(money=5, per="day"), bound="strict")

    assert "limits='global: 5 USD per day'" in repr(provider)
    assert "bound='strict'" in repr(provider)
    assert "limits='none'" in repr(BudgetProvider(Scripted("ho")))


def test_a_strict_budget_bounds_what_a_call_costs():
    limits = (
        BudgetLimit(money=5),
        BudgetLimit(money=3, per="day"),
        BudgetLimit(scope="user", money=1),
    )

    strict = budgeted(None, *limits, bound="strict")
    assert strict.bounds(Operation.GENERATE).money == 3
    assert budgeted(None, *limits).bounds(Operation.GENERATE).money is None
    assert (
        budgeted(None, *limits, bound="strict", unpriced="allow").bounds(Operation.GENERATE).money
        is None
    )


def test_options_are_checked():
    with pytest.raises(ConfigurationError, match="options"):
        BudgetProvider(Scripted("ho"), options={"limits": ()})


async def test_it_closes_what_is_inside():
    vendor = Vendor("ho")

    await budgeted(vendor).aclose()

    assert vendor.closed == 1


async def test_the_store_here_forgets_those_whose_window_is_over():
    clock = Clock()
    store = LocalBudgetStore(most_accounts=2, wall=clock)
    provider = budgeted(None, BudgetLimit(scope="user", calls=1, per="day"), store=store)
    await provider.generate("hi", tags={"user": "ann"})
    clock.now += 86400
    for user in ("bob", "cid", "dan"):
        await provider.generate("hi", tags={"user": user})

    assert [balance.key for balance in await store.balances()] == [
        "user=cid per day",
        "user=dan per day",
    ]
    assert repr(store) == "<LocalBudgetStore of 2 accounts>"
    with pytest.raises(ConfigurationError):
        LocalBudgetStore(most_accounts=0)


async def test_the_store_here_forgets_nobody_who_runs():
    store = LocalBudgetStore(most_accounts=1, wall=Clock())
    vendor = Vendor("ho", seconds=1)
    provider = budgeted(vendor, BudgetLimit(scope="user", calls=1), store=store)

    async with anyio.create_task_group() as group:
        for user in ("ann", "bob"):
            group.start_soon(lambda user=user: provider.generate("hi", tags={"user": user}))
        await anyio.sleep(0.5)
        assert [it.reserved.calls for it in await store.balances()] == [1, 1]
    assert [it.spent.calls for it in await store.balances()] == [1, 1]


async def test_the_store_here_can_be_corrected():
    provider = budgeted(None, BudgetLimit(calls=1))
    store = provider._reservations._store
    await provider.generate("hi")

    await store.adjust("global in all", Consumption(0, 0, -1))
    await provider.generate("hi")

    with pytest.raises(ValueError, match="no account 'x'"):
        await store.adjust("x", NOTHING)
    assert await store.presumed() == ()
    await store.settle()
    await store.renew(())
    await store.aclose()


async def test_a_policy_inside_may_be_any():
    assert await budgeted(Decorator(Vendor("ho"))).generate("hi", max_tokens=3) == "ho"
