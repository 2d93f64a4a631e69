"""A provider that is a codec and an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypedDict, TypeVar, Unpack

import anyio

from ... import __version__
from ...core.adapter import Adapter
from ...core.closing import Closing
from ...core.collector import Collector
from ...core.embeddings import EmbeddingMetadata, Embeddings, EmbeddingSpace
from ...core.errors import AuthenticationError, ConfigurationError, ProviderError
from ...core.limits import TimeLimits
from ...core.redact import without
from ...core.streams import GenerationStream
from ...wire.headers import rate_limits, request_id
from ...wire.http import ERROR, WireRequest, WireResponse
from ..http.address import check_address
from ..http.httpx import HttpxEngine
from ..http.tls_config import TLSConfig
from ._arguments import check_choice, check_headers, check_kind, check_names, check_text
from ._defaults import Defaults, own_extra
from ._events import HttpEventSource, undecodable

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...core.calls import Call, Clock
    from ...core.models import ModelInfo
    from ...core.requests import GenerateOptions, GenerateRequest
    from ...core.results import Generation, Metadata
    from ...wire.codec import Codec, Encoded
    from ..http.port import HttpEngine

T = TypeVar("T")

LONG_ANSWER = 4096
"""`max_tokens` above which an answer is streamed underneath: networks drop idle connections."""
NOT_FOUND = 404
_CREDENTIALS = {"authorization", "api-key", "x-api-key", "x-goog-api-key"}


class HttpOptions(TypedDict, total=False):
    """What every provider that speaks HTTP takes."""

    engine: HttpEngine | None
    """What moves the bytes. One that is handed over is not closed; if there is none, an
    `HttpxEngine` is built, and closed by the provider's `aclose()`."""
    tls_config: TLSConfig | None
    """How servers prove who they are, and how we do, where no engine is handed over."""
    limits: TimeLimits | None
    """How long one attempt may take."""
    defaults: GenerateOptions | None
    """What is asked for in every call that does not say otherwise."""
    wire: Literal["auto", "plain"]
    """`"auto"`, the default, streams underneath a plain call where a long silence is to be
    expected and the format loses nothing by it; `"plain"` never does."""
    allow_plain_http: bool
    """Whether the address may be plain http to a public host."""
    billed_by: str | None
    """Whose prices hold, such as `openai`, where the address does not tell, as with a proxy."""


class HttpProvider(Closing, Adapter):
    """
    Moves what a codec says through an engine.

    Vendors are subclasses that choose the codec, the address and the credentials.

    Args:
        name: The provider's name.
        model: What is known of the default model.
        codec: The wire format, in the vendor's dialect.
        base_url: The address that the codec's paths are appended to.
        headers: Credentials and whatever else goes with every request.
        http: See `HttpOptions`.

    Raises:
        ConfigurationError: *base_url*, a header, an option or a default is not usable.
        TypeError: One is of the wrong kind, or there is no such argument.
    """

    def __init__(
        self,
        *,
        name: str,
        model: ModelInfo,
        codec: Codec,
        base_url: str,
        headers: Mapping[str, str],
        **http: Unpack[HttpOptions],
    ) -> None:
        check_text("name", name)
        check_options(type(self), http)
        plain_http = http.get("allow_plain_http", False)
        _check_base_url(base_url, allow_plain_http=plain_http)
        check_headers(headers)
        self._name = name
        self._model = model
        self._codec = codec
        self._base_url = base_url.rstrip("/")
        own = {name.lower(): value for name, value in headers.items()}
        self._headers = {"content-type": "application/json", "user-agent": _AGENT, **own}
        self._anonymous = own.keys().isdisjoint(_CREDENTIALS)
        self._secrets = [
            value.removeprefix("Bearer ")
            for name, value in self._headers.items()
            if name in _CREDENTIALS
        ]
        given = http.get("engine")
        tls = (http.get("tls_config") or TLSConfig()).as_requests_kwargs()
        self._engine: HttpEngine = given or HttpxEngine(allow_plain_http=plain_http, **tls)
        self._owns_engine = given is None
        self._limits = http.get("limits") or TimeLimits()
        self._defaults = Defaults(http.get("defaults") or {}, name)
        self._wire = http.get("wire", "auto")
        self._billed_by = http.get("billed_by") or self._base_url

    version: ClassVar[str] = __version__
    """fairlead's own: each release may ask or understand otherwise."""

    @staticmethod
    def clock() -> Clock:
        """The running loop's clock."""
        return anyio.current_time

    @property
    def name(self) -> str:
        """The provider's name."""
        return self._name

    @property
    def model(self) -> ModelInfo:
        """What is known of the default model: what it was built with, and what `models` knows."""
        return self._complete_info(self._model)

    @property
    def endpoint(self) -> str:
        """The base address."""
        return self._base_url

    @property
    def defaults(self) -> Mapping[str, object]:
        """What is asked for where a call says nothing."""
        return self._defaults.options

    @property
    def billed_by(self) -> str:
        """The base address, unless it was said whose prices hold: a name may be anybody's."""
        return self._billed_by

    @property
    def limits(self) -> TimeLimits:
        """How long one attempt may take; kept by the provider itself, without a decorator."""
        return self._limits

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._model.name or ''} at {self._base_url}>"

    async def aclose(self) -> None:
        """
        Close the connections, unless the engine is somebody else's. Idempotent.

        A call after it opens new ones, which are to be closed again.
        """
        if self._owns_engine:
            await self._engine.aclose()

    async def _generate(self, call: Call[Generation]) -> Generation:
        request, reasons = self._complete(call)
        long = reasons or (request.max_tokens or 0) > LONG_ANSWER
        codec = self._codec_for(request)
        if long and self._wire == "auto" and codec.lossless_stream:
            limits = self._limits
            stream = await self._stream(
                call, request, limits.total, limits.silence(reasoning=reasons), commit="end"
            )
            return await stream.collect()
        encoded = codec.encode_generate(request, stream=False)
        response = await self._send(call, encoded)
        events = self._understood(lambda: codec.decode_generate(response))
        return Collector(events).generation(self._facts(call, request, encoded, response.headers))

    async def _open(self, call: Call[GenerationStream]) -> GenerationStream:
        request, reasons = self._complete(call)
        content = self._limits.content(reasoning=reasons)
        silence = self._limits.silence(reasoning=reasons)
        return await self._stream(call, request, content, silence, commit=call.options.commit)

    async def _embed(self, call: Call[Any]) -> Embeddings:
        model = self._model_for(call).name
        if model is None:
            raise self._no_embeddings()
        request = replace(
            call.embedding, model=model, extra=own_extra(call.request.extra, self._name)
        )
        encoded = self._codec.encode_embed(request)
        response = await self._send(call, encoded)
        decoded = self._understood(lambda: self._codec.decode_embed(response, request))
        dimensions = len(decoded.vectors[0]) if decoded.vectors else request.dimensions
        metadata = EmbeddingMetadata(
            provider=self._name,
            space=EmbeddingSpace(model=decoded.model or model, dimensions=dimensions),
            usage=decoded.usage,
            cost=decoded.cost,
            vendor_request_id=request_id(response.headers),
            request_id=call.options.request_id,
            warnings=encoded.warnings,
            journal=call.journal,
            rate_limits=rate_limits(response.headers),
        )
        return Embeddings([vector.described(metadata) for vector in decoded.vectors], metadata)

    async def _send(self, call: Call[Any], encoded: Encoded) -> WireResponse:
        response = await self._engine.send(
            self._request(encoded),
            connect=self._limits.connect,
            within=_least(self._limits.total, call.deadline.remaining()),
        )
        if response.status >= ERROR:
            raise self._failure(response, self._base_url + encoded.path)
        return response

    async def _stream(
        self,
        call: Call[Any],
        request: GenerateRequest,
        limit: float | None,
        idle: float | None,
        *,
        commit: Literal["text", "any", "end"],
    ) -> GenerationStream:
        codec = self._codec_for(request)
        encoded = codec.encode_generate(request, stream=True)
        within = _least(limit, call.deadline.remaining())
        until = inf if within is None else anyio.current_time() + within
        body = await self._engine.stream(
            self._request(encoded), connect=self._limits.connect, within=within
        )
        source = HttpEventSource(
            body,
            codec.stream_decoder(),
            idle=idle,
            until=until,
            limit=within,
            masked=self._masked,
            awaited="whole answer" if commit == "end" else "first content",
        )
        if body.status >= ERROR:
            raise self._failure(await source.drain(), self._base_url + encoded.path)
        facts = self._facts(call, request, encoded, body.headers)
        stream = await GenerationStream.open(source, facts, commit=commit)
        source.until = inf
        return stream

    def _codec_for(self, request: GenerateRequest) -> Codec:
        """The format in which *request* is asked, where a vendor speaks several."""
        return self._codec

    def _understood(self, decode: Callable[[], T]) -> T:
        """What *decode* makes of an answer; a codec that trips makes it a bad answer."""
        try:
            return decode()
        except ProviderError as error:
            self._masked(error)
            raise
        except Exception as error:
            raise undecodable(error) from error

    def _failure(self, response: WireResponse, url: str) -> ProviderError:
        """The error that *response* is, and what a person can do about it where that is known."""
        error = self._codec.decode_error(response)
        if response.status == NOT_FOUND:
            error.args = (f"{error.message} (asked {url})",)
        elif isinstance(error, AuthenticationError) and self._anonymous:
            error.args = (f"{error.message} ({_NO_KEY})",)
        return self._masked(error)

    def _masked(self, error: ProviderError) -> ProviderError:
        """*error*, with our own credentials taken out of what the server says."""
        for value in self._secrets:
            error.args = (without(error.message, value),)
            error.code = error.code and without(error.code, value)
        return error

    def _request(self, encoded: Encoded) -> WireRequest:
        return WireRequest(
            url=self._base_url + encoded.path,
            headers=self._headers,
            body=encoded.body,
            warnings=encoded.warnings,
        )

    def _complete(self, call: Call[Any]) -> tuple[GenerateRequest, bool]:
        """
        The request with the target's own model and defaults where the caller set none.

        And whether the model is going to think before it speaks.
        """
        asked, model = call.generation, self._model_for(call)
        extra = own_extra(asked.extra, self._name)
        request = self._defaults.fill(asked, model=model.name, extra=extra)
        effort = request.reasoning_effort
        return request, bool(model.reasoning) if effort is None else effort != "none"

    def _facts(
        self,
        call: Call[Any],
        request: GenerateRequest,
        encoded: Encoded,
        headers: Mapping[str, str],
    ) -> Metadata:
        return self._metadata(
            call,
            request.model,
            warnings=encoded.warnings,
            vendor_request_id=request_id(headers),
            rate_limits=rate_limits(headers),
        )


_NO_KEY = (
    "no key was sent: give the provider one, or name the variable that holds it with --api-key-env "
    "on the command line"
)


_AGENT = f"fairlead/{__version__}"


def _least(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return one if other is None else other
    return min(one, other)


def _check_base_url(base_url: str, *, allow_plain_http: bool) -> None:
    address = check_address(base_url, allow_plain_http)
    if "?" in address.target or "#" in base_url:
        msg = f"base_url must end with its path, and that of {address.origin} goes on after it"
        raise ConfigurationError(msg)


def check_options(owner: type, http: HttpOptions) -> HttpOptions:
    """*http*, if *owner* can be built with it. Raises as `HttpProvider`."""
    check_names(owner, http, HttpOptions.__annotations__)
    engine = http.get("engine")
    if engine is not None and (isinstance(engine, type) or not hasattr(engine, "send")):
        given = "a class" if isinstance(engine, type) else type(engine).__name__
        msg = f"engine must be an HttpEngine, such as HttpxEngine(), not {given}"
        raise TypeError(msg)
    if http.get("tls_config") is not None:
        check_kind("tls_config", http.get("tls_config"), TLSConfig)
        if engine is not None:
            msg = "tls_config is for the engine that is built here; give it to your own engine"
            raise ConfigurationError(msg)
    if http.get("limits") is not None:
        check_kind("limits", http.get("limits"), TimeLimits)
    if http.get("defaults") is not None:
        check_kind("defaults", http.get("defaults"), Mapping, "a mapping of options")
    check_choice("wire", http.get("wire", "auto"), ("auto", "plain"))
    if http.get("billed_by") is not None:
        check_text("billed_by", http.get("billed_by"))
    check_kind("allow_plain_http", http.get("allow_plain_http", False), bool)
    return http
