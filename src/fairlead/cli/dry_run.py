"""What would be sent, shown instead of sent."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any, NoReturn, cast

from ..core.errors import FairleadError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..wire.http import WireRequest

_PLAIN = {
    "accept",
    "anthropic-version",
    "content-type",
    "openai-organization",
    "openai-project",
    "user-agent",
}
"""Headers whose values are no secrets. What an unknown one holds, nobody here can know."""
_KEYS = {"authorization", "api-key", "x-api-key", "x-goog-api-key"}
_DATA = re.compile(r"data:[^,]{,100},")
SHOWN = 60
"""Characters of attached data that are shown to people."""
ARGUMENT = 100_000
"""Bytes that one argument of a command may have; Linux takes 128 KiB."""


class NotSentError(FairleadError):
    """Carries the request past all policies: to none of them is it a failure to repeat."""

    def __init__(self, request: WireRequest) -> None:
        super().__init__(f"{request.method} {request.url} has not been sent")
        self.request = request


class RecordingEngine:
    """An HTTP engine that sends nothing: it raises the first request that it is given."""

    async def send(
        self, request: WireRequest, *, connect: float | None, within: float | None
    ) -> NoReturn:
        """Raise *request* in a `NotSentError`."""
        raise NotSentError(request)

    stream = send

    async def aclose(self) -> None:
        """Nothing is held, so there is nothing to close."""


def as_text(request: WireRequest) -> str:
    """*request* for people: secrets masked, the body indented, attached data cut short."""
    lines = [f"{request.method} {request.url}"]
    lines += [f"{name}: {value}" for name, value in masked(request.headers).items()]
    if request.body:
        lines += ["", json.dumps(_short(json.loads(request.body)), ensure_ascii=False, indent=2)]
    return "\n".join(lines)


def as_json(request: WireRequest) -> dict[str, Any]:
    """*request* for programs: secrets masked, the body whole."""
    return {
        "method": request.method,
        "url": request.url,
        "headers": masked(request.headers),
        "body": json.loads(request.body) if request.body else None,
    }


def as_curl(request: WireRequest, *, key: str) -> str:
    """
    *request* as a command for a POSIX shell, with variables in the place of secrets.

    Args:
        request: What is to be sent.
        key: The variable that holds the key.
    """
    words = ["curl", "--no-buffer", shlex.quote(request.url)]
    if request.method != "POST":
        words[1:1] = ["--request", request.method]
    for name, value in request.headers.items():
        words.append(f"\\\n  --header {_header(name, value, key)}")
    if not request.body:
        return " ".join(words)
    body = request.body.decode()
    if len(request.body) > ARGUMENT:
        return " ".join([*words, f"\\\n  --data-binary @- <<'JSON'\n{body}\nJSON"])
    return " ".join([*words, f"\\\n  --data-raw {shlex.quote(body)}"])


def masked(headers: Mapping[str, str]) -> dict[str, str]:
    """*headers*, with `***` for what may be a secret."""
    return {
        name: value if name.lower() in _PLAIN else _with("***", value)
        for name, value in headers.items()
    }


def _with(stand_in: str, value: str) -> str:
    return f"Bearer {stand_in}" if value.startswith("Bearer ") else stand_in


def _header(name: str, value: str, key: str) -> str:
    if name.lower() in _PLAIN:
        return shlex.quote(f"{name}: {value}")
    variable = key if name.lower() in _KEYS else re.sub(r"\W", "_", name).upper()
    return f'"{name}: {_with(f"${variable}", value)}"'


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {name: _short(item) for name, item in members.items()}
    if isinstance(value, list):
        return [_short(item) for item in cast("list[object]", value)]
    if isinstance(value, str) and len(value) > 2 * SHOWN and _DATA.match(value):
        return f"{value[:SHOWN]}… ({len(value):,} characters)"
    return value
