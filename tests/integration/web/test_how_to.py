"""The application of the how-to, served by uvicorn, before a vendor and a browser that leaves."""

from pathlib import Path

import pytest

from tests.docs.pages import blocks
from tests.support.answers import Answer, completion, event, failure, script, streamed
from tests.support.asgi import Browser, serving

PAGE = Path(__file__).resolve().parents[3] / "docs/how-to/stream-to-a-browser.md"


@pytest.fixture
def port(server, monkeypatch):
    monkeypatch.setenv("LM_STUDIO_ENDPOINT", server.url(""))
    monkeypatch.setenv("LM_STUDIO_MODEL", "test")
    monkeypatch.setenv("PROVIDER_MAX_RETRIES", "0")
    page = {"__name__": "page"}
    for block in blocks(PAGE):
        if block.language == "python" and "TestClient" not in block.body:
            exec(compile(block.body, block.place, "exec"), page)
    with serving(page["app"]) as port:
        yield port


@pytest.mark.parametrize("target", ["/ask", "/think", "/strict"])
def test_words_reach_the_browser(port, server, target):
    script(streamed("Ah", "oy."))
    with Browser(port, f"{target}?question=hi") as browser:
        told = browser.read_until(b"event: done")

    assert told.startswith(b"HTTP/1.1 200")
    assert b'data: {"text":"Ah"}' in told


@pytest.mark.parametrize("target", ["/ask", "/think", "/strict"])
def test_the_vendor_is_stopped_when_the_browser_leaves(port, server, target):
    script(Answer([event("Ah")], ending="stall"))
    with Browser(port, f"{target}?question=hi") as browser:
        browser.read_until(b"Ah")

    server.wait_until(lambda: server.requests and server.open_connections == 0, 1.0)


def test_thoughts_are_sent_where_the_page_says_so(port, server):
    thought = event(reasoning_content="hm")
    script(Answer([thought, *streamed("Ahoy").pieces]))
    with Browser(port, "/think?question=hi") as browser:
        told = browser.read_until(b"event: done")

    assert b'event: thought\ndata: {"text":"hm"}' in told


@pytest.mark.parametrize("target", ["/strict?question=hi", "/summary?text=long"])
def test_what_awaits_first_answers_with_a_true_status(port, server, target):
    script(failure(429, "slow down, sk-secret"))
    with Browser(port, target) as browser:
        told = browser.read_until(b"no answer")

    assert told.startswith(b"HTTP/1.1 429")
    assert b"sk-secret" not in told


def test_whole_answers(port, server):
    script(completion("Short."))
    with Browser(port, "/summary?text=long") as browser:
        assert browser.read_until(b'{"summary":"Short."}')
