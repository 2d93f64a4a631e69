import anyio
import pytest

from fairlead.adapters.providers._played import Pause, PlayedEvents
from fairlead.core.calls import Deadline
from fairlead.core.errors import ProviderConnectionError, ProviderTimeoutError, ServerError
from fairlead.core.events import TextDelta

pytestmark = [pytest.mark.anyio, pytest.mark.virtual_time]


async def test_abort_wakes_the_reader_with_an_error():
    events = PlayedEvents([Pause(), TextDelta("late")])
    async with anyio.create_task_group() as group:

        async def read():
            with pytest.raises(ProviderConnectionError, match="closed"):
                await events.read()

        group.start_soon(read)
        await anyio.sleep(5)
        events.abort()
        events.abort()

    assert await events.read() == ()


async def test_steps_are_played_one_by_one():
    events = PlayedEvents([TextDelta("one"), Pause(2), TextDelta("two"), ServerError("no")])

    assert await events.read() == (TextDelta("one"),)
    assert anyio.current_time() == pytest.approx(0)
    assert await events.read() == (TextDelta("two"),)
    assert anyio.current_time() == pytest.approx(2)
    with pytest.raises(ServerError):
        await events.read()


async def test_the_deadline_cuts_pauses_until_it_is_taken_away():
    events = PlayedEvents(
        [Pause(2), TextDelta("one"), Pause(9), TextDelta("two")],
        deadline=Deadline(anyio.current_time, 5),
    )

    assert await events.read() == (TextDelta("one"),)
    with pytest.raises(ProviderTimeoutError) as caught:
        await events.read()
    assert caught.value.limit == 5
    assert anyio.current_time() == pytest.approx(5)


async def test_what_is_closed_tells_once():
    closed = []
    events = PlayedEvents([TextDelta("one")], closed=lambda: closed.append(1))
    await events.aclose()
    events.abort()

    assert closed == [1]
