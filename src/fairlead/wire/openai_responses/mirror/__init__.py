"""
The other side of the format: requests read and answers written, as a server does.

Whatever the codec writes is read here as what it was written from, and the other way round.
"""

from __future__ import annotations

from ...openai_chat.mirror import encode_error
from .answers import encode_generation
from .requests import ServedResponse, decode_request
from .stream import StreamEncoder

__all__ = [
    "ServedResponse",
    "StreamEncoder",
    "decode_request",
    "encode_error",
    "encode_generation",
]
