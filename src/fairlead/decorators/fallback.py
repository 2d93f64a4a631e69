"""Asks another target when one cannot answer."""

from __future__ import annotations

from typing import ClassVar

from ._dispatch import Dispatcher


class FallbackProvider(Dispatcher):
    """
    Asks its targets in order until one answers, before anything was shown to a stream's reader.

    Targets that cannot take the request, or refuse at present, are left out; the journal says
    why. Whether an error leads to the next target is in its verdict. An answer from another
    target than the first carries a warning that says why.

    A call's `model` may only name one of the targets, and `extra` has to be keyed by provider
    where there are several.

    Args:
        targets: Providers, in order; closed by `aclose()`.
        max_attempts: How often providers are asked in all, repeats included.
        allow_other_space: Whether vectors may come from another embedding space than the first
            target's. They cannot be compared with each other.
        try_another: Overrides the verdict: True goes on, False does not, None leaves it.
        last_resort: What answers when no target can be asked at all; with vectors only if they
            are of the same embedding space, or any will do.
        log: Where it is told, once for each target and cause, that another than the first
            answered; by default the standard logger `fairlead.fallback`.

    Raises:
        ConfigurationError: There are no targets, or an option makes no sense.
        NoTargetError: From a call: none can take it, or all that can refuse it at present.
        AllTargetsFailedError: From a call: several were asked and all failed.
    """

    NAME: ClassVar[str] = "fallback"
