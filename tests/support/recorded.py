"""
Recorded traffic of real providers, and whether an answer is what it should be.

The recordings are not part of this project: `FAIRLEAD_TRAFFIC` names their directory, and without
it they are looked for beside the project. Where there are none, the tests that need them skip.
"""

from __future__ import annotations

import itertools
import json
import os
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fairlead.adapters.providers.presets import PRESETS
from fairlead.core.collector import Collector
from fairlead.core.errors import ProviderError
from fairlead.core.results import Generation, Metadata
from fairlead.wire.anthropic import AnthropicCodec
from fairlead.wire.anthropic import Dialect as MessagesDialect
from fairlead.wire.codec import Codec
from fairlead.wire.gemini import GEMINI, VERTEX, GeminiCodec
from fairlead.wire.http import WireResponse
from fairlead.wire.ollama import OllamaCodec
from fairlead.wire.openai_chat import OPENAI, Dialect, OpenAIChatCodec
from fairlead.wire.openai_responses import OpenAIResponsesCodec

ROOT = Path(__file__).parents[2]
TRAFFIC = Path(os.environ.get("FAIRLEAD_TRAFFIC") or ROOT / "../shared/traffic")

DIALECTS = {
    dialect.name: dialect
    for dialect in (
        OPENAI,
        Dialect(name="azure", rules=OPENAI.rules, embeddings="base64"),
        *(preset.dialect for preset in PRESETS.values()),
    )
}


def _openai_chat(vendor: str) -> Codec:
    return OpenAIChatCodec(DIALECTS.get(vendor) or Dialect(name=vendor))


def _openai_responses(vendor: str) -> Codec:
    return OpenAIResponsesCodec(DIALECTS.get(vendor) or Dialect(name=vendor))


def _anthropic(vendor: str) -> Codec:
    return AnthropicCodec(MessagesDialect(name=vendor))


def _gemini(vendor: str) -> Codec:
    return GeminiCodec(VERTEX if vendor == "vertexai" else GEMINI)


def _ollama(vendor: str) -> Codec:
    return OllamaCodec(8192)


CODECS: dict[str, Callable[[str], Codec]] = {
    "openai.chat": _openai_chat,
    "openai.embeddings": _openai_chat,
    "openai.responses": _openai_responses,
    "mistral.chat": _openai_chat,
    "mistral.embeddings": _openai_chat,
    "anthropic.messages": _anthropic,
    "gemini.generateContent": _gemini,
    "gemini.embed": _gemini,
    "ollama.chat": _ollama,
    "ollama.embed": _ollama,
    "ollama.generate": _ollama,
}
"""What reads the answers of each API that is read so far, by the vendor's name."""


@dataclass(frozen=True)
class Record:
    """One interaction, and what is to be made of its answer."""

    name: str
    record: dict[str, Any]
    expected: dict[str, Any]

    def __str__(self) -> str:
        return self.name

    @property
    def api(self) -> str:
        return self.record["api"]

    @property
    def provider(self) -> str:
        return self.record["provider"]

    @property
    def stream(self) -> bool:
        return self.record["stream"]

    @property
    def body(self) -> bytes:
        return self.record["response"]["body"].encode()

    @property
    def response(self) -> WireResponse:
        told = self.record["response"]
        headers = dict(told["headers"])
        streamed = self.stream and told["body"].lstrip().startswith(("data:", ":", "event:"))
        kind = "text/event-stream" if streamed else "application/json"
        headers.setdefault("content-type", kind)
        return WireResponse(status=told["status"], headers=headers, body=self.body)

    @property
    def succeeds(self) -> bool:
        """Whether an answer is to come of it rather than an error."""
        if self.expected["kind"] in {"error", "error_in_200", "stream_error"}:
            return False
        return bool(self.expected["terminated"] or self.expected.get("complete"))

    def codec(self) -> Codec:
        return CODECS[self.api](self.provider)

    def cuts(self, seed: int) -> Iterator[list[bytes]]:
        """Its body whole, as it came, byte by byte, and cut at random places."""
        yield [self.body]
        yield list(cut(self.body, self.record["response"].get("chunk_lengths") or []))
        yield [bytes([byte]) for byte in self.body]
        choose = random.Random(f"{seed}/{self.name}")
        for _ in range(3):
            places = sorted(choose.choices(range(len(self.body) + 1), k=choose.randint(1, 40)))
            ends = [0, *places]
            yield list(cut(self.body, [b - a for a, b in itertools.pairwise(ends)]))


def cut(body: bytes, lengths: Sequence[int]) -> Iterator[bytes]:
    """*body* in pieces of *lengths*; what they leave is the last piece."""
    start = 0
    for length in lengths:
        yield body[start : start + length]
        start += length
    yield body[start:]


@cache
def records(*apis: str) -> tuple[Record, ...]:
    """All recordings of *apis* that are here."""
    return tuple(
        Record(path.stem, record, json.loads((path.parent / "expected" / path.name).read_text()))
        for path in sorted(TRAFFIC.glob("*/*.json"))
        if (record := json.loads(path.read_text("utf-8")))["api"] in apis
    )


def streamed(codec: Codec, pieces: Sequence[bytes]) -> tuple[Generation, ProviderError | None]:
    """What *codec* makes of a streamed answer, and the error that it ended in."""
    decoder = codec.stream_decoder()
    collector = Collector()
    for piece in pieces:
        for event in decoder.feed(piece):
            collector.add(event)
    for event in decoder.finish():
        collector.add(event)
    assert collector.ended == decoder.ended
    assert decoder.ended == (decoder.error is None)
    return collector.generation(Metadata(provider="recorded")), decoder.error


def plain(codec: Codec, response: WireResponse) -> Generation:
    """What *codec* makes of a whole answer; raises what it raises."""
    collector = Collector(codec.decode_generate(response))
    assert collector.ended
    return collector.generation(Metadata(provider="recorded"))


def differences(generation: Generation, expected: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What *generation* says otherwise than *expected*: (found, wanted) by name."""
    found = {
        "text": str(generation),
        "reasoning_text": generation.reasoning,
        "refusal": generation.refusal,
        "model": generation.model,
        "response_id": generation.metadata.response_id,
        "finish_reason": generation.metadata.finish_reason_raw,
        "tool_calls": _calls(generation),
        "usage": _usage(generation),
    }
    wanted = {
        "text": expected["text"],
        "reasoning_text": expected["reasoning_text"],
        "refusal": expected["refusal"],
        "model": expected["model"] or None,
        "response_id": expected["response_id"] or None,
        "finish_reason": expected["finish_reason"],
        "tool_calls": [
            # A call that the vendor gave no id gets one of ours.
            (call["id"] or f"call_{position}", call["name"], call["arguments_raw"] or "")
            for position, call in enumerate(expected["tool_calls"])
        ],
        "usage": _expected_usage(expected),
    }
    return {
        name: (found[name], wanted[name])
        for name in wanted
        if found[name] != wanted[name] and (wanted[name] or found[name])
    }


def _calls(generation: Generation) -> list[tuple[str, str, str]]:
    return [(call.id, call.name, call.arguments) for call in generation.tool_calls]


def _usage(generation: Generation) -> dict[str, int | None] | None:
    usage = generation.usage
    if usage is None:
        return None
    return {
        "input": usage.input_tokens,
        "output": usage.output_tokens,
        "cached_input": usage.cache_read_tokens,
        "cache_write": usage.cache_write_tokens,
        "reasoning": usage.reasoning_tokens,
        "total": usage.total_tokens,
    }


def _expected_usage(expected: dict[str, Any]) -> dict[str, int | None] | None:
    """The recorded usage, in the normal form."""
    if expected["usage"] is None:
        return None
    return expected["usage"] | {
        "input": expected["usage_total_input"],
        "output": expected["usage_total_output"],
    }
