"""Gemini, over Vertex AI."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio

from ....core.errors import ConfigurationError, ProviderConnectionError, ProviderTimeoutError
from ....wire.gemini import VERTEX
from .._arguments import check_key, check_kind, check_text
from .._generate_content import GenerateContentProvider
from .._health import health_of
from .._http import check_options

if TYPE_CHECKING:
    from typing import Unpack

    from ....core.calls import Call
    from ....core.embeddings import Embeddings
    from ....core.health import ProviderHealth
    from ....core.messages import Prompt
    from ....core.results import Generation, TokenCount
    from ....core.streams import GenerationStream
    from .._http import HttpOptions

AccessToken: TypeAlias = str | Callable[[], Awaitable[str]]
"""An OAuth token, or what hands out one that is still good."""

VERSION = "v1beta1"
MODEL = "gemini-3.8-flash"
EMBEDDING_MODEL = "gemini-embedding-2"
TOKEN_SECONDS = 10.0
"""How long handing out a token may take."""
_TOKENS = 4
_ID = re.compile(r"[A-Za-z0-9:._-]+")
_REGIONS = {"us", "eu"}
_ONE_TEXT: tuple[int, int | None] = (1, None)
_MANY_TEXTS: tuple[int, int | None] = (250, 20_000)


class VertexProvider(GenerateContentProvider):
    """
    Gemini, over Google's Vertex AI, which wants a project and a token, or a key of its own.

    Args:
        project: The id of the project that pays. With a key it may be left out.
        location: Where the models run: `global`, a region such as `europe-west4`, `us` or `eu`.
        access_token: An OAuth token. It is good for an hour; a function that is awaited before
            each call hands out one that still is, and has to remember it itself.
        api_key: A key of Vertex AI, instead of a token.
        model: The model that answers unless a call names another.
        embedding_model: The model that embeds unless a call names another.
        base_url: Another address, such as a proxy's, that the paths `/publishers/…` are below.
        name: What the provider is called in results, errors and `extra`.
        http: See `HttpOptions`.

    Raises:
        ConfigurationError: There is no project, neither token nor key, or one is not usable.
    """

    def __init__(
        self,
        *,
        project: str | None = None,
        location: str = "global",
        access_token: AccessToken | None = None,
        api_key: str | None = None,
        model: str = MODEL,
        embedding_model: str | None = EMBEDDING_MODEL,
        base_url: str | None = None,
        name: str = "vertex",
        **http: Unpack[HttpOptions],
    ) -> None:
        headers = _credentials(access_token, api_key)
        if base_url is None:
            base_url = _address(project, location, keyed=bool(api_key))
        if embedding_model is not None:
            check_kind("embedding_model", embedding_model, str)
        one = embedding_model is not None and "gemini" in embedding_model
        self._token = access_token if callable(access_token) else None
        super().__init__(
            name=name,
            dialect=VERTEX,
            base_url=base_url,
            model=model,
            embedding_model=embedding_model,
            batch=_ONE_TEXT if one else _MANY_TEXTS,
            headers=headers,
            **check_options(type(self), http),
        )

    async def health_check(self) -> ProviderHealth:
        """
        Whether Vertex AI counts the tokens of a word, asked within 5 s.

        It is the cheapest question that a wrong token, project or model shows in. Raises nothing
        but cancellation.
        """
        return await health_of(self.name, lambda seconds: self._count("Hello", within=seconds))

    async def _generate(self, call: Call[Generation]) -> Generation:
        await self._authorize(call.deadline.remaining())
        return await super()._generate(call)

    async def _open(self, call: Call[GenerationStream]) -> GenerationStream:
        await self._authorize(call.deadline.remaining())
        return await super()._open(call)

    async def _embed(self, call: Call[Any]) -> Embeddings:
        await self._authorize(call.deadline.remaining())
        return await super()._embed(call)

    async def _count(self, prompt: Prompt, *, within: float) -> TokenCount:
        await self._authorize(within)
        return await super()._count(prompt, within=within)

    async def _authorize(self, within: float | None) -> None:
        """Put a token that is still good into the headers."""
        if self._token is None:
            return
        limit = TOKEN_SECONDS if within is None else min(within, TOKEN_SECONDS)
        token: object = None
        with anyio.move_on_after(limit) as scope:
            try:
                token = await self._token()
                check_key("access_token", token)
            except Exception as error:
                msg = f"no access token was to be had: {type(error).__name__}"
                raise ProviderConnectionError(msg, provider=self.name, sent=False) from error
        if scope.cancelled_caught or not token:
            msg = f"no access token came within {limit:g} s"
            raise ProviderTimeoutError(msg, limit=limit, provider=self.name, sent=False)
        # Calls under way may still have been sent with the token before.
        self._secrets = list(dict.fromkeys([str(token), *self._secrets]))[:_TOKENS]
        self._anonymous = False
        self._headers = {**self._headers, "authorization": f"Bearer {token}"}


def _credentials(token: AccessToken | None, key: str | None) -> dict[str, str]:
    if bool(token) == bool(key):
        msg = "Vertex AI needs access_token=, or a key of its own, api_key=, and not both"
        raise ConfigurationError(msg)
    check_key("api_key", key)
    if key:
        return {"x-goog-api-key": key}
    if callable(token):
        return {}
    check_key("access_token", token)
    return {"authorization": f"Bearer {token}"}


def _address(project: str | None, location: str, *, keyed: bool) -> str:
    check_text("location", location, "say where the models run, such as 'global'")
    if project is None and keyed:
        return f"https://aiplatform.googleapis.com/{VERSION}"
    if project is None:
        msg = "Vertex AI needs the project that pays: give project="
        raise ConfigurationError(msg)
    check_text("project", project, "give the project's id")
    for argument, value in {"project": project, "location": location}.items():
        if not _ID.fullmatch(value):
            msg = f"{argument} must be an id, made of letters, digits, '-' and '.', not {value!r}"
            raise ConfigurationError(msg)
    host = f"{location}-aiplatform.googleapis.com"
    if location == "global":
        host = "aiplatform.googleapis.com"
    elif location in _REGIONS:
        host = f"aiplatform.{location}.rep.googleapis.com"
    return f"https://{host}/{VERSION}/projects/{project}/locations/{location}"
