"""Many processes on one ledger, killed at random moments."""

import collections
import random
import sqlite3
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from fairlead import Retention, SqliteLedger, UsageReport
from tests.integration.stores.ledger_writer import BATCH, batch_of
from tests.support.ledgers import NOON, entry

ROOT = Path(__file__).resolve().parents[3]
WRITERS = 4


def start(path, told, name):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.integration.stores.ledger_writer", path, told, name], cwd=ROOT
    )


async def read(path):
    ledger = SqliteLedger(
        path, retention=Retention(days=None, rows=None), now=lambda: NOON, busy_seconds=10
    )
    began = time.monotonic()
    await ledger.record([entry(id="after-all-0")])
    seconds = time.monotonic() - began
    found = [each async for each in ledger.entries() if each.id != "after-all-0"]
    await ledger.aclose()
    return found, seconds


def run(folder, kills):
    path, told = folder / "ledger.db", folder / "told"
    told.touch()
    names = (f"w{number}" for number in range(10_000))
    writers = [start(path, told, next(names)) for _ in range(WRITERS)]
    until = time.monotonic() + 60
    while len(told.read_bytes()) < 200 and time.monotonic() < until:
        time.sleep(0.01)  # until they have all been loaded
    for _ in range(kills):
        time.sleep(random.random() * 0.5)
        victim = writers.pop(random.randrange(WRITERS))
        victim.kill()
        victim.wait()
        writers.append(start(path, told, next(names)))
    for writer in writers:
        writer.kill()
        writer.wait()
    return path, told


@pytest.mark.parametrize("kills", [6, pytest.param(60, marks=pytest.mark.soak)])
def test_nothing_that_was_committed_is_lost_or_doubled_or_left_by_halves(tmp_path, kills):
    path, told = run(tmp_path, kills)

    found, seconds = anyio.run(read, path)

    numbers = collections.Counter(each.id for each in found)
    committed = [line.split() for line in told.read_text().splitlines() if line.count(" ") == 1]
    promised = {each.id: each for name, number in committed for each in batch_of(name, int(number))}
    assert len(committed) > 20
    assert not promised.keys() - numbers.keys(), "committed entries were lost"
    assert set(numbers.values()) == {1}, "entries are there twice"
    batches = collections.Counter(each.id.rpartition("-")[0] for each in found)
    assert set(batches.values()) == {BATCH}, "half a batch was left"
    whole = {name: batch_of(*(part(name))) for name in batches}
    expected = sum((each.cost.amount for batch in whole.values() for each in batch), Decimal(0))
    assert UsageReport.of(found).total.paid == expected
    assert seconds < 5, "the file was still locked"
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    print(
        f"{kills + WRITERS} killed, {len(promised)} promised, {len(found)} found, {seconds:.2f} s"
    )


def part(name):
    writer, _, number = name.partition("-")
    return writer, int(number)
