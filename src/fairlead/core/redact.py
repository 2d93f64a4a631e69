"""Making other people's words fit to be shown: bounded, and without secrets."""

from __future__ import annotations

import re

LIMIT = 500
"""Characters of a message; others may quote a whole request."""

_MASK = "***"
_SECRETS = re.compile(
    r"""
      (?<= \bBearer\ ) \S+
    | (?<= key\ provided:\ ) [^\s,;]*[^\s,;.]
    | (?<= key:\ ) [^\s,;]{8,}
    | (?<= key= | ken= ) ['"]? [^\s&,;'"()]{8,}
    | (?<= key['"]:\  | ken['"]:\  ) ['"] [^'"]{8,}
    | (?<= :// ) [^\s/@:]* : [^\s/@]+ (?= @ )
    | \b (?: sk | pk | rk | gsk | xai | hf | pplx | csk | fw | nvapi | tgp | key | r8 )
      [-_] (?= [\w*-]* [\d*] ) [\w*-]{8,}
    | \b AIza [\w-]{10,}
    | \b eyJ [\w-]+ \. [\w-]+ (?: \. [\w-]* )?
    """,
    re.VERBOSE | re.IGNORECASE,
)


def shown(message: str, limit: int = LIMIT) -> str:
    """*message* with secrets masked and at most *limit* characters."""
    # Cut generously before masking: the pattern must not run over megabytes.
    masked = _SECRETS.sub(_MASK, message[: 4 * limit])
    return masked if len(masked) <= limit else f"{masked[: limit - 1]}…"


def without(message: str, secret: str) -> str:
    """*message* without *secret*, and without its beginning where `shown` has cut the message."""
    *cut, rest = message.replace(secret, _MASK).split("…")
    return "…".join([*(_without_start(part, secret) for part in cut), rest])


def _without_start(part: str, secret: str) -> str:
    for size in range(min(len(secret), len(part) + 1) - 1, SHORTEST - 1, -1):
        if part.endswith(secret[:size]):
            return part[:-size] + _MASK
    return part


SHORTEST = 4
"""Characters of a secret's beginning that tell something of it."""
