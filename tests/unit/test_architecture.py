"""What import-linter cannot say of the package; its contracts stand in pyproject.toml."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import fairlead

PACKAGE = Path(fairlead.__file__).parent
MODULES = {
    path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text("utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
}

HTTP = {"aiohttp", "h11", "httpcore", "httpcore2", "httpx", "httpx2", "requests", "urllib3"}
LOOPS = {"asyncio", "trio"}
ALLOWED = {
    **dict.fromkeys(HTTP, ("adapters/http/",)),
    **dict.fromkeys(LOOPS, ("adapters/http/", "decorators/_tasks.py", "sync/_loop.py", "testing/")),
    "pytest": ("testing/",),
    "dependency_injector": ("container.py",),
    "typer": ("cli/",),
    "fairlead.testing": ("testing/", "cli/"),
}
VAGUE = {"common", "helpers", "manager", "misc", "utils"}
MOST_LINES = 400


@pytest.mark.parametrize("module", MODULES)
def test_core_imports_only_the_standard_library(module):
    if not module.startswith("core/"):
        return

    foreign = {
        name
        for name in imported(module)
        if top(name) not in sys.stdlib_module_names and not name.startswith("fairlead.core")
    }

    assert not foreign


@pytest.mark.parametrize("module", MODULES)
def test_libraries_are_imported_only_where_they_belong(module):
    out_of_place = {
        name
        for name in imported(module)
        for library, rooms in ALLOWED.items()
        if f"{name}.".startswith(f"{library}.") and not module.startswith(rooms)
    }

    assert not out_of_place


@pytest.mark.parametrize("module", MODULES)
def test_private_names_of_other_libraries_are_left_alone(module):
    assert not list(foreign_private_names(MODULES[module], module))


@pytest.mark.parametrize("module", MODULES)
def test_modules_stay_small(module):
    lines = len((PACKAGE / module).read_text("utf-8").splitlines())

    assert lines <= MOST_LINES, "split it by idea, not by size"


@pytest.mark.parametrize("module", MODULES)
def test_names_say_what_a_module_holds(module):
    assert not VAGUE & {part.strip("_") for part in Path(module).with_suffix("").parts}


def test_every_folder_is_a_package():
    folders = {path.parent for path in PACKAGE.rglob("*.py")}

    assert not {folder for folder in folders if not (folder / "__init__.py").is_file()}


@pytest.mark.parametrize(
    "source",
    [
        "import httpcore._async",
        "from httpx import _models",
        "from anyio._core import _tasks",
        "import httpx as http\nhttp._client",
        "import anyio\nanyio.lowlevel._cache",
        "from httpcore import AsyncConnectionPool\nAsyncConnectionPool._connections",
    ],
)
def test_private_names_are_found(source):
    assert list(foreign_private_names(ast.parse(source), "wire/example.py"))


def test_names_with_an_underscore_of_our_own_are_not_private_to_us():
    source = "import random as _random\nfrom ._base import Decorator\n_random.random\nself._x"

    assert not list(foreign_private_names(ast.parse(source), "decorators/example.py"))


def imported(module: str) -> Iterator[str]:
    """The absolute name of everything that *module* imports, anywhere in it."""
    for name, _ in bindings(MODULES[module], module):
        yield name


def bindings(tree: ast.Module, module: str) -> Iterator[tuple[str, str]]:
    """What is imported, and the name that it is given."""
    package = ["fairlead", *Path(module).parent.parts]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, alias.asname or top(alias.name)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*start, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{origin}.{alias.name}", alias.asname or alias.name


def foreign_private_names(tree: ast.Module, module: str) -> Iterator[str]:
    """Names with one underscore in front that belong to a library that is not fairlead."""
    foreign = set()
    for name, given in bindings(tree, module):
        if top(name) not in {"fairlead", "__future__"}:
            foreign.add(given)
            if any(map(is_private, name.split(".")[1:])):
                yield name
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            base = node.value
            while isinstance(base, ast.Attribute):
                base = base.value
            if isinstance(base, ast.Name) and base.id in foreign:
                yield ast.unparse(node)


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def top(name: str) -> str:
    return name.partition(".")[0]
