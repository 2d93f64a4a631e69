"""What is known of a model. What is not known is None, never a guess."""

from __future__ import annotations

from dataclasses import dataclass


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
