"""
The other side of the format: requests read and answers written, as a server does.

Whatever the codec writes is read here as what it was written from, and the other way round.
"""

from __future__ import annotations

from .answers import StreamEncoder, encode_embeddings, encode_error, encode_generation
from .requests import ServedChat, decode_embed_request, decode_request

__all__ = [
    "ServedChat",
    "StreamEncoder",
    "decode_embed_request",
    "decode_request",
    "encode_embeddings",
    "encode_error",
    "encode_generation",
]
