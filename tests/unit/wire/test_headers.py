import pytest

from fairlead.wire.headers import duration, request_id, retry_after, should_retry


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250"}, 0.25),
        ({"x-ms-retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "0", "retry-after": "1"}, 1.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2.0),
    ],
)
def test_the_first_header_with_a_positive_time_says_how_long_to_wait(headers, seconds):
    assert retry_after(headers) == seconds


def test_a_date_counts_from_the_date_of_the_response():
    headers = {
        "date": "Sat, 21 Nov 2026 10:00:00 GMT",
        "retry-after": "Sat, 21 Nov 2026 10:00:30 GMT",
    }

    assert retry_after(headers, now=lambda: 0.0) == 30.0


def test_a_date_counts_from_now_where_the_response_has_none():
    headers = {"retry-after": "Thu, 01 Jan 1970 00:01:40 GMT"}

    assert retry_after(headers, now=lambda: 40.0) == 60.0


def test_a_date_that_has_passed_is_no_wait():
    assert retry_after({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}) == 0.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("23s", 23.0),
        ("2.5s", 2.5),
        ("6m0s", 360.0),
        ("120ms", 0.12),
        ("10h17m5.7s", 37_025.7),
        ("1h", 3600.0),
        ("", None),
        ("5", None),
        ("s", None),
    ],
)
def test_durations(text, seconds):
    assert duration(text) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("value", "verdict"), [("true", True), ("False", False), ("perhaps", None), (None, None)]
)
def test_the_vendors_word_on_retrying(value, verdict):
    assert should_retry({"x-should-retry": value} if value else {}) is verdict


@pytest.mark.parametrize("name", ["x-request-id", "request-id", "apim-request-id"])
def test_the_vendors_id_of_the_request(name):
    assert request_id({name: "req_1"}) == "req_1"


def test_no_id_of_the_request():
    assert request_id({"x-request-id": ""}) is None
