import pytest

from fairlead.testing.virtual_time import BACKENDS, virtual_time_backend


@pytest.fixture(params=BACKENDS)
def anyio_backend(request):
    """Each event loop, in virtual time."""
    return virtual_time_backend(request.param)
