import anyio
import pytest

from fairlead.core.errors import (
    ConfigurationError,
    InvalidRequestError,
    ProviderTimeoutError,
    RateLimitError,
    ServerError,
)
from fairlead.core.events import TextDelta
from fairlead.core.journal import Outcome
from fairlead.core.verdicts import Retry
from fairlead.decorators.quota import RetryQuota
from fairlead.decorators.retry import RetryProvider
from tests.unit.core.fakes import Scripted, Source, cancelled_at, generating, ways


def retrying(*script, quota, **options):
    return RetryProvider(Scripted(*script), random=lambda: 1.0, quota=quota, **options)


async def outcome_of(provider, **options):
    try:
        return await provider.generate("hi", **options)
    except Exception as error:
        return error


def notes(journal):
    return [entry.reason for entry in journal if entry.outcome is Outcome.NOTED]


def used(capacity, left):
    """A quota with so much left."""
    quota = RetryQuota(capacity=capacity, transient_cost=capacity - left)
    quota.reserve(Retry.TRANSIENT)
    quota._transient_cost = 14
    return quota


def test_it_is_full_at_first():
    quota = RetryQuota()

    assert (quota.left, quota.capacity) == (500, 500)
    assert repr(quota) == "<RetryQuota 500 of 500>"


@pytest.mark.parametrize("name", ["capacity", "transient_cost", "throttled_cost"])
@pytest.mark.parametrize("value", [-1, 1.5, True, None, "5"])
def test_it_counts_in_whole_numbers(name, value):
    with pytest.raises(ConfigurationError, match=f"^{name} must be"):
        RetryQuota(**{name: value})


@pytest.mark.parametrize(
    "kind, cost", [(Retry.TRANSIENT, 14), (Retry.ONCE_IF_SENT, 14), (Retry.THROTTLED, 5)]
)
def test_a_repeat_costs_by_its_kind(kind, cost):
    quota = RetryQuota()

    assert quota.reserve(kind) == cost
    assert quota.left == 500 - cost


def test_the_last_coins_may_be_spent_but_no_more():
    quota = used(500, 14)

    assert quota.reserve(Retry.TRANSIENT) == 14
    assert quota.left == 0
    assert quota.reserve(Retry.THROTTLED) is None
    assert quota.left == 0


def test_what_costs_nothing_is_always_there():
    quota = RetryQuota(capacity=0, transient_cost=0)

    assert quota.reserve(Retry.TRANSIENT) == 0


def test_a_clean_success_brings_one():
    quota = used(500, 100)

    quota.settle(0)

    assert quota.left == 101


def test_it_never_overflows():
    quota = RetryQuota()

    quota.settle(14)
    quota.settle(0)
    quota.release(5)
    assert quota.left == 500

    quota.reserve(Retry.THROTTLED)
    quota.settle(14)
    assert quota.left == 500


@pytest.mark.anyio
async def test_a_repeat_that_succeeds_costs_nothing_in_the_end():
    quota = RetryQuota()

    assert await outcome_of(retrying(ServerError("oops"), "ho", quota=quota)) == "ho"
    assert quota.left == 500


@pytest.mark.anyio
async def test_only_the_last_repeat_comes_back():
    quota = RetryQuota()
    provider = retrying(ServerError("oops"), RateLimitError("slow"), "ho", quota=quota)

    assert await outcome_of(provider) == "ho"
    assert quota.left == 500 - 14


@pytest.mark.anyio
async def test_repeats_that_fail_stay_paid():
    quota = RetryQuota()

    await outcome_of(retrying(lambda: ServerError("oops"), quota=quota))

    assert quota.left == 500 - 2 * 14


@pytest.mark.anyio
async def test_what_is_never_repeated_pays_nothing():
    quota = RetryQuota()

    await outcome_of(retrying(InvalidRequestError("no"), quota=quota))
    await outcome_of(retrying(ServerError("oops"), quota=quota, max_retries=0))
    await outcome_of(retrying(RateLimitError("slow", retry_after=61), quota=quota))
    await outcome_of(retrying(RateLimitError("slow", retry_after=7), quota=quota), timeout=3)
    call = generating(clock=anyio.current_time).with_(attempt_limit=1)
    with pytest.raises(ServerError):
        await call.on(retrying(ServerError("oops"), quota=quota))
    late = ProviderTimeoutError("late", sent=True)
    await outcome_of(retrying(lambda: late, quota=quota))

    assert quota.left == 500 - 14  # the one repeat of what may have been billed


@pytest.mark.anyio
async def test_a_clean_success_of_a_provider_brings_one_too():
    quota = used(500, 100)
    provider = retrying("ho", quota=quota)

    await provider.generate("hi")
    await provider.generate_stream("hi").collect()

    assert quota.left == 102


@pytest.mark.anyio
async def test_an_empty_quota_ends_repeats_and_the_journal_says_so():
    provider = retrying(lambda: ServerError("oops"), quota=used(500, 13))
    began = anyio.current_time()

    error = await outcome_of(provider)

    assert isinstance(error, ServerError)
    assert anyio.current_time() == began
    assert notes(error.attempts) == ["not repeated: the retry quota is used up"]


@pytest.mark.anyio
async def test_an_outage_is_not_multiplied():
    quota = RetryQuota()
    provider = retrying(lambda: ServerError("oops"), quota=quota)

    for _ in range(1000):
        await outcome_of(provider)

    assert len(provider.inner.asked) == 1000 + 500 // 14


@pytest.mark.anyio
async def test_one_quota_is_for_all_who_share_it():
    quota = used(500, 14)
    one, other = (retrying(ServerError("oops"), "ho", quota=quota) for _ in range(2))
    error = ServerError("oops")

    assert await outcome_of(retrying(error, error, error, quota=quota, max_retries=1)) is error
    assert isinstance(await outcome_of(one), ServerError)
    assert isinstance(await outcome_of(other), ServerError)


@pytest.mark.anyio
async def test_each_has_a_quota_of_its_own_by_default():
    one, other = RetryProvider(Scripted("ho")), RetryProvider(Scripted("ho"))

    assert isinstance(one._quota, RetryQuota)
    assert one._quota is not other._quota


@pytest.mark.anyio
async def test_a_stream_has_succeeded_when_it_commits():
    quota = RetryQuota()
    provider = retrying(
        Source(ServerError("oops")),
        lambda: Source([TextDelta("h")], ServerError("oops")),
        quota=quota,
    )

    async with provider.generate_stream("hi"):
        assert quota.left == 500


@pytest.mark.anyio
async def test_a_repeat_that_was_not_made_is_not_paid_and_one_under_way_is():
    for how in ways():
        left = []
        for point in range(3):
            quota = used(500, 100)
            provider = retrying(lambda: ServerError("oops"), quota=quota, max_retries=1)
            await cancelled_at(lambda it=provider: it.generate("hi"), point, how=how)
            left.append(quota.left)

        # While it is asked first, while it waits, while it is asked again.
        assert left == [100, 100, 86]


@pytest.mark.anyio
async def test_a_wait_that_is_too_long_is_told():
    quota = RetryQuota()
    far = await outcome_of(retrying(RateLimitError("slow", retry_after=61), quota=quota))
    short = await outcome_of(
        retrying(RateLimitError("slow", retry_after=7), quota=quota), timeout=3
    )

    assert notes(far.attempts) == ["not repeated: scripted asks to wait for 61 s"]
    assert notes(short.attempts) == ["not repeated: 3 s are left, and the wait is 7.7 s"]


class Broken:
    def reserve(self, kind, /):
        raise OSError("no store")

    def settle(self, paid, /):
        raise OSError("no store")

    def release(self, paid, /):
        raise OSError("no store")


@pytest.mark.anyio
async def test_a_store_that_fails_never_fails_a_call():
    answer = await outcome_of(retrying(ServerError("oops"), "ho", quota=Broken()))

    assert answer == "ho"
    assert notes(answer.attempts) == ["the retry store failed: OSError"] * 2


@pytest.mark.anyio
async def test_a_store_that_fails_does_not_swallow_a_cancellation():
    provider = retrying(lambda: ServerError("oops"), quota=Broken())

    with anyio.move_on_after(0.1) as scope:
        await provider.generate("hi")

    assert scope.cancelled_caught
    assert len(provider.inner.asked) == 1
