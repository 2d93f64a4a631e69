"""What the parts of the contract share: the hooks, and the switches."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from inspect import isawaitable
from typing import Any, ClassVar, cast

import pytest

from ...core.closing import Closable
from ...core.errors import (
    AuthenticationError,
    OverloadedError,
    ProviderError,
    RateLimitError,
    ServerError,
)
from ...core.provider import ProviderPort
from ..scripted import Line, Pause

Made = ProviderPort | Awaitable[ProviderPort]

FAILURES: tuple[ProviderError, ...] = (
    AuthenticationError("who are you?", status_code=401),
    RateLimitError("too fast", status_code=429, retry_after=1.0),
    ServerError("oh dear", status_code=500),
    OverloadedError("too many of you", status_code=529),
)


class ContractBase:
    """Hooks and switches; see `ProviderContract`."""

    pytestmark: ClassVar[Any] = pytest.mark.anyio

    streams: ClassVar[bool] = True
    embeds: ClassVar[bool] = True
    tools: ClassVar[bool] = False
    formats: ClassVar[bool] = False
    speaks: ClassVar[bool] = True
    repeats_itself: ClassVar[bool] = True
    reports_usage: ClassVar[bool] = False
    answers_as: ClassVar[str | None] = None
    moment: ClassVar[float] = 0.05

    def make_provider(self) -> Made:
        raise NotImplementedError

    def make_scripted(self, *answers: list[Line]) -> Made:
        pytest.skip("make_scripted() is not overridden")

    def make_slow(self) -> Made:
        return self.make_scripted(["Well, ", Pause()], ["Fine."])

    @pytest.fixture
    async def provider(self, request: pytest.FixtureRequest) -> AsyncGenerator[ProviderPort, None]:
        suite = self._of(request)
        async with suite.using(suite.make_provider()) as provider:
            yield provider

    @pytest.fixture
    async def slow(self, request: pytest.FixtureRequest) -> AsyncGenerator[ProviderPort, None]:
        suite = self._of(request)
        async with suite.using(suite.make_slow()) as provider:
            yield provider

    @staticmethod
    def _of(request: pytest.FixtureRequest) -> ContractBase:
        """The suite of the running test; older anyio gives async fixtures another one as `self`."""
        return cast("ContractBase", request.instance)

    @asynccontextmanager
    async def using(self, made: Made) -> AsyncGenerator[ProviderPort, None]:
        """What a hook made, closed afterwards."""
        provider = await made if isawaitable(made) else made
        try:
            yield provider
        finally:
            if isinstance(provider, Closable):
                await provider.aclose()
