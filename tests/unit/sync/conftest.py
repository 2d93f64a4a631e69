from collections.abc import Iterator

import pytest

from fairlead.sync import SyncProvider
from fairlead.testing import ScriptedProvider


@pytest.fixture
def scripted_sync() -> Iterator[object]:
    """Makes a `SyncProvider` round a script, and closes it."""
    made = []

    def make(script, **options):
        provider = ScriptedProvider(script, **options)
        made.append(SyncProvider(provider))
        return made[-1], provider

    yield make
    for provider in made:
        provider.close()
