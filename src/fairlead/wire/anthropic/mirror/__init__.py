"""
The other side of the format: requests read and answers written, as a server does.

Whatever the codec writes is read here as what it was written from, and the other way round.
"""

from __future__ import annotations

from .answers import StreamEncoder, encode_error, encode_generation
from .requests import ServedMessages, decode_request

__all__ = [
    "ServedMessages",
    "StreamEncoder",
    "decode_request",
    "encode_error",
    "encode_generation",
]
