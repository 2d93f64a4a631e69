"""Where the servers are, as the environment said before tests were shielded from it."""

import os

_KNOWN = {name: os.environ.get(name) for name in ("FAIRLEAD_LLMOCK", "FAIRLEAD_AIMOCK")}


def address(variable: str) -> str:
    """The address in *variable*; these tests are only asked for where there is one."""
    url = _KNOWN[variable]
    assert url, f"{variable} is not set; run `nox -s servers`"
    return url
