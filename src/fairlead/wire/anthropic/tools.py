"""Tools, and which of them is to be called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from ...core.errors import InvalidRequestError

if TYPE_CHECKING:
    from ...core.messages import Tool
    from ...core.requests import GenerateRequest
    from ..adaptations import Adaptations
    from .formats import Shape
    from .rules import ModelRule

_CHOICES = {"auto": "auto", "none": "none", "required": "any"}
_FORCED = frozenset({"any", "tool"})


def encode_tool(tool: Tool, rule: ModelRule, adaptations: Adaptations) -> dict[str, Any]:
    """*tool* in this format's words."""
    told: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        told["description"] = tool.description
    told["input_schema"] = dict(tool.parameters)
    if tool.strict is not None and rule.native:
        told["strict"] = tool.strict
    elif tool.strict:
        adaptations.note("strict was left out of a tool: this model cannot be held to a schema")
    return told


def own_tools(told: object) -> list[dict[str, Any]]:
    """
    The vendor's own tools, such as its search of the web, as `extra={"tools": [...]}` has them.

    Raises:
        InvalidRequestError: It is no list of mappings.
    """
    if told is None:
        return []
    if isinstance(told, Sequence) and not isinstance(told, (str, bytes)):
        tools = list(cast("Sequence[object]", told))
        if all(isinstance(tool, Mapping) for tool in tools):
            return [dict(cast("Mapping[str, Any]", tool)) for tool in tools]
    raise InvalidRequestError(
        "extra={'tools': ...} takes the vendor's own tools, a list of mappings; yours go into "
        "tools="
    )


def choice_of(
    request: GenerateRequest, shape: Shape, rule: ModelRule, adaptations: Adaptations
) -> dict[str, Any] | None:
    """What is said of which tool is to be called; None where nothing has to be."""
    choice = request.tool_choice
    told: dict[str, Any] | None = None
    if shape.tool is not None:
        told = _answering(request, shape.tool)
    elif choice is not None and not (request.tools or request.extra.get("tools")):
        adaptations.note("tool_choice was left out: there are no tools to choose from")
    elif choice is not None:
        kind = _CHOICES.get(choice)
        told = {"type": "tool", "name": choice} if kind is None else {"type": kind}
        if is_forced(told) and not rule.forced:
            adaptations.note(
                f"tool_choice={choice!r} became 'auto': this model cannot be made to call a tool"
            )
            told = {"type": "auto"}
    return _one_at_a_time(told, request.extra.get("disable_parallel_tool_use"))


def is_forced(choice: Mapping[str, Any] | None) -> bool:
    """Whether a tool has to be called."""
    return choice is not None and choice["type"] in _FORCED


def _answering(request: GenerateRequest, tool: Mapping[str, Any]) -> dict[str, Any]:
    """The choice where one of the tools stands for the answer."""
    choice = request.tool_choice
    if choice is not None and choice not in _CHOICES:
        return {"type": "tool", "name": choice}
    if choice == "none" or not request.tools:
        return {"type": "tool", "name": tool["name"]}
    return {"type": "any"}


def _one_at_a_time(told: dict[str, Any] | None, wanted: object) -> dict[str, Any] | None:
    if wanted is None:
        return told
    if not isinstance(wanted, bool):
        raise InvalidRequestError("extra={'disable_parallel_tool_use': ...} takes True or False")
    if told is not None and told["type"] == "none":
        return told
    return {**(told or {"type": "auto"}), "disable_parallel_tool_use": wanted}
