"""Models that are shown while they arrive."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from ..core.errors import ResponseParseError
from ..decorators._base import Decorator
from .parsing import parse_as, parse_json

if TYPE_CHECKING:
    from typing import Unpack

    from pydantic import BaseModel

    from ..core.messages import Prompt
    from ..core.pending import PendingStream
    from ..core.provider import LooseProvider, ProviderPort
    from ..core.requests import GenerateOptions
    from ..core.streams import GenerationStream

M = TypeVar("M", bound="BaseModel")


def stream_as(
    provider: ProviderPort | LooseProvider,
    kind: type[M],
    prompt: Prompt,
    /,
    **options: Unpack[GenerateOptions],
) -> TypedStream[M]:
    """
    The answer to *prompt* as it arrives, and as a pydantic model, *kind*, once it is there.

    It is asked for once, as its reader has seen it by then.

    ::

        async with stream_as(provider, Recipe, "A cake, please.") as recipe:
            async for so_far in recipe:
                show(so_far.get("title"))
        print(recipe.value.title)
    """
    options["response_format"] = kind
    return TypedStream(Decorator(provider).generate_stream(prompt, **options), kind)


class TypedStream(Generic[M]):
    """What has arrived so far of a model, as plain JSON values, not validated; see `stream_as`."""

    def __init__(self, pending: PendingStream, kind: type[M]) -> None:
        self._pending = pending
        self._kind = kind
        self._stream: GenerationStream | None = None
        self._text = ""
        self._last: Any = None

    async def __aenter__(self) -> Self:
        self._stream = await self._pending
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._stream is not None:
            await self._stream.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        """What is there, whenever it has changed."""
        if self._stream is None:
            self._stream = await self._pending
        async for words in self._stream:
            self._text += words
            with suppress(ResponseParseError):
                value = parse_json(self._text, partial=True)
                if value != self._last:
                    self._last = value
                    return value
        raise StopAsyncIteration

    @property
    def value(self) -> M:
        """
        The whole.

        Raises:
            ResponseParseError: What has arrived is no such model, or not all of it is there.
        """
        return parse_as(self._kind, self._text)
