"""
What is sent to Anthropic, checked against the request types of its own SDK, which name every field.

The SDK is not among what tests need; without it they skip. `nox -s sdks` installs it.
"""

import itertools
import json
import types
from functools import cache
from typing import Any, Literal, Required, Union, get_args, get_origin, get_type_hints

import pytest

from fairlead.core.messages import File, Image, Message, Reasoning, Text, Tool, ToolCall, ToolResult
from fairlead.core.requests import generate_request
from fairlead.wire.anthropic import ANTHROPIC, VERSIONS, AnthropicCodec, Dialect

FIRST = VERSIONS[-1]
sdk = pytest.importorskip("anthropic.types", exc_type=ImportError)

SIGNED = {"block": {"type": "thinking", "signature": "s"}}
CALL = ToolCall("c1", "tide", '{"at": "Wick"}', {"caller": {"type": "direct"}}, ANTHROPIC.origin)
PICTURE = Image(data=b"1", media_type="image/png")
PROMPTS = {
    "words": "Hello",
    "media": Message.user(
        "See",
        PICTURE,
        Image(url="https://x.test/a.png"),
        File(data=b"%", media_type="application/pdf", name="a"),
        File(data=b"a", media_type="text/plain"),
    ),
    "tools": [
        "Tide?",
        Message.assistant(
            [
                Reasoning("Hm", SIGNED, ANTHROPIC.origin),
                Reasoning(
                    "", {"block": {"type": "redacted_thinking", "data": "x"}}, ANTHROPIC.origin
                ),
                Text("See:"),
                CALL,
                ToolCall("c2", "wind", ""),
            ]
        ),
        ToolResult(CALL, (Text("high"), PICTURE)),
        ToolResult("c2", "none", error=True),
        "And?",
    ],
}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string", "minLength": 1}}}
SAMPLING = {
    "max_tokens": 9000,
    "temperature": 0.5,
    "top_p": 0.9,
    "top_k": 4,
    "stop_sequences": ["a"],
    "seed": 7,
    "logprobs": 3,
}
TOOLS = [Tool("tide", "When?", SCHEMA, strict=True), Tool("wind")]
EXTRA = {
    "cache_marks": {"tools": "1h", "system": "1h", "messages": "5m"},
    "disable_parallel_tool_use": True,
    "service_tier": "auto",
}
GRID = list(
    itertools.product(
        PROMPTS,
        ["claude-haiku-5-5", "claude-opus-5-5", "claude-opus-4-6", "claude-opus-4-1", "tiny"],
        [{}, SAMPLING],
        [{}, {"tools": TOOLS, "extra": EXTRA}, {"tools": TOOLS, "tool_choice": "tide"}],
        [
            {},
            {"response_format": SCHEMA},
            {"reasoning_effort": "none"},
            {"reasoning_effort": "high"},
        ],
        [None, "Be brief."],
    )
)
REMOVED = {"temperature", "top_p", "top_k"}
"""What the older version has, and the newer SDK's types no more."""


def mistakes(value: Any, kind: Any, place: str = "") -> list[str]:
    """What of *value* is not as *kind*, a type of the SDK's, has it."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        found = [mistakes(value, each, place) for each in inner]
        return min(found, key=lambda each: (len(each), -max(map(len, each), default=0)))
    if hasattr(kind, "__required_keys__"):
        return _fields(value, kind, place)
    if origin is Literal:
        return [] if value in inner else [f"{place}: {value!r}"]
    if origin in (dict, None):
        plain = origin or kind
        known = plain in (Any, object) or (isinstance(plain, type) and isinstance(value, plain))
        return [] if known else [f"{place}: no {kind}"]
    if not isinstance(value, list):
        return [f"{place}: no list"]
    return [
        each
        for index, one in enumerate(value)
        for each in mistakes(one, inner[0], f"{place}[{index}]")
    ]


def _fields(value: Any, kind: Any, place: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{place}: no object"]
    hints, required = _hints(kind)
    found = [f"{place}.{name}: unknown" for name in value.keys() - hints.keys()]
    found += [f"{place}.{name}: missing" for name in required - value.keys()]
    for name in value.keys() & hints.keys():
        found += mistakes(value[name], hints[name], f"{place}.{name}")
    return found


@cache
def _hints(kind: Any) -> tuple[dict[str, Any], set[str]]:
    """The fields of *kind* with their types, and those that have to be there."""
    told = get_type_hints(kind, include_extras=True)
    required = {name for name, hint in told.items() if get_origin(hint) is Required}
    return get_type_hints(kind), required


@pytest.mark.parametrize("version", [FIRST, ANTHROPIC.version])
@pytest.mark.parametrize("stream", [False, True])
def test_the_sdk_knows_all_that_is_sent(version, stream):
    codec = AnthropicCodec(Dialect(name="anthropic", version=version))
    params = sdk.message_create_params
    kind = params.MessageCreateParamsStreaming if stream else params.MessageCreateParamsNonStreaming
    for prompt, model, sampling, tools, form, system in GRID:
        options = {"model": model, **sampling, **tools, **form, "system_prompt": system}
        request, _ = generate_request(PROMPTS[prompt], options)
        told = json.loads(codec.encode_generate(request, stream=stream).body)
        if version == FIRST:
            told = {name: value for name, value in told.items() if name not in REMOVED}

        assert mistakes(told, kind) == []


def test_the_sdk_knows_what_is_counted():
    for prompt, model, sampling, tools, form, system in GRID:
        options = {"model": model, **sampling, **tools, **form, "system_prompt": system}
        request, _ = generate_request(PROMPTS[prompt], options)
        told = json.loads(AnthropicCodec().encode_count(request).body)

        assert mistakes(told, sdk.MessageCountTokensParams) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("max_token", 1), ("tool_choice", {"type": "required"}), ("system", [{"text": "a"}])],
)
def test_the_sdk_would_notice_a_mistake(field, value):
    told = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "a"}]}
    kind = sdk.message_create_params.MessageCreateParamsNonStreaming

    assert mistakes(told, kind) == []
    assert mistakes({**told, field: value}, kind)
