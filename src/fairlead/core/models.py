"""What is known of a model. What is not known is None, never a guess."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """
    Limits and capabilities of one model at one provider.

    Each capability is True, False, or None where nobody told; only a False keeps a request
    away from the model.
    """

    name: str | None = None
    """The name that the vendor knows it by; None if the provider's default is not known."""
    context_window: int | None = None
    """Tokens that prompt and answer may have together."""
    max_output_tokens: int | None = None
    """Tokens that an answer may have."""
    tokenizer: str | None = None
    """The family of its tokenizer, for counting."""
    images: bool | None = None
    audio: bool | None = None
    files: bool | None = None
    tools: bool | None = None
    response_format: bool | None = None
    """Whether it answers in a given JSON schema."""
    reasoning: bool | None = None
    """Whether it reasons unless told not to."""
    sampling: bool | None = None
    """Whether it takes temperature and the other sampling options."""
    embedding_model: str | None = None
    """The model that the same target embeds with, if it does."""
    max_batch_items: int | None = None
    """Texts that one request for vectors may have."""
    max_batch_tokens: int | None = None
    """Tokens that all texts of one such request may have together."""


FACTS = tuple(field.name for field in fields(ModelInfo) if field.name != "name")
"""All that may be known of a model besides its name."""


def filled(info: ModelInfo, known: ModelInfo) -> ModelInfo:
    """*info*, and where it does not tell, what *known* tells; the same object if nothing is."""
    more = {
        fact: value
        for fact in FACTS
        if getattr(info, fact) is None and (value := getattr(known, fact)) is not None
    }
    return replace(info, **more) if more else info


class Unlisted:
    """The book of models that knows none."""

    def complete(self, provider: str, info: ModelInfo, /) -> ModelInfo:
        """*info*."""
        return info


UNLISTED = Unlisted()
