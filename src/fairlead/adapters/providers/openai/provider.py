"""OpenAI's own API."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from ....core.errors import ConfigurationError
from ....core.models import ModelInfo
from ....wire.openai_chat import OPENAI, rule_for
from .._chat_completions import ChatCompletionsProvider

if TYPE_CHECKING:
    from typing import Unpack

    from .._http import HttpOptions

BASE_URL = "https://api.openai.com/v1"
MODEL = "gpt-5.6-luna"
EMBEDDING_MODEL = "text-embedding-3-small"
_CL100K = re.compile(r"gpt-(4|4-.*|3\.5.*)|text-embedding-.*")


class OpenAIProvider(ChatCompletionsProvider):
    """
    OpenAI, over Chat Completions.

    Args:
        api_key: Your key; if there is none, that in `OPENAI_API_KEY`.
        model: The model that answers unless a call names another.
        embedding_model: The model that embeds unless a call names another.
        organization: The organization that pays, if the key belongs to several.
        project: The project that pays, likewise.
        base_url: Another address that speaks exactly as OpenAI does, such as a proxy.
        http: See `HttpOptions`.

    Raises:
        ConfigurationError: There is no key, or *base_url* is not usable.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        model: str = MODEL,
        embedding_model: str | None = EMBEDDING_MODEL,
        organization: str | None = None,
        project: str | None = None,
        base_url: str = BASE_URL,
        **http: Unpack[HttpOptions],
    ) -> None:
        key = api_key or os.environ.get("OPENAI_API_KEY")
        if not key:
            msg = "OpenAI needs a key: give api_key=, or set OPENAI_API_KEY"
            raise ConfigurationError(msg)
        account = {"openai-organization": organization, "openai-project": project}
        self._embedding_model = embedding_model
        super().__init__(
            name="openai",
            dialect=OPENAI,
            base_url=base_url,
            model=self._info(model),
            api_key=key,
            headers={name: value for name, value in account.items() if value},
            **http,
        )

    def _model_named(self, name: str) -> ModelInfo:
        return self._info(name)

    def _info(self, model: str) -> ModelInfo:
        effort = rule_for(str(model), OPENAI.rules).effort
        return ModelInfo(
            name=model,
            tokenizer="cl100k" if _CL100K.fullmatch(str(model)) else "o200k",
            reasoning=effort not in {None, "none"},
            embedding_model=self._embedding_model,
        )
