"""What calls have cost, as one page of HTML that needs neither a network nor a script."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING

from ..core.spending import UsageReport
from .charts import STYLE as CHARTS
from .charts import Bar, Column, Series, bars, columns

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..core.ledger import LedgerEntry
    from ..core.spending import Spending

MOST_ROWS = 30
"""Groups that are shown one by one; those that cost less are one row together."""
_PAID = Series("spent", "spent"), Series("wasted", "wasted")
_ALL = (*_PAID, Series("saved", "saved"))


class UsagePage:
    """
    Adds entries up for a page: by day, by model, by provider and by tags.

    Args:
        tags: The tags that have a section of their own.
    """

    def __init__(self, *, tags: Iterable[str] = ("project",)) -> None:
        self._by_day = UsageReport(["day"])
        self._by_model = UsageReport(["provider", "model"])
        self._by_tag = {tag: UsageReport([f"tag:{tag}"]) for tag in dict.fromkeys(tags)}

    def add(self, entry: LedgerEntry) -> None:
        """Take *entry* in."""
        for report in (self._by_day, self._by_model, *self._by_tag.values()):
            report.add(entry)

    def html(self, *, title: str = "What calls have cost", now: datetime | None = None) -> str:
        """
        The page, of all that was taken in.

        Args:
            title: Its heading.
            now: When it is made; by default now.
        """
        total = self._by_day.total
        days = sorted(key[0] for key in self._by_day.groups)
        period = f"{days[0]} to {days[-1]} (UTC)" if days else "nothing is booked"
        made = (now or datetime.now(UTC)).astimezone(UTC)
        sections = [
            _section("Day by day", columns(_ALL, self._columns(), dollars)),
            _section("By model", bars(_PAID, _rows(self._by_model), dollars)),
            *(
                _section(f"By {tag}", bars(_PAID, _rows(report), dollars))
                for tag, report in self._by_tag.items()
            ),
            _section("Saved by caches", bars(_ALL[2:], _saved(self._by_model), dollars)),
            _section("How long attempts took", _latencies(self._by_model)),
        ]
        return _PAGE.format(
            title=escape(title),
            style=CHARTS + _STYLE,
            period=escape(period),
            cards=_cards(total),
            notes=_notes(total),
            sections="".join(sections),
            made=f"{made:%Y-%m-%d %H:%M} UTC",
        )

    def _columns(self) -> list[Column]:
        """Every day from the first to the last, those on which nothing happened too."""
        groups = {date.fromisoformat(key[0]): group for key, group in self._by_day.groups.items()}
        if not groups:
            return []
        first, last = min(groups), max(groups)
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        none = (Decimal(0),) * len(_ALL)
        return [
            Column(day.isoformat(), _amounts(groups[day]) if day in groups else none)
            for day in days
        ]


def dollars(amount: Decimal) -> str:
    """*amount* as people read it: in cents where it is small."""
    if amount == 0:
        return "$0"
    if abs(amount) >= Decimal("0.995"):
        return f"${amount:,.2f}"
    return f"{float(amount * 100):.2g}¢" if abs(amount) >= Decimal("0.0001") else "<0.01¢"


def _amounts(group: Spending) -> tuple[Decimal, ...]:
    """Spent, wasted and saved; a correction may leave less than nothing, which no plot shows."""
    sums = (group.spent, group.wasted, group.saved)
    return tuple(max(each.amount, Decimal(0)) for each in sums)


def _rows(report: UsageReport) -> list[Bar]:
    groups = report.sorted()
    shown = [
        Bar(_label(key), _amounts(group)[:2], _calls(group)) for key, group in groups[:MOST_ROWS]
    ]
    rest = [_amounts(group)[:2] for _, group in groups[MOST_ROWS:]]
    if rest:
        sums = tuple(sum(values, Decimal(0)) for values in zip(*rest, strict=True))
        shown.append(Bar(f"{len(rest)} others", sums))
    return shown


def _saved(report: UsageReport) -> list[Bar]:
    groups = sorted(report.groups.items(), key=lambda group: -group[1].saved.amount)
    return [
        Bar(_label(key), _amounts(group)[2:], f"{group.saved.entries:,} answers")
        for key, group in groups[:MOST_ROWS]
        if group.saved.entries
    ]


def _label(key: tuple[str, ...]) -> str:
    return ":".join(part for part in key if part) or "(none)"


def _calls(group: Spending) -> str:
    attempts = group.spent.entries + group.wasted.entries
    unpriced = group.spent.unpriced + group.wasted.unpriced
    told = f"{attempts:,} attempt{'' if attempts == 1 else 's'}"
    return f"{told}, {unpriced:,} of unknown cost" if unpriced else told


def _cards(total: Spending) -> str:
    tokens = total.spent.tokens + total.wasted.tokens
    told = {
        "spent": (dollars(total.spent.amount), f"{total.spent.entries:,} attempts"),
        "wasted": (dollars(total.wasted.amount), f"{total.wasted.entries:,} attempts"),
        "saved": (dollars(total.saved.amount), f"{total.saved.entries:,} answers"),
        "tokens": (
            f"{tokens['input_tokens'] + tokens['output_tokens']:,}",
            f"{tokens['input_tokens']:,} in, {tokens['output_tokens']:,} out",
        ),
    }
    return "".join(
        f'<div class="card"><div class="name">{name}</div><div class="amount">{amount}</div>'
        f'<div class="note">{note}</div></div>'
        for name, (amount, note) in told.items()
    )


def _notes(total: Spending) -> str:
    sums = (total.spent, total.wasted, total.saved)
    unpriced, estimated = sum(each.unpriced for each in sums), sum(each.estimated for each in sums)
    told = {
        "Nobody knows what {:,} of these attempts cost; they are in none of these sums.": unpriced,
        "{:,} are estimates, as nobody told what they consumed.": estimated,
    }
    return "".join(f"<p>{words.format(count)}</p>" for words, count in told.items() if count)


def _latencies(report: UsageReport) -> str:
    timed = [(key, group.latency.as_dict()) for key, group in report.sorted()[:MOST_ROWS]]
    rows = "".join(
        f'<tr><th scope="row">{escape(_label(key))}</th>'
        + "".join(f'<td class="number">{_seconds(value)}</td>' for value in took.values())
        + "</tr>"
        for key, took in timed
        if took["p50"] is not None
    )
    if not rows:
        return '<p class="nothing">nothing yet</p>'
    heads = "".join(f'<th class="number">{name}</th>' for name in ("median", "95 %", "99 %"))
    return f"<table><tr><th></th>{heads}</tr>{rows}</table>"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.3g} s"


def _section(heading: str, body: str) -> str:
    return f"<section><h2>{escape(heading)}</h2>{body}</section>"


_STYLE = """\
:root{color-scheme:light dark;--text:#1c2530;--dim:#5b6875;--back:#f6f7f9;--card:#fff;
--line:#d8dee5;--spent:#2f6fb2;--wasted:#c8503c;--saved:#3f9463}
@media (prefers-color-scheme:dark){:root{--text:#e4e9ef;--dim:#98a5b3;--back:#12171d;--card:#1b222a;
--line:#333d48;--spent:#5b9be0;--wasted:#e2775f;--saved:#63b988}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--text);font:16px/1.45 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:1rem}
h1{font-size:1.5rem;margin:.5rem 0 0}h2{font-size:1.05rem;margin:0 0 .6rem}
.period,footer{color:var(--dim);font-size:.9rem}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.7rem;margin:1rem 0}
.card,section{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.8rem}
.name{color:var(--dim)}.amount{font-size:1.4rem;font-variant-numeric:tabular-nums}
section{margin:.8rem 0;overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{padding:.25rem .5rem .25rem 0;text-align:left;font-weight:400;overflow-wrap:anywhere}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.hint{font-size:.9rem}
@media (max-width:34rem){.bars tr{display:grid;grid-template-columns:1fr auto}
.bars th{grid-column:1/-1;width:auto;padding-bottom:0}.bars .bar{width:auto}
.bars .note{grid-column:1/-1;padding-top:0}}
"""
_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none';style-src 'unsafe-inline'">
<title>{title}</title>
<style>
{style}</style>
<main>
<h1>{title}</h1>
<div class="period">{period}</div>
<div class="cards">{cards}</div>
<div class="hint">{notes}</div>
{sections}
<footer>Amounts are US dollars as they were booked. Made {made} by fairlead.</footer>
</main>
</html>
"""
