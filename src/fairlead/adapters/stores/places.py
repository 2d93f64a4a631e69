"""Where stores keep their files unless they are told otherwise."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def state_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The user's folder for what fairlead has to remember, by the customs of the platform."""
    if sys.platform == "win32":
        base = environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library/Application Support"
    else:
        base = environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return Path(base, "fairlead")
