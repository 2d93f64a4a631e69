"""
Everything that checks fairlead. `nox` runs what must hold before a change lands.

By name: `nox -s lowest`, `coverage`, `mutants`, `catalogue`, `soak`, `servers`, `sdks`, `bench`;
`nox -l` says what each is for.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_external_run = True
nox.options.error_on_missing_interpreters = False  # skipped, and named in the summary
nox.options.sessions = ["lint", "types", "imports", "tests"]

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)
OLDEST = PYTHONS[0]


def group(name: str) -> list[str]:
    """A dependency group, spelt out: the pip of an older Python does not know `--group`."""
    return list(nox.project.dependency_groups(PYPROJECT, name))


@nox.session
def lint(session: nox.Session) -> None:
    """One layout, no known mistakes: `ruff format --check` and `ruff check`."""
    session.install(*group("lint"))
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", *session.posargs, ".")


@nox.session
def types(session: nox.Session) -> None:
    """Two type checkers, both strict, and whether all that users see is typed."""
    session.install("-e", ".", *group("types"))
    session.run("mypy")
    session.run("pyright")
    session.run("pyright", "--verifytypes", "fairlead", "--ignoreexternal")


@nox.session
def docs(session: nox.Session) -> None:
    """Make the pages and the docstrings into a site, without a warning; says where it stands."""
    session.install(".", *group("docs"))
    site = Path(session.create_tmp()) / "site"
    session.run("sphinx-build", "--fail-on-warning", "-q", "-b", "html", "docs", str(site))
    session.log(f"the site begins at {site / 'index.html'}")


@nox.session
def imports(session: nox.Session) -> None:
    """Who may import whom; the contracts stand in pyproject.toml."""
    session.install(*group("imports"))
    session.run("lint-imports", "--no-cache", env={"PYTHONPATH": "src"})


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The tests, against the installed wheel; every snippet and example is one of them."""
    session.install(".", *group("tests"))
    session.run("pytest", "-n", "2", *session.posargs)


@nox.session
def sdks(session: nox.Session) -> None:
    """What is sent to vendors, against the typed requests of their own SDKs, which are heavy."""
    kits = ("anthropic>=2", "google-genai>=3", "mistralai>=3", "ollama>=0.6")
    session.install(".", *group("tests"), *kits)
    session.run("pytest", "-W", "default", "tests/sdks", *session.posargs)


@nox.session(python=OLDEST)
def lowest(session: nox.Session) -> None:
    """The tests, with the oldest dependencies that pyproject.toml allows."""
    oldest = [
        re.sub(r">=([^,;]+)[^;]*", r"==\1", dependency)
        for dependency in PYPROJECT["project"]["dependencies"]
    ]
    session.install(".", *oldest, *group("tests"))
    session.run("pytest", "-n", "2", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Branch coverage: all of core, decorators and wire; of the rest it is only shown."""
    session.install(".", *group("tests"))
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    complete = "*/fairlead/core/*,*/fairlead/decorators/*,*/fairlead/wire/*"
    session.run("coverage", "report", f"--omit={complete}")
    session.run("coverage", "report", f"--include={complete}", "--fail-under=100")


@nox.session
def mutants(session: nox.Session) -> None:
    """Plants mistakes in policies and codecs; the tests must catch each of them."""
    session.install(".", *group("tests"))
    session.run("python", "tests/mutants.py", *session.posargs)


@nox.session(python=OLDEST)
def catalogue(session: nox.Session) -> None:
    """Write the lists of models anew, from the newest genai-prices and litellm; see the diff."""
    session.run("uv", "lock", "--upgrade-package", "genai-prices", external=True)
    lock = tomllib.loads(Path("uv.lock").read_text("utf-8"))
    [locked] = [each["version"] for each in lock["package"] if each["name"] == "genai-prices"]
    only = "tests/support/pylock.catalogue.toml"  # a lock of its own: we want one file of it
    compile_ = ("uv", "pip", "compile", "--upgrade", "--no-deps", "--universal", "--no-header")
    session.run(
        *compile_,
        "--format",
        "pylock.toml",
        "-o",
        only,
        "tests/support/catalogue.in",
        external=True,
    )
    [litellm] = tomllib.loads(Path(only).read_text("utf-8"))["packages"]
    session.install("-e", ".", *group("tests"), f"genai-prices=={locked}")
    session.install("--no-deps", f"litellm=={litellm['version']}")
    session.run("python", "-m", "tests.support.catalogue", env={"PYTHONPATH": "."})


@nox.session
def soak(session: nox.Session) -> None:
    """Long runs: thousands of calls cancelled at random moments, over real sockets."""
    session.install(".", *group("tests"))
    session.run("pytest", "-m", "soak", "-o", "faulthandler_timeout=0", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """What fairlead costs, beside raw httpx, httpx2 and LiteLLM in one run. Needs nginx."""
    session.install(".", *group("bench"))
    session.run("python", "-m", "tests.benchmarks", *session.posargs)
    home = Path(session.create_tmp()).resolve() / "litellm"
    python = home / "bin" / "python"
    if not python.exists():
        session.run("python", "-m", "venv", str(home))
    # What its cache imports when it is used, and does not ask for.
    more = ("fastapi", "orjson", "soundfile")
    session.run(str(python), "-m", "pip", "install", "-q", "litellm", *more, external=True)
    session.run("python", "-m", "tests.benchmarks.litellm_rows", str(python))


@nox.session(python=OLDEST)
def servers(session: nox.Session) -> None:
    """The adapters and the command line against servers that others have written. Needs npm."""
    session.install(".", *group("tests"))
    with independent_servers(session) as addresses:
        tests = [test for name in addresses for test in SERVER_TESTS[name]]
        session.run("pytest", *tests, *session.posargs, env=addresses)


SERVER_TESTS = {
    "FAIRLEAD_LLMOCK": ["tests/servers/llmock.py", "tests/servers/policies.py"],
    "FAIRLEAD_AIMOCK": ["tests/servers/aimock.py", "tests/servers/aimock_ollama.py"],
}


@contextlib.contextmanager
def independent_servers(session: nox.Session) -> Iterator[dict[str, str]]:
    """llmock and aimock, each in an environment of its own, on ports of this machine."""
    home = Path(session.create_tmp()).resolve()
    fixtures = Path("../shared/traffic/aimock-fixtures.json").resolve()
    python = home / "llmock" / "bin" / "python"
    if not python.exists():
        session.run("python", "-m", "venv", str(home / "llmock"))
        session.run(str(python), "-m", "pip", "install", "-q", "llmock", external=True)
    commands = [[str(python.with_name("llmock")), "serve", "--host", "127.0.0.1", "--port", "8010"]]
    addresses = {"FAIRLEAD_LLMOCK": "http://127.0.0.1:8010"}
    if fixtures.exists() and shutil.which("npm"):
        modules = home / "node_modules" / "@copilotkit" / "aimock"
        if not modules.exists():
            npm = ("npm", "install", "--prefix", str(home), "@copilotkit/aimock")
            session.run(*npm, external=True)
        served = home / "fixtures"
        served.mkdir(exist_ok=True)
        shutil.copy(fixtures, served)
        cli = modules / "dist" / "cli.js"
        commands.append(["node", str(cli), "-h", "127.0.0.1", "-p", "4010", "-f", str(served)])
        addresses["FAIRLEAD_AIMOCK"] = "http://127.0.0.1:4010"
    else:
        session.warn("aimock is left out: it needs npm and ../shared/traffic")
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    try:
        for address in addresses.values():
            wait_for(address)
        yield addresses
    finally:
        for server in running:
            server.terminate()
            server.wait()


def wait_for(address: str, seconds: float = 30.0) -> None:
    """Return as soon as somebody listens there."""
    host, port = address.rpartition("/")[2].split(":")
    until = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return
