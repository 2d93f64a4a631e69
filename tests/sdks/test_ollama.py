"""
What is sent to Ollama, checked against the types of its own SDK and of its server.

The SDK is not among what tests need; without it they skip. `nox -s sdks` installs it.
"""

import itertools
import json

import pytest

from fairlead.core.messages import Image, Message, Text, Tool, ToolCall, ToolResult
from fairlead.core.requests import EmbedRequest, generate_request
from fairlead.wire.ollama import OllamaCodec

types = pytest.importorskip("ollama._types", exc_type=ImportError)

NEWER = {
    types.ChatRequest: {"truncate", "shift"},
    types.Message: {"tool_call_id"},
    types.Message.ToolCall: {"id"},
}
"""Fields that the server has and its SDK does not name."""
CODEC = OllamaCodec(4096)
CALL = ToolCall("c1", "tide", '{"at": "Wick"}')
PICTURE = Image(data=b"\x89", media_type="image/png")
PROMPTS = {
    "words": "Hello",
    "media": Message.user("See", PICTURE),
    "tools": [
        "Tide?",
        Message.assistant([Text("See:"), CALL, ToolCall("c2", "wind", "")]),
        ToolResult("c1", (Text("high"), PICTURE)),
        ToolResult("c2", "none", error=True),
    ],
}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
SAMPLING = {
    "max_tokens": 9,
    "temperature": 0.5,
    "top_p": 0.9,
    "top_k": 3,
    "stop_sequences": ["x"],
    "seed": 1,
    "frequency_penalty": 0.1,
    "presence_penalty": 0.2,
    "logprobs": 2,
}
OPTIONS = [
    {},
    SAMPLING,
    {"tools": [Tool("tide", "Tells it", SCHEMA)]},
    {"response_format": SCHEMA},
    {"reasoning_effort": "none"},
    {"reasoning_effort": "high"},
]


def check(model, told):
    """*told* is valid, and the type names each of its fields."""
    model.model_validate(told)
    assert told.keys() <= {*model.model_fields, *NEWER.get(model, ())}


@pytest.mark.parametrize(
    ("prompt", "options", "stream"), itertools.product(PROMPTS, OPTIONS, [False, True])
)
def test_requests(prompt, options, stream):
    request, _ = generate_request(PROMPTS[prompt], {"model": "m", **options})
    told = json.loads(CODEC.encode_generate(request, stream=stream).body)

    check(types.ChatRequest, told)
    check(types.Options, told["options"])
    for message in told["messages"]:
        # Its type for pictures is written as the base64 alone.
        images = [{"value": image} for image in message.pop("images", [])]
        check(types.Message, {**message, "images": images})
        for call in message.get("tool_calls", []):
            check(types.Message.ToolCall, call)
            check(types.Message.ToolCall.Function, call["function"])
    for tool in told.get("tools", []):
        check(types.Tool, tool)
        check(types.Tool.Function, tool["function"])


@pytest.mark.parametrize("dimensions", [None, 8])
def test_requests_for_vectors(dimensions):
    request = EmbedRequest(texts=("a", "b"), model="m", dimensions=dimensions)

    check(types.EmbedRequest, json.loads(CODEC.encode_embed(request).body))
