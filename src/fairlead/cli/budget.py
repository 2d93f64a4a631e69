"""`fairlead budget`."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .asked import Files, takes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..core.budgets import Balance, Consumption, Presumed
    from ..core.ledger import Ledger, LedgerEntry
    from ..core.ports import BudgetStore

app: typer.Typer = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


@app.callback()
def budget() -> None:
    """
    Show and correct what was spent of the budgets in the settings.

    For example:

      fairlead budget show --config fairlead.yaml
    """


@app.command()
@takes(Files)
def show(files: Files, as_json: Json = False) -> None:
    """
    Print what each account has spent and reserved in its present window.

    And what is presumed to be spent, as the process that had reserved it has told nothing more.

    For example:

      fairlead budget show

      fairlead budget show --config fairlead.yaml --json
    """
    import anyio

    from .output import print_json, print_table

    balances, presumed = anyio.run(partial(_books, _store(files)))
    if as_json:
        print_json(
            {
                "accounts": [_account(each) for each in balances],
                "presumed": [_reservation(each) for each in presumed],
            }
        )
        return
    rows = [
        (each.key, _words(each.spent), _words(each.reserved), _time(each.resets))
        for each in balances
    ]
    print_table(("account", "spent", "reserved", "resets"), rows)
    if presumed:
        print()
        lines = [
            (each.id, _words(each.amount), _time(each.at), ", ".join(each.keys))
            for each in presumed
        ]
        print_table(("presumed spent", "amount", "at", "accounts"), lines)


@app.command()
@takes(Files)
def adjust(
    files: Files,
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="An account or reservation, as `show` names it.")
    ],
    usd: Annotated[str, typer.Option("--usd", help="US dollars.")] = "0",
    tokens: Annotated[int, typer.Option("--tokens", help="Tokens.")] = 0,
    calls: Annotated[int, typer.Option("--calls", help="Calls.")] = 0,
) -> None:
    """
    Correct the books.

    Of an account, by how much more was spent, or less where it is negative; of a reservation that
    is presumed spent, what it came to. Where a ledger is kept, it gets a row of its own.

    For example:

      fairlead budget adjust "user=ann per day" --usd -0.50

      fairlead budget adjust 3f9a1c04d2e7-17-4711 --usd 0.02 --tokens 900 --calls 1
    """
    import anyio

    from ..core.budgets import Consumption, money_of, nanos
    from ..core.errors import ConfigurationError

    money = nanos(money_of("--usd", usd.removeprefix("-")))
    amount = Consumption(-money if usd.startswith("-") else money, tokens, calls)
    try:
        anyio.run(partial(_adjusted, _store(files), what, amount, _ledger(files)))
    except ValueError as error:
        raise ConfigurationError(str(error)) from None


def _store(files: Files) -> BudgetStore:
    """
    The books that the settings name.

    Raises:
        ConfigurationError: They name none that outlive a process.
    """
    from ..assembly.build import PipelineSettings
    from ..assembly.leaves import budget_store
    from ..core.errors import ConfigurationError
    from ..settings import load

    settings = PipelineSettings.of(load(file=files.config, env_file=files.env_file))
    store = budget_store(settings)
    if store is None or settings.budgets.file is None:
        raise ConfigurationError(
            "the settings keep no books of budgets in a file; set budgets.limits and budgets.file"
        )
    return store


async def _books(store: BudgetStore) -> tuple[Sequence[Balance], Sequence[Presumed]]:
    try:
        return await store.balances(), await store.presumed()
    finally:
        await store.aclose()


def _ledger(files: Files) -> Ledger | None:
    from ..assembly.build import PipelineSettings
    from ..assembly.leaves import open_ledger
    from ..settings import load

    return open_ledger(PipelineSettings.of(load(file=files.config, env_file=files.env_file)))


async def _adjusted(
    store: BudgetStore, what: str, amount: Consumption, ledger: Ledger | None
) -> None:
    try:
        await store.adjust(what, amount)
        if ledger is not None and amount.money:
            await ledger.record([_correction(what, amount)])
    finally:
        await store.aclose()
        if ledger is not None:
            await ledger.aclose()


def _correction(what: str, amount: Consumption) -> LedgerEntry:
    import os
    import time

    from ..core.budgets import dollars
    from ..core.ledger import Booking, LedgerEntry
    from ..core.usage import Cost

    return LedgerEntry(
        id=f"budget-{os.urandom(12).hex()}",
        at=time.time(),
        booking=Booking.CORRECTION,
        operation="budget adjust",
        provider="fairlead",
        model=None,
        outcome="corrected",
        usage=None,
        cost=Cost(amount=dollars(amount.money), source="budget adjust"),
        note=what,
    )


def _account(balance: Balance) -> dict[str, Any]:
    return {
        "account": balance.key,
        "spent": _numbers(balance.spent),
        "reserved": _numbers(balance.reserved),
        "resets_at": None if balance.resets is None else _time(balance.resets),
    }


def _reservation(presumed: Presumed) -> dict[str, Any]:
    return {
        "reservation": presumed.id,
        "accounts": list(presumed.keys),
        "amount": _numbers(presumed.amount),
        "at": _time(presumed.at),
    }


def _numbers(amount: Consumption) -> dict[str, Any]:
    from ..core.budgets import dollars

    return {
        "usd": f"{dollars(amount.money).normalize():f}",
        "tokens": amount.tokens,
        "calls": amount.calls,
    }


def _words(amount: Consumption) -> str:
    from ..core.budgets import UNITS, told

    return ", ".join(told(each, unit) for each, unit in zip(amount, UNITS, strict=True))


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}Z"
