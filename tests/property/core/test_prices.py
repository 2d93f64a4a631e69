from datetime import UTC, date, datetime, time
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.prices import UNITS, Price, Tariff, UnitRate
from fairlead.core.usage import Usage

COUNTS = st.integers(0, 10**7)
MONEY = st.decimals(0, 10**4, places=6)
TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)).map(  # noqa: DTZ001
    lambda at: at.replace(tzinfo=UTC)
)
TIERS = st.sampled_from([None, "batch", "priority", "flex"])
INPUT = [name for name, unit in UNITS.items() if "input" in {name, *unit.of}]
OUTPUT = [name for name, unit in UNITS.items() if "output" in {name, *unit.of}]


@st.composite
def rate(draw):
    """One that grows with the length of the prompt, as all do that are known."""
    base, *dearer = sorted(draw(st.lists(MONEY, min_size=1, max_size=3)))
    starts = sorted(draw(st.sets(COUNTS, min_size=len(dearer), max_size=len(dearer))))
    return UnitRate(base, tuple(zip(starts, dearer, strict=True)))


@st.composite
def tariff(draw, tier=None):
    names = {"input", "output", *draw(st.sets(st.sampled_from([*INPUT, *OUTPUT, "request"])))}
    return Tariff(
        rates={name: draw(rate()) for name in sorted(names)},
        since=draw(st.none() | st.dates(date(2026, 1, 1), date(2028, 1, 1))),
        hours=draw(st.none() | st.tuples(st.times(), st.times())),
        service_tier=tier,
    )


@st.composite
def price(draw):
    usual = draw(st.lists(tariff(), min_size=1, max_size=3))
    special = [draw(tariff(tier)) for tier in draw(st.sets(TIERS.filter(bool)))]
    return Price(model="m", source="s", tariffs=(*usual, *special))


@st.composite
def usage(draw):
    """Parts that are no larger than their wholes, and do not overlap but where it is told."""
    fresh, audio, read, read_audio, write, hour, image = (draw(COUNTS) for _ in range(7))
    said, thought, spoken = (draw(COUNTS) for _ in range(3))
    return Usage(
        input_tokens=fresh + audio + read + read_audio + write + hour + image,
        cache_read_tokens=read + read_audio,
        cache_write_tokens=write + hour,
        output_tokens=said + thought + spoken,
        reasoning_tokens=thought,
        apart={
            "input_audio": audio + read_audio,
            "cache_read_audio": read_audio,
            "cache_write_1h": hour,
            "input_image": image,
            "output_audio": spoken,
        },
    )


def flat(**rates):
    return Price(
        model="m",
        source="s",
        tariffs=(Tariff(rates={name: UnitRate(each) for name, each in rates.items()}),),
    )


@given(price(), usage(), TIMES, TIERS)
def test_a_bound_is_never_below_the_cost_of_any_split_of_the_same_tokens(of, used, at, tier):
    cost = of.cost(used, at=at, service_tier=tier)

    if cost is not None:
        for asked in (None, tier or "default"):
            bound = of.bound(used.input_tokens, used.output_tokens, at=at, service_tier=asked)
            assert bound >= cost.amount


@given(price(), usage())
def test_a_window_bounds_what_fits_into_it(of, used):
    cost = of.cost(used)

    if cost is not None:
        total = used.input_tokens + used.output_tokens
        assert of.within(total) >= cost.amount
        assert of.within(total, used.output_tokens) >= cost.amount


@given(price(), usage(), TIMES, COUNTS, st.sampled_from(["input", "output", "read", "thought"]))
def test_more_tokens_never_cost_less(of, used, at, more, kind):
    fields = {
        "input": ("input_tokens",),
        "output": ("output_tokens",),
        "read": ("input_tokens", "cache_read_tokens"),
        "thought": ("output_tokens", "reasoning_tokens"),
    }[kind]
    told = {name: getattr(used, name) for name in Usage.__dataclass_fields__}
    larger = Usage(**{**told, **{name: told[name] + more for name in fields}})
    cost, dearer = of.cost(used, at=at), of.cost(larger, at=at)

    if cost is not None:
        assert dearer.amount >= cost.amount


@given(MONEY, usage())
def test_one_rate_for_all_charges_each_token_once(each, used):
    everything = flat(**dict.fromkeys([*INPUT, *OUTPUT], each))
    cost = everything.cost(used)

    assert cost.amount == Fraction(each) * (used.input_tokens + used.output_tokens) / 10**6


@given(MONEY, MONEY, MONEY, COUNTS, COUNTS)
def test_what_was_cached_is_not_paid_as_input_once_more(fresh, cached, out, new, old):
    used = Usage(input_tokens=new + old, cache_read_tokens=old, output_tokens=0)
    cost = flat(input=fresh, cache_read=cached, output=out).cost(used)

    assert cost.amount == (Fraction(fresh) * new + Fraction(cached) * old) / 10**6


@given(price(), usage(), TIMES)
def test_money_is_exact(of, used, at):
    cost = of.cost(used, at=at)

    if cost is not None:
        assert isinstance(cost.amount, Decimal)
        rates = of.rates(at=at)
        names = [name for name in UNITS if name in rates]
        # The largest possible denominators: six places of a rate, a million tokens.
        assert cost.amount == cost.amount.quantize(Decimal("1e-12")), names


@given(st.integers(1, 10**7), MONEY, MONEY)
def test_a_step_is_exact_to_the_token(above, base, more):
    of = Price(
        model="m",
        source="s",
        tariffs=(
            Tariff(
                rates={"input": UnitRate(base, ((above, base + more),)), "output": UnitRate(base)}
            ),
        ),
    )

    def cost(tokens):
        return of.cost(Usage(input_tokens=tokens, output_tokens=0)).amount

    assert cost(above) == Fraction(base) * above / 10**6
    assert cost(above + 1) == Fraction(base + more) * (above + 1) / 10**6


@given(st.times(), st.times(), TIMES)
def test_hours_cover_the_day_once(start, end, at):
    one = Tariff(rates={}, hours=(start, end))
    other = Tariff(rates={}, hours=(end, start))

    if start != end:
        assert one.holds(at) != other.holds(at)
    else:
        assert not one.holds(at)
    assert Tariff(rates={}, hours=(time.min, time.max)).holds(at) == (at.time() != time.max)
