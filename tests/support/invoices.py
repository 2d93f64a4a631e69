"""What a recorded answer costs, reckoned from its raw body by genai-prices alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from genai_prices import types
from genai_prices.data_snapshot import get_snapshot

from fairlead.core.requests import EmbedRequest
from fairlead.core.usage import Usage
from tests.support.recorded import Record, plain, streamed

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
"""When everything was asked: recordings do not say."""

_AXES = {"fast": "speed"}
"""What genai-prices calls the axis that a tier is on, where it is another."""


@dataclass(frozen=True)
class Invoice:
    """What is charged for, and for how much."""

    model: str
    tier: str | None
    amount: Decimal | None
    """None where genai-prices does not know the vendor, the model, or what is charged for."""


def invoice(record: Record) -> Invoice:
    """What *record* costs, in the vendor's words alone."""
    body, kept = _body(record)
    address, flavor = record.record["request"]["url"], record.api.partition(".")[2]
    model = str(kept.get("model") or kept.get("modelVersion") or "")
    tier = kept.get("service_tier")
    snapshot = get_snapshot()
    try:
        vendor = snapshot.find_provider(None, None, address)
        flavors = {each.api_flavor: each for each in vendor.extractors or ()}
        extractor = flavors.get(flavor) or flavors["default"]
        _, usage = extractor.extract(body)
        _, found = snapshot.find_provider_model(model, vendor, None, None)
        paid = found.calc_price(
            usage,
            vendor,
            genai_request_timestamp=AT,
            price_context={_AXES.get(tier, "service_tier"): tier} if tier else None,
        )
    except (LookupError, ValueError):
        return Invoice(model, tier, None)
    return Invoice(model, tier, paid.total_price if _is_charged(found) else None)


def decoded(record: Record) -> tuple[Usage | None, str | None, str | None]:
    """The usage, the model and the service tier that our codec makes of *record*."""
    codec = record.codec()
    if record.expected["kind"] == "embedding":
        request = EmbedRequest(texts=("x",) * record.expected["embeddings"]["count"], model="m")
        vectors = codec.decode_embed(record.response, request)
        return vectors.usage, vectors.model, None
    if record.stream:
        generation, _ = streamed(codec, [record.body])
    else:
        generation = plain(codec, record.response)
    return (
        generation.usage,
        generation.model,
        generation.metadata.details.get("service_tier"),
    )


def _is_charged(model: Any) -> bool:
    """Whether it has a rate for tokens at all."""
    prices = model.prices if isinstance(model.prices, list) else [model]
    kept = [each.prices for each in prices]
    return any(isinstance(each, types.ModelPrice) and each.input_mtok is not None for each in kept)


def _body(record: Record) -> tuple[dict[str, Any], dict[str, Any]]:
    """What holds the usage, and all that the body or the chunks of a stream tell together."""
    text = record.body.decode()
    if not record.stream or text.lstrip().startswith("{"):
        told = json.loads(text)
        return told, _tiered(told)
    chunks: list[dict[str, Any]] = json.loads(text) if text.lstrip().startswith("[") else []
    closing: dict[str, Any] = {}
    for line in text.replace("\r", "\n").split("\n"):
        if line.startswith("data:") and (data := line[5:].strip()) not in {"", "[DONE]"}:
            chunks.append(json.loads(data))
            closing = chunks[-1].get("response") or closing
    if closing:
        return closing, closing
    last: dict[str, Any] = {}
    kept: dict[str, Any] = {}
    for event in chunks:
        chunk = event["message"] if event.get("type") == "message_start" else event
        for name in ("model", "modelVersion", "service_tier"):
            if chunk.get(name) and name not in kept:
                kept[name] = chunk[name]
        usage = chunk.get("usage") or (chunk.get("x_groq") or {}).get("usage")
        if usage and chunk.get("type") in {"message", "message_delta"}:
            # Each tells what has changed since the one before.
            usage = {**last.get("usage", {}), **usage}
        if usage:
            last = {**chunk, "usage": usage}
        elif chunk.get("usageMetadata"):
            last = chunk
    return {**kept, **last}, _tiered({**last, **kept})


def _tiered(told: dict[str, Any]) -> dict[str, Any]:
    """*told*, with Anthropic's other word for a service tier."""
    fast = (told.get("usage") or {}).get("speed") == "fast"
    return {**told, "service_tier": "fast"} if fast else told
