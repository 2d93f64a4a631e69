from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal, localcontext

import pytest

from fairlead.core.errors import ConfigurationError
from fairlead.core.prices import UNITS, UNPRICED, Price, Tariff, UnitRate
from fairlead.core.usage import Cost, Usage, add_cost, add_usage

D = Decimal
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def rates(**told):
    return {name: UnitRate(D(rate)) for name, rate in told.items()}


def price(*tariffs, **told):
    return Price(
        model="m",
        source="a list",
        as_of=date(2026, 11, 10),
        tariffs=tariffs or (Tariff(rates=rates(**told)),),
    )


def cost(of, *, at=NOON, service_tier=None, **usage):
    found = of.cost(Usage(**usage), at=at, service_tier=service_tier)
    return None if found is None else found.amount


PLAIN = price(input="3", output="15")


def test_a_cost_says_where_it_comes_from():
    told = PLAIN.cost(Usage(input_tokens=1000, output_tokens=200, estimated=True))

    assert told == Cost(
        amount=D("0.006"),
        source="a list",
        estimated=True,
        matched="m",
        as_of=date(2026, 11, 10),
        exact=True,
    )


def test_nothing_is_rounded_whatever_the_program_rounds():
    exact = price(input="0.123456789", output="0")
    with localcontext() as context:
        context.prec = 3

        assert cost(exact, input_tokens=123_456_789, output_tokens=1) == D("15.241578750190521")
        assert exact.bound(123_456_789, 0) == D("15.241578750190521")


@pytest.mark.parametrize(
    "usage, expected",
    [
        ({"cache_read_tokens": 600}, "0.00138"),
        ({"cache_write_tokens": 600}, "0.00345"),
        ({"cache_read_tokens": 600, "cache_write_tokens": 400}, "0.00168"),
        ({"cache_read_tokens": 1000}, "0.0003"),
        ({"cache_write_tokens": 600, "apart": {"cache_write_1h": 100}}, "0.003675"),
    ],
)
def test_what_is_cached_is_a_part_of_the_input_and_charged_once(usage, expected):
    cached = price(input="3", output="15", cache_read="0.3", cache_write="3.75", cache_write_1h="6")

    assert cost(cached, input_tokens=1000, output_tokens=0, **usage) == D(expected)


def test_what_has_no_rate_of_its_own_is_charged_as_what_it_is_a_part_of():
    usage = {
        "cache_read_tokens": 600,
        "reasoning_tokens": 100,
        "apart": {"input_audio": 10, "web_searches": 3},
    }

    assert cost(PLAIN, input_tokens=1000, output_tokens=200, **usage) == D("0.006")


def test_thoughts_and_sound_have_rates_of_their_own():
    loud = price(
        input="2", output="10", reasoning="3", input_audio="40", output_audio="80",
        cache_read="1", cache_read_audio="20",
    )  # fmt: skip

    assert cost(loud, input_tokens=0, output_tokens=100, reasoning_tokens=40) == D("0.00072")
    assert cost(
        loud, input_tokens=100, output_tokens=50, apart={"input_audio": 60, "output_audio": 20}
    ) == D("0.00438")
    assert (
        cost(
            loud,
            input_tokens=100,
            output_tokens=0,
            cache_read_tokens=50,
            apart={"input_audio": 60, "cache_read_audio": 30},
        )
        == D(30 * 20 + 20 * 1 + 30 * 40 + 20 * 2) / 10**6
    )


def test_searches_and_requests_have_rates_too():
    searching = price(input="1", output="1", web_searches="10", request="0.005")

    assert cost(searching, input_tokens=0, output_tokens=0, apart={"web_searches": 3}) == D("0.035")
    assert searching.bound(0, 0) == D("0.005")


@pytest.mark.parametrize(
    "usage",
    [
        {"output_tokens": 5},
        {"input_tokens": 5},
        {"input_tokens": 5, "output_tokens": 5, "cache_read_tokens": 6},
        {"input_tokens": 5, "output_tokens": 5, "reasoning_tokens": 6},
    ],
)
def test_what_is_not_told_or_does_not_add_up_has_no_cost(usage):
    assert cost(price(input="3", output="15", cache_read="1", reasoning="15"), **usage) is None


def test_what_has_no_rate_has_no_cost():
    embeds = price(input="0.02")

    assert cost(embeds, input_tokens=50) == D("0.000001")
    assert cost(embeds, input_tokens=50, output_tokens=0) == D("0.000001")
    assert cost(embeds, input_tokens=50, output_tokens=1) is None
    assert cost(price(output="1"), input_tokens=1, output_tokens=1) is None


def test_what_is_free_needs_no_number():
    free = price(input="0", output="0")

    assert cost(free) == 0
    assert cost(free, input_tokens=7) == 0
    assert str(cost(free, input_tokens=7, output_tokens=7)) == "0"


TIERED = price(
    Tariff(
        rates={
            "input": UnitRate(D(1), ((200_000, D(2)), (500_000, D(4)))),
            "output": UnitRate(D(10), ((200_000, D(15)),)),
        }
    )
)


@pytest.mark.parametrize(
    "tokens, rate",
    [(0, 1), (199_999, 1), (200_000, 1), (200_001, 2), (500_000, 2), (500_001, 4)],
)
def test_a_step_holds_from_the_next_token_on_and_for_all(tokens, rate):
    assert cost(TIERED, input_tokens=tokens, output_tokens=0) == D(tokens * rate) / 10**6


def test_the_length_of_the_prompt_decides_for_the_answer_too():
    assert cost(TIERED, input_tokens=200_000, output_tokens=10) == D("0.2001")
    assert cost(TIERED, input_tokens=200_001, output_tokens=10) == D("0.400152")


def test_a_bound_knows_how_long_the_prompt_can_be():
    assert TIERED.bound(200_000, 10) == D("0.2001")
    assert TIERED.bound(200_001, 10) == D("0.400152")
    assert TIERED.bound(0, 10) == D("0.0001")


def test_a_window_is_shared_in_the_dearest_way():
    assert PLAIN.within(1000) == D("0.015")
    assert PLAIN.within(1000, 100) == D("0.0042")
    assert PLAIN.within(1000, 5000) == D("0.015")
    assert price(input="15", output="3").within(1000, 100) == D("0.015")
    assert TIERED.within(300_000, 1000) == D("0.613")


DATED = price(
    Tariff(rates=rates(input="3", output="3")),
    Tariff(rates=rates(input="2", output="2"), since=date(2026, 11, 1)),
    Tariff(rates=rates(input="5", output="5"), since=date(2027, 1, 1)),
)


@pytest.mark.parametrize(
    "at, rate",
    [
        (datetime(2026, 10, 31, 23, 59, tzinfo=UTC), 3),
        (datetime(2026, 11, 1, tzinfo=UTC), 2),
        (datetime(2026, 11, 1), 2),  # noqa: DTZ001
        (datetime(2026, 11, 1, 1, tzinfo=timezone(timedelta(hours=2))), 3),
        (datetime(2026, 12, 31, 23, tzinfo=timezone(-timedelta(hours=2))), 5),
    ],
)
def test_a_day_is_one_of_utc(at, rate):
    assert cost(DATED, at=at, input_tokens=10**6, output_tokens=0) == rate


def test_without_a_time_it_is_now():
    assert DATED.cost(Usage(input_tokens=10**6, output_tokens=0)).amount in {2, 5}


def test_a_bound_forgets_what_is_over_and_knows_what_is_to_come():
    assert DATED.bound(10**6, 0, at=NOON) == 5
    assert DATED.bound(10**6, 0, at=datetime(2028, 1, 1, tzinfo=UTC)) == 5
    over = price(*DATED.tariffs[:2])
    assert over.bound(10**6, 0, at=NOON) == 2
    assert over.bound(10**6, 0, at=datetime(2026, 10, 1, tzinfo=UTC)) == 3


NIGHTLY = price(
    Tariff(rates=rates(input="4", output="4")),
    Tariff(rates=rates(input="1", output="1"), hours=(time(22, 30), time(6))),
    Tariff(rates=rates(input="9", output="9"), hours=(time(12), time(13))),
)


@pytest.mark.parametrize(
    "clock, rate",
    [("22:29", 4), ("22:30", 1), ("00:00", 1), ("05:59", 1), ("06:00", 4), ("12:00", 9),
     ("12:59", 9), ("13:00", 4)],
)  # fmt: skip
def test_hours_begin_with_the_first_minute_and_end_before_the_last(clock, rate):
    at = datetime.combine(NOON.date(), time.fromisoformat(clock), tzinfo=UTC)

    assert cost(NIGHTLY, at=at, input_tokens=10**6, output_tokens=0) == rate


def test_a_bound_takes_the_dearest_hour():
    assert NIGHTLY.bound(10**6, 0, at=NOON.replace(hour=1)) == 9


def test_where_no_tariff_holds_the_first_does():
    later = price(
        Tariff(rates=rates(input="3", output="3"), since=date(2030, 1, 1)),
        Tariff(rates=rates(input="2", output="2"), since=date(2031, 1, 1)),
    )

    assert cost(later, input_tokens=10**6, output_tokens=0) == 3
    assert later.bound(10**6, 0, at=NOON) == 3


SERVED = price(
    Tariff(rates=rates(input="2", output="8", cache_read="1")),
    Tariff(rates=rates(input="4", output="16"), service_tier="priority"),
    Tariff(rates=rates(input="1"), service_tier="batch"),
    Tariff(rates=rates(input="9"), service_tier="flex", since=date(2027, 1, 1)),
)


@pytest.mark.parametrize(
    "tier, expected",
    [
        *((usual, "0.000009") for usual in (None, "", "auto", "default", "standard", "on_demand")),
        ("STANDARD", "0.000009"),
        ("priority", "0.000017"),
        ("batch", "0.000009"),
        ("flex", None),
        ("scale", None),
    ],
)
def test_a_service_tier_changes_what_it_says_and_an_unknown_one_is_unknown(tier, expected):
    found = cost(SERVED, service_tier=tier, input_tokens=1, output_tokens=1, cache_read_tokens=1)

    assert found == (None if expected is None else D(expected))


def test_a_price_without_service_tiers_does_not_know_what_they_cost():
    assert cost(PLAIN, service_tier="priority", input_tokens=1, output_tokens=1) is None
    assert cost(PLAIN, service_tier="default", input_tokens=1, output_tokens=1) is not None


def test_a_bound_holds_for_every_service_tier_unless_one_is_named():
    assert SERVED.bound(10**6, 10**6) == 9 + 16
    assert SERVED.bound(10**6, 10**6, service_tier="default") == 2 + 8
    assert SERVED.bound(10**6, 10**6, service_tier="priority") == 4 + 16
    assert SERVED.bound(10**6, 10**6, service_tier="batch") == 2 + 8


def test_the_usual_rates_are_at_hand():
    assert (PLAIN.input, PLAIN.output) == (3, 15)
    assert price(input="1").output is None
    assert TIERED.input == 1
    assert SERVED.rates(at=NOON, service_tier="batch")["input"].base == 1


@pytest.mark.parametrize("rate", [1, 1.5, "1", None, D(-1), D("NaN"), D("Infinity")])
def test_a_rate_is_a_decimal_of_at_least_nothing(rate):
    with pytest.raises(ConfigurationError, match="a rate must be a Decimal of at least 0"):
        UnitRate(rate)
    with pytest.raises(ConfigurationError, match="a rate must be a Decimal of at least 0"):
        UnitRate(D(1), ((5, rate),))


@pytest.mark.parametrize("starts", [(5, 5), (6, 5)])
def test_steps_ascend(starts):
    with pytest.raises(ConfigurationError, match="must ascend"):
        UnitRate(D(1), tuple((start, D(2)) for start in starts))


@pytest.mark.parametrize("tariffs", [(), SERVED.tariffs[1:]])
def test_a_price_is_one_for_usual_calls(tariffs):
    with pytest.raises(ConfigurationError, match="no tariff for usual calls"):
        Price(model="m", source="s", tariffs=tariffs)


def test_the_parts_of_a_unit_stand_before_it():
    order = list(UNITS)

    assert all(order.index(name) < order.index(whole) for name in UNITS for whole in UNITS[name].of)


def test_who_knows_nothing_says_so():
    assert UNPRICED.price("openai", "gpt-5.6-luna") is None


def test_what_is_charged_apart_adds_up():
    one = Usage(input_tokens=1, apart={"input_audio": 1, "web_searches": 1})
    other = Usage(input_tokens=1, apart={"input_audio": 2})

    assert add_usage(one, other).apart == {"input_audio": 3, "web_searches": 1}


def test_a_sum_says_only_what_is_true_of_all_of_it():
    one = Cost(amount=D(1), source="a", matched="m", as_of=date(2026, 1, 1), exact=True)
    other = Cost(amount=D(2), source="a", matched="n", as_of=date(2026, 1, 2), exact=False)

    assert add_cost(one, one) == Cost(
        amount=D(2), source="a", matched="m", as_of=date(2026, 1, 1), exact=True
    )
    assert add_cost(one, other) == Cost(amount=D(3), source="a", exact=False)
