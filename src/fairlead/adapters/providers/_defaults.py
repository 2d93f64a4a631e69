"""What a target asks for unless a call says otherwise."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

from ...core.errors import ConfigurationError, ProviderError
from ...core.messages import Message, Role
from ...core.requests import GenerateRequest, generate_request

if TYPE_CHECKING:
    from ...core.requests import GenerateOptions

_OWN = {"messages", "model"}
_NAMES = [entry.name for entry in fields(GenerateRequest) if entry.name not in _OWN]


class Defaults:
    """
    Fills what a request leaves open.

    Args:
        options: What is asked for; what steers fairlead rather than the vendor has no place here.

    Raises:
        ConfigurationError: An option is unknown, senseless or of the wrong kind.
    """

    def __init__(self, options: GenerateOptions) -> None:
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

    def fill(self, request: GenerateRequest) -> GenerateRequest:
        """*request*, with these options where it has none, and the prompt where it has none."""
        if not self._values and self._system is None:
            return request
        messages = request.messages
        if self._system and not any(message.role is Role.SYSTEM for message in messages):
            messages = (self._system, *messages)
        open_ = {
            name: value for name, value in self._values.items() if _is_unset(getattr(request, name))
        }
        return replace(request, messages=messages, **open_)


def _is_unset(value: object) -> bool:
    return value is None or value is False or value in ((), {})
