import pytest

from fairlead.core.errors import ConfigurationError
from fairlead.core.models import ModelInfo
from fairlead.core.refusals import NoTargetError
from fairlead.decorators._base import Decorator
from fairlead.decorators.attempt import AttemptTimeoutProvider
from fairlead.decorators.breaker import CircuitBreakerProvider
from fairlead.decorators.deadline import DeadlineProvider
from fairlead.decorators.fallback import FallbackProvider
from fairlead.decorators.retry import RetryProvider
from tests.unit.core.fakes import Scripted, embedding, generating

DECORATORS = [
    Decorator,
    RetryProvider,
    CircuitBreakerProvider,
    DeadlineProvider,
    AttemptTimeoutProvider,
    lambda inner: FallbackProvider([inner]),
]


class Mock:
    """Ten lines, as the README's."""

    async def generate(self, prompt, **options):
        return f"You said: {prompt}"

    async def generate_stream(self, prompt, **options):
        for word in ("You ", "said: ", prompt):
            yield word

    async def embed(self, text, **options):
        return [float(len(text))]

    async def embed_batch(self, texts, **options):
        return [[float(len(text))] for text in texts]

    def count_tokens(self, text):
        return len(text.split())


@pytest.mark.anyio
@pytest.mark.parametrize("decorate", DECORATORS)
async def test_every_operation_of_a_plain_object_passes_through(decorate):
    provider = decorate(Mock())

    assert await provider.generate("hi") == "You said: hi"
    assert [text async for text in provider.generate_stream("hi")] == ["You ", "said: ", "hi"]
    assert await provider.embed("four") == [4.0]
    assert (await provider.embed_batch(["a", "four"])).tolist() == [[1.0], [4.0]]
    assert provider.count_tokens("one two three") == 3


@pytest.mark.parametrize("decorate", DECORATORS[:-1])
def test_name_and_model_are_those_of_what_is_wrapped(decorate):
    provider = decorate(Scripted("ho", name="inner", model="m"))

    assert provider.name == provider.inner.name == "inner"
    assert provider.model == ModelInfo(name="m")


@pytest.mark.anyio
@pytest.mark.parametrize("decorate", DECORATORS)
async def test_what_is_wrapped_is_closed_with_its_wrapper(decorate):
    inner = Scripted("ho")

    async with decorate(inner) as provider:
        assert await provider.generate("hi") == "ho"

    assert inner.closed == 1


@pytest.mark.anyio
@pytest.mark.parametrize("decorate", DECORATORS)
async def test_what_cannot_be_closed_need_not_be(decorate):
    class Bare:
        name, model = "bare", ModelInfo()
        handle = plan = count_tokens = None

    await decorate(Bare()).aclose()


@pytest.mark.parametrize("decorate", DECORATORS)
def test_a_class_is_refused_where_an_object_is_wanted(decorate):
    with pytest.raises(ConfigurationError, match="is a class: call it first"):
        decorate(Mock)


@pytest.mark.parametrize("call", [generating(), embedding()])
@pytest.mark.parametrize("decorate", DECORATORS)
def test_a_plan_is_asked_without_side_effects(decorate, call):
    provider = decorate(Scripted("ho", embedding_model="e"))

    first, second = provider.plan(call), provider.plan(call)

    assert first == second
    assert not call.journal.attempts
    assert not call.options.tags


@pytest.mark.anyio
@pytest.mark.parametrize("decorate", [lambda inner: inner, *DECORATORS])
async def test_no_texts_have_no_vectors_and_nobody_is_asked(decorate):
    inner = Scripted("ho", name="inner", embedding_model="e")

    vectors = await decorate(inner).embed_batch([], request_id="mine")

    assert (len(vectors), inner.asked) == (0, [])
    metadata = vectors.metadata
    assert (metadata.provider, metadata.space.model) == ("inner", "e")
    assert (metadata.request_id, len(metadata.journal)) == ("mine", 0)


@pytest.mark.anyio
async def test_no_texts_cannot_be_embedded_either_by_what_has_no_vectors():
    with pytest.raises(NoTargetError):
        await FallbackProvider([Scripted("ho")]).embed_batch([])


@pytest.mark.anyio
@pytest.mark.parametrize("decorate", DECORATORS)
async def test_whoever_writes_an_option_without_its_name_is_not_told_of_a_funnel(decorate):
    with pytest.raises(TypeError, match=r"^provider\.generate\(\) takes 2 positional arguments"):
        await decorate(Mock()).generate("hi", "be brief")
    with pytest.raises(TypeError, match=r"^provider\.generate_stream\(\) takes 2 positional"):
        decorate(Mock()).generate_stream("hi", "be brief")
