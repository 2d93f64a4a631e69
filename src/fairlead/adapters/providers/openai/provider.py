"""OpenAI's own API."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ....core.errors import ConfigurationError
from ....wire.openai_chat import OPENAI
from .._arguments import check_key, check_kind, check_text
from .._http import check_options
from .._openai_models import OpenAIModelsProvider

if TYPE_CHECKING:
    from typing import Unpack

    from .._http import HttpOptions
    from .._openai_models import API

BASE_URL = "https://api.openai.com/v1"
MODEL = "gpt-5.6-luna"
EMBEDDING_MODEL = "text-embedding-3-small"
_EMBEDS = "text-embedding-"


class OpenAIProvider(OpenAIModelsProvider):
    """
    OpenAI, over Chat Completions and Responses.

    Args:
        api_key: Your key; if there is none, that in `OPENAI_API_KEY`.
        model: The model that answers unless a call names another.
        embedding_model: The model that embeds unless a call names another; *model* itself where
            that is one.
        organization: The organization that pays, if the key belongs to several.
        project: The project that pays, likewise.
        api: The format: `"chat"` completions, `"responses"`, or `"auto"`: Responses for models that
            take tools over Chat Completions only while they do not reason, or cannot be asked so
            at all, and Chat Completions for all others.
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
        api: API = "auto",
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
        super().__init__(
            name=name,
            dialect=OPENAI,
            base_url=base_url,
            model=model,
            embedding_model=embedding_model,
            api=api,
            api_key=key,
            headers={name: value for name, value in account.items() if value},
            **check_options(type(self), http),
        )
