"""What a target asks for unless a call says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, cast

from ...core.errors import ConfigurationError, ProviderError
from ...core.messages import Message, Role
from ...core.requests import GenerateRequest, generate_request

if TYPE_CHECKING:
    from ...core.requests import GenerateOptions

_PUT = {
    entry.name: getattr(GenerateRequest, entry.name).__set__ for entry in fields(GenerateRequest)
}
"""What sets a slot: `dataclasses.replace` would run the constructor, at twice the cost."""
_OWN = {"messages", "model"}
_NAMES = [entry.name for entry in fields(GenerateRequest) if entry.name not in _OWN]


class Defaults:
    """
    Fills what a request leaves open.

    Args:
        options: What is asked for; what steers fairlead rather than the vendor has no place here.
        vendor: The provider's name, which `extra` may be keyed by.

    Raises:
        ConfigurationError: An option is unknown, senseless or of the wrong kind.
    """

    def __init__(self, options: GenerateOptions, vendor: str) -> None:
        misplaced = options.keys() - {*_NAMES, "system_prompt"}
        try:
            request, _ = generate_request("-", options)
        except (TypeError, ProviderError) as error:
            msg = f"defaults: {error}"
            raise ConfigurationError(msg) from error
        if misplaced:
            msg = f"defaults cannot hold {', '.join(sorted(misplaced))}; give it with each call"
            raise ConfigurationError(msg)
        system = options.get("system_prompt")
        self._system = Message.system(system) if system else None
        self._values = {name: getattr(request, name) for name in _NAMES if name in options}
        self.options: Mapping[str, object] = {**self._values, "system_prompt": system}
        """All of it; unset is None."""
        self._extra = own_extra(self._values.pop("extra", {}), vendor)

    def fill(
        self, request: GenerateRequest, *, model: str | None, extra: Mapping[str, Any]
    ) -> GenerateRequest:
        """
        *request*, with these options where it has none, and the prompt where it has none.

        Args:
            request: What the caller asked for.
            model: The model to ask, in the vendor's words.
            extra: The part of the request's own `extra` that is meant for this vendor; it is
                filled field by field.
        """
        changes: dict[str, Any] = {
            name: value for name, value in self._values.items() if _is_unset(getattr(request, name))
        }
        changes["model"] = model
        changes["extra"] = {**self._extra, **extra} if self._extra else extra
        if self._system and not any(message.role is Role.SYSTEM for message in request.messages):
            changes["messages"] = (self._system, *request.messages)
        filled = object.__new__(GenerateRequest)
        for name, put in _PUT.items():
            put(filled, changes[name] if name in changes else getattr(request, name))
        return filled


def own_extra(extra: Mapping[str, Any], vendor: str) -> Mapping[str, Any]:
    """What of *extra* is meant for *vendor*: its own key's, or all where it is not keyed."""
    own = extra.get(vendor) if extra else None
    return cast("Mapping[str, Any]", own) if isinstance(own, Mapping) else extra


def _is_unset(value: object) -> bool:
    return value is None or value is False or value in ((), {})
