"""Which models are asked in this format."""

import pytest

from fairlead.wire.openai_chat import OPENAI, Dialect
from fairlead.wire.openai_responses import prefers_responses

RESPONSES = [
    *("gpt-5.4", "gpt-5.4-mini", "gpt-5.5", "gpt-5.6-luna", "gpt-6-astra", "openai/gpt-5.6"),
    *(
        "o3-pro",
        "o1-pro-2025-03-19",
        "gpt-5-pro",
        "gpt-5-codex",
        "gpt-5.1-codex-max",
        "gpt-5.2-pro",
    ),
    *("o4-mini-deep-research", "o3-deep-research", "codex-mini-latest", "computer-use-preview"),
]
CHAT = [
    "gpt-4o",
    "gpt-4.1",
    "gpt-5",
    "gpt-5-mini",
    "gpt-5.2",
    "o3",
    "o4-mini",
    "gpt-5.6-chat-latest",
]
CHAT += ["", "llama", "prosper"]


@pytest.mark.parametrize("model", RESPONSES)
def test_models_that_are_asked_in_responses(model):
    assert prefers_responses(model, OPENAI)
    assert not prefers_responses(model, Dialect(name="elsewhere"))


@pytest.mark.parametrize("model", CHAT)
def test_models_that_are_asked_over_chat_completions(model):
    assert not prefers_responses(model, OPENAI)
