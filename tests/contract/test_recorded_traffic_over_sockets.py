"""Every recording through the adapter that speaks its format, over a real socket."""

import random
from itertools import pairwise
from typing import Any

import pytest

from fairlead import (
    AnthropicProvider,
    GeminiProvider,
    OllamaProvider,
    OpenAICompatibleProvider,
    OpenAIProvider,
    ProviderError,
    StreamInterruptedError,
    VertexProvider,
)
from fairlead.adapters.providers._http import HttpProvider
from tests.contract import test_recorded_traffic as recorded
from tests.contract.test_recorded_traffic import SEED, WAITS, each, expected_error
from tests.support.answers import Answer, script
from tests.support.recorded import DIALECTS, Record, cut, differences
from tests.support.server import Server

pytestmark = pytest.mark.anyio


def _openai_chat(record: Record, server: Server, **http: Any) -> HttpProvider:
    known = {"dialect": DIALECTS[record.provider]} if record.provider in DIALECTS else {}
    versioned = known["dialect"].versioned if known else True
    return OpenAICompatibleProvider(
        name=record.provider,
        base_url=server.url("/v1" if versioned else ""),
        model="asked",
        embedding_model="asked",
        **known,
        **http,
    )


def _openai_responses(record: Record, server: Server, **http: Any) -> HttpProvider:
    return OpenAIProvider(
        name=record.provider,
        base_url=server.url("/v1"),
        model="asked",
        api_key="k",
        api="responses",
        **http,
    )


def _anthropic(record: Record, server: Server, **http: Any) -> HttpProvider:
    return AnthropicProvider(
        name=record.provider, base_url=server.url("/v1"), model="asked", api_key="k", **http
    )


def _gemini(record: Record, server: Server, **http: Any) -> HttpProvider:
    given = {"api_key": "k", "model": "asked", "name": record.provider, **http}
    if record.provider == "vertexai":
        return VertexProvider(base_url=server.url("/v1"), **given)
    return GeminiProvider(base_url=server.url("/v1beta"), embedding_model="asked", **given)


def _ollama(record: Record, server: Server, **http: Any) -> HttpProvider:
    return OllamaProvider(endpoint=server.url(""), model="asked", embedding_model="asked", **http)


PROVIDERS = {
    "openai.chat": _openai_chat,
    "openai.embeddings": _openai_chat,
    "openai.responses": _openai_responses,
    "mistral.chat": _openai_chat,
    "mistral.embeddings": _openai_chat,
    "anthropic.messages": _anthropic,
    "gemini.generateContent": _gemini,
    "gemini.embed": _gemini,
    "ollama.chat": _ollama,
    "ollama.embed": _ollama,
    "ollama.generate": _ollama,
}
"""Who reads the recordings of each API that an adapter speaks."""


def spoken(found: list[Record]) -> list[Record]:
    """Those of *found* that an adapter speaks the format of."""
    return [record for record in found if record.api in PROVIDERS]


PLAIN, STREAMS = spoken(recorded.PLAIN), spoken(recorded.STREAMS)
ERRORS, EMBEDDINGS = spoken(recorded.ERRORS), spoken(recorded.EMBEDDINGS)


def provider_of(record: Record, server: Server, **http: Any) -> HttpProvider:
    return PROVIDERS[record.api](record, server, **http)


def answer_of(record: Record, pieces: list[bytes]) -> Answer:
    headers = {
        name: value
        for name, value in record.response.headers.items()
        if name.startswith(("retry", "x-", "request-id", "anthropic-"))
    }
    return Answer(
        pieces,
        status=record.response.status,
        content_type=record.response.headers["content-type"],
        headers=tuple(headers.items()),
    )


def cuts(record: Record) -> list[list[bytes]]:
    """As it came, and once at random places."""
    choose = random.Random(f"{SEED}/{record.name}")
    size = len(record.body)
    places = sorted(choose.choices(range(size + 1), k=12))
    ends = [0, *places]
    random_cut = cut(record.body, [b - a for a, b in pairwise(ends)])
    recorded = cut(record.body, record.record["response"].get("chunk_lengths") or [])
    return [list(recorded), list(random_cut)]


@each(PLAIN)
async def test_plain_answer(record, server):
    script(answer_of(record, [record.body]))
    async with provider_of(record, server, wire="plain") as provider:
        if record.succeeds:
            generation = await provider.generate("asked")

            assert not differences(generation, record.expected | _model(record))
        else:
            with pytest.raises(expected_error(record)) as caught:
                await provider.generate("asked")

            assert caught.value.provider == record.provider
            assert caught.value.attempts[-1].outcome == "failed"


@each(STREAMS)
async def test_streamed_answer(record, server):
    async with provider_of(record, server) as provider:
        for pieces in cuts(record):
            script(answer_of(record, pieces))
            if record.succeeds:
                generation = await provider.generate_stream("asked").collect()

                assert not differences(generation, record.expected | _model(record))
            else:
                with pytest.raises(ProviderError) as caught:
                    await provider.generate_stream("asked").collect()

                _check_failure(record, caught.value)


def _check_failure(record: Record, error: ProviderError) -> None:
    committed = isinstance(error, StreamInterruptedError)
    cause = error.__cause__ if committed else error

    assert type(cause) is expected_error(record)
    if committed:
        found = differences(error.partial, record.expected | _model(record))
        assert not found.keys() - {"usage", "finish_reason"}


@each(ERRORS)
async def test_error(record, server):
    script(answer_of(record, [record.body]))
    async with provider_of(record, server) as provider:
        with pytest.raises(expected_error(record)) as caught:
            if "embed" in record.api:
                await provider.embed("asked")
            elif record.stream:
                await provider.generate_stream("asked")
            else:
                await provider.generate("asked")

    assert caught.value.status_code == record.expected["status"]
    assert caught.value.retry_after == WAITS.get(record.name, record.expected["retry_after"])


@each(EMBEDDINGS)
async def test_embeddings(record, server):
    expected = record.expected["embeddings"]
    script(answer_of(record, [record.body]))
    async with provider_of(record, server) as provider:
        call = provider.embed_batch(["asked"] * expected["count"])
        if isinstance(expected["first3"][0][0], list):
            with pytest.raises(ProviderError, match="per token"):
                await call
        else:
            vectors = await call

            assert [len(vector) for vector in vectors] == expected["dims"]
            assert vectors[0][:3].tolist() == pytest.approx(expected["first3"][0])


def _model(record: Record) -> dict[str, str]:
    """Where the vendor does not say which model answered, it is the one that was asked."""
    return {} if record.expected["model"] else {"model": "asked"}


"""Every recording of a format that is read, through an adapter, over a real socket."""


"""Every recording of a format that is read so far through its adapter, over a real socket."""


"""Every recording through the adapter, over a real socket."""
