from __future__ import annotations

import importlib
import subprocess
import sys
from textwrap import dedent

import pytest

from fairlead import ConfigurationError, discover_providers, open_provider
from fairlead.assembly.vendors import forget


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Makes a package as pip would have installed it, with its entry points."""

    def make(name: str, source: str, **entries: str) -> None:
        monkeypatch.delitem(sys.modules, name, raising=False)
        importlib.invalidate_caches()
        (tmp_path / f"{name}.py").write_text(dedent(source))
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = [f"{entry} = {value}" for entry, value in entries.items()]
        (info / "entry_points.txt").write_text("\n".join(["[fairlead.providers]", *lines]))

    monkeypatch.syspath_prepend(tmp_path)
    forget()
    yield make
    forget()


def test_our_own_are_listed_without_being_imported():
    code = """
        import sys
        from fairlead import discover_providers
        print(*discover_providers())
        loaded = {name for name in sys.modules if name.startswith("fairlead.adapters.providers.")}
        assert {name.rpartition(".")[2] for name in loaded} <= {"presets", "_preset", "_arguments"}
        assert not {"pydantic", "httpx"} & sys.modules.keys()
    """

    told = subprocess.run(
        [sys.executable, "-c", dedent(code)], capture_output=True, text=True, check=True
    )

    assert told.stdout.split() == [*discover_providers()]
    assert {"openai", "openai-compatible", "offline", "null", "lmstudio", "vllm"} <= {
        *discover_providers()
    }


@pytest.mark.anyio
async def test_a_package_brings_a_provider_class(package):
    package(
        "acme",
        """
        class Acme:
            def __init__(self, *, greeting="hello"):
                self.greeting = greeting

            async def generate(self, prompt, **options):
                return f"{self.greeting}, {prompt}"
        """,
        acme="acme:Acme",
    )

    async with open_provider("acme", greeting="good day") as provider:
        assert await provider.generate("you") == "good day, you"
    assert "acme" in discover_providers()


@pytest.mark.anyio
async def test_a_package_brings_a_vendor_with_settings(package):
    package(
        "acme",
        """
        from pydantic import BaseModel
        from fairlead import OfflineProvider

        class Settings(BaseModel):
            seed: int = 0
            model: str = "acme-1"

        def create(settings, *, name, limits, engine):
            return OfflineProvider(model=settings.model, seed=settings.seed)
        """,
        acme="acme",
    )

    async with open_provider("acme:acme-2", seed=3) as provider:
        assert provider.model.name == "acme-2"


def test_a_broken_package_fails_only_when_its_name_is_asked_for(package):
    package("broken", "raise RuntimeError('no licence')", broken="broken:Provider")

    assert "broken" in discover_providers()
    open_provider("offline")
    with pytest.raises(ConfigurationError, match=r"'broken' cannot be loaded.*no licence"):
        open_provider("broken")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("class Acme:\n    def generate(self, prompt) -> str: ...", "Acme.generate.. is not async"),
        ("Acme = 5", "is no vendor"),
        (
            "class Acme:\n    def __init__(self, *, key): ...\n    async def embed(self, t): ...",
            "providers.acme.key is missing; FAIRLEAD_ACME_KEY sets it",
        ),
    ],
)
def test_a_misfit_is_told_what_is_wrong(package, source, message):
    package("acme", source, acme="acme:Acme")

    with pytest.raises(ConfigurationError, match=message):
        open_provider("acme")


@pytest.mark.anyio
async def test_a_class_says_what_it_takes(package, monkeypatch):
    monkeypatch.setenv("FAIRLEAD_ACME_TIMES", "2")
    package(
        "acme",
        """
        class Acme:
            def __init__(self, api_key: str, *, greeting: str = "hello", times: int = 1):
                self.said = greeting * times + api_key

            async def generate(self, prompt, **options):
                return self.said
        """,
        acme="acme:Acme",
    )

    async with open_provider("acme", api_key="!") as provider:
        assert await provider.generate("you") == "hellohello!"


def test_its_secrets_stay_secret(package):
    package(
        "acme",
        """
        class Acme:
            def __init__(self, api_key: str):
                raise ValueError(f"bad key {api_key}")

            async def generate(self, prompt): ...
        """,
        acme="acme:Acme",
    )

    with pytest.raises(ConfigurationError, match="'acme' cannot be built: ValueError") as caught:
        open_provider("acme", api_key="sk-canary4711")
    assert "canary" not in str(caught.value)


def test_a_class_that_takes_no_model_is_not_given_one(package):
    package("acme", "class Acme:\n    async def generate(self, p): ...", acme="acme:Acme")

    with pytest.raises(ConfigurationError, match="takes no model"):
        open_provider("acme:large")


def test_a_package_that_ends_the_program_does_not(package):
    package("broken", "raise SystemExit(3)", broken="broken:Provider")

    with pytest.raises(ConfigurationError, match=r"'broken' cannot be loaded.*SystemExit"):
        open_provider("broken")


def test_ours_cannot_be_replaced(package):
    package("evil", "class Evil:\n    async def generate(self, p): ...", openai="evil:Evil")

    assert type(open_provider("openai", api_key="k").inner.inner).__name__ != "Evil"
    assert discover_providers().count("openai") == 1


@pytest.mark.parametrize(
    ("name", "near"), [("opnai", "openai"), ("LMStudo:x", "lmstudio"), ("", "there are")]
)
def test_an_unknown_vendor_is_told_the_nearest(name, near):
    with pytest.raises(ConfigurationError, match=near):
        open_provider(name)


@pytest.mark.parametrize("name", ["stub", "OFFLINE", " offline ", "offline:x", "offline/x"])
def test_vendors_have_more_than_one_spelling(name):
    assert open_provider(name).name == "offline"
