import copy
import pickle
import re

import pytest

from fairlead.core import errors, refusals
from fairlead.core.errors import (
    AllTargetsFailedError,
    ContextLengthExceededError,
    FairleadError,
    InvalidResponseError,
    ProviderError,
    ProviderTimeoutError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
)
from fairlead.core.journal import Attempt, Journal, Outcome
from fairlead.core.results import Generation, Metadata
from fairlead.core.usage import Usage
from fairlead.core.verdicts import VERDICTS, Another, KeyFate, Retry, Verdict

PARTIAL = Generation("ho", Metadata(provider="p", usage=Usage(output_tokens=1)))
KINDS = {**vars(errors), **vars(refusals)}.values()
CLASSES = [it for it in KINDS if isinstance(it, type) and issubclass(it, FairleadError)]
RAISED_BY_CALLS = [kind for kind in CLASSES if issubclass(kind, ProviderError)]


def make(kind, message="it failed", **facts):
    needed = {"partial": PARTIAL} if issubclass(kind, StreamInterruptedError) else {}
    return kind(message, **needed, **facts)


def printed_tree():
    """The tree of the module's docstring as pairs of a class and its base."""
    lines = re.findall(r"^    ([│├└─ ]*)([A-Z]\w+Error)", errors.__doc__, re.MULTILINE)
    stack = []
    for indent, name in lines:
        del stack[len(indent) // 4 :]
        yield name, stack[-1] if stack else "Exception"
        stack.append(name)


def test_the_printed_tree_is_the_real_one():
    assert dict(printed_tree()) == {kind.__name__: kind.__base__.__name__ for kind in CLASSES}


def test_the_tree_prints_each_class_once():
    names = [name for name, _ in printed_tree()]

    assert len(names) == len(set(names)) == len(CLASSES)


def test_all_names_end_in_error():
    assert all(kind.__name__.endswith("Error") for kind in CLASSES)


N, T = Retry.NEVER, Retry.TRANSIENT
SAME_KEY, ONCE, WAIT = Retry.NEXT_KEY, Retry.ONCE_IF_SENT, Retry.THROTTLED
NO, YES, WISH = Another.NEVER, Another.ALWAYS, Another.OPT_IN
WINDOW, CEILING = Another.LARGER_WINDOW, Another.LARGER_CEILING

# Written by hand from the table of the policies' semantics: retry the same target, try another,
# counts for the breaker, status at a gateway, whether it speaks of a mistake in the set-up, and
# what becomes of the key where anything does.
TABLE = {
    "ProviderConnectionError": (T, YES, True, 502, False),
    "CertificateError": (N, YES, False, 502, True),
    "RedirectRefusedError": (N, YES, False, 502, True),
    "ProviderTimeoutError": (ONCE, YES, True, 504, False),
    "InvalidResponseError": (T, YES, True, 502, False),
    "StreamInterruptedError": (N, NO, True, 502, False),
    "ResponseTooLargeError": (N, YES, False, 502, True),
    "ServerError": (T, YES, True, 502, False),
    "OverloadedError": (T, YES, True, 503, False),
    "RateLimitError": (WAIT, YES, False, 429, False, KeyFate.RESTS),
    "QuotaExceededError": (N, YES, False, 429, False, KeyFate.SPENT),
    "AuthenticationError": (SAME_KEY, YES, False, 500, True, KeyFate.DEAD),
    "PermissionDeniedError": (SAME_KEY, YES, False, 500, True, KeyFate.DEAD),
    "ModelNotFoundError": (N, YES, False, 404, True),
    "ContextLengthExceededError": (N, WINDOW, False, 400, False),
    "ContentFilteredError": (N, WISH, False, 400, False),
    "InvalidRequestError": (N, WISH, False, 400, True),
    "UnsupportedOperationError": (N, YES, False, 400, False),
    "PromptTruncatedError": (N, WINDOW, False, 400, False),
    "OutputTruncatedError": (N, CEILING, False, 502, False),
    "ResponseParseError": (N, YES, False, 502, False),
    "CircuitOpenError": (N, YES, False, 503, False),
    "RateLimitExceededError": (N, YES, False, 429, False),
    "BudgetExceededError": (N, NO, False, 402, False),
    "DeadlineExceededError": (N, NO, False, 504, False),
    "GuardrailError": (N, NO, False, 400, False),
    "ToolRoundsExceededError": (N, NO, False, 502, False),
    "NoTargetError": (N, YES, False, 503, False),
    "AllTargetsFailedError": (N, YES, False, 502, False),
    "StreamConsumedError": (N, NO, False, 500, False),
    # Bases, which the table does not name: an unknown failure of a provider is one of its own,
    # and a refusal of ours that says nothing else is final.
    "ProviderError": (N, YES, True, 502, False),
    "RefusedError": (N, NO, False, 503, False),
}


def test_every_class_has_a_row_of_its_own():
    assert set(VERDICTS) == set(RAISED_BY_CALLS)
    assert set(TABLE) == {kind.__name__ for kind in RAISED_BY_CALLS}


@pytest.mark.parametrize("kind", RAISED_BY_CALLS)
def test_the_verdict_is_that_of_the_table(kind):
    assert make(kind).verdict == Verdict(*TABLE[kind.__name__])


@pytest.mark.parametrize("kind", [ServerError, ProviderTimeoutError])
@pytest.mark.parametrize(
    "status, row",
    [
        (408, (T, YES, False, 504, False)),
        (409, (T, YES, False, 502, False)),
        (501, (N, YES, False, 502, True)),
        (505, (N, YES, False, 502, True)),
    ],
)
def test_some_statuses_have_rows_of_their_own(kind, status, row):
    assert make(kind, status_code=status).verdict == Verdict(*row)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 526, 529, 599])
def test_other_server_statuses_have_the_row_of_their_class(status):
    assert make(ServerError, status_code=status).verdict == make(ServerError).verdict


def test_a_status_changes_nothing_for_other_classes():
    assert make(RateLimitError, status_code=408).verdict == make(RateLimitError).verdict


@pytest.mark.parametrize("limit, counts", [(4.9, False), (5.0, True), (None, True)])
def test_a_timeout_that_was_given_little_time_is_not_held_against_the_target(limit, counts):
    error = ProviderTimeoutError("late", limit=limit)

    assert error.verdict == make(ProviderTimeoutError).verdict._replace(counts=counts)


def test_an_answer_of_something_else_altogether_is_a_mistake_in_the_set_up():
    error = InvalidResponseError("HTML", misconfigured=True)

    assert error.verdict == Verdict(N, YES, False, 502, True)


def test_the_vendor_may_ask_for_a_repeat():
    error = make(errors.InvalidRequestError, should_retry=True)

    assert error.verdict == make(errors.InvalidRequestError).verdict._replace(retry=T)


def test_the_vendor_may_ask_for_a_repeat_where_there_would_be_one_anyhow():
    assert make(RateLimitError, should_retry=True).verdict == make(RateLimitError).verdict


@pytest.mark.parametrize("kind", [ServerError, RateLimitError, ProviderTimeoutError])
def test_the_vendor_may_ask_for_none(kind):
    assert make(kind, should_retry=False).verdict == make(kind).verdict._replace(retry=N)


def test_a_subclass_has_the_row_of_its_base():
    class OurOwnError(RateLimitError):
        pass

    assert OurOwnError("slow down").verdict == make(RateLimitError).verdict


def test_a_gateway_answers_for_all_targets_as_for_the_first():
    error = AllTargetsFailedError("all", errors=[make(RateLimitError), make(ServerError)])

    assert error.verdict == make(AllTargetsFailedError).verdict._replace(http=429)


@pytest.mark.parametrize(
    "waits, least", [((9.0, 3.0), 3.0), ((None, 3.0), 3.0), ((None, None), None), ((), None)]
)
def test_all_targets_together_are_worth_asking_when_the_first_of_them_is(waits, least):
    failed = [make(RateLimitError, retry_after=wait) for wait in waits]

    assert AllTargetsFailedError("all", errors=failed).retry_after == least


def test_a_wait_that_is_known_better_is_kept():
    error = AllTargetsFailedError("all", errors=[make(ServerError)], retry_after=2.0)

    assert error.retry_after == 2.0


FACTS = {
    "provider": "openai",
    "model": "gpt",
    "status_code": 429,
    "code": "slow_down",
    "request_id": "req_1",
    "retry_after": 2.5,
    "should_retry": True,
    "sent": True,
}


@pytest.mark.parametrize("restored", [lambda it: pickle.loads(pickle.dumps(it)), copy.copy])
@pytest.mark.parametrize("kind", RAISED_BY_CALLS)
def test_an_error_can_be_pickled_and_copied_with_all_it_knows(kind, restored):
    error = make(kind, **FACTS)
    error.journal = Journal([Attempt(outcome=Outcome.FAILED, provider="openai")])

    again = restored(error)

    assert type(again) is kind
    assert str(again) == str(error)
    assert {name: getattr(again, name) for name in FACTS} == FACTS
    assert again.attempts == error.attempts
    assert again.args == error.args


@pytest.mark.parametrize(
    "error, names",
    [
        (ContextLengthExceededError("long", limit=8, requested=9), ("limit", "requested")),
        (ProviderTimeoutError("late", limit=3.0), ("limit",)),
        (InvalidResponseError("odd", misconfigured=True), ("misconfigured",)),
        (StreamInterruptedError("cut", partial=PARTIAL), ("partial", "usage")),
    ],
)
def test_what_only_one_class_knows_is_pickled_too(error, names):
    restored = pickle.loads(pickle.dumps(error))

    for name in names:
        assert getattr(restored, name) == getattr(error, name)


def test_all_errors_of_a_chain_are_pickled():
    error = AllTargetsFailedError("all", errors=[make(ServerError), make(RateLimitError)])

    restored = pickle.loads(pickle.dumps(error))

    assert [type(each) for each in restored.errors] == [ServerError, RateLimitError]


def test_a_readable_line_says_who_what_and_when():
    assert str(make(RateLimitError, **FACTS)) == (
        "it failed [openai:gpt, HTTP 429, slow_down, request req_1, retry after 2.5 s]"
    )


def test_a_message_alone_stands_alone():
    assert str(make(ServerError)) == make(ServerError).message == "it failed"


def test_a_chain_shows_each_error_on_a_line():
    error = AllTargetsFailedError(
        "all 2 failed:", errors=[make(ServerError, provider="a"), make(ServerError, provider="b")]
    )

    assert str(error) == "all 2 failed:\n  it failed [a]\n  it failed [b]"


def test_no_attempts_are_known_before_there_were_any():
    assert make(ServerError).attempts == ()


def test_an_interrupted_stream_tells_what_was_consumed():
    assert StreamInterruptedError("cut", partial=PARTIAL).usage == Usage(output_tokens=1)


def test_our_errors_are_exceptions_but_no_groups():
    assert not any(issubclass(kind, BaseExceptionGroup) for kind in CLASSES)


def test_a_vendor_that_says_so_is_asked_again_with_the_same_key():
    assert errors.AuthenticationError("no", should_retry=True).verdict.retry is Retry.TRANSIENT
