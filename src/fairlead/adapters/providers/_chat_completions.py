"""A provider that speaks Chat Completions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jiter

from ...core.errors import InvalidResponseError
from ...core.models import ModelInfo
from ...wire.http import ERROR, WireRequest
from ...wire.openai_chat import Dialect, OpenAIChatCodec
from ._arguments import check_headers, check_key, check_kind, check_text
from ._health import health_of
from ._models import ModelLister

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from ...core.health import ProviderHealth
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

    async def list_models(self) -> tuple[str, ...]:
        """
        The names of the models that the server offers now, in its order.

        Raises:
            ProviderError: It could not be asked, or does not tell.
        """
        return await self._models(within=LIST_SECONDS)

    async def health_check(self) -> ProviderHealth:
        """
        Whether the server lists its models, asked within 5 s.

        It is the cheapest question that a wrong key or address shows in. Raises nothing but
        cancellation.
        """
        return await health_of(self.name, lambda seconds: self._models(within=seconds))

    async def _models(self, *, within: float) -> tuple[str, ...]:
        request = WireRequest(method="GET", url=f"{self.endpoint}/models", headers=self._headers)
        response = await self._engine.send(request, connect=self._limits.connect, within=within)
        if response.status >= ERROR:
            raise self._failure(response, request.url)
        try:
            listed: Any = jiter.from_json(response.body)
            return tuple(str(entry["id"]) for entry in listed["data"])
        except (ValueError, LookupError, TypeError):
            msg = f"{request.url} does not list models as OpenAI's API does; check the address"
            raise InvalidResponseError(msg, provider=self.name, misconfigured=True) from None


def _address(base_url: str, *, versioned: bool) -> str:
    """*base_url*, with the path that nearly all of these servers have if it has none."""
    bare = base_url.rstrip("/").removesuffix("/chat/completions")
    return bare if not versioned or "/" in bare.partition("://")[2] else f"{bare}/v1"
