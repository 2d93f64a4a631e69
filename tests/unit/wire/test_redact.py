import pytest

from fairlead.wire.redact import summary


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "an empty body"),
        (b" \n", "an empty body"),
        (b"upstream  connect\nerror", "'upstream connect error'"),
        (
            b"<!DOCTYPE html><title>502 Bad\n Gateway</title>..",
            "an HTML page titled '502 Bad Gateway'",
        ),
        (b"<html><body>secret words</body></html>", "an HTML page"),
        (b"<Error><Code>Denied</Code></Error>", "an XML document"),
    ],
)
def test_a_body_that_is_not_json_is_summarised(body, words):
    assert summary(body) == words
