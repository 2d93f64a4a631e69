"""
What is sent to Mistral, checked against the types of its own SDK, as its server takes no others.

The SDK is not among what tests need; without it they skip. `nox -s sdks` installs it.
"""

import itertools
import json

import pytest

from fairlead.adapters.providers.presets import PRESETS
from fairlead.core.messages import (
    Audio,
    File,
    Image,
    Message,
    Reasoning,
    Refusal,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from fairlead.core.requests import EmbedRequest, generate_request
from fairlead.wire.openai_chat import OpenAIChatCodec

models = pytest.importorskip("mistralai.client.models", exc_type=ImportError)

MISTRAL = PRESETS["mistral"].dialect
CODEC = OpenAIChatCodec(MISTRAL)
PICTURE = Image(data=b"\x89", media_type="image/png")
PROMPTS = {
    "words": "Hello",
    "media": Message.user(
        "See",
        PICTURE,
        Audio(data=b"a", media_type="audio/mpeg"),
        File(data=b"%", media_type="application/pdf", name="a.pdf"),
    ),
    "tools": [
        Message.system("Be brief."),
        "Tide?",
        Message.assistant(
            [
                Reasoning("Hm", {"field": "thinking", "signature": "s"}, MISTRAL.origin),
                Text("See:"),
                Refusal("no further."),
                ToolCall("elsewhere_1", "tide", '{"at": "Wick"}'),
            ]
        ),
        ToolResult("elsewhere_1", "high"),
    ],
}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
OPTIONS = [
    {},
    {
        "max_tokens": 9,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 3,
        "stop_sequences": ["x"],
        "seed": 1,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
        "logprobs": 2,
        "reasoning_effort": "high",
    },
    *(
        {"tools": [Tool("tide", "Tells it", SCHEMA, strict=True)], "tool_choice": choice}
        for choice in ("auto", "none", "required", "tide")
    ),
    {"response_format": SCHEMA},
]
ROLES = {
    "system": "SystemMessage",
    "user": "UserMessage",
    "assistant": "AssistantMessage",
    "tool": "ToolMessage",
}
PARTS = {
    "text": "TextChunk",
    "image_url": "ImageURLChunk",
    "input_audio": "AudioChunk",
    "document_url": "DocumentURLChunk",
    "thinking": "ThinkChunk",
}


def check(name, told):
    """*told* is valid, and the type names each of its fields."""
    model = getattr(models, name)
    model.model_validate(told)
    names = {field.alias or name for name, field in model.model_fields.items()}
    assert told.keys() <= names, told.keys() - names


@pytest.mark.parametrize(
    ("prompt", "options", "stream"), itertools.product(PROMPTS, OPTIONS, [False, True])
)
def test_requests(prompt, options, stream):
    request, _ = generate_request(PROMPTS[prompt], {"model": "m", **options})
    told = json.loads(CODEC.encode_generate(request, stream=stream).body)

    check("ChatCompletionStreamRequest" if stream else "ChatCompletionRequest", told)
    for message in told["messages"]:
        check(ROLES[message["role"]], message)
        for part in message["content"] if isinstance(message["content"], list) else ():
            check(PARTS[part["type"]], part)
        for call in message.get("tool_calls", ()):
            check("ToolCall", call)
    for tool in told.get("tools", ()):
        check("Tool", tool)
        check("Function", tool["function"])


@pytest.mark.parametrize("dimensions", [None, 8])
def test_requests_for_vectors(dimensions):
    request = EmbedRequest(texts=("a", "b"), model="m", dimensions=dimensions)

    check("EmbeddingRequest", json.loads(CODEC.encode_embed(request).body))
