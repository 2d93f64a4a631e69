"""New seeds until the time is over: `nox -s soak -- tests/simulation`."""

import os
import time
from itertools import count

import pytest

from fairlead.testing import BACKENDS
from tests.simulation.runs import PIPELINES, simulate

MINUTES = float(os.environ.get("FAIRLEAD_SOAK_MINUTES", "5"))
"""For which it goes on."""


@pytest.mark.soak
def test_no_seed_is_found_that_breaks_a_promise():
    began = time.monotonic()
    for seed in count(int(time.time() * 1000)):
        if time.monotonic() - began > MINUTES * 60:
            return
        play(seed)


def play(seed):
    """The world of *seed*, with a pipeline, loop and load that it determines as well."""
    pipeline = sorted(PIPELINES)[seed % len(PIPELINES)]
    backend = BACKENDS[seed // 4 % len(BACKENDS)]
    per_second = [0.01, 0.5, 5.0, 100.0][seed // 8 % 4]
    at_once = [1, 100][seed // 32 % 2]
    try:
        simulate(
            seed,
            pipeline=pipeline,
            backend=backend,
            calls=1000,
            per_second=per_second,
            at_once=at_once,
        )
    except BaseException as error:
        error.add_note(f"seed {seed}: tests.simulation.test_soak.play({seed}) does it again")
        raise
