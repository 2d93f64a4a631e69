"""What you know of models yourself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...core.checks import in_words, nearest
from ...core.errors import ConfigurationError
from ...core.models import FACTS, UNLISTED, ModelInfo, filled

if TYPE_CHECKING:
    from ...core.ports import ModelBook

_LIMITS = ("context_window", "max_output_tokens", "max_batch_items", "max_batch_tokens")
_NAMES = ("tokenizer", "embedding_model")


class OwnModels:
    """
    What you know of models, and for the rest another book.

    ::

        models = OwnModels(
            {"llama-3.3-70b": {"context_window": 32_768, "images": False}}, otherwise=Catalogue()
        )

    What you say comes before all else, before what the provider itself knows, too.

    Args:
        models: By the model, or by `name:model` for the provider of that name alone: what is known
            of it by the fields of `ModelInfo`, or one of these. What is None is left to others.
        name: The provider's name.
        otherwise: Who is asked for what you do not say.

    Raises:
        ConfigurationError: There is no such field, or it cannot have that value.
    """

    def __init__(
        self,
        models: Mapping[str, Mapping[str, int | bool | str | None] | ModelInfo],
        *,
        name: str | None = None,
        otherwise: ModelBook = UNLISTED,
    ) -> None:
        self._own = {model.lower(): _info(model, facts) for model, facts in models.items()}
        self._name = name
        self._otherwise = otherwise

    def complete(self, provider: str, info: ModelInfo, /) -> ModelInfo:
        """*info*, with what you say of that model in its place, and what the other book knows."""
        own = None if info.name is None else self._find(provider, info.name)
        if own is not None:
            info = filled(replace(own, name=info.name), info)
        return self._otherwise.complete(provider, info)

    def _find(self, provider: str, model: str) -> ModelInfo | None:
        asked = model.lower()
        for name in (self._name, provider):
            own = name and self._own.get(f"{name.lower()}:{asked}")
            if own:
                return own
        return self._own.get(asked)


def _info(model: str, facts: Mapping[str, Any] | ModelInfo) -> ModelInfo:
    if isinstance(facts, ModelInfo):
        return facts
    if not isinstance(facts, Mapping):
        raise ConfigurationError(
            f"what is known of {model} must be a mapping of facts, not {in_words(facts)}"
        )
    for fact, value in facts.items():
        _check(model, fact, value)
    return ModelInfo(name=model, **facts)


def _check(model: str, fact: str, value: object) -> None:
    where = f"{fact} of {model}"
    if fact not in FACTS:
        near = nearest(fact, FACTS)
        hint = f"did you mean {near!r}? " if near else ""
        raise ConfigurationError(f"{where}: there is no such fact; {hint}there are {_ALL}")
    if value is None:
        return
    if fact in _LIMITS:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ConfigurationError(
                f"{where} must be a whole number of at least 1, not {in_words(value)}"
            )
    elif fact in _NAMES:
        if not isinstance(value, str) or not value:
            raise ConfigurationError(f"{where} must be a name, not {in_words(value)}")
    elif not isinstance(value, bool):
        raise ConfigurationError(f"{where} must be true or false, not {in_words(value)}")


_ALL = ", ".join(FACTS)
