"""
What is known of models besides prices: from the list in litellm, and the windows of genai-prices.

litellm is not imported; only its list is read. `pylock.catalogue.toml` has its version, and the day
on which that was published. Where two sources, or two entries for one name, tell different things,
nothing is known.
"""

from __future__ import annotations

import json
import re
import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genai_prices.data import providers

from fairlead.adapters.catalogue.facts import CAPABILITIES, kin, write_facts
from fairlead.adapters.catalogue.genai import rules_of
from fairlead.adapters.catalogue.tariffs import is_name
from fairlead.core.models import ModelInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairlead.adapters.catalogue import Catalogue

LIST = "litellm/model_prices_and_context_window_backup.json"
LOCK = Path(__file__).with_name("pylock.catalogue.toml")

VENDORS: dict[str, tuple[str, ...]] = {
    "anthropic": ("anthropic",),
    "aws": ("bedrock", "bedrock_converse"),
    "azure": ("azure",),
    "baseten": ("baseten",),
    "cerebras": ("cerebras",),
    "cloudflare": ("cloudflare",),
    "cohere": ("cohere", "cohere_chat"),
    "databricks": ("databricks",),
    "deepseek": ("deepseek",),
    "fireworks": ("fireworks_ai", "fireworks_ai-embedding-models"),
    "google": ("gemini", "vertex_ai-language-models"),
    "groq": ("groq",),
    "meta": ("meta", "meta_llama"),
    "minimax": ("minimax",),
    "mistral": ("mistral",),
    "moonshotai": ("moonshot",),
    "novita": ("novita",),
    "openai": ("openai", "text-completion-openai"),
    "openrouter": ("openrouter",),
    "ovhcloud": ("ovhcloud",),
    "perplexity": ("perplexity",),
    "together": ("together_ai",),
    "voyageai": ("voyage",),
    "x-ai": ("xai",),
    "zai": ("zai",),
    "zhipuai": ("bigmodel",),
}
"""litellm's names for the vendors of our list."""
MODES = ("chat", "completion", "embedding", "responses")

FLAGS = {
    "images": ("supports_vision", "supports_image_input"),
    "audio": ("supports_audio_input",),
    "files": ("supports_pdf_input",),
    "tools": ("supports_function_calling",),
    "response_format": ("supports_response_schema",),
    "sampling": ("supports_sampling_params",),
}
"""litellm's names for what a model can do. What it tells of reasoning is another thing."""

TOKENIZERS = (
    ("cl100k", r"gpt-(4|4-.*|3\.?5.*)|text-embedding-(3|ada).*"),
    ("o200k", r"(gpt-(4o|4\.1|4\.5|5|oss)|chatgpt-4o|o[134](?![^-])).*"),
    ("claude_v3", r"claude-(3.*|(opus|sonnet|haiku)-4([-.][0156])?(-20.*|-v\d.*)?)"),
    ("claude_v4_7", r"claude-.*-(4[-.][789]|5).*"),
    ("deepseek", r"deepseek-(v[23]|r1)(?!.*distill).*"),
    ("gemini", r"gemini-[123].*"),
    ("tekken", r"(open-)?mistral-nemo.*|pixtral-12b.*|mistral-small-(2[5-9]|3).*|devstral-small.*"),
)
"""
Tokenizer families by the models' names, whoever serves them: OpenAI's as tiktoken maps them,
Claude's as its vocabularies were counted, Mistral's as mistral-common has them.
"""
_ORGANISATION = re.compile(r"^.*/|^([a-z]+\.)+(?=claude|deepseek|gpt|mistral|pixtral)")

ROUNDED = 0.06
"""By how much of itself a window may differ from another that is only a rounder number."""


def source() -> dict[str, str]:
    """Whose list it is, and of which day."""
    [package] = tomllib.loads(LOCK.read_text("utf-8"))["packages"]
    try:
        installed = distribution("litellm").version
    except PackageNotFoundError:
        raise SystemExit("litellm is not installed; `nox -s catalogue` does that") from None
    if package["version"] != installed:
        raise SystemExit(f"{LOCK.name} has {package['version']}, and {installed} is installed")
    return {
        "source": f"litellm {installed}",
        "as_of": package["sdist"]["upload-time"].date().isoformat(),
        "from": "https://github.com/BerriAI/litellm",
        "license": "MIT, Copyright (c) 2023 Berri AI; the text is in LICENSE-litellm",
    }


def of(provider: Any) -> dict[str, str]:
    """What is known of each model of *provider*, one of genai-prices', as it is written."""
    windows = _windows(provider)
    told = _listed(provider.id)
    alone = {
        name for name, own in windows.items() if own.itself and told.keys().isdisjoint(kin(name))
    }
    known: dict[str, ModelInfo] = {}
    for name in sorted({*told, *alone}):
        entries = told.get(name, [])
        facts: dict[str, Any] = {
            "context_window": _limit(_window(each, windows.get(name)) for each in entries)
            if entries
            else windows[name].tokens,
            "max_output_tokens": _limit(_output(each) for each in entries),
            "tokenizer": tokenizer(name),
            "reasoning": _agreed(map(_reasons, entries)),
        }
        for fact, flags in FLAGS.items():
            facts[fact] = _agreed(each.get(flag) for each in entries for flag in flags)
        known[name] = ModelInfo(name=name, **facts)
    return {name: written for name, info in known.items() if (written := write_facts(info))}


def tokenizer(name: str) -> str | None:
    """The family of the model of that name; None where nobody has said how it counts."""
    bare = _ORGANISATION.sub("", name)
    return next((kind for kind, names in TOKENIZERS if re.fullmatch(names, bare)), None)


class _Told:
    """A window that genai-prices tells, and whether for the very name."""

    def __init__(self, tokens: int, *, itself: bool) -> None:
        self.tokens, self.itself = tokens, itself


def _windows(provider: Any) -> dict[str, _Told]:
    """Prompt and answer together. Its entries take in names that share no more than a price."""
    found: dict[str, _Told] = {}
    for model in provider.models:
        if model.context_window is None:
            continue
        own = model.id.lower()
        for name in rules_of(model.match):
            if is_name(name) and " " not in name:
                itself = own in {name, *kin(name)}
                found.setdefault(name, _Told(model.context_window, itself=itself))
    return found


@cache
def _raw() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        Path(str(distribution("litellm").locate_file(LIST))).read_text("utf-8")
    )
    return found


def _listed(vendor: str) -> dict[str, list[dict[str, Any]]]:
    """litellm's entries for each name that *vendor* has for a model."""
    theirs = VENDORS.get(vendor, ())
    found: dict[str, list[dict[str, Any]]] = {}
    for key, entry in _raw().items():
        if entry.get("litellm_provider") not in theirs or entry.get("mode") not in MODES:
            continue
        name = key.lower()
        for prefix in (*theirs, "vertex_ai"):
            name = name.removeprefix(f"{prefix}/")
        if vendor in {"aws", "azure"} and "/" in name:
            continue  # a region stands before it
        found.setdefault(name, []).append(entry)
    return found


def _agreed(told: Iterator[Any]) -> Any:
    """What all say that say anything; None if they differ."""
    values = {each for each in told if each is not None}
    return values.pop() if len(values) == 1 else None


def _limit(told: Iterator[int | None]) -> int | None:
    """The same of numbers, some of which may be rounded."""
    values = [each for each in told if each is not None]
    most = max(values, default=None)
    return most if most is None or most - min(values) <= ROUNDED * most else None


def _input(entry: dict[str, Any]) -> int | None:
    return entry.get("max_input_tokens") or None


def _output(entry: dict[str, Any]) -> int | None:
    return None if entry["mode"] == "embedding" else entry.get("max_output_tokens") or None


def _window(entry: dict[str, Any], other: _Told | None) -> int | None:
    """
    Prompt and answer together.

    litellm tells what a prompt may have, which for most vendors is the window, and for some it is
    what an answer leaves of it.
    """
    told, answer = _input(entry), _output(entry) or 0
    if told is None:
        return other.tokens if other and other.itself else None
    if other is None:
        return told + answer if (told, answer) in _apart() else told
    total = other.tokens
    if answer < told and total == told + answer:
        return total
    return _limit(iter((told, total)))


@cache
def _apart() -> frozenset[tuple[int, int]]:
    """Limits of prompt and answer that are known to make up the window of OpenAI's models."""
    [openai] = [each for each in providers if each.id == "openai"]
    windows, found = _windows(openai), set[tuple[int, int]]()
    for name, entries in _listed("openai").items():
        for told, answer in ((_input(each), _output(each)) for each in entries):
            if told and answer and answer < told and name in windows:
                found |= {(told, answer)} if windows[name].tokens == told + answer else set()
    return frozenset(found)


def _reasons(entry: dict[str, Any]) -> bool | None:
    """Whether it reasons unless told not to."""
    if entry.get("thinking_always_on") or entry.get("thinking_on_by_default"):
        return True
    if entry.get("supports_reasoning") is False or entry.get("default_reasoning_effort") == "none":
        return False
    return None


SPOTS = (
    ("openai", "gpt-4o-mini", "gpt-4o-mini"),
    ("openai", "gpt-5.6-luna", "gpt-5.6-luna"),
    ("anthropic", "claude-opus-4-8", "claude-opus-4-8"),
    ("google", "gemini-2.5-flash", "gemini/gemini-2.5-flash"),
    ("mistral", "mistral-large-2512", "mistral/mistral-large-2512"),
    ("groq", "openai/gpt-oss-120b", "groq/openai/gpt-oss-120b"),
    ("x-ai", "grok-4.3", "xai/grok-4.3"),
)
"""Models of vendors, and where they stand in litellm's list."""


def check(book: Catalogue) -> None:
    """Stop if *book* does not tell of `SPOTS` what litellm tells."""
    for vendor, model, key in SPOTS:
        entry, info = _raw()[key], book.info(vendor, model)
        told = {fact: _agreed(map(entry.get, flags)) for fact, flags in FLAGS.items()}
        told |= {"max_output_tokens": entry["max_output_tokens"]}
        wrong = {fact: value for fact, value in told.items() if getattr(info, fact) != value}
        if info is None or wrong or (info.context_window or 0) < entry["max_input_tokens"]:
            raise SystemExit(f"{vendor}:{model} is {info} in the list, and litellm has {wrong}")


assert {*FLAGS, "reasoning"} == {*CAPABILITIES.values()}
