"""Models served by vLLM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....core.models import ModelInfo
from ....wire.openai_chat import Dialect
from .._chat_completions import ChatCompletionsProvider
from .._http import check_options

if TYPE_CHECKING:
    from typing import Unpack

    from .._http import HttpOptions


VLLM = Dialect(name="vllm", embeddings="base64")


class VLLMProvider(ChatCompletionsProvider):
    """
    vLLM, over its OpenAI-compatible API.

    Args:
        model: The model that the server was started with.
        base_url: The server's address.
        api_key: The server's key, if it was started with one.
        embedding_model: The model that embeds unless a call names another.
        name: What the provider is called in results, errors and `extra`.
        http: See `HttpOptions`.

    Raises:
        ConfigurationError: *base_url* is not usable.
    """

    def __init__(
        self,
        *,
        model: str,
        base_url: str = "http://localhost:8000/v1",
        api_key: str | None = None,
        embedding_model: str | None = None,
        name: str = "vllm",
        **http: Unpack[HttpOptions],
    ) -> None:
        super().__init__(
            name=name,
            dialect=VLLM,
            base_url=base_url,
            model=ModelInfo(name=model, embedding_model=embedding_model),
            api_key=api_key,
            **check_options(type(self), http),
        )
