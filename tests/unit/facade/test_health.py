"""Health, asked of providers that misbehave."""

from __future__ import annotations

import asyncio

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead import (
    FallbackProvider,
    ModelNotFoundError,
    OfflineProvider,
    Provider,
    ProviderHealth,
    RetryProvider,
)
from fairlead.facade.health import checked, side_by_side

pytestmark = pytest.mark.anyio


class Own:
    """Says what it is told to say, or raises it."""

    def __init__(self, says, name="own"):
        self.says = says
        self.name = name

    async def generate(self, prompt):
        return ""

    async def health_check(self):
        if isinstance(self.says, BaseException):
            raise self.says
        return self.says


class Silent:
    name = "silent"

    async def generate(self, prompt):
        return ""


WELL = ProviderHealth(name="well", healthy=True, latency_ms=1.0)
ILL = ProviderHealth(name="ill", healthy=False, error="ill")


class Panic(BaseException):
    """As extensions written in Rust raise it."""


async def alone(says):
    return await Provider(Own(says)).health_check()


@pytest.mark.parametrize("says", [None, "fine", 1])
async def test_an_answer_that_is_none_cannot_tell(says):
    health = await alone(says)

    assert health.healthy is None
    assert health.error == f"health_check() gave {type(says).__name__}, not a ProviderHealth"


@pytest.mark.parametrize("says", [True, False])
async def test_a_bool_is_understood(says):
    health = await alone(says)

    assert health.healthy is says
    assert (health.error is None) is says
    assert health.latency_ms >= 0


async def test_a_check_that_is_not_asynchronous_is_understood():
    class Plain(Silent):
        def health_check(self):
            return WELL

    assert await Provider(Plain()).health_check() == WELL


@pytest.mark.parametrize("says", [None, True, RuntimeError("no"), Panic("no")])
async def test_in_a_chain_none_hides_the_healthy_one(says):
    chain = FallbackProvider([Own(says), Own(WELL)])

    health = await Provider(chain).health_check()

    assert health.healthy is True
    assert [one.name for one in health.targets] == ["own", "well"]


async def test_what_is_no_exception_is_told_too():
    health = await alone(Panic("at the disco"))

    assert (health.healthy, health.error) == (False, "Panic: at the disco")


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_cancellation_of_its_own_is_its_own():
    told = await side_by_side([Own(asyncio.CancelledError("mine")), Own(WELL)])

    assert [one.healthy for one in told] == [False, True]
    assert told[0].error == "CancelledError: mine"


async def test_a_cancellation_from_outside_passes():
    class Slow(Silent):
        async def health_check(self):
            await anyio.sleep(60)

    with anyio.move_on_after(0.01) as scope:
        await Provider(FallbackProvider([Slow(), Slow()])).health_check()

    assert scope.cancelled_caught


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_native_cancellation_passes():
    started = asyncio.Event()

    class Slow(Silent):
        async def health_check(self):
            started.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(Provider(Slow()).health_check())
    await started.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.virtual_time
async def test_one_that_does_not_answer_is_given_up():
    class Slow(Silent):
        async def health_check(self):
            await anyio.sleep(3600)

    began = anyio.current_time()
    ill, well = await side_by_side([Slow(), Own(WELL)])

    assert anyio.current_time() - began == pytest.approx(5.0)
    assert (ill.healthy, ill.error) == (False, "no answer within 5 s")
    assert well == WELL


async def test_secrets_are_masked():
    raised = await alone(RuntimeError("Bearer sk-CANARY-12345678"))
    given = await alone(ProviderHealth(name="x", healthy=False, error="Bearer sk-CANARY-12345678"))

    assert raised.error == "RuntimeError: Bearer ***"
    assert given.error == "Bearer ***"


async def test_who_cannot_tell_is_named():
    health = await Provider(Silent()).health_check()

    assert health == ProviderHealth(name="silent", healthy=None, error="it has no health_check()")


async def test_in_a_chain_each_target_is_told_of():
    chain = FallbackProvider([RetryProvider(Silent()), Own(ILL), OfflineProvider()])

    health = await Provider(chain).health_check()

    assert [(one.name, one.healthy) for one in health.targets] == [
        ("silent", None),
        ("ill", False),
        ("offline", True),
    ]
    assert (health.name, health.healthy, health.latency_ms) == ("fallback", True, 0.0)


HEALTHS = st.builds(
    ProviderHealth,
    name=st.sampled_from("abc"),
    healthy=st.sampled_from([True, False, None]),
    error=st.sampled_from([None, "broken"]),
    misconfigured=st.booleans(),
)


@given(st.lists(HEALTHS, min_size=2, max_size=5))
def test_the_health_of_several_is_that_of_the_best(healths):
    async def main():
        return await checked("all", [Own(health) for health in healths])

    told = anyio.run(main)
    values = [health.healthy for health in healths]

    assert told.targets == tuple(healths)
    assert told.healthy is (True if True in values else False if False in values else None)
    spoken = [health for health in healths if health.healthy is not None]
    assert told.misconfigured is (
        told.healthy is False and all(health.misconfigured for health in spoken)
    )
    assert (told.error is None) is (told.healthy is True)


class Refused(Own):
    """It refuses what it is asked for, until it is mended."""

    mended = False

    async def generate(self, prompt):
        if not self.mended:
            raise ModelNotFoundError("no such model", status_code=404)
        return ""


@pytest.mark.parametrize("says, healthy, error", [(WELL, True, ""), (ILL, False, "ill; ")])
async def test_a_refusal_by_a_wrong_set_up_is_told_until_it_answers(says, healthy, error):
    refused = Refused(says)
    provider = Provider(RetryProvider(refused))
    assert not (await provider.health_check()).misconfigured

    with pytest.raises(ModelNotFoundError):
        await provider.generate("hi")
    health = await provider.health_check()
    told = f"{error}its last call was refused: ModelNotFoundError (HTTP 404): no such model"
    assert (health.healthy, health.misconfigured, health.error) == (healthy, True, told)
    assert "! misconfigured: ModelNotFoundError (HTTP 404): no such model" in str(
        provider.explain()
    )

    refused.mended = True
    await provider.generate("hi")
    assert not (await provider.health_check()).misconfigured
    assert "misconfigured" not in str(provider.explain())


async def test_a_fallback_does_not_hide_who_is_misconfigured():
    provider = Provider(FallbackProvider([Refused(WELL, "first"), Own(WELL, "second")]))
    await provider.generate("hi")

    health = await provider.health_check()
    assert [each.misconfigured for each in health.targets] == [True, False]
    assert (health.healthy, health.misconfigured) == (True, False)


async def test_each_tells_of_a_mistake_that_its_check_finds_by_itself_once():
    ill = ProviderHealth(name="ill", healthy=False, error="401", misconfigured=True)
    provider = Provider(Refused(ill))
    with pytest.raises(ModelNotFoundError):
        await provider.generate("hi")

    assert await provider.health_check() == ill
