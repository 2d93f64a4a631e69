"""The retry policy for functions that are no providers."""

from __future__ import annotations

import random as _random
import time
from functools import partial, wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import TYPE_CHECKING, Any, TypeVar, cast

import anyio

from ..core.checks import check_count, in_words
from ..core.errors import ConfigurationError, ProviderError
from ..core.verdicts import Retry
from .backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")


def retry_with_exponential_backoff(
    *,
    max_retries: int = 3,
    initial_delay: float = 1.0,
    exponential_base: float = 2.0,
    max_delay: float = 60.0,
    jitter: bool = True,
    retryable_exceptions: tuple[type[Exception], ...] = (Exception,),
    sleep: Callable[[float], object] = time.sleep,
    random: Callable[[], float] = _random.random,
) -> Callable[[F], F]:
    """
    Decorate a function, sync or async, so that it is called again when it fails.

    ::

        @retry_with_exponential_backoff(max_retries=2)
        async def look_up(key: str) -> str: ...

    Of the errors in *retryable_exceptions*, a `ProviderError` is repeated only if its verdict says
    that this makes sense, and its `retry_after` is kept to: never for a wrong key or a request
    that cannot be answered. Providers themselves are better wrapped in `RetryProvider`, which
    knows deadlines, streams and the journal.

    Args:
        max_retries: Repeats, not counting the first call.
        initial_delay: Seconds before the first repeat.
        exponential_base: What the wait is multiplied by for each further one.
        max_delay: Seconds that no wait exceeds, *retry_after* aside.
        jitter: Whether each wait is a random share of that time.
        retryable_exceptions: What is repeated.
        sleep: What lets time pass between calls of a sync function.
        random: Numbers from 0 to 1, for the jitter.

    Raises:
        ConfigurationError: A number is out of range, what is named is no exception, or the
            function is a generator, which cannot be called again once it has given something.
    """
    _check(max_retries, retryable_exceptions)
    backoff = Backoff(
        initial_delay=initial_delay,
        exponential_base=exponential_base,
        max_delay=max_delay,
        throttled_initial_delay=initial_delay,
        throttled_max_delay=max_delay,
        jitter=jitter,
    )

    waits = partial(_Waits, backoff, max_retries, random)

    def decorate(function: F) -> F:
        if isgeneratorfunction(function) or isasyncgenfunction(function):
            msg = f"{function.__name__}() is a generator; wrap its provider in RetryProvider"
            raise ConfigurationError(msg)
        if iscoroutinefunction(function):
            return cast("F", _repeated_async(function, retryable_exceptions, waits))
        return cast("F", _repeated(function, retryable_exceptions, waits, sleep))

    return decorate


def _repeated(
    function: Callable[..., Any],
    kinds: tuple[type[Exception], ...],
    waits: Callable[[], _Waits],
    sleep: Callable[[float], object],
) -> Callable[..., Any]:
    @wraps(function)
    def repeated(*args: Any, **kwargs: Any) -> Any:
        waited = waits()
        while True:
            try:
                return function(*args, **kwargs)
            except kinds as error:
                wait = waited.before_repeat(error)
                if wait is None:
                    raise
            sleep(wait)

    return repeated


def _repeated_async(
    function: Callable[..., Any], kinds: tuple[type[Exception], ...], waits: Callable[[], _Waits]
) -> Callable[..., Any]:
    @wraps(function)
    async def repeated(*args: Any, **kwargs: Any) -> Any:
        waited = waits()
        while True:
            try:
                return await function(*args, **kwargs)
            except kinds as error:
                wait = waited.before_repeat(error)
                if wait is None:
                    raise
            await anyio.sleep(wait)

    return repeated


class _Waits:
    """The waits between the calls that are one call to the caller."""

    def __init__(self, backoff: Backoff, most: int, random: Callable[[], float]) -> None:
        self._backoff = backoff
        self._most = most
        self._random = random
        self._repeats = 0
        self._resent = False

    def before_repeat(self, error: Exception) -> float | None:
        """Seconds to wait; None if it is not to be repeated."""
        kind, asked, sent = Retry.TRANSIENT, None, None
        if isinstance(error, ProviderError):
            kind, asked, sent = error.verdict.retry, error.retry_after, error.sent
        if kind is Retry.ONCE_IF_SENT and sent is not False:
            if self._resent:
                return None
            self._resent = True
        if kind in {Retry.NEVER, Retry.NEXT_KEY} or self._repeats >= self._most:
            return None
        if asked is not None and asked > self._backoff.longest_retry_after:
            return None
        repeat, self._repeats = self._repeats, self._repeats + 1
        if asked is None:
            return self._backoff.delay(repeat, kind, self._random)
        return self._backoff.after(asked, repeat, kind, self._random)


def _check(max_retries: int, kinds: tuple[type[Exception], ...]) -> None:
    check_count("max_retries, which counts repeats,", max_retries, 0)
    if not isinstance(kinds, tuple):
        msg = f"retryable_exceptions must be a tuple of exceptions, not {in_words(kinds)}"
        raise ConfigurationError(msg)
    for kind in kinds:
        if not (isinstance(kind, type) and issubclass(kind, Exception)):
            msg = f"retryable_exceptions must be classes of exceptions, not {in_words(kind)}"
            raise ConfigurationError(msg)
