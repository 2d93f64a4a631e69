"""What is known of the models in pipelines that are built, and what comes of it."""

import subprocess
import sys

import pytest

from fairlead import open_provider
from fairlead.adapters.catalogue import Catalogue, OwnModels
from fairlead.adapters.providers.openai import OpenAIProvider
from fairlead.adapters.providers.openai_compatible import OpenAICompatibleProvider
from fairlead.core.adapter import Adapter
from fairlead.core.calls import Operation, find
from fairlead.core.errors import ConfigurationError
from fairlead.core.messages import Image, Message
from fairlead.core.models import UNLISTED, ModelInfo
from fairlead.testing import ScriptedProvider
from tests.unit.core.fakes import generating

KEY = "sk-0123456789abcdef"
GROQ, LOCAL = "https://api.groq.com/openai/v1", "http://localhost:8000/v1"
OSS = "openai/gpt-oss-120b"


def adapter_in(provider):
    return find(provider, Adapter)


def at(base_url, model=OSS, **more):
    return OpenAICompatibleProvider(base_url=base_url, model=model, api_key=KEY, **more)


def openai(model="gpt-5.6-luna", **more):
    return open_provider("openai", model=model, api_key=KEY, **more)


def test_the_window_of_openais_models_is_known():
    provider = openai()

    assert provider.max_context_size == 1_050_000
    assert provider.model.max_output_tokens == 128_000
    assert provider.model.embedding_model == "text-embedding-3-small"
    assert adapter_in(provider).info_of("gpt-4o").context_window == 128_000


@pytest.mark.parametrize(
    "provider, known",
    [
        (at(GROQ), True),
        (at(LOCAL, name="groq"), False),
        (at(LOCAL, billed_by="groq"), True),
        (at(GROQ, model="my-own"), False),
    ],
)
def test_a_vendor_is_known_by_the_address_and_not_by_a_name(provider, known):
    assert open_provider(provider).max_context_size == (131_072 if known else None)


def test_settings_may_want_nobody_to_tell():
    provider = openai("gpt-4o", models={"book": "none"})

    assert adapter_in(provider).models is UNLISTED
    assert provider.max_context_size is None


def test_what_you_know_yourself_comes_first_and_may_be_of_one_provider():
    known = {OSS: {"context_window": 5}, f"mine:{OSS}": {"context_window": 7, "tools": False}}
    models = {"known": known}

    assert open_provider(at(GROQ), models=models).model.context_window == 5
    assert open_provider(at(GROQ), models=models).model.max_output_tokens == 65_536
    mine = open_provider(at(GROQ, name="mine"), models=models)
    assert (mine.model.context_window, mine.model.tools) == (7, False)
    alone = open_provider(at(LOCAL), models={"book": "none", **models})
    assert alone.model == ModelInfo(name=OSS, context_window=5)


def test_it_may_stand_in_a_file(tmp_path):
    file = tmp_path / "fairlead.yaml"
    file.write_text(
        "providers: {mine: {vendor: openai-compatible, base_url: 'http://localhost:1/v1', "
        "model: llama}}\n"
        "models:\n  known:\n    llama: {context_window: 8192, tokenizer: o200k, images: false}\n"
    )

    assert open_provider("mine", config=str(file)).model == ModelInfo(
        name="llama", context_window=8192, tokenizer="o200k", images=False
    )


@pytest.mark.parametrize(
    "known, said",
    [
        ({"m": {"contextwindow": 1}}, "did you mean 'context_window'"),
        ({"m": {"context_window": 0}}, "must be a whole number of at least 1"),
        ({"m": {"tools": "maybe"}}, "must be true or false"),
        ({"m": {"tools": 1.5}}, "models.known"),
    ],
)
def test_what_cannot_be_is_refused_when_it_is_opened(known, said):
    with pytest.raises(ConfigurationError, match=said):
        open_provider("offline", models={"known": known})


def test_a_book_of_ones_own_is_left_where_it_is():
    own = OwnModels({"gpt-4o": {"context_window": 3}})
    provider = OpenAIProvider(api_key=KEY, model="gpt-4o")
    provider.models = own

    assert adapter_in(open_provider(provider)).models is own
    assert open_provider(provider).max_context_size == 3


def test_by_hand_nothing_is_known_until_a_book_is_handed_over():
    provider = OpenAIProvider(api_key=KEY, model="gpt-4o")
    assert provider.model.context_window is None

    provider.models = Catalogue()
    assert provider.model.context_window == 128_000


def test_what_the_adapter_knows_is_not_overruled_by_the_catalogue():
    # By the catalogue it does not reason unless told to, and neither do the rules of the format.
    assert openai("gpt-5.1").model.reasoning is False
    assert openai("gpt-5.6-luna").model.reasoning is True
    info = ModelInfo(name=OSS, context_window=9)
    assert open_provider(at(GROQ, info=info)).model.context_window == 9


def test_plans_are_kept_with_what_is_known():
    adapter = adapter_in(openai())

    assert adapter.model is adapter.model
    first = adapter.plan(generating())
    assert first.first.model.context_window == 1_050_000
    assert adapter.plan(generating()) is first
    named = adapter.plan(generating(model="gpt-4o"))
    assert named.first.model.context_window == 128_000
    assert adapter.plan(generating(model="gpt-4o")) is named
    assert adapter.plan(generating(model="openai:gpt-5.6-luna")).first.model is adapter.model


def test_the_worst_case_is_told_in_tokens_and_in_money():
    bounds = openai(retry={"enabled": False}).bounds(Operation.GENERATE)
    price = adapter_in(openai()).price_of("gpt-5.6-luna")

    assert bounds.each.tokens == 1_050_000
    assert bounds.each.money == price.within(1_050_000, 128_000)


def test_a_model_that_sees_nothing_is_passed_over_for_a_picture():
    adapter = adapter_in(openai("o3-mini"))
    picture = generating(Message.user("What is it?", Image(url="https://a.example/b.png")))

    assert adapter.plan(picture).targets[0].cannot == "o3-mini does not take images"
    # Of a day that is in no list it is only assumed what it can do.
    adapter = adapter_in(openai("o3-mini-2026-01-31"))
    assert adapter.plan(picture).targets[0].cannot is None
    assert adapter.model.context_window == 200_000


@pytest.mark.anyio
async def test_a_conversation_is_fitted_to_the_window_that_is_known():
    provider = ScriptedProvider("ho", name="mine", model="m")
    provider.models = OwnModels({"n": {"context_window": 2000}})
    pipeline = open_provider(provider, context={"enabled": True, "room": 100})
    long = [Message.user("word " * 2000), Message.user("short")]

    answer = await pipeline.generate(long, model="n")

    assert "to fit the window of n (2000 tokens)" in answer.metadata.warnings[0]
    assert [message.text for message in provider.calls[0].request.messages] == ["short"]


def test_the_catalogue_is_not_read_by_an_import():
    code = (
        "import sys, fairlead\n"
        "from fairlead import OpenAIProvider\n"
        "OpenAIProvider(api_key='sk-0').model\n"
        "assert not [name for name in sys.modules if 'catalogue' in name]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
