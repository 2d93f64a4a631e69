"""Runs all probes in turn, and prints what came of them as a Markdown table."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.clients import SUBJECTS
from tests.benchmarks.goals import GOALS, ONCE, OURS, Figures, Goal, subjects
from tests.benchmarks.layers import rotated
from tests.benchmarks.servers import Addresses, MissingServerError, running, use_client_core

ROUNDS = 5
IMPORTS = 9

Series = dict[tuple[str, str, str], list[float]]
"""What was measured in each round, by probe, subject and figure."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", metavar="NAME", action="append", help="a probe; may be repeated")
    parser.add_argument("--quick", action="store_true", help="rough figures in a short time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single figure too")
    asked = parser.parse_args()
    known = {goal.probe for goal in GOALS}
    if unknown := set(asked.only or ()) - known:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    wanted = [goal for goal in GOALS if goal.probe in (asked.only or known)]
    try:
        with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as addresses:
            series = run(addresses, wanted, quick=asked.quick)
    except MissingServerError as missing:
        print(missing, file=sys.stderr)
        return 2
    if asked.json:
        lines = (json.dumps([*key, values]) for key, values in series.items())
        asked.json.write_text("\n".join(lines) + "\n")
    figures = {key: statistics.median(values) for key, values in series.items()}
    print(table(wanted, figures))
    return 0 if all(goal.is_measured(figures) for goal in wanted) else 1


def run(addresses: Addresses, goals: Sequence[Goal], *, quick: bool) -> Series:
    """All figures of all rounds. In each round another subject goes first."""
    series: Series = defaultdict(list)
    probes = list(dict.fromkeys(probe for goal in goals for probe in goal.probes))
    for turn in range(1 if quick else ROUNDS):
        for probe in probes:
            if turn and probe in ONCE:
                continue
            for subject in rotated(subjects(probe), turn):
                print(f"round {turn + 1}: {probe}, {subject}", file=sys.stderr)
                try:
                    figures = measure(probe, subject, addresses, quick=quick)
                except subprocess.CalledProcessError as failure:
                    print(f"{probe} of {subject} fails: {failure}", file=sys.stderr)
                    continue
                for figure, value in figures.items():
                    series[probe, subject, figure].append(value)
    return series


def measure(probe: str, subject: str, addresses: Addresses, *, quick: bool) -> dict[str, float]:
    if probe == "import":
        return {"ms": import_time(subject, 5 if quick else IMPORTS)}
    if probe in {"cold-start", "cold-settings"}:
        script = Path(__file__).with_name("cold_start.py")
        way = "settings" if probe == "cold-settings" else subject
        starts = [
            float(python(str(script), way, f"{addresses.nginx}/json"))
            for _ in range(2 if quick else 5)
        ]
        return {"ms": statistics.median(starts)}
    request = {
        "probe": probe,
        "subject": subject,
        "addresses": asdict(addresses),
        "quick": quick,
    }
    figures: dict[str, float] = json.loads(
        python("-m", "tests.benchmarks.probes", json.dumps(request))
    )
    return figures


def import_time(subject: str, repeats: int) -> float:
    """Milliseconds that importing *subject* adds to starting Python."""
    times: dict[str, list[float]] = {"pass": [], f"import {subject}": []}
    for _ in range(repeats):
        for program, series in times.items():
            began = time.perf_counter()
            python("-c", program)
            series.append((time.perf_counter() - began) * 1e3)
    bare, imported = map(statistics.median, times.values())
    return imported - bare


def python(*arguments: str) -> str:
    """What a Python on the clients' core prints."""
    environment = {
        name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")
    }
    finished = subprocess.run(
        [sys.executable, *arguments],
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment,
        preexec_fn=use_client_core,
    )
    return finished.stdout


def table(goals: Sequence[Goal], figures: Figures) -> str:
    rows = [
        ["", "fairlead", "raw httpx", "raw httpx2", "reached", "asked", ""],
        ["---", *["---:"] * 5, "---"],
    ]
    rows += [row(goal, figures) for goal in goals]
    libraries = ("fairlead", "httpx", "httpcore", "httpx2", "anyio", "sniffio")
    versions = ", ".join(f"{library} {version(library)}" for library in libraries)
    python_version = ".".join(map(str, sys.version_info[:3]))
    lines = ["| " + " | ".join(cells) + " |" for cells in rows]
    return "\n".join([*lines, "", f"Python {python_version}, {versions}; medians."])


def row(goal: Goal, figures: Figures) -> list[str]:
    shown = [
        f"{figures[key]:,.{digits(figures[key])}f} {goal.unit}" if key in figures else ""
        for key in ((goal.probe, subject, goal.figure) for subject in (OURS, *SUBJECTS[:-1]))
    ]
    if not goal.is_measured(figures):
        return [goal.what, *shown, "", "", "not measured"]
    reached = goal.reached(figures)
    ratio = goal.against or goal.over
    unit = f" times {goal.against or 'alone'}" if ratio else f" {goal.unit}"
    sign = "≥" if goal.at_least else "≤"
    return [
        goal.what,
        *shown,
        f"{reached:,.2f}{unit}",
        f"{sign} {goal.limit:g}{unit}",
        "yes" if goal.holds(figures) else "**no**",
    ]


def digits(value: float) -> int:
    return 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2


if __name__ == "__main__":
    sys.exit(main())
