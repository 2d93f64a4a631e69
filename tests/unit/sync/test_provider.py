"""Calls from threads that do not await."""

import asyncio
import contextvars
import gc
import threading
import traceback
import weakref
from concurrent.futures import ThreadPoolExecutor

import anyio
import anyio.to_thread
import pytest
import structlog

from fairlead import (
    ConfigurationError,
    Embedding,
    Embeddings,
    Generation,
    OfflineProvider,
    ProviderTimeoutError,
    RateLimitError,
    RefusedError,
    default_pipeline,
)
from fairlead.sync import SyncProvider
from tests.support.scripts import whatever

USER = contextvars.ContextVar("user", default="nobody")


def test_what_is_awaited_elsewhere_is_returned(scripted_sync):
    provider, script = scripted_sync(["Ahoy."] * 2)

    answer = provider.generate("Say ahoy.", temperature=0.5, request_id="mine")

    assert type(answer) is Generation
    assert answer == provider.complete("Say ahoy.") == "Ahoy."
    assert answer.request_id == "mine"
    assert script.calls[0].generation.temperature == 0.5


def test_a_string_gives_a_vector_and_a_list_vectors(scripted_sync):
    provider, _ = scripted_sync(whatever)

    one, many = provider.embed("ab"), provider.embed(["ab", "c"])

    assert type(one) is Embedding
    assert type(many) is Embeddings
    assert one == many[0] == [2.0, 97.0]
    assert provider.embed_batch(["c"]) == many[1:]


def test_what_is_known_without_asking(scripted_sync):
    provider, script = scripted_sync([])

    assert provider.name == script.name
    assert provider.model == script.model
    assert provider.count_tokens("one two") == script.count_tokens("one two")
    assert provider.max_context_size is None
    assert provider.cost_per_1k_tokens is None
    assert provider.inner.inner is script
    assert "scripted" in repr(provider).lower()


def test_users_own_classes_are_met_where_they_are():
    class Echo:
        async def generate(self, prompt, temperature=0.7):
            return prompt.upper()

    with SyncProvider(Echo()) as provider:
        assert provider.generate("ahoy") == "AHOY"


def test_what_is_no_provider_is_refused_at_once():
    with pytest.raises(ConfigurationError, match="is no provider"):
        SyncProvider(object())


def test_a_whole_pipeline_answers():
    with SyncProvider(default_pipeline(OfflineProvider())) as provider:
        assert provider.generate("hi").provider == "offline"


def test_the_traceback_of_an_error_leads_to_the_callers_line(scripted_sync):
    provider, _ = scripted_sync([RateLimitError("slow down", retry_after=3)])

    with pytest.raises(RateLimitError) as raised:
        provider.generate("hi")  # this very line

    lines = [frame.line for frame in traceback.extract_tb(raised.value.__traceback__)]
    assert 'provider.generate("hi")  # this very line' in lines
    assert raised.value.retry_after == 3


def test_time_limits_raise_what_they_raise_elsewhere(scripted_sync):
    provider, _ = scripted_sync([ProviderTimeoutError("too late", limit=1.0)])

    with pytest.raises(ProviderTimeoutError) as raised:
        provider.embed("hi")

    assert raised.value.limit == 1.0


def test_wrong_options_are_type_errors(scripted_sync):
    provider, script = scripted_sync([])

    with pytest.raises(TypeError, match="temprature"):
        provider.generate("hi", temprature=1)
    with pytest.raises(TypeError, match="temprature"):
        provider.generate_stream("hi", temprature=1)
    assert not script.calls


class Unwelcome(BaseException):
    """Would end an event loop that let it pass."""


@pytest.mark.parametrize(
    "error", [SystemExit(3), KeyboardInterrupt(), StopIteration(), Unwelcome()]
)
def test_whatever_a_provider_raises_reaches_its_caller_and_hurts_nobody_else(error):
    class Broken:
        async def generate(self, prompt):
            if prompt == "break":
                raise error
            return prompt

    # Coroutines turn StopIteration into a RuntimeError, wherever they are awaited.
    expected = RuntimeError if isinstance(error, StopIteration) else type(error)
    with SyncProvider(Broken()) as provider:
        with pytest.raises(Exception if expected is RuntimeError else expected):
            provider.generate("break")

        assert provider.generate("go on") == "go on"


def test_the_callers_context_variables_are_seen(scripted_sync):
    def who(call):
        return [USER.get(), " ", structlog.contextvars.get_contextvars()["request"]]

    provider, _ = scripted_sync(who)

    def ask(user):
        USER.set(user)
        with structlog.contextvars.bound_contextvars(request=f"r-{user}"):
            return str(provider.generate("who?")), "".join(provider.generate_stream("who?"))

    for user in ("ada", "grace"):
        told = contextvars.copy_context().run(ask, user)
        assert told == (f"{user} r-{user}",) * 2
    assert USER.get() == "nobody"


def test_what_a_call_sets_stays_inside_of_it(scripted_sync):
    def forget(call):
        USER.set("somebody else")
        return "done"

    provider, _ = scripted_sync(forget)
    provider.generate("hi")

    assert USER.get() == "nobody"


def test_many_threads_ask_at_once():
    together = 20

    class Gathering:
        def __init__(self):
            self.here = 0
            self.complete = None

        async def generate(self, prompt):
            self.complete = self.complete or anyio.Event()
            self.here += 1
            if self.here == together:
                self.complete.set()
            await self.complete.wait()
            return prompt

    with SyncProvider(Gathering()) as provider, ThreadPoolExecutor(together) as threads:
        prompts = [str(number) for number in range(together)]
        assert list(threads.map(provider.generate, prompts, timeout=20)) == prompts


def test_a_notebook_has_a_running_loop(scripted_sync):
    provider, _ = scripted_sync(whatever)

    async def cell():
        return provider.generate("hi"), list(provider.generate_stream("hi"))

    assert asyncio.run(cell()) == ("What you say.", ["What ", "you ", "say."])


@pytest.mark.anyio
async def test_calls_from_the_thread_of_any_loop_and_from_its_worker_threads(scripted_sync):
    provider, _ = scripted_sync(whatever)

    assert provider.generate("hi") == "What you say."
    assert await anyio.to_thread.run_sync(provider.generate, "hi") == "What you say."


def test_pipelines_find_the_loop_they_run_in_when_the_caller_is_under_trio():
    async def main():
        with SyncProvider(default_pipeline(OfflineProvider())) as provider:
            return provider.generate("hi", timeout=5)

    assert anyio.run(main, backend="trio").provider == "offline"


@pytest.mark.anyio
async def test_coroutines_can_await_it_in_their_own_loop(scripted_sync):
    threads = []

    def note(call):
        threads.append(threading.get_ident())
        return whatever(call)

    provider, _ = scripted_sync(note)

    assert await provider.acomplete("hi") == "What you say."
    assert type(await provider.aembed("ab")) is Embedding
    assert type(await provider.aembed(["ab"])) is Embeddings
    assert set(threads) == {threading.get_ident()}


def test_a_call_from_inside_the_background_loop_is_an_error_and_no_deadlock(scripted_sync):
    provider, _ = scripted_sync(whatever)

    class Outer:
        async def generate(self, prompt):
            return provider.generate(prompt)

        async def embed(self, text):
            return [float(len(await anyio.to_thread.run_sync(provider.generate, text)))]

    with SyncProvider(Outer()) as outer:
        with pytest.raises(Exception, match="would wait for itself") as raised:
            outer.generate("hi")
        assert outer.embed("hi") == [13.0]
    told = raised.value
    assert isinstance(told, RuntimeError) or isinstance(told.__cause__, RuntimeError)


class Closing:
    def __init__(self):
        self.closed = 0

    async def generate(self, prompt):
        return prompt

    async def aclose(self):
        self.closed += 1


def test_it_is_closed_with_its_block_and_may_be_closed_again():
    inner = Closing()

    with SyncProvider(inner) as provider:
        assert inner.closed == 0
    assert inner.closed == 1
    provider.close()
    assert provider.generate("after all") == "after all"


def test_errors_are_gone_with_their_reader():
    class Failing:
        async def generate(self, prompt):
            raise RateLimitError("slow down")

    provider = SyncProvider(Failing())
    gc.collect()
    gc.disable()
    try:
        with pytest.raises(RateLimitError) as raised:
            provider.generate("hi")
        error = weakref.ref(raised.value)
        del raised
        assert error() is None
    finally:
        gc.enable()


def test_a_call_that_runs_when_it_is_closed_is_told_so():
    class Slow:
        async def generate(self, prompt):
            began.set()
            await anyio.sleep_forever()

    began = threading.Event()
    provider = SyncProvider(Slow())
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(provider.generate, "hi")
        assert began.wait(5)
        provider.close()

        with pytest.raises(
            RefusedError, match="the provider was closed while this call was running"
        ):
            asked.result(5)
