from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable

import pytest

from fairlead import OfflineProvider, RetryProvider
from fairlead.assembly.validation import problems


class Mock:
    async def generate(self, prompt, **options):
        return "mock"

    async def generate_stream(self, prompt, **options):
        yield "mock"


class Explicit:
    async def generate(self, prompt: str, temperature: float = 0.7) -> str:
        return prompt

    def embed(self, text: str) -> Awaitable[list[float]]: ...

    @staticmethod
    async def embed_batch(texts): ...


class Gathering:
    async def generate(*args, **options):
        return "x"


@pytest.mark.parametrize("provider", [Mock, Mock(), Explicit, Gathering, OfflineProvider()])
def test_what_fits_has_no_problems(provider):
    assert problems(provider) == []


def test_a_decorator_fits():
    assert problems(RetryProvider(OfflineProvider())) == []


class Nothing:
    pass


class Blocking:
    def generate(self, prompt: str) -> str:
        return prompt

    def generate_stream(self, prompt: str) -> AsyncIterator[str]: ...


class Bare:
    async def generate(self):
        return "x"


class Demanding:
    async def generate(self, prompt, model, *, temperature):
        return "x"


class OnlyStreams:
    async def generate_stream(self, prompt):
        yield "x"


@pytest.mark.parametrize(
    ("provider", "told"),
    [
        (Nothing, ["Nothing has none of the methods generate, generate_stream, embed"]),
        (Blocking, ["Blocking.generate() is not async: write `async def generate`"]),
        (Bare, ["Bare.generate() takes no prompt"]),
        (
            Demanding,
            ["Demanding.generate() cannot be called with a prompt alone: give model, temp"],
        ),
        (OnlyStreams, ["OnlyStreams streams but cannot generate: add generate()"]),
    ],
)
def test_a_problem_says_what_to_do(provider, told):
    found = problems(provider)

    assert [problem[: len(expected)] for problem, expected in zip(found, told, strict=True)] == told
