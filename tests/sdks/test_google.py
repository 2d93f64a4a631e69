"""
What is sent to Gemini, checked against the models of Google's own SDK, which know every field.

The SDK is not among what tests need; without it they skip. `nox -s sdks` installs it.
"""

import itertools
import json

import pytest

from fairlead.core.messages import Audio, File, Image, Message, Text, Tool, ToolCall, ToolResult
from fairlead.core.requests import EmbedRequest, generate_request
from fairlead.wire.gemini import GEMINI, VERTEX, GeminiCodec

types = pytest.importorskip("google.genai.types", exc_type=ImportError)

CALL = ToolCall("c1", "tide", '{"at": "Wick"}', {"thoughtSignature": "c2ln"}, GEMINI.origin)
PICTURE = Image(data=b"\x89", media_type="image/png")
PROMPTS = {
    "words": "Hello",
    "media": Message.user(
        "See", PICTURE, Audio(url="gs://a.wav"), File(data=b"%", media_type="application/pdf")
    ),
    "tools": [
        "Tide?",
        Message.assistant([Text("See:"), CALL, ToolCall("c2", "wind", "")]),
        ToolResult(CALL, (Text("high"), PICTURE)),
        ToolResult("c2", "none", error=True),
    ],
}
SCHEMA = {
    "type": "object",
    "properties": {"city": {"anyOf": [{"const": "x"}, {"$ref": "#/$defs/A"}]}},
    "required": ["city"],
    "$defs": {"A": {"type": "string", "pattern": "a"}},
}
SAMPLING = {
    "max_tokens": 9,
    "temperature": 0.5,
    "top_p": 0.9,
    "top_k": 4,
    "stop_sequences": ["a"],
    "seed": 7,
    "logprobs": 3,
    "frequency_penalty": 0.1,
    "presence_penalty": 0.1,
}
TOOLS = [Tool("tide", "When?", SCHEMA, strict=True), Tool("wind")]
GRID = list(
    itertools.product(
        PROMPTS,
        ["gemini-3.8-flash", "gemini-2.5-pro", "gemini-2.0-flash", "gemma-3-27b-it"],
        [{}, SAMPLING],
        [{}, {"tools": TOOLS}, {"tools": TOOLS, "tool_choice": "tide"}],
        [
            {},
            {"response_format": SCHEMA},
            {"reasoning_effort": "none"},
            {"reasoning_effort": "high"},
        ],
        [None, "Be brief."],
    )
)
FIELDS = {
    "contents": lambda value: [types.Content.model_validate(each) for each in value],
    "systemInstruction": types.Content.model_validate,
    "tools": lambda value: [types.Tool.model_validate(each) for each in value],
    "toolConfig": types.ToolConfig.model_validate,
    "generationConfig": types.GenerationConfig.model_validate,
}


@pytest.mark.parametrize("dialect", [GEMINI, VERTEX], ids=lambda dialect: dialect.name)
def test_the_sdk_knows_all_that_is_sent(dialect):
    for prompt, model, sampling, tools, form, system in GRID:
        options = {"model": model, **sampling, **tools, **form, "system_prompt": system}
        request, _ = generate_request(PROMPTS[prompt], options)
        told = json.loads(GeminiCodec(dialect).encode_generate(request, stream=True).body)

        assert told.keys() <= FIELDS.keys()
        for name, value in told.items():
            FIELDS[name](value)


def test_the_sdk_would_notice_a_mistake():
    with pytest.raises(ValueError, match="maxTokens"):
        FIELDS["generationConfig"]({"maxTokens": 1})


@pytest.mark.parametrize("texts", [("a",), ("a", "b")])
def test_the_sdk_knows_what_embeddings_are_asked_by(texts):
    request = EmbedRequest(texts=texts, model="m", dimensions=3, input_type="query")
    told = json.loads(GeminiCodec().encode_embed(request).body)

    for each in told.get("requests", [told]):
        types.Content.model_validate(each.pop("content"))
        each.pop("model", None)
        types.EmbedContentConfig.model_validate(each)
