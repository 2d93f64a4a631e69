import anyio
import pytest

from fairlead.core.errors import (
    AuthenticationError,
    ConfigurationError,
    ProviderTimeoutError,
    RateLimitError,
    ServerError,
)
from fairlead.decorators.retry_function import retry_with_exponential_backoff


class Failing:
    """Fails with each of *errors* in turn, then answers."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.calls = 0

    def __call__(self, word="ho"):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return word


def sync(asked, **options):
    """*asked* as a decorated sync function, and the waits it is going to make."""
    waits = []
    options = {"jitter": False, "sleep": waits.append, **options}

    @retry_with_exponential_backoff(**options)
    def function(*args, **kwargs):
        return asked(*args, **kwargs)

    return function, waits


def test_what_succeeds_is_called_once():
    asked = Failing()
    function, waits = sync(asked)

    assert function("hi") == function(word="hi") == "hi"
    assert (asked.calls, waits) == (2, [])


def test_waits_grow_up_to_the_longest():
    asked = Failing(*[ValueError("no")] * 5)
    function, waits = sync(
        asked, max_retries=5, initial_delay=0.5, exponential_base=3.0, max_delay=10.0
    )

    assert function() == "ho"
    assert waits == [0.5, 1.5, 4.5, 10.0, 10.0]


def test_the_defaults_are_those_that_users_know():
    asked = Failing(*[OSError("no")] * 9)
    function, waits = sync(asked)

    with pytest.raises(OSError, match="no"):
        function()

    assert waits == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("max_retries, calls", [(0, 1), (1, 2), (3, 4)])
def test_max_retries_counts_repeats(max_retries, calls):
    asked = Failing(*[OSError("no")] * 9)
    function, _ = sync(asked, max_retries=max_retries)

    with pytest.raises(OSError, match="no"):
        function()

    assert asked.calls == calls


def test_jitter_takes_a_random_share():
    asked = Failing(OSError("no"), OSError("no"))
    function, waits = sync(asked, jitter=True, random=lambda: 0.25)

    function()

    assert waits == [0.25, 0.5]


def test_other_errors_are_raised_at_once():
    asked = Failing(TypeError("a mistake"))
    function, waits = sync(asked, retryable_exceptions=(OSError,))

    with pytest.raises(TypeError, match="a mistake"):
        function()

    assert waits == []


def test_a_provider_error_is_repeated_only_where_that_makes_sense():
    asked = Failing(ServerError("oops"), AuthenticationError("the key is wrong"))
    function, waits = sync(asked)

    with pytest.raises(AuthenticationError):
        function()

    assert waits == [1.0]


def test_what_may_have_been_billed_is_repeated_once():
    asked = Failing(*[ProviderTimeoutError("slow", sent=True)] * 3)
    function, waits = sync(asked, max_retries=9)

    with pytest.raises(ProviderTimeoutError):
        function()

    assert waits == [1.0]


def test_what_was_never_sent_is_repeated_as_often_as_allowed():
    asked = Failing(*[ProviderTimeoutError("slow", sent=False)] * 3)
    function, waits = sync(asked)

    assert function() == "ho"
    assert waits == [1.0, 2.0, 4.0]


def test_the_vendors_word_is_the_least_wait():
    asked = Failing(RateLimitError("later", retry_after=7.0), RateLimitError("", retry_after=0.1))
    function, waits = sync(asked)

    function()

    assert waits == [7.0, 2.0]


def test_a_wait_of_minutes_is_not_waited_for():
    asked = Failing(RateLimitError("later", retry_after=61.0))
    function, waits = sync(asked)

    with pytest.raises(RateLimitError):
        function()

    assert waits == []


def test_each_call_has_its_own_count():
    asked = Failing(OSError("1"))
    function, waits = sync(asked, max_retries=1)
    function()
    asked.errors = [OSError("2")]

    assert function() == "ho"
    assert waits == [1.0, 1.0]


def test_it_is_used_as_in_a_call_of_a_call():
    asked = Failing(OSError("no"))

    decorated = retry_with_exponential_backoff(max_retries=1, sleep=lambda _: None)(asked)

    assert decorated() == "ho"


def test_the_function_keeps_its_name():
    @retry_with_exponential_backoff()
    async def look_up():
        """Looks it up."""

    assert (look_up.__name__, look_up.__doc__) == ("look_up", "Looks it up.")


@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_an_async_function_waits_without_blocking():
    asked = Failing(OSError("no"), ServerError("oops"))

    @retry_with_exponential_backoff(jitter=False)
    async def function(word):
        return asked(word)

    began = anyio.current_time()

    assert await function("hi") == "hi"
    assert anyio.current_time() - began == pytest.approx(1.0 + 2.0)


@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_an_async_function_fails_with_its_last_error():
    asked = Failing(OSError("first"), OSError("last"), OSError("never"))

    @retry_with_exponential_backoff(max_retries=1)
    async def function():
        return asked()

    with pytest.raises(OSError, match="last"):
        await function()


@pytest.mark.anyio
@pytest.mark.virtual_time
async def test_cancellation_is_never_repeated():
    calls = 0

    @retry_with_exponential_backoff()
    async def function():
        nonlocal calls
        calls += 1
        await anyio.sleep_forever()

    with anyio.move_on_after(5) as scope:
        await function()

    assert scope.cancelled_caught
    assert calls == 1


def generator():
    yield 1


async def async_generator():
    yield 1


@pytest.mark.parametrize("function", [generator, async_generator])
def test_a_generator_is_refused(function):
    with pytest.raises(ConfigurationError, match=f"{function.__name__}.*RetryProvider"):
        retry_with_exponential_backoff()(function)


@pytest.mark.parametrize(
    "options, told",
    [
        ({"max_retries": -1}, "max_retries, which counts repeats"),
        ({"max_retries": True}, "an int"),
        ({"retryable_exceptions": OSError}, "a tuple"),
        ({"initial_delay": -1.0}, "initial_delay"),
        ({"max_delay": -1.0}, "max_delay"),
        ({"exponential_base": 0.5}, "exponential_base"),
        ({"retryable_exceptions": (KeyboardInterrupt,)}, "KeyboardInterrupt"),
        ({"retryable_exceptions": (503,)}, "503"),
    ],
)
def test_senseless_options_are_refused_before_anything_is_called(options, told):
    with pytest.raises(ConfigurationError, match=told):
        retry_with_exponential_backoff(**options)
