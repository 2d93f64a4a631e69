"""
How well tokens are estimated, measured.

The texts in `tests/support/texts` stand beside what tiktoken counted in them; the page in the
documentation shows what this measures. Where the vocabularies are at hand (`TIKTOKEN_CACHE_DIR`),
the counts are counted again.
"""

import json
import re
from pathlib import Path

import pytest

from fairlead.adapters.tokenizers.tiktoken import load
from fairlead.core.requests import EmbedRequest
from fairlead.core.tokens import FAMILIES, count_request, estimate, most_tokens
from fairlead.wire.openai_chat.mirror.requests import decode_request
from tests.support.recorded import TRAFFIC

ROOT = Path(__file__).parents[3]
TEXTS = ROOT / "tests/support/texts"
PAGE = ROOT / "docs/explanation/token-counts.md"
COUNTED = json.loads((TEXTS / "counts.json").read_text("utf-8"))
MEASURED = ("o200k", "cl100k")


def text_of(kind):
    return (TEXTS / f"{kind}.txt").read_bytes().decode()


def error_of(kind, family):
    """By how much the estimate is off, as a share of what tiktoken counts."""
    return estimate(text_of(kind), family) / COUNTED[kind][family] - 1


def test_every_text_has_been_counted():
    assert {path.stem for path in TEXTS.glob("*.txt")} == COUNTED.keys()


@pytest.mark.parametrize("family", MEASURED)
def test_the_texts_still_have_what_was_counted(family):
    tokenizer = load(family)
    if tokenizer is None:
        pytest.skip(f"the vocabulary of {family} is not here: fairlead tokens fetch")

    counted = {kind: tokenizer.count(text_of(kind)) for kind in COUNTED}

    assert counted == {kind: counts[family] for kind, counts in COUNTED.items()}


def test_the_page_shows_what_is_measured():
    shown = re.findall(
        r"^\| ([\w ]+?) +\| +(\d+) \| +(\d+) \| +([+-]\d+) % \| +([+-]\d+) % \| +([+-]\d+) % \|$",
        PAGE.read_text("utf-8"),
        re.MULTILINE,
    )
    measured = [
        (
            kind.replace("_", " "),
            str(len(text_of(kind))),
            str(counts["o200k"]),
            f"{error_of(kind, 'o200k') * 100:+.0f}",
            f"{error_of(kind, 'cl100k') * 100:+.0f}",
            f"{(len(text_of(kind)) / 4 / counts['o200k'] - 1) * 100:+.0f}",
        )
        for kind, counts in COUNTED.items()
    ]

    assert sorted(shown) == sorted(measured)


ODD = {"random_letters", "mathematics"}
"""What no weights of kinds of characters can tell apart from words."""


@pytest.mark.parametrize("family, mean, most", [("o200k", 0.125, 0.28), ("cl100k", 0.145, 0.31)])
def test_the_error_is_as_small_as_the_page_says(family, mean, most):
    errors = [abs(error_of(kind, family)) for kind in COUNTED if kind not in ODD]

    assert sum(errors) / len(errors) < mean
    assert max(errors) < most


def test_it_is_a_good_deal_better_than_characters_divided_by_four():
    ours = [abs(error_of(kind, "o200k")) for kind in COUNTED]
    naive = [abs(len(text_of(kind)) / 4 / COUNTED[kind]["o200k"] - 1) for kind in COUNTED]

    assert sum(ours) < sum(naive) / 2


@pytest.mark.parametrize("family", MEASURED)
@pytest.mark.parametrize("kind", COUNTED)
def test_no_text_has_more_tokens_than_bytes(kind, family):
    bound = most_tokens(EmbedRequest(texts=(text_of(kind),)))

    assert COUNTED[kind][family] <= len(text_of(kind).encode()) < bound


def recorded_prompts():
    """Requests of recorded calls, with how many tokens of input the vendor counted."""
    for path in sorted(TRAFFIC.glob("open/*.json")):
        record = json.loads(path.read_text("utf-8"))
        if record.get("api") != "openai.chat" or not record["request"].get("body"):
            continue
        told = json.loads((path.parent / "expected" / path.name).read_text("utf-8"))
        counted = (told.get("usage") or {}).get("input")
        request = decode_request(json.dumps(record["request"]["body"]).encode()).request
        searches = record["request"]["body"].get("model") == "compound-beta"
        if counted and not searches:  # whose results are the vendor's own words
            yield pytest.param(record["provider"], request, counted, id=path.stem)


PROMPTS = list(recorded_prompts())


@pytest.mark.skipif(not PROMPTS, reason="there is no recorded traffic beside the project")
def test_there_are_recorded_prompts_of_many_vendors():
    assert len({prompt.values[0] for prompt in PROMPTS}) >= 12


@pytest.mark.parametrize("provider, request_, counted", PROMPTS)
def test_no_recorded_prompt_had_more_than_its_bound(provider, request_, counted):
    bound = most_tokens(request_)

    assert bound is None or counted <= bound


def openai_without_tools():
    for prompt in PROMPTS:
        provider, request, _ = prompt.values
        plain = not request.tools and not request.schema and not request.extra
        if provider in {"openai", "azure"} and plain and most_tokens(request) is not None:
            yield prompt


@pytest.mark.parametrize("provider, request_, counted", list(openai_without_tools()))
def test_the_frame_of_a_chat_is_as_recorded(provider, request_, counted):
    tokenizer = load("o200k")
    if tokenizer is None:
        pytest.skip("the vocabulary of o200k is not here: fairlead tokens fetch")

    assert count_request(request_, "o200k", tokenizer) == counted


def test_families_that_are_known_are_those_of_the_page():
    page = PAGE.read_text("utf-8")

    assert all(f"`{family}`" in page for family in FAMILIES)
