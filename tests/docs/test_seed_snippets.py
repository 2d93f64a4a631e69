"""
The documents' own snippets run, with nothing changed but their imports.

Which ones, and why others do not, stands in `docs/reference/from-the-seeds.md`. They talk to a
server on this machine that answers as OpenAI does.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import io
import json
import logging
import os
import subprocess
import sys
from types import SimpleNamespace

import httpx
import pytest

import fairlead
import fairlead.sync
from fairlead.core.embeddings import Embedding
from fairlead.wire.openai_chat.mirror import encode_embeddings
from tests.docs import stand_ins
from tests.docs.pages import blocks
from tests.docs.seeds import DOCUMENTS, rows, snippets
from tests.docs.test_from_the_seeds import resolved, seed
from tests.support.answers import JSON, Answer, completion, failure, script, streamed

SNIPPETS = [snippet for document in DOCUMENTS for snippet in snippets(document)]
PLACES = {(row.document, row.snippet): row for row in rows() if row.snippet}
RUNNING = [key for key, row in PLACES.items() if row.here == "runs"]
TWICE = ("000", "001")
SYNC = {"complete", "embed", "get_provider", "ProviderFactory"}
OURS = {"devsynth.adapters.provider_system", "devsynth.adapters.providers.factory"}
OURS |= {"devsynth.adapters.providers.exceptions", "app.providers.base", "app.providers.registry"}
OURS |= {"app.router.router", "devsynth.infrastructure.cache", "devsynth.infrastructure.telemetry"}
TEST = """
def test_it():
    import fairlead

    assert fairlead.get_provider().name == "offline"
"""


class Imports(ast.NodeTransformer):
    """Takes what a snippet imports from where it is here."""

    def visit_ImportFrom(self, node):
        if node.module.split(".")[0] not in {"devsynth", "app", "sklearn"}:
            return node
        homes = ["tests.docs.stand_ins"] * len(node.names)
        if node.module in OURS:
            is_sync = node.module == "devsynth.adapters.provider_system"
            homes = [
                "fairlead.sync" if is_sync and alias.name in SYNC else "fairlead"
                for alias in node.names
            ]
        return [
            ast.ImportFrom(home, [alias], 0) for home, alias in zip(homes, node.names, strict=True)
        ]


class Play:
    """A snippet's namespace, and what became of it."""

    def __init__(self, document, title, server):
        self.document, self.title, self.server = document, title, server
        self.names = {}
        self.printed = ""

    def run(self, **given):
        """Run the snippet, and then close what it made."""
        self.names |= given
        found = [
            one for one in SNIPPETS if (one.document, one.title) == (self.document, self.title)
        ]
        tree = ast.fix_missing_locations(Imports().visit(found[0].tree))
        code = compile(tree, self.title, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            result = eval(code, self.names)
            if code.co_flags & inspect.CO_COROUTINE:
                self.runner.run(result)
        self.printed = printed.getvalue()

    def call(self, function, *args):
        """What a coroutine that the snippet defines gives."""
        return self.runner.run(self.names[function](*args))

    @property
    def asked(self):
        """The bodies of the requests."""
        return [json.loads(request.body) for request in self.server.requests if request.body]

    def __enter__(self):
        self.runner = asyncio.Runner().__enter__()
        return self

    def __exit__(self, *_):
        for name in ("provider", "openai_provider", "vllm_provider"):
            made = self.names.get(name)
            if isinstance(made, fairlead.Provider):
                self.runner.run(made.aclose())
            elif isinstance(made, fairlead.sync.SyncProvider):
                made.close()
        fairlead.sync.reset_provider_cache()
        self.runner.close()


@pytest.fixture
def play(request, server, monkeypatch):
    monkeypatch.setenv("DEVSYNTH_PROVIDER", "openai")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url("/v1"))
    monkeypatch.setenv("OPENAI_MODEL", "gpt-4o")
    document, title = request.param
    with Play(seed(document), f"{title} 1", server) as played:
        yield played


def of(*documents, title):
    places = [(document, title) for document in documents]
    return pytest.mark.parametrize("play", places, indirect=True, ids=documents)


def vectors(*rows):
    body = encode_embeddings([Embedding(row) for row in rows], model="e", base64_floats=True)
    return Answer([body], content_type=JSON)


def models():
    return Answer([b'{"object": "list", "data": [{"id": "gpt-4"}]}'], content_type=JSON)


@pytest.mark.parametrize("snippet", SNIPPETS, ids=str)
def test_every_snippet_has_a_line(snippet):
    assert (snippet.document, snippet.title) in PLACES


@pytest.mark.parametrize("place", [key for key in PLACES if key not in RUNNING], ids=" ".join)
def test_a_snippet_is_left_out_for_a_reason(place):
    pytest.skip(f"the page says: {PLACES[place].here}")


@pytest.mark.parametrize("place", RUNNING, ids=" ".join)
def test_what_is_said_to_run_is_run(place):
    """By a test of this module, which names document and title."""
    document, title = place
    plays = [
        mark.args[1]
        for test in list(globals().values())
        for mark in getattr(test, "pytestmark", ())
        if mark.args[:1] == ("play",)
    ]

    assert (document, title[:-2]) in [each for places in plays for each in places]


@of(*TWICE, title="Basic Text Generation")
def test_text(play):
    script(completion("Ports and adapters."))

    play.run()

    assert play.printed == "Ports and adapters.\n"
    (asked,) = play.asked
    assert (asked["model"], asked["temperature"]) == ("gpt-4-turbo", 0.7)
    assert asked["max_completion_tokens"] == 1000


@of(*TWICE, title="Streaming Generation")
def test_a_stream(play):
    script(streamed("one ", "two"))

    play.run()

    assert play.printed == "one two"
    assert play.asked[0]["stream"] is True


@of(*TWICE, title="Embedding Generation")
def test_vectors(play):
    script(vectors([1.0, 0.0]), vectors([1.0, 0.0], [1.0, 1.0], [0.0, 1.0]))

    play.run()

    assert play.names["embedding"] == [1.0, 0.0]
    assert play.printed == "Similarity between first and second document: 0.7071\n"
    assert [asked["model"] for asked in play.asked] == ["text-embedding-3-large"] * 2


@of(*TWICE, title="Error Handling")
def test_errors_are_told_apart(play, monkeypatch):
    monkeypatch.setenv("PROVIDER_MAX_RETRIES", "0")
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    script(failure(429), completion("at last"))
    play.run(logger=logging.getLogger("snippet"), asyncio=SimpleNamespace(sleep=sleep))

    assert play.call("generate_with_robust_error_handling", "Hello") == "at last"
    assert waits == [1]


@of(*TWICE, title="Memory System Integration")
def test_retrieval(play):
    script(completion("So it is."))

    play.run()
    answer = play.call("answer_with_rag", "Is it?")

    assert answer["response"] == "So it is."
    assert "Fact 2." in play.asked[0]["messages"][0]["content"]


@of(*TWICE, title="Dialectical Reasoning Integration")
def test_dialectic(play):
    script(completion("for"), completion("against"), completion("both"))

    play.run()
    answer = play.call("analyze_design_choice", "One port?")

    assert (answer["thesis"], answer["antithesis"], answer["synthesis"]) == (
        "for",
        "against",
        "both",
    )
    assert "Antithesis: against" in play.asked[2]["messages"][0]["content"]


@of("000", title="Configuration in Python Code")
def test_functions_without_and_with_a_loop(play):
    script(completion("1"), completion("2"), completion("3"))

    play.run()

    assert play.names["result"] == "3"
    assert [asked["temperature"] for asked in play.asked] == [0.7, 0.5, 0.6]
    assert play.asked[1]["messages"][0]["content"] == "You are a Python expert."


@of("002", title="Usage Examples")
def test_the_simple_functions(play):
    script(completion("def factorial"), vectors([1.0, 0.0]), completion("Hello!"))

    play.run()

    assert play.names["response"] == "def factorial"
    assert play.names["embeddings"] == [1.0, 0.0]
    assert play.names["result"] == "Hello!"


@of("000", title="Testing Fixtures and CI Usage")
def test_a_fixture_that_keeps_tests_from_the_network(play, tmp_path):
    (code,) = [one.code for one in SNIPPETS if str(one) == f"000 {play.title}"]
    file = tmp_path / "test_it.py"
    file.write_text(f"{code}\n\n{TEST}")

    finished = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            tmp_path,
            file,
        ],
        check=False,
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
    )

    assert "1 passed" in finished.stdout, finished.stdout


@of("000", title="Testing Fixtures and CI Usage")
def test_a_factory_that_honours_the_environment(play, monkeypatch):
    monkeypatch.setenv("DEVSYNTH_PROVIDER", "offline")
    play.title = "Testing Fixtures and CI Usage 2"

    play.run(os=os)

    assert play.names["provider"].name == "offline"


@of("000", title="Custom Settings File (config/settings.py)")
def test_a_settings_module(play, tmp_path):
    (code,) = [one.code for one in SNIPPETS if str(one) == f"000 {play.title}"]
    file = tmp_path / "settings.py"
    file.write_text(code)

    raw = fairlead.settings.load(file=file, environ={})

    written = {node.targets[0].id: node.value.value for node in ast.parse(code).body[1:]}
    settings = {row.spans[0]: row.setting for row in rows() if row.setting and row.spans}
    for name, value in written.items():
        given, source = resolved(raw, settings[name])
        assert (given, source.kind) in {(value, "file"), (tuple(str(value).split(",")), "file")}


@of("004", title="Chat Completion")
def test_a_chat_completion(play):
    script(completion("Paris."))

    play.run(provider=fairlead.open_provider("openai:gpt-4"))

    assert play.printed == "Paris.\nTokens used: 7\n"
    assert play.asked[0]["messages"][0] == {
        "role": "system",
        "content": "You are a helpful assistant.",
    }


@of("004", title="Initialization")
def test_what_an_adapter_is_not_given_a_pipeline_is(play):
    script(failure(500), failure(500), failure(500), completion("At last."))
    provider = fairlead.open_provider(
        "openai:gpt-4",
        api_key="sk-other",
        base_url=play.server.url("/v1"),
        timeout=30.0,
        max_retries=3,
        retry={"initial_delay": 0.0},
    )
    play.names["provider"] = provider

    assert play.runner.run(provider.generate("Hello")) == "At last."
    assert play.server.requests[0].headers["authorization"] == "Bearer sk-other"


@of("004", title="Health Checks")
def test_health(play):
    script(models())

    play.run(provider=fairlead.open_provider("openai:gpt-4"))

    assert play.printed.startswith("Provider: openai\nLatency: ")


@of("004", title="Health Checks")
def test_ill_health(play):
    script(failure(401, "the key is wrong"))

    play.run(provider=fairlead.open_provider("openai:gpt-4"))

    assert "the key is wrong" in play.printed
    assert play.names["health"].misconfigured


@of("004", title="Resource Cleanup")
def test_cleaning_up(play):
    script(completion("Done."))
    request = fairlead.ChatCompletionRequest(messages=[{"role": "user", "content": "Hello"}])

    play.run(provider=fairlead.open_provider("openai:gpt-4"), request=request)
    play.server.wait_until(lambda: play.server.open_connections == 0)

    assert play.names["response"].choices[0]["message"]["content"] == "Done."


@of("004", title="Provider Registry")
def test_a_registry(play):
    script(models())
    providers = {
        "openai_provider": fairlead.open_provider("openai:gpt-4"),
        "vllm_provider": fairlead.open_provider("vllm:llama", base_url=play.server.url("/v1")),
    }

    play.run(**providers)

    assert play.names["providers"] == ["openai-gpt4", "vllm-local"]
    assert all(health.healthy for health in play.names["health_status"].values())
    assert play.names["provider"] is providers["openai_provider"]


@of("004", title="Request Routing")
def test_a_router(play):
    script(completion("Routed."))
    providers = {
        "openai_provider": fairlead.open_provider("openai:gpt-4"),
        "vllm_provider": fairlead.open_provider("vllm:llama", base_url=play.server.url("/v1")),
    }
    request = fairlead.ChatCompletionRequest(messages=[{"role": "user", "content": "Hello"}])

    play.run(request=request, request_id="req-1", **providers)

    assert play.names["provider"] in providers.values()
    assert play.names["response"].choices[0]["message"]["content"] == "Routed."


@of("004", title="Dependency Injection")
def test_a_gateway(play):
    fastapi = pytest.importorskip("fastapi")
    script(completion("Hello!"))
    registry = fairlead.ProviderRegistry()
    play.names["openai_provider"] = registry.register(
        "openai-gpt4", fairlead.open_provider("openai:gpt-4")
    )
    stand_ins.REGISTRY[:] = [registry]
    app = fastapi.FastAPI()
    public = {
        name: getattr(fairlead, name) for name in ("ChatCompletionRequest", "ProviderRegistry")
    }
    play.run(app=app, **public)

    async def ask(body):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.post("/v1/chat/completions", json=body)

    hello = {"model": "gpt-4", "messages": [{"role": "user", "content": "Hello"}]}
    answer = play.runner.run(ask(hello))
    refused = play.runner.run(ask({**hello, "temprature": 1}))

    assert answer.json()["choices"][0]["message"]["content"] == "Hello!"
    assert refused.status_code == 422


def test_the_yaml_file_is_understood(tmp_path):
    (code,) = [block for block in blocks(DOCUMENTS[seed("001")]) if block.language == "yaml"]
    file = tmp_path / "default.yml"
    file.write_text(code.body)

    raw = fairlead.settings.load(file=file, environ={})

    values = {
        "provider": "openai",
        "fallback": ("lmstudio",),
        "use_local_fallback": True,
        "providers.openai.temperature": 0.7,
        "providers.openai.max_retries": 3,
        "providers.openai.timeout": 60,
        "providers.lmstudio.endpoint": "http://localhost:1234/v1",
        "providers.lmstudio.timeout": 120,
    }
    for setting, value in values.items():
        given, source = resolved(raw, setting)
        assert given == value
        assert source.kind == "file"


def test_the_compose_file_is_understood():
    (code,) = [block for block in blocks(DOCUMENTS[seed("000")]) if block.language == "yaml"]
    lines = [line.strip("- ") for line in code.body.splitlines() if "=" in line]

    raw = fairlead.settings.load(environ=dict(line.split("=", 1) for line in lines))

    assert resolved(raw, "provider")[0] == "openai"
    assert resolved(raw, "retry.max_delay")[0] == 60.0
    assert resolved(raw, "providers.lmstudio.endpoint")[0] == "http://lmstudio:1234"


@of(*TWICE, title="Caching Strategies")
def test_caching(play):
    script(completion("Ports and adapters."), completion("Others."))

    play.run()
    answers = [play.call("get_generation_with_cache", "Explain.") for _ in range(2)]
    other = play.call("get_generation_with_cache", "Explain.", 0.1)

    assert (*answers, other) == ("Ports and adapters.", "Ports and adapters.", "Others.")
    assert len(play.asked) == 2


@of(*TWICE, title="Tracking and Budgeting")
def test_tracking(play, monkeypatch):
    monkeypatch.setenv("FAIRLEAD_PRICES_MODELS", '{"gpt-4o": {"input": "2", "output": "8"}}')
    script(completion("Ports and adapters."))

    play.run()
    told = play.call("generate_with_cost_tracking", "Explain ports.", "atlas")

    assert told["response"] == "Ports and adapters."
    tokens = told["cost_info"]["input_tokens"], told["cost_info"]["output_tokens"]
    assert told["cost_info"]["total_cost"] == pytest.approx((2 * tokens[0] + 8 * tokens[1]) / 10**6)
    assert float(play.names["cost_tracker"].total.spent.amount) == told["cost_info"]["total_cost"]
