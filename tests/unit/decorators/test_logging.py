import gc
import weakref
from contextvars import ContextVar

import anyio
import pytest

from fairlead.core.calls import Call
from fairlead.core.embeddings import Embedding
from fairlead.core.errors import (
    AllTargetsFailedError,
    AuthenticationError,
    InvalidRequestError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
)
from fairlead.core.journal import Attempt, Journal, Outcome
from fairlead.core.messages import Tool
from fairlead.core.models import ModelInfo
from fairlead.core.usage import Usage
from fairlead.decorators.fallback import FallbackProvider
from fairlead.decorators.lane import LimitOptions
from fairlead.decorators.limits import LimitProvider
from fairlead.decorators.logging import LoggingProvider
from fairlead.decorators.retry import RetryProvider
from fairlead.testing import CUT, Pause, ScriptedProvider
from tests.support.logs import ListLog

pytestmark = pytest.mark.anyio

ANSWERED = [("debug", "attempt succeeded"), ("info", "call answered")]


@pytest.fixture
def log():
    return ListLog()


def logged(log, *answers, **options):
    return LoggingProvider(ScriptedProvider(list(answers), **options), log=log)


async def test_an_answer_is_one_line_at_info_and_its_attempt_one_at_debug(log):
    provider = logged(log, [Pause(1.5), "Hello"], usage=Usage(input_tokens=3, output_tokens=2))
    await provider.generate("Hi", request_id="r-1", tags={"tenant": "a"})

    assert log.told == ANSWERED
    assert log.of("call answered") == {
        "operation": "generate",
        "provider": "scripted",
        "model": "scripted",
        "finish_reason": "stop",
        "input_tokens": 3,
        "output_tokens": 2,
        "attempts": 1,
        "seconds": 1.5,
        "request_id": "r-1",
        "tags": {"tenant": "a"},
    }
    assert (
        log.of("attempt succeeded").items()
        >= {
            "attempt": 1,
            "seconds": 1.5,
            "request_id": "r-1",
            "provider": "scripted",
        }.items()
    )


class Bare(ScriptedProvider):
    async def handle(self, call):
        return Embedding([0.5])


async def test_a_vector_of_which_nothing_is_known_is_told_of(log):
    await LoggingProvider(Bare([]), log=log).embed("Hi", model="m")

    assert log.of("call answered").items() >= {"model": "m", "attempts": 0}.items()


@pytest.mark.parametrize("ask", ["embed", "embed_batch"])
async def test_vectors_are_told_of_too(log, ask):
    model = ModelInfo(name="chat", embedding_model="space")
    provider = logged(log, [[0.5, 1.0]], model=model)
    await getattr(provider, ask)("Hi" if ask == "embed" else ["Hi"])

    assert log.told == ANSWERED
    assert log.of("call answered").items() >= {"operation": ask, "model": "space"}.items()


async def test_a_stream_is_told_of_when_it_is_over(log):
    provider = logged(log, [Pause(2), "Hel", Pause(3), "lo"], usage=Usage(output_tokens=2))
    async with provider.generate_stream("Hi") as stream:
        assert not log.lines
        async for _ in stream:
            pass

    assert log.told == ANSWERED
    told = log.of("call answered")
    assert (told["first_content"], told["seconds"]) == (2, 5)
    assert (told["finish_reason"], told["output_tokens"]) == ("stop", 2)


async def test_a_stream_that_is_left_is_told_of(log):
    provider = logged(log, ["Hel", Pause(3), "lo"])
    async with provider.generate_stream("Hi") as stream:
        async for _ in stream:
            break

    assert log.told == [("debug", "attempt abandoned"), ("info", "call abandoned")]


async def test_a_stream_that_is_dropped_is_told_of(log):
    stream = await logged(log, ["Hel", "lo"]).generate_stream("Hi")
    del stream
    gc.collect()

    assert log.told[-1] == ("info", "call abandoned")


async def test_a_stream_that_breaks_is_an_error(log):
    async with logged(log, ["Hel", CUT]).generate_stream("Hi") as stream:
        with pytest.raises(StreamInterruptedError):
            async for _ in stream:
                pass

    assert log.told == [("debug", "attempt interrupted"), ("error", "stream interrupted")]
    assert log.of("stream interrupted")["error"] == "InvalidResponseError"


async def test_a_failure_is_told_with_its_class_status_and_words(log):
    refused = AuthenticationError(
        "no such key sk-abcdef1234567890", status_code=401, code="invalid_key", request_id="v-1"
    )
    with pytest.raises(AuthenticationError):
        await logged(log, refused).generate("Hi")

    assert log.told == [("debug", "attempt failed"), ("error", "call failed")]
    assert (
        log.of("call failed").items()
        >= {
            "error": "AuthenticationError",
            "status": 401,
            "code": "invalid_key",
            "message": "no such key ***",
            "vendor_request_id": "v-1",
            "misconfigured": True,
            "provider": "scripted",
            "attempts": 1,
        }.items()
    )


async def test_a_mistake_of_the_program_is_told_by_its_class_alone(log):
    def broken(call):
        raise LookupError("what the user said")

    with pytest.raises(LookupError):
        await logged(log, broken).generate("Hi")

    assert log.of("call failed")["error"] == "LookupError"
    assert "what the user said" not in repr(log.lines)


async def test_a_call_that_is_cancelled_was_abandoned(log):
    with anyio.move_on_after(1):
        await logged(log, [Pause()]).generate("Hi")

    assert log.told == [("debug", "attempt abandoned"), ("info", "call abandoned")]
    assert log.of("call abandoned")["seconds"] == 1


async def test_a_repeat_is_a_warning_before_the_wait(log):
    scripted = ScriptedProvider([ServerError("down", status_code=503), ["Hello"]])
    provider = LoggingProvider(RetryProvider(scripted, random=lambda: 1.0), log=log)
    seen = []

    async with anyio.create_task_group() as group:
        group.start_soon(provider.generate, "Hi")
        await anyio.sleep(0.25)
        seen += log.told

    assert seen == [("debug", "attempt failed"), ("warning", "asking again")]
    assert log.told == [*seen, *ANSWERED]
    assert (
        log.of("asking again").items()
        >= {
            "attempt": 1,
            "seconds": 0.5,
            "reason": "ServerError: down",
        }.items()
    )
    assert log.of("call answered")["attempts"] == 2


async def test_a_wait_that_follows_no_failure_is_nothing_to_warn_of(log):
    provider = logged(log, ["Hello"])
    call = Call.generate("Hi", {}, provider.clock())
    inner = provider.inner.handle

    async def queued(call):
        call.journal.record(Attempt(outcome=Outcome.WAITED, provider="scripted", seconds=2))
        return await inner(call)

    provider.inner.handle = queued
    await provider.handle(call)

    assert log.told == [("debug", "waiting"), *ANSWERED]


async def test_a_limiters_wait_for_a_repeat_is_not_told_as_another_repeat(log):
    scripted = ScriptedProvider([ServerError("down"), ["Hello"]])
    limited = LimitProvider(scripted, options=LimitOptions(requests_per_minute=1, requests_burst=1))
    await LoggingProvider(RetryProvider(limited), log=log).generate("Hi")

    assert [event for _, event in log.told] == [
        "attempt failed",
        "asking again",
        "waiting",
        "attempt succeeded",
        "call answered",
    ]


async def test_a_wait_at_the_next_target_is_not_told_as_a_repeat(log):
    one_a_minute = LimitOptions(requests_per_minute=1, requests_burst=1)
    second = LimitProvider(ScriptedProvider([["Hello"], ["Hello"]]), options=one_a_minute)
    chain = FallbackProvider([ScriptedProvider([QuotaExceededError("spent")]), second])
    await second.generate("Hi")
    await LoggingProvider(chain, log=log).generate("Hi")

    assert "asking again" not in [event for _, event in log.told]
    assert ("debug", "waiting") in log.told


async def test_an_answer_of_another_target_says_so(log):
    chain = FallbackProvider(
        [
            ScriptedProvider([RateLimitError("slow down", status_code=429)], name="first"),
            ScriptedProvider([["Hello"]], name="second"),
        ]
    )
    await LoggingProvider(chain, log=log).generate("Hi")

    told = log.of("call answered")
    assert told["provider"] == "second"
    assert told["warnings"] == ["answered by second:scripted, as first:scripted failed: slow down"]


async def test_when_all_targets_fail_there_is_one_error(log):
    failing = [ScriptedProvider([ServerError("down")], name=name) for name in ("one", "two")]
    with pytest.raises(AllTargetsFailedError):
        await LoggingProvider(FallbackProvider(failing), log=log).generate("Hi")

    assert [event for level, event in log.told if level == "error"] == ["call failed"]
    assert (
        log.of("call failed").items() >= {"error": "AllTargetsFailedError", "attempts": 2}.items()
    )


async def test_what_is_left_out_is_told_at_debug(log):
    deaf = ScriptedProvider([], name="deaf", model=ModelInfo(name="m", tools=False))
    chain = FallbackProvider([deaf, ScriptedProvider([["Hello"]])])
    await LoggingProvider(chain, log=log).generate("Hi", tools=[Tool("weather")])

    assert log.of("target left out")["reason"] == "m does not take tools"


PROMPT = "the secret plan of the harbour"
REPLY = "the secret answer of the master"


async def test_nothing_of_prompts_and_answers_is_told(log):
    provider = logged(log, [REPLY], [REPLY], [REPLY, CUT], [[1.0, 2.0]])
    await provider.generate(PROMPT, system_prompt=PROMPT)
    await provider.generate_stream(PROMPT).collect()
    with pytest.raises(StreamInterruptedError):
        await provider.generate_stream(PROMPT).collect()
    await provider.embed(PROMPT)

    assert PROMPT not in repr(log.lines)
    assert REPLY not in repr(log.lines)


async def test_other_peoples_words_can_be_left_out(log):
    quoting = InvalidRequestError(f"cannot read {PROMPT!r}", status_code=400)
    chain = FallbackProvider(
        [ScriptedProvider([quoting, quoting], name="one"), ScriptedProvider([["Hi"], quoting])],
        try_another=lambda error: True,
    )
    provider = LoggingProvider(chain, log=log, messages=False)
    await provider.generate("Hi")
    with pytest.raises(AllTargetsFailedError):
        await provider.generate("Hi")

    assert PROMPT not in repr(log.lines)
    assert log.of("call answered")["warnings"] == 1
    assert log.of("call failed")["error"] == "AllTargetsFailedError"


@pytest.mark.parametrize(
    "level, expected",
    [
        ("debug", ["attempt failed", "asking again", "attempt succeeded", "call answered"]),
        ("info", ["asking again", "call answered"]),
        ("warning", ["asking again"]),
        ("error", []),
        ("off", []),
    ],
)
async def test_what_nobody_reads_is_not_put_together(level, expected):
    log = ListLog(level)
    provider = RetryProvider(ScriptedProvider([ServerError("down"), ["Hello"]]))
    assert await LoggingProvider(provider, log=log).generate("Hi") == "Hello"

    assert [event for _, event in log.told] == expected


async def test_a_log_that_is_off_keeps_no_watch_over_the_journal():
    answer = await logged(ListLog("off"), ["Hello"]).generate("Hi")

    assert answer.metadata.journal._watchers == ()


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_keeps_nothing_of_its_call_alive(log, stream):
    class Words(str):
        __slots__ = ("__weakref__",)

    provider = logged(log, ["Hello"])
    prompt = Words("Hi")
    gone = weakref.ref(prompt)
    if stream:
        answer = await provider.generate_stream(prompt).collect()
    else:
        answer = await provider.generate(prompt)
    del prompt, provider
    gc.collect()

    assert answer.metadata.journal._watchers == ()
    assert gone() is None


USER = ContextVar("user", default=None)


class ContextLog(ListLog):
    def record(self, level, event, fields, /):
        super().record(level, event, {**fields, "user": USER.get()})


async def test_a_stream_is_told_of_in_the_context_that_it_was_opened_in():
    log = ContextLog()
    token = USER.set("me")
    stream = await logged(log, ["Hel", "lo"]).generate_stream("Hi")
    USER.reset(token)
    stream.cancel()

    assert log.of("call abandoned")["user"] == "me"


async def test_a_journal_shows_each_entry_to_those_who_watch():
    journal, seen = Journal(), []
    entry = Attempt(outcome=Outcome.NOTED, provider="p")
    journal.record(entry)
    journal.watch(seen.append)
    journal.extend([entry, entry])
    journal.unwatch(seen.append)
    journal.record(entry)

    assert seen == [entry, entry]
    assert len(journal) == 4
