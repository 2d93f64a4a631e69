"""
Writes to a ledger until it is killed, and tells of each batch once it is committed.

`python ledger_writer.py LEDGER TOLD NAME`
"""

import os
import random
import sys

import anyio

from fairlead import LedgerEntry, Retention, SqliteLedger
from tests.support.ledgers import NOON, entry

BATCH = 5


def batch_of(name: str, number: int) -> list[LedgerEntry]:
    """What the writer *name* records as its batch *number*."""
    return [
        entry(f"0.{number % 97:02}{place}", id=f"{name}-{number}-{place}") for place in range(BATCH)
    ]


async def main(path: str, told: str, name: str) -> None:
    ledger = SqliteLedger(path, retention=Retention(days=None, rows=None), now=lambda: NOON)
    record = os.open(told, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    number = 0
    while True:
        batch = batch_of(name, number)
        await ledger.record(batch)
        if random.random() < 0.2:
            await ledger.record(batch)  # as one does who cannot tell whether it was written
        os.write(record, f"{name} {number}\n".encode())
        number += 1


if __name__ == "__main__":
    anyio.run(main, *sys.argv[1:], backend=random.choice(["asyncio", "trio"]))
