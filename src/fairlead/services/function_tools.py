"""Typed Python functions as tools."""

from __future__ import annotations

import inspect
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, cast

import anyio.to_thread
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from ..core.errors import ConfigurationError
from ..core.messages import Image, Text, Tool, ToolCall, ToolResult
from ..core.redact import shown

if TYPE_CHECKING:
    from collections.abc import Callable


class FunctionTool:
    """
    A function as a tool: its name, its docstring, and the JSON schema of its parameters.

    `Annotated[str, Field(description=...)]` tells the model more of a parameter.

    Raises:
        ConfigurationError: Its signature has no such schema.
    """

    def __init__(self, function: Callable[..., Any], /) -> None:
        name = getattr(function, "__name__", None)
        if name is None or not callable(function):
            msg = f"a tool is a function with a name and types, not {type(function).__name__}"
            raise ConfigurationError(msg)

        @wraps(function)
        def arguments(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
            return args, kwargs

        try:
            self._arguments: TypeAdapter[Any] = TypeAdapter(cast("Any", arguments))
            schema = self._arguments.json_schema()
        except Exception as error:
            msg = f"the parameters of {name}() are nothing that a model can give: {error}"
            raise ConfigurationError(msg) from error
        if schema.get("type") != "object":
            msg = f"{name}() takes parameters that have no name, and a model gives all by name"
            raise ConfigurationError(msg)
        self._function = function
        self.tool: Tool = Tool(name, inspect.getdoc(function), schema)

    async def __call__(self, call: ToolCall) -> ToolResult:
        """What the function answers to *call*; its exceptions are results too."""
        try:
            args, kwargs = self._arguments.validate_json(call.arguments or "{}")
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(map(str, it['loc'])) or 'the arguments'}: {it['msg']}"
                for it in error.errors(include_url=False, include_context=False)
            )
            return ToolResult(call, f"the arguments are wrong: {wrong}", error=True)
        try:
            answer = await self._run(partial(self._function, *args, **kwargs))
            return ToolResult(call, _content(answer))
        except Exception as error:  # noqa: BLE001 - whatever it is, the model is told
            return ToolResult(call, f"{type(error).__name__}: {shown(str(error))}", error=True)

    async def _run(self, function: Callable[[], Any]) -> Any:
        if inspect.iscoroutinefunction(self._function):
            return await function()
        return await anyio.to_thread.run_sync(function, abandon_on_cancel=True)


def _content(answer: Any) -> str | tuple[Text | Image, ...]:
    """*answer* for a model: words and pictures as they are, anything else as JSON."""
    if isinstance(answer, str):
        return str(answer)
    if isinstance(answer, Text | Image):
        return (answer,)
    return to_json(answer, fallback=str).decode()
