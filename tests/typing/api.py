"""What users write, as type checkers see it. Checked with mypy and pyright, never executed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol, TypeVar, assert_type, runtime_checkable

from pydantic import BaseModel

import fairlead
from fairlead import (
    Attempt,
    Backoff,
    BreakerOptions,
    Call,
    CircuitBreaker,
    CircuitBreakerProvider,
    DeadlineProvider,
    Embedding,
    Embeddings,
    FallbackProvider,
    GenerateOptions,
    Generation,
    GenerationStream,
    Handler,
    Message,
    ModelInfo,
    OfflineProvider,
    OpenAICompatibleProvider,
    OpenAIProvider,
    PendingStream,
    Plan,
    ProviderPort,
    RetryProvider,
    Role,
    StreamEvent,
    Text,
    TokenCount,
    Tool,
    ToolResult,
    Usage,
    adapt,
    default_pipeline,
    find,
)

T = TypeVar("T")


async def every_operation(provider: ProviderPort) -> None:
    answer = await provider.generate("Explain ports.", temperature=0.2, max_tokens=40)
    assert_type(answer, Generation)
    shouted: str = answer.upper()
    assert_type(answer.usage, Usage | None)

    pending = provider.generate_stream("Count to ten.")
    assert_type(pending, PendingStream)
    async with pending as stream:
        assert_type(stream, GenerationStream)
        async for word in stream:
            assert_type(word, str)
    async for word in provider.generate_stream(shouted):
        assert_type(word, str)
    events: AsyncIterator[StreamEvent] = (await provider.generate_stream("Hi")).events()
    async for event in events:
        assert_type(event, StreamEvent)

    assert_type(await provider.embed("a text"), Embedding)
    vectors = await provider.embed_batch(["a text", "another"], dimensions=256)
    assert_type(vectors, Embeddings)
    numbers: Sequence[float] = vectors[0]
    assert_type(provider.count_tokens(f"{numbers}"), TokenCount)
    assert_type(provider.model, ModelInfo)


async def a_conversation(provider: ProviderPort) -> None:
    weather = Tool(name="weather", description="Tells the weather.", parameters={"type": "object"})
    question = Message(Role.USER, (Text("What is the weather?"),))
    answer = await provider.generate([question], tools=[weather])
    results = [ToolResult(call.id, "sunny") for call in answer.tool_calls]
    await provider.generate([question, answer, *results])


def every_decorator() -> ProviderPort:
    openai = OpenAIProvider(api_key="sk-...", model="gpt-5.6-luna")
    local = OpenAICompatibleProvider(base_url="http://localhost:8000/v1", model="local")
    guarded = CircuitBreakerProvider(openai, options=BreakerOptions())
    patient = RetryProvider(guarded, max_retries=3, backoff=Backoff())
    return DeadlineProvider(FallbackProvider([patient, local, OfflineProvider()]), total=60)


class Mock:
    """A provider without a base class, with less than the port asks for."""

    async def generate(self, prompt: str, temperature: float = 0.7) -> str:
        return f"{prompt} at {temperature}"


def loose_providers() -> ProviderPort:
    return default_pipeline(Mock(), OfflineProvider())


def errors(error: fairlead.ProviderError) -> tuple[str | None, int | None, float | None]:
    return error.provider, error.status_code, error.retry_after


def every_option(provider: ProviderPort) -> PendingStream:
    search = Tool("search", parameters={"type": "object"})
    options: GenerateOptions = {
        "model": "gpt",
        "system_prompt": "Be brief.",
        "temperature": 0,
        "top_p": 0.5,
        "top_k": 40,
        "max_tokens": 100,
        "stop_sequences": ["END"],
        "seed": 7,
        "logprobs": True,
        "tools": [search],
        "tool_choice": search,
        "response_format": {"type": "object"},
        "reasoning_effort": None,
        "timeout": 30,
        "commit": "any",
        "strict": True,
        "tags": {"team": "search"},
        "extra": {"openai": {"store": False}},
    }
    return provider.generate_stream(["Hi", Message.system("Be kind.")], **options)


async def a_stream_in_parts(stream: GenerationStream) -> Generation:
    stream.on_close(lambda outcome: print(outcome.outcome, outcome.error, outcome.generation))
    stream.tee(print)
    try:
        whole = await stream.collect()
    except fairlead.StreamInterruptedError as error:
        return error.partial
    finally:
        await stream.aclose()
    stream.cancel()
    return whole


class Twice:
    """A policy of one's own: a handler around a provider."""

    def __init__(self, inner: Handler) -> None:
        self.inner = inner

    async def handle(self, call: Call[T]) -> T:
        await call.on(self.inner)
        return await call.with_(attempt_limit=1).on(self.inner)

    def plan(self, call: Call[Any]) -> Plan:
        return self.inner.plan(call)


@runtime_checkable
class Health(Protocol):
    async def health_check(self) -> bool: ...


def a_policy_of_ones_own(provider: object) -> Health | None:
    handler: Handler = Twice(adapt(provider))
    return find(handler, Health)


def a_state_machine(now: float) -> float | None:
    breaker = CircuitBreaker(BreakerOptions(failure_threshold=3), random=lambda: 0.5)
    permit = breaker.acquire(now)
    if permit is not None:
        breaker.record(permit, failed=True, now=now, retry_after=None)
    return breaker.peek(now)


def what_went_wrong(error: fairlead.ProviderError) -> bool:
    if isinstance(error, fairlead.AllTargetsFailedError):
        return any(what_went_wrong(each) for each in error.errors)
    if isinstance(error, fairlead.ContextLengthExceededError):
        assert_type(error.limit, int | None)
    assert_type(error.attempts, Sequence[Attempt])
    return error.verdict.counts


class Voyage(BaseModel):
    port: str


def depth(place: str) -> float:
    return float(len(place))


async def services(provider: ProviderPort) -> None:
    assert_type(await fairlead.generate_as(provider, Voyage, "Where to?", temperature=0), Voyage)
    answer = await fairlead.answer_as(provider, Voyage, ["Where to?"], max_reasks=1)
    assert_type(answer.value, Voyage)
    async with fairlead.stream_as(provider, Voyage, "Where to?", timeout=5) as stream:
        async for _ in stream:
            pass
    assert_type(stream.value, Voyage)
    assert_type(fairlead.parse_as(Voyage, answer.generation), Voyage)
    run = await fairlead.run_tools(provider, "Well?", [depth], max_rounds=3, tool_choice="auto")
    assert_type(run.generation, Generation)
    fitted = fairlead.fit(run.messages, provider.model, max_tokens=100)
    await provider.generate(fitted.messages)
    template = fairlead.PromptTemplate("{{ a }}", name="a")
    await provider.generate(template.render(a=1), tags=template.tags)
