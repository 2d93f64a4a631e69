"""Who could answer a call: the one thing besides the call that policies talk through."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .canonical import digest
from .messages import Audio, File, Image, Text
from .requests import GenerateRequest
from .tokens import estimate

if TYPE_CHECKING:
    from .calls import Handler
    from .models import ModelInfo
    from .prices import Price
    from .requests import EmbedRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """
    One provider with one model that could answer a call.

    Args:
        provider: The provider's name.
        model: What is known of the model that would answer.
        endpoint: The address, for those that have one.
        request: What it would be asked, where that is not what the call says.
        cannot: Why it can never take this request; None if it can.
        refuses: Why it refuses at present; None if it does not.
        retry_after: Seconds after which it no longer refuses, as far as is known.
        probes: Whether the next call finds out if it is well again; nobody should ask it who can
            do without.
        adapter: What speaks to it, with its version: the same request may be asked otherwise, or
            the answer be understood otherwise, by another.
        defaults: What it is asked for where a call says nothing.
        price: What the model costs; None where nobody knows.
    """

    provider: str
    model: ModelInfo
    endpoint: str | None = None
    request: GenerateRequest | EmbedRequest | None = None
    cannot: str | None = None
    refuses: str | None = None
    retry_after: float | None = None
    probes: bool = False
    adapter: str = ""
    defaults: Mapping[str, object] = field(default_factory=dict[str, object], hash=False)
    _identity: str | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def identity(self) -> str:
        """
        What tells its answers from those of others, without a secret in it; in hexadecimal.

        Empty if nobody can tell: it does not name a model.
        """
        if self._identity is None:
            object.__setattr__(self, "_identity", self._identified())
        return self._identity or ""

    def _identified(self) -> str:
        if self.model.name is None:
            return ""
        try:
            return digest(
                self.provider, self.adapter, self.endpoint, self.model.name, self.defaults
            )[:32]
        except TypeError:
            return ""

    price: Price | None = None

    @property
    def label(self) -> str:
        """Provider and model in one string, as people write it."""
        return f"{self.provider}:{self.model.name}" if self.model.name else self.provider

    @property
    def obstacle(self) -> str | None:
        """Why it is not to be asked now."""
        return self.cannot or self.refuses


ANSWERED_BY = "answered by "
"""How the warning begins that another target than the first has answered this one call."""


@dataclass(frozen=True, slots=True)
class Plan:
    """
    Who could answer a call.

    Args:
        targets: All targets, in the order in which they would be asked.
        children: Of a dispatcher: what it chooses among, each with its own part of the plan,
            which is what it is handed.
    """

    targets: tuple[Target, ...]
    children: tuple[tuple[Handler, Plan], ...] = ()

    def __iter__(self) -> Iterator[Target]:
        return iter(self.targets)

    @property
    def obstacles(self) -> bool:
        """Whether there is a target that is not to be asked now."""
        for target in self.targets:  # noqa: SIM110 - asked in every call, and half the cost
            if target.cannot or target.refuses:
                return True
        return False

    @property
    def first(self) -> Target | None:
        """The first target that can take the request, even if it refuses at present."""
        for target in self.targets:
            if target.cannot is None:
                return target
        return None

    def map(self, change: Callable[[Target], Target]) -> Plan:
        """The same plan with *change* made to every target."""
        if self.children:
            return Plan.joining((child, part.map(change)) for child, part in self.children)
        return Plan(tuple(change(target) for target in self.targets))

    def only(self, keep: Callable[[Target], bool]) -> Plan:
        """The same plan without the targets that *keep* is false for."""
        if self.children:
            return Plan.joining((child, part.only(keep)) for child, part in self.children)
        return Plan(tuple(target for target in self.targets if keep(target)))

    @classmethod
    def joining(cls, children: Iterable[tuple[Handler, Plan]]) -> Plan:
        """The plan of a dispatcher: those of its *children*, one after the other."""
        parts = tuple(children)
        return cls(tuple(target for _, part in parts for target in part.targets), parts)


def obstacle(request: GenerateRequest | EmbedRequest, model: ModelInfo) -> str | None:
    """Why *model* can never take *request*; None if it can, as far as is known."""
    if not isinstance(request, GenerateRequest):
        return None
    lacks = None
    if model.tools is False and request.tools:
        lacks = "tools"
    elif model.response_format is False and request.response_format is not None:
        lacks = "response_format"
    elif model.images is False and _has(request, Image):
        lacks = "images"
    elif model.audio is False and _has(request, Audio):
        lacks = "audio"
    elif model.files is False and _has(request, File):
        lacks = "files"
    if lacks is not None:
        return f"{model.name or 'the model'} does not take {lacks}"
    return _too_long(request, model)


def only_words(request: GenerateRequest | EmbedRequest, window: int | None) -> bool:
    """
    Whether *request* is a few words that no model can refuse whose context window is *window*.

    Most are, and looking for that costs a third of what `obstacle` does.
    """
    if not isinstance(request, GenerateRequest):
        return False
    if request.tools or request.response_format is not None:
        return False
    characters = 0
    for message in request.messages:
        for part in message.parts:
            if type(part) is not Text:
                return False
            characters += len(part.text)
    return window is None or characters <= window


WINDOW_MARGIN = 1.5
"""A prompt is only called too long if its estimate exceeds the window by this factor: estimates
err, and the vendor knows better."""


def _too_long(request: GenerateRequest, model: ModelInfo) -> str | None:
    window = model.context_window
    if window is None or sum(len(message.text) for message in request.messages) <= window:
        return None
    tokens = estimate(request.messages, model.tokenizer)
    if tokens <= window * WINDOW_MARGIN:
        return None
    return f"the prompt has about {tokens} tokens, the window of {model.name} {window}"


def _has(request: GenerateRequest, kind: type) -> bool:
    return any(isinstance(part, kind) for message in request.messages for part in message.parts)
