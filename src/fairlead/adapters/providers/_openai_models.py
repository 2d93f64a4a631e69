"""A provider of OpenAI's models, which can be asked in two formats."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

from ...core.models import ModelInfo
from ...wire.openai_chat import OPENAI, rule_for
from ...wire.openai_responses import OpenAIResponsesCodec, prefers_responses
from ._arguments import check_choice
from ._chat_completions import ChatCompletionsProvider

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from ...core.requests import GenerateRequest
    from ...wire.codec import Codec
    from ...wire.openai_chat import Dialect
    from ._http import HttpOptions

API: TypeAlias = Literal["auto", "chat", "responses"]
_TOKENIZERS = (
    ("cl100k", re.compile(r"gpt-(4|4-.*|3\.5.*)|text-embedding-.*")),
    ("o200k", re.compile(r"(gpt-(4o|4\.1|4\.5|5)|chatgpt-4o|o[134](?![^-])).*")),
)
"""The families whose models are known by name. Of others nobody has said how they count."""


class OpenAIModelsProvider(ChatCompletionsProvider):
    """
    What all vendors have in common that serve OpenAI's models.

    Args:
        name: The provider's name.
        dialect: How the vendor's speech differs from OpenAI's.
        base_url: The vendor's address.
        model: The model that answers unless a call names another.
        embedding_model: The model that embeds unless a call names another.
        api: The format: `"chat"` completions, `"responses"`, or `"auto"`, by the model.
        api_key: The key.
        headers: More headers for every request.
        http: See `HttpOptions`.

    Raises:
        ConfigurationError: One of them is not usable.
        TypeError: One is of the wrong kind, or there is no such argument.
    """

    def __init__(
        self,
        *,
        name: str,
        dialect: Dialect,
        base_url: str,
        model: str,
        embedding_model: str | None,
        api: API,
        api_key: str | None,
        headers: Mapping[str, str] | None = None,
        **http: Unpack[HttpOptions],
    ) -> None:
        check_choice("api", api, ("auto", "chat", "responses"))
        self._api = api
        self._embedding_model = embedding_model
        self._dialect = dialect
        self._responses = OpenAIResponsesCodec(dialect)
        super().__init__(
            name=name,
            dialect=dialect,
            base_url=base_url,
            model=model_info(model, embedding_model),
            api_key=api_key,
            headers=headers,
            **http,
        )

    def _codec_for(self, request: GenerateRequest) -> Codec:
        if self._api == "chat":
            return self._codec
        if self._api == "responses" or prefers_responses(request.model or "", self._dialect):
            return self._responses
        return self._codec

    def _kind(self) -> str:
        kind = super()._kind()
        return kind if self._api == "auto" else f"{kind} {self._api}"

    def _model_named(self, name: str) -> ModelInfo:
        return model_info(name, self._embedding_model)


@lru_cache(maxsize=256)
def model_info(model: str, embedding_model: str | None) -> ModelInfo:
    """What is known of *model* by its name."""
    effort = rule_for(model, OPENAI.rules).effort
    return ModelInfo(
        name=model,
        tokenizer=next((family for family, names in _TOKENIZERS if names.fullmatch(model)), None),
        reasoning=effort not in {None, "none"},
        embedding_model=embedding_model,
    )
