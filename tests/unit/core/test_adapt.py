import gc
import math

import anyio
import numpy as np
import pytest
from anyio.lowlevel import checkpoint

from fairlead.core.adapt import ForeignProvider, Node, adapt
from fairlead.core.calls import Call, Operation
from fairlead.core.embeddings import Embedding, EmbeddingMetadata, Embeddings, EmbeddingSpace
from fairlead.core.errors import (
    ConfigurationError,
    InvalidRequestError,
    InvalidResponseError,
    OverloadedError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    StreamInterruptedError,
    UnsupportedOperationError,
)
from fairlead.core.journal import Outcome
from fairlead.core.models import ModelInfo
from fairlead.core.requests import generate_request
from fairlead.core.results import FinishReason, Generation, Metadata, TokenCount
from fairlead.core.usage import Usage
from fairlead.decorators.fallback import FallbackProvider
from fairlead.decorators.retry import RetryProvider
from tests.unit.core.fakes import METADATA, Scripted, embedding, generating, words


class Mock:
    """As the README's: no base class, plain strings and lists."""

    name = "mock"

    async def generate(self, prompt, **options):
        return f"You said: {prompt}"

    async def generate_stream(self, prompt, **options):
        for word in ("You ", "said: ", prompt):
            await checkpoint()
            yield word

    async def embed(self, text, **options):
        return [float(len(text)), 1.0]

    async def embed_batch(self, texts, **options):
        return [await self.embed(text) for text in texts]


# What is a provider.


def test_a_handler_is_left_as_it_is():
    provider = Scripted("ho")

    assert adapt(provider) is provider


def test_an_object_with_one_of_the_methods_is_adapted():
    class Tiny:
        async def embed(self, text):
            return [1.0]

    adapted = adapt(Tiny())

    assert isinstance(adapted, ForeignProvider)
    assert isinstance(adapted, Node)
    assert adapted.name == "Tiny"


@pytest.mark.parametrize("kind", [Mock, Scripted])
def test_a_class_is_refused_in_favour_of_its_object(kind):
    with pytest.raises(ConfigurationError, match=f"{kind.__name__} is a class: call it first"):
        adapt(kind)


@pytest.mark.parametrize("thing", [None, "openai", 5, object(), lambda prompt: prompt])
def test_what_has_none_of_the_methods_is_no_provider(thing):
    with pytest.raises(ConfigurationError, match="is no provider: it has none of the methods"):
        adapt(thing)


def test_a_method_has_to_be_one():
    class Odd:
        generate = "a string"

    with pytest.raises(ConfigurationError):
        adapt(Odd())


# Plain answers.


@pytest.mark.anyio
async def test_a_plain_string_is_an_answer():
    answer = await adapt(Mock()).generate("hi")

    assert answer == "You said: hi"
    assert isinstance(answer, Generation)
    assert (answer.provider, answer.finish_reason) == ("mock", FinishReason.STOP)
    assert answer.message.text == "You said: hi"
    assert [attempt.outcome for attempt in answer.attempts] == [Outcome.SUCCEEDED]


@pytest.mark.anyio
async def test_an_empty_string_is_an_answer_too():
    class Silent:
        async def generate(self, prompt):
            return ""

    answer = await adapt(Silent()).generate("hi")

    assert answer == ""
    assert answer.metadata.parts == ()


@pytest.mark.anyio
async def test_a_method_that_does_not_wait_may_be_a_plain_one():
    class Plain:
        def generate(self, prompt):
            return prompt.upper()

        def embed_batch(self, texts):
            return [[1.0] for _ in texts]

    assert await adapt(Plain()).generate("hi") == "HI"
    assert len(await adapt(Plain()).embed_batch(["a", "b"])) == 2


@pytest.mark.anyio
@pytest.mark.parametrize("answer", [None, 5, b"hi", ["hi"], {"text": "hi"}])
async def test_an_answer_of_the_wrong_type_says_what_it_should_be(answer):
    class Odd:
        async def generate(self, prompt):
            return answer

    with pytest.raises(InvalidResponseError, match=r"generate\(\) of Odd must give a str, not"):
        await adapt(Odd()).generate("hi")


@pytest.mark.anyio
async def test_a_rich_answer_is_kept_and_told_in_this_calls_journal():
    inner = RetryProvider(Scripted(OverloadedError("x"), "ho"), random=lambda: 0.0)

    class Wrapper:
        async def generate(self, prompt):
            return await inner.generate(prompt)

    call = generating()
    answer = await call.on(adapt(Wrapper()))

    assert answer.usage == Usage(input_tokens=3, output_tokens=2)
    assert [attempt.outcome for attempt in call.journal] == [
        Outcome.FAILED,
        Outcome.WAITED,
        Outcome.SUCCEEDED,
    ]
    assert call.journal.asked == 2
    assert answer.attempts == call.journal.attempts


@pytest.mark.anyio
async def test_a_rich_answer_that_tells_no_attempts_is_one():
    class Wrapper:
        async def generate(self, prompt):
            return Generation("ho", Metadata(provider="p", usage=Usage(input_tokens=1)))

    call = generating()
    answer = await call.on(adapt(Wrapper()))

    [attempt] = call.journal
    assert (attempt.outcome, attempt.usage) == (Outcome.SUCCEEDED, Usage(input_tokens=1))
    assert answer.attempts == (attempt,)


@pytest.mark.anyio
async def test_an_error_that_tells_its_attempts_is_told_once():
    inner = RetryProvider(Scripted(OverloadedError("x"), name="inner"), max_retries=1)

    class Wrapper:
        async def generate(self, prompt):
            return await inner.generate(prompt)

    call = generating(clock=anyio.current_time)
    with pytest.raises(OverloadedError) as caught:
        await call.on(adapt(Wrapper()))

    assert [attempt.provider for attempt in call.journal if attempt.sent] == ["inner", "inner"]
    assert caught.value.journal is call.journal


@pytest.mark.anyio
async def test_one_error_raised_again_and_again_is_one_attempt_each_time():
    error = OverloadedError("x")

    class Broken:
        async def generate(self, prompt):
            raise error

    calls = [generating() for _ in range(3)]
    for call in calls:
        with pytest.raises(OverloadedError):
            await call.on(adapt(Broken()))

    assert [len(call.journal) for call in calls] == [1, 1, 1]


# Streams, in every shape.


def plain_generator():
    class Provider:
        async def generate_stream(self, prompt):
            yield "a"
            yield "b"

    return Provider()


def coroutine_that_returns_a_generator():
    class Provider:
        async def generate_stream(self, prompt):
            await checkpoint()
            return self.words()

        async def words(self):
            yield "a"
            yield "b"

    return Provider()


class Words:
    """Iterates without being a generator, and cannot be closed."""

    def __init__(self):
        self.words = ["a", "b"]

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.words:
            raise StopAsyncIteration
        return self.words.pop(0)


def iterator_class():
    class Provider:
        def generate_stream(self, prompt):
            return Words()

    return Provider()


def _inner(prompt):
    return Scripted(lambda: words("a", "b")).generate_stream(prompt)


def pending_stream():
    class Provider:
        def generate_stream(self, prompt):
            return _inner(prompt)

    return Provider()


def coroutine_that_returns_a_pending_stream():
    class Provider:
        async def generate_stream(self, prompt):
            return _inner(prompt)

    return Provider()


def coroutine_that_returns_an_open_stream():
    class Provider:
        async def generate_stream(self, prompt):
            return await _inner(prompt)

    return Provider()


SHAPES = [
    plain_generator,
    coroutine_that_returns_a_generator,
    iterator_class,
    pending_stream,
    coroutine_that_returns_a_pending_stream,
    coroutine_that_returns_an_open_stream,
]


@pytest.mark.anyio
@pytest.mark.parametrize("shape", SHAPES)
async def test_every_shape_of_stream_is_read_to_its_end(shape):
    provider = RetryProvider(shape())

    assert [text async for text in provider.generate_stream("hi")] == ["a", "b"]
    generation = await provider.generate_stream("hi").collect()
    assert (generation, generation.finish_reason) == ("ab", FinishReason.STOP)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "shape", [pending_stream, coroutine_that_returns_an_open_stream], ids=lambda it: it.__name__
)
async def test_a_stream_of_fairleads_own_keeps_what_it_knows(shape):
    async with RetryProvider(shape()).generate_stream("hi") as stream:
        generation = await stream.collect()

    assert generation.usage == Usage(input_tokens=3, output_tokens=2)
    assert [attempt.provider for attempt in generation.attempts] == ["scripted"]


@pytest.mark.anyio
@pytest.mark.parametrize("leave", [False, True])
async def test_a_foreign_stream_of_fairleads_own_is_one_attempt_of_this_call(leave):
    request, options = generate_request("hi", {})
    call = Call.start(Operation.STREAM, request, options, lambda: 0.0, given={}, prompt="hi")
    stream = await call.on(adapt(pending_stream()))
    await (stream.aclose() if leave else stream.collect())

    assert [attempt.provider for attempt in call.journal] == ["scripted"]


@pytest.mark.anyio
@pytest.mark.parametrize("produced", [None, "abc", ["a"], iter("abc"), 5])
async def test_what_cannot_be_iterated_asynchronously_is_no_stream(produced):
    class Odd:
        async def generate_stream(self, prompt):
            return produced

    with pytest.raises(InvalidResponseError, match="must give an async iterator of str"):
        await adapt(Odd()).generate_stream("hi")


@pytest.mark.anyio
async def test_what_is_no_word_is_no_part_of_a_stream():
    class Odd:
        async def generate_stream(self, prompt):
            yield {"text": "hi"}

    with pytest.raises(InvalidResponseError, match="must give str, not dict"):
        await adapt(Odd()).generate_stream("hi")


@pytest.mark.anyio
async def test_a_foreign_stream_may_be_empty():
    class Silent:
        async def generate_stream(self, prompt):
            return
            yield

    assert await adapt(Silent()).generate_stream("hi").collect() == ""


@pytest.mark.anyio
async def test_closing_a_foreign_stream_runs_its_clean_up():
    closed = []

    class Careful:
        async def generate_stream(self, prompt):
            try:
                yield "a"
                yield "b"
            finally:
                await checkpoint()
                closed.append(True)

    async with adapt(Careful()).generate_stream("hi") as stream:
        await anext(stream)

    assert closed == [True]


@pytest.mark.anyio
async def test_an_iterator_that_is_no_generator_is_closed_if_it_can_be():
    closed = []

    class Closable(Words):
        async def aclose(self):
            closed.append(True)

    class Provider:
        def generate_stream(self, prompt):
            return Closable()

    async with adapt(Provider()).generate_stream("hi") as stream:
        await anext(stream)

    assert closed == [True]


@pytest.mark.anyio
async def test_a_foreign_stream_is_closed_by_its_reader_if_another_task_closed_it():
    closed = []

    class Slow:
        async def generate_stream(self, prompt):
            try:
                yield "a"
                await anyio.sleep(5)
                yield "b"
            finally:
                closed.append(True)

    stream = await adapt(Slow()).generate_stream("hi")
    texts = []

    async def read():
        texts.extend([text async for text in stream])

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        await anyio.wait_all_tasks_blocked()
        await stream.aclose()
        assert not closed

    assert texts == ["a"]
    assert closed == [True]


@pytest.mark.anyio
async def test_an_error_while_a_foreign_stream_is_closed_is_one_of_its_provider():
    class Careless:
        async def generate_stream(self, prompt):
            try:
                yield "a"
                yield "b"
            finally:
                raise OSError("disk full")

    stream = await adapt(Careless()).generate_stream("hi")

    with pytest.raises(ProviderConnectionError, match="disk full"):
        await stream.aclose()


# Vectors.


@pytest.mark.anyio
async def test_lists_of_numbers_are_vectors():
    provider = adapt(Mock())

    assert await provider.embed("four") == [4.0, 1.0]
    batch = await provider.embed_batch(["a", "four"])
    assert batch.tolist() == [[1.0, 1.0], [4.0, 1.0]]
    assert batch.metadata.space == EmbeddingSpace(model="mock", dimensions=2)


@pytest.mark.anyio
async def test_vectors_may_be_numpys():
    class Numpy:
        async def embed_batch(self, texts):
            return np.ones((len(texts), 3), dtype=np.float32)

    assert await adapt(Numpy()).embed("hi") == [1.0, 1.0, 1.0]


@pytest.mark.anyio
async def test_no_texts_have_no_vectors():
    batch = await adapt(Mock()).embed_batch([])

    assert list(batch) == []
    assert batch.metadata.space.dimensions is None


@pytest.mark.anyio
@pytest.mark.parametrize(
    "answer, which, kind",
    [
        (None, 0, "NoneType"),
        (5, 0, "int"),
        ([1.0], 0, "float"),
        (["12"], 0, "str"),
        ([b"abcd"], 0, "bytes"),
        ([[1.0], ["1"]], 1, "list"),
        ([[1.0], [None]], 1, "list"),
        ([[10**400]], 0, "list"),
    ],
    ids=str,
)
async def test_what_is_no_vector_says_so(answer, which, kind):
    class Odd:
        async def embed_batch(self, texts):
            return answer

    said = f"vector {which} of Odd must be a list of numbers, and is of {kind}"
    with pytest.raises(InvalidResponseError, match=said):
        await adapt(Odd()).embed_batch(["a"])


@pytest.mark.anyio
@pytest.mark.parametrize(
    "answer, said",
    [
        ([], "answered 0 vectors for 2 texts"),
        ([[1.0]], "answered 1 vectors for 2 texts"),
        ([[1.0]] * 3, "answered 3 vectors for 2 texts"),
        ([[1.0, 2.0], [3.0]], "different sizes: number 1 has 1, number 0 has 2"),
        ([[1.0], []], "an empty vector, number 1"),
        ([[], []], "an empty vector, number 0"),
        ([[1.0], [math.nan]], "infinity or NaN in it, number 1"),
        ([[-math.inf], [1.0]], "infinity or NaN in it, number 0"),
        ([[1.0], [1e39]], "infinity or NaN in it, number 1"),
    ],
)
@pytest.mark.parametrize("rich", [False, True])
async def test_vectors_that_cannot_be_compared_are_an_invalid_response(answer, said, rich):
    class Odd:
        async def embed_batch(self, texts):
            return Embeddings(map(Embedding, answer), SPACE) if rich else answer

    with pytest.raises(InvalidResponseError, match=said) as caught:
        await adapt(Odd()).embed_batch(["a", "b"])

    assert caught.value.verdict.misconfigured


@pytest.mark.anyio
async def test_very_large_numbers_are_numbers():
    class Large:
        async def embed_batch(self, texts):
            return [[3e38, -3e38]]

    assert len(await adapt(Large()).embed("a")) == 2


SPACE = EmbeddingMetadata(
    provider="p", space=EmbeddingSpace(model="e"), usage=Usage(input_tokens=1)
)


@pytest.mark.anyio
async def test_vectors_of_fairleads_own_keep_what_they_know():
    class Rich:
        async def embed(self, text):
            return Embedding([1.0], SPACE)

        async def embed_batch(self, texts):
            return Embeddings([Embedding([1.0], SPACE)] * len(texts), SPACE)

    assert (await adapt(Rich()).embed("a")).metadata.space == SPACE.space
    call = embedding(["a", "b"])
    assert (await call.on(adapt(Rich()))).metadata.usage == Usage(input_tokens=1)
    assert call.journal.attempts[0].usage == Usage(input_tokens=1)


@pytest.mark.anyio
async def test_a_vector_of_which_nothing_is_known_is_only_its_numbers():
    class Bare:
        async def embed(self, text):
            return Embedding([1.0])

    assert (await adapt(Bare()).embed("a")).metadata.provider == "Bare"


# Options.


def recording(**known):
    class Provider:
        name = "mock"
        model = known.get("model")

        def __init__(self):
            self.seen = []

        async def generate(self, prompt, **options):
            self.seen.append(options)
            return "ho"

        async def embed(self, text, **options):
            self.seen.append(options)
            return [1.0]

    return Provider()


@pytest.mark.anyio
async def test_options_are_handed_on_as_the_caller_wrote_them():
    provider = recording()

    await adapt(provider).generate("hi", temperature=0.5, stop_sequences=["x"], seed=None)

    assert provider.seen == [{"temperature": 0.5, "stop_sequences": ["x"]}]


@pytest.mark.anyio
async def test_what_is_left_of_the_deadline_is_handed_on_as_the_timeout():
    provider = recording()
    now = [0.0]
    call = generating(timeout=5, clock=lambda: now[0])
    now[0] = 2.0

    await call.on(adapt(provider))

    assert provider.seen == [{"timeout": 3.0}]


@pytest.mark.anyio
async def test_without_a_deadline_there_is_no_timeout():
    provider = recording()

    await generating().on(adapt(provider))

    assert provider.seen == [{}]


@pytest.mark.anyio
async def test_nothing_is_asked_when_no_time_is_left():
    provider = recording()
    now = [0.0]
    call = generating(timeout=5, clock=lambda: now[0])
    now[0] = 5.0

    with pytest.raises(ProviderTimeoutError, match="no time was left to ask mock") as caught:
        await call.on(adapt(provider))

    assert (caught.value.sent, caught.value.limit) == (False, 0.0)
    assert provider.seen == []


class Seeds:
    """As in the seeds: explicit keywords with defaults."""

    model = "tiny"

    async def generate(self, prompt: str, system_prompt=None, temperature=0.7, max_tokens=None):
        return f"{prompt} {system_prompt} {temperature} {max_tokens}"

    async def generate_stream(self, prompt, *, timeout=None):
        yield f"{prompt} {timeout}"

    async def embed(self, text, model="own"):
        return [float(len(model))]


@pytest.mark.anyio
async def test_explicit_keywords_are_filled_and_others_warned_about():
    answer = await adapt(Seeds()).generate("hi", temperature=0, top_k=3, model="other")

    assert answer == "hi None 0 None"
    assert answer.warnings == (
        "Seeds.generate() does not take top_k; left out",
        "Seeds.generate() does not take model; left out",
    )
    assert answer.model == "tiny"


@pytest.mark.anyio
async def test_under_strict_nothing_is_left_out():
    with pytest.raises(UnsupportedOperationError, match=r"Seeds.generate\(\) does not take top_k"):
        await adapt(Seeds()).generate("hi", top_k=3, strict=True)


@pytest.mark.anyio
async def test_what_steers_fairlead_is_not_missed():
    answer = await adapt(Seeds()).generate(
        "hi", tags={"a": "b"}, request_id="r", cache=True, timeout=9, commit="any", strict=True
    )

    assert answer.warnings == ()
    assert answer.request_id == "r"


@pytest.mark.anyio
async def test_the_warnings_are_on_streams_vectors_and_rich_answers_too():
    class Rich:
        async def generate(self, prompt):
            return Generation("ho", METADATA)

        async def generate_stream(self, prompt):
            return await _inner(prompt)

        async def embed_batch(self, texts):
            return Embeddings([Embedding([1.0], SPACE)] * len(texts), SPACE)

    provider = adapt(Rich())
    left_out = "does not take top_k; left out"

    assert left_out in (await provider.generate("hi", top_k=3)).warnings[0]
    assert left_out in (await provider.generate_stream("hi", top_k=3).collect()).warnings[0]
    batch = await provider.embed_batch(["a"], dimensions=3)
    assert "does not take dimensions" in batch.metadata.warnings[0]


@pytest.mark.anyio
async def test_a_named_model_is_handed_on_and_named_by_the_answer():
    provider = recording(model="tiny")

    answer = await adapt(provider).generate("hi", model="mock:other")

    assert provider.seen == [{"model": "other"}]
    assert answer.model == "other"


@pytest.mark.anyio
async def test_a_vector_is_of_the_model_that_was_named_if_the_method_takes_one():
    assert (await adapt(Seeds()).embed("a", model="other")).metadata.space.model == "other"
    assert await adapt(Seeds()).embed("a", model="other") == [5.0]


@pytest.mark.anyio
async def test_a_model_that_is_not_taken_makes_no_other_space():
    class Deaf:
        model = ModelInfo(name="chat", embedding_model="e")

        async def embed(self, text):
            return [1.0]

    assert (await adapt(Deaf()).embed("a", model="other")).metadata.space.model == "e"


@pytest.mark.anyio
async def test_in_a_chain_model_and_extra_are_the_targets_own():
    provider = recording(model="tiny")
    chain = FallbackProvider([provider, Scripted("ho", name="openai")])

    await chain.generate(
        "hi", model="mock:tiny", extra={"mock": {"mirostat": 2}, "openai": {"store": True}}
    )
    await chain.generate("hi", extra={"openai": {"store": True}})

    assert provider.seen == [{"model": "tiny", "extra": {"mirostat": 2}}, {}]


@pytest.mark.anyio
async def test_positional_parameters_are_no_keywords():
    class Positional:
        async def generate(self, prompt, temperature=0.7, /, *seed):
            return f"{temperature} {seed}"

    answer = await adapt(Positional()).generate("hi", temperature=0, seed=1)

    assert answer == "0.7 ()"
    assert len(answer.warnings) == 2


@pytest.mark.anyio
async def test_a_method_that_hides_its_signature_is_handed_everything():
    class Hidden:
        __signature__ = "none"

        def __call__(self, prompt, **options):
            return f"{sorted(options)}"

    class Provider:
        generate = Hidden()

    assert await adapt(Provider()).generate("hi", seed=1) == "['seed']"


# What is missing.


@pytest.mark.anyio
async def test_a_missing_method_is_an_unsupported_operation():
    class Tiny:
        async def embed(self, text):
            return [1.0]

    provider = adapt(Tiny())

    with pytest.raises(UnsupportedOperationError, match=r"Tiny has no method generate\(\)"):
        await provider.generate("hi")
    with pytest.raises(UnsupportedOperationError, match=r"generate_stream\(\)"):
        await provider.generate_stream("hi")
    with pytest.raises(UnsupportedOperationError, match=r"embed\(\)"):
        await adapt(iterator_class()).embed_batch(["a", "b"])


@pytest.mark.anyio
async def test_texts_are_embedded_one_by_one_where_there_is_no_other_way():
    class One:
        async def embed(self, text):
            return [float(len(text))]

    assert (await adapt(One()).embed_batch(["a", "four"])).tolist() == [[1.0], [4.0]]


@pytest.mark.anyio
async def test_one_text_is_embedded_by_the_batch_where_there_is_no_other_way():
    class Batch:
        async def embed_batch(self, texts):
            return [[float(len(text))] for text in texts]

    assert await adapt(Batch()).embed("four") == [4.0]


@pytest.mark.parametrize(
    "model, known",
    [
        ("tiny", ModelInfo(name="tiny")),
        (None, ModelInfo()),
        (5, ModelInfo()),
        (ModelInfo(name="m", tools=False), ModelInfo(name="m", tools=False)),
    ],
)
def test_of_its_model_is_known_what_it_tells(model, known):
    assert adapt(recording(model=model)).model == known


@pytest.mark.parametrize("name", [lambda self: "x", 5, None])
def test_a_name_that_is_none_is_replaced_by_the_class(name):
    assert adapt(type("Odd", (Mock,), {"name": name})()).name == "Odd"


@pytest.mark.parametrize("count, exact", [(7, False), (TokenCount(7, exact=True), True)])
def test_its_own_count_of_tokens_is_believed(count, exact):
    provider = adapt(type("Counting", (Mock,), {"count_tokens": lambda self, text: count})())

    assert provider.count_tokens("hi") == 7
    assert provider.count_tokens("hi").exact is exact


def test_without_a_count_of_its_own_there_is_an_estimate():
    assert adapt(Mock()).count_tokens("hello world") == 2


@pytest.mark.anyio
async def test_it_is_closed_if_it_can_be():
    closed = []

    class Closable(Mock):
        async def aclose(self):
            closed.append(True)

    await adapt(Closable()).aclose()
    await adapt(Mock()).aclose()

    assert closed == [True]


# What it raises.


class Raising:
    """Raises in one place of each method."""

    def __init__(self, error, where):
        self.error = error
        self.where = where

    def generate(self, prompt):
        if self.where == "call":
            raise self.error
        return self._answer()

    def generate_stream(self, prompt):
        if self.where == "call":
            raise self.error
        return self._words()

    def embed(self, text):
        return self.generate(text)

    async def _answer(self):
        raise self.error

    async def _words(self):
        if self.where == "commit":
            yield "a"
        raise self.error


TRANSLATED = [
    (TimeoutError("late"), ProviderTimeoutError),
    (ConnectionRefusedError("no"), ProviderConnectionError),
    (OSError("disk"), ProviderConnectionError),
    (ValueError("odd"), ProviderError),
    (ExceptionGroup("many", [ValueError("odd")]), ProviderError),
]


@pytest.mark.anyio
@pytest.mark.parametrize("where", ["call", "await"])
@pytest.mark.parametrize("error, kind", TRANSLATED)
@pytest.mark.parametrize(
    "ask",
    [
        lambda provider: provider.generate("hi"),
        lambda provider: provider.embed("hi"),
        lambda provider: provider.generate_stream("hi").collect(),
    ],
)
async def test_whatever_it_raises_is_an_error_of_a_provider(ask, error, kind, where):
    with pytest.raises(ProviderError) as caught:
        await ask(adapt(Raising(error, where)))

    assert type(caught.value) is kind
    assert caught.value.__cause__ is error
    assert caught.value.message.startswith(f"Raising raised {type(error).__name__}: ")
    assert caught.value.provider == "Raising"


@pytest.mark.anyio
async def test_its_words_are_bounded_and_without_secrets():
    words = f"key sk-abcdefghij0123456789 in {'a prompt ' * 1000}"

    with pytest.raises(ProviderError) as caught:
        await adapt(Raising(ValueError(words), "await")).generate("hi")

    assert caught.value.message.startswith("Raising raised ValueError: key *** in a prompt")
    assert len(caught.value.message) < 600
    assert "sk-" not in repr(caught.value.attempts)


@pytest.mark.anyio
@pytest.mark.parametrize("where", ["call", "await"])
async def test_an_error_of_a_provider_is_left_as_it_is(where):
    error = InvalidRequestError("no")

    with pytest.raises(InvalidRequestError) as caught:
        await adapt(Raising(error, where)).generate("hi")

    assert caught.value is error


@pytest.mark.anyio
@pytest.mark.parametrize("error, kind", TRANSLATED)
async def test_what_it_raises_after_the_commit_interrupts_the_stream(error, kind):
    with pytest.raises(StreamInterruptedError) as caught:
        await adapt(Raising(error, "commit")).generate_stream("hi").collect()

    assert type(caught.value.__cause__) is kind
    assert caught.value.partial == "a"


@pytest.mark.anyio
async def test_what_is_no_exception_passes_untouched():
    class Stop(BaseException):
        pass

    call = generating()
    with pytest.raises(Stop):
        await call.on(adapt(Raising(Stop(), "await")))

    assert [attempt.outcome for attempt in call.journal] == [Outcome.ABANDONED]


@pytest.mark.anyio
async def test_a_foreign_stream_that_is_left_early_is_closed_soon():
    closed = []

    class Careful:
        async def generate_stream(self, prompt):
            try:
                yield "a"
                yield "b"
            finally:
                closed.append(True)

    async with adapt(Careful()).generate_stream("hi") as stream:
        async for _ in stream:
            break
    gc.collect()

    assert closed == [True]


# What it lacks, and can do all the same.


class Plain:
    """Has no streams."""

    async def generate(self, prompt, **options):
        return f"said {prompt}"


class Streaming:
    """Has nothing but streams."""

    async def generate_stream(self, prompt, **options):
        for word in ("said ", prompt):
            yield word


@pytest.mark.anyio
async def test_without_streams_the_whole_answer_is_one_piece():
    other = Scripted("never")

    stream = await FallbackProvider([Plain(), other]).generate_stream("hi")

    assert [word async for word in stream] == ["said hi"]
    assert (stream.generation.provider, stream.generation.finish_reason) == ("Plain", "stop")
    assert stream.generation.warnings == ()
    (attempt,) = stream.generation.attempts
    assert attempt.outcome is Outcome.SUCCEEDED
    assert not other.asked


@pytest.mark.anyio
async def test_without_streams_an_answer_keeps_what_it_knows():
    usage = Usage(input_tokens=1)

    class Rich:
        async def generate(self, prompt):
            metadata = Metadata(provider="rich", model="r", usage=usage, warnings=("own",))
            return Generation("hi", metadata)

    answer = await adapt(Rich()).generate_stream("hi", temperature=1).collect()

    assert (answer, answer.usage, answer.model) == ("hi", usage, "r")
    assert answer.warnings == ("own", "Rich.generate() does not take temperature; left out")


@pytest.mark.anyio
async def test_without_streams_one_may_be_left_and_may_fail():
    async with adapt(Plain()).generate_stream("hi") as stream:
        stream.cancel()
    assert stream.generation == ""

    class Failing:
        async def generate(self, prompt):
            raise OverloadedError("too much")

    with pytest.raises(OverloadedError):
        await adapt(Failing()).generate_stream("hi")


@pytest.mark.anyio
async def test_with_nothing_but_streams_an_answer_is_collected():
    other = Scripted("never")

    answer = await FallbackProvider([Streaming(), other]).generate("hi", temperature=0)

    assert (answer, answer.provider, answer.finish_reason) == ("said hi", "Streaming", "stop")
    assert len(answer.attempts) == 1
    assert not other.asked


@pytest.mark.anyio
async def test_while_it_is_collected_a_failure_is_one_before_the_commit():
    class Breaking:
        asked = 0

        async def generate_stream(self, prompt):
            self.asked += 1
            yield "a"
            raise ConnectionError("gone")

    breaking = Breaking()

    with pytest.raises(ProviderConnectionError):
        await RetryProvider(breaking, max_retries=0).generate("hi")
    answer = await FallbackProvider([breaking, Scripted("ho")]).generate("hi")

    assert answer == "ho"
    assert breaking.asked == 2


@pytest.mark.parametrize("operation", [*Operation])
@pytest.mark.anyio
async def test_what_it_lacks_others_are_asked_for(operation):
    class Counts:
        async def generate(self, prompt):
            return "own"

        generate_stream = None

    class Embeds:
        async def embed(self, text):
            return [2.0]

    embeds = operation in {Operation.EMBED, Operation.EMBED_BATCH}
    lacking = Counts() if embeds else Embeds()
    chain = FallbackProvider([lacking, Scripted("ho", embedding_model="e")])
    asked = {
        Operation.GENERATE: lambda: chain.generate("hi"),
        Operation.STREAM: lambda: chain.generate_stream("hi").collect(),
        Operation.EMBED: lambda: chain.embed("hi"),
        Operation.EMBED_BATCH: lambda: chain.embed_batch(["hi"]),
    }

    answer = await asked[operation]()

    metadata = answer.metadata
    assert metadata.provider == "scripted"
    assert f"has no method {operation}()" in metadata.warnings[0]


@pytest.mark.anyio
async def test_other_vectors_are_only_given_if_they_may_be():
    class Down:
        model = "own"

        async def embed(self, text):
            raise OverloadedError("too much")

    other = Scripted("ho", embedding_model="e")

    with pytest.raises(OverloadedError) as caught:
        await FallbackProvider([Down(), other]).embed("hi")

    skipped = caught.value.attempts[-1]
    assert "allow_other_space=True" in skipped.reason
    assert list(await FallbackProvider([Down(), other], allow_other_space=True).embed("hi")) == [2]
