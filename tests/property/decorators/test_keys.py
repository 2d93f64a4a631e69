"""The keys of a pool, beside a model that knows nothing of stores, names and orders."""

from math import inf

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fairlead.core.verdicts import KeyFate
from fairlead.decorators.keys import KeyPool, KeyState, LocalCooldowns

ACCOUNTS = ("a", "a", "b")
MODELS = st.sampled_from(["m", "n", None])
KEYS = tuple((f"key {number}", account) for number, account in enumerate(ACCOUNTS))


class KeysMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.now = 0.0
        self.store = LocalCooldowns()
        self.pool = KeyPool(KEYS, vendor="v", store=self.store, cooldown=5, quota_cooldown=900)
        self.leases = []
        self.dead = set()
        self.rests = {}
        self.spent = {}
        self.used = dict.fromkeys(range(3), -1)
        self.turns = 0

    @initialize(after=st.floats(0, 1e6))
    def begin(self, after):
        self.now = after

    @rule(seconds=st.sampled_from([0.5, 5.0, 30.0, 60.0, 900.0]))
    def wait(self, seconds):
        self.now += seconds

    def free(self, place, model):
        return (
            place not in self.dead
            and self.rests.get((place, model), 0) <= self.now
            and self.spent.get(ACCOUNTS[place], 0) <= self.now
        )

    @rule(model=MODELS, but=st.sets(st.integers(0, 2), max_size=2))
    def take(self, model, but):
        free = {place for place in range(3) if place not in but and self.free(place, model)}
        lease = self.pool.take(model, self.now, but=but)
        assert (lease is None) == (not free)
        if lease is None:
            return
        assert lease.place in free
        account = ACCOUNTS[lease.place]
        assert (lease.probe is None) == (account not in self.spent)
        if lease.probe is not None:  # keeps others away, for a minute
            self.spent[account] = self.now + 60
        self.used[lease.place] = self.turns = self.turns + 1
        self.leases.append(lease)

    def over(self, data):
        lease = data.draw(st.sampled_from(self.leases))
        self.leases.remove(lease)
        return lease, ACCOUNTS[lease.place]

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def succeed(self, data):
        lease, account = self.over(data)
        self.pool.settle(lease)
        if lease.probe is not None and self.spent.get(account) == lease.probe:
            del self.spent[account]

    def release_in_model(self, lease, account):
        if lease.probe is not None and self.spent.get(account) == lease.probe:
            self.spent[account] = self.now

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def cancel(self, data):
        lease, account = self.over(data)
        self.pool.release(lease, self.now)
        self.release_in_model(lease, account)

    @precondition(lambda self: self.leases)
    @rule(
        data=st.data(), fate=st.sampled_from(KeyFate), after=st.sampled_from([None, 0.0, 7.0, 1e4])
    )
    def fail(self, data, fate, after):
        lease, account = self.over(data)
        self.pool.record(lease, fate, self.now, after)
        if fate is not KeyFate.SPENT:
            self.release_in_model(lease, account)
        if fate is KeyFate.DEAD:
            self.dead.add(lease.place)
        elif fate is KeyFate.RESTS and after:
            key = lease.place, lease.model
            self.rests[key] = max(self.rests.get(key, 0), self.now + after)
        elif fate is KeyFate.SPENT:
            until = self.now + max(900, after or 0)
            self.spent[account] = max(self.spent.get(account, 0), until)

    @rule()
    def reload(self):
        self.pool.reload(KEYS)
        self.dead.clear()
        self.rests.clear()
        self.spent.clear()
        for lease in self.leases:  # from before, they say nothing any more
            before = [self.pool.state(place, "m", self.now) for place in range(3)]
            self.pool.settle(lease)
            self.pool.release(lease, self.now)
            self.pool.record(lease, KeyFate.DEAD, self.now)
            self.pool.record(lease, KeyFate.SPENT, self.now)
            assert [self.pool.state(place, "m", self.now) for place in range(3)] == before
        self.leases.clear()

    @invariant()
    def tells_the_state_of_each_key(self):
        for model in ("m", "n", None):
            for place in range(3):
                state, until = self.pool.state(place, model, self.now)
                assert (state is KeyState.READY) == self.free(place, model)
                assert (state is KeyState.DEAD) == (place in self.dead)
                assert until >= self.now

    @invariant()
    def knows_when_the_first_is_free(self):
        ends = [
            max(self.now, self.rests.get((place, "m"), 0), self.spent.get(ACCOUNTS[place], 0))
            for place in range(3)
            if place not in self.dead
        ]
        state, seconds = self.pool.soonest("m", self.now)
        assert (seconds is None) == (not ends) == (state is KeyState.DEAD)
        if ends:
            assert seconds == min(ends) - self.now

    @invariant()
    def is_bounded(self):
        assert len(self.store) <= 3 + 3 * 3 + 2


TestKeys = KeysMachine.TestCase


def test_among_equals_the_least_recently_used_is_taken():
    pool = KeyPool(KEYS, vendor="v", store=LocalCooldowns())

    assert [pool.take("m", 0.0).place for _ in range(7)] == [0, 1, 2, 0, 1, 2, 0]


def test_a_store_forgets_what_is_over_soonest():
    store = LocalCooldowns(capacity=2)

    store.rest("a", inf)
    store.rest("b", 1.0)
    store.rest("c", 5.0)

    assert [store.until(name) for name in "abc"] == [inf, -inf, 5.0]


def test_a_rest_is_never_shortened_but_by_waking():
    store = LocalCooldowns()
    store.rest("v/key/1", 9.0)
    store.rest("v/key/1", 3.0)
    store.rest("v/key/1/m", 4.0)
    store.rest("v/key/10", 4.0)

    assert store.until("v/key/1") == 9.0
    store.wake("v/key/1")
    assert [store.until(f"v/key/{name}") for name in ("1", "1/m", "10")] == [-inf, -inf, 4.0]


def test_a_probe_of_a_key_that_is_gone_says_nothing():
    store = LocalCooldowns()
    pool = KeyPool(KEYS, vendor="v", store=store)
    store.rest("v/account/b", 0.0)
    probe = pool.take("m", 1.0, but={0, 1})
    assert probe.probe == 61.0

    pool.reload(KEYS[:1])

    pool.settle(probe)
    pool.release(probe, 2.0)
    assert pool.record(probe, KeyFate.DEAD, 2.0) is None
    assert pool.state(0, "m", 2.0)[0] is KeyState.READY
