"""What attempts and answers say that they cost."""

from dataclasses import replace
from decimal import Decimal

import anyio
import pytest

from fairlead.core.bounds import bounds_of
from fairlead.core.calls import Operation
from fairlead.core.embeddings import Embedding, EmbeddingMetadata, Embeddings, EmbeddingSpace
from fairlead.core.errors import OutputTruncatedError, OverloadedError, StreamInterruptedError
from fairlead.core.events import StreamEnd, StreamStart, TextDelta
from fairlead.core.outcomes import priced
from fairlead.core.prices import Price, Tariff, UnitRate
from fairlead.core.results import FinishReason, Generation
from fairlead.core.usage import Cost, Usage
from tests.unit.core.fakes import END, WAIT, Scripted, Source, embedding, generating

D = Decimal
USAGE = Usage(input_tokens=1_000_000, output_tokens=0)
TOLD = Cost(amount=D("0.5"), source="the vendor")


def price(model, rate, *, exact=True, **tiers):
    usual = Tariff(rates={"input": UnitRate(D(rate)), "output": UnitRate(D(0))})
    served = [
        Tariff(rates={"input": UnitRate(D(each))}, service_tier=name)
        for name, each in tiers.items()
    ]
    return Price(model=model, source="book", exact=exact, tariffs=(usual, *served))


class Book(dict):
    """Prices by model; it remembers who was asked for."""

    def __init__(self, *prices, **named):
        super().__init__({each.model: each for each in prices}, **named)
        self.asked = []

    def price(self, provider, model, /):
        self.asked.append((provider, model))
        return self.get(model)


class Answering(Scripted):
    """Answers with *usage*, *cost* and *details* besides."""

    def __init__(self, *script, book, usage=USAGE, cost=None, said="m", details=None, **known):
        super().__init__(*script, **known)
        self.prices = book
        self.facts = {"usage": usage, "cost": cost, "details": details or {}}
        self.said = said

    async def _generate(self, call):
        answer = await super()._generate(call)
        known = replace(answer.metadata, model=self.said, **self.facts)
        return Generation(str(answer), known)

    async def _embed(self, call):
        await self._next(call)
        space = EmbeddingSpace(model=self.said, dimensions=1)
        facts = {name: self.facts[name] for name in ("usage", "cost")}
        metadata = EmbeddingMetadata(
            provider="scripted", space=space, journal=call.journal, **facts
        )
        return Embeddings([Embedding([1.0], metadata)] * len(call.embedding.texts), metadata)


def ended(model=None, usage=USAGE, **facts):
    events = [TextDelta("ho")], [StreamEnd(FinishReason.STOP, usage=usage, **facts)]
    return Source(*(([StreamStart(model=model)],) if model else ()), *events)


@pytest.mark.anyio
async def test_an_answer_and_its_attempt_tell_the_same_cost():
    answer = await Answering("ho", book=Book(price("m", 3))).generate("hi")

    [attempt] = answer.attempts
    assert answer.cost == attempt.cost
    assert (answer.cost.amount, answer.cost.source, answer.cost.matched) == (3, "book", "m")


@pytest.mark.anyio
async def test_what_the_vendor_tells_comes_first():
    answer = await Answering("ho", book=Book(price("m", 3)), cost=TOLD).generate("hi")

    assert answer.cost == TOLD
    assert answer.attempts[0].cost == TOLD


@pytest.mark.anyio
@pytest.mark.parametrize("book, usage", [(Book(), USAGE), (Book(price("m", 3)), None)])
async def test_what_nobody_knows_is_none(book, usage):
    answer = await Answering("ho", book=book, usage=usage).generate("hi")

    assert answer.cost is None
    assert answer.attempts[0].cost is None


@pytest.mark.anyio
async def test_by_default_nobody_knows():
    answer = await Scripted("ho").generate("hi")

    assert answer.cost is None


@pytest.mark.anyio
async def test_a_book_that_raises_knows_nothing():
    class Broken:
        def price(self, provider, model, /):
            raise OSError

    provider = Answering("ho", book=Broken(), context_window=10)

    assert (await provider.generate("hi")).cost is None
    assert provider.plan(generating()).first.price is None
    assert bounds_of(provider, Operation.GENERATE).money is None


@pytest.mark.anyio
@pytest.mark.parametrize(
    "asked, told, expected",
    [
        ((None, True), (2, True), 2),
        ((1, True), (2, True), 2),
        ((1, True), (2, False), 2),
        ((1, True), (None, True), 1),
        ((None, True), (None, True), None),
    ],
)
async def test_the_model_that_answered_is_priced_and_else_the_one_that_was_asked(
    asked, told, expected
):
    found = {"m": asked, "m-2026": told}
    book = Book(*(price(name, rate, exact=exact) for name, (rate, exact) in found.items() if rate))

    cost = (await Answering("ho", book=book, said="m-2026").generate("hi")).cost

    assert (None if cost is None else cost.amount) == expected


@pytest.mark.anyio
async def test_the_dated_name_of_what_was_asked_by_its_own_is_as_exact():
    named = price("m", 3)
    book = Book(named, **{"m-2026": replace(named, exact=False)})

    cost = (await Answering("ho", book=book, said="m-2026").generate("hi")).cost

    assert cost.exact
    assert (await Answering("ho", book=book, said="m-2026").generate("hi", model="n")).cost == (
        replace(cost, exact=False)
    )


@pytest.mark.anyio
@pytest.mark.parametrize(
    "details, amount", [({"service_tier": "flex"}, 1), ({"service_tier": 7}, 3), ({}, 3)]
)
async def test_the_service_tier_that_the_vendor_tells_counts(details, amount):
    provider = Answering("ho", book=Book(price("m", 3, flex=1)), details=details)

    assert (await provider.generate("hi")).cost.amount == amount


@pytest.mark.anyio
async def test_vectors_cost_too_one_or_many():
    provider = Answering("", book=Book(price("e", 3)), said="e", embedding_model="e")

    one = await provider.embed("a")
    batch = await provider.embed_batch(["a", "b"])

    assert one.metadata.cost.amount == 3
    assert batch.metadata.cost == batch[1].metadata.cost == one.metadata.cost
    assert batch.metadata.journal.attempts[0].cost == one.metadata.cost


@pytest.mark.anyio
async def test_vectors_whose_cost_is_told_or_unknown_are_left_alone():
    told = Answering("", book=Book(price("e", 3)), said="e", cost=TOLD, embedding_model="e")
    unknown = Answering("", book=Book(), said="e", embedding_model="e")

    assert (await told.embed("a")).metadata.cost == TOLD
    assert (await unknown.embed_batch(["a"])).metadata.cost is None


@pytest.mark.anyio
@pytest.mark.parametrize("model, amount", [(None, 3), ("n", 5)])
async def test_a_stream_knows_its_cost_when_it_has_ended(model, amount):
    provider = Answering(lambda: ended(model), book=Book(price("m", 3), price("n", 5)))

    async with provider.generate_stream("hi") as stream:
        events = [event async for event in stream.events()]

    [attempt] = stream.generation.attempts
    assert stream.generation.cost.amount == amount
    assert stream.generation.cost == attempt.cost == events[-1].cost


@pytest.mark.anyio
async def test_a_stream_that_tells_its_cost_is_believed():
    provider = Answering(lambda: ended(cost=TOLD), book=Book(price("m", 3)))

    stream = await provider.generate_stream("hi")

    assert (await stream.collect()).cost == TOLD


@pytest.mark.anyio
async def test_a_stream_that_is_over_in_one_read_knows_the_model_that_it_tells():
    batch = [StreamStart(), StreamStart(model="n"), TextDelta("ho"), replace(END, usage=USAGE)]
    provider = Answering(lambda: Source(batch), book=Book(price("m", 3), price("n", 5)))

    stream = await provider.generate_stream("hi")

    assert (await stream.collect()).cost.amount == 5
    assert batch[-1].cost is None  # it may be somebody's own


@pytest.mark.anyio
@pytest.mark.parametrize("tier, amount", [("flex", 1), ("default", 3)])
async def test_a_stream_was_served_as_it_says(tier, amount):
    details = {"service_tier": tier}
    provider = Answering(lambda: ended(details=details), book=Book(price("m", 3, flex=1)))

    assert (await (await provider.generate_stream("hi")).collect()).cost.amount == amount


def test_only_an_end_with_usage_is_priced():
    def never(*asked):
        raise AssertionError(asked)

    for events in ([TextDelta("a")], [StreamEnd(FinishReason.STOP)], [replace(END, cost=TOLD)]):
        assert priced(events, never, "m") is events


@pytest.mark.anyio
async def test_the_first_who_can_reckon_is_kept():
    inner = Answering(ended, book=Book(price("m", 3)))

    class Wrapping:
        name = "outer"

        async def generate_stream(self, prompt, **options):
            return await inner.generate_stream(prompt)

    from fairlead.core.adapt import adapt

    outer = adapt(Wrapping())
    outer.prices = Book(price("m", 50))

    assert (await (await outer.generate_stream("hi")).collect()).cost.amount == 3


@pytest.mark.anyio
async def test_an_answer_that_was_cut_is_paid_for():
    cut = StreamEnd(FinishReason.LENGTH, usage=USAGE)
    book = Book(price("m", 3))

    class Cut(Answering):
        async def _generate(self, call):
            answer = await super()._generate(call)
            known = replace(
                answer.metadata,
                finish_reason=FinishReason.LENGTH,
                response_format=call.generation.response_format,
            )
            return Generation(str(answer), known)

    with pytest.raises(OutputTruncatedError) as caught:
        await Cut("{", book=book).generate("hi", response_format={"type": "object"})
    assert caught.value.attempts[0].cost.amount == 3
    assert caught.value.partial.cost.amount == 3

    streaming = Answering(lambda: Source([TextDelta("{")], [cut]), book=book)
    with pytest.raises((OutputTruncatedError, StreamInterruptedError)) as caught:
        stream = await streaming.generate_stream("hi", response_format={"type": "object"})
        await stream.collect()
    assert caught.value.attempts[0].cost.amount == 3


@pytest.mark.anyio
async def test_what_failed_costs_nothing_and_what_was_left_costs_its_estimate():
    book = Book(price("m", 3))
    failing = generating()
    with pytest.raises(OverloadedError):
        await failing.on(Answering(OverloadedError("x"), book=book))
    left = generating(clock=anyio.current_time)
    with anyio.move_on_after(1):
        await left.on(Answering("ho", book=book, seconds=9))
    provider = Answering(lambda: Source([TextDelta("hi")], WAIT), book=book)
    async with provider.generate_stream("hi") as stream:
        pass

    assert [attempt.cost for attempt in failing.journal] == [None]
    for journal in (left.journal, stream.metadata.journal):
        [cost] = [attempt.cost for attempt in journal]
        assert cost.amount > 0
        assert cost.estimated


def test_a_plan_tells_the_price_and_is_made_anew_when_that_changes():
    book = Book(price("m", 3))
    provider = Answering("ho", book=book)

    plan = provider.plan(generating())
    assert plan.first.price is book["m"]
    assert provider.plan(generating()) is plan
    book["m"] = price("m", 4)
    assert provider.plan(generating()).first.price is book["m"]
    assert provider.plan(generating(model="other")).first.price is None
    assert provider.plan(embedding()).targets[0].price is None


def test_a_book_is_asked_for_whoever_sends_the_bill():
    class Elsewhere(Answering):
        @property
        def billed_by(self):
            return "https://api.example.com/v1"

    book = Book()
    Answering("ho", book=book).price_of("m")
    Elsewhere("ho", book=book).price_of("m")

    assert book.asked == [("scripted", "m"), ("https://api.example.com/v1", "m")]


def test_an_attempt_is_bounded_by_window_and_price():
    book = Book(price("m", 3))

    def money(operation=Operation.GENERATE, **known):
        return bounds_of(Answering("ho", book=book, **known), operation).money

    assert money(context_window=1000) == D("0.003")
    assert money(Operation.STREAM, context_window=1000) == D("0.003")
    assert money(context_window=1000, model="n") is None
    assert money() is None
    assert money(Operation.EMBED, context_window=1000) is None


def test_the_most_that_a_model_says_bounds_what_it_costs():
    dear = Price(
        model="m",
        source="book",
        tariffs=(Tariff(rates={"input": UnitRate(D(1)), "output": UnitRate(D(10))}),),
    )
    provider = Answering("ho", book=Book(dear), context_window=1000, max_output_tokens=100)

    assert bounds_of(provider, Operation.GENERATE).money == D("0.0019")
