"""
The five documents that fairlead grew from, and the page that says what became of them.

The documents are not part of the repository; what needs them is skipped where they are not.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.docs.pages import blocks

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "from-the-seeds.md"
DOCUMENTS = {
    path.name[:3]: path for path in sorted((ROOT.parent / "shared" / "seeds").glob("*.txt"))
}
CODE = re.compile(r"`([^`\n]+)`")
WORD = re.compile(r"[A-Za-z_][\w-]*(?:\.(?=\d)\w[\w-]*)?")
VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
CLASS = re.compile(r"\b[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*[A-Z][A-Za-z0-9]*\b")
SNAKE = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")


@dataclass(frozen=True)
class Row:
    """A line of a table of the page."""

    document: str
    line: int
    what: str
    here: str
    note: str

    @property
    def spans(self) -> list[str]:
        """What the documents set in code."""
        return CODE.findall(self.what)

    @property
    def names(self) -> list[str]:
        """The names of this package."""
        return [span for span in CODE.findall(self.here) if span.startswith("fairlead")]

    @property
    def setting(self) -> str | None:
        """The key of the settings."""
        found = re.fullmatch(r"setting `([\w.]+)`", self.here)
        return found[1] if found else None

    @property
    def snippet(self) -> str | None:
        """The title of a snippet, with its number below that title if it is not the first."""
        found = re.match(r"“(.+?)”(?: \((\d)\))?", self.what)
        return f"{found[1]} {found[2] or 1}" if found else None


def rows() -> list[Row]:
    found = []
    document = ""
    for number, line in enumerate(PAGE.read_text("utf-8").splitlines(), 1):
        if line.startswith("## "):
            document = line[3:6] if line[3:6].isdigit() else ""
        elif document and line.startswith("| ") and not line.startswith("| what"):
            what, here, note = (cell.strip() for cell in line.strip("|").split(" | "))
            found.append(Row(document, number, what, here, note.rstrip("|").strip()))
    return found


@dataclass(frozen=True)
class Snippet:
    """A piece of Python in a document."""

    document: str
    title: str
    """The heading above it, and its number below that."""
    code: str

    @property
    def tree(self) -> ast.Module:
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST
        tree = compile(self.code, f"{self.document} {self.title}", "exec", flags=flags)
        assert isinstance(tree, ast.Module)
        return tree

    def __str__(self) -> str:
        return f"{self.document} {self.title}"


def snippets(document: str) -> Iterator[Snippet]:
    path = DOCUMENTS[document]
    lines = _outside_of_blocks(path.read_text("utf-8")).splitlines()
    counts: dict[str, int] = {}
    for block in blocks(path):
        if block.language == "python":
            above = [line for line in lines[: block.line] if line.startswith("#")]
            heading = above[-1].lstrip("# ")
            counts[heading] = counts.get(heading, 0) + 1
            yield Snippet(document, f"{heading} {counts[heading]}", block.body)


def named(document: str) -> set[str]:
    """Everything that *document* gives a name: in its code, its keys, and in code inside prose."""
    text = DOCUMENTS[document].read_text("utf-8")
    names = {*VARIABLE.findall(text), *CLASS.findall(text)}
    for span in CODE.findall(_outside_of_blocks(text)):
        names |= set(WORD.findall(span))
    for block in blocks(DOCUMENTS[document]):
        if not block.language:
            names |= set(SNAKE.findall(block.body))
    for snippet in snippets(document):
        for node in ast.walk(snippet.tree):
            names |= set(_named_by(node))
    for block in blocks(DOCUMENTS[document]):
        if block.language == "yaml":
            names |= set(keys(block.body))
    return names


def boxes(document: str) -> set[str]:
    """What stands in the boxes of its diagrams."""
    drawn = [block.body for block in blocks(DOCUMENTS[document]) if block.language == "mermaid"]
    return {label for body in drawn for label in re.findall(r'\w\["?(.+?)"?\]', body)}


def parts(document: str) -> set[str]:
    """
    The methods of its classes as `Class.method`, what they and its functions take, what they are
    called with, and the keys of its configuration.
    """
    found = set()
    for snippet in snippets(document):
        for node in ast.walk(snippet.tree):
            if isinstance(node, ast.Call):
                found |= {f"{_called(node)}({word.arg})" for word in node.keywords if word.arg}
            found |= set(_configured(node))
        for node in snippet.tree.body:
            if isinstance(node, ast.ClassDef):
                found |= set(_parts_of(node))
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _is_listing(snippet):
                found |= {f"{node.name}({name})" for name in _parameters(node)}
    return found


def keys(yaml: str) -> list[str]:
    """The keys of a file that hold a value, each with those above it: `services.lmstudio.ports`."""
    found: list[str] = []
    above: list[tuple[int, str]] = []
    for line in filter(None, (re.match(r"( *)([\w-]+):", line) for line in yaml.splitlines())):
        above = [(depth, key) for depth, key in above if depth < len(line[1])]
        above.append((len(line[1]), line[2]))
        found.append(".".join(key for _, key in above))
    return [key for key in found if not any(other.startswith(f"{key}.") for other in found)]


def _called(call: ast.Call) -> str:
    return ast.unparse(call.func).split(".")[-1]


def _configured(node: ast.AST) -> Iterator[str]:
    """`config["retry"]["jitter"]`, however it is read."""
    match node:
        case ast.Subscript(value=ast.Subscript(value=ast.Name(id="config"))):
            yield ast.unparse(node).replace("'", '"')
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="config"), attr="get"),
            args=[ast.Constant(value=section), ast.Dict(keys=told)],
        ):
            yield from (f'config["{section}"]["{ast.literal_eval(key)}"]' for key in told if key)
        case _:
            pass


def _named_by(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield name
        case ast.ImportFrom(module=module, names=names):
            yield from str(module).split(".")
            yield from (alias.name for alias in names)
        case ast.Call(func=function, keywords=keywords):
            yield from (keyword.arg for keyword in keywords if keyword.arg)
            if isinstance(function, ast.Name):
                yield function.id
        case ast.Attribute(attr=attribute, value=owner) if not _is_own(owner):
            yield attribute
        case ast.Subscript(slice=ast.Constant(value=str(key))):
            yield key
        case ast.Dict(keys=told):
            yield from (key.value for key in told if isinstance(key, ast.Constant))
        case ast.Module(body=body) if _is_settings(body):
            yield from (
                ast.unparse(line.targets[0]) for line in body if isinstance(line, ast.Assign)
            )
        case _:
            pass


def _is_own(owner: ast.expr) -> bool:
    """Whether an attribute is that of an object's own insides, or of Python's."""
    root = ast.unparse(owner).split(".")[0].split("(")[0]
    return root in {"self", "cls", "super", "logger", "os", "asyncio", "time", "pytest", "requests"}


def _is_settings(body: list[ast.stmt]) -> bool:
    return len(body) > 3 and all(
        isinstance(line, ast.Assign | ast.Expr) and isinstance(line.value, ast.Constant)
        for line in body
    )


def _is_listing(snippet: Snippet) -> bool:
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return all(isinstance(node, definitions) for node in snippet.tree.body)


def _parts_of(owner: ast.ClassDef) -> Iterator[str]:
    for node in owner.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            is_constructor = node.name == "__init__"
            if not is_constructor:
                yield f"{owner.name}.{node.name}"
            name = owner.name if is_constructor else node.name
            yield from (f"{name}({parameter})" for parameter in _parameters(node))


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    arguments = [*function.args.args, *function.args.kwonlyargs]
    return [argument.arg for argument in arguments if argument.arg not in {"self", "cls"}]


def _outside_of_blocks(text: str) -> str:
    """*text* with the lines of its code blocks left empty."""
    inside = re.compile(r"^[ ]*(`{3,}).*?^[ ]*\1[ ]*$", re.MULTILINE | re.DOTALL)
    return inside.sub(lambda found: "\n" * found[0].count("\n"), text)
