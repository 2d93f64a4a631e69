import contextlib
import itertools
import logging
from math import inf

import anyio
import pytest

from fairlead.core.calls import Operation, find
from fairlead.core.errors import (
    AuthenticationError,
    ConfigurationError,
    InvalidRequestError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
)
from fairlead.core.journal import Outcome
from fairlead.core.models import ModelInfo
from fairlead.decorators.breaker import CircuitBreakerProvider
from fairlead.decorators.fallback import FallbackProvider
from fairlead.decorators.key_pool import KeyPoolProvider, KeyState, PoolKey, fingerprint
from fairlead.decorators.lane import LimitOptions
from fairlead.decorators.limits import LimitProvider
from fairlead.decorators.retry import RetryProvider
from tests.support.logs import ListLog
from tests.unit.core.fakes import Scripted, cancelled_at, embedding, generating, ways


def key(*script, **known):
    return Scripted(*(script or ("ho",)), embedding_model="e", **known)


def refused(kind=AuthenticationError, **details):
    return lambda: kind("not this one", **details)


def limited(retry_after=None):
    return refused(RateLimitError, status_code=429, retry_after=retry_after)


async def outcome_of(provider, prompt="hi", **options):
    try:
        return await provider.generate(prompt, **options)
    except Exception as error:
        return error


def asked(pool):
    return [len(target.asked) for target in pool.targets]


def states(pool, model=None):
    return [status.state for status in pool.status(model)]


def notes(journal, outcome=Outcome.NOTED):
    return [entry.reason for entry in journal if entry.outcome is outcome]


@pytest.mark.anyio
async def test_the_least_recently_used_key_is_asked():
    pool = KeyPoolProvider([key(), key(), key()])

    for _ in range(7):
        await pool.generate("hi")

    assert asked(pool) == [3, 2, 2]
    assert [(it.label, it.asked, it.refused) for it in pool.status()] == [
        ("1", 3, 0),
        ("2", 2, 0),
        ("3", 2, 0),
    ]


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [AuthenticationError, PermissionDeniedError])
@pytest.mark.parametrize("should_retry", [None, False])
async def test_a_key_that_is_not_accepted_is_dead_and_the_next_is_asked_at_once(
    kind, should_retry, caplog
):
    pool = KeyPoolProvider([key(refused(kind, should_retry=should_retry)), key()])
    began = anyio.current_time()

    with caplog.at_level(logging.WARNING, "fairlead.key_pool"):
        answer = await pool.generate("hi")
    for _ in range(3):
        await pool.generate("hi")

    assert answer == "ho"
    assert anyio.current_time() == began
    assert asked(pool) == [1, 4]
    assert states(pool) == [KeyState.DEAD, KeyState.READY]
    reason = f"key 1 is not asked until it is reloaded: {kind.__name__}"
    assert notes(answer.attempts) == [reason]
    assert [it.outcome for it in answer.attempts if it.sent] == ["failed", "succeeded"]
    [record] = caplog.records
    assert reason in record.getMessage()


@pytest.mark.anyio
async def test_a_death_is_told_once():
    log = ListLog()
    pool = KeyPoolProvider([key(refused()), key()], log=log)
    pool.targets[0].seconds = 1

    async with anyio.create_task_group() as group:
        for _ in range(6):
            group.start_soon(pool.generate, "hi")

    assert len(log.lines) == 1
    assert asked(pool) == [3, 6]


@pytest.mark.anyio
async def test_when_all_are_dead_the_last_says_why():
    last = AuthenticationError("revoked", status_code=401, code="revoked_key", request_id="r-2")
    pool = KeyPoolProvider([key(refused()), key(lambda: last)])

    assert await outcome_of(pool) is last
    error = await outcome_of(pool)

    assert asked(pool) == [1, 1]
    assert type(error) is AuthenticationError
    assert error is not last
    assert (error.status_code, error.code, error.request_id) == (401, "revoked_key", "r-2")
    assert (error.sent, error.retry_after, error.provider) == (False, None, "scripted")
    assert error.message == (
        "no key of scripted can be asked: the vendor does not accept them, and nobody has "
        "reloaded them; the last was refused with: revoked"
    )
    [skipped] = error.attempts
    assert (skipped.outcome, skipped.error) == (Outcome.SKIPPED, "AuthenticationError")
    assert skipped.misconfigured


@pytest.mark.anyio
async def test_what_the_last_was_denied_for_stays_a_denial():
    pool = KeyPoolProvider([key(refused(PermissionDeniedError, status_code=403))])

    assert [type(await outcome_of(pool)) for _ in range(2)] == [PermissionDeniedError] * 2


@pytest.mark.anyio
async def test_the_plan_says_that_all_are_dead():
    pool = KeyPoolProvider([key(refused()), key(refused())])
    await outcome_of(pool)

    [target] = pool.plan(generating(clock=anyio.current_time))

    assert target.refuses == "the vendor does not accept them, and nobody has reloaded them"
    assert target.retry_after is None
    assert target.cannot is None


@pytest.mark.anyio
async def test_a_limited_key_rests_and_the_error_is_raised():
    pool = KeyPoolProvider([key(limited(30.0), "ho"), key()])

    error = await outcome_of(pool)

    assert isinstance(error, RateLimitError)
    assert error.retry_after is None  # another key may be asked now
    assert notes(error.attempts) == ["key 1 is not asked for 30 s: RateLimitError"]
    assert states(pool) == [KeyState.RESTING, KeyState.READY]
    assert pool.status()[0].retry_after == 30.0
    for _ in range(3):
        await pool.generate("hi")
    assert asked(pool) == [1, 3]
    await anyio.sleep(30)
    await pool.generate("hi")
    assert asked(pool) == [2, 3]


@pytest.mark.anyio
async def test_a_repeat_backs_off_and_finds_another_key():
    pool = KeyPoolProvider([key(limited(30.0)), key()])
    began = anyio.current_time()

    assert await RetryProvider(pool, random=lambda: 1.0).generate("hi") == "ho"
    assert anyio.current_time() - began == pytest.approx(1.0)
    assert asked(pool) == [1, 1]


@pytest.mark.anyio
async def test_when_all_rest_the_repeat_waits_for_the_first():
    pool = KeyPoolProvider([key(limited(30.0), "ho"), key(limited(9.0), "ho")])
    began = anyio.current_time()

    assert await RetryProvider(pool, random=lambda: 0.0).generate("hi") == "ho"
    assert anyio.current_time() - began == pytest.approx(9.0)
    assert asked(pool) == [1, 2]


@pytest.mark.anyio
async def test_the_last_that_is_limited_names_the_least_wait():
    pool = KeyPoolProvider([key(limited(9.0)), key(limited(30.0))])

    assert (await outcome_of(pool)).retry_after is None
    assert (await outcome_of(pool)).retry_after == 9.0


@pytest.mark.anyio
async def test_when_all_rest_nobody_is_asked():
    pool = KeyPoolProvider([key(limited(30.0)), key(limited(9.0))])
    await outcome_of(pool)
    await outcome_of(pool)
    await anyio.sleep(2)

    error = await outcome_of(pool)

    assert asked(pool) == [1, 1]
    assert type(error) is RateLimitError
    assert (error.retry_after, error.sent) == (7.0, False)
    assert "limits how fast they may be used" in error.message
    assert notes(error.attempts, Outcome.SKIPPED) == [error.message]
    assert not error.attempts[0].misconfigured
    [target] = pool.plan(generating(clock=anyio.current_time))
    assert target.refuses == "the vendor limits how fast they may be used"
    assert target.retry_after == 7.0


@pytest.mark.anyio
async def test_a_fallback_passes_over_a_pool_that_rests():
    pool = KeyPoolProvider([key(limited(30.0))])
    chain = FallbackProvider([pool, Scripted("other", name="other")])

    assert [await chain.generate("hi") for _ in range(2)] == ["other"] * 2
    assert asked(pool) == [1]


@pytest.mark.anyio
async def test_a_fallback_does_not_see_the_keys():
    pool = KeyPoolProvider([key(refused()), key()])
    chain = FallbackProvider([pool, Scripted("other", name="other")])

    answers = [await chain.generate("hi") for _ in range(3)]

    assert answers == ["ho"] * 3
    assert [answer.warnings for answer in answers] == [()] * 3
    assert len(pool.plan(generating()).targets) == 1
    assert pool.plan(generating()).children == ()


@pytest.mark.anyio
async def test_what_stands_behind_one_key_is_not_handed_to_another():
    inner = [key(), key()]
    pool = KeyPoolProvider([FallbackProvider([each]) for each in inner])
    chain = FallbackProvider([pool])

    assert [await chain.generate("hi") for _ in range(4)] == ["ho"] * 4
    assert [len(each.asked) for each in inner] == [2, 2]


@pytest.mark.anyio
async def test_a_limit_without_an_end_only_prefers_other_keys():
    pool = KeyPoolProvider([key(limited(), "ho"), key(limited(), "ho")])

    first = await outcome_of(pool)
    assert first.retry_after is None
    assert notes(first.attempts) == ["key 1 is not asked for 5 s: RateLimitError"]
    await anyio.sleep(1)
    await outcome_of(pool)
    assert states(pool) == [KeyState.READY] * 2
    assert pool.plan(generating(clock=anyio.current_time)).obstacles is False
    # The one that was limited first is the better guess.
    assert await pool.generate("hi") == "ho"
    assert asked(pool) == [2, 1]


@pytest.mark.anyio
async def test_a_key_is_passed_over_for_as_long_as_the_cooldown():
    pool = KeyPoolProvider([key(limited(), "ho"), key()], cooldown=3)
    await outcome_of(pool)

    await pool.generate("hi")
    await pool.generate("hi")
    assert asked(pool) == [1, 2]
    await anyio.sleep(3)
    await pool.generate("hi")
    assert asked(pool) == [2, 2]


@pytest.mark.anyio
async def test_a_key_rests_for_one_model_alone():
    pool = KeyPoolProvider([key(limited(30.0), "ho"), key()])
    await outcome_of(pool, model="scripted:big")

    assert states(pool, "big") == [KeyState.RESTING, KeyState.READY]
    assert states(pool) == [KeyState.READY] * 2
    [target] = pool.plan(generating(model="scripted/big", clock=anyio.current_time))
    assert target.refuses is None
    await pool.embed("hi")
    await pool.embed("hi")
    assert asked(pool) == [2, 1]


@pytest.mark.anyio
async def test_an_embedding_model_is_a_model_of_its_own():
    pool = KeyPoolProvider([key(limited(30.0), "ho")])
    with pytest.raises(RateLimitError):
        await pool.embed("hi")

    assert await pool.generate("hi") == "ho"
    assert pool.plan(embedding(clock=anyio.current_time)).obstacles


@pytest.mark.anyio
async def test_a_spent_account_rests_with_all_its_keys_and_others_are_asked_at_once():
    keys = [
        PoolKey(provider=key(refused(QuotaExceededError, status_code=429)), account="a"),
        PoolKey(provider=key(), account="a"),
        PoolKey(provider=key(), account="b"),
    ]
    pool = KeyPoolProvider(keys)

    answer = await pool.generate("hi")

    assert answer == "ho"
    assert asked(pool) == [1, 0, 1]
    assert states(pool) == [KeyState.SPENT, KeyState.SPENT, KeyState.READY]
    assert notes(answer.attempts) == ["account a is not asked for 900 s: QuotaExceededError"]
    assert pool.status()[1].retry_after == 900.0


@pytest.mark.anyio
async def test_a_spent_account_is_probed_by_one_call():
    pool = KeyPoolProvider([key(refused(QuotaExceededError), "ho")])
    pool.targets[0].seconds = 1
    await outcome_of(pool)
    error = await outcome_of(pool)
    assert type(error) is QuotaExceededError
    assert (error.retry_after, error.sent) == (900.0, False)
    assert "spent what they may spend" in pool.plan(_now()).targets[0].refuses
    await anyio.sleep(900)

    assert not pool.plan(_now()).obstacles
    answers = await _together(pool, 3)

    assert sorted(map(str, map(type, answers))) == sorted(
        map(str, [type(answers[0]), QuotaExceededError, QuotaExceededError])
    )
    assert answers[0] == "ho"
    assert await _together(pool, 3) == ["ho"] * 3


@pytest.mark.anyio
async def test_a_probe_that_finds_nothing_to_spend_begins_the_rest_anew():
    pool = KeyPoolProvider([key(refused(QuotaExceededError))], quota_cooldown=100)
    await outcome_of(pool)
    await anyio.sleep(100)
    await outcome_of(pool)
    await anyio.sleep(99)
    await outcome_of(pool)

    assert asked(pool) == [2]


@pytest.mark.anyio
async def test_a_longer_wait_that_the_vendor_asks_for_is_kept_to():
    pool = KeyPoolProvider([key(refused(QuotaExceededError, retry_after=36000.0))])
    await outcome_of(pool)

    assert pool.status()[0].retry_after == 36000.0


@pytest.mark.anyio
@pytest.mark.parametrize("failure", [ServerError, AuthenticationError])
async def test_a_probe_without_a_verdict_is_followed_by_another(failure):
    keys = [
        PoolKey(provider=key(refused(QuotaExceededError), "ho"), account="a"),
        PoolKey(provider=key(refused(failure), "ho"), account="a"),
    ]
    pool = KeyPoolProvider(keys)
    await outcome_of(pool)
    await anyio.sleep(900)
    await outcome_of(pool)

    assert len(pool.targets[1].asked) == 1
    assert await pool.generate("hi") == "ho"
    assert KeyState.SPENT not in states(pool)


@pytest.mark.anyio
async def test_a_probe_that_hangs_keeps_others_away_for_a_minute():
    pool = KeyPoolProvider([key(refused(QuotaExceededError), "ho", "ho")])
    await outcome_of(pool)
    await anyio.sleep(900)
    pool.targets[0].seconds = 100
    late = []

    async def probe():
        late.append(await pool.generate("hi"))

    async with anyio.create_task_group() as group:
        group.start_soon(probe)
        await anyio.sleep(59.5)
        assert isinstance(await outcome_of(pool), QuotaExceededError)
        await anyio.sleep(1)
        pool.targets[0].seconds = 0
        assert await pool.generate("hi") == "ho"
        assert states(pool) == [KeyState.READY]

    assert late == ["ho"]
    assert states(pool) == [KeyState.READY]


@pytest.mark.anyio
async def test_a_late_probe_does_not_undo_what_a_later_one_found():
    pool = KeyPoolProvider([key(refused(QuotaExceededError), "ho", refused(QuotaExceededError))])
    await outcome_of(pool)
    await anyio.sleep(900)
    pool.targets[0].seconds = 100

    async with anyio.create_task_group() as group:
        group.start_soon(pool.generate, "hi")
        await anyio.sleep(61)
        pool.targets[0].script = [refused(QuotaExceededError), "ho"]
        pool.targets[0].seconds = 0
        assert isinstance(await outcome_of(pool), QuotaExceededError)

    assert states(pool) == [KeyState.SPENT]


@pytest.mark.anyio
async def test_a_success_from_before_the_account_was_spent_says_nothing():
    pool = KeyPoolProvider([key(refused(QuotaExceededError), "ho")])
    pool.targets[0].seconds = 10

    async with anyio.create_task_group() as group:
        group.start_soon(pool.generate, "hi")
        await anyio.sleep(1)
        pool.targets[0].seconds = 0
        await outcome_of(pool)

    assert states(pool) == [KeyState.SPENT]


@pytest.mark.anyio
async def test_a_cancelled_probe_gives_its_place_back():
    for how in ways():
        for point in itertools.count():
            pool = KeyPoolProvider([key(refused(QuotaExceededError), "ho")])
            await outcome_of(pool)
            await anyio.sleep(900)

            reached = await cancelled_at(lambda it=pool: it.generate("hi"), point, how=how)

            assert await pool.generate("hi") == "ho"
            assert states(pool) == [KeyState.READY]
            if not reached:
                break
        assert point >= 1


@pytest.mark.anyio
async def test_a_call_cancelled_at_any_await_leaves_every_key_as_it_was():
    for how in ways():
        for point in itertools.count():
            pool = KeyPoolProvider([key(refused()), key(limited(9.0), "ho"), key()])

            async def calls(it=pool):
                await outcome_of(it)
                with contextlib.suppress(RateLimitError):
                    await it.generate_stream("hi").collect()
                await it.embed_batch(["hi", "ho"])

            reached = await cancelled_at(calls, point, how=how)

            answers = [await outcome_of(pool) for _ in range(3)]
            assert answers.count("ho") >= 2
            assert KeyState.SPENT not in states(pool)
            if not reached:
                break
        assert point >= 5


@pytest.mark.anyio
async def test_a_dead_and_a_resting_key_are_a_limit_that_can_be_waited_for():
    pool = KeyPoolProvider([key(limited(7.0), "ho"), key(refused())])
    await outcome_of(pool)

    error = await outcome_of(pool)

    assert type(error) is RateLimitError
    assert type(error.__cause__) is AuthenticationError
    assert error.retry_after == 7.0
    assert len([it for it in error.attempts if it.sent]) == 1


@pytest.mark.anyio
async def test_a_spent_and_a_resting_key_are_a_limit_too():
    pool = KeyPoolProvider([key(limited(7.0)), key(refused(QuotaExceededError))])
    await outcome_of(pool)

    assert type(await outcome_of(pool)) is RateLimitError


@pytest.mark.anyio
async def test_the_last_spent_account_says_so_itself():
    spent = QuotaExceededError("no money", status_code=429)
    pool = KeyPoolProvider([key(refused(QuotaExceededError)), key(lambda: spent)])

    assert await outcome_of(pool) is spent
    assert asked(pool) == [1, 1]


@pytest.mark.anyio
@pytest.mark.parametrize("error", [ServerError, InvalidRequestError])
async def test_what_is_not_the_keys_fault_passes(error):
    pool = KeyPoolProvider([key(refused(error)), key()])

    assert isinstance(await outcome_of(pool), error)
    assert states(pool) == [KeyState.READY] * 2
    assert asked(pool) == [1, 0]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "error, wish, count, state",
    [
        (AuthenticationError, False, [1, 0], KeyState.READY),
        (AuthenticationError, None, [1, 1], KeyState.DEAD),
        (ServerError, True, [1, 1], KeyState.READY),
        (RateLimitError, True, [1, 1], KeyState.READY),
    ],
)
async def test_a_predicate_overrides_the_verdict(error, wish, count, state):
    pool = KeyPoolProvider([key(refused(error)), key()], next_key=lambda _: wish)

    await outcome_of(pool)

    assert asked(pool) == count
    assert states(pool)[0] is state


@pytest.mark.anyio
async def test_a_predicate_that_always_goes_on_ends_with_the_keys():
    pool = KeyPoolProvider([key(refused(ServerError))] * 2, next_key=lambda _: True)

    assert isinstance(await outcome_of(pool), ServerError)
    assert len(pool.targets[0].asked) == 2


@pytest.mark.anyio
async def test_a_predicate_that_raises_does_not_keep_a_probe():
    def broken(error):
        if not isinstance(error, QuotaExceededError):
            raise ZeroDivisionError

    pool = KeyPoolProvider(
        [key(refused(QuotaExceededError), refused(ServerError), "ho")], next_key=broken
    )
    await outcome_of(pool)
    await anyio.sleep(900)

    assert isinstance(await outcome_of(pool), ZeroDivisionError)
    assert await pool.generate("hi") == "ho"


@pytest.mark.anyio
async def test_the_attempts_of_a_chain_are_kept_to():
    pool = KeyPoolProvider([key(refused()), key(refused()), key()])
    call = generating(clock=anyio.current_time).with_(attempt_limit=2)

    with pytest.raises(AuthenticationError):
        await call.on(pool)

    assert asked(pool) == [1, 1, 0]


@pytest.mark.anyio
async def test_a_key_whose_circuit_is_open_is_passed_over_and_the_last_choice():
    first, second = (CircuitBreakerProvider(key()) for _ in range(2))
    pool = KeyPoolProvider([first, second])
    first.breaker().isolate()

    for _ in range(2):
        assert await pool.generate("hi") == "ho"
    assert [len(it.inner.asked) for it in (first, second)] == [0, 2]
    assert not pool.plan(_now()).obstacles

    second.breaker().isolate()
    assert "circuit" in pool.plan(_now()).targets[0].refuses
    assert "circuit" in str(await outcome_of(pool))


@pytest.mark.anyio
async def test_reloading_tries_all_again():
    pool = KeyPoolProvider(
        [key(refused(), "ho"), key(limited(9.0), "ho"), key(refused(QuotaExceededError), "ho")]
    )
    for _ in range(2):
        await outcome_of(pool)
    assert states(pool) == [KeyState.DEAD, KeyState.RESTING, KeyState.SPENT]

    assert pool.reload() == ()

    assert states(pool) == [KeyState.READY] * 3
    assert [it.asked for it in pool.status()] == [0, 0, 0]
    assert [await pool.generate("hi") for _ in range(3)] == ["ho"] * 3


@pytest.mark.anyio
async def test_reloading_takes_up_other_keys():
    old, kept, new = key(refused()), key(refused(), "ho"), key()
    pool = KeyPoolProvider([old, kept])
    await outcome_of(pool)

    assert pool.reload([kept, PoolKey(provider=new, label="new")]) == (old,)

    assert pool.targets == (kept, new)
    assert [it.label for it in pool.status()] == ["1", "new"]
    assert [await pool.generate("hi") for _ in range(2)] == ["ho"] * 2
    assert old.closed == 0


@pytest.mark.anyio
async def test_a_reload_that_makes_no_sense_changes_nothing():
    pool = KeyPoolProvider([key()])
    before = pool.targets

    for wrong in ([], [Scripted("ho", name="other")]):
        with pytest.raises(ConfigurationError):
            pool.reload(wrong)

    assert pool.targets == before


@pytest.mark.anyio
async def test_what_comes_of_calls_from_before_a_reload_says_nothing_of_the_keys():
    old, other = key(refused()), key(refused())
    old.seconds = other.seconds = 5
    pool = KeyPoolProvider([old, other])
    answers = []

    async def ask():
        answers.append(await outcome_of(pool))

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
        await anyio.sleep(1)
        pool.reload([key()])

    assert answers == ["ho"]
    assert states(pool) == [KeyState.READY]
    assert [len(it.asked) for it in (old, other)] == [1, 0]


class Broken:
    def until(self, name, /):
        raise OSError("no store")

    rest = wake = until

    def __getattribute__(self, name):
        found = object.__getattribute__(self, name)
        return (lambda *_: found("")) if callable(found) else found


@pytest.mark.anyio
async def test_a_store_that_fails_never_fails_a_call():
    log = ListLog()
    pool = KeyPoolProvider([key(refused()), key(), key()], store=Broken(), log=log)

    assert [await pool.generate("hi") for _ in range(4)] == ["ho"] * 4
    pool.reload()

    told = [event for _, event, _ in log.lines]
    assert told.count("the cooldown store failed") == 1


@pytest.mark.anyio
async def test_a_store_may_be_shared():
    from fairlead.decorators.keys import LocalCooldowns

    store = LocalCooldowns()
    one, other = (KeyPoolProvider([key(refused()), key()], store=store) for _ in range(2))

    await one.generate("hi")
    await other.generate("hi")

    assert asked(other) == [0, 1]
    assert store.until("scripted/key/1") == inf


@pytest.mark.anyio
async def test_closing_closes_every_key():
    pool = KeyPoolProvider([key(), key()])

    async with pool:
        await pool.generate("hi")

    assert [target.closed for target in pool.targets] == [1, 1]


@pytest.mark.anyio
async def test_a_provider_that_cannot_be_closed_need_not_be():
    class Plain:
        name = "plain"
        model = ModelInfo(name="m")

        inner = key()

        async def handle(self, call):
            return await call.on(self.inner)

        def plan(self, call):
            return self.inner.plan(call)

    async with KeyPoolProvider([Plain()]) as pool:
        assert await pool.generate("hi") == "ho"


def test_a_call_asks_with_each_key_once_at_most():
    pool = KeyPoolProvider([key(), key(), key()])

    assert pool.bounds(Operation.GENERATE).attempts == 3


def test_it_is_one_target_to_all_outside():
    pool = KeyPoolProvider([key(), key()])

    assert (pool.name, pool.model.name) == ("scripted", "m")
    assert pool.count_tokens("hi there") == pool.targets[0].count_tokens("hi there")
    assert find(pool, Scripted) is pool.targets[0]
    assert repr(pool) == "KeyPoolProvider([<Scripted scripted:m>, <Scripted scripted:m>])"


@pytest.mark.parametrize(
    "keys, said",
    [
        ([], "at least one provider"),
        ("sk-1", "a sequence of providers, not str"),
        ([object()], "is no provider"),
        ([key(), Scripted("ho", name="other", embedding_model="e")], "FallbackProvider"),
        ([key(), key(model="other")], "FallbackProvider"),
        ([PoolKey(provider=key(), label="a")] * 2, "both be labelled 'a'"),
        ([PoolKey(provider=key(), label=1)], "label must be of str"),
        ([PoolKey(provider=key(), account=1)], "account must be of str"),
        ([PoolKey(provider=key(), label="sk-proj-abcdefghij0123456789")], "is no key"),
        ([PoolKey(provider=key(), account="sk-proj-abcdefghij0123456789")], "is no key"),
    ],
)
def test_keys_that_make_no_pool_are_refused(keys, said):
    with pytest.raises(ConfigurationError, match=said):
        KeyPoolProvider(keys)


@pytest.mark.parametrize("name", ["cooldown", "quota_cooldown"])
@pytest.mark.parametrize("value", [0, -1, "5", True, None, inf])
def test_a_cooldown_is_a_time(name, value):
    with pytest.raises(ConfigurationError, match=f"^{name} must be"):
        KeyPoolProvider([key()], **{name: value})


def test_a_predicate_is_a_function():
    with pytest.raises(ConfigurationError, match="next_key must be a function"):
        KeyPoolProvider([key()], next_key=1)


def test_a_fingerprint_is_the_same_everywhere_and_tells_nothing():
    assert fingerprint("sk-proj-abc") == fingerprint("sk-proj-abc")
    assert fingerprint("sk-proj-abc") != fingerprint("sk-proj-abd")
    assert len(fingerprint("sk-proj-abc")) == 8
    assert fingerprint("abc") not in "abc"


def _now():
    return generating(clock=anyio.current_time)


async def _together(pool, count):
    answers = [None] * count

    async def ask(place):
        answers[place] = await outcome_of(pool)

    async with anyio.create_task_group() as group:
        for place in range(count):
            group.start_soon(ask, place)
            await anyio.sleep(0.01)
    return answers


def test_cooldowns_can_be_told_to_others_who_have_a_clock_of_their_own():
    from fairlead.decorators.keys import LocalCooldowns

    here, elsewhere = LocalCooldowns(), LocalCooldowns()
    elsewhere.rest("resting", 130.0)
    elsewhere.rest("over", 90.0)
    elsewhere.rest("dead", float("inf"))
    assert elsewhere.snapshot(100.0) == {"resting": 30.0}

    here.rest("mine", 5500.0)
    here.rest("resting", 5010.0)
    here.merge(elsewhere.snapshot(100.0), 5000.0)
    here.merge({"mine": 1.0}, 5000.0)

    assert (here.until("resting"), here.until("mine")) == (5030.0, 5500.0)
    assert here.until("dead") == -float("inf")


def limited_to_one(vendor):
    return LimitProvider(vendor, options=LimitOptions(max_running=1, max_queued=100))


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [AuthenticationError, QuotaExceededError])
async def test_who_waits_for_a_key_that_dies_meanwhile_is_asked_with_another(kind):
    vendors = [key(refused(kind), seconds=1), key(seconds=1)]
    pool = KeyPoolProvider(
        [
            PoolKey(provider=limited_to_one(vendor), account=str(place))
            for place, vendor in enumerate(vendors)
        ]
    )
    answers = []

    async def ask():
        answers.append(await pool.generate("hi"))

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(ask)

    assert answers == ["ho"] * 10
    assert [len(vendor.asked) for vendor in vendors] == [1, 10]
    refusals = [
        entry for it in answers for entry in it.attempts if entry.outcome is Outcome.SKIPPED
    ]
    assert len(refusals) == 4
    assert "its key is not asked any more" in refusals[0].reason


@pytest.mark.anyio
async def test_who_waits_for_the_last_key_is_told_that_it_is_dead():
    vendor = key(refused(status_code=401), seconds=1)
    pool = KeyPoolProvider([limited_to_one(vendor)])
    errors = []

    async def ask():
        errors.append(await outcome_of(pool))

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(ask)

    assert len(vendor.asked) == 1
    assert [type(error) for error in errors] == [AuthenticationError] * 5
    assert {error.status_code for error in errors} == {401}
    assert anyio.current_time() < 2


@pytest.mark.anyio
async def test_who_waits_for_a_key_that_is_limited_goes_on_waiting():
    vendor = key(limited(3), "ho", seconds=1)
    pool = KeyPoolProvider([limited_to_one(vendor)])
    told = []

    async def ask():
        told.append(await outcome_of(pool))

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(ask)

    assert [type(it).__name__ for it in told] == ["RateLimitError", "Generation", "Generation"]
    assert len(vendor.asked) == 3


@pytest.mark.anyio
async def test_who_waits_goes_on_with_keys_that_were_reloaded():
    vendor = key(refused(), "ho", seconds=1)
    pool = KeyPoolProvider([limited_to_one(vendor)])
    told = []

    async def ask():
        told.append(await outcome_of(pool))

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(ask)
        await anyio.sleep(0.5)
        pool.reload()

    assert told == ["ho"] * 3
    assert len(vendor.asked) == 4


@pytest.mark.anyio
async def test_who_finds_out_whether_an_account_may_spend_again_may_wait():
    vendor = key(refused(QuotaExceededError), "ho", seconds=1)
    pool = KeyPoolProvider([limited_to_one(vendor)])
    assert isinstance(await outcome_of(pool), QuotaExceededError)
    await anyio.sleep(901)

    async with anyio.create_task_group() as group:
        lane = pool.targets[0]
        group.start_soon(lane.generate, "from elsewhere")
        await anyio.sleep(0.5)
        group.start_soon(pool.generate, "hi")

    assert len(vendor.asked) == 3
    assert states(pool) == [KeyState.READY]
