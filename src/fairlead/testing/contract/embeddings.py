"""Vectors."""

from __future__ import annotations

import pickle
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

import pytest

from ...core.embeddings import Embedding, Embeddings
from ...core.errors import InvalidRequestError, UnsupportedOperationError
from ...core.journal import Outcome
from ._base import ContractBase

if TYPE_CHECKING:
    from ...core.provider import ProviderPort

_TEXTS = ["one fish", "two fish", "red fish", "blue fish"]


class EmbeddingContract(ContractBase):
    """`embed()` and `embed_batch()`."""

    @pytest.fixture
    async def embedding(self, provider: ProviderPort) -> AsyncGenerator[ProviderPort, None]:
        if not self.embeds:
            pytest.skip("it has no vectors")
        yield provider

    async def test_one_text_has_a_flat_vector(self, embedding: ProviderPort) -> None:
        vector = await embedding.embed("one fish", request_id="mine")

        assert isinstance(vector, Embedding)
        assert len(vector) > 0
        assert all(type(number) is float for number in vector)
        assert vector.metadata is not None
        assert vector.metadata.provider == (self.answers_as or embedding.name)
        assert vector.metadata.space.model
        assert vector.metadata.space.dimensions == len(vector)
        assert vector.metadata.request_id == "mine"

    async def test_many_texts_have_vectors_in_their_order(self, embedding: ProviderPort) -> None:
        vectors = await embedding.embed_batch(_TEXTS)
        alone = [await embedding.embed(text) for text in _TEXTS]

        assert isinstance(vectors, Embeddings)
        assert len(vectors) == len(_TEXTS)
        assert [v.tolist() for v in vectors] == [pytest.approx(v.tolist()) for v in alone]

    async def test_vectors_come_with_one_success(self, embedding: ProviderPort) -> None:
        metadata = (await embedding.embed_batch(_TEXTS)).metadata

        assert [attempt.outcome for attempt in metadata.journal] == [Outcome.SUCCEEDED]
        assert (metadata.usage is not None) is self.reports_usage

    async def test_a_bare_string_is_no_sequence_of_texts(self, embedding: ProviderPort) -> None:
        with pytest.raises(TypeError, match=r"embed\(text\)"):
            await embedding.embed_batch("one fish")

    @pytest.mark.parametrize("texts", [[1], [b"one"], [None], ["one", ["two"]]], ids=repr)
    async def test_texts_of_the_wrong_type_are_refused(
        self, embedding: ProviderPort, texts: Any
    ) -> None:
        with pytest.raises(TypeError):
            await embedding.embed_batch(texts)
        with pytest.raises(TypeError):
            await embedding.embed(texts)

    async def test_an_empty_text_is_refused(self, embedding: ProviderPort) -> None:
        with pytest.raises(InvalidRequestError):
            await embedding.embed("")
        with pytest.raises(InvalidRequestError, match="1"):
            await embedding.embed_batch(["one", ""])

    async def test_an_unknown_option_of_vectors_is_named(self, embedding: ProviderPort) -> None:
        options: Any = {"dimension": 3}
        with pytest.raises(TypeError, match=r"'dimension'.*'dimensions'"):
            await embedding.embed("one fish", **options)

    async def test_vectors_can_be_pickled(self, embedding: ProviderPort) -> None:
        vectors = await embedding.embed_batch(_TEXTS)
        restored = pickle.loads(pickle.dumps(vectors))  # noqa: S301 - our own

        assert restored == vectors
        assert restored.metadata == vectors.metadata

    async def test_without_vectors_it_says_so(self, provider: ProviderPort) -> None:
        if self.embeds:
            pytest.skip("it has vectors")
        with pytest.raises(UnsupportedOperationError):
            await provider.embed("one fish")
