"""A model on this machine, served by LM Studio."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....core.models import ModelInfo
from ....wire.openai_chat import Dialect
from .._arguments import check_key, check_text
from .._chat_completions import ChatCompletionsProvider
from .._http import check_options

if TYPE_CHECKING:
    from typing import Unpack

    from .._http import HttpOptions


LMSTUDIO = Dialect(name="lmstudio")


class LMStudioProvider(ChatCompletionsProvider):
    """
    LM Studio, over its OpenAI-compatible API.

    Args:
        model: The model's key; LM Studio loads it when it is first asked.
        endpoint: The server's address.
        api_token: The server's token, if it wants one.
        embedding_model: The model that embeds unless a call names another.
        name: What the provider is called in results, errors and `extra`.
        http: See `HttpOptions`.

    Raises:
        ConfigurationError: *endpoint* is not usable.
    """

    def __init__(
        self,
        *,
        model: str = "default",
        endpoint: str = "http://127.0.0.1:1234",
        api_token: str | None = None,
        embedding_model: str | None = None,
        name: str = "lmstudio",
        **http: Unpack[HttpOptions],
    ) -> None:
        check_text("endpoint", endpoint, "give the server's address")
        check_key("api_token", api_token)
        super().__init__(
            name=name,
            dialect=LMSTUDIO,
            base_url=endpoint,
            model=ModelInfo(name=model, embedding_model=embedding_model),
            api_key=api_token,
            **check_options(type(self), http),
        )
