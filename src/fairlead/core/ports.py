"""What the core asks of the outside: one small protocol each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from .budgets import Balance, Claim, Consumption, Grant, Presumed, Shortfall
    from .models import ModelInfo
    from .prices import Price
    from .rates import Amount, RateLimits, Rates
    from .verdicts import Retry

B = TypeVar("B")

Level: TypeAlias = Literal["debug", "info", "warning", "error"]


class Tokenizer(Protocol):
    """Counts tokens exactly, without I/O; loaded before it is handed over."""

    @property
    def family(self) -> str:
        """The name that `ModelInfo.tokenizer` gives it."""
        ...

    def count(self, text: str) -> int:
        """The tokens of *text*."""
        ...


class Tokenizers(Protocol):
    """The tokenizers that are at hand. A plain dictionary of them by family is one."""

    def get(self, family: str, /) -> Tokenizer | None:
        """That of *family*; None if it is not there, or not yet. At once, without I/O."""
        ...


class PriceBook(Protocol):
    """What models cost. Synchronous and local: it never waits, and never raises."""

    def price(self, provider: str, model: str, /) -> Price | None:
        """
        That of *model*; None if it is not known, and never a guess.

        Args:
            provider: Who sends the bill: a vendor's name, or the address that is asked.
            model: Its name there.
        """
        ...


class ModelBook(Protocol):
    """What is known of models. Synchronous and local: it never waits, and never raises."""

    def complete(self, provider: str, info: ModelInfo, /) -> ModelInfo:
        """
        *info*, with what is known of that model besides; what nobody knows stays None.

        Args:
            provider: Who sends the bill: a vendor's name, or the address that is asked.
            info: What is known already, the model's name above all.
        """
        ...


class EventLog(Protocol):
    """
    Where policies tell what happens.

    It never raises, and never waits for anything but the application's own log handlers.
    """

    def is_on(self, level: Level, /) -> bool:
        """Whether anybody reads what is recorded at *level*; asked before it is put together."""
        ...

    def record(self, level: Level, event: str, fields: Mapping[str, object], /) -> None:
        """Write down that *event* happened, in a few words, and what is known of it."""
        ...


class RetryStore(Protocol):
    """
    What repeats are paid from, in common for all of a pipeline.

    Synchronous and local: a store that several processes share keeps what it is told, and puts it
    together with that of the others by itself. One that raises lets repeats through, unpaid.
    """

    def reserve(self, kind: Retry, /) -> int | None:
        """Take what a repeat of that *kind* costs, and tell it; None if there is not so much."""
        ...

    def settle(self, paid: int, /) -> None:
        """Note that a call succeeded whose last repeat had cost *paid*, 0 if it was the first."""
        ...

    def release(self, paid: int, /) -> None:
        """Put back what was *paid* for a repeat that was never made."""
        ...


class BreakerStore(Protocol[B]):
    """
    Keeps circuit breakers by name, in common for all that ask the same. A plain dictionary is one.

    Synchronous and local, as `RetryStore` is. If it raises, each policy goes by breakers of its
    own.
    """

    def get(self, name: str, /) -> B | None:
        """That of *name*; None if there is none, which is as good as one that is closed."""
        ...

    def setdefault(self, name: str, breaker: B, /) -> B:
        """That of *name*, which is *breaker* from now on if there was none."""
        ...


class CooldownStore(Protocol):
    """
    Until when something is not to be asked, by its name; the times are the event loop's.

    Synchronous and local, as `RetryStore` is. One that raises knows of no cooldown.
    """

    def until(self, name: str, /) -> float:
        """The end of the cooldown of *name*, `-inf` if there is none; it may be over."""
        ...

    def rest(self, name: str, until: float, /) -> None:
        """Let *name* rest *until* then, `inf` for good, and no shorter than it already has to."""
        ...

    def wake(self, name: str, /) -> None:
        """Let *name* rest no more, nor what stands below it, as `name/…` does."""
        ...


class RateStore(Protocol):
    """
    Keeps how much may still be asked under each key: of all in this process, or of many.

    Of all that wait here for one key only the first asks, so nothing overtakes. A store that
    raises, or takes long, lets calls through. `now` is the event loop's time; a store that several
    processes share has a time of its own. What it is told after a call is told synchronously, in
    clean-up too: a store that is far away keeps it and writes it down when it is asked next.
    """

    async def reserve(self, key: str, rates: Rates, need: Amount, now: float, /) -> float:
        """
        Take *need* of every rate at once, or nothing of any.

        Cancelled, it has taken nothing, or gives it back by itself.

        Returns:
            0 if it was taken; else the seconds after which asking again makes sense.
        """
        ...

    def peek(self, key: str, rates: Rates, need: Amount, now: float, /) -> float:
        """
        Seconds until so much can be had, as far as is known here; 0 where nothing is.

        It may be more than a rate ever gives at once: what many need, one after the other.
        """
        ...

    def settle(self, key: str, reserved: Amount, used: Amount, now: float, /) -> None:
        """
        The vendor has answered a call that had *reserved* so much, and has *used* so much.

        What is found out later is settled once more, with nothing reserved; it may be negative.
        """
        ...

    def observe(
        self,
        key: str,
        rates: Rates,
        told: RateLimits | None,
        now: float,
        /,
        *,
        empty_for: float | None = None,
    ) -> None:
        """
        Note what the vendor has told, with an answer that is settled already.

        Args:
            key: Whose.
            rates: The limits that we keep to.
            told: What is left.
            now: The present.
            empty_for: It refused, and nothing is to be had for so many seconds.
        """
        ...


class BudgetStore(Protocol):
    """
    Keeps the books of budgets: of all in this process, or of many.

    Each reservation has a name that whoever makes it has chosen. Whatever is told twice of one of
    them counts once. Windows are those of the store's own wall clock.
    """

    @property
    def lease(self) -> float | None:
        """
        Seconds after which a reservation that is not renewed is taken for a dead process's.

        None where it dies with the process.
        """
        ...

    async def reserve(
        self, name: str, claims: Sequence[Claim], most: Consumption, least: Consumption, /
    ) -> Grant | Shortfall:
        """
        Reserve as much of *most* as fits all *claims*, at least *least*, or nothing of any.

        What is marked is written first. Whoever is cancelled here, or gets an error, marks the
        reservation as unspent: it may have been made.
        """
        ...

    def mark(self, name: str, spent: Consumption, /) -> None:
        """
        Note what a reservation has come to. Synchronous: it is called in clean-up.

        Where the books are far away it is kept, and written with the next `reserve` or `settle`.
        """
        ...

    async def settle(self) -> None:
        """Write what is marked."""
        ...

    async def renew(self, names: Sequence[str], /) -> None:
        """Note that these reservations are of calls under way, which were sent."""
        ...

    async def balances(self) -> Sequence[Balance]:
        """All accounts, in their present windows, by their keys."""
        ...

    async def presumed(self) -> Sequence[Presumed]:
        """The reservations that are taken to be spent as nobody has settled them."""
        ...

    async def adjust(self, what: str, amount: Consumption, /) -> None:
        """
        Correct the books.

        Args:
            what: An account's key, by whose *amount* more was spent, or less where it is negative;
                or a presumed reservation, which came to *amount*.
            amount: How much.

        Raises:
            ValueError: There is no such thing, or so much is not spent in the present window.
        """
        ...

    async def aclose(self) -> None:
        """Write what is marked, and let go of the books. Idempotent."""
        ...


class CacheStore(Protocol):
    """
    Keeps bytes by their keys: in this process, or in a place that many share.

    A store that raises, or takes more than 250 ms to read, has nothing. One whose attribute
    `at_once` is True answers without waiting for anything, and is asked without a time limit. It
    may forget whatever it likes whenever it likes; what it returns is what was set, unchanged.
    """

    async def get(self, keys: Sequence[str], /) -> Mapping[str, bytes]:
        """What is there under *keys*; what is over may be among it."""
        ...

    async def set(self, entries: Mapping[str, bytes], until: float | None, /) -> None:
        """Keep *entries*, which are over at *until* in Unix seconds, in place of older ones."""
        ...

    async def clear(self) -> None:
        """Forget everything."""
        ...
