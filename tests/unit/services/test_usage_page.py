"""The page is read by a parser, and asks for nothing from anywhere."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from fairlead.core.ledger import Booking
from fairlead.core.usage import Usage
from fairlead.services.charts import MOST_COLUMNS, Column, Series, columns
from fairlead.services.usage_page import MOST_ROWS, UsagePage, dollars
from tests.support.ledgers import DAY, NOON, entry

VOID = {"meta"}
IMPLIED = {"html", "tr", "td", "th", "p"}


class Page(HTMLParser):
    """What a browser would make of it: the text, the tags, and whether they are all closed."""

    def __init__(self, source):
        super().__init__()
        self.open, self.seen, self.words, self.styles = [], [], [], []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        (self.styles if self.open[-1:] == ["style"] else self.words).append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def page_of(*entries, **options):
    page = UsagePage(**options)
    for each in entries:
        page.add(each)
    return page.html(now=datetime(2026, 3, 1, tzinfo=UTC))


def heights(source):
    """Of each column, those of its parts by their classes, in percent."""
    return [
        {
            kind: float(share)
            for kind, share in re.findall(r'class="(\w+)" style="height:(.+?)%', it)
        }
        for it in re.findall(r'<div class="stack".*?</div>', source)
    ]


def test_a_page_is_whole_and_asks_nobody_for_anything():
    source = page_of(entry(), entry(booking=Booking.WASTED), entry(booking=Booking.SAVED))
    page = Page(source)

    assert page.open == []
    assert {tag for tag, _ in page.seen}.isdisjoint({"script", "img", "link", "iframe", "a"})
    named = {name for _, attributes in page.seen for name in attributes}
    assert not {name for name in named if name in {"src", "href", "srcset"} or name[:2] == "on"}
    assert "url(" not in "".join(page.styles)
    assert "@import" not in "".join(page.styles)
    assert "default-src 'none'" in source


def test_it_tells_the_sums():
    text = Page(
        page_of(
            entry("2.5", tags={"project": "atlas"}),
            entry("1", tags={"project": "atlas"}),
            entry("0.25", booking=Booking.WASTED),
            entry("0.5", booking=Booking.SAVED, model="kept"),
        )
    ).text

    assert "spent $3.50 2 attempts" in text
    assert "wasted 25¢ 1 attempts" in text
    assert "saved 50¢ 1 answers" in text
    assert "tokens 45 30 in, 15 out" in text
    assert "atlas $3.50 2 attempts" in text
    assert "(none) 25¢ 1 attempt" in text
    assert "p:kept 50¢ 1 answers" in text
    assert "2026-01-01 to 2026-01-01 (UTC)" in text
    assert "Made 2026-03-01 00:00 UTC" in text


def test_what_nobody_knows_is_told():
    guessed = Usage(input_tokens=1, estimated=True)

    text = Page(page_of(entry(None, model="x"), entry("1"), entry("1", usage=guessed))).text

    assert "Nobody knows what 1 of these attempts cost; they are in none of these sums." in text
    assert "1 are estimates" in text
    assert "p:x $0 1 attempt, 1 of unknown cost" in text
    assert "Nobody knows" not in Page(page_of(entry("1"))).text


def test_names_are_only_words():
    source = page_of(
        entry(model='<script>alert("1")</script>', tags={"project": '"><img src=x>'}),
        tags=['<i>"'],
    )

    assert Page(source).open == []
    assert {"script", "img", "i"} & {tag for tag, _ in Page(source).seen} == {"i"}
    assert '<script>alert("1")</script>' in Page(source).text


def test_days_on_which_nothing_happened_are_there():
    source = page_of(entry("1"), entry("4", at=NOON + 3 * DAY))

    assert heights(source) == [{"spent": 25.0}, {}, {}, {"spent": 100.0}]
    assert "2026-01-02: spent $0, wasted $0, saved $0" in source


def test_a_column_is_as_high_as_what_it_stands_for():
    source = page_of(
        entry("1"), entry("2", booking=Booking.WASTED), entry("1", booking=Booking.SAVED)
    )

    assert heights(source) == [{"spent": 25.0, "wasted": 50.0, "saved": 25.0}]


def test_only_the_latest_columns_are_shown():
    many = [Column(str(number), (Decimal(number),)) for number in range(MOST_COLUMNS + 5)]

    shown = columns([Series("spent", "spent")], many, str)

    assert shown.count('class="stack"') == MOST_COLUMNS
    assert 'title="5: ' in shown
    assert 'title="4: ' not in shown


def test_corrections_lower_what_was_spent_and_never_draw_less_than_nothing():
    lowered = [entry("2"), entry("-0.5", booking=Booking.CORRECTION)]
    assert "spent $1.50" in Page(page_of(*lowered)).text

    source = page_of(entry("1"), entry("-3", booking=Booking.CORRECTION, at=NOON + DAY))
    assert heights(source) == [{"spent": 100.0}, {}]


def test_many_groups_are_told_of_in_one_row():
    entries = [entry(str(number), model=f"m{number}") for number in range(1, MOST_ROWS + 3)]

    text = Page(page_of(*entries)).text

    assert "p:m3 $3.00" in text
    assert "p:m2 $2.00" not in text
    assert "2 others $3.00" in text


def test_it_tells_how_long_attempts_took():
    text = Page(page_of(entry(seconds=2.0), entry(seconds=0.0, model="untimed"))).text

    assert re.search(r"took median 95 % 99 % p:m (1\.9\d|2(\.0\d)?) s", text)
    assert "p:untimed" not in text.partition("took")[2]


def test_a_ledger_without_entries_makes_a_page_too():
    text = Page(page_of()).text

    assert "nothing is booked" in text
    assert text.count("nothing yet") == 5


@pytest.mark.parametrize(
    "amount, told",
    [
        ("0", "$0"),
        ("0.00000001", "<0.01¢"),
        ("0.0001", "0.01¢"),
        ("0.034", "3.4¢"),
        ("0.5", "50¢"),
        ("0.999", "$1.00"),
        ("1234.567", "$1,234.57"),
        ("-2", "$-2.00"),
    ],
)
def test_amounts_are_told_as_people_read_them(amount, told):
    assert dollars(Decimal(amount)) == told
