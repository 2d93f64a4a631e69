"""Entries of ledgers, for tests that care for a few of their values alone."""

import itertools
from decimal import Decimal

from fairlead.core.ledger import Booking, LedgerEntry
from fairlead.core.usage import Cost, Usage

_ids = itertools.count(1)
NOON = 1_767_268_800.0
"""2026-01-01, 12:00 UTC."""
DAY = 86_400.0


def entry(dollars="0.5", **values):
    values.setdefault("id", f"e{next(_ids)}")
    if "cost" not in values:
        values["cost"] = None if dollars is None else Cost(amount=Decimal(dollars), source="test")
    return LedgerEntry(
        **{
            "at": NOON,
            "booking": Booking.SPENT,
            "operation": "generate",
            "provider": "p",
            "model": "m",
            "outcome": "succeeded",
            "usage": Usage(input_tokens=10, output_tokens=5),
            "seconds": 1.0,
            **values,
        }
    )


async def all_of(ledger, *query):
    return [each async for each in ledger.entries(*query)]
