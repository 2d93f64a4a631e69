"""Two who are asked the same, of whom the first one with a result counts."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, cast

import anyio
from anyio.lowlevel import checkpoint

from ..core.calls import T
from ..core.errors import ProviderConnectionError, ProviderError
from ..core.journal import Attempt, Outcome
from ..core.streams import GenerationStream
from ._tasks import scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..core.calls import Call, Handler
    from ..core.plans import Target
    from ._dispatch import Step
    from ._tasks import Hosted, TaskHost


class Race(Generic[T]):
    """
    Asks each racer in a task of its own.

    Whoever waits for it must `abandon` it if it leaves early.

    Args:
        host: Runs the tasks.
        learn: Is told of a racer that has a result, or was given up for another, and how many
            seconds it took until then.
    """

    def __init__(self, host: TaskHost, learn: Callable[[Racer[Any], float], None]) -> None:
        self._host = host
        self._moved = anyio.Event()
        self.learn = learn
        self.racers: list[Racer[T]] = []
        self.winner: Racer[T] | None = None
        self.over = False
        self.paid: int | None = None
        """What the second one had cost the quota."""

    @property
    def running(self) -> bool:
        """Whether somebody may still come in."""
        return any(racer.running for racer in self.racers)

    def enter(self, step: Step[T]) -> Racer[T]:
        """Let one more run."""
        racer = Racer(self, step)
        racer.task = self._host.spawn(racer.run)
        self.racers.append(racer)
        return racer

    async def wait(self, seconds: float | None) -> None:
        """Wait until something has happened, or so many seconds are over."""
        if seconds is None:
            await self._moved.wait()
        else:
            with scope(seconds):
                await self._moved.wait()
        self._moved = anyio.Event()

    def wake(self) -> None:
        """Tell whoever waits that something has happened."""
        with suppress(RuntimeError):  # their loop may be gone
            self._moved.set()

    def won(self, winner: Racer[T]) -> None:
        """*winner* is the first with a result, or with what ends all: give up all others."""
        self.winner = winner
        self.over = True
        for racer in self.racers:
            if racer is not winner and racer.running:
                racer.call.journal.record(
                    Attempt(
                        outcome=Outcome.NOTED,
                        provider=racer.target.provider,
                        model=racer.target.model.name,
                        reason=f"given up, as {winner.target.label} was first; its cost is wasted",
                    )
                )
                self.learn(racer, racer.seconds)
                racer.give_up()

    def forget(self) -> None:
        """Let go of all errors, whose tracebacks lead here."""
        for racer in self.racers:
            racer.error = None

    def abandon(self) -> None:
        """Give up all, and close what has arrived already."""
        self.over = True
        for racer in self.racers:
            racer.give_up()


class Racer(Generic[T]):
    """One of those who are asked."""

    def __init__(self, race: Race[T], step: Step[T]) -> None:
        self.child: Handler
        self.target: Target
        self.call: Call[T]
        self.child, self.target, self.call = step
        self.task: Hosted
        self.running = True
        self.error: ProviderError | None = None
        self._race = race
        self._began = self.call.now()
        self._other: BaseException | None = None
        self._results: list[T] = []

    async def run(self) -> None:
        """Ask, and tell the race what comes of it."""
        race = self._race
        try:
            result = await self.call.on(self.child)
        except GeneratorExit:
            raise  # the loop is gone, and with it whoever waits
        except ProviderError as error:
            self.error = error
        except anyio.get_cancelled_exc_class():
            self._cut_off()
            raise
        except BaseException as error:  # noqa: BLE001 - raised where the race is waited for
            self._other = error
            race.won(self)
        else:
            await self._arrived(result)
        finally:
            self.running = False
            race.wake()

    async def _arrived(self, result: T) -> None:
        race = self._race
        if race.over:
            _close(result)
            return
        self.running = False
        self._results.append(result)
        race.learn(self, self.seconds)
        race.won(self)
        # One turn, so that those who were given up can write down what they did.
        await checkpoint()

    def result(self) -> T:
        """
        What came of it; once.

        Raises:
            BaseException: What was raised instead.
        """
        if self._results:
            return self._results.pop()
        error = self.error or self._other
        self.error = self._other = None
        try:
            raise cast("BaseException", error)
        finally:
            del error  # its traceback leads here

    def give_up(self) -> None:
        """Cancel it, and close what it has brought. Idempotent."""
        self.task.cancel()
        while self._results:
            _close(self._results.pop())

    @property
    def seconds(self) -> float:
        """How long it has been running."""
        return self.call.now() - self._began

    def _cut_off(self) -> None:
        """Somebody else has cancelled it than the race."""
        if self._race.over:
            return
        self.error = ProviderConnectionError(
            f"{self.target.label} was cut off: the provider is being closed, or the loop ends",
            provider=self.target.provider,
            model=self.target.model.name,
        )
        self.error.journal = self.call.journal


def _close(result: object) -> None:
    """Let go of a result that comes too late."""
    if isinstance(result, GenerationStream):
        result.cancel()
