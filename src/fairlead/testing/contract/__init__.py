"""What every provider has to keep to, as a test suite to inherit."""

import pytest

_PARTS = ("answers", "streams", "tools", "embeddings", "failures", "cancellation")
pytest.register_assert_rewrite(*(f"{__name__}.{part}" for part in _PARTS))

from .suite import ProviderContract as ProviderContract  # noqa: E402 - after the line above
