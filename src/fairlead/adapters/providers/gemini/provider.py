"""Gemini, over its own API."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import jiter

from ....core.errors import ConfigurationError, InvalidResponseError
from ....wire.gemini import GEMINI
from ....wire.http import ERROR, WireRequest
from .._arguments import check_key, check_text
from .._generate_content import GenerateContentProvider
from .._health import health_of
from .._http import check_options

if TYPE_CHECKING:
    from typing import Unpack

    from ....core.health import ProviderHealth
    from .._http import HttpOptions

BASE_URL = "https://generativelanguage.googleapis.com/v1beta"
MODEL = "gemini-3.8-flash"
EMBEDDING_MODEL = "gemini-embedding-2"
KEYS = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
"""The variables that may hold the key; the first that is set counts."""
LIST_SECONDS = 10.0
"""How long listing models may take."""
_MOST_TEXTS = 100
_PAGE = "pageSize=1000"


class GeminiProvider(GenerateContentProvider):
    """
    Gemini, over Google's Gemini API. For Vertex AI there is `VertexProvider`.

    Args:
        api_key: Your key; if there is none, that in `GEMINI_API_KEY` or `GOOGLE_API_KEY`.
        model: The model that answers unless a call names another.
        embedding_model: The model that embeds unless a call names another.
        base_url: Another address that speaks as Gemini does, such as a proxy; where it has no
            path, `/v1beta` is appended.
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
        base_url: str = BASE_URL,
        name: str = "gemini",
        **http: Unpack[HttpOptions],
    ) -> None:
        check_key("api_key", api_key)
        key = api_key
        for variable in KEYS:
            if not key:
                key = os.environ.get(variable)
                check_key(variable, key)
        if not key:
            msg = f"Gemini needs a key: give api_key=, or set {KEYS[0]}"
            raise ConfigurationError(msg)
        check_text("base_url", base_url, "give the server's address")
        super().__init__(
            name=name,
            dialect=GEMINI,
            base_url=_with_version(base_url),
            model=model,
            embedding_model=embedding_model,
            batch=(_MOST_TEXTS, None),
            headers={"x-goog-api-key": key},
            **check_options(type(self), http),
        )

    async def list_models(self) -> tuple[str, ...]:
        """
        The names of the models that Google offers now, in its order.

        Raises:
            ProviderError: It could not be asked, or does not tell.
        """
        return await self._models(within=LIST_SECONDS)

    async def health_check(self) -> ProviderHealth:
        """
        Whether Google lists its models, asked within 5 s.

        It is the cheapest question that a wrong key or address shows in. Raises nothing but
        cancellation.
        """
        return await health_of(self.name, lambda seconds: self._models(within=seconds))

    async def _models(self, *, within: float) -> tuple[str, ...]:
        url = f"{self.endpoint}/models?{_PAGE}"
        request = WireRequest(method="GET", url=url, headers=self._headers)
        response = await self._engine.send(request, connect=self._limits.connect, within=within)
        if response.status >= ERROR:
            raise self._failure(response, url)
        try:
            listed: Any = jiter.from_json(response.body)
            return tuple(str(entry["name"]).removeprefix("models/") for entry in listed["models"])
        except (ValueError, LookupError, TypeError):
            msg = f"{url} does not list models as Gemini does; check the address"
            raise InvalidResponseError(msg, provider=self.name, misconfigured=True) from None


def _with_version(base_url: str) -> str:
    """*base_url*, with the version of the API if it has no path."""
    bare = base_url.rstrip("/")
    return bare if "/" in bare.partition("://")[2] else f"{bare}/v1beta"
