from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from fairlead.core.verdicts import Retry
from fairlead.decorators.quota import RetryQuota

KINDS = st.sampled_from([Retry.TRANSIENT, Retry.ONCE_IF_SENT, Retry.THROTTLED])


class QuotaMachine(RuleBasedStateMachine):
    """A purse beside a ledger that knows nothing of capacities."""

    paid = Bundle("paid")

    def __init__(self):
        super().__init__()
        self.quota = RetryQuota(capacity=60)
        self.payments = self.refunds = self.rewards = 0

    @rule(target=paid, kind=KINDS)
    def pay(self, kind):
        before, cost = self.quota.left, 5 if kind is Retry.THROTTLED else 14
        paid = self.quota.reserve(kind)
        assert paid == (cost if before >= cost else None)
        assert self.quota.left == before - (paid or 0)
        self.payments += paid or 0
        return paid

    @rule(paid=consumes(paid))
    def succeed(self, paid):
        before = self.quota.left
        self.quota.settle(paid or 0)
        self.refunds += paid or 0
        self.rewards += not paid
        assert self.quota.left == min(before + (paid or 1), 60)

    @rule(paid=consumes(paid))
    def cancel(self, paid):
        before = self.quota.left
        self.quota.release(paid or 0)
        self.refunds += paid or 0
        assert self.quota.left == min(before + (paid or 0), 60)

    @rule(paid=consumes(paid))
    def fail(self, paid):
        """Nothing comes back."""

    @invariant()
    def is_within_its_bounds(self):
        assert 0 <= self.quota.left <= self.quota.capacity

    @invariant()
    def gives_back_no_more_than_was_paid(self):
        assert self.refunds <= self.payments
        assert self.quota.left <= 60 - self.payments + self.refunds + self.rewards


TestQuota = QuotaMachine.TestCase
