"""Closing several things, of which each may fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.closing import Closable
from ..core.redact import shown

if TYPE_CHECKING:
    from collections.abc import Iterable


async def close_all(objects: Iterable[object]) -> None:
    """
    Close each that can be closed, once and in order, whatever becomes of the others.

    Cancelled, it still begins to close all that are left.

    Raises:
        BaseException: The first failure, or else whatever is no `Exception`, such as a
            cancellation. The others are its notes.
    """
    failures: list[BaseException] = []
    for each in {id(each): each for each in objects}.values():
        try:
            if isinstance(each, Closable):
                await each.aclose()
        except BaseException as failure:  # noqa: BLE001  it is raised when all are closed
            failures.append(failure)
    if not failures:
        return
    try:
        worst = min(failures, key=lambda failure: isinstance(failure, Exception))
        for other in failures:
            if other is not worst:
                worst.add_note(f"besides: {type(other).__name__}: {shown(str(other))}")
        raise worst
    finally:
        failures.clear()  # the traceback leads here, and must not lead back
