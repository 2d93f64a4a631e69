"""How fast to ask a vendor whose refusals are all it tells: slower at once, then feeling up."""

from __future__ import annotations

from math import floor

from .buckets import TokenBucket

BETA = 0.7
"""What is left of the pace after a refusal [AWS]."""
SCALE = 0.4
"""How steeply it rises again [AWS]."""
LEAST = 0.5
"""Calls per second that are always tried [AWS]."""
AHEAD = 2.0
"""How much faster than what was measured it may get [AWS]."""
STEP = 0.5
"""Seconds over which the pace is measured [AWS]."""
SMOOTHING = 0.8
"""Share of the latest step in what is measured [AWS]."""


class AdaptivePace:
    """
    The client-side limiter of the AWS SDKs' adaptive mode, by the CUBIC curve.

    It holds nobody back before the vendor has refused for the first time. Then the pace falls to
    0.7 of what it was, rises steeply towards that, lingers there, and feels further up.
    """

    def __init__(self) -> None:
        self._bucket: TokenBucket | None = None
        self._count = 0
        self._measured = 0.0
        self._step: float | None = None
        self._peak = 0.0
        self._plateau = 0.0
        """Seconds after a refusal at which the former pace is reached."""
        self._refused_at = 0.0

    @property
    def per_second(self) -> float | None:
        """Calls per second; None as long as nobody is held back."""
        return None if self._bucket is None else self._bucket.per_second

    def wait(self, now: float) -> float:
        """Seconds until one more call may be made."""
        if self._bucket is None:
            return 0.0
        if now < self._refused_at:
            # A new event loop has a new clock: begin anew there, at the pace that was known.
            self._step, self._count = None, 0
            self._bucket.overwrite(0.0, now)
            self._refused_at = now - self._plateau
        return self._bucket.wait(1.0, now)

    def take(self, now: float) -> None:
        """Note that one is made."""
        if self._bucket is not None:
            self._bucket.take(1.0, now)

    def succeeded(self, now: float) -> None:
        """Note an answer."""
        measured = self._measure(now)
        if self._bucket is not None:
            since = now - self._refused_at
            self._set(SCALE * (since - self._plateau) ** 3 + self._peak, measured, now)

    def throttled(self, now: float) -> None:
        """Note a refusal."""
        measured = self._measure(now)
        known = self.per_second
        self._peak = measured if known is None else min(measured, known)
        self._plateau = (self._peak * (1 - BETA) / SCALE) ** (1 / 3)
        self._refused_at = now
        self._set(self._peak * BETA, measured, now)

    def _set(self, per_second: float, measured: float, now: float) -> None:
        pace = max(min(per_second, AHEAD * measured), LEAST)
        if self._bucket is None:
            self._bucket = TokenBucket(pace, max(pace, 1.0))
            self._bucket.overwrite(0.0, now)
        else:
            self._bucket.retune(pace, max(pace, 1.0), now)

    def _measure(self, now: float) -> float:
        """Calls per second of late, with the one that has just been answered."""
        step = floor(now / STEP) * STEP
        if self._step is None:
            self._step = step
        self._count += 1
        if step > self._step:
            latest = self._count / (step - self._step)
            self._measured = latest * SMOOTHING + self._measured * (1 - SMOOTHING)
            self._count, self._step = 0, step
        # Before the first step is over, all that is known is what it has brought so far.
        return self._measured or self._count / STEP
