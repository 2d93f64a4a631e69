"""
Writes the lists that come with fairlead anew: `python -m tests.support.catalogue`.

The prices are those of genai-prices as it is installed; their day is the one on which that version
was published, which `uv.lock` has. What else is known of models is in `model_facts`.
"""

from __future__ import annotations

import json
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

from genai_prices.data import providers

from fairlead.adapters.catalogue.book import DATA, Catalogue
from fairlead.adapters.catalogue.genai import rules_of, tariffs_of
from fairlead.adapters.catalogue.tariffs import write_tariffs
from tests.support import model_facts

ROOT = Path(__file__).parents[2]
HERE = ROOT / "src/fairlead/adapters/catalogue" / DATA
LEFT_OUT = (
    "cursor",
    "doubleword",
    "elevenlabs",
    "github-copilot",
    "huggingface_",
    "openai-decisions",
    "quicksilverpro",
    "typesafe",
)
"""Vendors that serve no models of their own to everybody, or that are reached through another."""

ALSO_AT = {"together": r"https://api\.together\.(?:ai|xyz)"}
"""Addresses that genai-prices does not know."""


def catalogue() -> dict[str, Any]:
    """All that is written."""
    installed = version("genai-prices")
    return {
        "about": "Written by `nox -s catalogue`; tariffs.py and facts.py say how to read it.",
        "source": f"genai-prices {installed}",
        "as_of": published(installed),
        "from": "https://github.com/pydantic/genai-prices",
        "license": "MIT, Copyright (c) Pydantic Services Inc. 2025 to present; "
        "the text is in LICENSE-genai-prices",
        "facts": model_facts.source(),
        "vendors": {
            each.id: vendor(each) for each in providers if not each.id.startswith(LEFT_OUT)
        },
    }


def published(installed: str) -> str:
    """The day on which that version of genai-prices was."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))
    [package] = [each for each in lock["package"] if each["name"] == "genai-prices"]
    if package["version"] != installed:
        raise SystemExit(
            f"uv.lock has genai-prices {package['version']}, and {installed} is installed"
        )
    return str(package["sdist"]["upload-time"])[:10]


def vendor(provider: Any) -> dict[str, Any]:
    """One vendor's list."""
    told: dict[str, Any] = {"address": ALSO_AT.get(provider.id, provider.api_pattern)}
    if provider.fallback_model_providers:
        told["falls_back"] = provider.fallback_model_providers
    told["facts"] = model_facts.of(provider)
    told["models"] = [line for model in provider.models if (line := entry(model)) is not None]
    return told


def entry(model: Any) -> list[str] | None:
    """A model, the names that are its, and its tariffs; None without rates for tokens."""
    tariffs = tariffs_of(model)
    if tariffs is None:
        return None
    rules = ["=" if rule == model.id else rule for rule in rules_of(model.match)]
    if any(" " in rule for rule in rules):
        raise SystemExit(f"a name of {model.id} has a space in it")
    names = " ".join(dict.fromkeys(rules))
    return [model.id, *([] if names == "=" else [names]), write_tariffs(tariffs)]


def text(told: dict[str, Any]) -> str:
    """*told* as JSON, a model to a line, so that changes can be read."""
    lines = ["{"]
    head = {name: value for name, value in told.items() if name != "vendors"}
    lines += [f"{json.dumps(name)}: {json.dumps(value)}," for name, value in head.items()]
    lines.append('"vendors": {')
    blocks = []
    for name, each in told["vendors"].items():
        about = {key: value for key, value in each.items() if key not in {"models", "facts"}}
        models = ",\n".join(json.dumps(line, separators=(",", ":")) for line in each["models"])
        facts = json.dumps(each["facts"], indent=0, separators=(",", ":"))
        head = f"{json.dumps(name)}: {json.dumps(about)[:-1]}"
        blocks.append(f'{head}, "models": [\n{models}], "facts": {facts}}}')
    lines.append(",\n".join(blocks))
    return "\n".join(lines) + "}}\n"


if __name__ == "__main__":
    HERE.write_text(text(catalogue()), "utf-8")
    model_facts.check(Catalogue())
    print(f"{HERE.relative_to(ROOT)}: {HERE.stat().st_size:,} bytes")
