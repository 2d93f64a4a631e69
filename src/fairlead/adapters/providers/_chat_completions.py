"""A provider that speaks Chat Completions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.models import ModelInfo
from ...wire.openai_chat import Dialect, OpenAIChatCodec
from ._arguments import check_headers, check_key, check_kind, check_text
from ._models import ModelLister

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from ._http import HttpOptions


class ChatCompletionsProvider(ModelLister):
    """
    What all servers have in common that speak OpenAI's Chat Completions.

    Args:
        name: The provider's name.
        dialect: How the vendor's speech differs from the common one.
        base_url: The server's address; where it has no path, `/v1` is appended, unless the dialect
            says otherwise.
        model: What is known of the default model.
        api_key: The key, if one is wanted.
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
        model: ModelInfo,
        api_key: str | None,
        headers: Mapping[str, str] | None = None,
        **http: Unpack[HttpOptions],
    ) -> None:
        check_kind("dialect", dialect, Dialect)
        check_kind("info", model, ModelInfo)
        check_text("model", model.name, "name the model that is to answer")
        if model.embedding_model is not None:
            check_text("embedding_model", model.embedding_model)
        check_text("base_url", base_url, "give the server's address")
        check_key("api_key", api_key)
        check_headers(headers or {})
        credentials = {"authorization": f"Bearer {api_key}"} if api_key else {}
        super().__init__(
            name=name,
            model=model,
            codec=OpenAIChatCodec(dialect),
            base_url=_address(base_url, versioned=dialect.versioned),
            headers={**credentials, **(headers or {})},
            **http,
        )


def _address(base_url: str, *, versioned: bool) -> str:
    """*base_url*, with the path that nearly all of these servers have if it has none."""
    bare = base_url.rstrip("/").removesuffix("/chat/completions")
    return bare if not versioned or "/" in bare.partition("://")[2] else f"{bare}/v1"
