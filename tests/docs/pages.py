"""
The snippets of a page, and `python -m tests.docs.pages PAGE`, which runs them.

What runs: ```python blocks, in order, in one namespace, `await` allowed at top level; and the
lines `$ fairlead ...` of ```console blocks. What the page says about the next block stands in a
comment before it:

    <!-- output -->         the ```text block below is what the snippet above it prints; the
                            ```console block below shows what its commands print, all of it
    <!-- skip: reason -->   the block is not run

`...` in an output stands for anything.
"""

import ast
import asyncio
import contextlib
import difflib
import doctest
import inspect
import io
import re
import subprocess
import sys
import textwrap
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(
    r"(?:^[ ]*<!--[ ]*(?P<mark>[^\n]*?)[ ]*-->[ ]*\n\s*?)?"
    r"^(?P<indent>[ ]*)(?P<fence>`{3,})(?P<language>[\w+-]*)[^\n]*\n"
    r"(?P<body>.*?)"
    r"^[ ]*(?P=fence)[ ]*$",
    re.MULTILINE | re.DOTALL,
)
RUNNABLE = {"python", "console"}


@dataclass(frozen=True)
class Block:
    page: Path
    line: int
    language: str
    body: str
    skip: str = ""
    shows_output: bool = False

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text("utf-8")
    for found in FENCE.finditer(text):
        mark = found["mark"] or ""
        skip = re.fullmatch(r"skip(?::\s*(?P<reason>.*))?", mark)
        block = Block(
            page=page,
            line=text.count("\n", 0, found.start("body")) + 1,
            language=found["language"],
            body=textwrap.dedent(found["body"]),
            skip=(skip["reason"] or "") if skip else "",
            shows_output=mark == "output",
        )
        if skip and not block.skip:
            msg = f"{block.place}: a snippet is skipped for a reason: <!-- skip: reason -->"
            raise ValueError(msg)
        yield block


def run(page: Path) -> None:
    """Run all snippets of *page*; raises whatever they raise."""
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    printed = ""
    with asyncio.Runner() as runner:
        for block in blocks(page):
            if block.skip:
                continue
            if block.language == "python":
                printed = run_python(block, module, runner)
            elif block.language == "console":
                run_console(block)
            elif block.shows_output:
                compare(block, block.body, printed)


def run_python(block: Block, module: types.ModuleType, runner: asyncio.Runner) -> str:
    """What it prints. Only what awaits runs inside the loop, so that snippets may start one."""
    code = compile(
        "\n" * (block.line - 1) + block.body,
        block.page,
        "exec",
        flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
        dont_inherit=True,
    )
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        result = eval(code, module.__dict__)
        if code.co_flags & inspect.CO_COROUTINE:
            runner.run(result)
    return printed.getvalue()


def run_console(block: Block) -> None:
    """Run its `fairlead` commands in a shell, each of which must succeed."""
    for command, output in commands(block.body):
        if command.split()[:1] != ["fairlead"]:
            continue
        finished = subprocess.run(
            command,
            shell=True,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        if finished.returncode:
            msg = f"{block.place}: `{command}` exits {finished.returncode}:\n{finished.stdout}"
            raise AssertionError(msg)
        if block.shows_output:
            compare(block, output, finished.stdout)


def commands(session: str) -> Iterator[tuple[str, str]]:
    """The commands of a console session, each with the output below it."""
    for part in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        lines = part.splitlines(keepends=True)
        length = 1
        while lines[length - 1].endswith("\\\n"):
            length += 1
        yield "".join(lines[:length]).rstrip(), "".join(lines[length:])


def compare(block: Block, wanted: str, got: str) -> None:
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    if not doctest.OutputChecker().check_output(wanted, got, options):
        difference = difflib.unified_diff(
            wanted.splitlines(), got.splitlines(), "page", "reality", lineterm=""
        )
        raise AssertionError(f"{block.place}: the output differs\n" + "\n".join(difference))


if __name__ == "__main__":
    run(Path(sys.argv[1]))
