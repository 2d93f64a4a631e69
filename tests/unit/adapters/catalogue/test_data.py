"""The file in the package is what `nox -s catalogue` writes, and small."""

import json
from importlib.metadata import distributions, version

import pytest

from fairlead.adapters.catalogue import Catalogue
from fairlead.adapters.catalogue.facts import read_facts, write_facts
from fairlead.adapters.catalogue.tariffs import read_tariffs, write_tariffs
from fairlead.core.tokens import FAMILIES
from tests.support import catalogue, model_facts

TOLD = json.loads(catalogue.HERE.read_text("utf-8"))
MODELS = [(vendor, *line) for vendor, each in TOLD["vendors"].items() for line in each["models"]]


def test_it_is_as_it_would_be_written_now(monkeypatch):
    litellm = [each.version for each in distributions(name="litellm")]
    if TOLD["facts"]["source"] != f"litellm {litellm and litellm[0]}":  # seldom is it installed
        monkeypatch.setattr(model_facts, "source", lambda: TOLD["facts"])
        monkeypatch.setattr(model_facts, "of", lambda it: TOLD["vendors"][it.id]["facts"])
    installed = version("genai-prices")
    if TOLD["source"] != f"genai-prices {installed}":
        pytest.skip(f"the prices are those of {TOLD['source']}, and {installed} is installed")

    if not (catalogue.ROOT / "uv.lock").is_file():
        pytest.skip("uv.lock, which has the day of that version, is not here")

    assert catalogue.text(catalogue.catalogue()) == catalogue.HERE.read_text("utf-8")


def test_it_is_small_and_says_whose_it_is():
    assert catalogue.HERE.stat().st_size < 280_000
    assert len(MODELS) > 1700
    assert sum(len(each["facts"]) for each in TOLD["vendors"].values()) > 2300
    for source, name, owner in (
        (TOLD, "genai-prices", "Pydantic Services Inc."),
        (TOLD["facts"], "litellm", "2023 Berri AI"),
    ):
        assert source["source"].startswith(f"{name} ")
        assert "MIT" in source["license"]
        notice = catalogue.HERE.with_name(f"LICENSE-{name}").read_text("utf-8")
        assert f"Copyright (c) {owner}" in notice


@pytest.mark.parametrize("vendor", sorted(TOLD["vendors"]))
def test_every_tariff_reads_as_it_was_written(vendor):
    for line in TOLD["vendors"][vendor]["models"]:
        assert write_tariffs(read_tariffs(line[-1])) == line[-1]


@pytest.mark.parametrize("vendor", sorted(TOLD["vendors"]))
def test_all_that_is_known_of_a_model_reads_as_it_was_written(vendor):
    for name, written in TOLD["vendors"][vendor]["facts"].items():
        info = read_facts(name, written)
        assert write_facts(info) == written != ""
        assert name == name.lower().strip()
        assert info.tokenizer in {None, *FAMILIES}
        assert all(limit is None or limit > 0 for limit in _limits(info)), name


def _limits(info):
    return info.context_window, info.max_output_tokens


BOOK = Catalogue()


@pytest.mark.parametrize(
    "vendor, model, window, answer, tokenizer",
    [
        # Told by one source alone; by both, apart from the answer; and by both, once rounded.
        ("openai", "gpt-4o", 128_000, 16_384, "o200k"),
        ("openai", "gpt-5-2025-08-07", 400_000, 128_000, "o200k"),
        ("openai", "gpt-4.1", 1_047_576, 32_768, "o200k"),
        ("openai", "gpt-6-sol", 1_050_000, 128_000, None),
        ("openai", "gpt-5-chat-latest", None, 16_384, "o200k"),  # they disagree on its window
        ("openai", "text-embedding-3-small", 8192, None, "cl100k"),
        ("anthropic", "claude-sonnet-4-5-20250929", 200_000, 64_000, "claude_v3"),
        ("anthropic", "claude-opus-4-8", 1_000_000, 128_000, "claude_v4_7"),
        ("gemini", "gemini-2.5-pro", 1_048_576, 65_536, "gemini"),
        ("mistral", "mistral-large-2512", 262_144, 262_144, None),
        ("groq", "openai/gpt-oss-120b", 131_072, 65_536, "o200k"),
        ("openrouter", "anthropic/claude-opus-4.7", 1_000_000, None, "claude_v4_7"),
    ],
)
def test_limits_are_those_that_the_vendors_publish(vendor, model, window, answer, tokenizer):
    info = BOOK.info(vendor, model)

    assert (*_limits(info), info.tokenizer) == (window, answer, tokenizer)


@pytest.mark.parametrize(
    "vendor, model, there, missing",
    [
        ("openai", "gpt-5.4", "images files tools response_format", "reasoning"),
        ("openai", "gpt-audio", "audio tools", "images response_format reasoning"),
        (
            "anthropic",
            "claude-opus-5-5",
            "images files tools response_format reasoning",
            "sampling",
        ),
        ("mistral", "open-mistral-nemo", "response_format", ""),
        ("openai", "o3-mini", "tools response_format", "images"),
    ],
)
def test_a_model_lacks_only_what_the_source_says_it_lacks(vendor, model, there, missing):
    info = BOOK.info(vendor, model)

    found = {True: set(), False: set(), None: set()}
    for fact in model_facts.CAPABILITIES.values():
        found[getattr(info, fact)].add(fact)
    assert (found[True], found[False]) == (set(there.split()), set(missing.split()))


@pytest.mark.parametrize(
    "name, family",
    [
        ("gpt-4", "cl100k"),
        ("gpt-4-0613", "cl100k"),
        ("gpt-4o-2024-05-13", "o200k"),
        ("gpt-45", None),
        ("o3", "o200k"),
        ("o30", None),
        ("gpt-6-sol", None),
        ("us.anthropic.claude-opus-4-1-20250805-v1:0", "claude_v3"),
        ("anthropic/claude-opus-4.7", "claude_v4_7"),
        ("claude-3-5-haiku-latest", "claude_v3"),
        ("claude-sonnet-4-20250514", "claude_v3"),
        ("claude-sonnet-5", "claude_v4_7"),
        ("deepseek-ai/deepseek-r1", "deepseek"),
        ("deepseek-r1-distill-llama-70b", None),
        ("meta-llama/llama-3.3-70b", None),
        ("mistral-large-latest", None),
    ],
)
def test_a_tokenizer_is_known_by_the_name_or_not_at_all(name, family):
    assert model_facts.tokenizer(name) == family


def test_no_model_has_two_prices():
    for vendor, each in TOLD["vendors"].items():
        names = [line[0] for line in each["models"]]
        assert len(names) == len(set(names)), vendor
        assert set(each.get("falls_back", ())) <= TOLD["vendors"].keys()
