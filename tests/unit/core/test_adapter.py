import contextlib
from dataclasses import replace

import anyio
import pytest

from fairlead.core import adapter
from fairlead.core.collector import Collector
from fairlead.core.embeddings import Embeddings
from fairlead.core.errors import (
    AuthenticationError,
    InvalidRequestError,
    InvalidResponseError,
    ModelNotFoundError,
    OutputTruncatedError,
    OverloadedError,
    PermissionDeniedError,
    ProviderConnectionError,
    ProviderTimeoutError,
    ResponseTooLargeError,
    ServerError,
    StreamInterruptedError,
)
from fairlead.core.events import (
    ReasoningDelta,
    RefusalDelta,
    StreamEnd,
    StreamStart,
    TextDelta,
    ToolCallDelta,
)
from fairlead.core.journal import Journal, Outcome
from fairlead.core.messages import Image, Message, Reasoning, Refusal, Text, Tool, ToolCall
from fairlead.core.models import ModelInfo
from fairlead.core.refusals import DeadlineExceededError
from fairlead.core.results import FinishReason
from fairlead.core.usage import Usage
from fairlead.testing import ScriptedProvider
from tests.unit.core.fakes import (
    END,
    METADATA,
    WAIT,
    Scripted,
    Source,
    embedding,
    generating,
)


def entry(call):
    [attempt] = call.journal
    return attempt


@pytest.mark.anyio
async def test_an_answer_is_one_attempt_with_its_usage():
    provider = Scripted("ho", seconds=2.0)
    call = generating(clock=anyio.current_time)

    answer = await call.on(provider)

    attempt = entry(call)
    assert (attempt.outcome, attempt.provider, attempt.model) == (
        Outcome.SUCCEEDED,
        "scripted",
        "m",
    )
    assert (round(attempt.seconds, 6), attempt.usage) == (2.0, END.usage)
    assert answer.attempts == (attempt,)
    assert answer.request_id == call.options.request_id


@pytest.mark.anyio
async def test_a_failure_is_one_attempt_with_its_reason():
    error = OverloadedError("too much", status_code=529, request_id="req")
    call = generating(model="other")

    with pytest.raises(OverloadedError) as caught:
        await call.on(Scripted(error))

    attempt = entry(call)
    assert (attempt.outcome, attempt.reason, attempt.error) == (
        Outcome.FAILED,
        "too much",
        "OverloadedError",
    )
    assert (attempt.status_code, attempt.request_id, attempt.misconfigured) == (529, "req", False)
    assert attempt.model == "other"
    assert caught.value.attempts == (attempt,)
    assert (caught.value.provider, caught.value.model) == ("scripted", "other")


@pytest.mark.anyio
async def test_an_error_that_names_its_provider_keeps_the_name():
    error = OverloadedError("too much", provider="upstream")

    with pytest.raises(OverloadedError) as caught:
        await generating().on(Scripted(error))

    assert (caught.value.provider, caught.value.model) == ("upstream", None)


@pytest.mark.anyio
async def test_a_cancelled_attempt_is_written_down_as_abandoned():
    call = generating(clock=anyio.current_time)

    with anyio.move_on_after(3):
        await call.on(Scripted("ho", seconds=9))

    assert (entry(call).outcome, round(entry(call).seconds, 6)) == (Outcome.ABANDONED, 3.0)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "batches, outcome, usage",
    [
        (([TextDelta("hi")], [END]), Outcome.SUCCEEDED, END.usage),
        (
            ([TextDelta("hi")], OverloadedError("x")),
            Outcome.INTERRUPTED,
            Usage(input_tokens=6, output_tokens=1, estimated=True),
        ),
    ],
)
async def test_a_stream_is_one_attempt_when_it_has_ended(batches, outcome, usage):
    provider = Scripted(lambda: Source(*batches))

    async with provider.generate_stream("hi") as stream:
        journal = stream.metadata.journal
        assert not journal.attempts
        with contextlib.suppress(StreamInterruptedError):
            await stream.collect()

    [attempt] = journal
    assert (attempt.outcome, attempt.usage) == (outcome, usage)


@pytest.mark.anyio
async def test_an_abandoned_stream_is_an_attempt_too():
    async with Scripted(lambda: Source([TextDelta("hi")], WAIT)).generate_stream("hi") as stream:
        pass

    [attempt] = stream.metadata.journal
    assert attempt.outcome is Outcome.ABANDONED


@pytest.mark.anyio
async def test_a_stream_that_cannot_be_opened_has_failed():
    provider = Scripted(lambda: Source([StreamStart()]))

    with pytest.raises(InvalidResponseError) as caught:
        await provider.generate_stream("hi")

    [attempt] = caught.value.attempts
    assert (attempt.outcome, attempt.error) == (Outcome.FAILED, "InvalidResponseError")


@pytest.mark.anyio
async def test_one_text_gives_one_vector_and_many_a_batch():
    provider = Scripted("", embedding_model="e")

    assert await provider.embed("four") == [4.0]
    batch = await provider.embed_batch(["a", "four"])

    assert isinstance(batch, Embeddings)
    assert batch.tolist() == [[1.0], [4.0]]
    assert [attempt.model for attempt in batch.metadata.journal] == ["e"]


@pytest.mark.anyio
async def test_the_wrong_number_of_vectors_is_an_invalid_response():
    class Short(Scripted):
        async def _embed(self, call):
            return (await super()._embed(call))[1:]

    for ask in (lambda p: p.embed("a"), lambda p: p.embed_batch(["a", "b"])):
        with pytest.raises(InvalidResponseError, match="vectors for"):
            await ask(Short("", embedding_model="e"))


@pytest.mark.anyio
async def test_a_failure_to_embed_names_the_model_that_embeds():
    call = embedding()

    with pytest.raises(OverloadedError):
        await call.on(Scripted(OverloadedError("x"), embedding_model="e"))

    assert entry(call).model == "e"


def plan(provider, call):
    [target] = provider.plan(call)
    return target


def test_a_plan_has_one_target():
    target = plan(Scripted("ho"), generating())

    assert (target.provider, target.model.name, target.endpoint) == ("scripted", "m", None)
    assert target.obstacle is None


@pytest.mark.parametrize("name", ["other", "scripted:other", "scripted/other"])
def test_a_call_may_name_another_model_with_or_without_the_provider(name):
    assert plan(Scripted("ho"), generating(model=name)).model.name == "other"


@pytest.mark.parametrize("name", ["m", "scripted:m"])
def test_what_is_known_of_its_own_model_is_known_by_name_too(name):
    target = plan(Scripted("ho", tools=False), generating(model=name, tools=[Tool("search")]))

    assert target.cannot == "m does not take tools"


BLIND = {"tools": False, "response_format": False, "images": False, "context_window": 4}


@pytest.mark.parametrize(
    "call, lack",
    [
        (generating(tools=[Tool("search")]), "tools"),
        (generating(response_format={"type": "object"}), "response_format"),
        (generating(response_format={}), "response_format"),
        (generating(Message.user("hi", Image(url="https://a.example/b.png"))), "images"),
        (generating("word " * 100), "the window of m"),
    ],
)
def test_the_plan_for_a_few_words_is_kept_and_for_nothing_else(call, lack):
    provider = Scripted("ho", **BLIND)
    kept = provider.plan(generating())

    assert lack in plan(provider, call).cannot
    assert provider.plan(generating()) is kept
    assert plan(provider, generating(model="other")).model.name == "other"


def test_nothing_is_assumed_of_another_model():
    call = generating(model="other", tools=[Tool("search")])

    assert plan(Scripted("ho", tools=False), call).cannot is None


def test_without_an_embedding_model_there_is_nothing_to_embed_with():
    assert "has no embedding model here" in plan(Scripted("ho"), embedding()).cannot
    assert plan(Scripted("ho", embedding_model="e"), embedding()).model.name == "e"
    assert plan(Scripted("ho"), embedding(model="f")).model.name == "f"


def test_tokens_are_estimated_for_the_family_of_the_model():
    text = "hello " * 100

    assert Scripted("ho", tokenizer="claude_v4_7").count_tokens(text) > Scripted("").count_tokens(
        text
    )


def collected(*events):
    return Collector(events).generation(METADATA)


def test_words_of_a_kind_are_joined_to_parts_in_their_order():
    generation = collected(
        ReasoningDelta("h"),
        ReasoningDelta("m"),
        TextDelta("a"),
        TextDelta("b"),
        RefusalDelta("n"),
        RefusalDelta("o"),
        TextDelta("c"),
        END,
    )

    assert generation == "abc"
    assert generation.metadata.parts == (Reasoning("hm"), Text("ab"), Refusal("no"), Text("c"))


def test_an_opaque_record_ends_a_reasoning_part():
    generation = collected(
        ReasoningDelta("h"),
        ReasoningDelta("m", {"s": 1}, "v"),
        ReasoningDelta("", {"s": 2}, "v"),
        ReasoningDelta("x"),
        END,
    )

    assert generation.metadata.parts == (
        Reasoning("hm", {"s": 1}, "v"),
        Reasoning("", {"s": 2}, "v"),
        Reasoning("x"),
    )


def test_calls_are_told_apart_by_their_index_even_if_their_deltas_mix():
    generation = collected(
        ToolCallDelta(1, "b", "find"),
        ToolCallDelta(0, "a", "search", "{"),
        TextDelta("so"),
        ToolCallDelta(1, arguments="[]"),
        ToolCallDelta(0, arguments="}", opaque={"s": 1}, origin="v"),
        END,
    )

    assert generation.metadata.parts == (
        ToolCall("b", "find", "[]"),
        ToolCall("a", "search", "{}", {"s": 1}, "v"),
        Text("so"),
    )
    assert generation.tool_calls[1].origin == "v"


def test_a_call_without_an_id_is_given_one():
    assert collected(ToolCallDelta(2, None, "search"), END).tool_calls[0].id == "call_2"


def test_words_are_kept_while_a_call_is_told():
    generation = collected(TextDelta("so"), ToolCallDelta(0, "a", "search"), END)

    assert generation.metadata.parts == (Text("so"), ToolCall("a", "search", ""))


def test_later_facts_win_and_silence_forgets_none():
    generation = collected(StreamStart("1", "m"), StreamStart(None, "m-2"), StreamStart("2"), END)

    assert (generation.metadata.response_id, generation.model) == ("2", "m-2")


def test_without_its_end_nobody_knows_why_it_ended():
    assert collected(TextDelta("a")).finish_reason is FinishReason.UNKNOWN


def test_an_empty_word_is_no_part():
    assert collected(TextDelta(""), END).metadata.parts == ()


def test_the_end_tells_how_it_was():
    end = StreamEnd(
        FinishReason.LENGTH, "max", warnings=("w",), logprobs=({"a": 1},), details={"b": 2}
    )

    metadata = collected(TextDelta("a"), end).metadata

    assert (metadata.finish_reason, metadata.finish_reason_raw) == (FinishReason.LENGTH, "max")
    assert (metadata.warnings[0], metadata.logprobs) == ("w", ({"a": 1},))
    assert metadata.details == {"b": 2}
    assert Collector([end]).ended
    assert not Collector().ended


LONG = "How many tokens is this?"


@pytest.mark.anyio
async def test_what_an_abandoned_attempt_consumed_is_estimated():
    call = generating(LONG, clock=anyio.current_time)

    with anyio.move_on_after(3):
        await call.on(Scripted("ho", seconds=9))

    assert entry(call).usage == Usage(input_tokens=11, output_tokens=0, estimated=True)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "error, is_booked",
    [
        (ProviderTimeoutError("late", sent=True), True),
        (ProviderTimeoutError("late"), True),
        (ProviderTimeoutError("late", sent=False), False),
        (ProviderConnectionError("broke", sent=True), True),
        (ProviderConnectionError("broke"), False),
        (InvalidResponseError("cut"), True),
        (ResponseTooLargeError("too much", sent=True), True),
        (ServerError("an error event", status_code=200), True),
        (ServerError("no", status_code=500, sent=True), False),
        (DeadlineExceededError("over", sent=True), True),
        (DeadlineExceededError("over"), False),
        (InvalidResponseError("a page", misconfigured=True), False),
        (OverloadedError("x", sent=True), False),
    ],
)
async def test_the_input_of_what_may_have_been_answered_is_estimated(error, is_booked):
    call = generating(LONG)

    with pytest.raises(type(error)):
        await call.on(Scripted(error))

    booked = Usage(input_tokens=11, output_tokens=0, estimated=True)
    assert entry(call).usage == (booked if is_booked else None)


@pytest.mark.anyio
async def test_what_an_abandoned_stream_had_said_is_estimated():
    said = [ReasoningDelta("Let me think about that."), TextDelta("Good evening")]
    stream = await Scripted(lambda: Source(said, [END])).generate_stream(LONG)
    assert await anext(stream) == "Good evening"

    stream.cancel()

    [attempt] = stream.metadata.journal
    assert attempt.usage == Usage(input_tokens=11, output_tokens=7, estimated=True)


@pytest.mark.anyio
async def test_an_answer_that_was_cut_keeps_the_usage_that_it_told():
    told = Usage(input_tokens=7, output_tokens=9)
    end = StreamEnd(FinishReason.LENGTH, usage=told)
    call = generating(response_format={"type": "object"})

    with pytest.raises(OutputTruncatedError):
        await call.on(ScriptedProvider([["{", end]]))

    assert entry(call).usage == told


@pytest.mark.anyio
async def test_every_attempt_has_an_id_of_its_own():
    calls = [generating(), generating()]
    for call in calls:
        await call.on(Scripted("ho"))
        await call.on(Scripted("ho"))

    ids = [attempt.id for call in calls for attempt in call.journal]
    assert len(set(ids)) == 4
    assert all(ids)


def wrong_key():
    return AuthenticationError("wrong key", status_code=401)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "error, told",
    [
        (wrong_key(), "AuthenticationError (HTTP 401): wrong key"),
        (PermissionDeniedError("no", status_code=403), "PermissionDeniedError (HTTP 403): no"),
        (ModelNotFoundError("none", status_code=404), "ModelNotFoundError (HTTP 404): none"),
        (InvalidRequestError("what?", status_code=400), "InvalidRequestError (HTTP 400): what?"),
        (AuthenticationError("wrong key"), "AuthenticationError: wrong key"),
        (OverloadedError("busy", status_code=529), None),
    ],
)
async def test_a_mistake_in_the_set_up_is_kept_until_it_answers(error, told):
    provider = Scripted(error, "ho")

    with pytest.raises(type(error)):
        await generating().on(provider)
    assert provider.misconfigured == told

    await generating().on(provider)
    assert provider.misconfigured is None


@pytest.mark.anyio
async def test_what_does_not_answer_for_another_reason_is_misconfigured_still():
    provider = Scripted(wrong_key(), OverloadedError("busy"))
    for error in (AuthenticationError, OverloadedError):
        with pytest.raises(error):
            await generating().on(provider)

    assert provider.misconfigured == "AuthenticationError (HTTP 401): wrong key"


@pytest.mark.anyio
@pytest.mark.parametrize("model, is_its_own", [("m", True), ("scripted:m", True), ("typo", False)])
async def test_a_model_that_a_call_names_is_no_mistake_of_the_set_up(model, is_its_own):
    provider = Scripted(ModelNotFoundError("none"))
    with pytest.raises(ModelNotFoundError):
        await generating(model=model).on(provider)

    assert (provider.misconfigured is not None) == is_its_own


PICTURE = [Message.user(Image(url="https://example.com/a.png"))]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "call, is_plain",
    [
        (generating("what?"), True),
        (generating("what?", system_prompt="Be brief.", model="m"), True),
        (generating("what?", temperature=9), False),
        (generating("what?", extra={"thinking": "hard"}), False),
        (generating(PICTURE), False),
        (embedding(["what?"]), True),
        (embedding(["what?"], dimensions=7), False),
    ],
)
async def test_what_may_be_the_callers_own_mistake_is_none_of_the_set_up(call, is_plain):
    def refuse():
        raise InvalidRequestError("what?", status_code=400)

    provider = Scripted(refuse, embedding_model="e")
    with pytest.raises(InvalidRequestError):
        await call.with_(journal=Journal()).on(provider)

    assert (provider.misconfigured is not None) == is_plain


@pytest.mark.anyio
async def test_a_wrong_key_is_a_mistake_of_the_set_up_whatever_was_asked():
    provider = Scripted(wrong_key())
    call = generating(temperature=1)
    with pytest.raises(AuthenticationError):
        await call.on(provider)

    assert provider.misconfigured is not None
    assert entry(call).misconfigured


@pytest.mark.anyio
async def test_an_attempt_tells_which_model_it_was_whatever_was_asked_before():
    provider = Scripted("ho")
    told = []
    for model in (None, "other", None):
        call = generating(model=model)
        await call.on(provider)
        told.append((entry(call).target, provider.plan(call).first.identity))

    assert [mine for mine, _ in told] == [planned for _, planned in told]
    assert told[0] == told[2] != told[1]


class Windows:
    """A book that knows the window of every model, and how often it was asked."""

    def __init__(self, **windows):
        self.windows = windows
        self.asked = []

    def complete(self, provider, info):
        self.asked.append((provider, info.name))
        window = info.context_window or self.windows.get(info.name)
        return replace(info, context_window=window)


def booked(book, **known):
    provider = Scripted("ho", **known)
    provider.models = book
    return provider


def test_nothing_is_known_of_models_without_a_book():
    assert Scripted("ho").info_of("other") == ModelInfo(name="other")
    assert plan(Scripted("ho"), generating(model="other")).model == ModelInfo(name="other")


def test_a_book_tells_of_the_models_that_calls_name():
    provider = booked(Windows(other=4))
    target = plan(provider, generating("word " * 100, model="other"))

    assert target.model == ModelInfo(name="other", context_window=4)
    assert "the window of other" in target.cannot


def test_what_is_known_of_its_own_model_is_its_own_affair():
    book = Windows(m=4)
    provider = booked(book, tools=False)

    assert provider.info_of("m") is provider.model
    assert book.asked == []


def test_a_book_is_asked_once_for_each_model_so_that_plans_are_kept():
    book = Windows(other=400)
    provider = booked(book)

    first = provider.plan(generating(model="other"))
    assert provider.plan(generating(model="other")) is first
    assert provider.info_of("other") is first.first.model
    assert book.asked == [("scripted", "other")]


def test_another_book_is_asked_anew():
    provider = booked(Windows(other=4))
    assert provider.info_of("other").context_window == 4

    provider.models = Windows(other=5)
    assert provider.info_of("other").context_window == 5

    provider.models = Scripted("ho").models
    assert provider.info_of("other").context_window is None


def test_no_more_models_are_kept_than_so_many(monkeypatch):
    monkeypatch.setattr(adapter, "_MOST", 3)
    book = Windows(a=1, b=2)
    provider = booked(book)

    for name in "abcdefgh":
        provider.info_of(name)
        assert len(provider._completed[1]) <= 3
    provider.info_of("h")
    assert len(book.asked) == 8
    assert provider.info_of("a").context_window == 1


def test_a_book_that_trips_knows_nothing():
    class Broken:
        def complete(self, provider, info):
            raise RuntimeError("torn")

    assert booked(Broken()).info_of("other") == ModelInfo(name="other")
