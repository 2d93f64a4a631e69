"""The circuit breaker against a model of it that is written in another way."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from fairlead.decorators.circuit import BreakerOptions, CircuitBreaker, State

OPTIONS = BreakerOptions(
    failure_threshold=4,
    failure_ratio=0.5,
    minimum_calls=6,
    window=60.0,
    recovery_timeout=30.0,
    max_recovery_timeout=100.0,
    half_open_permits=2,
    successes_to_close=2,
    permit_timeout=60.0,
)
STEP = 6.0


class Model:
    """
    Keeps every vote with its time and works all else out from the list, step by step.

    Votes are grouped by the step that they fall into; a step begins with its first vote.
    """

    def __init__(self):
        self.state = "closed"
        self.epoch = 0
        self.votes = []
        self.steps = []
        self.openings = 0
        self.until = None
        self.probes = []
        self.good = 0

    def move(self, state):
        self.state = state
        self.epoch += 1
        self.votes, self.steps, self.probes, self.good = [], [], [], 0

    def trip(self, now, retry_after):
        waits = [30.0, 60.0]
        wait = waits[self.openings] if self.openings < 2 else 100.0
        self.openings += 1
        self.until = now + max(wait, min(retry_after or 0.0, 100.0))
        self.move("open")

    def ask(self, now):
        if self.state == "open" and now >= self.until:
            self.move("half-open")
        if self.state in {"open", "isolated"}:
            return None
        if self.state == "closed":
            return {"epoch": self.epoch, "at": None}
        self.probes = [probe for probe in self.probes if now - probe["at"] < 60.0]
        if len(self.probes) == 2:
            return None
        probe = {"epoch": self.epoch, "at": now}
        self.probes.append(probe)
        return probe

    def release(self, permit):
        self.probes = [probe for probe in self.probes if probe is not permit]

    def vote(self, permit, failed, now, retry_after):
        self.release(permit)
        if permit["epoch"] != self.epoch:
            return
        if self.state == "closed":
            self.vote_closed(failed, now, retry_after)
        elif failed:
            self.trip(now, retry_after)
        else:
            self.good += 1
            if self.good == 2:
                self.openings = 0
                self.move("closed")

    def vote_closed(self, failed, now, retry_after):
        self.votes.append(failed)
        self.steps = [(began, many) for began, many in self.steps if began > now - 60.0]
        if not self.steps or now - self.steps[-1][0] >= STEP:
            self.steps.append((now, []))
        self.steps[-1][1].append(failed)
        if not failed:
            return
        seen = [vote for _, many in self.steps for vote in many]
        if self.votes[-4:] == [True] * 4 or (len(seen) >= 6 and sum(seen) * 2 >= len(seen)):
            self.trip(now, retry_after)


class BreakerMachine(RuleBasedStateMachine):
    permits = Bundle("permits")

    def __init__(self):
        super().__init__()
        self.now = 0.0
        self.told = []
        self.breaker = CircuitBreaker(OPTIONS, random=lambda: 0.5, listeners=(self.told.append,))
        self.model = Model()

    @rule(seconds=st.sampled_from([0.0, 0.5, 1.0, 5.9, 6.0, 29.9, 30.0, 59.9, 60.0, 100.0]))
    def wait(self, seconds):
        self.now += seconds

    @rule(target=permits)
    def ask(self):
        permit, modelled = self.breaker.acquire(self.now), self.model.ask(self.now)

        assert (permit is None) == (modelled is None)
        return (permit, modelled) if permit else None

    @rule(
        pair=consumes(permits),
        failed=st.booleans(),
        retry_after=st.sampled_from([None, 1.0, 45.0, 500.0]),
    )
    def vote(self, pair, failed, retry_after):
        if pair is not None:
            permit, modelled = pair
            self.breaker.record(permit, failed=failed, now=self.now, retry_after=retry_after)
            self.model.vote(modelled, failed, self.now, retry_after)

    @rule(times=st.integers(1, 6), failed=st.booleans())
    def ask_and_vote(self, times, failed):
        for _ in range(times):
            self.vote(self.ask(), failed, None)

    @rule(pair=permits)
    def give_back(self, pair):
        if pair is not None:
            self.breaker.release(pair[0])
            self.model.release(pair[1])

    @rule()
    def isolate(self):
        self.breaker.isolate()
        self.model.move("isolated")

    @rule()
    def close(self):
        self.breaker.close()
        self.model.openings = 0
        self.model.move("closed")

    @invariant()
    def it_is_in_the_state_of_the_model(self):
        assert self.breaker.state == self.model.state

    @invariant()
    def peeking_tells_what_asking_would(self):
        wait = self.breaker.peek(self.now)
        live = [probe for probe in self.model.probes if self.now - probe["at"] < 60.0]
        expected = {
            "closed": 0.0,
            "open": max((self.model.until or 0.0) - self.now, 0.0),
            "half-open": 0.0 if len(live) < 2 else None,
            "isolated": None,
        }

        assert wait == expected[self.model.state]

    @invariant()
    def there_are_never_more_probes_than_permits(self):
        assert len(self.breaker._probes) <= OPTIONS.half_open_permits

    @invariant()
    def the_window_is_bounded(self):
        assert len(self.breaker._window) <= CircuitBreaker.STEPS + 1

    @invariant()
    def transitions_follow_each_other(self):
        for earlier, later in zip(self.told, self.told[1:], strict=False):
            assert earlier.after is later.before


TestBreaker = BreakerMachine.TestCase
TestBreaker.settings = settings(max_examples=300, stateful_step_count=40)


def test_the_model_knows_all_states():
    assert {"closed", "open", "half-open", "isolated"} == set(State)


@pytest.mark.parametrize("openings, wait", [(0, 30.0), (1, 60.0), (2, 100.0), (9, 100.0)])
def test_the_model_opens_for_the_documented_times(openings, wait):
    model = Model()
    model.openings = openings
    model.trip(0.0, None)

    assert model.until == wait
