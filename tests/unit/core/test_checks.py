import math
from types import SimpleNamespace

import pytest

from fairlead.adapters.stores.memory import MemoryCache
from fairlead.core.checks import (
    check_count,
    check_function,
    check_functions,
    check_kind,
    check_number,
    check_port,
    in_words,
)
from fairlead.core.errors import ConfigurationError
from fairlead.core.ports import CacheStore, EventLog


@pytest.mark.parametrize("value", [0, 1, 10**400])
def test_a_count_is_a_whole_number(value):
    check_count("it", value, 0)


@pytest.mark.parametrize("value", [1.5, 1.0, "2", True, None, math.nan, [2]])
def test_what_is_no_whole_number_is_no_count(value):
    with pytest.raises(ConfigurationError, match=r"^it must be an int, not "):
        check_count("it", value, 0)


def test_a_count_may_be_too_small():
    with pytest.raises(ConfigurationError, match=r"^it must be at least 3, not 2$"):
        check_count("it", 2, 3)


@pytest.mark.parametrize("value", ["2", True, None, [2], 1j])
def test_what_is_no_number_says_so(value):
    with pytest.raises(ConfigurationError, match=r"^it must be a number, not "):
        check_number("it", value, "anything", lambda _: True)


@pytest.mark.parametrize("value", [math.nan, 0, -math.inf])
def test_a_number_has_to_fit(value):
    with pytest.raises(ConfigurationError, match=f"^it must be positive, not {value}$"):
        check_number("it", value, "positive", lambda it: it > 0)


@pytest.mark.parametrize("value, said", [(math.inf, "inf"), (10**400, "a number of 1329 bits")])
def test_a_number_is_finite_unless_it_may_be_otherwise(value, said):
    check_number("it", value, "positive", lambda it: it > 0, infinite=True)
    with pytest.raises(ConfigurationError, match=f"^it must be a finite number, not {said}$"):
        check_number("it", value, "positive", lambda it: it > 0)


def test_an_option_is_of_its_kind_or_none():
    check_kind("it", None, dict)
    check_kind("it", {}, dict)
    with pytest.raises(ConfigurationError, match=r"^it must be of dict, or None, not 5$"):
        check_kind("it", 5, dict)


def test_a_function_can_be_called_or_is_none():
    check_function("it", None)
    check_function("it", len)
    with pytest.raises(ConfigurationError, match=r"^it must be a function, not 5$"):
        check_function("it", 5)


def test_functions_stand_in_a_sequence():
    check_functions("listeners", [])
    check_functions("listeners", (print, len))
    for value in (print, "len", [print, 3], 5):
        with pytest.raises(ConfigurationError, match="listeners must be a sequence of functions"):
            check_functions("listeners", value)


def test_a_port_is_an_object_that_has_anything_of_it():
    check_port("store", None, CacheStore)
    check_port("store", {}, CacheStore)
    check_port("log", SimpleNamespace(record=print), EventLog)
    for value in (5, "here", object(), MemoryCache):
        with pytest.raises(
            ConfigurationError, match="store must be of the port CacheStore, with get,"
        ):
            check_port("store", value, CacheStore)


def test_a_value_is_shown_in_few_words_and_without_secrets():
    assert in_words("sk-abcdefghij0123456789") == "'***'"
    assert len(in_words("x" * 1000)) == 80
    assert in_words(10**5000) == "a number of 16610 bits"
