"""Costs that applications count themselves, by the names that they are used to."""

from __future__ import annotations

import os
import time
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from ..core.checks import check_count, in_words
from ..core.errors import ConfigurationError
from ..core.ledger import Booking, LedgerEntry
from ..core.tags import with_current
from ..core.usage import Cost, Usage
from ..decorators.bookkeeping import Bookkeeper

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..core.ledger import Ledger
    from ..core.ports import EventLog
    from ..core.spending import Spending


class CostTracker:
    """
    Books what the application has counted by itself.

    What a pipeline with a ledger has booked already is booked a second time by this: use either.

    Args:
        ledger: Where entries are written; None keeps the total alone. It stays yours to close.
        log: Where it is told that the ledger fails; the logger `fairlead.costs`, if there is none.
        now: Unix seconds.
    """

    def __init__(
        self,
        ledger: Ledger | None = None,
        *,
        log: EventLog | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._books = Bookkeeper(ledger, log=log)
        self._now = now

    @property
    def total(self) -> Spending:
        """All that was recorded, written down or not."""
        return self._books.total

    def record(
        self,
        *,
        project_id: str | None = None,
        input_tokens: int,
        output_tokens: int,
        total_cost: Decimal | float,
        provider: str = "application",
        model: str | None = None,
    ) -> None:
        """
        Book a call that was made, at once; the ledger is written by and by, or in `aclose()`.

        Args:
            project_id: Becomes the tag `project`, besides those of the context.
            input_tokens: Of the prompt.
            output_tokens: Of the answer.
            total_cost: US dollars. A float stands for the number that it is shown as.
            provider: Who was asked.
            model: Which model.

        Raises:
            ConfigurationError: A number makes no sense: a negative or infinite one, say.
        """
        check_count("input_tokens", input_tokens, 0)
        check_count("output_tokens", output_tokens, 0)
        own = {} if project_id is None else {"project": project_id}
        self._books.book(
            LedgerEntry(
                id=os.urandom(12).hex(),
                at=self._now(),
                booking=Booking.SPENT,
                operation="generate",
                provider=provider,
                model=model,
                outcome="recorded",
                usage=Usage(input_tokens=input_tokens, output_tokens=output_tokens),
                cost=Cost(amount=_amount(total_cost), source="application"),
                tags=with_current(own),
            )
        )

    async def aclose(self) -> None:
        """Write what has not been written yet. Idempotent."""
        await self._books.aclose()


def _amount(dollars: object) -> Decimal:
    if isinstance(dollars, bool) or not isinstance(dollars, (Decimal, int, float)):
        raise ConfigurationError(f"total_cost must be a number, not {in_words(dollars)}")
    try:
        return dollars if isinstance(dollars, Decimal) else Decimal(repr(dollars))
    except InvalidOperation:  # a subclass with a `repr` of its own, as numpy's
        return Decimal(repr(float(dollars)))
