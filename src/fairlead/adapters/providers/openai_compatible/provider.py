"""Any server that speaks OpenAI's Chat Completions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....core.models import ModelInfo
from ....wire.openai_chat import Dialect
from .._chat_completions import ChatCompletionsProvider
from .._http import check_options

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from .._http import HttpOptions


COMPATIBLE = Dialect(name="openai-compatible")


class OpenAICompatibleProvider(ChatCompletionsProvider):
    """
    Any server that speaks Chat Completions: vLLM, llama.cpp, LM Studio, Ollama's `/v1`, a proxy.

    Args:
        base_url: The server's address, such as `http://localhost:8000/v1`; where it has no path,
            `/v1` is appended.
        model: The model that answers unless a call names another.
        api_key: A key, if the server wants one.
        embedding_model: The model that embeds unless a call names another.
        name: What the provider is called in results, errors and `extra`.
        headers: More headers for every request.
        info: What is known of the model, where its name alone does not tell.
        dialect: How the server's speech differs from the common one.
        http: See `HttpOptions`.

    Raises:
        ConfigurationError: *base_url* or a header is not usable.
    """

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        api_key: str | None = None,
        embedding_model: str | None = None,
        name: str = "openai-compatible",
        headers: Mapping[str, str] | None = None,
        info: ModelInfo | None = None,
        dialect: Dialect = COMPATIBLE,
        **http: Unpack[HttpOptions],
    ) -> None:
        super().__init__(
            name=name,
            dialect=dialect,
            base_url=base_url,
            model=info or ModelInfo(name=model, embedding_model=embedding_model),
            api_key=api_key,
            headers=headers,
            **check_options(type(self), http),
        )
