"""Callers that leave."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import anyio
import pytest
from anyio.lowlevel import checkpoint

from ...core.journal import Outcome
from ..scripted import Pause
from ._base import ContractBase

if TYPE_CHECKING:
    from ...core.provider import ProviderPort
    from ...core.streams import GenerationStream


class CancellationContract(ContractBase):
    """A call can be cancelled at any moment, by anyio or natively; nothing is left behind."""

    @pytest.fixture(params=["scope", "native", "native twice"])
    def way(self, request: pytest.FixtureRequest, anyio_backend_name: str) -> str:
        if request.param != "scope" and anyio_backend_name != "asyncio":
            pytest.skip("only asyncio's tasks can be cancelled natively")
        return str(request.param)

    async def test_a_plain_answer_can_be_left(self, slow: ProviderPort, way: str) -> None:
        await self._left(lambda: slow.generate("Hello?"), way)

        assert await slow.generate("Are you still there?")

    async def test_a_stream_can_be_left_before_it_opens(self, way: str) -> None:
        if not self.streams:
            pytest.skip("it has no streams")
        async with self.using(self.make_scripted([Pause()], ["Fine."])) as provider:

            async def opened() -> GenerationStream:
                return await provider.generate_stream("Hello?")

            await self._left(opened, way)

            assert await provider.generate("Are you still there?") == "Fine."

    async def test_a_stream_can_be_left_while_it_is_read(
        self, slow: ProviderPort, way: str
    ) -> None:
        stream = await slow.generate_stream("Hello?")

        await self._left(stream.collect, way)

        attempts = stream.generation.attempts
        assert [attempt.outcome for attempt in attempts] == [Outcome.ABANDONED]
        assert await slow.generate("Are you still there?")

    async def _left(self, ask: Callable[[], Awaitable[object]], way: str) -> None:
        """Ask, and leave after a moment."""
        if way == "scope":
            with anyio.move_on_after(self.moment) as scope:
                await ask()
            assert scope.cancelled_caught
            return
        from asyncio import create_task, wait

        async def asking() -> None:
            await ask()

        task = create_task(asking())
        await anyio.sleep(self.moment)
        task.cancel()
        if way == "native twice":
            await checkpoint()
            task.cancel()
        await wait([task])
        assert task.cancelled()
