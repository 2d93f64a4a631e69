"""Providers by name, of which one is drawn for each request."""

from __future__ import annotations

import random as _random
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from ..core.errors import ConfigurationError
from ..decorators.orders import Weighted
from ..decorators.routes import Route

P = TypeVar("P")


class RequestRouter(Generic[P]):
    """
    Draws one of its providers for each request, in proportion to weights.

    ::

        router = RequestRouter(providers={"big": big, "small": small}, weights={"small": 0.7})
        response = await router.select_provider(request).chat_completion(request)

    It asks nobody, knows nothing of what becomes of a request and closes nothing. A
    `RouterProvider` with the order `Weighted` draws likewise, is a provider itself, and asks the
    next one when the first cannot answer.

    Args:
        providers: Providers by name.
        weights: Shares of the requests by those names; they need not sum to 1, and who has none
            is never drawn. By default all are equal.
        random: Numbers from 0 to 1, 1 excluded.

    Raises:
        ConfigurationError: There are no providers, or the weights are none of theirs.
    """

    def __init__(
        self,
        providers: Mapping[str, P],
        weights: Mapping[str, float] | None = None,
        *,
        random: Callable[[], float] = _random.random,
    ) -> None:
        if not isinstance(providers, Mapping) or not providers:
            raise ConfigurationError("RequestRouter takes providers by name, at least one")
        self._providers = dict(providers)
        shares = dict.fromkeys(providers, 1.0) if weights is None else weights
        self._routes = tuple(Route(name, index) for index, name in enumerate(providers))
        self._order = Weighted(shares, random=random).prepared(self._routes)

    def __repr__(self) -> str:
        return f"RequestRouter({', '.join(self._providers)})"

    @property
    def providers(self) -> dict[str, P]:
        """What it draws from, by name."""
        return dict(self._providers)

    def select_provider(self, request: Any = None) -> P:
        """
        One of the providers, as it was given.

        Args:
            request: What it is drawn for. It has no part in the choice.
        """
        return self._providers[self._routes[self._order.drawn(self._routes)[0]].name]
