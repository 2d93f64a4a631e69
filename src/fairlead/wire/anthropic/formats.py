"""
An answer in a given shape, in the best way that the model has.

Held to the schema; else as the arguments of a tool that stands for the answer; else asked for in
words. Which it was is reported, unless it is the first and all of the schema.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .blocks import ANSWER_TOOL
from .schemas import held

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...core.requests import GenerateRequest
    from ..adaptations import Adaptations
    from .rules import ModelRule


@dataclass(slots=True, kw_only=True)
class Shape:
    """What a request has to say so that the answer has its shape; one of them at most."""

    format: dict[str, Any] | None = None
    """For `output_config`."""
    tool: dict[str, Any] | None = None
    words: str | None = None
    """For the system prompt."""


def shape_of(request: GenerateRequest, rule: ModelRule, adaptations: Adaptations) -> Shape:
    """How the shape that *request* wants is had from a model of *rule*."""
    schema = request.schema
    if schema is None:
        return Shape()
    fitted, told = held(schema) if rule.native else (None, ())
    if fitted is not None:
        if told:
            adaptations.note(
                f"the model was told, and not held to, {', '.join(told)} of response_format: this "
                "vendor takes no such words in a schema"
            )
        return Shape(format={"type": "json_schema", "schema": fitted})
    why = "this schema" if rule.native else "a schema"
    if rule.forced and schema.get("type") == "object":
        adaptations.note(
            f"response_format was asked for as the arguments of a tool: this model cannot be held "
            f"to {why}"
        )
        return Shape(tool=_tool(schema))
    adaptations.note(f"response_format was asked for in words: this model cannot be held to {why}")
    text = json.dumps(schema, ensure_ascii=False)
    return Shape(words=f"Answer with JSON that fits this schema, and with nothing else:\n{text}")


def _tool(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": ANSWER_TOOL,
        "description": "Call this tool to answer; its arguments are the answer.",
        "input_schema": dict(schema),
    }
