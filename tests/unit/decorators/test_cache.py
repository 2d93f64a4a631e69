"""Answers that were given before are given again."""

import logging
from dataclasses import replace
from decimal import Decimal

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.adapters.stores.memory import MemoryCache
from fairlead.core.bounds import bounds_of
from fairlead.core.caching import CacheControl, CacheMode
from fairlead.core.calls import Operation
from fairlead.core.errors import (
    AllTargetsFailedError,
    ConfigurationError,
    InvalidRequestError,
    ServerError,
)
from fairlead.core.events import (
    ReasoningDelta,
    RefusalDelta,
    StreamEnd,
    StreamStart,
    TextDelta,
    ToolCallDelta,
)
from fairlead.core.journal import Outcome
from fairlead.core.messages import Reasoning, Text, ToolCall
from fairlead.core.models import ModelInfo
from fairlead.core.results import FinishReason, Generation, Metadata
from fairlead.core.usage import Cost, Usage
from fairlead.decorators.cache import CacheProvider
from fairlead.decorators.fallback import FallbackProvider
from fairlead.decorators.hedge import HedgeProvider
from fairlead.decorators.key_pool import KeyPoolProvider
from fairlead.decorators.retry import RetryProvider
from fairlead.decorators.split import SplitProvider
from fairlead.testing import CUT, ScriptedProvider
from tests.support.clock import Clock
from tests.support.prices import FlatBook, flat_price
from tests.unit.core.fakes import METADATA

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]

USAGE = Usage(input_tokens=3, output_tokens=2)
COST = Cost(amount=Decimal("0.5"), source="vendor")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(clock):
    return MemoryCache(time=clock)


@pytest.fixture
def cached(store, clock):
    """A cache over a provider that says a new word each time; both are returned."""

    def build(script=None, *, name="scripted", model="scripted", **options):
        script = iter(f"answer {number}" for number in range(100)) if script is None else script
        vendor = ScriptedProvider(script, name=name, model=model, usage=USAGE)
        options = {"store": store, "time": clock, **options}
        return CacheProvider(vendor, **options), vendor

    return build


async def twice(provider, **options):
    options = {"temperature": 0, **options}
    return [str(await provider.generate("hi", **options)) for _ in range(2)]


HIT = ["answer 0", "answer 0"]
MISS = ["answer 0", "answer 1"]


# What takes part.


@pytest.mark.parametrize("options", [{"temperature": 0}, {"seed": 7}, {"cache": True}], ids=str)
async def test_who_asks_for_determinism_is_answered_from_the_cache(cached, options):
    provider, _ = cached()
    assert await twice(provider, **{"temperature": 1, **options}) == HIT


async def test_nobody_else_is(cached):
    provider, _ = cached()
    assert await twice(provider, temperature=1) == MISS


@pytest.mark.parametrize(
    "defaults, found", [({"temperature": 0}, HIT), ({"seed": 1}, HIT), ({}, MISS)]
)
async def test_a_targets_defaults_ask_for_it_too(cached, defaults, found):
    provider, vendor = cached()
    type(vendor).defaults = property(lambda self: defaults)
    try:
        assert await twice(provider, temperature=None) == found
        provider, _ = cached()
        assert await twice(provider, temperature=0.5) == (HIT if "seed" in defaults else MISS)
    finally:
        del type(vendor).defaults


@pytest.mark.parametrize("extra", [{"previous_response_id": "r"}, {"store": True}], ids=str)
async def test_what_leaves_something_at_the_vendor_is_never_kept(cached, extra):
    provider, _ = cached()
    assert await twice(provider, extra=extra, cache=True) == MISS


async def test_a_model_without_a_name_is_not_kept(cached):
    provider, _ = cached(model=ModelInfo())
    assert await twice(provider) == MISS


async def test_what_steers_fairlead_is_no_part_of_the_key(cached):
    provider, _ = cached()
    await provider.generate("hi", temperature=0)
    answer = await provider.generate(
        "hi", temperature=0, tags={"a": "b"}, request_id="mine", timeout=3, commit="any"
    )
    assert answer == "answer 0"
    assert answer.request_id == "mine"


async def test_an_unknown_extra_is_part_of_it(cached):
    provider, _ = cached()
    await provider.generate("hi", temperature=0)
    assert await provider.generate("hi", temperature=0, extra={"x": 1}) == "answer 1"


async def test_namespaces_do_not_see_each_other(cached, store):
    one, _ = cached(namespace="one")
    other, _ = cached(namespace="other")
    assert await twice(one) == HIT
    assert await other.generate("hi", temperature=0) == "answer 0"
    assert (await store.stats()).entries == 2


# Modes and times.


@pytest.mark.parametrize(
    "mode, found, kept",
    [
        ("on", "old", "old"),
        ("read_only", "old", "old"),
        ("write_only", "new", "new"),
        ("refresh", "new", "new"),
        ("off", "new", "old"),
    ],
)
@pytest.mark.parametrize("by", ["policy", "call"])
async def test_a_mode_says_what_is_done(cached, mode, found, kept, by):
    before, _ = cached(["old"])
    await before.generate("hi", temperature=0)
    provider, _ = cached(["new"], mode=mode if by == "policy" else "on")
    options = {} if by == "policy" else {"cache": mode}

    assert await provider.generate("hi", temperature=0, **options) == found
    after, _ = cached(["newest"])
    assert await after.generate("hi", temperature=0) == kept


async def test_read_only_keeps_nothing(cached):
    provider, _ = cached(mode=CacheMode.READ_ONLY)
    assert await twice(provider) == MISS


async def test_entries_are_over_after_their_time(cached, clock):
    provider, _ = cached(ttl=10)
    await provider.generate("hi", temperature=0)
    await provider.generate("ho", temperature=0, cache={"ttl": 20})
    clock.now += 10

    assert not (await provider.generate("hi", temperature=0)).cached
    assert (await provider.generate("ho", temperature=0)).cached


async def test_a_call_says_how_old_an_answer_may_be(cached, clock):
    provider, _ = cached()
    await provider.generate("hi", temperature=0)
    clock.now += 10

    assert await provider.generate("hi", cache=CacheControl(max_age=10), temperature=0) == HIT[0]
    assert await provider.generate("hi", cache={"max_age": 9}, temperature=0) == MISS[1]


async def test_an_entry_from_the_future_will_not_do(cached, clock):
    provider, _ = cached(ttl=3600)
    await provider.generate("hi", temperature=0)
    clock.now -= 61

    assert not (await provider.generate("hi", temperature=0)).cached


@pytest.mark.parametrize(
    "wish", [{"mode": "never"}, {"max_age": -1}, {"ttl": "1"}, "never"], ids=str
)
async def test_a_wish_without_sense_is_refused(cached, wish):
    provider, _ = cached()
    with pytest.raises(InvalidRequestError, match="cache: "):
        await provider.generate("hi", cache=wish)


@pytest.mark.parametrize("wish", [1, {"bypass": True}, b"?"], ids=str)
async def test_a_wish_of_another_kind_is_refused(cached, wish):
    provider, _ = cached()
    with pytest.raises(TypeError, match="cache "):
        await provider.generate("hi", cache=wish)


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "never"},
        {"ttl": -1},
        {"namespace": 1},
        {"together": 1},
        {"store": 1},
        {"store": MemoryCache},
    ],
    ids=str,
)
def test_arguments_are_checked(options):
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        CacheProvider(ScriptedProvider("x"), **options)


# What is kept.


@pytest.mark.parametrize(
    "answer",
    [
        [TextDelta("half"), StreamEnd(FinishReason.LENGTH)],
        [TextDelta("no"), StreamEnd(FinishReason.CONTENT_FILTER)],
        [RefusalDelta("no"), StreamEnd(FinishReason.REFUSAL)],
        [TextDelta("?"), StreamEnd(FinishReason.UNKNOWN)],
    ],
)
@pytest.mark.parametrize("streams", [False, True])
async def test_only_whole_answers_are_kept(cached, store, answer, streams):
    provider, vendor = cached([answer, answer])
    for _ in range(2):
        if streams:
            await provider.generate_stream("hi", temperature=0).collect()
        else:
            await provider.generate("hi", temperature=0)

    assert len(vendor.calls) == 2
    assert (await store.stats()).entries == 0


async def test_failures_are_not_kept(cached, store):
    provider, _ = cached([ServerError, ["a", CUT], "fine"])
    for _ in range(2):
        with pytest.raises(Exception, match=r"scripted|interrupted"):
            await provider.generate_stream("hi", temperature=0).collect()

    assert (await store.stats()).entries == 0
    assert await provider.generate("hi", temperature=0) == "fine"


async def test_a_stream_that_was_left_is_not_kept(cached, store):
    provider, _ = cached([["a", "b"]], single_flight=False)
    async with provider.generate_stream("hi", temperature=0) as stream:
        assert await anext(stream) == "a"
        stream.cancel()

    assert (await store.stats()).entries == 0


@pytest.mark.parametrize("single_flight", [True, False])
async def test_tool_calls_and_reasoning_are_replayed(cached, single_flight):
    answer = [Reasoning("hm", {"sig": "x"}, "o"), ToolCall("c1", "add", '{"a": 1}')]
    provider, vendor = cached([answer], single_flight=single_flight)

    first = await provider.generate_stream("hi", temperature=0).collect()
    again = await provider.generate("hi", temperature=0)

    assert again.metadata.parts == first.metadata.parts
    assert again.tool_calls[0].parse() == {"a": 1}
    assert again.reasoning == "hm"
    assert again.cached
    assert len(vendor.calls) == 1


async def test_a_plain_answer_replays_as_a_stream_of_its_parts(cached):
    metadata = replace(
        METADATA,
        finish_reason=FinishReason.STOP,
        usage=USAGE,
        cost=COST,
        response_id="id",
        parts=(Reasoning("hm"), Text("hello")),
    )
    provider, _ = cached([Generation("hello", metadata)])
    await provider.generate("hi", temperature=0)

    stream = await provider.generate_stream("hi", temperature=0)
    events = [event async for event in stream.events()]
    assert events == [
        StreamStart("id", "m"),
        ReasoningDelta("hm"),
        TextDelta("hello"),
        StreamEnd(FinishReason.STOP, usage=USAGE, cost=Cost(amount=Decimal(0), source="cache")),
    ]
    assert stream.generation.cached


async def test_a_hit_tells_what_it_saves(cached, clock):
    end = StreamEnd(FinishReason.STOP, usage=USAGE, cost=COST)
    provider, _ = cached([[TextDelta("a"), end]])
    await provider.generate("hi", temperature=0)
    clock.now += 5
    for answer in (
        await provider.generate("hi", temperature=0),
        await provider.generate_stream("hi", temperature=0).collect(),
    ):
        (entry,) = answer.attempts
        assert entry.outcome is Outcome.HIT
        assert (entry.usage, entry.cost) == (USAGE, COST)
        assert entry.reason == "kept 5 s ago"
        assert not entry.sent
        assert entry.id.startswith(answer.metadata.journal.new_id()[:8])
        assert answer.usage == USAGE
        assert answer.cost.amount == 0
        assert answer.cached


deltas = st.lists(
    st.builds(StreamStart, st.text(), st.text())
    | st.builds(TextDelta, st.text())
    | st.builds(
        ReasoningDelta, st.text(), st.none() | st.just({"a": [1]}), st.none() | st.just("o")
    )
    | st.builds(ToolCallDelta, st.integers(0, 2), st.text(), st.text(), st.text()),
    max_size=20,
)


@given(deltas, st.sampled_from([FinishReason.STOP, FinishReason.TOOL_CALLS]), st.booleans())
@settings(max_examples=60)
def test_a_replay_is_the_original_event_for_event(told, reason, shared):
    told = [*told, StreamEnd(reason, "raw", usage=USAGE, details={"a": [1]})]
    free = replace(told[-1], cost=Cost(amount=Decimal(0), source="cache"))

    async def run():
        vendor = ScriptedProvider([told])
        provider = CacheProvider(vendor, store=MemoryCache(), single_flight=shared)
        first = await provider.generate_stream("hi", temperature=0)
        assert [event async for event in first.events()] == told
        again = await provider.generate_stream("hi", temperature=0)
        assert [event async for event in again.events()] == [*told[:-1], free]
        one, other = first.generation, again.generation
        assert (one, one.metadata.parts) == (other, other.metadata.parts)
        assert (one.model, one.metadata.response_id) == (other.model, other.metadata.response_id)
        await provider.aclose()

    anyio.run(run)


async def test_what_cannot_be_written_down_is_not_kept(cached, store):
    provider, _ = cached([[ReasoningDelta("hm", {"a": object()}), TextDelta("a")]])
    answer = await provider.generate("hi", temperature=0)
    assert answer == "a"
    assert "cannot be kept" in answer.attempts[-1].reason
    assert (await store.stats()).entries == 0


async def test_an_answer_without_end_is_not_held(cached, store):
    provider, _ = cached([["x" * 10_000] * 9], single_flight=False)
    stream = await provider.generate_stream("hi", temperature=0)
    copy = stream._taps[0].__closure__[0].cell_contents.__self__
    copy._left = 50_000
    assert len(await stream.collect()) == 90_000
    assert len(copy.events) < 9
    assert (await store.stats()).entries == 0


def test_it_comes_to_what_is_inside_at_worst():
    inside = ScriptedProvider("x")
    for operation in Operation:
        assert bounds_of(CacheProvider(inside), operation) == bounds_of(inside, operation)


# Several targets.


def chain(store, clock, *vendors, **options):
    return CacheProvider(FallbackProvider(vendors), store=store, time=clock, **options)


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("single_flight", [False, True])
async def test_an_answer_is_kept_under_who_gave_it(store, clock, streams, single_flight):
    first = ScriptedProvider([ServerError, "from first"], name="first")
    second = ScriptedProvider(["from second"], name="second")
    provider = chain(store, clock, first, second, single_flight=single_flight)

    async def ask(asked):
        if streams:
            return await asked.generate_stream("hi", temperature=0).collect()
        return await asked.generate("hi", temperature=0)

    answer = await ask(provider)
    assert answer == "from second"
    assert answer.warnings
    alone = CacheProvider(second, store=store, time=clock)
    again = await ask(alone)
    assert (again, again.cached, again.warnings) == ("from second", True, ())
    assert await ask(provider) == "from first"
    assert (await ask(provider)).cached


async def test_who_cannot_is_not_whose_key_it_is(store, clock):
    class NoTools(ScriptedProvider):
        model = ModelInfo(name="no-tools", tools=False)

    from fairlead.core.messages import Tool

    first, second = NoTools([], name="first"), ScriptedProvider(["a"], name="second")
    provider = chain(store, clock, first, second)
    for _ in range(2):
        assert await provider.generate("hi", temperature=0, tools=[Tool("t")]) == "a"


async def test_where_two_have_answered_nothing_is_kept(store, clock):
    from fairlead.core.journal import Attempt

    def also(call):
        call.journal.record(
            Attempt(outcome=Outcome.SUCCEEDED, provider="scripted", target="another")
        )
        return "a"

    provider = CacheProvider(ScriptedProvider([also]), store=store, time=clock)
    await provider.generate("hi", temperature=0)
    assert (await store.stats()).entries == 0


async def test_it_works_over_every_policy(store, clock):
    for build in (
        RetryProvider,
        lambda inner: KeyPoolProvider([inner]),
        lambda inner: HedgeProvider([inner]),
        lambda inner: FallbackProvider([FallbackProvider([inner]), ScriptedProvider("x")]),
    ):
        await store.clear()
        vendor = ScriptedProvider([["a", "b"]])
        provider = CacheProvider(build(vendor), store=store, time=clock)
        for _ in range(2):
            assert await provider.generate_stream("hi", temperature=0).collect() == "ab"
        await provider.aclose()


async def test_a_users_own_provider_is_cached_if_it_names_a_model(store, clock):
    class Mock:
        model = "mock-1"
        calls = 0

        async def generate(self, prompt):
            Mock.calls += 1
            return f"You said {prompt}"

    provider = CacheProvider(Mock(), store=store, time=clock)
    for _ in range(2):
        assert await provider.generate("hi", temperature=0, cache=True) == "You said hi"
    assert Mock.calls == 1


# Stores that are slow or broken.


class Slow:
    def __init__(self, seconds):
        self.seconds = seconds
        self.entries = {}

    async def get(self, keys, /):
        await anyio.sleep(self.seconds)
        return {key: self.entries[key] for key in keys if key in self.entries}

    async def set(self, entries, until, /):
        await anyio.sleep(self.seconds)
        self.entries.update(entries)


class Broken:
    async def get(self, keys, /):
        raise OSError("no disk")

    async def set(self, entries, until, /):
        raise OSError("no disk")


class Lying:
    def __init__(self, data):
        self.data = data

    async def get(self, keys, /):
        return dict.fromkeys(keys, self.data)

    async def set(self, entries, until, /):
        pass


async def test_a_slow_store_is_a_miss(cached):
    provider, _ = cached(store=Slow(1.0))
    await provider.generate("hi", temperature=0)
    await anyio.sleep(2)
    began = anyio.current_time()

    answer = await provider.generate("hi", temperature=0)
    assert answer == "answer 1"
    assert anyio.current_time() - began == pytest.approx(0.25)
    assert answer.attempts[0].reason == "cache: the store took more than 0.25 s"


async def test_a_store_in_time_is_waited_for(cached):
    provider, _ = cached(store=Slow(0.2))
    await provider.generate("hi", temperature=0)
    await anyio.sleep(1)
    assert (await provider.generate("hi", temperature=0)).cached


async def test_what_is_on_its_way_to_the_store_is_found(cached):
    provider, _ = cached(store=Slow(0.2))
    await provider.generate("hi", temperature=0)
    began = anyio.current_time()
    assert (await provider.generate("hi", temperature=0)).cached
    assert anyio.current_time() == began


async def test_closing_lets_arrive_what_is_on_its_way(cached):
    store = Slow(0.2)
    provider, _ = cached(store=store)
    await provider.generate("hi", temperature=0)
    await provider.aclose()
    assert len(store.entries) == 1


async def test_a_store_that_hangs_does_not_keep_from_closing(cached):
    provider, _ = cached(store=Slow(float(10**6)))
    await provider.generate("hi", temperature=0)
    await provider.aclose()
    assert not provider._host._tasks


@pytest.mark.parametrize("embeds", [False, True])
@pytest.mark.parametrize(
    "store", [Broken(), Lying(b""), Lying(b"x" * 99), Lying("?"), Lying(None)], ids=range(5)
)
async def test_a_broken_store_is_a_miss(cached, store, embeds, caplog):
    provider, _ = cached([[1.0], [1.0]] if embeds else ["a", "a"], store=store)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            if embeds:
                assert await provider.embed("hi") == [1.0]
            else:
                assert await provider.generate("hi", temperature=0) == "a"
        await anyio.sleep(1)
    assert "no disk" not in caplog.text
    await provider.aclose()


async def test_a_store_that_is_not_as_quick_as_it_says_keeps_nothing(cached, caplog):
    store = Slow(1.0)
    store.at_once = True
    provider, _ = cached(store=store)
    with caplog.at_level(logging.WARNING):
        await provider.generate("hi", temperature=0, cache="write_only")
    assert "waits, though" in caplog.text

    store = Broken()
    store.at_once = True
    provider, _ = cached(store=store)
    assert await provider.generate("hi", temperature=0) == "answer 0"


async def test_writes_that_pile_up_are_left_out(cached):
    provider, _ = cached("a", store=Slow(10.0))
    for number in range(300):
        await provider.generate(f"{number}", cache="write_only")
    assert len(provider._shelf._writes) == 256
    assert len(provider._shelf._coming) == 256
    await provider.aclose()


async def test_without_a_store_nothing_is_kept(cached):
    provider, _ = cached(store=None)
    assert await twice(provider) == MISS


# Vectors.


def vectors(call):
    return [[float(len(text)), float(ord(text[0]))] for text in call.embedding.texts]


def asked(vendor):
    return [call.embedding.texts for call in vendor.calls]


async def test_of_a_batch_only_what_is_not_there_is_asked_for(cached):
    provider, vendor = cached(vectors)
    await provider.embed_batch(["a", "bb"])
    told = await provider.embed_batch(["bb", "c", "a", "c"])

    assert told.tolist() == [[2.0, 98.0], [1.0, 99.0], [1.0, 97.0], [1.0, 99.0]]
    assert asked(vendor) == [("a", "bb"), ("c", "c")]
    assert not told.metadata.cached
    assert told.usage == USAGE
    assert [it.outcome for it in told.metadata.journal] == [Outcome.SUCCEEDED, Outcome.HIT]
    assert "2 of 4 texts" in told.metadata.journal.attempts[1].reason


async def test_one_text_and_many_share_entries(cached):
    provider, vendor = cached(vectors)
    one = await provider.embed("a")
    many = await provider.embed_batch(["a"])
    again = await provider.embed("a")

    assert one == again == many[0]
    assert len(vendor.calls) == 1
    assert again.metadata.cached
    assert many.metadata.cached
    assert many.metadata.usage == USAGE
    assert many.metadata.cost.amount == 0
    assert many[0].metadata is many.metadata


async def test_a_batch_that_is_all_there_asks_nobody(cached):
    provider, vendor = cached(vectors)
    await provider.embed_batch(["a", "bb", "ccc"])
    told = await provider.embed_batch(["ccc", "a"])

    assert len(vendor.calls) == 1
    assert told.metadata.cached
    assert told.usage.estimated
    assert told.usage.input_tokens == 2
    [entry] = told.metadata.journal
    assert entry.outcome is Outcome.HIT
    assert entry.id


async def test_the_shares_of_a_batch_are_its_whole(cached):
    provider, vendor = cached(vectors)
    vendor.prices = FlatBook(flat_price(per_input=1))  # 3 millionths for 23 characters
    texts = ["x" * number for number in (1, 5, 2, 9, 6)]
    paid = (await provider.embed_batch(texts)).metadata.cost
    told = await provider.embed_batch(texts)
    assert told.usage.input_tokens == USAGE.input_tokens
    [entry] = told.metadata.journal
    assert entry.cost == replace(paid, estimated=True)


async def test_what_came_before_a_failure_is_kept(store, clock):
    def some(call):
        return ServerError("oops") if "c" in call.embedding.texts else vectors(call)

    vendor = ScriptedProvider(iter([some] * 9))
    provider = CacheProvider(
        SplitProvider(vendor, max_items=1, max_parallel=1), store=store, time=clock
    )
    await provider.embed_batch(["d"])
    with pytest.raises(ServerError) as raised:
        await provider.embed_batch(["a", "d", "b", "c"])

    assert {place: vector[1] for place, vector in raised.value.partial.items()} == {
        0: 97.0,
        1: 100.0,
        2: 98.0,
    }
    told = await provider.embed_batch(["a", "b", "d"])
    assert told.metadata.cached
    await provider.aclose()


async def test_of_several_targets_each_keeps_what_it_answered(store, clock):
    def some(call):
        return ServerError("oops") if "b" in call.embedding.texts else vectors(call)

    model = ModelInfo(name="m", embedding_model="e")
    targets = [
        SplitProvider(
            ScriptedProvider(iter([some] * 9), name=name, model=model), max_items=1, max_parallel=1
        )
        for name in ("one", "other")
    ]
    provider = chain(store, clock, *targets)
    with pytest.raises(AllTargetsFailedError):
        await provider.embed_batch(["a", "b"])
    assert (await provider.embed("a")).metadata.cached
    alone = CacheProvider(targets[1], store=store, time=clock)
    assert (await alone.embed("a")).metadata.cached


async def test_vectors_of_another_space_are_not_mixed(store, clock):
    class Revised(ScriptedProvider):
        revision = "1"

        def _embeddings(self, call, vectors, **facts):
            return super()._embeddings(call, vectors, revision=self.revision, **facts)

    vendor = Revised(vectors)
    provider = CacheProvider(vendor, store=store, time=clock)
    await provider.embed_batch(["a", "b"])
    vendor.revision = "2"
    told = await provider.embed_batch(["a", "c"])

    assert asked(vendor) == [("a", "b"), ("c",), ("a", "c")]
    assert told.metadata.space.revision == "2"
    assert told[0].metadata.space.revision == "2"
    mixed = await provider.embed_batch(["a", "b"])
    assert len({vector.metadata.space for vector in mixed}) == 1


async def test_a_damaged_vector_is_asked_for_anew(cached, store):
    provider, vendor = cached(vectors)
    await provider.embed("a")
    await anyio.sleep(1)
    (key,) = store._entries
    data, until = store._entries[key]
    store._entries[key] = (data[:-1] + b"?", until)

    assert await provider.embed("a") == [1.0, 97.0]
    assert len(vendor.calls) == 2


async def test_vectors_of_a_model_without_a_name_are_not_kept(cached):
    class Nameless(ScriptedProvider):
        def _can_embed(self, model):
            return True

    vendor = Nameless(vectors, model=ModelInfo())
    provider = CacheProvider(vendor, store=MemoryCache())
    for _ in range(2):
        assert await provider.embed("a") == [1.0, 97.0]
    assert len(vendor.calls) == 2


async def test_vectors_keep_to_the_mode(cached, store):
    provider, vendor = cached(vectors, mode="read_only")
    await provider.embed_batch(["a", "b"])
    with pytest.raises(Exception, match="oops"):
        await CacheProvider(ScriptedProvider(ServerError("oops")), mode="read_only").embed("a")
    assert (await store.stats()).entries == 0
    provider, vendor = cached(vectors, mode="write_only")
    for _ in range(2):
        await provider.embed("a")
    assert len(vendor.calls) == 2
    assert (await store.stats()).entries == 1


async def test_vectors_grow_old(cached, clock):
    provider, vendor = cached(vectors, ttl=10)
    await provider.embed("a")
    clock.now += 10
    await provider.embed("a")
    await provider.embed("a", cache={"max_age": 0})
    clock.now += 1
    await provider.embed("a", cache={"max_age": 0})
    assert len(vendor.calls) == 3


async def test_options_of_embeddings_count(cached):
    provider, vendor = cached(vectors)
    await provider.embed("a")
    for options in ({"dimensions": 2}, {"input_type": "query"}, {"model": "f"}):
        await provider.embed("a", **options)
    assert len(vendor.calls) == 4
    await provider.embed("a", cache=False)
    assert len(vendor.calls) == 5


async def test_an_answer_of_another_cache_is_not_kept(store, clock):
    metadata = Metadata(
        provider="scripted", model="m", finish_reason=FinishReason.STOP, cached=True
    )

    class Caches(ScriptedProvider):
        async def _generate(self, call):
            return Generation("hi", replace(metadata, journal=call.journal))

    provider = CacheProvider(Caches([]), store=store, time=clock)
    await provider.generate("hi", temperature=0)
    assert (await store.stats()).entries == 0


def test_it_says_how_it_was_built(store):
    provider = CacheProvider(ScriptedProvider("x"), store=store, ttl=5, namespace="n")
    assert repr(provider).endswith(
        "store=<MemoryCache of 0 entries, 0 bytes>, ttl=5, namespace='n')"
    )
