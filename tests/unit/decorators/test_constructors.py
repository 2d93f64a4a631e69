"""What no policy can do anything with is refused where it is built, and not in a call."""

import pytest

from fairlead import (
    BudgetProvider,
    CacheProvider,
    CircuitBreakerProvider,
    ConfigurationError,
    CostTracker,
    CostTrackingProvider,
    FallbackProvider,
    HedgeProvider,
    KeyPoolProvider,
    LimitProvider,
    LocalRateStore,
    MemoryLedger,
    OfflineProvider,
    RetryProvider,
    SqliteBudgetStore,
    SqliteCache,
    SqliteLedger,
)

MISFITS = [
    (BudgetProvider, "store", "of the port BudgetStore, with"),
    (BudgetProvider, "log", "of the port EventLog, with"),
    (BudgetProvider, "listeners", "a sequence of functions"),
    (CacheProvider, "store", "of the port CacheStore, with"),
    (CircuitBreakerProvider, "store", "of the port BreakerStore, with"),
    (CircuitBreakerProvider, "listeners", "a sequence of functions"),
    (CostTrackingProvider, "ledger", "of the port Ledger, with"),
    (CostTrackingProvider, "log", "of the port EventLog, with"),
    (LimitProvider, "store", "of the port RateStore, with"),
    (RetryProvider, "quota", "of the port RetryStore, with"),
]
OF_SEVERAL = [
    (FallbackProvider, "log", "of the port EventLog, with"),
    (HedgeProvider, "quota", "of the port RetryStore, with"),
    (KeyPoolProvider, "store", "of the port CooldownStore, with"),
    (KeyPoolProvider, "log", "of the port EventLog, with"),
]


@pytest.mark.parametrize("given", [5, MemoryLedger])
@pytest.mark.parametrize(("policy", "name", "wanted"), [*MISFITS, *OF_SEVERAL])
def test_a_policy_is_given_what_it_can_use(policy, name, wanted, given):
    several = any(policy is each for each, _, _ in OF_SEVERAL)
    inner = [OfflineProvider()] if several else OfflineProvider()

    with pytest.raises(ConfigurationError, match=f"^{name} must be {wanted}.*, not "):
        policy(inner, **{name: given})


def test_a_tracker_is_given_a_ledger():
    with pytest.raises(ConfigurationError, match="ledger must be of the port Ledger, with record"):
        CostTracker("ledger.db")


@pytest.mark.parametrize("store", [SqliteBudgetStore, SqliteCache, SqliteLedger])
def test_a_store_is_given_a_path(store):
    with pytest.raises(ConfigurationError, match="path must be a path, not 5"):
        store(5)


def test_a_store_of_rates_that_is_empty_is_used_all_the_same():
    class Empty(LocalRateStore):
        def __len__(self):
            return 0

    store = Empty()

    assert LimitProvider(OfflineProvider(), store=store)._store is store
