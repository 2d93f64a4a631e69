"""Plots as plain HTML: no script, no picture, nothing that is fetched, and readable on a phone."""

from __future__ import annotations

from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Series(NamedTuple):
    """One kind of thing in a plot: its name, and the CSS class that colours it."""

    name: str
    style: str


class Column(NamedTuple):
    """What one span of time comes to: a value for each series, at least 0."""

    label: str
    values: Sequence[Decimal]


class Bar(NamedTuple):
    """One row of a plot of bars: parts of a whole, each at least 0."""

    label: str
    values: Sequence[Decimal]
    note: str = ""


MOST_COLUMNS = 120
"""Columns that can still be told apart."""


def columns(
    series: Sequence[Series], plotted: Sequence[Column], shown: Callable[[Decimal], str]
) -> str:
    """Stacked columns over time, the latest at the right; each tells its values when pointed at."""
    plotted = plotted[-MOST_COLUMNS:]
    most = max((sum(column.values, _NONE) for column in plotted), default=_NONE)
    if not most:
        return _NOTHING
    stacks = "".join(
        f'<div class="stack" title="{_told(series, column, shown)}">'
        f"{_parts(series, column.values, most, 'height')}</div>"
        for column in plotted
    )
    first, last = escape(plotted[0].label), escape(plotted[-1].label)
    return (
        f'<figure><div class="most">{escape(shown(most))}</div>'
        f'<div class="columns">{stacks}</div>'
        f'<div class="axis"><span>{first}</span><span>{last if len(plotted) > 1 else ""}</span>'
        f"</div>{legend(series)}</figure>"
    )


def bars(series: Sequence[Series], rows: Sequence[Bar], shown: Callable[[Decimal], str]) -> str:
    """Stacked bars, one below the other, each with its label and its total."""
    most = max((sum(row.values, _NONE) for row in rows), default=_NONE)
    if not rows:
        return _NOTHING
    lines = "".join(
        f'<tr><th scope="row">{escape(row.label)}</th>'
        f'<td class="bar">{_parts(series, row.values, most, "width")}</td>'
        f'<td class="number">{escape(shown(sum(row.values, _NONE)))}</td>'
        f'<td class="note">{escape(row.note)}</td></tr>'
        for row in rows
    )
    return f'<table class="bars">{lines}</table>{legend(series)}'


def legend(series: Sequence[Series]) -> str:
    """What the colours stand for."""
    keys = "".join(
        f'<span><i class="{each.style}"></i>{escape(each.name)}</span>' for each in series
    )
    return f'<div class="legend">{keys}</div>'


_NOTHING = '<p class="nothing">nothing yet</p>'
_NONE, _PERCENT = Decimal(0), Decimal(100)


def _parts(
    series: Sequence[Series], values: Sequence[Decimal], most: Decimal, dimension: str
) -> str:
    """The coloured parts of one column or bar."""
    return "".join(
        f'<i class="{each.style}" style="{dimension}:{value * _PERCENT / most:.3f}%"></i>'
        for each, value in zip(series, values, strict=True)
        if value
    )


def _told(series: Sequence[Series], column: Column, shown: Callable[[Decimal], str]) -> str:
    values = ", ".join(
        f"{each.name} {shown(value)}" for each, value in zip(series, column.values, strict=True)
    )
    return escape(f"{column.label}: {values}", quote=True)


STYLE = """\
figure{margin:0}
.columns{display:flex;align-items:flex-end;gap:1px;height:11rem;border-bottom:1px solid var(--line)}
.stack{flex:1;height:100%;display:flex;flex-direction:column-reverse;min-width:1px;max-width:3rem}
.stack i{display:block;min-height:1px}
.most,.axis,.legend,.note,.nothing{color:var(--dim);font-size:.8rem}
.axis{display:flex;justify-content:space-between}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1rem;margin:.4rem 0}
.legend i{display:inline-block;width:.7rem;height:.7rem;margin-right:.35rem;border-radius:2px}
.bars{width:100%}
.bars th{width:32%}
.bars .bar{width:40%}
.bar i{display:inline-block;height:.9rem;vertical-align:middle}
.spent{background:var(--spent)}.wasted{background:var(--wasted)}.saved{background:var(--saved)}
"""
"""What the plots look like; the page says what the colours are."""
