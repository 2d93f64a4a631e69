"""No test reaches beyond this machine, or sees the keys of whoever runs it."""

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # a busy machine fails no test
settings.load_profile("untimed")

pytest_plugins = ["fairlead.testing.plugin", "tests.support.fixtures"]


@pytest.fixture(autouse=True)
def _alone(no_network: None, no_keys: None) -> None: ...
