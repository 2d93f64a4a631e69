"""
Golden invoices: what an answer costs by our reading of it, and by that of genai-prices.

Theirs comes from the raw body by their own extractor and prices, ours from the normal form and the
catalogue. Whatever codec is in `recorded.CODECS` is held to it.
"""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from fairlead.adapters.catalogue import Catalogue
from tests.support.invoices import AT, decoded, invoice
from tests.support.recorded import CODECS, TRAFFIC, Record, records

HERE = Path(__file__).parent / "invoices"
OWN = [
    Record(path.stem, told["record"], told["expected"])
    for path in sorted(HERE.glob("*.json"))
    if (told := json.loads(path.read_text("utf-8")))
]
PRICED = [api for api in CODECS if not api.startswith("ollama.")]
"""Nobody bills what runs on one's own machine, and genai-prices reads no lines."""
RECORDED = [
    record
    for record in records(*PRICED)
    if record.succeeds and record.response.status < 400 and record.expected["usage"] is not None
]
BOOK = Catalogue()

_LISTED_ELSEWHERE = "routers of Hugging Face are left out of the catalogue: too many, too seldom"
_CHAT_ALONE = "genai-prices reads the usage of this vendor from Chat Completions alone"
DIFFERENCES = {
    "pydantic-ai.deepseek.responses.test_deepseek_responses_function_tool_stream_.2": (
        "0.000017952",
        _CHAT_ALONE,
    ),
    "pydantic-ai.deepseek.responses.test_deepseek_responses_replay_own_reasoning_history.1": (
        "0.000032184",
        _CHAT_ALONE,
    ),
    "pydantic-ai.huggingface.chat.test_cancel_recorded_provider_stream_huggingface_.1": (
        None,
        _LISTED_ELSEWHERE,
    ),
    "pydantic-ai.huggingface.chat.test_image_url_input.1": (None, _LISTED_ELSEWHERE),
    "openinference.together.chat.test_async_chat.1": (
        "0.00007744",
        "genai-prices knows Together at api.together.xyz alone, and it has moved to .ai",
    ),
    "deepseek-cache-names": (
        "0.0000692",
        (
            "the cached tokens are told as prompt_cache_hit_tokens alone; genai-prices reads only "
            "the other name that DeepSeek has for them"
        ),
    ),
    "pydantic-ai.gemini.generateContent.test_google_model_safety_settings.1": (
        None,
        "nothing was answered, and Google leaves out what is 0: of the output nothing is told",
    ),
}
"""What we reckon where we differ, and why."""
PER_TOKEN = {"llama-cpp-python.embeddings", "llama-cpp-python.embeddings_base64"}
"""One vector for each token, which is no answer."""


def amount(record):
    usage, model, tier = decoded(record)
    price = BOOK.price(record.record["request"]["url"], model or "")
    cost = price and price.cost(usage, at=AT, service_tier=tier)
    return cost and cost.amount


@pytest.mark.parametrize("record", OWN, ids=str)
def test_own_records_cost_what_is_written_beside_them(record):
    expected = record.expected["cost"]

    assert amount(record) == (None if expected is None else Decimal(expected))
    agrees(record)


@pytest.mark.parametrize(
    "record",
    RECORDED
    or [pytest.param(None, marks=pytest.mark.skip(reason=f"no traffic in {TRAFFIC.name}/"))],
    ids=str,
)
def test_recorded_traffic_costs_what_genai_prices_says(record):
    if record.name in PER_TOKEN:
        pytest.skip("it is no answer")
    agrees(record)


def agrees(record):
    ours, theirs = amount(record), invoice(record).amount
    if record.name not in DIFFERENCES:
        assert ours == theirs
        return
    expected, why = DIFFERENCES[record.name]
    assert why
    assert ours == (None if expected is None else Decimal(expected))
    assert ours != theirs, "there is no difference any more; take it off the list"


def test_the_records_are_not_all_unpriced():
    if not RECORDED:
        pytest.skip(f"no traffic in {TRAFFIC.name}/")
    told = [record for record in RECORDED if record.name not in PER_TOKEN]

    assert sum(amount(record) is not None for record in told) >= 25
    assert {record.name for record in told if record.stream and amount(record)}
    assert {record.name for record in told if "embeddings" in record.api and amount(record)}
