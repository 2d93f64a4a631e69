"""Asking the vendor how many tokens a prompt has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Unpack, runtime_checkable

if TYPE_CHECKING:
    from .messages import Prompt
    from .requests import GenerateOptions
    from .results import TokenCount


@runtime_checkable
class ExactTokenCounter(Protocol):
    """Something that asks its vendor; `find(provider, ExactTokenCounter)` finds it, if any."""

    async def count_tokens_exact(
        self, prompt: Prompt, **options: Unpack[GenerateOptions]
    ) -> TokenCount:
        """
        The tokens of *prompt* asked with *options*, tools included; `exact` is true.

        Raises:
            ProviderError: The vendor could not be asked, or does not tell.
        """
        ...
