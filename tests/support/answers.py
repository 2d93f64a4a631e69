"""Scripted answers of an OpenAI-compatible server, over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.server import LAST_CHUNK, Peer, Received, Server, chunk, head, path

SSE = "text/event-stream"
JSON = "application/json"


@dataclass(frozen=True)
class Answer:
    """
    One response.

    `pieces` travel as one HTTP chunk each, `pause` seconds apart; `ending` says what comes after
    the last of them: the `"end"` of the body, a `"cut"`, a `"stall"`, or comments for ever.
    """

    pieces: Sequence[bytes]
    status: int = 200
    content_type: str = SSE
    headers: tuple[tuple[str, str], ...] = ()
    pause: float = 0.0
    ending: str = "end"


SCRIPT: list[Answer] = []
"""What the server answers next; the last one again and again."""


def completion(text: str = "Hello.", **message: Any) -> Answer:
    """A plain answer."""
    body = {
        "id": "chatcmpl-1",
        "model": "test-1",
        "choices": [{"index": 0, "message": {"content": text, **message}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
    }
    return Answer([json.dumps(body).encode()], content_type=JSON)


def event(text: str | None = None, finish: str | None = None, **delta: Any) -> bytes:
    """One chunk of a streamed answer."""
    if text is not None:
        delta["content"] = text
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _data({"id": "chatcmpl-1", "model": "test-1", "choices": [choice]})


def usage(**counts: int) -> bytes:
    """The chunk that tells usage."""
    counts = counts or {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    return _data({"id": "chatcmpl-1", "model": "test-1", "choices": [], "usage": counts})


def _data(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def streamed(*words: str, **how: Any) -> Answer:
    """A streamed answer."""
    return Answer([*map(event, words), event(finish="stop"), usage(), DONE], **how)


def failure(status: int, message: str = "no", **headers: str) -> Answer:
    """An error."""
    body = json.dumps({"error": {"message": message, "type": None, "param": None, "code": None}})
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Answer([body.encode()], status=status, content_type=JSON, headers=named)


def script(*answers: Answer) -> None:
    """Let the server give *answers*, in their order, the last of them for ever."""
    SCRIPT[:] = answers


async def _answer(server: Server, peer: Peer, request: Received) -> bool:
    answer = SCRIPT.pop(0) if len(SCRIPT) > 1 else SCRIPT[0]
    headers = {"transfer-encoding": "chunked", "content-type": answer.content_type}
    await peer.send(head(answer.status, {**headers, **dict(answer.headers)}))
    for piece in answer.pieces:
        if piece:
            await peer.send(chunk(piece))
        await asyncio.sleep(answer.pause)
    if answer.ending == "end":
        await peer.send(LAST_CHUNK)
        return False
    if answer.ending == "stall":
        await peer.until_gone()
    while answer.ending == "comments":
        await peer.send(chunk(b": still here\n\n"))
        await asyncio.sleep(0.01)
    return True


GOOGLE = ("gemini-3.8-flash", "asked")
"""Models that are asked in the words of generateContent."""
_PATHS = (
    *("/chat/completions", "/v1/chat/completions", "/v1/responses", "/v1/embeddings"),
    *("/v1/models", "/v1beta/models", "/v1/messages", "/v1/messages/count_tokens"),
    *("/api/chat", "/api/embed", "/api/tags"),
    *(
        f"/v1{folder}/models/{model}:{verb}"
        for folder in ("", "beta", "/publishers/google")
        for model in GOOGLE
        for verb in (
            *("generateContent", "streamGenerateContent", "countTokens"),
            *("embedContent", "batchEmbedContents", "predict"),
        )
    ),
)
for _path in _PATHS:
    path(_path)(_answer)
