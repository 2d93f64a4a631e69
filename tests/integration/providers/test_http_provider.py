"""An adapter over a real server that answers in every way, good and bad."""

import contextlib
import gc
import gzip
import json
import weakref

import anyio
import pytest

import fairlead
from fairlead import (
    ConfigurationError,
    HttpxEngine,
    InvalidRequestError,
    InvalidResponseError,
    OpenAICompatibleProvider,
    OpenAIProvider,
    ProviderConnectionError,
    ProviderTimeoutError,
    ResponseTooLargeError,
    ServerError,
    StreamInterruptedError,
    TimeLimits,
    UnsupportedOperationError,
    default_pipeline,
)
from fairlead.wire.http import WireRequest
from tests.support.answers import (
    DONE,
    JSON,
    Answer,
    completion,
    event,
    failure,
    script,
    streamed,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def provider(server, anyio_backend):
    async with OpenAICompatibleProvider(base_url=server.url("/v1"), model="test") as provider:
        yield provider


async def closed(server):
    """Wait until the server has seen that its clients are gone."""
    with anyio.fail_after(2):
        while server.open_connections:  # noqa: ASYNC110 - another thread's
            await anyio.sleep(0.005)


def asked(server, index=-1):
    return json.loads(server.requests[index].body)


async def test_a_plain_answer_with_all_that_is_known_of_it(provider, server):
    script(completion("Ahoy."))
    answer = await provider.generate("Say ahoy.", request_id="mine")

    assert answer == "Ahoy."
    assert answer.model == "test-1"
    assert answer.provider == "openai-compatible"
    assert answer.request_id == "mine"
    assert answer.metadata.response_id == "chatcmpl-1"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (5, 2)
    assert [attempt.outcome for attempt in answer.attempts] == ["succeeded"]
    assert answer.attempts[0].usage == answer.usage


async def test_nothing_is_sent_that_was_not_set(provider, server):
    script(completion())
    await provider.generate("hi", timeout=5, tags={"user": "ada"}, request_id="r", cache=None)

    assert asked(server) == {"model": "test", "messages": [{"role": "user", "content": "hi"}]}


async def test_a_stream_arrives_word_by_word(provider, server):
    script(streamed("one ", "two ", "three", pause=0.001))
    words = [word async for word in provider.generate_stream("count")]

    assert words == ["one ", "two ", "three"]


async def test_the_stream_is_open_while_the_rest_has_not_been_sent(provider, server):
    script(Answer([event("one ")], ending="stall"))
    async with provider.generate_stream("count") as stream:
        assert await anext(stream) == "one "

    await closed(server)
    assert stream.generation == "one "
    assert stream.generation.finish_reason == "cancelled"


async def test_leaving_the_loop_early_closes_the_connection(provider, server):
    script(Answer([event("one "), event("two ")], ending="stall"))
    async for _ in provider.generate_stream("count"):
        break

    await closed(server)


async def test_a_finished_stream_gives_its_connection_back(provider, server):
    script(streamed("one"))
    for _ in range(3):
        assert await provider.generate_stream("count").collect() == "one"

    assert server.connections == 1


async def test_vectors_keep_their_order(provider, server):
    vectors = [{"index": index, "embedding": [float(index)]} for index in (1, 0)]
    body = {"data": vectors, "model": "e-1", "usage": {"prompt_tokens": 2, "total_tokens": 2}}
    script(Answer([json.dumps(body).encode()], content_type=JSON))
    found = await provider.embed_batch(["a", "b"], model="e")

    assert found.tolist() == [[0.0], [1.0]]
    assert found[0].metadata.space.model == "e-1"


async def test_without_an_embedding_model_there_are_no_vectors(provider):
    with pytest.raises(UnsupportedOperationError, match="embedding_model="):
        await provider.embed("a")


async def test_models_are_listed(provider, server):
    script(Answer([b'{"data": [{"id": "a"}, {"id": "b"}]}'], content_type=JSON))

    assert await provider.list_models() == ("a", "b")


async def test_something_else_than_a_list_of_models(provider, server):
    script(Answer([b'{"models": 1}'], content_type=JSON))
    with pytest.raises(InvalidResponseError, match="does not list models"):
        await provider.list_models()


# What can be wrong with an answer


async def test_an_error_has_its_class_and_its_facts(provider, server):
    script(failure(429, "slow down", retry_after="3", x_request_id="req-1"))
    with pytest.raises(fairlead.RateLimitError) as caught:
        await provider.generate("hi")

    assert caught.value.retry_after == 3
    assert caught.value.request_id == "req-1"
    assert caught.value.status_code == 429
    assert caught.value.provider == "openai-compatible"
    assert caught.value.model == "test"
    assert caught.value.attempts[0].error == "RateLimitError"


async def test_an_error_in_answer_to_a_stream_has_the_facts_of_its_headers(provider, server):
    script(failure(429, "slow down", retry_after="3", x_request_id="req-1"))
    with pytest.raises(fairlead.RateLimitError) as caught:
        await provider.generate_stream("hi")

    assert caught.value.retry_after == 3
    assert caught.value.request_id == "req-1"


@pytest.mark.parametrize("how", ["plain", "stream"])
async def test_a_web_page_in_place_of_an_answer(provider, server, how):
    script(Answer([b"<!DOCTYPE html><title>Log in</title>"], content_type="text/html"))
    with pytest.raises(InvalidResponseError) as caught:
        if how == "plain":
            await provider.generate("hi")
        else:
            await provider.generate_stream("hi")

    assert caught.value.misconfigured
    assert "base" in caught.value.message
    assert "<title>" not in caught.value.message


async def test_garbage_in_place_of_json(provider, server):
    script(Answer([b'{"choices": [{'], content_type=JSON))
    with pytest.raises(InvalidResponseError):
        await provider.generate("hi")


async def test_an_error_inside_a_successful_response(provider, server):
    script(Answer([b'{"error": {"message": "broken", "code": 502}}'], content_type=JSON))
    with pytest.raises(ServerError, match="broken"):
        await provider.generate("hi")


async def test_an_error_inside_a_stream_before_its_first_word(provider, server):
    script(Answer([b'data: {"error": {"message": "broken", "code": 502}}\n\n']))
    with pytest.raises(ServerError, match="broken"):
        await provider.generate_stream("hi")


async def test_an_error_inside_a_stream_after_its_first_word(provider, server):
    script(Answer([event("one "), b'data: {"error": {"message": "broken", "code": 502}}\n\n']))
    with pytest.raises(StreamInterruptedError) as caught:
        await provider.generate_stream("hi").collect()

    assert caught.value.partial == "one "
    assert isinstance(caught.value.__cause__, ServerError)
    assert caught.value.attempts[-1].outcome == "interrupted"


async def test_a_stream_that_ends_before_its_end(provider, server):
    script(Answer([event("half an ans")]))
    with pytest.raises(StreamInterruptedError) as caught:
        await provider.generate_stream("hi").collect()

    assert caught.value.partial == "half an ans"


async def test_a_stream_that_is_cut(provider, server):
    script(Answer([event("half an ans")], ending="cut"))
    with pytest.raises(StreamInterruptedError) as caught:
        await provider.generate_stream("hi").collect()

    assert isinstance(caught.value.__cause__, ProviderConnectionError)


@pytest.mark.parametrize("ending", ["cut", "stall"])
async def test_an_answer_that_is_whole_counts_even_if_its_body_is_not(server, ending):
    script(Answer([event("whole"), event(finish="stop")], ending=ending))
    async with await limited(server, idle=0.2) as provider:
        answer = await provider.generate_stream("hi").collect()

    assert answer == "whole"
    assert answer.finish_reason == "stop"
    assert answer.attempts[-1].outcome == "succeeded"


@pytest.mark.parametrize("how", ["plain", "stream"])
async def test_the_status_of_an_error_counts_even_if_its_body_is_cut(provider, server, how):
    broken = failure(429, "slow down", retry_after="30")
    script(Answer([broken.pieces[0][:9]], 429, JSON, broken.headers, ending="cut"))
    with pytest.raises(fairlead.RateLimitError) as caught:
        if how == "plain":
            await provider.generate("hi")
        else:
            await provider.generate_stream("hi")

    assert caught.value.retry_after == 30


async def test_a_part_of_an_answer_that_is_nonsense_is_passed_over(provider, server):
    script(completion([{"type": ["x"], "text": "odd"}, {"type": "text", "text": "well"}]))

    assert "well" in await provider.generate("hi")


async def test_a_codec_that_trips_makes_a_bad_answer(provider, server, monkeypatch):
    def trip(*_):
        raise KeyError

    monkeypatch.setattr("fairlead.wire.openai_chat.codec.decode_answer", trip, raising=False)
    monkeypatch.setattr("fairlead.wire.openai_chat.stream.from_json", trip)
    script(streamed("one"))
    with pytest.raises(InvalidResponseError, match="cannot be understood"):
        await provider.generate_stream("hi")


async def test_a_stream_that_failed_is_freed_at_once(provider, server):
    script(Answer([event("one "), b'data: {"error": {"message": "broken", "code": 502}}\n\n']))
    gc.disable()
    try:
        stream = await provider.generate_stream("hi")
        with contextlib.suppress(StreamInterruptedError):
            await stream.collect()
        gone = weakref.ref(stream)
        del stream
        freed = gone() is None
    finally:
        gc.enable()

    assert freed


async def test_heads_that_never_end_are_cut_in_time(server):
    engine = HttpxEngine()
    request = WireRequest(url=server.url("/continuing"))
    with anyio.fail_after(5), pytest.raises(ProviderTimeoutError):
        await engine.send(request, connect=1, within=0.2)
    await engine.aclose()


async def test_a_redirect_to_nonsense(server):
    engine = HttpxEngine()
    request = WireRequest(url=server.url("/redirect?to=http://[::1"))
    with pytest.raises(fairlead.RedirectRefusedError):
        await engine.send(request, connect=1, within=2)
    await engine.aclose()


async def test_a_key_that_the_server_echoes_is_masked(server):
    script(failure(401, "no such key: my-Gateway-Token"))
    async with OpenAICompatibleProvider(
        base_url=server.url("/v1"), model="m", api_key="my-Gateway-Token"
    ) as provider:
        with pytest.raises(fairlead.AuthenticationError) as caught:
            await provider.generate("hi")

        echo = b'{"error": {"message": "no such key: my-Gateway-Token", "code": 401}}'
        script(Answer([echo], content_type=JSON), Answer([b"data: " + echo + b"\n\n"]))
        with pytest.raises(fairlead.AuthenticationError) as inside:
            await provider.generate("hi")
        with pytest.raises(fairlead.AuthenticationError) as streaming:
            await provider.generate_stream("hi")

    for told in (caught, inside, streaming):
        assert "my-Gateway-Token" not in str(told.value)
        assert "***" in told.value.message


async def test_an_empty_body_is_no_answer(provider, server):
    script(Answer([]))
    with pytest.raises(InvalidResponseError):
        await provider.generate_stream("hi")


async def test_an_empty_answer_that_ends_as_it_should_is_one(provider, server):
    script(Answer([event(finish="stop"), DONE]))

    assert await provider.generate_stream("hi").collect() == ""


async def test_an_endless_body(server):
    engine = HttpxEngine(max_response_bytes=100_000)
    async with OpenAICompatibleProvider(
        base_url=server.url("/v1"), model="test", engine=engine
    ) as provider:
        script(Answer([b" " * 65_536] * 3, content_type=JSON))
        with pytest.raises(ResponseTooLargeError, match="max_response_bytes"):
            await provider.generate("hi")
    await engine.aclose()


async def test_a_decompression_bomb(server):
    engine = HttpxEngine(max_response_bytes=1_000_000)
    bomb = gzip.compress(bytes(50_000_000))
    async with OpenAICompatibleProvider(
        base_url=server.url("/v1"), model="test", engine=engine
    ) as provider:
        script(Answer([bomb], content_type=JSON, headers=(("content-encoding", "gzip"),)))
        with pytest.raises(ResponseTooLargeError):
            await provider.generate("hi")
    await engine.aclose()


# Time


async def limited(server, **limits):
    return OpenAICompatibleProvider(
        base_url=server.url("/v1"), model="test", limits=TimeLimits(**limits)
    )


async def test_no_first_content_in_time(server):
    script(Answer([], ending="comments"))
    async with await limited(server, first_content=0.1) as provider:
        with pytest.raises(ProviderTimeoutError, match="first content") as caught:
            await provider.generate_stream("hi")

    assert caught.value.limit == 0.1
    assert caught.value.sent


async def test_the_time_until_the_first_content_does_not_cut_what_follows(server):
    script(streamed("one ", "two ", "three ", "four", pause=0.1))
    async with await limited(server, first_content=0.15) as provider:
        assert await provider.generate_stream("hi").collect() == "one two three four"


async def test_comments_that_keep_a_connection_alive_are_no_progress(server):
    script(Answer([event("one ")], ending="comments"))
    async with await limited(server, idle=0.1) as provider:
        with pytest.raises(StreamInterruptedError) as caught:
            await provider.generate_stream("hi").collect()

    assert isinstance(caught.value.__cause__, ProviderTimeoutError)
    assert caught.value.partial == "one "


async def test_the_time_that_a_reader_takes_does_not_count(server):
    script(streamed("one ", "two ", "three", pause=0.001))
    async with await limited(server, idle=0.15) as provider:
        words: list[str] = []
        async for word in provider.generate_stream("hi"):
            words.append(word)
            await anyio.sleep(0.2)

    assert words == ["one ", "two ", "three"]


async def test_no_whole_answer_in_time(server):
    script(Answer([b'{"choices":'], content_type=JSON, ending="stall"))
    async with await limited(server, total=0.1) as provider:
        with pytest.raises(ProviderTimeoutError):
            await provider.generate("hi")


async def test_the_timeout_of_a_call_cuts_the_limits_of_its_attempts(provider, server):
    script(Answer([b"{"], content_type=JSON, ending="stall"))
    pipeline = default_pipeline(provider)
    with pytest.raises(fairlead.DeadlineExceededError):
        await pipeline.generate("hi", timeout=0.1)


# A plain call that streams underneath


async def test_a_long_answer_is_streamed_underneath(server):
    script(streamed("long ", "answer"))
    async with OpenAIProvider(api_key="k", model="gpt-4o", base_url=server.url("/v1")) as provider:
        answer = await provider.generate("hi", max_tokens=5000)

    assert asked(server)["stream"] is True
    assert answer == "long answer"
    assert answer.usage.output_tokens == 2


async def test_a_fault_of_such_a_stream_is_one_before_the_commit(server):
    script(Answer([event("half")], ending="cut"), streamed("whole"))
    backoff = fairlead.Backoff(initial_delay=0.001)
    async with OpenAIProvider(api_key="k", model="gpt-4o", base_url=server.url("/v1")) as provider:
        retrying = fairlead.RetryProvider(provider, backoff=backoff)
        answer = await retrying.generate("hi", max_tokens=5000)

    assert answer == "whole"
    assert [a.outcome for a in answer.attempts] == ["failed", "waited", "succeeded"]


async def test_plain_stays_plain_when_asked_to(server):
    script(completion())
    async with OpenAIProvider(
        api_key="k", model="gpt-4o", base_url=server.url("/v1"), wire="plain"
    ) as provider:
        await provider.generate("hi", max_tokens=5000)

    assert "stream" not in asked(server)


# What a target asks for by itself


async def test_defaults_fill_what_the_call_leaves_open(server):
    script(completion())
    async with OpenAICompatibleProvider(
        base_url=server.url("/v1"),
        model="test",
        defaults={"temperature": 0.5, "max_tokens": 9, "system_prompt": "Be brief."},
    ) as provider:
        await provider.generate("hi", temperature=0)
        await provider.generate("hi", system_prompt="Be long.")

    assert asked(server, 0)["temperature"] == 0
    assert asked(server, 0)["max_tokens"] == 9
    assert asked(server, 0)["messages"][0] == {"role": "system", "content": "Be brief."}
    assert asked(server, 1)["messages"][0] == {"role": "system", "content": "Be long."}


async def test_default_fields_of_one_vendor_are_filled_one_by_one(server):
    for extra in ({"ours": 1, "shared": 1}, {"openai-compatible": {"ours": 1, "shared": 1}}):
        async with OpenAICompatibleProvider(
            base_url=server.url("/v1"), model="m", defaults={"extra": extra}
        ) as provider:
            script(completion("ok"), completion("ok"))
            await provider.generate("hi")
            await provider.generate("hi", extra={"shared": 2})

        assert (asked(server, -2)["ours"], asked(server, -2)["shared"]) == (1, 1)
        assert (asked(server)["ours"], asked(server)["shared"]) == (1, 2)


@pytest.mark.parametrize(
    "defaults", [{"temprature": 1}, {"max_tokens": -1}, {"timeout": 3}, {"tools": "none"}]
)
async def test_wrong_defaults_are_refused_when_it_is_built(defaults):
    with pytest.raises(ConfigurationError, match="default"):
        OpenAICompatibleProvider(base_url="http://localhost/v1", model="m", defaults=defaults)


async def test_extra_is_sent_as_it_is_or_by_the_name_of_the_provider(provider, server):
    script(completion())
    await provider.generate("hi", extra={"top_a": 0.1})
    await provider.generate("hi", extra={"openai-compatible": {"top_a": 0.2}})

    assert asked(server, 0)["top_a"] == 0.1
    assert asked(server, 1)["top_a"] == 0.2
    assert "openai-compatible" not in asked(server, 1)


# How it is built


async def test_an_address_without_scheme():
    with pytest.raises(ConfigurationError, match="scheme"):
        OpenAICompatibleProvider(base_url="localhost:8000", model="m")


async def test_plain_http_to_a_public_host():
    with pytest.raises(ConfigurationError, match="plain http"):
        OpenAICompatibleProvider(base_url="http://example.com/v1", model="m")

    OpenAICompatibleProvider(base_url="http://example.com/v1", model="m", allow_plain_http=True)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"base_url": "http://localhost/v1?x=1"}, ConfigurationError, "path"),
        ({"base_url": 8000}, TypeError, "base_url"),
        ({"base_url": "http://[::1"}, ConfigurationError, "no address"),
        ({"model": 5}, TypeError, "model"),
        ({"model": ""}, ConfigurationError, "model"),
        ({"api_key": 5}, TypeError, "api_key"),
    ],
)
async def test_a_wrong_argument(arguments, error, says):
    with pytest.raises(error, match=says):
        OpenAICompatibleProvider(**{"base_url": "http://localhost/v1", "model": "m", **arguments})


async def test_a_model_of_the_wrong_type_at_openai():
    with pytest.raises(TypeError, match="model must be a str"):
        OpenAIProvider(api_key="k", model=5)


@pytest.mark.parametrize("limits", [{"connect": -3}, {"idle": "3"}, {"total": 0}, {"total": True}])
async def test_time_limits_that_make_no_sense(limits):
    with pytest.raises(ConfigurationError, match=next(iter(limits))):
        TimeLimits(**limits)


async def test_what_is_not_found_is_named(provider, server):
    script(failure(404, "Not Found"))
    with pytest.raises(fairlead.ModelNotFoundError, match="/v1/chat/completions"):
        await provider.generate("hi")
    with pytest.raises(fairlead.ModelNotFoundError, match="/v1/chat/completions"):
        await provider.generate_stream("hi")


@pytest.mark.parametrize("operation", ["generate", "embed"])
async def test_a_key_in_an_error_inside_an_answer_is_masked(server, operation):
    script(Answer([b'{"error": {"message": "what is wordless-canary?"}}'], content_type=JSON))
    async with OpenAICompatibleProvider(
        base_url=server.url("/v1"), model="m", embedding_model="e", api_key="wordless-canary"
    ) as canary:
        with pytest.raises(ServerError) as caught:
            await getattr(canary, operation)("hi")

    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("operation", ["generate", "embed"])
async def test_a_codec_that_trips_over_a_whole_answer(server, operation, monkeypatch):
    def trip(*_):
        raise KeyError

    monkeypatch.setattr("fairlead.wire.openai_chat.codec.decode_answer", trip)
    monkeypatch.setattr("fairlead.wire.openai_chat.embeddings.decode_usage", trip)
    script(Answer([b'{"data": [{"embedding": [1.0]}]}'], content_type=JSON))
    async with OpenAICompatibleProvider(
        base_url=server.url("/v1"), model="m", embedding_model="e"
    ) as provider:
        with pytest.raises(InvalidResponseError, match="cannot be understood"):
            await getattr(provider, operation)("hi")


async def test_where_a_key_is_wanted_and_none_was_sent(provider, server):
    script(failure(401, "who are you?"))
    with pytest.raises(fairlead.AuthenticationError, match=r"who are you\? \(no key was sent"):
        await provider.generate("hi")
    for sent in ({"api_key": "k"}, {"headers": {"X-API-Key": "k"}}):
        async with OpenAICompatibleProvider(base_url=server.url("/v1"), model="m", **sent) as known:
            with pytest.raises(fairlead.AuthenticationError, match=r"who are you\?(?! \(no key)"):
                await known.generate("hi")


async def test_a_key_in_a_header_of_any_spelling_is_masked(server):
    script(failure(401, "what is wordless-canary?"))
    async with OpenAICompatibleProvider(
        base_url=server.url("/v1"), model="m", headers={"X-Api-Key": "wordless-canary"}
    ) as canary:
        with pytest.raises(fairlead.AuthenticationError) as caught:
            await canary.generate("hi")

    assert "canary" not in str(caught.value)


async def test_a_key_with_a_line_break():
    with pytest.raises(ConfigurationError, match="API key") as caught:
        OpenAIProvider(api_key="sk-secret\n")

    assert "secret" not in str(caught.value)


async def test_openai_without_a_key(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
        OpenAIProvider()


async def test_an_unknown_keyword():
    with pytest.raises(TypeError, match="engin"):
        OpenAIProvider(api_key="k", engin=None)


async def test_no_secret_shows(provider, server):
    script(failure(401, "Incorrect API key provided: sk-canary-0123456789abcdef."))
    async with OpenAIProvider(
        api_key="sk-canary-0123456789abcdef", base_url=server.url("/v1")
    ) as canary:
        with pytest.raises(fairlead.AuthenticationError) as caught:
            await canary.generate("hi")

    shown = f"{canary!r} {caught.value} {caught.value!r} {caught.value.attempts}"
    assert "canary" not in shown
    assert server.requests[-1].headers["authorization"] == "Bearer sk-canary-0123456789abcdef"


async def test_the_path_of_a_bare_address_is_that_of_all_such_servers(server):
    script(completion())
    async with OpenAICompatibleProvider(base_url=server.url(""), model="test") as provider:
        await provider.generate("hi")
        assert provider.endpoint.endswith("/v1")

    assert server.requests[-1].path == "/v1/chat/completions"


async def test_options_are_checked_before_anything_is_sent(provider, server):
    with pytest.raises(InvalidRequestError, match="max_tokens"):
        await provider.generate("hi", max_tokens=-1)
    with pytest.raises(TypeError, match="temperature"):
        await provider.generate("hi", temprature=1)

    assert server.requests == []


async def test_one_provider_serves_one_loop_after_the_other(server):
    """In a thread, as this test runs in a loop of its own."""
    script(completion())
    provider = OpenAICompatibleProvider(base_url=server.url("/v1"), model="test")

    def in_new_loops() -> list[str]:
        answers: list[str] = []
        for backend in ("asyncio", "trio", "asyncio"):
            answers.append(anyio.run(provider.generate, "hi", backend=backend))
        return answers

    answers = await anyio.to_thread.run_sync(in_new_loops)

    assert answers == ["Hello."] * 3
