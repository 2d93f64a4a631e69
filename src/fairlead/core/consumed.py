"""What an attempt has consumed of which the vendor did not tell, or not to its end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .errors import (
    InvalidResponseError,
    OutputTruncatedError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    ResponseTooLargeError,
    ServerError,
)
from .refusals import RefusedError
from .requests import GenerateRequest
from .results import Generation
from .tokens import count_answer, count_request
from .usage import Usage

if TYPE_CHECKING:
    from .requests import EmbedRequest

LATE = {408, 499, 504, 524}
"""Statuses of whoever stands between us and the vendor: the vendor may have answered, and bill."""


def consumed(
    request: GenerateRequest | EmbedRequest,
    family: str | None,
    answer: object = None,
    told: Usage | None = None,
    *,
    whole: bool = False,
) -> Usage:
    """
    What *request* has consumed: as it was told, and an estimate of what was not.

    Args:
        request: What was asked.
        family: Of the model's tokenizer.
        answer: The answer, or what came of it.
        told: What the vendor told, if the answer does not know.
        whole: Whether the answer had come to its end; else what was told of its output may be
            older than what was seen of it.
    """
    received = answer if isinstance(answer, Generation) else None
    told = told or (None if received is None else received.usage) or Usage()
    read, written = told.input_tokens, told.output_tokens
    if not isinstance(request, GenerateRequest):
        told, written = replace(told, output_tokens=written or 0), written or 0
    elif written is None or not whole:
        seen = 0 if received is None else int(count_answer(received.message, family))
        written = max(written or 0, seen)
    if read is None:
        read = int(count_request(request, family))
    if (read, written) == (told.input_tokens, told.output_tokens):
        return told
    return replace(told, input_tokens=read, output_tokens=written, estimated=True)


def may_be_billed(error: BaseException) -> bool:
    """Whether what failed with *error* may have been worked on, and is billed then."""
    if not isinstance(error, ProviderError):
        return True  # it was cancelled, or something broke on our side, while it ran
    status = error.status_code
    if error.sent is False or (status is not None and status >= 400 and status not in LATE):
        return False
    if status in LATE or isinstance(error, ResponseTooLargeError):
        return True
    if isinstance(error, ServerError):
        return status is not None  # it had begun to answer
    if isinstance(error, (ProviderTimeoutError, InvalidResponseError)):
        return not error.verdict.misconfigured
    return isinstance(error, (ProviderConnectionError, RefusedError)) and error.sent is True


def is_whole(error: BaseException | None) -> bool:
    """Whether it is the error of an answer that had come to its end."""
    return isinstance(error, OutputTruncatedError)
