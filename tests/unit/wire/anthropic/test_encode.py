"""What is sent, and what is not."""

import pytest

from fairlead.core.errors import InvalidRequestError, UnsupportedOperationError
from fairlead.core.messages import Message, Reasoning, Text, Tool, ToolCall, ToolResult
from fairlead.wire.anthropic import ANTHROPIC
from tests.support.messages import SERVER, encoded

NOW = Tool("now")
NOW_TOLD = {"name": "now", "input_schema": {"type": "object", "properties": {}}}
OLD, NEW = "claude-sonnet-4-5", "claude-sonnet-5-5"
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
HELD = {**SCHEMA, "additionalProperties": False}


def test_nothing_is_sent_that_is_not_asked_but_for_the_limit_that_the_vendor_wants():
    assert encoded() == (
        {
            "model": "tiny",
            "max_tokens": 4096,
            "messages": [{"role": "user", "content": "Hi"}],
        },
        (),
    )


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("claude-3-haiku-20240307", 4096),
        ("claude-3-5-sonnet-latest", 8192),
        ("claude-opus-4-1", 32_000),
        ("claude-haiku-4-5", 32_000),
        ("claude-opus-5-5", 32_000),
        ("us.anthropic.claude-3-5-haiku-20241022-v1:0", 8192),
        ("anthropic/claude-3.5-haiku", 8192),
    ],
)
def test_the_limit_that_is_sent_is_one_that_the_model_takes(model, tokens):
    assert encoded(model=model)[0]["max_tokens"] == tokens
    assert encoded(model=model, max_tokens=7)[0]["max_tokens"] == 7


def test_a_stream_is_asked_for():
    assert encoded(stream=True)[0]["stream"] is True


class TestSampling:
    def test_what_an_older_model_takes_by_the_older_version(self):
        body, warnings = encoded(model="claude-3-opus", temperature=0.5, top_p=0.9, top_k=3)

        assert (body["temperature"], body["top_p"], body["top_k"]) == (0.5, 0.9, 3)
        assert warnings == ()

    def test_the_newer_version_takes_none(self):
        body, warnings = encoded(
            dialect=ANTHROPIC, model="claude-3-opus", temperature=1, top_p=0.9, top_k=3
        )

        assert body.keys() == {"model", "max_tokens", "messages"}
        assert len(warnings) == 3
        assert "version 2026-10-21" in warnings[0]

    def test_a_newer_model_takes_none(self):
        body, warnings = encoded(model=NEW, temperature=1)

        assert "temperature" not in body
        assert warnings == ("temperature was left out: this model does not take it",)

    def test_a_strict_request_is_refused(self):
        with pytest.raises(UnsupportedOperationError, match="temperature"):
            encoded(model=NEW, temperature=1, strict=True)

    def test_not_both_of_temperature_and_top_p(self):
        body, (warning,) = encoded(model=OLD, temperature=0.5, top_p=0.9)

        assert "top_p" not in body
        assert "beside temperature" in warning
        assert encoded(model=OLD, top_p=0.9)[0]["top_p"] == 0.9

    def test_more_than_one_is_no_temperature(self):
        body, (warning,) = encoded(temperature=1.5)

        assert body["temperature"] == 1
        assert warning.startswith("temperature=1.5 became 1")

    def test_what_a_model_does_not_take_while_it_thinks(self):
        given = {"model": "claude-sonnet-4", "reasoning_effort": "low"}

        body, warnings = encoded(**given, temperature=0.5, top_p=0.5, top_k=3)
        assert body.keys().isdisjoint({"temperature", "top_p", "top_k"})
        assert len(warnings) == 3

        body, warnings = encoded(**given, temperature=1, top_p=0.95)
        assert (body["temperature"], body["top_p"]) == (1, 0.95)
        assert warnings == ()

    @pytest.mark.parametrize(
        ("option", "value"),
        [("seed", 1), ("frequency_penalty", 0.5), ("presence_penalty", 0), ("logprobs", 2)],
    )
    def test_what_the_format_does_not_have(self, option, value):
        body, warnings = encoded(**{option: value})

        assert option not in body
        assert warnings == (f"{option} was left out: server has no such option",)

    def test_no_logprobs_are_none(self):
        assert encoded(logprobs=False)[1] == ()

    def test_stop_sequences(self):
        body, (warning,) = encoded(stop_sequences=("END", "\n"))

        assert body["stop_sequences"] == ["END"]
        assert "white space" in warning
        assert "stop_sequences" not in encoded(stop_sequences=(" ",))[0]


class TestThinking:
    @pytest.mark.parametrize(
        ("model", "effort", "told"),
        [
            ("claude-sonnet-4-5", "medium", {"type": "enabled", "budget_tokens": 8192}),
            ("claude-sonnet-4-5", "none", None),
            ("tiny", "minimal", {"type": "enabled", "budget_tokens": 1024}),
            ("claude-opus-4-6", "low", {"type": "adaptive"}),
            ("claude-opus-4-8", "xhigh", {"type": "adaptive"}),
            ("claude-opus-4-8", "none", None),
            ("claude-sonnet-5", "none", {"type": "disabled"}),
            ("claude-sonnet-5", "low", None),
            ("claude-haiku-5-5", "none", {"type": "disabled"}),
            ("claude-opus-5-5", "max", None),
        ],
    )
    def test_what_is_said(self, model, effort, told):
        body, warnings = encoded(model=model, reasoning_effort=effort)

        assert body.get("thinking") == told
        assert warnings == ()

    @pytest.mark.parametrize(
        ("model", "effort"),
        [("claude-opus-4-5", "high"), ("claude-sonnet-4-6", "max"), ("claude-fable-5-2", "low")],
    )
    def test_the_effort_that_a_model_knows_is_told(self, model, effort):
        assert encoded(model=model, reasoning_effort=effort)[0]["output_config"] == {
            "effort": effort
        }

    @pytest.mark.parametrize(
        ("model", "effort", "why"),
        [
            ("claude-3-5-haiku", "low", "does not take it"),
            ("claude-opus-4-6", "xhigh", "does not know it"),
            ("claude-opus-5-5", "minimal", "does not know it"),
            ("tiny", "much", "does not know it"),
            ("claude-opus-5-5", "none", "always thinks"),
            ("claude-unheard-of-7", "none", "always thinks"),
        ],
    )
    def test_what_cannot_be_said_is_left_out(self, model, effort, why):
        body, (warning,) = encoded(model=model, reasoning_effort=effort)

        assert body.keys() == {"model", "max_tokens", "messages"}
        assert why in warning

    @pytest.mark.parametrize(("limit", "budget"), [(3000, 1976), (2048, 1024)])
    def test_the_budget_leaves_something_to_the_answer(self, limit, budget):
        body, (warning,) = encoded(reasoning_effort="high", max_tokens=limit)

        assert body["thinking"]["budget_tokens"] == budget
        assert f"{budget} tokens" in warning

    def test_too_small_a_limit_leaves_none_to_think_with(self):
        body, (warning,) = encoded(reasoning_effort="low", max_tokens=2047)

        assert "thinking" not in body
        assert "at least 1024" in warning

    def test_a_model_that_has_to_call_a_tool_is_not_asked_to_think(self):
        body, (warning,) = encoded(
            model=OLD, reasoning_effort="low", tools=(NOW,), tool_choice="required"
        )

        assert "thinking" not in body
        assert "a tool has to be called" in warning

    def test_the_callers_own_words_for_it(self):
        thinking = {"type": "enabled", "budget_tokens": 2000}

        body, (warning,) = encoded(extra={"thinking": thinking}, temperature=0.2)
        assert body["thinking"] == thinking
        assert "while it thinks" in warning
        with pytest.raises(InvalidRequestError, match="use reasoning_effort="):
            encoded(extra={"thinking": thinking}, reasoning_effort="low")


class TestTools:
    def test_a_tool(self):
        tool = Tool("now", "Tells it", {"type": "object"}, strict=True)

        assert encoded(model=OLD, tools=(tool,))[0]["tools"] == [
            {
                "name": "now",
                "description": "Tells it",
                "input_schema": {"type": "object"},
                "strict": True,
            }
        ]

    def test_strict_is_left_out_where_there_is_no_such_thing(self):
        body, warnings = encoded(tools=(Tool("now", strict=True),))
        assert body["tools"] == [NOW_TOLD]
        assert "strict was left out" in warnings[0]
        assert encoded(tools=(Tool("now", strict=False),)) == (
            {**encoded()[0], "tools": [NOW_TOLD]},
            (),
        )

    @pytest.mark.parametrize(
        ("choice", "told"),
        [
            ("auto", {"type": "auto"}),
            ("none", {"type": "none"}),
            ("required", {"type": "any"}),
            ("now", {"type": "tool", "name": "now"}),
        ],
    )
    def test_the_choice_of_one(self, choice, told):
        assert encoded(tools=(NOW,), tool_choice=choice)[0]["tool_choice"] == told

    @pytest.mark.parametrize("choice", ["required", "now"])
    def test_a_model_that_cannot_be_made_to_call_one(self, choice):
        body, (warning,) = encoded(model=NEW, tools=(NOW,), tool_choice=choice)

        assert body["tool_choice"] == {"type": "auto"}
        assert "cannot be made to call a tool" in warning

    def test_no_choice_among_none(self):
        body, (warning,) = encoded(tool_choice="auto")

        assert "tool_choice" not in body
        assert "no tools" in warning

    @pytest.mark.parametrize(
        ("choice", "told"),
        [
            (None, {"type": "auto", "disable_parallel_tool_use": True}),
            ("required", {"type": "any", "disable_parallel_tool_use": True}),
            ("none", {"type": "none"}),
        ],
    )
    def test_one_at_a_time(self, choice, told):
        extra = {"disable_parallel_tool_use": True}
        assert encoded(tools=(NOW,), tool_choice=choice, extra=extra)[0]["tool_choice"] == told

    def test_the_vendors_own(self):
        search = {"type": "web_search_20250305", "name": "web_search"}

        body, warnings = encoded(tools=(NOW,), extra={"tools": [search]})
        assert body["tools"] == [NOW_TOLD, search]
        body, warnings = encoded(tool_choice="auto", extra={"tools": [search]})
        assert body["tool_choice"] == {"type": "auto"}
        assert warnings == ()


class TestFormat:
    def test_a_model_that_can_be_held_to_it(self):
        body, warnings = encoded(model=OLD, response_format=SCHEMA)

        assert body["output_config"] == {"format": {"type": "json_schema", "schema": HELD}}
        assert warnings == ()

    def test_beside_the_effort(self):
        body, _ = encoded(model=NEW, response_format=SCHEMA, reasoning_effort="low")

        assert body["output_config"]["effort"] == "low"
        assert body["output_config"]["format"]["schema"] == HELD

    def test_what_it_is_only_told(self):
        schema = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}}
        body, (warning,) = encoded(model=NEW, response_format=schema)

        told = body["output_config"]["format"]["schema"]["properties"]["a"]
        assert told == {"type": "integer", "description": "minimum: 1"}
        assert "told, and not held to, minimum" in warning

    @pytest.mark.parametrize(
        ("options", "choice"),
        [
            ({}, {"type": "tool", "name": "fairlead_answer"}),
            ({"tools": (NOW,)}, {"type": "any"}),
            ({"tools": (NOW,), "tool_choice": "auto"}, {"type": "any"}),
            ({"tools": (NOW,), "tool_choice": "now"}, {"type": "tool", "name": "now"}),
            (
                {"tools": (NOW,), "tool_choice": "none"},
                {"type": "tool", "name": "fairlead_answer"},
            ),
        ],
    )
    def test_else_by_a_tool(self, options, choice):
        body, (warning,) = encoded(model="claude-opus-4-1", response_format=SCHEMA, **options)

        assert body["tool_choice"] == choice
        assert body["tools"][-1]["name"] == "fairlead_answer"
        assert body["tools"][-1]["input_schema"] == SCHEMA
        assert "as the arguments of a tool" in warning

    @pytest.mark.parametrize(
        ("model", "schema"),
        [
            (NEW, {"type": "object", "additionalProperties": True}),
            ("tiny", {"type": "array", "items": {"type": "string"}}),
        ],
    )
    def test_else_in_words(self, model, schema):
        body, (warning,) = encoded(Message.user("Hi"), model=model, response_format=schema)

        assert "fits this schema" in body["system"]
        assert "in words" in warning


class TestExtra:
    def test_what_fairlead_has_no_name_for(self):
        extra = {"service_tier": "auto", "metadata": {"user_id": "u"}, "cache_control": {}}
        assert encoded(extra=extra)[0].items() >= extra.items()

    @pytest.mark.parametrize(
        "name", ["model", "messages", "system", "max_tokens", "stream", "top_k", "tool_choice"]
    )
    def test_what_has_an_option_of_its_own(self, name):
        with pytest.raises(InvalidRequestError, match="would overrule"):
            encoded(extra={name: 1})

    def test_a_field_that_both_write_into(self):
        extra = {"output_config": {"task_budget": {"type": "tokens", "total": 1}}}
        body, _ = encoded(model=NEW, reasoning_effort="low", extra=extra)

        assert body["output_config"] == {**extra["output_config"], "effort": "low"}
        with pytest.raises(InvalidRequestError, match="use reasoning_effort="):
            encoded(model=NEW, reasoning_effort="low", extra={"output_config": {"effort": "high"}})

    @pytest.mark.parametrize(
        "extra",
        [
            {"output_config": 1},
            {"tools": "x"},
            {"tools": 1},
            {"tools": [1]},
            {"disable_parallel_tool_use": 1},
        ],
    )
    def test_nonsense(self, extra):
        with pytest.raises(InvalidRequestError, match="extra="):
            encoded(extra=extra)


class TestTheLastWord:
    def test_an_older_model_goes_on_from_it(self):
        body, _ = encoded(Message.user("Hi"), Message.assistant("Well, \n"), model=OLD)

        assert body["messages"][-1] == {"role": "assistant", "content": "Well,"}

    def test_a_newer_one_does_not(self):
        with pytest.raises(UnsupportedOperationError, match="ends with words of the model"):
            encoded(Message.user("Hi"), Message.assistant("Well"), model="claude-opus-4-6")

    def test_it_may_be_what_the_vendor_has_begun(self):
        block = {"type": "server_tool_use", "id": "1", "name": "web_search", "input": {}}
        paused = Message.assistant([Text("Hm"), Reasoning("", {"block": block}, SERVER.origin)])

        body, _ = encoded(Message.user("Hi"), paused, model=NEW)
        assert body["messages"][-1]["content"] == [{"type": "text", "text": "Hm"}, block]

    def test_there_has_to_be_one(self):
        with pytest.raises(InvalidRequestError, match="nothing but what the system says"):
            encoded(Message.system("Be brief"))


class TestMarks:
    CALL = (
        Message.system("Be brief"),
        Message.user("Hi"),
        Message.assistant(ToolCall("1", "now", "{}")),
        Message("tool", ToolResult("1", "noon")),
        Message.user("And?"),
    )

    def marked(self, marks, *messages, **options):
        return encoded(*(messages or self.CALL), extra={"cache_marks": marks}, **options)

    def test_by_place(self):
        body, warnings = self.marked(["tools", "system", "messages"], tools=(NOW, Tool("then")))
        mark = {"type": "ephemeral", "ttl": "5m"}

        assert [tool.get("cache_control") for tool in body["tools"]] == [None, mark]
        assert body["system"] == [{"type": "text", "text": "Be brief", "cache_control": mark}]
        assert body["messages"][-1]["content"][-1] == {
            "type": "text",
            "text": "And?",
            "cache_control": mark,
        }
        assert str(body).count("cache_control") == 3
        assert warnings == ()

    def test_by_the_number_of_a_message_and_for_longer(self):
        body, _ = self.marked({1: "1h", -2: "5m"})
        said = [block for turn in body["messages"] for block in turn["content"]]

        assert [block.get("cache_control", {}).get("ttl") for block in said] == [
            "1h",
            None,
            "5m",
            None,
        ]

    def test_thoughts_take_none(self):
        thought = {"block": {"type": "thinking", "signature": "s"}}
        parts = [Text("Well"), Reasoning("Hm", thought, SERVER.origin)]
        body, _ = self.marked([1], Message.user("Hi"), Message.assistant(parts))

        assert "cache_control" in body["messages"][1]["content"][0]
        assert "cache_control" not in body["messages"][1]["content"][1]

    @pytest.mark.parametrize("place", ["tools", "system", "messages", 1, 7])
    def test_where_nothing_is_to_mark(self, place):
        thought = {"block": {"type": "thinking", "signature": "s"}}
        only = Message.assistant(Reasoning("Hm", thought, SERVER.origin))
        messages = (only,) if place == "messages" else (Message.user("Hi"), only)
        _, (warning,) = self.marked([place], *messages)

        assert f"the cache mark at {place!r} was left out" in warning

    @pytest.mark.parametrize(
        "marks", ["system", 1, ["footer"], {"system": "2h"}, [True], [0, 1, 2, 3, 4]]
    )
    def test_nonsense(self, marks):
        with pytest.raises(InvalidRequestError, match="cache_marks"):
            self.marked(marks)
