"""`fairlead usage`: what calls have cost."""

from __future__ import annotations

import csv
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..core.errors import ConfigurationError
from .asked import Files, takes
from .listing import Json  # noqa: TC001 - typer reads the annotation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from ..adapters.stores.ledger_sqlite import SqliteLedger
    from ..core.ledger import LedgerQuery
    from ..core.spending import Spending, UsageReport
    from ..services.usage_page import UsagePage


@takes(Files)
def usage(
    files: Files,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="WHEN", help="From then on: 7d, 12h, or a date (UTC)."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="WHEN", help="Before then, likewise.")
    ] = None,
    tags: Annotated[
        list[str] | None,
        typer.Option("--tag", metavar="NAME=VALUE", help="Only with this tag; all of several."),
    ] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="Only this model.")] = None,
    provider: Annotated[
        str | None, typer.Option("--provider", "-p", help="Only this provider.")
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", help="model, provider, day, operation, outcome, or tag:NAME."),
    ] = None,
    ledger: Annotated[
        Path | None, typer.Option("--ledger", metavar="FILE", help="The ledger; else by settings.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print the groups as CSV.")] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page with plots; - is the terminal."),
    ] = None,
    as_json: Json = False,
) -> None:
    """
    Tell what calls have cost: spent on answers, wasted on attempts that gave none, and saved.

    The ledger is written where the setting "ledger.enabled" says so. Costs are US dollars.

    For example:

      fairlead usage --since 7d --by model

      fairlead usage --since 2026-03-01 --until 2026-04-01 --by tag:project --csv

      fairlead usage --since 30d --html usage.html
    """
    import anyio

    from ..core.ledger import LedgerQuery
    from ..core.spending import UsageReport
    from ..services.usage_page import UsagePage
    from .output import print_json

    now = time.time()
    query = LedgerQuery(
        since=None if since is None else _when("--since", since, now),
        until=None if until is None else _when("--until", until, now),
        tags=dict(map(_tag, tags or ())),
        model=model,
        provider=provider,
    )
    if html is not None:
        page = UsagePage(tags=[name[4:] for name in by or ["tag:project"] if name[:4] == "tag:"])
        anyio.run(_add_up, _ledger(files, ledger), query, page)
        _write(html, page.html())
        return
    report = UsageReport(by or ())
    anyio.run(_add_up, _ledger(files, ledger), query, report)
    if as_json:
        print_json(report.as_dict())
    elif as_csv:
        _print_csv(report)
    else:
        _print_table(report)


def _ledger(files: Files, path: Path | None) -> SqliteLedger:
    from ..assembly.leaves import ledger_of
    from ..assembly.sections import LedgerSettings
    from ..settings import load, resolve

    raw = load(file=files.config, env_file=files.env_file)
    settings = resolve(raw, "ledger", LedgerSettings).model
    if path is not None:
        settings = settings.model_copy(update={"path": str(path)})
    ledger = ledger_of(settings)
    if not ledger.path.exists():
        hint = "" if settings.enabled else "; the setting ledger.enabled is false"
        raise ConfigurationError(f"there is no ledger at {ledger.path} yet{hint}")
    return ledger


async def _add_up(
    ledger: SqliteLedger, query: LedgerQuery, report: UsageReport | UsagePage
) -> None:
    try:
        async for entry in ledger.entries(query):
            report.add(entry)
    finally:
        await ledger.aclose()


def _write(path: Path, page: str) -> None:
    from .failures import say

    if str(path) == "-":
        sys.stdout.write(page)
        return
    try:
        path.write_text(page, "utf-8")
    except OSError as error:
        raise ConfigurationError(f"--html {path}: {error.strerror}") from None
    say(f"wrote {path}")


_AGO = re.compile(r"(\d+(?:\.\d+)?)([mhdw])")
_SECONDS = {"m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}


def _when(option: str, text: str, now: float) -> float:
    """Unix seconds, of a time that is UTC unless it says otherwise."""
    if found := _AGO.fullmatch(text.strip()):
        return now - float(found[1]) * _SECONDS[found[2]]
    try:
        at = datetime.fromisoformat(text.strip())
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        msg = f"{option} must be like 30m, 12h, 7d, 2w, or a date as 2026-03-14, not {text!r}"
        raise ConfigurationError(msg) from None


def _tag(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ConfigurationError(f"--tag must be NAME=VALUE, not {text!r}")
    return name, value


def _print_table(report: UsageReport) -> None:
    from .failures import say
    from .output import print_table

    heads = (*report.by, "calls", "input", "output", "spent", "wasted", "saved", "p50", "p95")
    rows = [(*key, *_cells(group)) for key, group in report.sorted()]
    blank = ("all", *[""] * (len(report.by) - 1)) if report.by else ()
    print_table(heads, [*rows, (*blank, *_cells(report.total))])
    sums = (report.total.spent, report.total.wasted, report.total.saved)
    unpriced, estimated = sum(each.unpriced for each in sums), sum(each.estimated for each in sums)
    if unpriced:
        say(f"the cost of {_attempts(unpriced)} is not known; it is in none of these sums")
    if estimated:
        are = "is an estimate" if estimated == 1 else "are estimates"
        say(f"{_attempts(estimated)} {are}, as nobody told what was consumed")


def _attempts(number: int) -> str:
    return f"{number} attempt{'s' if number != 1 else ''}"


def _cells(group: Spending) -> tuple[str, ...]:
    spent, wasted = group.spent, group.wasted
    took = group.latency.as_dict()
    return (
        str(spent.entries + wasted.entries + group.saved.entries),
        str(spent.tokens["input_tokens"] + wasted.tokens["input_tokens"]),
        str(spent.tokens["output_tokens"] + wasted.tokens["output_tokens"]),
        *(_dollars(each.amount) for each in (spent, wasted, group.saved)),
        *("" if took[name] is None else f"{took[name]:g} s" for name in ("p50", "p95")),
    )


def _dollars(amount: Decimal) -> str:
    """To the ten-thousandth of a cent; CSV and JSON have every digit."""
    return f"${amount:.6f}" if amount % 1 else f"${amount:f}"


def _print_csv(report: UsageReport) -> None:
    groups: Sequence[tuple[tuple[str, ...], Spending]] = (
        report.sorted() if report.by else [((), report.total)]
    )
    rows = [(key, _flat(group.as_dict())) for key, group in groups]
    names = list(_flat(report.total.as_dict()))
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([*report.by, *names])
    for key, values in rows:
        writer.writerow([*key, *(values[name] for name in names)])


def _flat(told: dict[str, Any]) -> dict[str, Any]:
    sums = {name: told[name] for name in ("spent", "wasted", "saved", "seconds")}
    below = {f"{name}_{key}": each[key] for name, each in sums.items() for key in each}
    return {"paid_usd": told["paid_usd"], **below}
