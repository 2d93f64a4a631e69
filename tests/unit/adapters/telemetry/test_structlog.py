import asyncio
import io
import json
import logging
import re
import subprocess
import sys
from timeit import timeit

import pytest
import structlog
from structlog.testing import LogCapture

from fairlead.adapters.telemetry.structlog import StructlogLog, configure_debug

LEVELS = ("debug", "info", "warning", "error")
FIELDS = {"operation": "generate", "provider": "scripted", "tags": {"tenant": "a b"}}


@pytest.fixture(autouse=True)
def _untouched():
    """Logging as it is when a program starts, and afterwards as it was."""
    root, own = logging.getLogger(), logging.getLogger("fairlead")
    before = [(each, each.handlers[:], each.level, each.propagate) for each in (root, own)]
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    for logger, handlers, level, propagate in before:
        logger.handlers[:] = handlers
        logger.setLevel(level)
        logger.propagate = propagate


@pytest.fixture
def log():
    return StructlogLog()


class Records(logging.Handler):
    def __init__(self, level=logging.DEBUG):
        super().__init__(level)
        self.records = []

    def emit(self, record):
        self.records.append(record)


def attached(name="fairlead", level=logging.DEBUG):
    handler = Records()
    logging.getLogger(name).addHandler(handler)
    logging.getLogger(name).setLevel(level)
    return handler.records


# Quiet.

UNCONFIGURED = ""
IMPORTED = """
import structlog
"""
OVER_A_STDLIB_WITHOUT_HANDLERS = """
import structlog

# Python's handler of last resort writes warnings that nobody has a handler for.
structlog.configure(
    processors=[structlog.processors.JSONRenderer()],
    logger_factory=structlog.stdlib.LoggerFactory(),
)
"""
QUIET = """
import sys
from fairlead.adapters.telemetry.structlog import StructlogLog

loaded = "structlog" in sys.modules
log = StructlogLog()
assert not any(map(log.is_on, ("debug", "info", "warning", "error")))
log.record("error", "call failed", {"provider": "openai"})
assert log.lost == 0
assert ("structlog" in sys.modules) == loaded
"""
CONFIGURED_LATER = """
import logging, sys

logging.basicConfig(format="%(message)s")
assert log.is_on("error") and not log.is_on("info")
log.record("error", "call failed", {"provider": "openai"})
"""


def run(program):
    """What *program* writes; pytest itself has handlers everywhere."""
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], check=False, capture_output=True, text=True
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout + finished.stderr


@pytest.mark.parametrize("before", [UNCONFIGURED, IMPORTED, OVER_A_STDLIB_WITHOUT_HANDLERS])
def test_unless_the_application_configures_it_nothing_is_written_nor_structlog_imported(before):
    assert not run(before + QUIET)


def test_the_application_may_configure_it_later():
    assert run(QUIET + CONFIGURED_LATER) == "call failed provider=openai\n"


def test_to_ask_costs_next_to_nothing(log):
    per_call = min(timeit(lambda: log.is_on("error"), number=1000) for _ in range(5)) / 1000

    assert per_call < 20e-6


# Through the standard library.


def test_a_handler_of_the_application_gets_a_line_and_the_fields(log):
    records = attached()
    log.record("info", "call answered", {**FIELDS, "warnings": ["cut", "slow"], "cached": True})

    [record] = records
    assert record.getMessage() == (
        'call answered operation=generate provider=scripted tags="tenant=a b" '
        'warnings="cut; slow" cached=true'
    )
    assert (record.name, record.levelname) == ("fairlead", "INFO")
    assert record.fairlead["tags"] == {"tenant": "a b"}


@pytest.mark.parametrize("value", ["100 %", "%s %d", "a\nb", 'say "hi"', "", None, "ünïcode"])
def test_no_value_breaks_the_line(log, value):
    records = attached()
    log.record("info", "call answered", {"model": value})

    assert log.lost == 0
    assert "\n" not in records[0].getMessage()


def test_a_handler_of_the_root_will_do(log):
    records = attached("")
    log.record("warning", "asking again", FIELDS)

    assert len(records) == 1


@pytest.mark.parametrize("position, level", list(enumerate(LEVELS)))
def test_the_level_of_the_application_decides(log, position, level):
    records = attached(level=level.upper())
    for each in LEVELS:
        log.record(each, "event", {})

    assert [log.is_on(each) for each in LEVELS] == [index >= position for index in range(4)]
    assert [record.levelname.lower() for record in records] == list(LEVELS[position:])


def test_what_the_caller_has_bound_is_on_the_line(log):
    records = attached()
    with structlog.contextvars.bound_contextvars(user="me"):
        log.record("info", "call answered", FIELDS)

    assert "user=me" in records[0].getMessage()
    assert records[0].fairlead["user"] == "me"


# As the application has configured structlog.


def test_structlog_gets_the_event_with_its_fields_and_what_is_bound(log):
    capture = LogCapture()
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, capture])
    with structlog.contextvars.bound_contextvars(user="me"):
        log.record("info", "call answered", FIELDS)

    assert capture.entries == [
        {"event": "call answered", "log_level": "info", "user": "me", **FIELDS}
    ]


def test_structlog_comes_before_the_standard_library(log):
    capture, records = LogCapture(), attached()
    structlog.configure(processors=[capture])
    log.record("info", "call answered", FIELDS)

    assert len(capture.entries) == 1
    assert not records


def test_structlogs_own_filter_decides(log):
    capture = LogCapture()
    structlog.configure(
        processors=[capture],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
    )
    for each in LEVELS:
        log.record(each, "event", {})

    assert [log.is_on(each) for each in LEVELS] == [False, False, True, True]
    assert [entry["log_level"] for entry in capture.entries] == ["warning", "error"]


def test_structlog_over_the_standard_library_obeys_its_levels(log):
    records = attached(level=logging.WARNING)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, structlog.processors.JSONRenderer()],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    log.record("info", "call answered", FIELDS)
    log.record("error", "call failed", FIELDS)

    assert [log.is_on(each) for each in LEVELS] == [False, False, True, True]
    assert [json.loads(record.getMessage())["event"] for record in records] == ["call failed"]


def test_an_asynchronous_logger_is_written_to_at_once(log):
    records = attached()
    structlog.configure(
        processors=[structlog.processors.JSONRenderer()],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.AsyncBoundLogger,
    )

    async def main():
        log.record("error", "call failed", FIELDS)

    asyncio.run(main())

    assert (len(records), log.lost) == (1, 0)


# What goes wrong in somebody's logging.


class Broken(logging.Handler):
    def handle(self, record):
        raise OSError("disk full")


def test_a_handler_that_raises_loses_a_line_and_nothing_else(log):
    logging.getLogger("fairlead").addHandler(Broken())
    log.record("error", "call failed", FIELDS)
    log.record("error", "call failed", FIELDS)

    assert log.lost == 2


def test_a_processor_that_raises_loses_a_line_and_nothing_else(log):
    def broken(logger, method, event):
        raise ValueError

    structlog.configure(processors=[broken])
    log.record("error", "call failed", FIELDS)

    assert log.lost == 1


def test_a_filter_that_raises_means_off(log, monkeypatch):
    def broken(level):
        raise ValueError

    attached()
    monkeypatch.setattr(logging.getLogger("fairlead"), "isEnabledFor", broken)

    assert not log.is_on("error")
    assert log.lost == 1


def test_a_field_with_the_name_of_the_event_loses_a_line_and_nothing_else(log):
    attached()
    log.record("info", "call answered", {"event": "mine"})

    assert log.lost == 1


# For people.


class Terminal(io.StringIO):
    def isatty(self):
        return True


def debugged(stream, log):
    configure_debug(stream)
    log.record("debug", "attempt succeeded", {"provider": "scripted", "seconds": 0.25})
    logging.getLogger("fairlead.fallback").warning("%s answers", "second")
    return stream.getvalue().splitlines()


def test_debug_lines_can_be_read(log):
    first, second = debugged(io.StringIO(), log)

    assert first[8:] == " [debug] attempt succeeded provider=scripted seconds=0.25"
    assert second[8:] == " [warning] second answers"


def test_colours_are_for_terminals(log, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)

    assert "\x1b[" in "".join(debugged(Terminal(), log))


def test_and_for_those_who_want_them(log, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")

    assert "\x1b[" not in "".join(debugged(Terminal(), log))


@pytest.mark.parametrize("columns", [40, 80])
def test_a_narrow_terminal_gets_its_lines_folded_between_words(log, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    terminal = Terminal()
    configure_debug(terminal)
    fields = {"provider": "openai-compatible", "model": "a-model-of-that-name", "seconds": 0.25}
    log.record("info", "call answered", {**fields, "request_id": "0123456789abcdef"})

    lines = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in terminal.getvalue().splitlines()]
    assert len(lines) > 1
    assert max(map(len, lines)) <= columns
    assert all(line.startswith(" " * 9) for line in lines[1:])
    assert "model=a-model-of-that-name" in " ".join(lines).split()


def test_a_word_wider_than_the_terminal_stays_whole(log, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal()
    configure_debug(terminal)
    log.record("info", "done", {"request_id": "0123456789abcdef" * 2})

    assert terminal.getvalue().endswith(f"\n{' ' * 9}request_id={'0123456789abcdef' * 2}\n")


def test_debug_is_written_to_standard_error(log, capsys):
    configure_debug()
    log.record("info", "call answered", {})

    assert capsys.readouterr().err.endswith("call answered\n")


def test_debug_twice_writes_once(log):
    stream = io.StringIO()
    configure_debug(stream)

    assert len(debugged(stream, log)) == 2
