import copy
import json
import pickle
from dataclasses import fields

import pytest

from fairlead.core.journal import Attempt, Journal, Outcome
from fairlead.core.messages import Message, Reasoning, Refusal, Role, Text, ToolCall
from fairlead.core.results import FinishReason, Generation, Metadata, TokenCount
from fairlead.core.usage import Usage

CALL = ToolCall("1", "search", "{}")


def generation(text="ho", **facts):
    return Generation(text, Metadata(provider="p", **facts))


def test_a_generation_is_a_string_in_every_respect():
    answer = generation()

    assert isinstance(answer, str)
    assert answer == "ho"
    assert hash(answer) == hash("ho")
    assert {answer: 1}["ho"] == 1
    assert f"{answer}!" == "ho!"
    assert answer.upper() == "HO"
    assert json.loads(json.dumps({"a": answer})) == {"a": "ho"}


def test_the_text_alone_is_a_plain_string():
    assert type(str(generation())) is str


def test_an_empty_generation_is_falsy_even_if_tools_are_called():
    answer = generation("", parts=(CALL,))

    assert not answer
    assert answer.tool_calls == (CALL,)


@pytest.mark.parametrize("name", ["metadata", "text", "usage"])
def test_a_generation_cannot_be_changed(name):
    answer = generation()

    with pytest.raises(AttributeError, match=f"'{name}' cannot be set"):
        setattr(answer, name, None)
    with pytest.raises(AttributeError, match=f"'{name}' cannot be deleted"):
        delattr(answer, name)


def test_a_generation_has_one_slot_and_no_dict():
    assert not hasattr(generation(), "__dict__")


def test_metadata_cannot_be_changed():
    with pytest.raises(AttributeError):
        generation().metadata.model = "m"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_generation_can_be_pickled(protocol):
    answer = generation(usage=Usage(input_tokens=1), parts=(Text("ho"),), warnings=("w",))

    restored = pickle.loads(pickle.dumps(answer, protocol))

    assert (restored, restored.metadata) == (answer, answer.metadata)
    assert type(restored) is Generation


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_generation_can_be_copied(copied):
    answer = generation(usage=Usage(input_tokens=1))

    assert copied(answer) == answer
    assert copied(answer).metadata == answer.metadata


def test_what_is_known_of_a_generation_is_read_from_its_metadata():
    journal = Journal([Attempt(outcome=Outcome.SUCCEEDED, provider="p")])
    answer = generation(
        model="m",
        finish_reason=FinishReason.STOP,
        usage=Usage(input_tokens=1),
        request_id="r",
        cached=True,
        journal=journal,
        parts=(Reasoning("h"), Reasoning("m"), Text("ho")),
    )

    assert (answer.provider, answer.model, answer.request_id) == ("p", "m", "r")
    assert (answer.finish_reason, answer.usage) == (FinishReason.STOP, Usage(input_tokens=1))
    assert (answer.cached, answer.cost, answer.warnings) == (True, None, ())
    assert answer.attempts == journal.attempts
    assert answer.reasoning == "hm"


@pytest.mark.parametrize("parts, refusal", [((), None), ((Refusal("n"), Refusal("o")), "no")])
def test_a_refusal_is_told_apart_from_none(parts, refusal):
    assert generation(parts=parts).refusal == refusal


@pytest.mark.parametrize(
    "text, parts, message",
    [
        ("ho", (), Message.assistant("ho")),
        ("", (), Message(Role.ASSISTANT, ())),
        ("", (CALL,), Message(Role.ASSISTANT, (CALL,))),
    ],
)
def test_a_generation_is_the_message_that_its_parts_make(text, parts, message):
    assert generation(text, parts=parts).message == message


def test_a_warning_is_added_to_a_new_generation():
    answer = generation(warnings=("one",))

    assert answer.warned("two").warnings == ("one", "two")
    assert answer.warnings == ("one",)


def test_the_answer_is_parsed_as_the_schema_asked():
    assert generation('{"a": 1}', response_format={"type": "object"}).parsed == {"a": 1}


def test_the_answer_is_parsed_by_the_class_that_was_asked_for():
    class Upper:
        @classmethod
        def model_json_schema(cls):
            return {}

        @classmethod
        def model_validate_json(cls, json_data):
            return json_data.upper()

    assert generation("ho", response_format=Upper).parsed == "HO"


def test_a_pydantic_model_is_such_a_class():
    pydantic = pytest.importorskip("pydantic")

    class Person(pydantic.BaseModel):
        name: str

    assert generation('{"name": "Ada"}', response_format=Person).parsed == Person(name="Ada")
    with pytest.raises(ValueError):
        _ = generation("{}", response_format=Person).parsed


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_an_answer_that_is_not_valid_is_a_value_error(text):
    with pytest.raises(ValueError):
        _ = generation(text, response_format={}).parsed


def test_nothing_is_parsed_without_a_format():
    with pytest.raises(ValueError, match="no response_format was requested"):
        _ = generation("{}").parsed


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_token_count_is_an_int_that_can_be_pickled(protocol, exact):
    count = TokenCount(7, exact=exact)

    restored = pickle.loads(pickle.dumps(count, protocol))

    assert (restored, restored.exact, type(restored)) == (7, exact, TokenCount)
    assert count + 1 == 8


def test_a_token_count_is_an_estimate_unless_it_says_so():
    assert TokenCount(7).exact is False


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_token_count_can_be_copied(copied):
    assert copied(TokenCount(7, exact=True)).exact is True


def test_what_is_told_otherwise_leaves_all_else_as_it_is():
    told = {each.name: object() for each in fields(Metadata)}
    metadata = Metadata(**told)

    changed = metadata.with_(cached=True)

    for name, value in (told | {"cached": True}).items():
        assert getattr(changed, name) is value
    with pytest.raises(TypeError):
        metadata.with_(typo=1)
