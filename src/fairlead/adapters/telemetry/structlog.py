"""
A log that is written by structlog, and quiet unless the application has configured logging.

What counts as configured: `structlog.configure(...)`, or a handler for the standard library's
logger `fairlead`, such as `logging.basicConfig(...)` makes for all. Where there is neither, nothing
is written, and structlog is not even imported.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, Protocol, TextIO, cast

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from ...core.ports import Level

NAME = "fairlead"
"""The logger."""
_STDLIB = logging.getLogger(NAME)
_LEVELS: dict[Level, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


class _Logger(Protocol):
    """What structlog's loggers have in common."""

    def debug(self, event: str, **fields: Any) -> Any: ...
    def info(self, event: str, **fields: Any) -> Any: ...
    def warning(self, event: str, **fields: Any) -> Any: ...
    def error(self, event: str, **fields: Any) -> Any: ...


class StructlogLog:
    """
    Writes to structlog as the application has configured it, else to the logger `fairlead`.

    What the caller has bound with `structlog.contextvars` is on every line. Lines are written
    where they arise, so a handler that waits belongs behind a `logging.handlers.QueueHandler`.
    """

    def __init__(self) -> None:
        self.lost: int = 0
        """How many lines were lost because a handler raised."""
        self._bridge: _Logger | None = None

    def is_on(self, level: Level, /) -> bool:
        """Whether anything that the application has configured would write it."""
        try:
            return self._is_on(_LEVELS[level])
        except Exception:  # noqa: BLE001 - of the application's own logging
            self.lost += 1
            return False

    def record(self, level: Level, event: str, fields: Mapping[str, object], /) -> None:
        """Write a line. What a processor or a handler raises is counted in `lost`."""
        try:
            if self._is_on(_LEVELS[level]):
                getattr(self._logger(), level)(event, **fields)
        except Exception:  # noqa: BLE001 - a log must not fail what it tells of
            self.lost += 1

    def _is_on(self, level: int) -> bool:
        structlog = _configured()
        if structlog is None or structlog.writes_to_stdlib():
            # Without a handler, the standard library writes warnings to stderr.
            return _STDLIB.isEnabledFor(level) and _STDLIB.hasHandlers()
        return structlog.is_enabled_for(level)

    def _logger(self) -> _Logger:
        structlog = _configured()
        if structlog is not None:
            return structlog.logger()
        if self._bridge is None:
            self._bridge = _to_stdlib()
        return self._bridge


class _Configured:
    """structlog, which the application has configured."""

    __slots__ = ("_module",)

    def __init__(self, module: Any) -> None:
        self._module = module

    def logger(self) -> _Logger:
        logger = self._module.get_logger(NAME).bind()
        # An AsyncBoundLogger writes in a thread, for those who await it.
        return cast("_Logger", getattr(logger, "sync_bl", logger))

    def writes_to_stdlib(self) -> bool:
        factory = self._module.get_config()["logger_factory"]
        return isinstance(factory, self._module.stdlib.LoggerFactory)

    def is_enabled_for(self, level: int) -> bool:
        asked = getattr(self._module.get_logger(NAME).bind(), "is_enabled_for", None)
        return asked is None or bool(asked(level))


def _configured() -> _Configured | None:
    """What the application has configured of structlog; not imported for the sake of asking."""
    module = sys.modules.get("structlog")
    return _Configured(module) if module is not None and module.is_configured() else None


def _to_stdlib() -> _Logger:
    """The bridge to the logger `fairlead`, whatever structlog's own configuration."""
    import structlog

    return cast(
        "_Logger",
        structlog.wrap_logger(
            _STDLIB,
            processors=[structlog.contextvars.merge_contextvars, _as_text_and_extra],
            wrapper_class=structlog.stdlib.BoundLogger,
            context_class=dict,
            cache_logger_on_first_use=True,
        ),
    )


def _as_text_and_extra(
    logger: Any, method: str, fields: MutableMapping[str, Any]
) -> tuple[tuple[str, str], dict[str, Any]]:
    """One line that can be read, and for JSON formatters the fields in `record.fairlead`."""
    from structlog.processors import LogfmtRenderer

    event = fields.pop("event")
    values = {name: _plain(value) for name, value in fields.items()}
    words = LogfmtRenderer(bool_as_flag=False)(logger, method, values)
    return ("%s", f"{event} {words}".rstrip()), {"extra": {"fairlead": dict(fields)}}


def _plain(value: Any) -> Any:
    """*value* as one word of a line."""
    if isinstance(value, list):
        return "; ".join(map(str, cast("list[object]", value)))
    if isinstance(value, dict):
        return ",".join(
            f"{key}={each}" for key, each in cast("dict[object, object]", value).items()
        )
    return value


def configure_debug(stream: TextIO | None = None) -> None:
    """
    Write everything to *stream*, for people; of a program's own `--debug`, not of a library's.

    Configures structlog and the logger `fairlead`. On a terminal there are colours, unless
    `NO_COLOR` is set, and lines are folded between words.

    Args:
        stream: Standard error, if there is none.
    """
    import structlog

    target = sys.stderr if stream is None else stream
    terminal = target.isatty()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
    ]
    rendering: list[Any] = [
        structlog.dev.ConsoleRenderer(
            colors=terminal and not os.environ.get("NO_COLOR"),
            pad_event_to=0,
            pad_level=False,
            sort_keys=False,
        ),
        *([_folded] if terminal else []),
    ]
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=structlog.PrintLoggerFactory(target),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    _STDLIB.handlers[:] = [handler]
    _STDLIB.setLevel(logging.DEBUG)
    _STDLIB.propagate = False


_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_MARGIN = " " * 9
"""As wide as the time at the beginning of a line."""


def _folded(_logger: Any, _method: str, line: str) -> str:
    """*line*, as wide as the terminal, its parts under each other."""
    width = get_terminal_size().columns
    lines, room = [""], width
    for word in line.split(" "):
        length = len(_COLOUR.sub("", word)) + 1
        if length > room and lines[-1].strip():
            lines.append(_MARGIN)
            room = width - len(_MARGIN)
        lines[-1] += f"{word} "
        room -= length
    return "\n".join(each.rstrip() for each in lines)
