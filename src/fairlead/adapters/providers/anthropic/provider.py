"""Anthropic's own API, and servers that speak as it does."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ....core.calls import Call
from ....core.errors import ConfigurationError, ProviderError
from ....core.models import ModelInfo
from ....core.results import TokenCount
from ....wire.anthropic import ANTHROPIC, CURRENT, VERSIONS, AnthropicCodec, rule_for
from .._arguments import check_choice, check_headers, check_key, check_text
from .._http import check_options
from .._models import ModelLister

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from ....core.messages import Prompt
    from ....core.requests import GenerateOptions, GenerateRequest
    from .._http import HttpOptions

BASE_URL = "https://api.anthropic.com"
MODEL = "claude-haiku-5-5"
_VARIABLES = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")


class AnthropicProvider(ModelLister):
    """
    Anthropic, over Messages. It has no embeddings.

    Args:
        api_key: Your key; if there is neither a key nor a token, that in `ANTHROPIC_API_KEY`.
        auth_token: A bearer's token, where there is no key; else that in `ANTHROPIC_AUTH_TOKEN`.
        model: The model that answers unless a call names another.
        version: Of the API. From 2026-10-21 on no model takes `temperature`, `top_p` or `top_k`;
            those that still do take them with 2023-06-01, which sends the key as `x-api-key`.
        betas: What is asked to be switched on, as `anthropic-beta` names it.
        base_url: Another address that speaks as Anthropic does, such as a proxy or llama-server;
            `/v1` is appended if it is not there.
        name: What the provider is called in results, errors and `extra`.
        http: See `HttpOptions`.

    Raises:
        ConfigurationError: There is no key, or an argument is not usable.
    """

    models_path = "/models?limit=1000"
    lists_like = "Anthropic's API"

    def __init__(
        self,
        *,
        api_key: str | None = None,
        auth_token: str | None = None,
        model: str = MODEL,
        version: str = CURRENT,
        betas: Sequence[str] = (),
        base_url: str = BASE_URL,
        name: str = "anthropic",
        **http: Unpack[HttpOptions],
    ) -> None:
        check_text("model", model, "name the model that is to answer")
        check_text("base_url", base_url, "give the server's address")
        check_choice("version", version, VERSIONS)
        headers = {**_credentials(api_key, auth_token, version), "anthropic-version": version}
        if isinstance(betas, str):
            msg = "betas must be a sequence of str, such as ['context-1m-2025-08-07'], not a str"
            raise TypeError(msg)
        if betas:
            headers["anthropic-beta"] = ",".join(betas)
        check_headers(headers)
        self._version = version
        self._messages = AnthropicCodec(replace(ANTHROPIC, version=version))
        super().__init__(
            name=name,
            model=_info(model, version),
            codec=self._messages,
            base_url=_with_version(base_url),
            headers=headers,
            **check_options(type(self), http),
        )

    async def count_tokens_exact(
        self, prompt: Prompt, **options: Unpack[GenerateOptions]
    ) -> TokenCount:
        """
        The tokens of *prompt*, as the vendor counts them. It is asked, and charges nothing.

        Args:
            prompt: As for `generate`.
            options: Likewise; tools, a system prompt and thinking count.

        Raises:
            ProviderError: It could not be asked, or does not tell.
        """
        call = Call.generate(prompt, options, self.clock(), self.scope)
        request, _ = self._complete(call)
        try:
            response = await self._send(call, self._messages.encode_count(request))
            count = self._understood(lambda: self._messages.decode_count(response))
        except ProviderError as error:
            error.provider = error.provider or self.name
            error.model = error.model or request.model
            raise
        return TokenCount(count, exact=True)

    def _complete(self, call: Call[Any]) -> tuple[GenerateRequest, bool]:
        """As for all, and with the limit that the codec sends, so that long answers stream."""
        request, reasons = super()._complete(call)
        if request.max_tokens is None:
            request = replace(request, max_tokens=rule_for(request.model or "").answer)
        return request, reasons

    def _model_named(self, name: str) -> ModelInfo:
        return _info(name, self._version)


def _credentials(api_key: str | None, auth_token: str | None, version: str) -> dict[str, str]:
    """The header that says who pays, as the vendor's own client of that *version* sends it."""
    check_key("api_key", api_key)
    check_key("auth_token", auth_token)
    key, token = api_key, auth_token
    if not key and not token:
        key, token = map(os.environ.get, _VARIABLES)
        check_key(_VARIABLES[0], key)
        check_key(_VARIABLES[1], token)
    if key and version < CURRENT:
        return {"x-api-key": key}
    if not key and not token:
        msg = "Anthropic needs a key: give api_key=, or set ANTHROPIC_API_KEY"
        raise ConfigurationError(msg)
    return {"authorization": f"Bearer {key or token}"}


def _with_version(base_url: str) -> str:
    """*base_url*, with the path that the vendor's own client appends."""
    return base_url.rstrip("/").removesuffix("/messages").removesuffix("/v1") + "/v1"


@lru_cache(maxsize=256)
def _info(model: str, version: str) -> ModelInfo:
    rule = rule_for(model)
    return ModelInfo(
        name=model,
        context_window=rule.window,
        max_output_tokens=rule.longest,
        tokenizer=rule.tokenizer,
        audio=False,
        reasoning=rule.thinks in {"always", "unless_told"},
        sampling=rule.sampling and version < CURRENT,
    )
