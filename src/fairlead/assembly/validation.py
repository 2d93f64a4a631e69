"""Whether a class or an object fits the port, said so that its author can act on it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_ASKS = {"generate": "prompt", "generate_stream": "prompt", "embed": "text", "embed_batch": "texts"}


def problems(provider: object) -> list[str]:
    """
    What keeps *provider*, a class or an object, from being one; empty if nothing does.

    Missing methods are no problem as long as it can answer or embed: a call for what is missing
    is refused as unsupported.
    """
    kind = provider if isinstance(provider, type) else type(provider)
    found = [name for name in _ASKS if callable(getattr(kind, name, None))]
    if not found:
        return [f"{kind.__name__} has none of the methods {', '.join(_ASKS)}"]
    reports = [_misfit(kind, name) for name in found]
    if "generate_stream" in found and "generate" not in found:
        reports.append(f"{kind.__name__} streams but cannot generate: add generate()")
    return [report for report in reports if report]


def _misfit(kind: type, name: str) -> str | None:
    method = inspect.unwrap(getattr(kind, name))
    where, asked = f"{kind.__name__}.{name}()", _ASKS[name]
    try:
        signature = inspect.signature(method)
    except (TypeError, ValueError):  # written in C, or otherwise silent about itself
        return None
    if name != "generate_stream" and _blocks(method, signature):
        return f"{where} is not async: write `async def {name}`"
    parameters = list(signature.parameters.values())
    is_bound = not isinstance(inspect.getattr_static(kind, name), staticmethod)
    if is_bound and parameters and parameters[0].kind is not inspect.Parameter.VAR_POSITIONAL:
        parameters = parameters[1:]
    if not any(parameter.kind in _FIRST for parameter in parameters):
        return f"{where} takes no {asked}: its first parameter has to be the {asked}"
    needed = [
        parameter.name
        for parameter in parameters[1:]
        if parameter.default is parameter.empty and parameter.kind not in _GATHERS
    ]
    if needed:
        return f"{where} cannot be called with a {asked} alone: give {', '.join(needed)} a default"
    return None


def _blocks(method: Callable[..., object], signature: inspect.Signature) -> bool:
    """Whether it says that it returns something else than what can be awaited."""
    returned = signature.return_annotation
    if inspect.iscoroutinefunction(method) or returned is signature.empty:
        return False
    return not any(word in str(returned) for word in ("Awaitable", "Coroutine", "Future", "Any"))


_GATHERS = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_FIRST = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.VAR_POSITIONAL,
)
