"""How vendors that speak Chat Completions differ, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from .rules import OPENAI_RULES, ModelRule

FIELDS: Mapping[str, str | None] = MappingProxyType(
    {
        "max_tokens": "max_tokens",
        "temperature": "temperature",
        "top_p": "top_p",
        "top_k": "top_k",
        "stop_sequences": "stop",
        "seed": "seed",
        "frequency_penalty": "frequency_penalty",
        "presence_penalty": "presence_penalty",
        "reasoning_effort": "reasoning_effort",
        "dimensions": "dimensions",
        "input_type": None,
    }
)
"""What compatible servers call the options; None is what they do not take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """
    One vendor's way of speaking Chat Completions. The defaults are those of most servers.

    Args:
        name: The vendor's, for origins of opaque parts.
        fields: Where its names for options differ from `FIELDS`.
        rules: What its models do not take; the first that fits a model's name counts.
        usage_in_stream: Whether it tells usage in a stream, if asked to.
        usage_unasked: Whether it tells it without being asked, and takes no such question.
        json_schema: Whether `response_format` takes a schema; else it is asked for JSON.
        embeddings: How vectors are asked for: `"base64"` is 32-bit floats; with `"float"` and
            `"int8"` nothing is sent, and a base64 string holds 32-bit floats or 8-bit integers.
        reasoning: The field in which reasoning is given back with the next request, if it is;
            `"thinking"` is a part of the content.
        reasoning_excluded: Whether `completion_tokens` leaves out reasoning.
        cost: Whether `usage` tells what the call cost, in US dollars.
        tool_call_id: What it takes as the id of a tool call, as a regular expression.
        refusals: Whether a refusal has a field of its own; else it is given back as words.
        media: Whose words sounds and files are said in.
        versioned: Whether `/v1` is meant where an address has no path.
        embeddings_path: Where vectors are asked for, below the address.
    """

    name: str
    fields: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"], hash=False)
    rules: tuple[ModelRule, ...] = ()
    usage_in_stream: bool = True
    usage_unasked: bool = False
    json_schema: bool = True
    embeddings: Literal["float", "base64", "int8"] = "float"
    reasoning: Literal["reasoning_content", "reasoning", "reasoning_details", "thinking"] | None = (
        None
    )
    reasoning_excluded: bool = False
    cost: bool = False
    tool_call_id: str = r"[!-~]{1,64}"
    refusals: bool = True
    media: Literal["openai", "mistral"] = "openai"
    versioned: bool = True
    embeddings_path: str = "/embeddings"

    @property
    def origin(self) -> str:
        """Marks opaque parts that only this vendor understands."""
        return f"openai_chat:{self.name}"

    def field(self, option: str) -> str | None:
        """The vendor's name for *option*, or None."""
        return self.fields.get(option, FIELDS[option])


OPENAI = Dialect(
    name="openai",
    fields=MappingProxyType({"max_tokens": "max_completion_tokens", "top_k": None}),
    rules=OPENAI_RULES,
    embeddings="base64",
    tool_call_id=r"[A-Za-z0-9_-]{1,40}",
)
"""api.openai.com itself; with another name also its models elsewhere, as on Azure."""
