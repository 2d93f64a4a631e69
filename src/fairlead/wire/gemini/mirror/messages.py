"""Messages, as a server reads them."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from ....core.collector import Collector
from ....core.errors import InvalidRequestError
from ....core.messages import Audio, File, Image, Media, Message, Part, Role, Text, ToolResult
from ....core.results import Metadata
from ...values import as_dict, as_list, as_str
from ..answer import GeminiAnswerReader

if TYPE_CHECKING:
    from ..dialect import GeminiDialect

_KINDS: dict[str, type[Image | Audio]] = {"image": Image, "audio": Audio}


def decode_content(told: dict[str, Any], place: int, dialect: GeminiDialect) -> Message:
    """
    The message that *told*, number *place* of the request, stands for.

    Raises:
        InvalidRequestError: It is none.
    """
    role = as_str(told.get("role")) or "user"
    if role == "model":
        events = GeminiAnswerReader(dialect).read({"candidates": [{"content": told}]})
        collected = Collector(events).generation(Metadata(provider=dialect.name))
        return Message(Role.ASSISTANT, collected.metadata.parts)
    if role not in {"user", "function"}:
        raise InvalidRequestError(f"contents[{place}].role must be 'user' or 'model'")
    parts = decode_parts(told, f"contents[{place}]")
    results = any(isinstance(part, ToolResult) for part in parts)
    return Message(Role.TOOL if results else Role.USER, parts)


def decode_parts(told: dict[str, Any], place: str) -> list[Part]:
    """The parts of *told*, which stands at *place*. Raises as `decode_content`."""
    parts = [_part(as_dict(part), place) for part in as_list(told.get("parts"))]
    if not parts:
        raise InvalidRequestError(f"{place}.parts must not be empty")
    return parts


def _part(told: dict[str, Any], place: str) -> Part:
    if "text" in told:
        return Text(as_str(told["text"]))
    if "functionResponse" in told:
        return _result(as_dict(told["functionResponse"]), place)
    if "inlineData" in told or "fileData" in told:
        return _media(told, place)
    raise InvalidRequestError(f"{place}.parts holds {', '.join(told) or 'nothing'}: not understood")


def _result(told: dict[str, Any], place: str) -> ToolResult:
    response = as_dict(told.get("response"))
    failed = "error" in response
    words = as_str(response.get("error" if failed else "output"))
    media = [_media(as_dict(part), place) for part in as_list(told.get("parts"))]
    files = [part for part in media if isinstance(part, (Image, File))]
    return ToolResult(
        as_str(told.get("id")),
        (*([Text(words)] if words else []), *files) if files else words,
        error=failed,
        name=as_str(told.get("name")) or None,
    )


def _media(told: dict[str, Any], place: str) -> Image | Audio | File:
    inline, elsewhere = as_dict(told.get("inlineData")), as_dict(told.get("fileData"))
    kind = as_str(inline.get("mimeType") or elsewhere.get("mimeType"))
    build: type[Media] = _KINDS.get(kind.partition("/")[0], File)
    try:
        if elsewhere:
            made = build(url=as_str(elsewhere.get("fileUri")), media_type=kind or None)
        else:
            data = base64.b64decode(as_str(inline.get("data")), validate=True)
            made = build(data=data, media_type=kind)
    except binascii.Error:
        raise InvalidRequestError(f"{place}.parts holds data that are no base64") from None
    assert isinstance(made, (Image, Audio, File))
    return made
