"""Which provider the command line asks."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.errors import ConfigurationError

if TYPE_CHECKING:
    from ..core.adapter import Adapter


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the person asked for."""

    model: str | None = None
    base_url: str | None = None
    api_key_env: str | None = None
    offline: bool = False
    allow_plain_http: bool = False


OFFLINE = (
    "offline: no model was asked. Set OPENAI_API_KEY, or name a server with --base-url or "
    "OPENAI_BASE_URL."
)


async def choose(choice: Choice) -> tuple[Adapter, str | None]:
    """
    The provider to ask, and what the person should know of it.

    A server named by `--base-url` gets a key only if `--api-key-env` says which: a key is not
    sent to an address that it was not meant for. `OPENAI_BASE_URL` and `OPENAI_API_KEY` are
    meant for each other.

    Raises:
        ConfigurationError: What was asked for cannot be built.
        ProviderError: The server does not say which models it has.
    """
    from ..adapters.providers.offline import OfflineProvider

    if choice.offline:
        return OfflineProvider(), None
    base_url = choice.base_url or os.environ.get("OPENAI_BASE_URL")
    if base_url:
        return await _server(choice, base_url), None
    if os.environ.get(choice.api_key_env or "OPENAI_API_KEY"):
        from ..adapters.providers.openai import OpenAIProvider
        from ..adapters.providers.openai.provider import MODEL

        model = choice.model or os.environ.get("OPENAI_MODEL") or MODEL
        return OpenAIProvider(api_key=_key(choice.api_key_env), model=model), None
    if choice.api_key_env or choice.model:
        missing = choice.api_key_env or "OPENAI_API_KEY"
        wanted = f"--model {choice.model}" if choice.model else "a model"
        msg = f"{wanted} needs a key in {missing}, or a server: --base-url URL"
        raise ConfigurationError(msg)
    return OfflineProvider(), OFFLINE


async def _server(choice: Choice, base_url: str) -> Adapter:
    from ..adapters.providers.openai_compatible import OpenAICompatibleProvider

    key = None
    if choice.api_key_env or not choice.base_url:
        key = _key(choice.api_key_env)
    model = choice.model or (None if choice.base_url else os.environ.get("OPENAI_MODEL"))

    def provider(model: str) -> OpenAICompatibleProvider:
        return OpenAICompatibleProvider(
            base_url=base_url,
            model=model,
            api_key=key,
            allow_plain_http=choice.allow_plain_http,
        )

    if model is not None:
        return provider(model)
    async with provider("unknown") as asking:
        offered = await asking.list_models()
    if len(offered) != 1:
        names = ", ".join(offered[:20]) or "none"
        msg = f"say which model of {base_url} to ask with --model; it offers {names}"
        raise ConfigurationError(msg)
    return provider(offered[0])


def _key(variable: str | None) -> str | None:
    if variable is None:
        return os.environ.get("OPENAI_API_KEY")
    key = os.environ.get(variable)
    if not key:
        msg = f"--api-key-env names {variable}, which is not set"
        raise ConfigurationError(msg)
    return key
