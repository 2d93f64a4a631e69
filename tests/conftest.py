"""No test reaches beyond this machine, or sees the keys of whoever runs it."""

import pytest

pytest_plugins = ["fairlead.testing.plugin", "tests.support.fixtures"]


@pytest.fixture(autouse=True)
def _alone(no_network: None, no_keys: None) -> None: ...
