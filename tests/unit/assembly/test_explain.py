"""What pipelines tell of themselves."""

# ruff: noqa: RUF001 - as it is printed

import json

import anyio
import pytest

from fairlead import (
    AttemptTimeoutProvider,
    Backoff,
    CacheProvider,
    CircuitBreakerProvider,
    ConfigurationError,
    ContextFitProvider,
    CostTrackingProvider,
    DeadlineProvider,
    Decorator,
    FallbackProvider,
    MemoryLedger,
    ModelInfo,
    OfflineProvider,
    OpenAIProvider,
    Provider,
    RetryProvider,
    ServerError,
    TimeLimits,
    default_pipeline,
)
from fairlead.assembly.explain import explain, in_short
from fairlead.core.calls import Operation
from fairlead.testing import ScriptedProvider
from fairlead.testing.virtual_time import virtual_time_backend

GENERATE, STREAM = Operation.GENERATE, Operation.STREAM
QUICK = Backoff(longest_retry_after=10.0, jitter=False, throttled_max_delay=5.0)


class Mock:
    async def generate(self, prompt):
        return f"You said: {prompt}"


def in_words(provider, operation=GENERATE):
    return in_short(explain(provider).worst[operation])


def target(limit=30.0, retries=1):
    attempt = AttemptTimeoutProvider(Mock(), limits=TimeLimits(total=limit, first_content=limit))
    return RetryProvider(CircuitBreakerProvider(attempt), max_retries=retries, backoff=QUICK)


def test_the_worst_case_is_a_product_with_a_cap_and_an_end():
    chain = FallbackProvider([target(), target(), target()], max_attempts=4)

    assert in_words(chain).startswith("3 × 2 = 6 attempts, capped at 4; at most 150 s;")
    assert in_words(DeadlineProvider(chain, total=100)).startswith(
        "3 × 2 = 6 attempts, capped at 4; at most 100 s;"
    )


def test_targets_that_differ_add_up():
    chain = FallbackProvider([target(retries=2), target(retries=0), Mock()])

    assert in_words(chain).startswith("3 + 1 + 1 = 5 attempts; no end;")


def test_a_dispatcher_inside_of_another_is_part_of_the_product():
    inner = FallbackProvider([target(), target()], max_attempts=3)

    assert in_words(FallbackProvider([inner, inner])).startswith("2 × 3 = 6 attempts;")


def test_a_stream_is_told_of_until_it_commits():
    limits = TimeLimits(total=50, first_content=7, reasoning_first_content=70)
    attempt = AttemptTimeoutProvider(Mock(), limits=limits)
    openai = OpenAIProvider(api_key="sk-0123456789", model="m", limits=limits)

    assert "at most 7 s" in in_words(attempt, STREAM)
    assert "at most 50 s" in in_words(attempt)
    assert "at most 7 s" in in_words(openai, STREAM)
    assert "at most 50 s" in in_words(openai)
    assert "at most 3 s" in in_words(DeadlineProvider(attempt, opening=3), STREAM)
    assert "at most 50 s" in in_words(DeadlineProvider(attempt, opening=3))


def test_a_window_bounds_the_tokens_and_nobody_charges_for_what_is_made_here():
    model = ModelInfo(name="m", context_window=1000)
    scripted = ScriptedProvider("ho", model=model)

    worst = explain(RetryProvider(scripted)).worst
    assert (worst[GENERATE].tokens, worst[GENERATE].money) == (3000, 0)
    assert worst[Operation.EMBED].tokens is None
    assert "3,000 tokens; 0 USD" in in_words(RetryProvider(scripted))


def test_a_longer_wait_than_retry_after_counts():
    backoff = Backoff(longest_retry_after=0.0, jitter=False, throttled_initial_delay=4.0)

    assert backoff.longest(3) == 4.0 + 8.0 + 16.0
    assert Backoff().longest(2) == pytest.approx(2 * 66.0)
    assert Backoff(longest_retry_after=float("inf")).longest(1) == float("inf")
    assert Backoff(longest_retry_after=1e300).longest(10**10) == float("inf")
    assert Backoff(jitter=False).longest(2000) == 2000 * 60.0


def test_a_last_resort_stands_beside_the_chain():
    chain = FallbackProvider([target()], last_resort=target(limit=500.0, retries=0))

    assert in_words(chain).startswith("2 attempts; at most 510 s")


def test_what_a_policy_of_ones_own_does_is_unknown_unless_it_tells():
    class Silent(Decorator):
        async def handle(self, call):
            return await call.on(self.inner)

    class Telling(Silent):
        def bounds(self, operation):
            return explain(self.inner).worst[operation]

    class Idle(Decorator):
        """Changes nothing about calls."""

    assert (
        in_words(Silent(Mock())) == "attempts unknown; time unknown; tokens unknown; cost unknown"
    )
    assert in_words(DeadlineProvider(FallbackProvider([Silent(Mock())]))).startswith(
        "attempts unkn"
    )
    assert in_words(Telling(Mock())).startswith("1 attempt; no end;")
    assert in_words(Idle(Mock())).startswith("1 attempt; no end;")


def test_a_foreign_object_that_asks_others_is_unknown_and_shown():
    class Wrapping(Mock):
        def __init__(self, inner):
            self.inner = inner

    explanation = explain(RetryProvider(Wrapping(OfflineProvider())))

    assert explanation.worst[GENERATE].attempts is None
    [wrapping] = explanation.pipeline.inside
    assert (wrapping.kind, [part.kind for part in wrapping.inside]) == (
        "Wrapping",
        ["OfflineProvider"],
    )


def test_the_tree_shows_policies_with_their_options_and_targets_with_theirs():
    openai = OpenAIProvider(api_key="sk-abcdefghij0123456789", model="gpt-5.6-luna")
    text = str(explain(DeadlineProvider(FallbackProvider([RetryProvider(openai), Mock()]))))

    assert text.splitlines()[0] == "DeadlineProvider: total=600.0, opening=None"
    assert "└─ FallbackProvider: max_attempts=6" in text
    assert "   ├─ RetryProvider: max_retries=2" in text
    assert "OpenAIProvider openai:gpt-5.6-luna: endpoint=https://api.openai.com/v1," in text
    assert "   └─ Mock Mock" in text
    assert "first_content=120.0" in text
    assert "sk-abc" not in text
    assert max(map(len, text.splitlines()[:-3])) <= 100


def test_options_are_shown_as_a_person_would_write_them():
    fitted = ContextFitProvider(CacheProvider(Mock()))

    shown = " ".join(str(explain(CostTrackingProvider(fitted, ledger=MemoryLedger()))).split())

    assert "strategies=[shorten-results, drop-oldest]" in shown
    assert "namespace=''," in shown
    assert "CostTrackingProvider: ledger=<" in shown
    told = explain(fitted).as_dict()["pipeline"]["options"]["options"]
    assert json.loads(json.dumps(told))["strategies"] == ["shorten-results", "drop-oldest"]


def test_calls_that_come_to_the_same_share_a_line():
    assert str(explain(Mock())) == (
        "Mock Mock\n\nAt worst:\n  every call: 1 attempt; no end; tokens unknown; cost unknown"
    )
    text = str(explain(default_pipeline(Mock())))
    assert "\n  generate, embed: 3 attempts; at most 600 s;" in text
    assert "\n  embed_batch: attempts unknown; at most 600 s;" in text  # how many texts?
    assert "\n  generate_stream until it commits: 3 attempts; at most 492 s;" in text


def test_it_can_be_told_in_json():
    pipeline = FallbackProvider([target(), Mock()])

    told = json.loads(json.dumps(explain(pipeline).as_dict(), allow_nan=False))

    assert told["worst"]["generate"] == {
        "attempts": 3,
        "planned": 3,
        "terms": "2 + 1",
        "seconds": None,
        "endless": True,
        "tokens": None,
        "usd": None,
    }
    assert told["pipeline"]["kind"] == "FallbackProvider"
    assert told["pipeline"]["layer"] == "dispatch"
    assert [part["kind"] for part in told["pipeline"]["inside"]] == ["RetryProvider", "Mock"]
    free = explain(OfflineProvider()).as_dict()["worst"]["embed"]
    assert (free["usd"], free["endless"]) == ("0", True)


async def open_circuit():
    failing = ScriptedProvider(ServerError, name="failing")
    chain = FallbackProvider([CircuitBreakerProvider(failing), Mock()])
    for _ in range(5):
        await chain.generate("hi")
    return explain(Provider(DeadlineProvider(chain)))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_what_refuses_at_present_says_so(backend):
    loop, options = virtual_time_backend(backend)
    explanation = anyio.run(open_circuit, backend=loop, backend_options=options)

    text = str(explanation)
    assert text.count("! is not asked at present: the circuit is open, for another ") == 1
    lines = text.splitlines()
    at = next(index for index, line in enumerate(lines) if "ScriptedProvider failing" in line)
    assert any("! is not asked at present" in line for line in lines[at : at + 3])
    json.dumps(explanation.as_dict())


def test_what_can_never_be_asked_says_so():
    class Picky(OfflineProvider):
        def plan(self, call):
            from dataclasses import replace

            return super().plan(call).map(lambda it: replace(it, cannot="it takes no text"))

    assert "! cannot be asked: it takes no text" in str(explain(Picky()))


def test_a_dispatcher_that_plans_without_children_is_shown_all_the_same():
    class Flat(FallbackProvider):
        def plan(self, call):
            from fairlead import Plan

            return Plan(super().plan(call).targets)

    parts = explain(Flat([target(), Mock()])).pipeline.inside
    assert [part.kind for part in parts] == ["RetryProvider", "Mock"]


def test_a_handler_with_nothing_inside_is_a_part():
    class Own:
        name = "own"
        model = ModelInfo()
        OPTIONS = {"limit": None}  # noqa: RUF012
        _limit = float("inf")

        async def handle(self, call): ...
        def plan(self, call):
            return OfflineProvider().plan(call)

        def count_tokens(self, text): ...

    explanation = explain(Own())

    assert str(explanation).splitlines()[0] == "Own: limit=inf"
    assert explanation.worst[GENERATE].attempts is None


def test_a_provider_explains_itself_in_a_loop_and_without():
    provider = Provider(default_pipeline(Mock()))

    async def inside():
        return provider.explain()

    assert str(provider.explain()) == str(explain(provider))
    assert str(anyio.run(inside)) == str(explain(provider))


def test_no_provider_is_none():
    with pytest.raises(ConfigurationError, match="is no provider"):
        explain(7)
