"""
For the tests of what is built on fairlead, and of providers that others write.

`ScriptedProvider` does what a test says, `ProviderContract` is what every provider has to keep to,
virtual time makes waiting free. The pytest plugin is loaded with
`pytest_plugins = ["fairlead.testing.plugin"]`; it and the contract alone need pytest.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .contract import ProviderContract as ProviderContract
    from .scripted import CUT as CUT
    from .scripted import Pause as Pause
    from .scripted import ScriptedProvider as ScriptedProvider
    from .scripted import ScriptExhaustedError as ScriptExhaustedError
    from .virtual_time import BACKENDS as BACKENDS
    from .virtual_time import DeadlockError as DeadlockError
    from .virtual_time import VirtualTimeLoop as VirtualTimeLoop
    from .virtual_time import virtual_time_backend as virtual_time_backend

__all__ = [  # pyright: ignore[reportUnsupportedDunderAll] - __getattr__ finds them
    "BACKENDS",
    "CUT",
    "DeadlockError",
    "Pause",
    "ProviderContract",
    "ScriptExhaustedError",
    "ScriptedProvider",
    "VirtualTimeLoop",
    "virtual_time_backend",
]

_HOMES = {
    "ProviderContract": "contract",
    "CUT": "scripted",
    "Pause": "scripted",
    "ScriptExhaustedError": "scripted",
    "ScriptedProvider": "scripted",
    "BACKENDS": "virtual_time",
    "DeadlockError": "virtual_time",
    "VirtualTimeLoop": "virtual_time",
    "virtual_time_backend": "virtual_time",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
