"""
The table of errors says what the policies read.

`python -m tests.docs.test_errors_table` prints it anew.
"""

from __future__ import annotations

import re
from pathlib import Path

from fairlead.core.verdicts import STATUS_VERDICTS, VERDICTS, Another, KeyFate, Retry, Verdict

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "errors.md"
RETRY = {
    Retry.NEVER: "no",
    Retry.TRANSIENT: "yes",
    Retry.THROTTLED: "if the wait fits",
    Retry.ONCE_IF_SENT: "yes, once if it was sent",
    Retry.NEXT_KEY: "with the next key",
}
ANOTHER = {
    Another.NEVER: "no",
    Another.ALWAYS: "yes",
    Another.LARGER_WINDOW: "with a larger window",
    Another.LARGER_CEILING: "with a larger ceiling",
    Another.OPT_IN: "if you say so",
}
KEY = {
    KeyFate.KEPT: "",
    KeyFate.RESTS: "rests",
    KeyFate.SPENT: "its account rests",
    KeyFate.DEAD: "is dead",
}


def row(name: str, verdict: Verdict) -> str:
    counts = "yes" if verdict.counts else "no"
    cells = [name, RETRY[verdict.retry], ANOTHER[verdict.another], counts, KEY[verdict.key]]
    return f"| {' | '.join(cells)} | {'yes' if verdict.misconfigured else ''} | {verdict.http} |"


def table() -> str:
    rows = [row(f"`{kind.__name__}`", verdict) for kind, verdict in VERDICTS.items()]
    rows += [row(str(status), verdict) for status, verdict in STATUS_VERDICTS.items()]
    heads = "error | same target | another target | breaker | key | set-up | gateway"
    return "\n".join([f"| {heads} |", "|---|---|---|---|---|---|---|", *rows])


def test_the_page_has_the_table():
    shown = re.search(r"\n\n(\| error .*?)\n\n", PAGE.read_text("utf-8"), re.DOTALL)

    assert shown is not None
    assert shown[1] == table()


if __name__ == "__main__":
    print(table())
