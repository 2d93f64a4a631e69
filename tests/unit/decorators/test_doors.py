"""What constructors of policies refuse."""

import math

import pytest

from fairlead.core.errors import ConfigurationError
from fairlead.core.limits import TimeLimits
from fairlead.decorators.attempt import AttemptTimeoutProvider
from fairlead.decorators.backoff import Backoff
from fairlead.decorators.breaker import CircuitBreakerProvider
from fairlead.decorators.circuit import BreakerOptions
from fairlead.decorators.deadline import DeadlineProvider
from fairlead.decorators.fallback import FallbackProvider
from fairlead.decorators.retry import RetryProvider
from tests.unit.core.fakes import Scripted

RUBBISH = [True, "2", None, math.nan, -1, [1]]
COUNTS = ["failure_threshold", "minimum_calls", "half_open_permits", "successes_to_close"]
SHARES = ["failure_ratio", "jitter"]
TIMES = ["window", "recovery_timeout", "max_recovery_timeout", "permit_timeout"]
DELAYS = ["initial_delay", "max_delay", "throttled_initial_delay", "throttled_max_delay"]


@pytest.mark.parametrize("value", [*RUBBISH, 1.5])
def test_repeats_are_counted(value):
    with pytest.raises(ConfigurationError, match="max_retries, which counts repeats, must be"):
        RetryProvider(Scripted("ho"), max_retries=value)


@pytest.mark.parametrize("value", [*RUBBISH, 1.5, 0])
def test_attempts_are_counted(value):
    with pytest.raises(ConfigurationError, match="max_attempts must be"):
        FallbackProvider([Scripted("ho")], max_attempts=value)


@pytest.mark.parametrize("value", [*RUBBISH, math.inf, 10**400])
@pytest.mark.parametrize("name", [*COUNTS, *SHARES, *TIMES])
def test_a_breaker_refuses_rubbish_by_name(name, value):
    if name in COUNTS and value == 10**400:
        return
    with pytest.raises(ConfigurationError, match=f"^{name} must be"):
        BreakerOptions(**{name: value})


@pytest.mark.parametrize("value", [*RUBBISH, math.inf, 10**400])
@pytest.mark.parametrize("name", [*DELAYS, "exponential_base"])
def test_a_back_off_refuses_rubbish_by_name(name, value):
    with pytest.raises(ConfigurationError, match=f"^{name} must be"):
        Backoff(**{name: value})


def test_jitter_is_or_is_not():
    with pytest.raises(ConfigurationError, match=r"^jitter must be True or False, not 0\.5"):
        Backoff(jitter=0.5)


def test_any_wait_may_be_waited_for():
    assert Backoff(longest_retry_after=math.inf).longest_retry_after == math.inf


@pytest.mark.parametrize("value", [True, "2", math.nan, 0, -1, [1]])
@pytest.mark.parametrize("name", ["total", "opening"])
def test_a_deadline_is_a_time(name, value):
    with pytest.raises(ConfigurationError, match=f"^{name} must be"):
        DeadlineProvider(Scripted("ho"), **{name: value})


def test_a_deadline_may_be_none_or_never():
    DeadlineProvider(Scripted("ho"), total=None, opening=math.inf)


@pytest.mark.parametrize("value", [True, "2", math.nan, 0, -1, [1]])
def test_a_time_limit_is_a_time(value):
    with pytest.raises(ConfigurationError, match=r"^idle must be"):
        TimeLimits(idle=value)


@pytest.mark.parametrize(
    "build, said",
    [
        (lambda it: RetryProvider(it, backoff=2), "backoff must be of Backoff, or None, not 2"),
        (lambda it: RetryProvider(it, retry_on=True), "retry_on must be a function, not True"),
        (lambda it: CircuitBreakerProvider(it, options={}), "options must be of BreakerOptions"),
        (lambda it: CircuitBreakerProvider(it, counts=1), "counts must be a function"),
        (lambda it: AttemptTimeoutProvider(it, limits=5), "limits must be of TimeLimits"),
        (lambda it: FallbackProvider([it], try_another=1), "try_another must be a function"),
    ],
)
def test_an_option_is_of_its_kind(build, said):
    with pytest.raises(ConfigurationError, match=said):
        build(Scripted("ho"))
