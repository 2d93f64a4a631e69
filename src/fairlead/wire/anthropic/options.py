"""Options that have a field of their own, and those that this format has not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..values import as_dict

if TYPE_CHECKING:
    from ...core.requests import GenerateRequest
    from ..adaptations import Adaptations
    from .dialect import Dialect
    from .rules import ModelRule

SAMPLING = ("temperature", "top_p", "top_k")
_ABSENT = ("seed", "frequency_penalty", "presence_penalty", "logprobs")
_LEAST_TOP_P = 0.95
"""While a model thinks."""


def add_sampling(
    body: dict[str, Any],
    request: GenerateRequest,
    rule: ModelRule,
    dialect: Dialect,
    adaptations: Adaptations,
) -> None:
    """Put into *body*, which tells whether the model thinks, what steers how it chooses words."""
    stops = [text for text in request.stop_sequences if text.strip()]
    if len(stops) < len(request.stop_sequences):
        adaptations.note("a stop sequence of white space was left out: this vendor takes none")
    if stops:
        body["stop_sequences"] = stops
    thinks = as_dict(body.get("thinking")).get("type") in ("enabled", "adaptive")
    for option in SAMPLING:
        value = getattr(request, option)
        if value is None:
            continue
        reason = _reason(option, value, body, rule, dialect, thinks=thinks)
        if reason is not None:
            adaptations.note(f"{option} was left out: {reason}")
        elif option == "temperature" and value > 1:
            adaptations.note(f"temperature={value:g} became 1: this vendor takes no more")
            body[option] = 1
        else:
            body[option] = value
    for option in _ABSENT:
        value = getattr(request, option)
        if value is not None and value is not False:
            adaptations.note(f"{option} was left out: {dialect.name} has no such option")


def _reason(
    option: str,
    value: float,
    body: dict[str, Any],
    rule: ModelRule,
    dialect: Dialect,
    *,
    thinks: bool,
) -> str | None:
    """Why *option* cannot be sent."""
    if not dialect.sampling:
        return f"version {dialect.version} of this format has no such option"
    if not rule.sampling:
        return "this model does not take it"
    if option == "top_p" and "temperature" in body and not rule.both:
        return "this model does not take it beside temperature"
    allowed = value == 1 if option == "temperature" else value >= _LEAST_TOP_P
    if thinks and (option == "top_k" or not allowed):
        return "this model does not take it while it thinks"
    return None
