import pytest

from fairlead.adapters.catalogue import OwnModels
from fairlead.core.errors import ConfigurationError
from fairlead.core.models import FACTS, ModelInfo


class Other:
    def complete(self, provider, info):
        return ModelInfo(name=info.name, context_window=info.context_window or 7, images=True)


def known(models, *, asked="m", provider="https://p", otherwise=None, name="mine", **own):
    given = {} if otherwise is None else {"otherwise": otherwise}
    book = OwnModels(models, name=name, **given)
    return book.complete(provider, ModelInfo(name=asked, **own))


def test_what_you_say_comes_before_what_anybody_else_knows():
    models = {"m": {"context_window": 5, "tools": False}}

    info = known(models, context_window=9, tools=True, reasoning=True)

    assert info == ModelInfo(name="m", context_window=5, tools=False, reasoning=True)


def test_for_the_rest_the_other_book_is_asked():
    assert known({"m": {"context_window": 5}}, otherwise=Other()) == ModelInfo(
        name="m", context_window=5, images=True
    )
    assert known({"m": {}}, otherwise=Other()).context_window == 7
    assert known({"n": {"context_window": 5}}, otherwise=Other()).context_window == 7


@pytest.mark.parametrize(
    "provider, name, expected",
    [
        ("https://p", "mine", 2),
        ("p", "mine", 2),
        ("p", "other", 3),
        ("p", None, 3),
        ("q", "other", 1),
    ],
)
def test_what_is_said_of_one_provider_comes_first(provider, name, expected):
    models = {
        "m": {"context_window": 1},
        "mine:m": {"context_window": 2},
        "p:m": {"context_window": 3},
    }

    assert known(models, provider=provider, name=name).context_window == expected


def test_names_are_the_same_in_either_case_and_stay_as_they_were_asked():
    assert known({"Mine:LLAMA": {"audio": True}}, asked="Llama") == ModelInfo(
        name="Llama", audio=True
    )


def test_a_model_without_a_name_is_left_alone():
    info = ModelInfo()

    assert OwnModels({"m": {"tools": False}}).complete("p", info) is info


def test_what_is_none_is_left_to_others():
    assert known({"m": {"tools": None}}, tools=True).tools is True


def test_it_may_be_a_whole_model():
    assert known({"m": ModelInfo(name="x", sampling=False)}) == ModelInfo(name="m", sampling=False)


@pytest.mark.parametrize(
    "facts, said",
    [
        (5, "what is known of m must be a mapping of facts, not 5"),
        ({"contxt_window": 5}, "did you mean 'context_window'"),
        ({"name": "x"}, "name of m: there is no such fact; there are context_window, max_output"),
        ({"context_window": 0}, "context_window of m must be a whole number of at least 1, not 0"),
        ({"max_output_tokens": True}, "must be a whole number of at least 1, not True"),
        ({"max_batch_items": "5"}, "must be a whole number of at least 1, not '5'"),
        ({"tokenizer": ""}, "tokenizer of m must be a name, not ''"),
        ({"embedding_model": 3}, "embedding_model of m must be a name, not 3"),
        ({"tools": 1}, "tools of m must be true or false, not 1"),
        ({"images": "no"}, "images of m must be true or false, not 'no'"),
    ],
)
def test_what_cannot_be_is_refused_when_it_is_said(facts, said):
    with pytest.raises(ConfigurationError, match=said):
        OwnModels({"m": facts})


def test_every_fact_may_be_said():
    book = OwnModels({"m": dict.fromkeys(FACTS)})

    assert book.complete("p", ModelInfo(name="m")) == ModelInfo(name="m")
