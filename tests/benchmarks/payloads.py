"""What the servers answer: OpenAI's shapes, fixed."""

import json

CHUNKS = 1_000
HEADERS = {
    "access-control-expose-headers": "X-Request-ID",
    "alt-svc": 'h3=":443"; ma=86400',
    "cf-cache-status": "DYNAMIC",
    "cf-ray": "8f0c2d1e4b7a9c3d-FRA",
    "openai-organization": "example",
    "openai-processing-ms": "412",
    "openai-version": "2020-10-01",
    "strict-transport-security": "max-age=31536000; includeSubDomains; preload",
    "x-content-type-options": "nosniff",
    "x-ratelimit-limit-requests": "10000",
    "x-ratelimit-limit-tokens": "30000000",
    "x-ratelimit-remaining-requests": "9999",
    "x-ratelimit-remaining-tokens": "29999975",
    "x-request-id": "req_0f3a7c1d5b9e2468",
}
REQUEST = {"model": "bench", "messages": [{"role": "user", "content": "Why do ports help?"}]}
ANSWER = json.dumps(
    {
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
        "object": "chat.completion",
        "created": 1763700000,
        "model": "bench",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Ports keep what you decide apart from what others change. " * 4,
                    "refusal": None,
                    "annotations": [],
                },
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 14,
            "completion_tokens": 48,
            "total_tokens": 62,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
        "service_tier": "default",
        "system_fingerprint": "fp_44709d6fcb",
    }
)


def event(delta: dict[str, str], finish_reason: str | None = None) -> bytes:
    chunk = {
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
        "object": "chat.completion.chunk",
        "created": 1763700000,
        "model": "bench",
        "service_tier": "default",
        "system_fingerprint": "fp_44709d6fcb",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}],
    }
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"


def opening() -> list[bytes]:
    return [event({"role": "assistant", "content": ""}), event({"content": "One"})]


def rest(chunks: int) -> list[bytes]:
    """Words up to *chunks* of them, and the end."""
    words = [event({"content": f" word{number}"}) for number in range(chunks - 1)]
    return [*words, event({}, "stop"), b"data: [DONE]\n\n"]
