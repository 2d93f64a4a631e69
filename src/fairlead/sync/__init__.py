"""
Providers for programs that do not await: scripts, notebooks, threads.

::

    import fairlead.sync

    print(fairlead.sync.complete("Hello"))

What stands here is called as in `fairlead`, and returns what is awaited there. All calls of a
process run in one event loop in a thread of its own, which the first call starts and the end of
the program stops; a forked child starts its own.
"""

from __future__ import annotations

from ._functions import complete as complete
from ._functions import embed as embed
from ._functions import get_provider as get_provider
from ._functions import open_provider as open_provider
from ._functions import reset_provider_cache as reset_provider_cache
from ._named import ProviderFactory as ProviderFactory
from ._named import ProviderManager as ProviderManager
from ._provider import SyncProvider as SyncProvider
from ._streams import SyncStream as SyncStream
