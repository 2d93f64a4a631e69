import pytest

from fairlead.core.rates import Allowance, RateLimits
from fairlead.wire.faults import Fault, provider_error
from fairlead.wire.headers import rate_limits

OPENAI = {
    "x-ratelimit-limit-requests": "10000",
    "x-ratelimit-remaining-requests": "9999",
    "x-ratelimit-reset-requests": "8.64s",
    "x-ratelimit-limit-tokens": "200000",
    "x-ratelimit-remaining-tokens": "199985",
    "x-ratelimit-reset-tokens": "6m0s",
}
ANTHROPIC = {
    "date": "Thu, 21 Aug 2025 12:40:29 GMT",
    "anthropic-ratelimit-requests-limit": "50",
    "anthropic-ratelimit-requests-remaining": "49",
    "anthropic-ratelimit-requests-reset": "2025-08-21T12:40:30Z",
    "anthropic-ratelimit-input-tokens-limit": "30000",
    "anthropic-ratelimit-input-tokens-remaining": "28000",
    "anthropic-ratelimit-input-tokens-reset": "2025-08-21T12:40:33Z",
    "anthropic-ratelimit-output-tokens-limit": "8000",
    "anthropic-ratelimit-output-tokens-remaining": "7000",
    "anthropic-ratelimit-output-tokens-reset": "2025-08-21T12:40:59Z",
    "anthropic-ratelimit-tokens-limit": "8000",
    "anthropic-ratelimit-tokens-remaining": "7000",
    "anthropic-ratelimit-tokens-reset": "2025-08-21T12:40:59Z",
}


def requests(**told):
    """What is said of requests, with the names of OpenAI's headers."""
    return rate_limits({f"x-ratelimit-{name}-requests": value for name, value in told.items()})


def test_nothing_is_told_where_nothing_is_said():
    assert rate_limits({}) is None
    assert rate_limits({"x-request-id": "1", "x-ratelimit-limit-requests": "5"}) is None


def test_openai():
    assert rate_limits(OPENAI) == RateLimits(
        Allowance(10_000, 9_999, 8.64), Allowance(200_000, 199_985, 360.0)
    )


def test_anthropics_two_limits_on_tokens_are_told_together():
    assert rate_limits(ANTHROPIC) == RateLimits(
        Allowance(50, 49, 1.0), Allowance(38_000, 35_000, 30.0)
    )


def test_when_one_of_two_limits_is_used_up_nothing_is_left():
    spent = {**ANTHROPIC, "anthropic-ratelimit-input-tokens-remaining": "0"}

    assert rate_limits(spent).tokens == Allowance(38_000, 0, 4.0)


def test_one_of_two_limits_may_be_told_alone():
    alone = {name: value for name, value in ANTHROPIC.items() if "output" not in name}

    assert rate_limits(alone).tokens == Allowance(30_000, 28_000, 4.0)


def test_of_two_limits_that_are_not_told_what_is_left_is_added_up():
    left = {name: value for name, value in ANTHROPIC.items() if "remaining" in name}

    assert rate_limits(left).tokens == Allowance(None, 35_000, None)


def test_a_moment_counts_from_now_where_the_response_has_no_date():
    undated = {name: value for name, value in ANTHROPIC.items() if name != "date"}
    now = 1755780000.0

    assert rate_limits(undated, now=lambda: now).requests.reset == 30.0
    assert rate_limits(undated, now=lambda: now + 3600).requests.reset == 0.0


def test_mistral_and_cerebras():
    headers = {
        "x-ratelimit-limit-req-minute": "60",
        "x-ratelimit-remaining-req-minute": "59",
        "x-ratelimit-limit-tokens-minute": "50000",
        "x-ratelimit-remaining-tokens-minute": "40000",
        "x-ratelimit-reset-tokens-minute": "12.5",
        "x-ratelimit-limit-requests-day": "14400",
        "x-ratelimit-remaining-requests-day": "1",
    }

    assert rate_limits(headers) == RateLimits(
        Allowance(60, 59, None), Allowance(50_000, 40_000, 12.5)
    )


@pytest.mark.parametrize(
    "told",
    [
        {"remaining": "-1", "limit": "100"},
        {"remaining": "0", "limit": "-1"},
        {"remaining": "0", "limit": "0"},
        {"remaining": "0"},
        {"remaining": "lots", "limit": "100"},
        {"remaining": ""},
    ],
)
def test_what_a_vendor_does_not_know_is_unknown(told):
    assert requests(**told) is None


@pytest.mark.parametrize(
    "told, allowance",
    [
        ({"remaining": "5"}, Allowance(None, 5, None)),
        ({"remaining": "0", "limit": "60"}, Allowance(60, 0, None)),
        ({"remaining": "0", "reset": "7"}, Allowance(None, 0, 7.0)),
        ({"remaining": "5", "reset": "120ms"}, Allowance(None, 5, 0.12)),
        ({"remaining": "5", "reset": "1774000000"}, Allowance(None, 5, None)),
        ({"remaining": "5", "reset": "soon"}, Allowance(None, 5, None)),
        ({"remaining": "5", "reset": "2025-08-21T12:40:59"}, Allowance(None, 5, None)),
        ({"remaining": "5", "reset": "9999-12-31T23:59:59-23:59"}, Allowance(None, 5, None)),
        ({"remaining": "5.0", "limit": "60"}, Allowance(60, 5, None)),
    ],
)
def test_the_forms_of_one_limit(told, allowance):
    assert requests(**told) == RateLimits(allowance)


def test_an_error_carries_them_and_one_without_carries_none():
    error = provider_error(Fault(message="slow down"), status=429, headers=OPENAI)

    assert error.rate_limits == rate_limits(OPENAI)
    assert provider_error(Fault(message="slow down"), status=429).rate_limits is None
