"""What real servers do, from descriptions of their traffic, whose numbers these are."""

from fairlead.core.errors import QuotaExceededError
from fairlead.core.results import FinishReason
from tests.support.responses import body, call, closing, failed, message, named, plain, streamed

QUOTA = {"code": "insufficient_quota", "message": "You exceeded your current quota."}


def test_5_an_error_event_and_then_the_failure_with_the_error_in_it():
    told, error = failed(
        named("created", response={"id": "r", "model": "gpt-5-nano"}, sequence_number=0),
        {"type": "error", "sequence_number": 1, "error": {"type": "insufficient_quota", **QUOTA}},
        closing(status="failed", error=QUOTA, sequence_number=2),
    )

    assert told == ""
    assert type(error) is QuotaExceededError
    assert error.code == "insufficient_quota"


def test_12_done_and_comments_and_the_second_item_ends_first():
    told = streamed(
        b": OPENROUTER PROCESSING\n\n",
        named("output_item.added", output_index=0, item={"type": "reasoning", "id": "rs-tmp-1"}),
        named("reasoning_text.delta", output_index=0, item_id="rs-tmp-1", delta="Two and two."),
        named("output_item.added", output_index=1, item=message("4", id="msg-tmp-1")),
        named("output_text.delta", output_index=1, item_id="msg-tmp-1", delta="4"),
        named("output_item.done", output_index=1, item=message("4", id="msg-tmp-1")),
        named(
            "output_item.done",
            output_index=0,
            item={
                "type": "reasoning",
                "id": "rs-tmp-1",
                "summary": [],
                "content": [{"type": "reasoning_text", "text": "Two and two."}],
            },
        ),
        closing(
            {
                "type": "reasoning",
                "id": "rs-tmp-9",
                "summary": [],
                "content": [{"type": "reasoning_text", "text": "Two and two."}],
            },
            message("4", id="msg-tmp-9"),
        ),
        b"data: [DONE]\n\n",
    )

    assert told == "4"
    assert told.reasoning == "Two and two."
    assert told.warnings == ()


def test_16_obfuscation_beside_the_words():
    told = streamed(
        named("output_text.delta", output_index=0, delta="Hello.", obfuscation="a1b2c3"),
        closing(message()),
    )

    assert told == "Hello."


def test_32_arguments_only_in_the_end_of_them():
    told = streamed(
        named("output_item.added", output_index=0, item=call(arguments="")),
        named("function_call_arguments.done", output_index=0, arguments='{"a": 1}'),
        named("output_item.done", output_index=0, item=call(arguments='{"a": 1}')),
        closing(call(arguments='{"a": 1}')),
    )

    (found,) = told.tool_calls
    assert found.arguments == '{"a": 1}'


def test_33_no_indexes_no_numbers_and_no_model_at_first():
    told = streamed(
        named("created", response={"id": "resp-1", "object": "response", "status": "in_progress"}),
        named("output_item.added", item=call(arguments="", id="fc-9")),
        named("function_call_arguments.delta", delta='{"city":', item_id="fc-9"),
        named("function_call_arguments.delta", delta=' "Bern"}', item_id="fc-9"),
        named("output_item.done", item=call(arguments='{"city": "Bern"}', id="fc-9")),
        closing(call(arguments='{"city": "Bern"}', id="fc-9")),
    )

    assert [each.parse() for each in told.tool_calls] == [{"city": "Bern"}]
    assert told.model == "tiny"


def test_33_an_answer_that_was_cut_and_is_said_to_be_complete():
    told = plain(body(message("Hello from a very"), incomplete_details=None))

    assert told.finish_reason is FinishReason.STOP


def test_35_arguments_that_were_cut():
    told = streamed(
        named("function_call_arguments.delta", output_index=0, delta='{"city": "Be'),
        closing(
            call(arguments='{"city": "Be', status="incomplete"),
            status="incomplete",
            incomplete_details={"reason": "max_output_tokens"},
        ),
    )

    assert told.tool_calls[0].arguments == '{"city": "Be'
    assert told.finish_reason is FinishReason.LENGTH
