import csv
import io
import json

import anyio
import pytest

from fairlead import Booking, SqliteLedger, Usage
from tests.integration.cli.process import fairlead
from tests.support.ledgers import DAY, NOON, entry

ENTRIES = [
    entry("0.5", model="a", tags={"project": "x"}),
    entry("0.25", model="a", booking=Booking.WASTED, at=NOON + DAY, outcome="failed"),
    entry("0.0000001", model="b", booking=Booking.SAVED, tags={"project": "x", "user": "u"}),
    entry(None, model="b", provider="q", usage=Usage(input_tokens=7, estimated=True)),
]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "ledger.db"

    async def write():
        ledger = SqliteLedger(path, now=lambda: NOON)
        await ledger.record(ENTRIES)
        await ledger.aclose()

    anyio.run(write)
    return path


def asked(path, *arguments):
    done = fairlead("usage", "--ledger", path, "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_table_shows_what_was_spent_wasted_and_saved(path):
    done = fairlead("usage", "--ledger", path, "--by", "model")

    assert [line.split() for line in done.stdout.splitlines()] == [
        ["model", "calls", "input", "output", "spent", "wasted", "saved", "p50", "p95"],
        ["a", "2", "20", "10", "$0.500000", "$0.250000", "$0", "1", "s", "1", "s"],
        ["b", "2", "7", "0", "$0", "$0", "$0.000000", "1", "s", "1", "s"],
        ["all", "4", "27", "10", "$0.500000", "$0.250000", "$0.000000", "1", "s", "1", "s"],
    ]
    assert "the cost of 1 attempt is not known" in done.stderr
    assert "1 attempt is an estimate" in done.stderr


def test_json_keeps_every_digit(path):
    told = asked(path, "--by", "provider", "--by", "tag:project")

    assert told["total"]["paid_usd"] == "0.75"
    assert told["total"]["saved"]["cost_usd"] == "0.0000001"
    assert [(each["provider"], each["tag:project"]) for each in told["groups"]] == [
        ("p", "x"),
        ("p", ""),
        ("q", ""),
    ]


def test_csv_has_a_line_for_each_group(path):
    done = fairlead("usage", "--ledger", path, "--by", "day", "--csv")

    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["day"], row["paid_usd"], row["saved_cost_usd"]) for row in rows] == [
        ("2026-01-01", "0.5", "0.0000001"),
        ("2026-01-02", "0.25", "0"),
    ]
    assert fairlead("usage", "--ledger", path, "--csv").stdout.count("\n") == 2


@pytest.mark.parametrize(
    "arguments, calls",
    [
        (["--since", "2026-01-02"], 1),
        (["--since", "2026-01-01T12:00:00+00:00", "--until", "2026-01-02"], 3),
        (["--since", "2026-01-01T13:00:00+01:00", "--until", "2026-01-01T12:00"], 0),
        (["--until", "1m"], 4),
        (["--since", "0m"], 0),
        (["--tag", "project=x"], 2),
        (["--tag", "project=x", "--tag", "user=u"], 1),
        (["--model", "b"], 2),
        (["--provider", "q"], 1),
    ],
)
def test_filters(path, arguments, calls):
    total = asked(path, *arguments)["total"]

    assert sum(total[name]["entries"] for name in ("spent", "wasted", "saved")) == calls


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--since", "yesterday"], "--since must be like 30m, 12h, 7d, 2w, or a date"),
        (["--until", "7y"], "--until must be like"),
        (["--tag", "project"], "--tag must be NAME=VALUE, not 'project'"),
        (["--by", "colour"], "nothing is grouped by 'colour'"),
    ],
)
def test_what_makes_no_sense_is_said(path, arguments, said):
    done = fairlead("usage", "--ledger", path, *arguments)

    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr


def test_without_a_ledger_it_says_what_to_do_and_makes_none(tmp_path):
    done = fairlead("usage", XDG_STATE_HOME=str(tmp_path))

    assert done.returncode == 1
    assert f"there is no ledger at {tmp_path}/fairlead/ledger.db yet" in done.stderr
    assert "ledger.enabled is false" in done.stderr
    assert not list(tmp_path.iterdir())


def test_what_is_no_ledger_is_said(tmp_path):
    (tmp_path / "x.db").write_text("no database " * 100)
    done = fairlead("usage", "--ledger", tmp_path / "x.db")

    assert done.returncode == 1
    assert "not a database: give it another path" in done.stderr


def test_calls_of_the_command_line_are_booked_where_the_settings_say(tmp_path):
    path = tmp_path / "mine.db"
    variables = {"FAIRLEAD_LEDGER_ENABLED": "true", "FAIRLEAD_LEDGER_PATH": str(path)}
    assert fairlead("generate", "-p", "offline", "hi", **variables).returncode == 0

    done = fairlead("usage", "--json", **variables)

    assert json.loads(done.stdout)["total"]["spent"]["entries"] == 1


def test_a_page_is_written_with_the_same_sums(path, tmp_path):
    page = tmp_path / "usage.html"

    done = fairlead("usage", "--ledger", path, "--html", page, "--by", "tag:user")

    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    written = page.read_text("utf-8")
    assert '<div class="amount">50¢</div>' in written
    assert "<h2>By user</h2>" in written
    assert (
        fairlead("usage", "--ledger", path, "--html", "-", "--by", "tag:user").stdout[:15]
        == (written[:15])
    )


def test_a_page_that_cannot_be_written_is_told_in_one_line(path, tmp_path):
    done = fairlead("usage", "--ledger", path, "--html", tmp_path / "none" / "usage.html")

    assert done.returncode == 1
    assert "--html" in done.stderr
    assert "No such file" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["generate", "embed"])
def test_what_could_not_be_booked_is_told(tmp_path, command):
    (tmp_path / "l.db").write_bytes(b"no database" * 99)
    (tmp_path / "f.yaml").write_text("provider: offline\nledger: {enabled: true, path: l.db}\n")

    ran = fairlead(command, "hi", "--config", "f.yaml", cwd=tmp_path)

    assert ran.returncode == 0
    assert ran.stderr == (
        "fairlead: warning: 1 attempt is not in the ledger, which cannot be written; "
        "--debug says why\n"
    )
