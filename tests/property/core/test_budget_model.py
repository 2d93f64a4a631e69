"""The books of budgets against every sum that could be too much, in any order of events."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from fairlead.core.books import Budget, charge, grant
from fairlead.core.budgets import NOTHING, BudgetLimit, Consumption, Grant
from fairlead.core.windows import PERIODS, Window

START = 1_700_000_000.0
WINDOWS = st.sampled_from(
    [*({"per": per} for per in PERIODS), {}, *({"rolling": s} for s in (60.0, 3600.0))]
)
STEPS = st.sampled_from([0.0, 0.4, 1.0, 7.0, 59.0, 3601.0, 86400.0, 40 * 86400.0])
JUMPS = st.sampled_from([-400 * 86400.0, -86400.0, -3600.0, -61.0, -1.0, 5.0, 86400.0, 4e8])
AMOUNTS = st.integers(0, 40)


class Books(RuleBasedStateMachine):
    """Two accounts, as of a user and of all, that calls charge together."""

    @initialize(first=WINDOWS, second=WINDOWS, most=st.integers(1, 100), less=st.integers(1, 60))
    def begin(self, first, second, most, less):
        limits = [
            BudgetLimit(tokens=most, **first),
            BudgetLimit(scope="user", tokens=less, **second),
        ]
        self.claims = [limit.claim({"user": "ann"}) for limit in limits]
        self.budgets = {claim.key: Budget(claim.window) for claim in self.claims}
        self.now = START
        self.live = []
        self.booked = []
        """What calls came to, by when they were let through: what really was spent."""

    @rule(step=STEPS)
    def time_passes(self, step):
        self.now += step

    @rule(jump=JUMPS)
    def clock_jumps(self, jump):
        self.now = max(self.now + jump, 0.0)

    @rule(most=AMOUNTS, least=AMOUNTS)
    def reserve(self, most, least):
        most = Consumption(0, max(most, least), 1)
        granted = grant(self.claims, self.budgets, most, Consumption(0, least, 1), self.now)
        if isinstance(granted, Grant):
            assert least <= granted.amount.tokens <= most.tokens
            slots = charge(self.budgets, granted.amount, self.now)
            call = [self.now, granted.amount.tokens]
            self.booked.append(call)
            self.live.append((slots, granted.amount, call))

    @rule(which=st.integers(0, 50), share=st.floats(0, 1))
    def settle(self, which, share):
        if self.live:
            slots, amount, call = self.live.pop(which % len(self.live))
            spent = int(amount.tokens * share)
            call[1] = spent
            for key, slot in slots.items():
                self.budgets[key].settle(slot, amount, Consumption(0, spent, 1))

    @rule(which=st.integers(0, 50))
    def release(self, which):
        if self.live:
            slots, amount, call = self.live.pop(which % len(self.live))
            call[1] = 0
            for key, slot in slots.items():
                self.budgets[key].release(slot, amount)

    @rule()
    def restart(self):
        self.budgets = {
            key: Budget(budget.window, budget.dump()) for key, budget in self.budgets.items()
        }

    @invariant()
    def no_window_holds_more_than_its_limit(self):
        for claim in getattr(self, "claims", ()):
            limit, window = claim.most[1], claim.window
            if window.rolling is None:
                sums = {}
                for at, tokens in self.booked:
                    slot = window.slot(at)
                    sums[slot] = sums.get(slot, 0) + tokens
                assert all(each <= limit for each in sums.values())
            else:
                for end, _ in self.booked:
                    inside = [n for at, n in self.booked if end - window.rolling < at <= end]
                    assert sum(inside) <= limit

    @invariant()
    def nothing_is_negative_and_little_is_kept(self):
        for budget in getattr(self, "budgets", {}).values():
            assert all(amount >= 0 for entry in budget._slots.values() for amount in entry)
            assert len(budget._slots) <= budget.window.kept

    @invariant()
    def what_nobody_holds_is_not_reserved(self):
        for budget in getattr(self, "budgets", {}).values():
            held = sum(entry[4] for entry in budget._slots.values())
            assert held <= sum(amount.tokens for _, amount, _ in self.live)


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)


@given(
    window=st.builds(Window, st.sampled_from(PERIODS), st.none())
    | st.builds(Window, st.none(), st.floats(1, 1e7)),
    start=st.floats(0, 4e9),
    ahead=st.floats(0, 1e8),
)
def test_a_later_moment_is_in_no_earlier_slot(window, start, ahead):
    first, second = window.slot(start), window.slot(start + ahead)

    assert first <= second
    assert window.gone(first) > start
    if window.rolling is not None and ahead <= window.rolling:
        assert second - first <= window.reach


@given(
    spent=st.lists(st.tuples(st.floats(0, 50), AMOUNTS), max_size=20),
    change=st.integers(-900, 900),
)
def test_a_correction_changes_the_sum_by_just_that_or_nothing(spent, change):
    budget = Budget(Window(None, 60.0))
    for at, amount in spent:
        slot = budget.reserve(Consumption(amount), START + at)
        budget.settle(slot, Consumption(amount), Consumption(amount))
    before = budget.books(START + 50)[0].money
    try:
        budget.adjust(Consumption(change), START + 50)
    except ValueError:
        assert before + change < 0
        change = 0

    assert budget.books(START + 50) == (Consumption(before + change), NOTHING)
