"""
A secret is planted wherever one can stand, and nothing that can be read shows it.

The server is as unkind as can be: whatever it answers quotes all that it was sent.
"""

import io
import json
import logging
import os
import pickle
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import anyio
import pytest
import structlog

from fairlead.adapters.providers.openai import OpenAIProvider
from fairlead.adapters.providers.openai_compatible import OpenAICompatibleProvider
from fairlead.adapters.telemetry.structlog import StructlogLog, configure_debug
from fairlead.core.errors import ConfigurationError, ProviderError
from fairlead.decorators.breaker import CircuitBreakerProvider
from fairlead.decorators.deadline import DeadlineProvider
from fairlead.decorators.fallback import FallbackProvider
from fairlead.decorators.logging import LoggingProvider
from fairlead.decorators.retry import RetryProvider

pytestmark = pytest.mark.anyio

CANARY = "canary4711"
KEY = f"correct-horse-{CANARY}-battery"
"""It looks like no vendor's keys, so no pattern knows it."""
VARIABLE = f"sk-proj-{CANARY}-variable-0123456789"
HEADER = f"another-{CANARY}-staple"
EXTRA = f"sk-{CANARY}-extra-0123456789abcdef"


class Unkind(BaseHTTPRequestHandler):
    """Fails with the status in the model's name, and quotes everything."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        asked = json.loads(body)
        bearer = self.headers["authorization"]
        quoted = f"{bearer} sent headers {dict(self.headers)} and body {body}"
        error = {"message": quoted, "type": "quoted", "code": bearer.split()[-1]}
        status = 200 if asked["model"] == "stream" else int(asked["model"])
        if status == 200:
            chunks = [{"choices": [{"index": 0, "delta": {"content": "Well"}}]}, {"error": error}]
            answer = b"".join(b"data: %b\n\n" % json.dumps(each).encode() for each in chunks)
        elif status == 502:
            answer = quoted.encode()
        else:
            answer = json.dumps({"error": error}).encode()
        self.send_response(status)
        kind = {200: "text/event-stream", 502: "text/html"}.get(status, "application/json")
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(answer)))
        self.send_header("x-request-id", "v-1")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def address():
    with ThreadingHTTPServer(("127.0.0.1", 0), Unkind) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def to_json(stream):
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=repr),
        ],
        logger_factory=structlog.PrintLoggerFactory(stream),
    )


def to_stdlib(stream):
    """With all that httpx and asyncio have to tell."""


RENDERERS = {"json": to_json, "console": configure_debug, "standard library": to_stdlib}


@pytest.fixture(params=RENDERERS.values(), ids=RENDERERS)
def told(request):
    """All that is logged, at debug."""
    stream = io.StringIO()
    root, own = logging.getLogger(), logging.getLogger("fairlead")
    before = root.level, own.handlers[:], own.level, own.propagate
    handler = logging.StreamHandler(stream)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    request.param(stream)
    yield stream
    structlog.reset_defaults()
    root.removeHandler(handler)
    root.level, own.handlers[:], own.level, own.propagate = before


def compatible(address, model):
    headers = {"x-api-key": HEADER}
    return OpenAICompatibleProvider(base_url=address, model=model, api_key=KEY, headers=headers)


def openai(address, model):
    return OpenAIProvider(base_url=address, model=model, organization="org-1")


PROVIDERS = {"openai-compatible": compatible, "openai": openai}


def pipeline(*providers):
    targets = [
        RetryProvider(CircuitBreakerProvider(each), max_retries=1, random=lambda: 0.0)
        for each in providers
    ]
    dispatch = FallbackProvider(targets, try_another=lambda error: True)
    return LoggingProvider(DeadlineProvider(dispatch), log=StructlogLog())


def all_of(error):
    """Everything that can be read of *error*."""
    chain = [error, *getattr(error, "errors", ())]
    for each in chain:
        yield str(each)
        yield repr(each)
        yield repr(vars(each))
        yield repr(list(each.attempts))
        yield repr(pickle.loads(pickle.dumps(each)).journal)
    yield "".join(traceback.format_exception(error))


FAILING = ["400", "401", "403", "404", "429", "500", "502", "503", "stream"]


@pytest.mark.parametrize("make", PROVIDERS.values(), ids=PROVIDERS)
@pytest.mark.parametrize("model", FAILING)
async def test_no_secret_is_told(told, address, monkeypatch, make, model):
    monkeypatch.setenv("OPENAI_API_KEY", VARIABLE)
    first, second = make(address, model), compatible(address, model)
    shown = [repr(first), repr(vars(first)["_model"]), str(first)]
    async with pipeline(first, second) as provider:
        shown += [repr(provider), str(provider.plan)]
        with pytest.raises(ProviderError) as caught:
            with anyio.fail_after(10):
                await ask(provider, model)
        shown += all_of(caught.value)
    lines = told.getvalue()

    assert "call failed" in lines or "stream interrupted" in lines
    assert CANARY not in lines
    assert not [text for text in shown if CANARY in text]


async def ask(provider, model):
    extra = {provider.inner.inner.targets[0].name: {"token": EXTRA}}
    if model == "stream":
        async with provider.generate_stream("Hello", extra=extra) as stream:
            async for _ in stream:
                pass
    else:
        await provider.generate("Hello", extra=extra)


@pytest.mark.parametrize(
    "base_url",
    [
        f"https://user:{KEY}@example.com/v1",
        f"https://{KEY}@example.com/v1",
        f"https://example.com/v1?key={KEY}",
        f"http://user:{KEY}@example.com/v1",
        f"ftp://user:{KEY}@example.com/v1",
    ],
)
def test_no_secret_of_an_address_is_told(base_url):
    with pytest.raises(ConfigurationError) as caught:
        OpenAICompatibleProvider(base_url=base_url, model="m")

    assert CANARY not in "".join(traceback.format_exception_only(caught.value))


@pytest.mark.parametrize("key", [f"{KEY}\n", f" {KEY}", f"{KEY}ü"])
def test_no_secret_that_was_copied_badly_is_told(key):
    with pytest.raises(ConfigurationError) as caught:
        OpenAICompatibleProvider(base_url="https://example.com/v1", model="m", api_key=key)

    assert CANARY not in str(caught.value)


async def test_no_env_file_is_read_unasked(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text(f"OPENAI_API_KEY={KEY}\n", "utf-8")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigurationError) as caught:
        OpenAIProvider()
    assert CANARY not in str(caught.value)
    assert CANARY not in repr(os.environ)
