import math
from dataclasses import replace

import pytest

from fairlead.core.caching import CacheControl, CacheMode
from fairlead.core.errors import InvalidRequestError
from fairlead.core.messages import Tool
from fairlead.core.options import EMBED, GENERATE
from fairlead.core.requests import embed_request, generate_request

TOOL = Tool("search")


class Person:
    @classmethod
    def model_json_schema(cls):
        return {"type": "object", "title": "A person!"}

    @classmethod
    def model_validate_json(cls, json_data):
        return json_data


def asked(**options):
    return generate_request("hi", options)[0]


def steering(**options):
    return generate_request("hi", options)[1]


@pytest.mark.parametrize(
    "name, given, kept",
    [
        ("model", "gpt", "gpt"),
        ("temperature", 0, 0),
        ("temperature", 2.5, 2.5),
        ("top_p", 0.0, 0.0),
        ("top_p", 1, 1),
        ("top_k", 0, 0),
        ("max_tokens", 1, 1),
        ("stop_sequences", ["a", "b"], ("a", "b")),
        ("stop_sequences", (), ()),
        ("seed", -7, -7),
        ("frequency_penalty", -2.0, -2.0),
        ("presence_penalty", 2, 2),
        ("logprobs", True, True),
        ("logprobs", 0, 0),
        ("tools", [TOOL], (TOOL,)),
        ("response_format", {"type": "object"}, {"type": "object"}),
        ("response_format", Person, Person),
        ("reasoning_effort", "low", "low"),
        ("strict", True, True),
        ("extra", {"a": 1}, {"a": 1}),
    ],
)
def test_a_sensible_value_is_kept(name, given, kept):
    assert getattr(asked(**{name: given}), name) == kept


@pytest.mark.parametrize(
    "name, given, kept",
    [
        ("timeout", 3, 3.0),
        ("timeout", math.inf, math.inf),
        ("commit", "any", "any"),
        ("cache", True, CacheControl()),
        ("cache", False, CacheControl(mode=CacheMode.OFF)),
        ("cache", "refresh", CacheControl(mode=CacheMode.REFRESH)),
        ("cache", {"max_age": 60, "ttl": 3600}, CacheControl(max_age=60, ttl=3600)),
        ("cache", CacheControl(mode="off"), CacheControl(mode=CacheMode.OFF)),
        ("tags", {"a": "b"}, {"a": "b"}),
        ("request_id", "r", "r"),
    ],
)
def test_what_steers_fairlead_is_kept_apart_from_what_is_asked(name, given, kept):
    assert getattr(steering(**{name: given}), name) == kept


def unnamed(asked):
    request, steering = asked
    return request, replace(steering, request_id="")


@pytest.mark.parametrize("name", sorted(GENERATE))
def test_none_is_not_set(name):
    assert unnamed(generate_request("hi", {name: None})) == unnamed(generate_request("hi", {}))


@pytest.mark.parametrize("name", sorted(EMBED))
def test_none_is_not_set_for_embeddings_either(name):
    assert unnamed(embed_request(["hi"], {name: None})) == unnamed(embed_request(["hi"], {}))


@pytest.mark.parametrize("kind", ["json_object", "json_schema", "text"])
def test_a_response_format_is_the_schema_itself(kind):
    with pytest.raises(InvalidRequestError, match="schema itself"):
        generate_request("hi", {"response_format": {"type": kind}})


def test_a_call_without_a_name_is_given_one_of_its_own():
    one, other = (generate_request("hi", {})[1].request_id for _ in range(2))

    assert len(one) == 16
    assert one != other


@pytest.mark.parametrize(
    "name, value",
    [
        ("model", 1),
        ("system_prompt", b"be brief"),
        ("temperature", "0.5"),
        ("temperature", True),
        ("top_p", [1]),
        ("top_k", 1.0),
        ("max_tokens", True),
        ("max_tokens", "9"),
        ("stop_sequences", "END"),
        ("stop_sequences", b"END"),
        ("stop_sequences", {"END"}),
        ("stop_sequences", [1]),
        ("seed", 1.5),
        ("frequency_penalty", "1"),
        ("presence_penalty", object()),
        ("logprobs", "yes"),
        ("tools", TOOL),
        ("tools", "search"),
        ("tools", [{"name": "search"}]),
        ("tool_choice", 1),
        ("response_format", "json"),
        ("response_format", int),
        ("response_format", Person()),
        ("reasoning_effort", 1),
        ("strict", 1),
        ("extra", [("a", 1)]),
        ("timeout", "3"),
        ("timeout", False),
        ("commit", 1),
        ("commit", ["text"]),
        ("tags", "a"),
        ("tags", {"a": 1}),
        ("tags", {1: "a"}),
        ("request_id", 5),
    ],
)
def test_a_value_of_the_wrong_type_is_a_type_error_that_names_the_option(name, value):
    with pytest.raises(TypeError, match=name):
        asked(**{name: value})


@pytest.mark.parametrize(
    "name, value",
    [
        ("model", ""),
        ("system_prompt", ""),
        ("temperature", -0.1),
        ("temperature", math.nan),
        ("temperature", math.inf),
        ("top_p", 1.1),
        ("top_p", -1),
        ("top_k", -1),
        ("max_tokens", 0),
        ("max_tokens", -5),
        ("stop_sequences", [""]),
        ("frequency_penalty", math.nan),
        ("presence_penalty", -math.inf),
        ("logprobs", -1),
        ("tools", [TOOL, Tool("search")]),
        ("tool_choice", ""),
        ("timeout", 0),
        ("timeout", -1.0),
        ("timeout", math.nan),
        ("commit", "never"),
        ("request_id", ""),
    ],
)
def test_a_value_without_sense_is_an_invalid_request_that_names_the_option(name, value):
    with pytest.raises(InvalidRequestError, match=name):
        asked(**{name: value})


@pytest.mark.parametrize(
    "name, near",
    [
        ("temprature", "'temperature'"),
        ("max_output_tokens", "'max_tokens'"),
        ("max_completion_tokens", "'max_tokens'"),
        ("stop", "'stop_sequences'"),
        ("system", "'system_prompt'"),
        ("stream", r"'generate_stream\(\)'"),
    ],
)
def test_an_unknown_option_is_a_type_error_that_names_the_nearest(name, near):
    with pytest.raises(TypeError, match=rf"unknown option '{name}'; did you mean {near}\?"):
        asked(**{name: 1})


def test_an_unknown_option_that_resembles_none_lists_those_that_there_are():
    with pytest.raises(TypeError, match=r"known are cache, commit, .*, top_p\. What only one"):
        asked(zzzzzzz=1)


def test_an_unknown_option_is_refused_even_if_it_is_none():
    with pytest.raises(TypeError, match="unknown option 'zzzzzzz'"):
        asked(zzzzzzz=None)


@pytest.mark.parametrize("name", sorted(set(GENERATE) - set(EMBED)))
def test_what_only_a_generation_knows_is_unknown_to_embeddings(name):
    with pytest.raises(TypeError, match=f"unknown option '{name}'"):
        embed_request(["hi"], {name: None})


@pytest.mark.parametrize(
    "name, value", [("dimensions", 0), ("input_type", ""), ("model", ""), ("timeout", 0)]
)
def test_a_value_without_sense_is_refused_for_embeddings_too(name, value):
    with pytest.raises(InvalidRequestError, match=name):
        embed_request(["hi"], {name: value})


@pytest.mark.parametrize("bounds", [("temperature", "a finite number, at least 0")])
def test_the_message_says_what_is_allowed(bounds):
    name, words = bounds

    with pytest.raises(InvalidRequestError, match=f"{name} must be {words}, not -1"):
        asked(**{name: -1})


def test_the_message_says_what_range_is_allowed():
    with pytest.raises(InvalidRequestError, match="top_p must be from 0 to 1, not 2"):
        asked(top_p=2)


@pytest.mark.parametrize("choice", ["auto", "none", "required", "search", TOOL])
def test_a_tool_choice_may_be_a_word_or_one_of_the_tools(choice):
    kept = asked(tool_choice=choice, tools=[TOOL]).tool_choice

    assert kept == ("search" if choice is TOOL else choice)


@pytest.mark.parametrize("choice", ["auto", "none"])
def test_a_tool_choice_that_asks_for_nothing_needs_no_tools(choice):
    assert asked(tool_choice=choice).tool_choice == choice


def test_a_tool_choice_that_names_no_tool_is_refused_with_those_that_are_offered():
    with pytest.raises(InvalidRequestError, match=r"'find' names no tool of this call; .*'search'"):
        asked(tool_choice="find", tools=[TOOL])


def test_a_named_tool_choice_without_any_tools_is_refused():
    with pytest.raises(InvalidRequestError, match="offered: none"):
        asked(tool_choice="find")


def test_a_required_tool_choice_without_tools_is_refused():
    with pytest.raises(InvalidRequestError, match="'required' needs tools="):
        asked(tool_choice="required")


def test_a_schema_is_given_as_it_is():
    assert asked(response_format={"title": "T"}).schema == {"title": "T"}


def test_a_class_gives_its_own_schema():
    assert asked(response_format=Person).schema == Person.model_json_schema()


def test_no_format_has_no_schema():
    assert asked().schema is None


@pytest.mark.parametrize(
    "schema, name",
    [
        ({"title": "A person!"}, "A_person_"),
        ({}, "response"),
        ({"title": "x" * 80}, "x" * 64),
        ({"title": "Ärger"}, "_rger"),
    ],
)
def test_the_schema_has_a_name_that_every_vendor_takes(schema, name):
    assert asked(response_format=schema).schema_name == name


def test_a_name_is_found_even_without_a_format():
    assert asked().schema_name == "response"


@pytest.mark.parametrize("name", ["timeout", "temperature", "frequency_penalty"])
@pytest.mark.parametrize("value", [10**400, 10**5000, -(10**400)], ids=["400", "5000", "-400"])
def test_a_number_that_is_too_large_for_a_float_is_refused(name, value):
    with pytest.raises(InvalidRequestError, match=f"^{name} must be .*finite.*, not a number of"):
        generate_request("hi", {name: value})


@pytest.mark.parametrize(
    "name, hint",
    [
        ("dimension", "did you mean 'dimensions'?"),
        ("output_dimensionality", "did you mean 'dimensions'?"),
        ("task_type", "did you mean 'input_type'?"),
        ("stop", "known are cache, dimensions,"),
        ("temperature", "it is one of generate(), not of embeddings."),
        ("max_tokens", "it is one of generate(), not of embeddings."),
    ],
)
def test_an_unknown_option_of_embeddings_is_told_from_theirs(name, hint):
    with pytest.raises(TypeError) as caught:
        embed_request(["hi"], {name: 1})

    assert str(caught.value).startswith(f"unknown option {name!r}; {hint}")


def test_messages_of_others_are_shown_their_way():
    with pytest.raises(TypeError, match=r"chat_completion\(ChatCompletionRequest\(messages="):
        generate_request("hi", {"messages": [{"role": "user", "content": "x"}]})
    with pytest.raises(TypeError, match="unknown option 'messages'") as caught:
        embed_request(["hi"], {"messages": []})
    assert "chat_completion" not in str(caught.value)
