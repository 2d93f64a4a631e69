import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import pytest

SECONDS = 30.0


class Script:
    """A program in a process of its own, which warnings kill."""

    def __init__(self, source: str, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-W", "error"),
                *("-W", "ignore:This process:DeprecationWarning"),  # fork, which is the point
                *("-c", textwrap.dedent(source), *arguments),
            ],
            env={name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def say(self, word: str = "go on") -> None:
        """Let `input()` return."""
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def line(self) -> str:
        """The next line that it prints."""
        return self.process.stdout.readline().rstrip("\n")

    def end(self) -> list[str]:
        """Wait for its end, which has to be a quiet one; the lines that it has printed."""
        printed, complaints = self.process.communicate(timeout=SECONDS)
        assert complaints == ""
        assert self.process.returncode == 0
        return printed.splitlines()


@pytest.fixture
def run() -> Iterator[object]:
    """Starts a `Script`."""
    started = []

    def start(source, *arguments):
        started.append(Script(source, *arguments))
        return started[-1]

    yield start
    for script in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(script.process.pid, signal.SIGKILL)  # with its children
        script.process.communicate()
