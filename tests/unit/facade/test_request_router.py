from collections import Counter
from random import Random

import pytest

from fairlead.core.errors import ConfigurationError
from fairlead.facade.request_router import RequestRouter


def test_requests_are_shared_out_by_weight():
    big, small = object(), object()
    router = RequestRouter(
        providers={"big": big, "small": small},
        weights={"big": 0.7, "small": 0.3},
        random=Random(3).random,
    )

    drawn = Counter(id(router.select_provider("any request")) for _ in range(3000))

    assert drawn[id(big)] / 3000 == pytest.approx(0.7, abs=0.03)
    assert drawn[id(big)] + drawn[id(small)] == 3000


def test_without_weights_all_are_equal():
    router = RequestRouter({"a": 1, "b": 2, "c": 3}, random=Random(3).random)

    drawn = Counter(router.select_provider() for _ in range(3000))

    assert min(drawn.values()) > 900


def test_who_has_no_weight_is_never_drawn():
    router = RequestRouter({"a": 1, "b": 2}, {"b": 1})

    assert {router.select_provider() for _ in range(200)} == {2}
    assert router.providers == {"a": 1, "b": 2}
    assert repr(router) == "RequestRouter(a, b)"


@pytest.mark.parametrize(
    "providers, weights, said",
    [
        ({}, None, "at least one"),
        (["a"], None, "providers by name"),
        ({"small": 1}, {"smal": 1}, "did you mean 'small'"),
        ({"small": 1}, {"small": 0}, "at least one weight"),
        ({"small": 1}, {"small": -1}, "a weight must be"),
    ],
)
def test_what_makes_no_sense_is_refused(providers, weights, said):
    with pytest.raises(ConfigurationError, match=said):
        RequestRouter(providers, weights)
