"""Whom a call is for: tags from the context, for calls that do not say so themselves."""

from __future__ import annotations

from contextvars import ContextVar
from functools import wraps
from inspect import isasyncgenfunction as is_async_generator
from inspect import iscoroutinefunction, isgeneratorfunction
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from .options import check_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

F = TypeVar("F", bound="Callable[..., Any]")


class _Frame(NamedTuple):
    tags: Mapping[str, str]
    around: _Frame | None


_NONE: Mapping[str, str] = MappingProxyType({})
_frame: ContextVar[_Frame | None] = ContextVar("fairlead tags", default=None)


def current_tags() -> Mapping[str, str]:
    """Those of the running context."""
    frame = _frame.get()
    return _NONE if frame is None else frame.tags


def with_current(own: Mapping[str, str]) -> Mapping[str, str]:
    """*own* tags of a call, besides those of the context; its own win."""
    around = current_tags()
    return {**around, **own} if around else own


class tags:  # noqa: N801 - used as a function is
    """
    Puts tags on every call that is made inside, in this task and in those that it starts.

    ::

        with tags(project="atlas", user="ann"):
            await provider.generate("Hi")


        @tags(project="atlas")
        async def answer(question): ...

    Those of an inner one are added to those of an outer one, and win where both say something, as
    the call's own option `tags` does.

    Args:
        more: Tags whose names are no names in Python.
        named: All others, such as `project`, `user` and `session`.

    Raises:
        TypeError: A tag is no `str`, or what is decorated is a generator.
    """

    __slots__ = ("_own",)

    def __init__(self, more: Mapping[str, str] = _NONE, /, **named: str) -> None:
        self._own = {**check_tags("tags", more), **check_tags("tags", named)}

    def __enter__(self) -> Mapping[str, str]:
        merged = MappingProxyType(dict(current_tags()) | self._own)
        _frame.set(_Frame(merged, _frame.get()))
        return merged

    def __exit__(self, *_: object) -> None:
        frame = _frame.get()
        _frame.set(None if frame is None else frame.around)

    def __call__(self, function: F) -> F:
        if isgeneratorfunction(function) or is_async_generator(function):
            msg = f"{function.__name__}() is a generator: use `with tags(...)` around its calls"
            raise TypeError(msg)
        own = self._own

        @wraps(function)
        def tagged(*args: Any, **kwargs: Any) -> Any:
            with tags(own):
                return function(*args, **kwargs)

        @wraps(function)
        async def tagged_later(*args: Any, **kwargs: Any) -> Any:
            with tags(own):
                return await function(*args, **kwargs)

        return cast("F", tagged_later if iscoroutinefunction(function) else tagged)
