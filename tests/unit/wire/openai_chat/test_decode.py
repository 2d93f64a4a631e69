"""A whole answer."""

from decimal import Decimal

import pytest

from fairlead.core.errors import InvalidResponseError, OverloadedError, RateLimitError
from fairlead.core.results import FinishReason
from fairlead.core.usage import Cost
from fairlead.wire.openai_chat import Dialect
from tests.support.chat import DONE, answer, chunk, plain, sse


def test_an_answer():
    generation = plain(
        answer(
            {"role": "assistant", "content": "Hi"},
            usage={"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
            system_fingerprint="fp",
        )
    )

    assert generation == "Hi"
    assert generation.finish_reason is FinishReason.STOP
    assert (generation.model, generation.metadata.response_id) == ("tiny", "chat-1")
    assert generation.usage.input_tokens == 3
    assert generation.metadata.details == {"system_fingerprint": "fp"}


def test_a_call_without_arguments():
    told = {"id": "a", "type": "function", "function": {"name": "now"}}
    generation = plain(answer({"content": None, "tool_calls": [told]}, finish_reason="tool_calls"))

    assert generation == ""
    assert [(c.id, c.name, c.arguments) for c in generation.tool_calls] == [("a", "now", "")]


def test_of_several_choices_the_first_is_read():
    told = answer({"content": "A"})
    told["choices"].insert(0, {"index": 1, "message": {"content": "B"}})

    assert plain(told) == "A"


def test_an_answer_without_a_finish_reason_is_one():
    generation = plain(answer({"content": "A"}, finish_reason=None))

    assert generation.finish_reason is FinishReason.UNKNOWN


def test_a_stream_that_nobody_asked_for_is_understood():
    body = sse(chunk({"content": "Hi"}), chunk(finish_reason="stop"), DONE)

    assert plain(body, content_type="text/event-stream") == "Hi"


def test_and_so_is_its_error():
    with pytest.raises(OverloadedError):
        plain(b": wait\n\n" + sse({"error": {"message": "x", "code": 503}}))


def test_an_error_inside_a_success_has_what_the_headers_say():
    with pytest.raises(RateLimitError) as caught:
        plain({"error": {"message": "slow", "code": 429}}, retry_after="3", x_request_id="r")

    assert (caught.value.retry_after, caught.value.request_id) == (3.0, "r")
    assert caught.value.status_code == 429


def test_a_page_says_to_check_the_base_url():
    with pytest.raises(InvalidResponseError, match="base URL") as caught:
        plain(b"<html><title>Sign in</title></html>", content_type="text/html; charset=utf-8")

    assert caught.value.misconfigured
    assert "'Sign in'" in caught.value.message


@pytest.mark.parametrize(
    "body", [b"", b"oops", b"[]", b"{}", b"null", b'"text"', b'{"choices": []}', b"\xff\xfe"]
)
def test_what_is_no_answer_is_an_invalid_response(body):
    with pytest.raises(InvalidResponseError, match="expected a chat completion"):
        plain(body)


def test_a_cost_is_taken_from_a_vendor_that_tells_it():
    told = answer({"content": "A"}, usage={"prompt_tokens": 1, "cost": 0.00007159})

    assert plain(told).cost is None
    assert plain(told, dialect=Dialect(name="router", cost=True)).cost == Cost(
        amount=Decimal("0.00007159"), source="router"
    )


def test_a_success_that_only_has_a_message_is_an_error():
    with pytest.raises(RateLimitError):
        plain({"message": "slow", "code": 429})


def test_content_may_be_a_list_of_strings():
    assert plain(answer({"content": ["a", {"type": "text", "text": "b"}]})) == "ab"
