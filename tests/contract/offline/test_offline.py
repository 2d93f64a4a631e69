import pytest

from fairlead.adapters.providers.offline import OfflineProvider
from fairlead.testing import ProviderContract


@pytest.mark.virtual_time
class TestOffline(ProviderContract):
    tools = True
    formats = True
    reports_usage = True

    def make_provider(self) -> OfflineProvider:
        return OfflineProvider()

    def make_slow(self) -> OfflineProvider:
        return OfflineProvider(delay=60)
