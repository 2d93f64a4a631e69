import asyncio
import contextlib
import math
import weakref
from decimal import Decimal

import anyio
import pytest

from fairlead.core.calls import Operation
from fairlead.core.embeddings import Embedding, EmbeddingMetadata, Embeddings, EmbeddingSpace
from fairlead.core.errors import (
    AuthenticationError,
    ConfigurationError,
    ContextLengthExceededError,
    InvalidRequestError,
    InvalidResponseError,
    ProviderTimeoutError,
    ServerError,
)
from fairlead.core.journal import Outcome
from fairlead.core.rates import RateLimits
from fairlead.core.usage import Cost, Usage
from fairlead.decorators._base import Decorator
from fairlead.decorators.deadline import DeadlineProvider
from fairlead.decorators.fallback import FallbackProvider
from fairlead.decorators.retry import RetryProvider
from fairlead.decorators.split import SplitProvider
from tests.unit.core.fakes import Scripted, cancelled_at, embedding, ways, without_gc

MANY = "input batch size 136 > maximum allowed batch size 64"


class Vendor(Scripted):
    """Turns numbers into vectors; *refuse* says which texts it raises what for."""

    def __init__(self, refuse=lambda texts: None, *, seconds=lambda texts: 0.0, name="v", **known):
        super().__init__("ho", name=name, embedding_model="e", **known)
        self.refuse = refuse
        self.takes = seconds
        self.texts = []
        self.running = self.most_running = 0
        self.dimensions = lambda texts: 1
        self.cost = lambda texts: None

    async def _embed(self, call):
        texts = call.embedding.texts
        self.asked.append(call)
        self.texts.append(list(texts))
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        try:
            await anyio.sleep(self.takes(texts))
        finally:
            self.running -= 1
        error = self.refuse(texts)
        if error is not None:
            try:
                raise error
            finally:
                del error
        metadata = EmbeddingMetadata(
            provider=self.name,
            space=EmbeddingSpace(model="e", dimensions=self.dimensions(texts)),
            usage=Usage(input_tokens=len(texts), raw={"n": len(texts)}),
            cost=self.cost(texts),
            vendor_request_id=f"r-{texts[0]}",
            request_id=call.options.request_id,
            warnings=("as always", f"from {texts[0]}"),
            rate_limits=RateLimits(),
            journal=call.journal,
        )
        return Embeddings([Embedding([float(text[:9])], metadata) for text in texts], metadata)


def numbers(count):
    return [str(number) for number in range(count)]


def values(vectors):
    return [vector[0] for vector in vectors]


async def outcome_of(provider, texts, **options):
    try:
        return await provider.embed_batch(texts, **options)
    except Exception as error:
        return error


def more_than(count, error=lambda: InvalidRequestError(MANY, status_code=400)):
    return lambda texts: error() if len(texts) > count else None


@pytest.mark.anyio
async def test_what_fits_is_asked_for_at_once_and_untouched():
    vendor = Vendor()
    call = embedding(numbers(3), clock=anyio.current_time)

    vectors = await call.on(SplitProvider(vendor, max_items=3))

    assert values(vectors) == [0, 1, 2]
    assert vendor.asked == [call]
    assert vendor.asked[0] is call
    assert vectors.usage.raw == {"n": 3}


@pytest.mark.anyio
@pytest.mark.parametrize("operation", ["generate", "stream", "embed", "batch of one"])
async def test_what_is_no_batch_passes_untouched(operation):
    vendor = Vendor(model="m")
    provider = SplitProvider(vendor, max_items=1, max_tokens=1)

    if operation == "generate":
        await provider.generate("hi " * 99)
    elif operation == "stream":
        await provider.generate_stream("hi " * 99).collect()
    elif operation == "embed":
        assert await provider.embed("7" * 99) == Embedding([777_777_777.0])
    else:
        assert len(await provider.embed_batch(["7" * 20])) == 1

    [call] = vendor.asked
    assert call.journal.attempts[0].outcome is Outcome.SUCCEEDED


@pytest.mark.anyio
async def test_parts_have_so_many_texts_at_most_and_keep_their_order():
    vendor = Vendor(seconds=lambda texts: 10 - int(texts[0]))
    texts = numbers(10)

    vectors = await SplitProvider(vendor, max_items=3).embed_batch(texts)

    assert values(vectors) == list(range(10))
    assert sorted(vendor.texts) == [texts[:3], texts[3:6], texts[6:9], texts[9:]]


@pytest.mark.anyio
async def test_parts_have_so_many_tokens_at_most():
    vendor = Vendor(tokenizer="cl100k")
    texts = ["1" * 30] * 10

    vectors = await SplitProvider(vendor, max_tokens=100).embed_batch(texts)

    assert len(vectors) == 10
    largest, *_, smallest = sorted((len(part) for part in vendor.texts), reverse=True)
    assert 1 <= smallest <= largest < 10
    assert 2 <= len(vendor.texts) < 10


@pytest.mark.anyio
async def test_a_text_that_is_too_long_by_itself_stands_alone():
    vendor = Vendor()
    texts = ["1", "1" * 300, "2"]

    await SplitProvider(vendor, max_tokens=20).embed_batch(texts)

    assert sorted(vendor.texts) == [[text] for text in sorted(texts)]


@pytest.mark.parametrize(
    "known, options, items, tokens",
    [
        ({}, {}, 2048, 300_000),
        ({"max_batch_items": 96, "max_batch_tokens": 1000}, {}, 96, 1000),
        ({"max_batch_items": 96}, {"max_items": 500, "max_tokens": 9}, 500, 9),
    ],
)
def test_the_limits_are_those_given_or_known_or_the_usual_ones(known, options, items, tokens):
    provider = SplitProvider(Scripted("ho", **known), **options)

    assert (provider.most_items(), provider.most_tokens) == (items, tokens)


@pytest.mark.anyio
@pytest.mark.parametrize("options, most", [({}, 4), ({"max_parallel": 2}, 2)])
async def test_so_many_parts_run_at_a_time(options, most):
    vendor = Vendor(seconds=lambda texts: 1)
    began = anyio.current_time()

    await SplitProvider(vendor, max_items=1, **options).embed_batch(numbers(8))

    assert vendor.most_running == most
    assert anyio.current_time() - began == pytest.approx(8 / most)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "error",
    [
        lambda: ContextLengthExceededError("too large", status_code=413),
        lambda: InvalidRequestError(MANY, status_code=413),
        lambda: InvalidRequestError(
            "Invalid 'input': array too long. Expected an array with maximum length 2048, but got "
            "an array with length 3000 instead.",
            status_code=400,
        ),
        lambda: InvalidRequestError(
            "batch size is invalid, it should not be larger than 10.: input.contents"
        ),
        lambda: InvalidRequestError(
            "invalid request: total number of texts must be at most 96 - received 97"
        ),
        lambda: InvalidRequestError(
            "BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch"
        ),
        lambda: InvalidRequestError("input is wrong", code="array_above_max_length"),
        lambda: InvalidRequestError("input length is larger than the largest allowed size 2048"),
        lambda: InvalidRequestError("Too many inputs in request, split into more batches."),
        lambda: InvalidRequestError("Too many tokens overall, split into more batches."),
        lambda: InvalidRequestError(
            "The max allowed tokens per submitted batch is 120000. Your batch has 121138 tokens "
            "after truncation."
        ),
    ],
)
@pytest.mark.parametrize("items", [2048, 6])
async def test_a_part_that_is_refused_for_its_size_is_halved(error, items):
    vendor = Vendor(more_than(3, error))

    vectors = await SplitProvider(vendor, max_items=items).embed_batch(numbers(12))

    assert values(vectors) == list(range(12))
    assert sum(len(texts) for texts in vendor.texts if len(texts) <= 3) == 12


@pytest.mark.anyio
async def test_other_mistakes_in_a_request_are_not_halved():
    vendor = Vendor(lambda texts: InvalidRequestError("no such field: inputs", status_code=400))

    error = await outcome_of(SplitProvider(vendor), numbers(4))

    assert isinstance(error, InvalidRequestError)
    assert len(vendor.asked) == 1
    assert error.partial is None


@pytest.mark.anyio
async def test_too_many_texts_are_too_many_the_next_time():
    vendor = Vendor(more_than(2))
    provider = SplitProvider(vendor)
    await provider.embed_batch(numbers(16))
    vendor.texts.clear()

    await provider.embed_batch(numbers(16))

    assert [len(texts) for texts in vendor.texts] == [2] * 8
    assert provider.most_items() == 2
    assert provider.most_items("other") == 2048


@pytest.mark.anyio
async def test_what_one_part_has_learnt_the_others_of_its_batch_know():
    vendor = Vendor(more_than(2))

    await SplitProvider(vendor, max_items=8, max_parallel=1).embed_batch(numbers(16))

    assert [len(texts) for texts in vendor.texts] == [8, 4, 2, 2, 2, 2, 2, 2, 2, 2]


@pytest.mark.anyio
async def test_one_text_that_is_too_long_does_not_make_requests_small():
    too_long = ContextLengthExceededError("too long", limit=8192)
    vendor = Vendor(lambda texts: too_long if "5" in texts else None)
    provider = SplitProvider(vendor)

    error = await outcome_of(provider, numbers(8))

    assert error is too_long
    assert provider.most_items() == 2048
    assert ["5"] in vendor.texts
    assert {0, 1, 2, 3} <= error.partial.keys()
    assert 5 not in error.partial
    assert all(vector[0] == place for place, vector in error.partial.items())


@pytest.mark.anyio
async def test_a_server_whose_own_batches_are_small_is_not_asked_for_fewer_texts():
    words = "input is too large to process, please increase the physical batch size"
    provider = SplitProvider(Vendor(more_than(1, lambda: InvalidRequestError(words))))

    assert len(await provider.embed_batch(numbers(4))) == 4
    assert provider.most_items() == 2048


@pytest.mark.anyio
async def test_what_was_learnt_of_models_is_bounded():
    provider = SplitProvider(Vendor(more_than(1)))
    for number in range(provider.MAX_MODELS + 10):
        await provider.embed_batch(["1", "2"], model=f"m{number}")

    assert len(provider._taken) == provider.MAX_MODELS
    assert provider.most_items("m0") == 2048


@pytest.mark.anyio
async def test_a_part_that_fails_for_good_ends_the_batch():
    broken = ServerError("oops")
    vendor = Vendor(lambda texts: broken if "1" in texts else None)
    vendor.takes = lambda texts: 1 if "1" in texts else 2
    call = embedding(numbers(10), clock=anyio.current_time)

    with pytest.raises(ServerError) as caught:
        await call.on(SplitProvider(vendor, max_items=1, max_parallel=3))

    error = caught.value
    assert error is broken
    # The ones that ran were waited for; no further one was sent.
    assert sorted(vendor.texts) == [["0"], ["1"], ["2"]]
    assert {place: vector.tolist() for place, vector in error.partial.items()} == {
        0: [0.0],
        2: [2.0],
    }
    assert list(error.partial) == [0, 2]
    assert error.partial[0].metadata.space.model == "e"
    assert error.partial[0].metadata.journal is call.journal
    assert error.journal is call.journal
    assert [it.outcome for it in error.attempts] == [
        Outcome.FAILED,
        Outcome.SUCCEEDED,
        Outcome.SUCCEEDED,
    ]


@pytest.mark.anyio
async def test_of_several_failures_the_first_is_raised():
    errors = {"0": ServerError("late"), "1": AuthenticationError("early")}
    vendor = Vendor(lambda texts: errors[texts[0]])
    vendor.takes = lambda texts: 2 if texts == ("0",) else 1

    error = await outcome_of(SplitProvider(vendor, max_items=1), numbers(2))

    assert error is errors["1"]
    assert error.partial is None


@pytest.mark.anyio
async def test_an_error_with_vectors_can_be_pickled():
    import pickle

    vendor = Vendor(lambda texts: ServerError("oops") if "1" in texts else None)
    error = await outcome_of(SplitProvider(vendor, max_items=1), numbers(2))

    restored = pickle.loads(pickle.dumps(error))

    assert restored.partial == error.partial == {0: Embedding([0.0])}


@pytest.mark.anyio
async def test_what_is_told_of_the_parts_is_put_together():
    vendor = Vendor(seconds=lambda texts: 5 - int(texts[0]))
    vendor.cost = lambda texts: Cost(amount=Decimal("0.25"), source="list")
    call = embedding(numbers(5), clock=anyio.current_time, request_id="mine")

    vectors = await call.on(SplitProvider(vendor, max_items=2))

    metadata = vectors.metadata
    assert metadata.usage == Usage(input_tokens=5)
    assert metadata.cost == Cost(amount=Decimal("0.75"), source="list")
    assert metadata.request_id == "mine"
    assert metadata.vendor_request_id is None
    assert metadata.warnings == ("as always", "from 0", "from 2", "from 4")
    assert metadata.journal is call.journal
    assert metadata.cached is False
    assert [vector.metadata for vector in vectors] == [metadata] * 5
    assert len([it for it in metadata.journal if it.sent]) == 3


@pytest.mark.anyio
async def test_a_cost_that_one_part_does_not_tell_is_not_known():
    vendor = Vendor()
    vendor.cost = lambda texts: None if "0" in texts else Cost(amount=Decimal(1), source="list")

    vectors = await SplitProvider(vendor, max_items=1).embed_batch(numbers(3))

    assert vectors.metadata.cost is None


@pytest.mark.anyio
async def test_vectors_of_several_spaces_are_no_answer():
    vendor = Vendor()
    vendor.dimensions = lambda texts: int(texts[0])

    error = await outcome_of(SplitProvider(vendor, max_items=1), numbers(2))

    assert isinstance(error, InvalidResponseError)
    assert "not comparable" in error.message
    assert error.verdict.misconfigured
    assert len(error.attempts) == 2


class Short(Decorator):
    """Loses a vector."""

    async def handle(self, call):
        return (await call.on(self.inner))[1:]


@pytest.mark.anyio
async def test_too_few_vectors_are_no_answer():
    error = await outcome_of(SplitProvider(Short(Vendor()), max_items=2), numbers(4))

    assert isinstance(error, InvalidResponseError)
    assert error.message == "v answered 1 vectors for 2 texts"


@pytest.mark.anyio
async def test_each_part_is_repeated_as_often_as_a_call():
    failures = {text: [ServerError("oops"), ServerError("oops")] for text in numbers(6)}

    def refuse(texts):
        return failures[texts[0]].pop() if failures[texts[0]] else None

    vendor = Vendor(refuse)
    chain = FallbackProvider(
        [SplitProvider(RetryProvider(vendor, random=lambda: 0.0), max_items=1)], max_attempts=3
    )

    vectors = await chain.embed_batch(numbers(6))

    assert values(vectors) == list(range(6))
    assert len(vendor.asked) == 18
    assert vectors.metadata.journal.asked == 3


@pytest.mark.anyio
async def test_a_part_has_no_more_attempts_than_the_call_has_left():
    vendor = Vendor(lambda texts: ServerError("oops") if texts[0] == "0" else None)
    inner = RetryProvider(vendor, random=lambda: 0.0, max_retries=9)
    call = embedding(numbers(4), clock=anyio.current_time).with_(attempt_limit=3)

    with pytest.raises(ServerError):
        await call.on(SplitProvider(inner, max_items=2))

    assert vendor.texts.count(["0", "1"]) == 3
    assert call.journal.asked == 3


@pytest.mark.anyio
async def test_the_next_target_answers_all_that_one_could_not():
    first = Vendor(lambda texts: ServerError("oops") if "2" in texts else None)
    second = Vendor(name="w")
    chain = FallbackProvider(
        [SplitProvider(target, max_items=1) for target in (first, second)], max_attempts=2
    )

    vectors = await chain.embed_batch(numbers(4))

    assert values(vectors) == list(range(4))
    assert len(second.asked) == 4
    assert {vector.metadata.provider for vector in vectors} == {"w"}


@pytest.mark.anyio
async def test_the_deadline_is_that_of_the_whole_call():
    vendor = Vendor(seconds=lambda texts: 3)

    error = await outcome_of(SplitProvider(vendor, max_items=1), numbers(8), timeout=5)

    assert isinstance(error, ProviderTimeoutError)
    assert anyio.current_time() == pytest.approx(5)
    assert sorted(error.partial) == [0, 1, 2, 3]


@pytest.mark.anyio
async def test_a_dispatcher_inside_asks_for_the_part_alone():
    vendor = Vendor(model="m")
    chain = FallbackProvider([vendor])
    provider = SplitProvider(chain, max_items=2)
    call = embedding(numbers(4), clock=anyio.current_time, model="e")

    vectors = await call.with_(plan=chain.plan(call)).on(provider)

    assert values(vectors) == list(range(4))
    assert [len(texts) for texts in vendor.texts] == [2, 2]


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [ZeroDivisionError, KeyboardInterrupt])
async def test_what_is_no_error_of_a_provider_passes_as_it_is(kind):
    class Stop(BaseException):
        pass

    error = Stop() if kind is KeyboardInterrupt else kind()
    vendor = Vendor(lambda texts: error if "0" in texts else None, seconds=lambda texts: 1)
    vendor.takes = lambda texts: 1 if "0" in texts else 50
    began = anyio.current_time()

    with pytest.raises(type(error)) as caught:
        await SplitProvider(vendor, max_items=1).embed_batch(numbers(6))

    assert caught.value is error
    assert anyio.current_time() - began == pytest.approx(1)  # nobody waits for the others
    assert vendor.running == 0


async def _batch(vendor):
    await SplitProvider(RetryProvider(vendor, random=lambda: 1.0), max_items=2).embed_batch(
        numbers(12)
    )


def _flaky():
    once = {"2": [ServerError("oops")], "6": [ContextLengthExceededError("too much")]}
    vendor = Vendor(lambda texts: once[texts[0]].pop() if once.get(texts[0]) else None)
    vendor.takes = lambda texts: 1 + int(texts[0]) / 10
    return vendor


@pytest.mark.anyio
async def test_a_batch_cancelled_at_any_await_cancels_all_its_parts():
    for how in ways():
        for point in range(50):
            vendor = _flaky()

            reached = await cancelled_at(lambda it=vendor: _batch(it), point, how=how)

            asked = len(vendor.asked)
            assert vendor.running == 0
            await anyio.sleep(10)
            assert len(vendor.asked) == asked
            if not reached:
                break
        assert point >= 1


@pytest.mark.anyio
@pytest.mark.parametrize("tenths", range(0, 60, 3))
async def test_a_batch_cancelled_at_any_time_cancels_all_its_parts(tenths):
    for how in ways():
        vendor = _flaky()
        if how == "scope":
            with anyio.move_on_after(tenths / 10):
                await _batch(vendor)
        else:
            task = asyncio.get_running_loop().create_task(_batch(vendor))
            await asyncio.sleep(tenths / 10)
            task.cancel()
            if how == "twice":
                await asyncio.sleep(0)
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

        asked = len(vendor.asked)
        assert vendor.running == 0
        for call in vendor.asked:
            assert call.journal.attempts
        await anyio.sleep(10)
        assert len(vendor.asked) == asked


@pytest.mark.anyio
async def test_an_error_is_not_kept_alive_by_its_own_traceback():
    raised = []

    def refuse(texts):
        if "1" not in texts:
            return None
        error = ServerError("oops")
        raised.append(weakref.ref(error))
        return error

    with without_gc():
        await outcome_of(SplitProvider(Vendor(refuse), max_items=1), numbers(3))
        [error] = raised
        assert error() is None


def test_what_a_call_comes_to_is_known_of_all_but_batches():
    provider = SplitProvider(Vendor())

    batch = DeadlineProvider(provider, total=60.0).bounds(Operation.EMBED_BATCH)
    assert (batch.attempts, batch.seconds, batch.tokens, batch.money) == (None, 60.0, None, None)
    assert provider.bounds(Operation.EMBED_BATCH).seconds == math.inf
    assert provider.bounds(Operation.GENERATE) == Decorator(Vendor()).bounds(Operation.GENERATE)


@pytest.mark.parametrize("name", ["max_items", "max_tokens", "max_parallel"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "5", math.nan])
def test_limits_are_counted(name, value):
    with pytest.raises(ConfigurationError, match=f"^{name} must be"):
        SplitProvider(Scripted("ho"), **{name: value})


def test_it_reads_as_it_was_built():
    assert repr(SplitProvider(Scripted("ho"), max_items=96)) == (
        "SplitProvider(<Scripted scripted:m>, max_items=96)"
    )
