import json
from datetime import date
from decimal import Decimal

import pytest

from fairlead.adapters.catalogue import Catalogue
from fairlead.adapters.catalogue import _remember as remember
from fairlead.core.models import ModelInfo

OPENAI = "https://api.openai.com/v1"


@pytest.fixture
def book(tmp_path):
    """A small list, in which every kind of rule stands once."""
    told = {
        "source": "a list",
        "as_of": "2026-11-10",
        "vendors": {
            "openai": {
                "address": r"https://api\.openai\.com",
                "models": [
                    ["gpt-5", "= gpt-5-2025-08-07", "i=1 o=2;#batch i=0.5"],
                    ["gpt-5-mini", "i=3 o=4"],
                    ["prefix", "^pre", "i=5 o=6"],
                    ["suffix", "$ix", "i=7 o=8"],
                    ["regex", r"/^o[134]-\d+$", "i=9 o=10"],
                    ["both", "*left&*right *middle", "i=11 o=12"],
                    ["left", "i=13 o=14"],
                ],
            },
            "azure": {
                "address": r"https://[^.]+\.openai\.azure\.com",
                "falls_back": ["openai"],
                "models": [["gpt-5-mini", "i=30 o=40"]],
            },
            "aws": {"address": "https://bedrock", "models": [["gpt-5", "i=50 o=60"]]},
        },
    }
    path = tmp_path / "models.json"
    path.write_text(json.dumps(told))
    return Catalogue(path)


def found(book, model, provider="openai"):
    price = book.price(provider, model)
    return None if price is None else (price.model, price.exact, price.input)


@pytest.mark.parametrize(
    "asked, expected",
    [
        ("gpt-5", ("gpt-5", True, 1)),
        ("GPT-5", ("gpt-5", True, 1)),
        ("gpt-5-2025-08-07", ("gpt-5", True, 1)),
        ("gpt-5-20250807", ("gpt-5", True, 1)),
        ("gpt-5-20251307", None),
        ("gpt-5-2025-08-08", None),
        ("gpt-5-mini", ("gpt-5-mini", True, 3)),
        ("gpt-5-mini-2", None),
        ("premium", ("prefix", False, 5)),
        ("prefix", ("prefix", True, 5)),
        ("matrix", ("suffix", False, 7)),
        ("o3-7", ("regex", False, 9)),
        ("o5-7", None),
        ("right-of-left", ("both", False, 11)),
        ("left", ("left", True, 13)),
        ("lefty", None),
        ("a-middle-name", ("both", False, 11)),
        ("", None),
    ],
)
def test_a_model_is_found_by_its_names_and_by_rules_and_says_by_which(book, asked, expected):
    assert found(book, asked) == expected
    assert found(book, asked) == expected  # as it is remembered


@pytest.mark.parametrize(
    "provider, expected",
    [
        ("openai", 1),
        ("OpenAI ", 1),
        (OPENAI, 1),
        ("bedrock", 50),
        ("aws_bedrock", 50),
        ("https://bedrock-runtime.us-east-1.amazonaws.com", 50),
        ("azure", 1),
        ("azure-openai", 1),
        ("https://mine.openai.azure.com/openai", 1),
        ("openai-compatible", None),
        ("my-openai", None),
        ("http://localhost:8000/v1", None),
        ("https://proxy.example.com/https://api.openai.com/v1", None),
        ("", None),
    ],
)
def test_a_vendor_is_known_by_name_or_by_address_and_never_guessed(book, provider, expected):
    price = book.price(provider, "gpt-5")

    assert (price and price.input) == expected


def test_what_another_vendor_serves_costs_as_there_unless_it_has_a_price_of_its_own(book):
    assert book.price("azure", "gpt-5-mini").input == 30
    fallen_back = book.price("azure", "gpt-5")
    assert fallen_back.input == 1
    # What it costs to be served later is the other's own.
    assert fallen_back.rates(service_tier="batch") is None
    assert book.price("openai", "gpt-5").rates(service_tier="batch")["input"].base == Decimal("0.5")


def test_a_price_says_where_it_comes_from(book):
    price = book.price("openai", "gpt-5")

    assert (price.source, price.as_of) == ("a list", date(2026, 11, 10))


def test_what_was_found_is_remembered_and_no_more_than_so_much(book, monkeypatch):
    monkeypatch.setattr(remember, "MOST", 3)

    assert book.price("openai", "gpt-5") is book.price("openai", "gpt-5")
    for name in "abcdefgh":
        assert book.price("openai", name) is None
        assert len(book._known) <= 3
    assert found(book, "gpt-5") == ("gpt-5", True, 1)


def test_nothing_is_read_before_a_price_is_asked_for(tmp_path):
    book = Catalogue(tmp_path / "missing.json")

    with pytest.raises(FileNotFoundError):
        book.price("openai", "gpt-5")


SHIPPED = Catalogue()


@pytest.mark.parametrize(
    "provider, model",
    [
        (OPENAI, "gpt-5.6-luna"),
        (OPENAI, "text-embedding-3-small"),
        ("https://api.anthropic.com", "claude-sonnet-4-5-20250929"),
        ("https://generativelanguage.googleapis.com/v1beta/openai", "gemini-2.5-flash"),
        ("https://us-central1-aiplatform.googleapis.com/v1", "gemini-2.5-flash"),
        ("vertex", "gemini-2.5-flash"),
        (
            "https://bedrock-runtime.eu-west-1.amazonaws.com",
            "anthropic.claude-opus-4-1-20250805-v1:0",
        ),
        ("https://x.openai.azure.com/openai/v1", "gpt-4o"),
        ("https://api.groq.com/openai/v1", "openai/gpt-oss-120b"),
        ("https://openrouter.ai/api/v1", "deepseek/deepseek-chat-v3.1"),
        ("https://api.mistral.ai/v1", "mistral-large-latest"),
        ("https://api.deepseek.com", "deepseek-chat"),
        ("https://api.x.ai/v1", "grok-4"),
        ("https://api.together.ai/v1", "meta-llama/llama-3.3-70b-instruct-turbo"),
        ("https://api.cohere.com", "command-a-03-2025"),
        ("voyage", "voyage-3.5"),
    ],
)
def test_what_is_shipped_knows_the_vendors(provider, model):
    price = SHIPPED.price(provider, model)

    assert price is not None
    assert price.input > 0
    assert price.source.startswith("genai-prices ")
    assert price.as_of >= date(2026, 11, 10)


@pytest.mark.parametrize(
    "local", ["lmstudio", "vllm", "offline", "null", "http://localhost:1234/v1"]
)
def test_what_runs_here_is_in_no_list(local):
    assert SHIPPED.price(local, "gpt-5") is None


@pytest.fixture
def facts(tmp_path):
    """A small list of what is known of models."""
    openai = {
        "gpt-4o": "w=1000 o=100 k=o200k +it -a",
        "gpt-4o-2024-05-13": "w=900",
        "ft:gpt-4o-2024-05-13": "w=800 -t",
    }
    vendors = {
        "openai": {"address": r"https://api\.openai\.com", "facts": openai},
        "azure": {"address": "https://azure", "falls_back": ["openai"], "facts": {"o3": "w=7"}},
        "bare": {"address": "https://bare"},
    }
    told = {"source": "a list", "as_of": "2026-11-10"}
    told["vendors"] = {name: {"models": [], **each} for name, each in vendors.items()}
    path = tmp_path / "models.json"
    path.write_text(json.dumps(told))
    return Catalogue(path)


@pytest.mark.parametrize(
    "asked, window, audio",
    [
        ("gpt-4o", 1000, False),
        ("GPT-4o", 1000, False),
        ("gpt-4o-2024-05-13", 900, None),
        ("gpt-4o-20240513", 900, None),
        # What is merely called alike may do what its namesake cannot.
        ("gpt-4o-2025-01-31", 1000, None),
        ("gpt-4o-20250131", 1000, None),
        ("ft:gpt-4o-2024-05-13:me::1a", 800, None),
    ],
)
def test_what_is_known_of_a_model_is_found_by_its_name_and_its_day(facts, asked, window, audio):
    info = facts.info("openai", asked)

    assert (info.name, info.context_window, info.audio) == (asked, window, audio)


@pytest.mark.parametrize(
    "provider, asked",
    [
        ("openai", "gpt-4o-mini"),
        ("openai", "gpt-4o-2025-13-31"),
        ("openai", "gpt-4o-2025-0131"),
        ("openai", "my-gpt-4o"),
        ("openai", "gpt-4o-preview-2025-01-31"),
        ("openai", "gpt-4"),
        ("openai", ""),
        ("bare", "gpt-4o"),
        ("nobody", "gpt-4o"),
        ("http://localhost:8000/v1", "gpt-4o"),
    ],
)
def test_what_is_known_of_one_model_is_never_taken_for_another(facts, provider, asked):
    assert facts.info(provider, asked) is None
    info = ModelInfo(name=asked, tools=False)
    assert facts.complete(provider, info) is info


def test_a_refusal_is_known_by_the_very_name_alone(facts):
    assert facts.info("openai", "ft:gpt-4o-2024-05-13").tools is False
    assert facts.info("openai", "ft:gpt-4o-2024-05-13:me::1a").tools is None
    assert facts.info("azure", "gpt-4o").audio is None
    assert (facts.info("azure", "gpt-4o").context_window, facts.info("azure", "o3")) == (
        1000,
        ModelInfo(name="o3", context_window=7),
    )


def test_what_is_known_already_stays(facts):
    own = ModelInfo(name="gpt-4o", context_window=5, tools=False, embedding_model="e")

    assert facts.complete(OPENAI, own) == ModelInfo(
        name="gpt-4o",
        context_window=5,
        max_output_tokens=100,
        tokenizer="o200k",
        images=True,
        audio=False,
        tools=False,
        embedding_model="e",
    )
    nameless = ModelInfo()
    assert facts.complete(OPENAI, nameless) is nameless
