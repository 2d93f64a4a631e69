"""Messages of a request."""

from __future__ import annotations

import base64
from mimetypes import guess_type
from typing import TYPE_CHECKING, Any

from ...core.errors import InvalidRequestError, UnsupportedOperationError
from ...core.messages import (
    Image,
    Media,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from ..tool_ids import ToolCallIds
from ..values import as_dict, decode_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...core.messages import Message, Part
    from ..adaptations import Adaptations
    from .dialect import GeminiDialect
    from .rules import GeminiRule

UNSIGNED = "skip_thought_signature_validator"
"""What Google says to send in place of a signature that there has never been."""


class MessageEncoder:
    """
    The messages of one request, in order.

    Attributes:
        system: The parts of what the model should keep to, which have a place of their own.
    """

    def __init__(self, dialect: GeminiDialect, rule: GeminiRule, adaptations: Adaptations) -> None:
        self.system: list[dict[str, Any]] = []
        self._dialect = dialect
        self._rule = rule
        self._adaptations = adaptations
        self._ids = ToolCallIds(dialect.tool_call_id)
        self._names: dict[str, str] = {}
        self._held: list[dict[str, Any]] = []
        self._contents: list[dict[str, Any]] = []
        self._results: list[dict[str, Any]] | None = None
        """The parts of the last content, while it holds results of tools and nothing else."""

    def encode(self, messages: Iterable[Message]) -> list[dict[str, Any]]:
        """
        *messages* in this format's words.

        Raises:
            InvalidRequestError: A tool says something else than results, or nobody says which
                tool a result is of.
            UnsupportedOperationError: A part cannot be said, and the rest would mean another
                thing without it.
        """
        for message in messages:
            results = [part for part in message.parts if isinstance(part, ToolResult)]
            rest = [part for part in message.parts if not isinstance(part, ToolResult)]
            for result in results:
                self._tool_result(result)
            if rest:
                self._message(message.role, rest)
        self._release()
        if not self._contents:
            self._adaptations.note(
                "the system prompt was sent as the user's: this format wants a user to answer"
            )
            self._say("user", self.system)
            self.system = []
        return self._contents

    def _message(self, role: Role, parts: Sequence[Part]) -> None:
        if role is Role.TOOL:
            msg = "a message of a tool is made of ToolResult parts and nothing else"
            raise InvalidRequestError(msg)
        if role is Role.SYSTEM:
            self._system(parts)
            return
        self._release()
        if role is Role.ASSISTANT:
            self._model(parts)
        else:
            self._say("user", [self._part(part, role) for part in parts])

    def _system(self, parts: Sequence[Part]) -> None:
        said = [self._part(part, Role.SYSTEM) for part in parts if not _is_empty(part)]
        if not self._rule.system:
            self._adaptations.note(
                "the system prompt was sent as the user's: this model has no place for it"
            )
            self._release()
            self._say("user", said)
            return
        if self._contents:
            self._adaptations.note(
                "a system message was moved to the beginning: this format has one place for it"
            )
        self.system += said

    def _say(self, role: str, parts: Iterable[dict[str, Any]]) -> None:
        told = [part for part in parts if part != {"text": ""}]
        if told:
            self._results = None
            self._contents.append({"role": role, "parts": told})

    def _model(self, parts: Sequence[Part]) -> None:
        said: list[dict[str, Any]] = []
        self._ids.begin_turn()
        for part in parts:
            self.add(part, said)
        calls = [part for part in said if "functionCall" in part]
        if self._rule.signed and calls and "thoughtSignature" not in calls[0]:
            self._adaptations.note(
                "a tool call that has no thought signature was sent with the word by which Google "
                "asks for none: its models refuse it otherwise"
            )
            calls[0]["thoughtSignature"] = UNSIGNED
        self._say("model", said)

    def add(self, part: Part, said: list[dict[str, Any]]) -> None:
        """Add one part of what the model said to *said*."""
        if isinstance(part, ToolCall):
            said.append(self._tool_call(part))
        elif isinstance(part, Reasoning):
            self._give_back(part, said)
        elif isinstance(part, Refusal):
            said.append({"text": part.text})
        else:
            said.append(self._part(part, Role.ASSISTANT))

    def _tool_call(self, call: ToolCall) -> dict[str, Any]:
        id_ = self._ids.call(call.id)
        self._names[call.id] = call.name
        function = {"id": id_, "name": call.name, "args": self._arguments(call)}
        encoded: dict[str, Any] = {"functionCall": function}
        if call.opaque is not None and self._understood(call.origin):
            encoded |= call.opaque
        return encoded

    def _arguments(self, call: ToolCall) -> dict[str, Any]:
        """The arguments as an object, which is all that this format takes."""
        try:
            told = decode_json((call.arguments or "{}").encode(errors="replace"))
        except ValueError:
            told = None
        if isinstance(told, dict):
            return as_dict(told)  # pyright: ignore[reportUnknownArgumentType]
        self._adaptations.note(
            f"the arguments of a call of {call.name!r} were sent as its only argument, "
            "'arguments': they are no JSON object"
        )
        return {"arguments": call.arguments}

    def _give_back(self, part: Reasoning, said: list[dict[str, Any]]) -> None:
        """Put what the vendor said for itself where it was."""
        if part.opaque is None or not self._understood(part.origin):
            return
        told = dict(part.opaque)
        signs = told.pop("signs", None)
        if signs == "thought":
            said.append({"text": part.text, **told})
        elif signs == "text" and said and said[-1].keys() == {"text"}:
            said[-1] |= told
        elif signs is not None:
            said.append({"text": "", **told})
        else:
            said.append(told)

    def _understood(self, origin: str | None) -> bool:
        if origin == self._dialect.origin:
            return True
        self._adaptations.note(
            f"an opaque part of {origin or 'unknown origin'} was dropped: only its origin "
            "understands it"
        )
        return False

    def _tool_result(self, result: ToolResult) -> None:
        name = result.tool or self._names.get(result.call_id)
        if name is None:
            msg = (
                f"nobody says which tool the result {result.call_id!r} is of, and this format "
                "wants its name; give ToolResult the call itself, or name="
            )
            raise InvalidRequestError(msg)
        told: dict[str, Any] = {
            "id": self._ids.result(result.call_id),
            "name": name,
            "response": {"error" if result.error else "output": result.text},
        }
        media = [part for part in result.content if isinstance(part, Media)]
        if media and self._rule.media_from_tools:
            told["parts"] = [self._media(part) for part in media]
        elif media:
            self._adaptations.note(
                "pictures and files of a tool's result were sent as the user's: this model takes "
                "only text from tools"
            )
            self._held += [self._media(part) for part in media]
        if self._results is None:
            self._results = []
            self._contents.append({"role": "user", "parts": self._results})
        self._results.append({"functionResponse": told})

    def _release(self) -> None:
        """Say what had to wait, because results must follow their calls without a break."""
        held, self._held = self._held, []
        self._say("user", held)

    def _part(self, part: Part, role: Role) -> dict[str, Any]:
        """One part of what anybody says."""
        if isinstance(part, Text):
            return {"text": part.text}
        if isinstance(part, Media) and role is not Role.SYSTEM:
            return self._media(part)
        msg = f"a part of type {type(part).__name__} cannot be said by the {role} in this format"
        raise UnsupportedOperationError(msg)

    def _media(self, media: Media) -> dict[str, Any]:
        if isinstance(media, Image) and media.detail is not None:
            self._adaptations.note(
                "the detail of a picture was left out: Google has no such option; there is "
                "extra={'generationConfig': {'mediaResolution': ...}} for all of them"
            )
        if media.data is not None:
            data = base64.b64encode(media.data).decode()
            return {"inlineData": {"mimeType": media.media_type, "data": data}}
        url = media.url or ""
        head, marker, data = url.partition(";base64,")
        if marker and head.startswith("data:"):
            kind = head.removeprefix("data:").partition(";")[0]
            return {"inlineData": {"mimeType": media.media_type or kind, "data": data}}
        told = media.media_type or guess_type(url.partition("?")[0])[0]
        return {"fileData": {**({"mimeType": told} if told else {}), "fileUri": url}}


def _is_empty(part: Part) -> bool:
    return isinstance(part, Text) and not part.text
