"""`fairlead budget`."""

import json
import time

import anyio
import pytest

from fairlead import SqliteBudgetStore
from fairlead.adapters.stores.ledger_sqlite import SqliteLedger
from fairlead.core.budgets import BudgetLimit, Consumption
from tests.integration.cli.process import fairlead

SETTINGS = """\
provider: offline
budgets:
  file: books.db
  limits:
    - {scope: user, calls: 2, per: year}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "f.yaml").write_text(SETTINGS)
    return tmp_path


def budget(*arguments, folder):
    return fairlead("budget", *arguments, "--config", "f.yaml", cwd=folder)


def test_what_was_spent_is_shown(folder):
    assert budget("show", folder=folder).stdout.split() == [
        "account",
        "spent",
        "reserved",
        "resets",
    ]
    fairlead("generate", "hi", "--config", "f.yaml", cwd=folder)

    shown = budget("show", folder=folder).stdout
    told = json.loads(budget("show", "--json", folder=folder).stdout)

    assert "user= per year" in shown
    assert "1 call" in shown
    [account] = told["accounts"]
    assert account["account"] == "user= per year"
    assert account["spent"]["calls"] == 1
    assert account["reserved"] == {"usd": "0", "tokens": 0, "calls": 0}
    assert account["resets_at"].endswith("-01-01 00:00:00Z")
    assert told["presumed"] == []


def test_the_budget_holds_over_processes_and_can_be_corrected(folder):
    ran = [fairlead("generate", "hi", "--config", "f.yaml", cwd=folder) for _ in range(3)]

    assert [it.returncode for it in ran] == [0, 0, 1]
    assert "2 calls per year for user=" in ran[2].stderr
    adjusted = budget("adjust", "user= per year", "--calls", "-1", "--usd", "-0", folder=folder)
    assert (adjusted.returncode, adjusted.stdout, adjusted.stderr) == (0, "", "")
    again = fairlead("generate", "hi", "--config", "f.yaml", cwd=folder)
    assert again.returncode == 0
    too_much = budget("adjust", "user= per year", "--usd", "-3", folder=folder)
    assert too_much.returncode == 1
    assert "3 USD cannot be taken from the 0 USD that are spent" in too_much.stderr
    nobody = budget("adjust", "user=x per year", "--usd", "3", folder=folder)
    assert "there is no account" in nobody.stderr


def test_what_is_presumed_spent_is_shown_and_can_be_corrected(folder):
    async def die():
        an_hour_ago = time.time() - 3600
        store = SqliteBudgetStore(folder / "books.db", wall=lambda: an_hour_ago)
        claims = [BudgetLimit(scope="user", calls=2, per="year").claim({})]
        await store.reserve("dead-1", claims, Consumption(500_000_000, 9, 1), Consumption())
        await store.aclose()

    anyio.run(die)

    shown = budget("show", folder=folder).stdout
    told = json.loads(budget("show", "--json", folder=folder).stdout)
    assert "dead-1" in shown
    [presumed] = told["presumed"]
    assert presumed["reservation"] == "dead-1"
    assert presumed["amount"] == {"usd": "0.5", "tokens": 9, "calls": 1}
    assert presumed["accounts"] == ["user= per year"]
    budget("adjust", "dead-1", "--usd", "0.02", "--tokens", "5", "--calls", "1", folder=folder)
    told = json.loads(budget("show", "--json", folder=folder).stdout)
    assert told["presumed"] == []
    assert told["accounts"][0]["spent"] == {"usd": "0.02", "tokens": 5, "calls": 1}


def test_a_correction_is_a_row_of_the_ledger(folder):
    (folder / "f.yaml").write_text(SETTINGS + "ledger: {enabled: true, path: ledger.db}\n")
    fairlead("generate", "hi", "--config", "f.yaml", cwd=folder)

    ran = budget("adjust", "user= per year", "--usd", "0.25", folder=folder)
    assert (ran.returncode, ran.stderr) == (0, "")

    async def entries():
        ledger = SqliteLedger(folder / "ledger.db")
        found = [entry async for entry in ledger.entries()]
        await ledger.aclose()
        return found

    spent, correction = anyio.run(entries)
    assert (spent.booking, correction.booking) == ("spent", "correction")
    assert (str(correction.cost.amount), correction.note) == ("0.250000000", "user= per year")


def test_without_a_file_there_is_nothing_to_show(tmp_path):
    ran = fairlead("budget", "show", cwd=tmp_path)

    assert ran.returncode == 1
    assert "set budgets.limits and budgets.file" in ran.stderr


def test_books_that_are_of_no_use_stop_no_answer(folder):
    (folder / "books.db").write_bytes(b"no database" * 99)

    ran = fairlead("generate", "hi", "--config", "f.yaml", cwd=folder)

    assert ran.returncode == 0
    [warning] = ran.stderr.splitlines()
    assert warning.startswith("fairlead: warning: no budget was kept for this call")
    assert warning.endswith("file is not a database: give it another path")
