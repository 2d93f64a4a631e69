"""OpenAI's own API."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from ....core.errors import ConfigurationError
from ....core.models import ModelInfo
from ....wire.openai_chat import OPENAI, rule_for
from .._arguments import check_key, check_kind, check_text
from .._chat_completions import ChatCompletionsProvider
from .._http import check_options

if TYPE_CHECKING:
    from typing import Unpack

    from .._http import HttpOptions

BASE_URL = "https://api.openai.com/v1"
MODEL = "gpt-5.6-luna"
EMBEDDING_MODEL = "text-embedding-3-small"
_EMBEDS = "text-embedding-"
_TOKENIZERS = (
    ("cl100k", re.compile(r"gpt-(4|4-.*|3\.5.*)|text-embedding-.*")),
    ("o200k", re.compile(r"(gpt-(4o|4\.1|4\.5|5)|chatgpt-4o|o[134](?![^-])).*")),
)
"""The families whose models are known by name. Of others nobody has said how they count."""


class OpenAIProvider(ChatCompletionsProvider):
    """
    OpenAI, over Chat Completions.

    Args:
        api_key: Your key; if there is none, that in `OPENAI_API_KEY`.
        model: The model that answers unless a call names another.
        embedding_model: The model that embeds unless a call names another; *model* itself where
            that is one.
        organization: The organization that pays, if the key belongs to several.
        project: The project that pays, likewise.
        base_url: Another address that speaks exactly as OpenAI does, such as a proxy.
        name: What the provider is called in results, errors and `extra`.
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
        name: str = "openai",
        **http: Unpack[HttpOptions],
    ) -> None:
        key = api_key
        if not key:
            key = os.environ.get("OPENAI_API_KEY")
            check_key("OPENAI_API_KEY", key)
        if not key:
            msg = "OpenAI needs a key: give api_key=, or set OPENAI_API_KEY"
            raise ConfigurationError(msg)
        check_kind("model", model, str)
        if embedding_model is not None:
            check_kind("embedding_model", embedding_model, str)
        for argument, value in {"organization": organization, "project": project}.items():
            if value:
                check_text(argument, value)
        if embedding_model == EMBEDDING_MODEL and model.startswith(_EMBEDS):
            embedding_model = model
        account = {"openai-organization": organization, "openai-project": project}
        self._embedding_model = embedding_model
        super().__init__(
            name=name,
            dialect=OPENAI,
            base_url=base_url,
            model=_info(model, embedding_model),
            api_key=key,
            headers={name: value for name, value in account.items() if value},
            **check_options(type(self), http),
        )

    def _model_named(self, name: str) -> ModelInfo:
        return _info(name, self._embedding_model)


@lru_cache(maxsize=256)
def _info(model: str, embedding_model: str | None) -> ModelInfo:
    effort = rule_for(model, OPENAI.rules).effort
    return ModelInfo(
        name=model,
        tokenizer=next((family for family, names in _TOKENIZERS if names.fullmatch(model)), None),
        reasoning=effort not in {None, "none"},
        embedding_model=embedding_model,
    )
