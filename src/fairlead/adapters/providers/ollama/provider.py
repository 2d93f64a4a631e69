"""Models served by Ollama, on this machine or in its cloud."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Any

from ....core.context import truncated_prompt
from ....core.errors import PromptTruncatedError
from ....core.events import StreamEnd
from ....core.models import ModelInfo
from ....wire.ollama import OllamaCodec
from .._arguments import check_at_least, check_key, check_kind, check_text
from .._http import check_options
from .._models import ModelLister

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Unpack

    from ....core.calls import Call
    from ....core.events import StreamEvent
    from ....core.requests import GenerateRequest
    from ....core.results import Generation
    from ....core.streams import GenerationStream
    from ....core.usage import Usage
    from .._http import HttpOptions

PORT = 11434
ENDPOINT = f"http://127.0.0.1:{PORT}"
CONTEXT_WINDOW = 8192


class OllamaProvider(ModelLister):
    """
    Ollama, over its own API.

    A prompt that does not fit the window is an error, where the server by itself would cut it
    without a word; one that does so all the same is found out: a plain call then raises
    `PromptTruncatedError`, and a stream ends with a warning.

    Args:
        model: The model, which has been pulled.
        endpoint: The server's address; without a scheme, `http` is meant, and Ollama's port.
        api_key: A key, for its cloud.
        embedding_model: The model that embeds unless a call names another.
        context_window: Tokens that prompt and answer may have together. Each request asks the
            server for it, which needs the more memory the larger it is.
        name: What the provider is called in results, errors and `extra`.
        http: See `HttpOptions`.

    Raises:
        ConfigurationError: *endpoint* or another argument is not usable.
    """

    models_path = "/api/tags"
    lists_like = "Ollama"

    def __init__(
        self,
        *,
        model: str,
        endpoint: str = ENDPOINT,
        api_key: str | None = None,
        embedding_model: str | None = None,
        context_window: int = CONTEXT_WINDOW,
        name: str = "ollama",
        **http: Unpack[HttpOptions],
    ) -> None:
        check_text("model", model, "name the model that is to answer")
        if embedding_model is not None:
            check_text("embedding_model", embedding_model)
        check_text("endpoint", endpoint, "give the server's address")
        check_key("api_key", api_key)
        check_kind("context_window", context_window, int)
        check_at_least("context_window", context_window, 1, " token")
        info = ModelInfo(name=model, embedding_model=embedding_model, context_window=context_window)
        super().__init__(
            name=name,
            model=info,
            codec=OllamaCodec(context_window),
            base_url=_address(endpoint),
            headers={"authorization": f"Bearer {api_key}"} if api_key else {},
            **check_options(type(self), http),
        )

    @staticmethod
    def _named(listed: Any) -> tuple[str, ...]:
        return tuple(str(entry["name"]) for entry in listed["models"])

    def _model_named(self, name: str) -> ModelInfo:
        return self._model if name == self._model.name else replace(self._model, name=name)

    async def _generate(self, call: Call[Generation]) -> Generation:
        answer = await super()._generate(call)
        warning = self._reading(call).warning(answer.usage, answer)
        return answer if warning is None else answer.warned(warning)

    async def _open(self, call: Call[GenerationStream]) -> GenerationStream:
        stream = await super()._open(call)
        stream.transform(self._reading(call))
        return stream

    def _reading(self, call: Call[Any]) -> _Reading:
        return _Reading(self._name, self._complete(call)[0], self._model_for(call))


@dataclass(frozen=True, slots=True)
class _Reading:
    """
    Finds out whether the server has read all of a request.

    It has not for sure only if it read all that the window holds: of a prompt that begins as the
    one before did, some releases count what is new alone.
    """

    name: str
    request: GenerateRequest
    model: ModelInfo

    def warning(self, usage: Usage | None, answer: Generation | None = None) -> str | None:
        """
        That it has not, or may not have; None if it has.

        Raises:
            PromptTruncatedError: It has not, and *answer* is of no use.
        """
        reason = truncated_prompt(self.request, self.model, usage)
        if reason is None:
            return None
        told = f"{self.name} cut the prompt: {reason}; a larger context_window= may hold it"
        read = 0 if usage is None else usage.input_tokens or 0
        if answer is None or read < (self.model.context_window or inf):
            return told
        error = PromptTruncatedError(told, sent=True)
        error.partial = answer
        raise error

    def feed(self, event: StreamEvent) -> Iterable[StreamEvent]:
        """*event*, with the warning if it is the end."""
        if isinstance(event, StreamEnd) and (warning := self.warning(event.usage)) is not None:
            return (replace(event, warnings=(*event.warnings, warning)),)
        return (event,)


def _address(endpoint: str) -> str:
    """*endpoint* written as `OLLAMA_HOST` is: without scheme and port, or as a server listens."""
    if "://" in endpoint:
        return endpoint
    host, _, path = endpoint.partition("/")
    name, colon, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
    if not colon:
        name, port = host, str(PORT)
    if name in {"", "0.0.0.0"}:  # noqa: S104  nothing listens here
        name = "127.0.0.1"
    return f"http://{name}:{port}" + (f"/{path}" if path else "")
