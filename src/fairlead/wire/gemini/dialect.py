"""How Gemini's own API and Vertex AI differ, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from ...core.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable

_IDS = r"[!-~]{1,64}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GeminiDialect:
    """
    One vendor's way of speaking generateContent.

    Args:
        name: The vendor's, for origins of opaque parts.
        folder: What stands before the bare name of a model in a path.
        predicts: Whether embeddings are asked for by `:predict`, as Vertex has them for models
            that are no Geminis; a Gemini that embeds is then asked for one text at a time.
        counts_whole: Whether a request's tokens are counted with all that it says, wrapped in
            `generateContentRequest`; else its fields stand side by side.
        tool_call_id: What it takes as the id of a tool call, as a regular expression.
    """

    name: str
    folder: str = "models"
    predicts: bool = False
    counts_whole: bool = True
    tool_call_id: str = _IDS

    @property
    def origin(self) -> str:
        """Marks opaque parts that only this vendor understands."""
        return f"gemini:{self.name}"

    def path(self, model: str, verb: str) -> str:
        """Where *model* is asked to do *verb*. Raises as `model_path`."""
        return f"/{model_path(model, self.folder)}:{verb}"


def model_path(model: str, folder: str) -> str:
    """
    The resource that *model* names; a bare name is one of *folder*.

    Raises:
        InvalidRequestError: It would lead out of its folder.
    """
    parts = model.strip("/").split("/")
    if any(part in {"", ".", ".."} for part in parts):
        raise InvalidRequestError(f"{model!r} is no name of a model")
    return quote(model.strip("/") if len(parts) > 1 else f"{folder}/{model}", safe="/@")


def bare(model: str) -> str:
    """*model* without the folders that it is in, in lower case."""
    return model.rpartition("/")[2].lower()


def known(values: Iterable[tuple[str, object]]) -> dict[str, object]:
    """Those of *values* that say something."""
    return {name: value for name, value in values if value is not None and value != ()}


GEMINI = GeminiDialect(name="gemini")
"""generativelanguage.googleapis.com."""
VERTEX = GeminiDialect(
    name="vertex", folder="publishers/google/models", predicts=True, counts_whole=False
)
"""aiplatform.googleapis.com."""
