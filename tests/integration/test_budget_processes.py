"""Many processes on one budget, killed at any moment."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time

import anyio
import pytest

from fairlead.adapters.stores.budgets_sqlite import SqliteBudgetStore
from fairlead.core.budgets import NOTHING
from tests.integration.cli.process import environment

WORKERS = 4
SECONDS = float(os.environ.get("FAIRLEAD_SOAK", "6"))
LIMIT = 1500
"""Calls."""
LEASE = 2.0

WORKER = f"""
import sys, anyio
from fairlead import BudgetExceededError, BudgetLimit, BudgetOptions, BudgetProvider
from fairlead import SqliteBudgetStore
from fairlead.core.budgets import AssumedPrice
from tests.unit.core.fakes import Scripted

class Vendor(Scripted):
    async def _next(self, call):
        with open(sys.argv[2], "ab", buffering=0) as sent:
            sent.write(b".")  # what the vendor bills
        return await super()._next(call)

async def main():
    store = SqliteBudgetStore(sys.argv[1], lease={LEASE}, abandoned=sys.argv[3])
    options = BudgetOptions(
        limits=(BudgetLimit(calls={LIMIT}), BudgetLimit(scope="user", money=9)),
        bound="strict", on_store_failure="deny", unpriced=AssumedPrice(input=1, output=1),
    )
    provider = BudgetProvider(Vendor("ho"), options=options, store=store)
    async def calls():
        while True:
            try:
                await provider.generate("hi", max_tokens=5, tags={{"user": "ann"}})
            except BudgetExceededError as error:
                if error.unit is None:
                    raise
                if error.reserved == 0:
                    return
                await anyio.sleep(0.2)
    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(calls)
    await provider.aclose()

anyio.run(main)
"""


def start(path, sent, abandoned):
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(path), str(sent), abandoned],
        env={**environment(), "PYTHONPATH": os.pathsep.join([*map(str, sys.path), "."])},
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize("abandoned", ["spent", "expire"])
def test_processes_that_are_killed_at_any_moment_never_overspend(tmp_path, abandoned):
    path, sent = tmp_path / "budget.db", tmp_path / "sent"
    sent.touch()
    chance = random.Random(7)
    killed, ended, failed = 0, 0, []
    workers = [start(path, sent, abandoned) for _ in range(WORKERS)]
    until = time.monotonic() + SECONDS
    try:
        while time.monotonic() < until:
            time.sleep(chance.uniform(0.05, 0.4))
            index = chance.randrange(WORKERS)
            worker = workers[index]
            if worker.poll() is None:
                worker.send_signal(signal.SIGKILL)
                killed += 1
            elif worker.returncode == 0:
                ended += 1
            else:
                failed.append(worker.stderr.read())
            worker.wait()
            worker.stderr.close()
            workers[index] = start(path, sent, abandoned)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
            worker.stderr.close()
    time.sleep(LEASE + 0.1)
    store = SqliteBudgetStore(path, lease=LEASE, abandoned=abandoned)
    balances = {it.key: it for it in anyio.run(store.balances)}
    presumed = anyio.run(store.presumed)
    anyio.run(store.aclose)

    books = balances["global in all"]
    billed = sent.stat().st_size
    print(
        f"{abandoned}: {killed} killed, {ended} ended, {billed} sent, {books.spent.calls} booked,"
    )
    print(f"of which {len(presumed)} are presumed; {len(failed)} failed")
    assert not failed
    assert killed >= 3
    assert books.reserved == NOTHING
    assert books.spent.calls <= LIMIT
    assert balances["user=ann in all"].spent.money <= 9 * 10**9
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    if abandoned == "spent":
        assert billed <= books.spent.calls
        assert sum(it.amount.calls for it in presumed) <= books.spent.calls
    else:
        assert presumed == []


@pytest.mark.anyio
async def test_what_another_process_has_spent_is_seen_at_once(tmp_path):
    from fairlead import BudgetLimit
    from fairlead.core.budgets import Consumption

    claims = [BudgetLimit(calls=10).claim({})]
    store = SqliteBudgetStore(tmp_path / "budget.db")
    one = Consumption(0, 0, 1)
    await store.reserve("parent", claims, one, one)
    code = f"""
import anyio
from fairlead import BudgetLimit, SqliteBudgetStore
from fairlead.core.budgets import Consumption
async def main():
    store = SqliteBudgetStore({str(tmp_path / "budget.db")!r})
    one = Consumption(0, 0, 1)
    await store.reserve("child", [BudgetLimit(calls=10).claim({{}})], one, one)
    store.mark("child", one)
    await store.aclose()
anyio.run(main)
"""
    await anyio.run_process([sys.executable, "-c", code], env=dict(os.environ))

    [balance] = await store.balances()
    assert (balance.spent.calls, balance.reserved.calls) == (1, 1)
    await store.aclose()
