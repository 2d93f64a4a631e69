"""Single-flight: those who ask the same at the same time share one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.commit import CommitGate
from ._tasks import home, is_over
from .flight import AskAnewError, Flight, Seat

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from ..core.calls import Call, T
    from ._tasks import TaskHost


class Flights:
    """
    Those that are under way.

    Args:
        host: Runs them.
        max_bytes: What one of them may bring.
    """

    def __init__(self, host: TaskHost, max_bytes: int = CommitGate.MAX_ANSWER_BYTES) -> None:
        self._host = host
        self.max_bytes = max_bytes
        self._by_home: dict[object, dict[Hashable, Flight[Any]]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_home.values()))

    async def join(
        self, key: Hashable, call: Call[T], make: Callable[[Call[T]], Awaitable[T]]
    ) -> T:
        """
        The answer to *call*, which all share who come with the same *key* while it is made.

        Raises what *make* raises, a copy for each. What one of us has refused the next one asks
        for anew.
        """
        while True:
            flight = self._flight(key, call, make)
            seat = Seat(flight, call)
            try:
                await flight.landing(seat)
                return flight.answer(seat)
            except AskAnewError:
                call = call.with_(plan=None)
            except BaseException:
                flight.leave(seat)
                raise

    def _flight(
        self, key: Hashable, call: Call[T], make: Callable[[Call[T]], Awaitable[T]]
    ) -> Flight[T]:
        here = home()
        if here not in self._by_home:
            for dead in [each for each in self._by_home if is_over(each)]:
                del self._by_home[dead]
        flights = self._by_home.setdefault(here, {})
        flight = flights.get(key)
        if flight is None:

            def forget() -> None:
                if flights.get(key) is flight:
                    del flights[key]
                if not flights:
                    self._by_home.pop(here, None)

            flight = flights[key] = Flight(call, make, forget, self.max_bytes)
            flight.task = self._host.spawn(flight.run)
        return flight
