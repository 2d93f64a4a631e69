"""The other side of the format."""

import json

import pytest

from fairlead.core.embeddings import Embedding
from fairlead.core.errors import InvalidRequestError, RateLimitError, ServerError
from fairlead.core.events import (
    ReasoningDelta,
    RefusalDelta,
    StreamEnd,
    StreamStart,
    TextDelta,
    ToolCallDelta,
)
from fairlead.core.messages import (
    Audio,
    File,
    Image,
    Message,
    Reasoning,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from fairlead.core.requests import EmbedRequest
from fairlead.core.results import FinishReason, Generation, Metadata
from fairlead.core.usage import Usage
from fairlead.wire.gemini import GEMINI, VERTEX, GeminiCodec
from fairlead.wire.gemini.mirror import (
    StreamEncoder,
    decode_embed_request,
    decode_request,
    encode_embeddings,
    encode_error,
    encode_generation,
)
from tests.support.gemini import events_of, generation, plain, response

TARGET = "/v1beta/models/gemini-3.8-flash:generateContent"
HELLO = [{"role": "user", "parts": [{"text": "Hello"}]}]


def read(told, target=TARGET):
    body = told if isinstance(told, bytes) else json.dumps({"contents": HELLO, **told}).encode()
    return decode_request(target, body)


def test_a_request():
    served = read(
        {
            "systemInstruction": {"parts": [{"text": "Be."}]},
            "generationConfig": {
                "temperature": 0.5,
                "responseMimeType": "application/json",
                "responseLogprobs": True,
                "logprobs": 2,
                "mediaResolution": "LOW",
                "thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": True},
            },
            "tools": [{"functionDeclarations": [{"name": "wind"}]}, {"googleSearch": {}}],
            "toolConfig": {
                "functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["wind"]},
                "x": 1,
            },
            "safetySettings": [],
        }
    )
    request = served.request

    assert not served.stream
    assert request.model == "gemini-3.8-flash"
    assert [message.role for message in request.messages] == [Role.SYSTEM, Role.USER]
    assert request.temperature == 0.5
    assert request.response_format == {"type": "object"}
    assert request.logprobs == 2
    assert request.reasoning_effort == "low"
    assert request.tools[0].name == request.tool_choice == "wind"
    assert request.extra == {
        "safetySettings": [],
        "generationConfig": {
            "mediaResolution": "LOW",
            "thinkingConfig": {"includeThoughts": True},
        },
        "tools": [{"googleSearch": {}}],
        "toolConfig": {"x": 1},
    }


@pytest.mark.parametrize(
    ("config", "effort"),
    [
        ({"thinkingBudget": 0}, "none"),
        ({"thinkingBudget": 8192}, "medium"),
        ({"thinkingBudget": 17}, None),
        ({}, None),
    ],
)
def test_efforts(config, effort):
    target = "/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash:generateContent"
    told = {"generationConfig": {"thinkingConfig": config}}

    assert read(told, target).request.reasoning_effort == effort


def test_a_stream_and_a_choice():
    target = "/models/m%2Fx:streamGenerateContent?alt=sse"
    tools = {
        "tools": [{"functionDeclarations": [{"name": "wind", "parameters": {"type": "object"}}]}]
    }
    choice = {"toolConfig": {"functionCallingConfig": {"mode": "NONE"}}}
    served = read({**tools, **choice, "generationConfig": {"responseLogprobs": True}}, target)

    assert served.stream
    assert served.request.model == "m/x"
    assert served.request.tool_choice == "none"
    assert served.request.tools[0].parameters == {"type": "object"}
    assert served.request.logprobs is True


def test_contents():
    call = {"functionCall": {"id": "c", "name": "tide", "args": {}}, "thoughtSignature": "s"}
    files = [
        {"inlineData": {"mimeType": "image/png", "data": "iQ=="}},
        {"fileData": {"mimeType": "audio/wav", "fileUri": "gs://a"}},
        {"fileData": {"fileUri": "gs://b"}},
    ]
    answered = {"id": "c", "name": "tide", "response": {"output": "high"}, "parts": files[:2]}
    failed = {"id": "d", "response": {"error": "no"}}
    silent = {"id": "e", "name": "sun", "response": {}, "parts": files[:1]}
    contents = [
        {"parts": [{"text": "See"}, *files]},
        {"role": "model", "parts": [{"text": "Hm."}, call]},
        {
            "role": "function",
            "parts": [{"functionResponse": each} for each in (answered, failed, silent)],
        },
    ]
    user, model, tool = read({"contents": contents}).request.messages

    assert user.parts == (
        Text("See"),
        Image(data=b"\x89", media_type="image/png"),
        Audio(url="gs://a", media_type="audio/wav"),
        File(url="gs://b"),
    )
    assert model.parts == (
        Text("Hm."),
        ToolCall("c", "tide", "{}", {"thoughtSignature": "s"}, GEMINI.origin),
    )
    assert tool.role is Role.TOOL
    picture = Image(data=b"\x89", media_type="image/png")
    assert tool.parts == (
        ToolResult("c", (Text("high"), picture), name="tide"),
        ToolResult("d", "no", error=True),
        ToolResult("e", (picture,), name="sun"),
    )


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (b"so", "no JSON object"),
        (b"[]", "no JSON object"),
        ({"contents": []}, "'contents' is required"),
        ({"contents": [{"role": "god", "parts": []}]}, r"contents\[0\].role must be"),
        ({"contents": [{"parts": []}]}, r"contents\[0\].parts must not be empty"),
        ({"contents": [{"parts": [{}]}]}, "holds nothing: not understood"),
        ({"contents": [{"parts": [{"new": 1}]}]}, "holds new: not understood"),
        (
            {"contents": [{"parts": [{"inlineData": {"mimeType": "a/b", "data": "?"}}]}]},
            "no base64",
        ),
        ({"tools": [{"functionDeclarations": [{}]}]}, "must have a name"),
        ({"generationConfig": {"temperature": "hot"}}, "temperature"),
    ],
)
def test_what_is_no_request(told, words):
    with pytest.raises(InvalidRequestError, match=words):
        read(told)


def test_a_target_that_names_no_model():
    with pytest.raises(InvalidRequestError, match="names no model"):
        read({}, "/v1beta/models")


@pytest.mark.parametrize(
    ("texts", "dialect", "verb"),
    [
        (("a",), GEMINI, "embedContent"),
        (("a", "b"), GEMINI, "batchEmbedContents"),
        (("a", "b"), VERTEX, "predict"),
    ],
)
@pytest.mark.parametrize("kind", ["query", "clustering", None])
def test_a_request_for_vectors(texts, dialect, verb, kind):
    model = "text-embedding-005"
    request = EmbedRequest(
        texts=texts, model=model, dimensions=3, input_type=kind, extra={"title": "T"}
    )
    sent = GeminiCodec(dialect).encode_embed(request)

    served = decode_embed_request(sent.path, sent.body)

    assert served.request == request
    assert served.verb == verb
    vectors = [Embedding([1.0, 0.5]) for _ in texts]
    body = encode_embeddings(vectors, verb=verb, usage=Usage(input_tokens=4))
    decoded = GeminiCodec(dialect).decode_embed(response(body), request)
    assert decoded.vectors == vectors
    assert decoded.usage.input_tokens == 4


def test_vectors_without_usage():
    body = encode_embeddings([Embedding([1.0])], verb="embedContent")

    assert json.loads(body) == {"embedding": {"values": [1.0]}}


def test_a_request_for_no_vectors():
    with pytest.raises(InvalidRequestError):
        decode_embed_request("/models/m:predict", b'{"parameters": {}}')


SIGNED = {"thought": True, "thoughtSignature": "s", "signs": "thought"}
EVENTS = [
    StreamStart("r-1", "tiny"),
    StreamStart(),
    ReasoningDelta(""),
    ReasoningDelta("Hm. "),
    ReasoningDelta("So.", SIGNED, GEMINI.origin),
    ReasoningDelta("", {"other": "vendor"}, "elsewhere"),
    TextDelta("Hold "),
    RefusalDelta("it."),
    ToolCallDelta(0, "c", "tide", '{"at":'),
    ToolCallDelta(0, arguments='"x"}', opaque={"thoughtSignature": "t"}, origin=GEMINI.origin),
    ToolCallDelta(1, None, None, ""),
    StreamEnd(
        FinishReason.TOOL_CALLS,
        usage=Usage(input_tokens=5, output_tokens=9, reasoning_tokens=2, total_tokens=14),
        logprobs=(
            {"token": "a", "logprob": -1.0, "top_logprobs": [{"token": "a", "logprob": -1.0}]},
        ),
    ),
]


def test_a_stream_is_written():
    encoder = StreamEncoder()
    told = generation(events_of(b"".join(map(encoder.encode_event, EVENTS)))[0])

    assert told == "Hold it."
    assert told.metadata.response_id == "r-1"
    assert told.reasoning == "Hm. So."
    assert told.metadata.parts[0].opaque == SIGNED
    assert told.tool_calls == (
        ToolCall("c", "tide", '{"at": "x"}', {"thoughtSignature": "t"}, GEMINI.origin),
        ToolCall("call_1", "", "{}"),
    )
    assert told.usage.output_tokens == 9
    assert told.usage.reasoning_tokens == 2
    assert told.metadata.logprobs == EVENTS[-1].logprobs


def test_a_stream_that_fails():
    encoder = StreamEncoder()
    sent = encoder.encode_event(TextDelta("Hold ")) + encoder.encode_error(ServerError("gone"))
    events, error = events_of(sent)

    assert generation(events) == "Hold "
    assert isinstance(error, ServerError)
    assert encoder.encode_event(StreamEnd(FinishReason.STOP)).count(b"data:") == 1


@pytest.mark.parametrize(
    "error",
    [
        RateLimitError("slow", status_code=429, retry_after=7.5, code="RATE_LIMIT_EXCEEDED"),
        ServerError("gone"),
    ],
)
def test_an_error(error):
    status = error.status_code or 502
    found = GeminiCodec().decode_error(response(encode_error(error), status))

    assert type(found) is type(error)
    assert found.message == error.message
    assert found.retry_after == error.retry_after


def test_a_whole_answer():
    metadata = Metadata(
        provider="x",
        model="tiny",
        finish_reason=FinishReason.LENGTH,
        usage=Usage(input_tokens=1),
        logprobs=EVENTS[-1].logprobs,
        parts=(Reasoning("Hm."), Text("Hold")),
    )
    told = plain(encode_generation(Generation("Hold", metadata)))

    assert told == "Hold"
    assert told.reasoning == "Hm."
    assert told.finish_reason is FinishReason.LENGTH
    assert told.usage.input_tokens == 1
    assert told.metadata.logprobs == metadata.logprobs
    assert plain(encode_generation(Generation("Hold", Metadata(provider="x")))).usage is None


def test_messages_of_both_sides_are_the_same():
    turn = Message.user("Hello")

    assert read({}).request.messages == (turn,)
