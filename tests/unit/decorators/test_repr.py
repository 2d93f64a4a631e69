"""What policies say of themselves."""

import pytest

from fairlead.adapters.providers.offline import OfflineProvider
from fairlead.adapters.providers.openai import OpenAIProvider
from fairlead.core.adapt import adapt
from fairlead.core.limits import TimeLimits
from fairlead.decorators.attempt import AttemptTimeoutProvider
from fairlead.decorators.backoff import Backoff
from fairlead.decorators.breaker import CircuitBreakerProvider
from fairlead.decorators.circuit import BreakerOptions
from fairlead.decorators.deadline import DeadlineProvider
from fairlead.decorators.fallback import FallbackProvider
from fairlead.decorators.retry import RetryProvider
from tests.unit.core.fakes import Scripted

INNER = "<Scripted scripted:m>"


class Client:
    """Its own repr would tell more than it should."""

    def __init__(self, name=None, model=None):
        self.name = name
        self.model = model

    def __repr__(self):
        return "Client(api_key='secret')"

    async def generate(self, prompt):
        return "ho"


@pytest.mark.parametrize(
    "wrap, said",
    [
        (RetryProvider, f"RetryProvider({INNER}, max_retries=2)"),
        (
            lambda it: RetryProvider(it, max_retries=5, backoff=Backoff(jitter=False)),
            f"RetryProvider({INNER}, max_retries=5, backoff={Backoff(jitter=False)})",
        ),
        (CircuitBreakerProvider, f"CircuitBreakerProvider({INNER})"),
        (
            lambda it: CircuitBreakerProvider(it, options=BreakerOptions(window=9.0)),
            f"CircuitBreakerProvider({INNER}, options={BreakerOptions(window=9.0)})",
        ),
        (DeadlineProvider, f"DeadlineProvider({INNER}, total=600.0)"),
        (
            lambda it: DeadlineProvider(it, total=None, opening=3),
            f"DeadlineProvider({INNER}, opening=3)",
        ),
        (AttemptTimeoutProvider, f"AttemptTimeoutProvider({INNER})"),
        (
            lambda it: AttemptTimeoutProvider(it, limits=TimeLimits(total=5)),
            f"AttemptTimeoutProvider({INNER}, limits={TimeLimits(total=5)})",
        ),
        (lambda it: FallbackProvider([it]), f"FallbackProvider([{INNER}], max_attempts=6)"),
        (
            lambda it: FallbackProvider([it, it], allow_other_space=True, last_resort=it),
            (
                f"FallbackProvider([{INNER}, {INNER}], max_attempts=6, allow_other_space=True, "
                f"last_resort={INNER})"
            ),
        ),
    ],
)
def test_a_policy_reads_as_it_was_built(wrap, said):
    assert repr(wrap(Scripted("ho"))) == said


def test_a_pipeline_reads_as_a_tree():
    openai = OpenAIProvider(api_key="sk-abcdefghij0123456789", model="gpt-5.6-luna")
    pipeline = FallbackProvider([RetryProvider(openai), OfflineProvider()])

    assert repr(pipeline) == (
        "FallbackProvider([RetryProvider(<OpenAIProvider gpt-5.6-luna at "
        "https://api.openai.com/v1>, max_retries=2), <OfflineProvider offline:offline>], "
        "max_attempts=6)"
    )


@pytest.mark.parametrize(
    "client, said",
    [
        (Client(), "<Client>"),
        (Client("mine"), "<Client mine>"),
        (Client("mine", "tiny"), "<Client mine:tiny>"),
        (Client(None, "tiny"), "<Client Client:tiny>"),
    ],
)
def test_a_users_own_provider_is_named_and_not_quoted(client, said):
    assert repr(RetryProvider(client)) == f"RetryProvider({said}, max_retries=2)"
    assert repr(adapt(client)) == said
