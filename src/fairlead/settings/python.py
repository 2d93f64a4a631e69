"""A Python module that holds the names of the variables in lower case."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, cast

from .files import malformed, read_text
from .sources import Section, Setting, Source, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .mistakes import RefusedError


def run(text: str, place: str) -> Section:
    """
    The settings of a Python file, which is run.

    Raises:
        RefusedError: It is no Python, or raises.
    """
    try:
        code: CodeType = compile(text, place, "exec", dont_inherit=True)
    except SyntaxError as error:
        line, what = error.lineno, error.msg
    except (ValueError, MemoryError, RecursionError):
        line, what = None, "it is nested too deeply, or holds a character that it cannot"
    else:
        module = ModuleType("fairlead_settings")
        module.__file__ = str(Path(place).expanduser())
        failed = _execute(code, module, place)
        if failed is None:
            return _settings(vars(module), text, place)
        raise failed
    raise malformed(place, line, f"this is not Python: {what}")


def load_module(name: str) -> Section:
    """
    The settings of the module of that dotted *name*, which is imported.

    Raises:
        RefusedError: There is none, or it raises.
    """
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name
        problem = f"needs the module {missing}, which is missing"
        if missing and f"{name}.".startswith(f"{missing}."):
            problem = "there is no such file, and no such module"
    except Exception as error:  # noqa: BLE001 - whatever somebody's module raises
        problem = f"raises {type(error).__name__} when it is imported"
    else:
        place = getattr(module, "__file__", None) or name
        text = read_text(place) if place.endswith(".py") else ""
        return _settings(vars(module), text, place)
    raise malformed(name, None, problem)


def _execute(code: CodeType, module: ModuleType, place: str) -> RefusedError | None:
    """Run *code*. What it raises may quote a secret, so only its type and place are told."""
    try:
        exec(code, module.__dict__)  # noqa: S102 - a settings module is a program
    except Exception as error:  # noqa: BLE001 - whatever somebody's module raises
        line, trace = None, error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == place:
                line = trace.tb_lineno
            trace = trace.tb_next
        return malformed(place, line, f"raises {type(error).__name__} when it is run")
    return None


def _settings(names: Mapping[str, object], text: str, place: str) -> Section:
    lines = _lines(text)
    return frozen(
        {
            name.upper(): Setting(_frozen(value), Source("file", name, place, lines.get(name)))
            for name, value in names.items()
            if not name.startswith("_") and name == name.lower() and value != ""
            if not isinstance(value, (ModuleType, FunctionType, type))
        }
    )


def _frozen(value: object) -> object:
    return tuple(cast("list[object]", value)) if isinstance(value, list) else value


def _lines(text: str) -> dict[str, int]:
    """Where each name is assigned last at the top of the module."""
    return {
        target.id: statement.lineno
        for statement in ast.parse(text).body
        if isinstance(statement, (ast.Assign, ast.AnnAssign))
        for target in (
            statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        )
        if isinstance(target, ast.Name)
    }
