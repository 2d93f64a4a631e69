"""What users of the synchronous side write, as type checkers see it. Never executed."""

from __future__ import annotations

from typing import assert_type

from fairlead import Embedding, Embeddings, Generation, OfflineProvider, ProviderPort, StreamEvent
from fairlead.services.web import ServerSentEvents, to_sse
from fairlead.sync import (
    SyncProvider,
    SyncStream,
    complete,
    embed,
    get_provider,
    open_provider,
    reset_provider_cache,
)


def every_operation(provider: SyncProvider) -> None:
    assert_type(provider.generate("Explain ports.", temperature=0.2), Generation)
    assert_type(provider.complete("Explain ports."), Generation)
    assert_type(provider.embed("one"), Embedding)
    assert_type(provider.embed(["one", "two"]), Embeddings)
    assert_type(provider.embed_batch(["one", "two"]), Embeddings)
    for text in provider.generate_stream("Explain ports."):
        assert_type(text, str)
    with provider.generate_stream("Explain ports.") as stream:
        assert_type(stream, SyncStream)
        for event in stream.events():
            assert_type(event, StreamEvent)
        assert_type(stream.generation, Generation)
    assert_type(provider.generate_stream("Explain ports.").collect(), Generation)
    provider.generate("hi", temprature=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def the_functions() -> None:
    assert_type(complete("hi", provider_type="openai", max_tokens=5), Generation)
    assert_type(embed("hi"), Embedding)
    assert_type(embed(("hi", "there")), Embeddings)
    assert_type(get_provider(), SyncProvider)
    reset_provider_cache()
    with open_provider("offline") as provider, SyncProvider(OfflineProvider()) as other:
        assert_type(provider, SyncProvider)
        assert_type(other, SyncProvider)


async def coroutines(provider: SyncProvider) -> None:
    assert_type(await provider.acomplete("hi"), Generation)
    assert_type(await provider.aembed("hi"), Embedding)
    assert_type(await provider.aembed(["hi"]), Embeddings)


async def to_a_browser(provider: ProviderPort) -> None:
    body = to_sse(provider.generate_stream("hi"))
    assert_type(body, ServerSentEvents)
    async for piece in body:
        assert_type(piece, bytes)
    to_sse(await provider.generate_stream("hi"), keep_alive=None)
