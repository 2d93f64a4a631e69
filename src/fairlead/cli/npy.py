"""NumPy's `.npy` format, version 1.0: a matrix of 32-bit floats, written row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..core.embeddings import Embedding

HEAD = 128
"""Bytes before the numbers; a multiple of 64, so that they can be mapped into memory."""


def header(rows: int, width: int) -> bytes:
    """What stands before *rows* rows of *width* numbers."""
    described = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {width}), }}"
    room = HEAD - 10
    return b"\x93NUMPY\x01\x00" + room.to_bytes(2, "little") + f"{described:<{room - 1}}\n".encode()


def write(file: BinaryIO, vectors: Iterable[Embedding], *, rows: int, width: int) -> None:
    """Write *rows* vectors of *width* numbers each."""
    file.write(header(rows, width))
    file.writelines(vector.__array_interface__["data"] for vector in vectors)
