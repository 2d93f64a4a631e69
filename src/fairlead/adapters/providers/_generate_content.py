"""A provider that speaks Google's generateContent."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ...core.models import ModelInfo
from ...core.requests import generate_request
from ...wire.gemini import GeminiCodec, GeminiDialect, rule_for
from ...wire.http import ERROR
from ._arguments import check_headers, check_text
from ._http import HttpProvider

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from ...core.messages import Prompt
    from ...core.results import TokenCount
    from ...wire.codec import Encoded
    from ...wire.http import WireResponse
    from ._http import HttpOptions

COUNT_SECONDS = 10.0
"""How long counting tokens may take."""


class GenerateContentProvider(HttpProvider):
    """
    What Gemini's own API and Vertex AI have in common. An `ExactTokenCounter`.

    Args:
        name: The provider's name.
        dialect: How the vendor's speech differs from the other's.
        base_url: The address that the codec's paths are appended to.
        model: The model that answers unless a call names another.
        embedding_model: The model that embeds unless a call names another.
        batch: How many texts, and how many tokens, one request for vectors may have; None is not
            known.
        headers: Credentials and whatever else goes with every request.
        http: See `HttpOptions`.

    Raises:
        ConfigurationError: One of them is not usable.
        TypeError: One is of the wrong kind, or there is no such argument.
    """

    def __init__(
        self,
        *,
        name: str,
        dialect: GeminiDialect,
        base_url: str,
        model: str,
        embedding_model: str | None,
        batch: tuple[int, int | None],
        headers: Mapping[str, str],
        **http: Unpack[HttpOptions],
    ) -> None:
        check_text("model", model, "name the model that is to answer")
        if embedding_model is not None:
            check_text("embedding_model", embedding_model)
        check_text("base_url", base_url, "give the server's address")
        check_headers(headers)
        self._gemini = GeminiCodec(dialect)
        self._embeds_with = embedding_model
        self._batch = batch
        super().__init__(
            name=name,
            model=_info(model, embedding_model, batch),
            codec=self._gemini,
            base_url=base_url,
            headers=headers,
            **http,
        )

    async def count_tokens_exact(self, prompt: Prompt) -> TokenCount:
        """
        How many tokens *prompt* has for the default model, asked of the vendor within 10 s.

        It costs nothing, and counts pictures, sound and files too.

        Raises:
            ProviderError: It could not be asked, or does not tell.
        """
        return await self._count(prompt, within=COUNT_SECONDS)

    async def _count(self, prompt: Prompt, *, within: float) -> TokenCount:
        request, _ = generate_request(prompt, {"model": self._model.name})
        response = await self._ask_once(self._gemini.encode_count(request), within=within)
        return self._understood(lambda: self._gemini.decode_count(response))

    async def _ask_once(self, encoded: Encoded, *, within: float) -> WireResponse:
        """The answer to a question that belongs to no call."""
        request = self._request(encoded)
        response = await self._engine.send(request, connect=self._limits.connect, within=within)
        if response.status >= ERROR:
            raise self._failure(response, request.url)
        return response

    def _model_named(self, name: str) -> ModelInfo:
        return _info(name, self._embeds_with, self._batch)


@lru_cache(maxsize=256)
def _info(model: str, embedding_model: str | None, batch: tuple[int, int | None]) -> ModelInfo:
    return ModelInfo(
        name=model,
        tokenizer="gemini",
        reasoning=rule_for(model).thinks,
        embedding_model=embedding_model,
        max_batch_items=batch[0],
        max_batch_tokens=batch[1],
    )
