"""Each is closed once, whatever becomes of the others."""

from __future__ import annotations

import anyio
import pytest
from anyio.lowlevel import checkpoint
from hypothesis import given
from hypothesis import strategies as st

from fairlead.facade.closing import close_all

pytestmark = pytest.mark.anyio


class Door:
    def __init__(self, error: BaseException | None = None):
        self.error = error
        self.begun = 0
        self.closed = 0

    async def aclose(self):
        self.begun += 1
        await checkpoint()
        self.closed += 1
        if self.error is not None:
            raise self.error


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([None, OSError, SystemExit]))))
def test_each_is_closed_once_and_the_worst_is_raised(given):
    doors = {key: Door(kind and kind(f"door {key}")) for key, kind in given}
    asked = [doors[key] for key, _ in given]
    raised = [door.error for door in dict.fromkeys(asked) if door.error is not None]
    expected = next((each for each in raised if isinstance(each, SystemExit)), None)

    async def main():
        try:
            await close_all(asked)
        except BaseException as error:
            return error

    told = anyio.run(main)

    assert [door.closed for door in doors.values()] == [1] * len(doors)
    assert told is (expected or (raised[0] if raised else None))
    if told is not None:
        others = [each for each in raised if each is not told]
        assert getattr(told, "__notes__", []) == [
            f"besides: {type(other).__name__}: {other}" for other in others
        ]


async def test_what_cannot_be_closed_is_left_alone():
    door = Door()

    await close_all([object(), door])

    assert door.closed == 1


async def test_they_are_closed_in_order():
    order = []

    class Named(Door):
        async def aclose(self):
            order.append(self)

    doors = [Named(), Named(), Named()]
    await close_all(doors)

    assert order == doors


async def test_cancelled_it_still_begins_to_close_all():
    doors = [Door(), Door(), Door()]

    with anyio.CancelScope() as scope:
        scope.cancel()
        await close_all(doors)

    assert scope.cancelled_caught
    assert [door.begun for door in doors] == [1, 1, 1]


async def test_a_cancellation_is_not_hidden_by_a_failure():
    class Rude(Door):
        async def aclose(self):
            raise OSError("rude")

    with anyio.CancelScope() as scope:
        scope.cancel()
        await close_all([Rude(), Door(), Rude()])

    assert scope.cancelled_caught


async def test_secrets_are_masked_in_the_notes():
    with pytest.raises(OSError, match="first") as caught:
        await close_all([Door(OSError("first")), Door(OSError("Bearer sk-CANARY12345678"))])

    assert caught.value.__notes__ == ["besides: OSError: Bearer ***"]
