"""`CircuitBreaker.call`, for functions that are no providers."""

import anyio
import pytest
from anyio.lowlevel import checkpoint

from fairlead.core.errors import (
    ConfigurationError,
    InvalidRequestError,
    RateLimitError,
    ServerError,
)
from fairlead.core.refusals import CircuitOpenError
from fairlead.decorators.circuit import BreakerOptions, CircuitBreaker

STEADY = BreakerOptions(jitter=0.0, minimum_calls=100, successes_to_close=1)


class Time:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def breaker(time):
    return CircuitBreaker(STEADY, failure_threshold=2, recovery_timeout=60.0, clock=time)


def fail(error):
    raise error


async def fail_later(error):
    await checkpoint()
    raise error


def opened(breaker):
    for _ in range(2):
        with pytest.raises(OSError, match="down"):
            breaker.call(fail, OSError("down"))
    return breaker


def test_what_is_called_gets_its_arguments_and_gives_its_result(breaker):
    assert breaker.call(divmod, 7, 2) == (3, 1)
    assert breaker.call(dict, a=1) == {"a": 1}
    assert breaker.state == "closed"


def test_an_argument_may_have_any_name(breaker):
    assert breaker.call(dict, function=1, self=2) == {"function": 1, "self": 2}


def test_failures_in_a_row_open_it(breaker):
    opened(breaker)

    assert breaker.state == "open"
    with pytest.raises(CircuitOpenError) as refused:
        breaker.call(fail, AssertionError("it must not be called"))
    assert refused.value.retry_after == 60.0
    assert refused.value.sent is False


def test_a_success_starts_the_count_anew(breaker):
    for _ in range(5):
        with pytest.raises(OSError, match="down"):
            breaker.call(fail, OSError("down"))
        breaker.call(len, "")

    assert breaker.state == "closed"


def test_it_recovers(breaker, time):
    opened(breaker)
    time.now += 60.0

    assert breaker.call(len, "ho") == 2
    assert breaker.state == "closed"


def test_a_failing_probe_opens_it_again(breaker, time):
    opened(breaker)
    time.now += 60.0

    with pytest.raises(OSError, match="still"):
        breaker.call(fail, OSError("still down"))

    assert breaker.state == "open"


def test_an_error_that_is_not_the_targets_fault_is_not_counted(breaker):
    for _ in range(5):
        with pytest.raises(InvalidRequestError):
            breaker.call(fail, InvalidRequestError("the caller's fault"))
        with pytest.raises(RateLimitError):
            breaker.call(fail, RateLimitError("too fast"))

    assert breaker.state == "closed"


def test_the_vendors_word_lengthens_the_wait(breaker):
    for _ in range(2):
        with pytest.raises(ServerError):
            breaker.call(fail, ServerError("down", retry_after=120.0))

    with pytest.raises(CircuitOpenError) as refused:
        breaker.call(len, "")
    assert refused.value.retry_after == 120.0


def test_what_is_no_error_says_nothing(breaker, time):
    opened(breaker)
    time.now += 60.0

    with pytest.raises(KeyboardInterrupt):
        breaker.call(fail, KeyboardInterrupt())

    assert breaker.state == "half-open"
    assert breaker.call(len, "") == 0, "the probe's place is free again"


def test_a_listener_that_fails_is_not_held_against_the_function(time):
    def listen(transition):
        if transition.after == "closed":
            raise RuntimeError("the listener's own")

    breaker = CircuitBreaker(
        STEADY, failure_threshold=2, recovery_timeout=60.0, clock=time, listeners=(listen,)
    )
    opened(breaker)
    time.now += 60.0

    with pytest.raises(RuntimeError, match="the listener's own"):
        breaker.call(len, "")

    assert breaker.state == "closed"


@pytest.mark.anyio
async def test_an_async_function_is_awaited(breaker):
    async def add(one, other):
        await checkpoint()
        return one + other

    assert await breaker.call(add, 1, other=2) == 3
    assert await breaker.call(lambda: add(3, 4)) == 7


@pytest.mark.anyio
async def test_failures_of_an_async_function_count_when_they_happen(breaker):
    for _ in range(2):
        pending = breaker.call(fail_later, OSError("down"))
        assert breaker.state == "closed"
        with pytest.raises(OSError, match="down"):
            await pending

    assert breaker.state == "open"
    with pytest.raises(CircuitOpenError):
        await breaker.call(fail_later, AssertionError("it must not be called"))


@pytest.mark.anyio
async def test_a_cancelled_probe_does_not_wedge_it(breaker, time):
    opened(breaker)
    time.now += 60.0

    with anyio.move_on_after(0.01):
        await breaker.call(anyio.sleep_forever)

    assert breaker.state == "half-open"
    assert breaker.call(len, "") == 0
    assert breaker.state == "closed"


@pytest.mark.anyio
async def test_one_probe_at_a_time(breaker, time):
    opened(breaker)
    time.now += 60.0
    probe = breaker.call(anyio.sleep, 0)

    with pytest.raises(CircuitOpenError):
        breaker.call(len, "")

    await probe
    assert breaker.call(len, "") == 0


def test_the_two_words_that_everybody_knows_are_options(time):
    breaker = CircuitBreaker(failure_threshold=1, recovery_timeout=600.0, clock=time)
    with pytest.raises(OSError, match="down"):
        breaker.call(fail, OSError("down"))

    assert breaker.peek(time()) == pytest.approx(600.0, rel=0.1), "not cut to the longest"


@pytest.mark.parametrize("given", [{"failure_threshold": 0}, {"recovery_timeout": -1.0}])
def test_senseless_options_are_refused(given):
    with pytest.raises(ConfigurationError, match=next(iter(given))):
        CircuitBreaker(**given)


def test_the_clock_is_that_of_the_machine():
    breaker = CircuitBreaker(STEADY, failure_threshold=1, recovery_timeout=1e-6)
    with pytest.raises(OSError, match="down"):
        breaker.call(fail, OSError("down"))

    assert breaker.call(len, "") == 0, "a microsecond is over"
