"""A provider whose server lists its models, which is the cheapest question of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import jiter

from ...core.errors import InvalidResponseError
from ...wire.http import ERROR, WireRequest
from ._health import health_of
from ._http import HttpProvider

if TYPE_CHECKING:
    from ...core.health import ProviderHealth

LIST_SECONDS = 10.0
"""How long listing models may take."""


class ModelLister(HttpProvider):
    """As `HttpProvider`; the list has the models under `data`, each with its `id`."""

    models_path: ClassVar[str] = "/models"
    """Where the list is, below the base address."""
    lists_like: ClassVar[str] = "OpenAI's API"
    """Who lists models so, for an error's message."""

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

    @staticmethod
    def _named(listed: Any) -> tuple[str, ...]:
        """The names in *listed*; raises what an entry that is missing raises."""
        return tuple(str(entry["id"]) for entry in listed["data"])

    async def _models(self, *, within: float) -> tuple[str, ...]:
        request = WireRequest(
            method="GET", url=self.endpoint + self.models_path, headers=self._headers
        )
        response = await self._engine.send(request, connect=self._limits.connect, within=within)
        if response.status >= ERROR:
            raise self._failure(response, request.url)
        try:
            listed: Any = jiter.from_json(response.body)
            return self._named(listed)
        except (ValueError, LookupError, TypeError):
            msg = f"{request.url} does not list models as {self.lists_like} does; check the address"
            raise InvalidResponseError(msg, provider=self.name, misconfigured=True) from None
