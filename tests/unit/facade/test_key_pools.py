"""Several keys of one provider, from settings."""

import json
import logging
import subprocess
import sys

import pytest

from fairlead import (
    AuthenticationError,
    CircuitBreakerProvider,
    CircuitOpenError,
    ConfigurationError,
    Decorator,
    KeyPoolProvider,
    LimitProvider,
    PoolKey,
    QuotaExceededError,
    RetryProvider,
    ServerError,
    SplitProvider,
    Use,
    find,
    fingerprint,
    open_provider,
)
from fairlead.adapters.providers._http import HttpProvider
from fairlead.assembly.pipeline import target_pipeline
from fairlead.cli.sections import mistakes_in
from fairlead.core.calls import below
from fairlead.decorators.circuit import BreakerOptions
from fairlead.decorators.lane import LimitOptions
from fairlead.settings import load, variable_names
from fairlead.testing import ScriptedProvider
from tests.support.answers import completion, failure, script

ONE, TWO, THREE = (f"sk-canary-{name}-0123456789abcdef" for name in ("one", "two", "three"))


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def pool_of(provider):
    pool = find(provider, KeyPoolProvider)
    assert pool is not None
    return pool


def chain(node):
    """The classes from *node* inwards, along the first child."""
    kinds = []
    while node is not None:
        kinds.append(type(node))
        node = next(iter(below(node)), None)
    return kinds


class TestSettings:
    def test_several_keys_make_a_pool_over_one_engine(self):
        provider = open_provider("openai", api_keys=[ONE, TWO], rates={"requests_per_minute": 5})

        pool = pool_of(provider)
        engines = {id(find(target, HttpProvider)._engine) for target in pool.targets}
        assert len(pool.targets) == 2
        assert len(engines) == 1
        kinds = chain(provider)
        assert kinds[kinds.index(SplitProvider) :][:5] == [
            SplitProvider,
            RetryProvider,
            KeyPoolProvider,
            LimitProvider,
            CircuitBreakerProvider,
        ]

    @pytest.mark.parametrize("keys", [f"{ONE},{TWO}", f'["{ONE}", "{TWO}"]'])
    @pytest.mark.parametrize("name", ["OPENAI_API_KEYS", "FAIRLEAD_OPENAI_API_KEYS"])
    def test_from_a_variable(self, monkeypatch, name, keys):
        monkeypatch.setenv(name, keys)

        provider = open_provider()
        assert labels_of(provider) == [fingerprint(ONE), fingerprint(TWO)]

    @pytest.mark.parametrize(
        "text", [f"{ONE}\n{TWO}\n", f"{ONE}, {TWO}", f"{ONE}\r\n\r\n{TWO}\r\n"]
    )
    def test_from_a_file_of_keys(self, monkeypatch, tmp_path, text):
        file = tmp_path / "keys"
        file.write_text(text)
        monkeypatch.setenv("OPENAI_API_KEYS_FILE", str(file))

        assert labels_of(open_provider("openai")) == [fingerprint(ONE), fingerprint(TWO)]

    def test_accounts_group_keys(self, tmp_path):
        file = tmp_path / "fairlead.yaml"
        file.write_text(
            f"providers:\n  openai:\n    accounts:\n      research: [{ONE}, {TWO}]\n"
            f"      product: {THREE}\n"
        )

        pool = pool_of(open_provider("openai", config=file))
        assert pool._keys == (
            (fingerprint(ONE), "research"),
            (fingerprint(TWO), "research"),
            (fingerprint(THREE), "product"),
        )

    def test_accounts_may_stand_in_a_variable_or_a_file(self, monkeypatch, tmp_path):
        told = json.dumps({"a": [ONE], "b": TWO})
        monkeypatch.setenv("OPENAI_ACCOUNTS", told)
        assert [account for _, account in pool_of(open_provider("openai"))._keys] == ["a", "b"]

        monkeypatch.delenv("OPENAI_ACCOUNTS")
        file = tmp_path / "accounts.json"
        file.write_text(told)
        monkeypatch.setenv("OPENAI_ACCOUNTS_FILE", str(file))
        assert [account for _, account in pool_of(open_provider("openai"))._keys] == ["a", "b"]

    def test_one_key_is_a_key(self):
        provider = open_provider("openai", api_keys=[ONE])

        assert find(provider, KeyPoolProvider) is None
        assert find(provider, HttpProvider) is not None

    def test_a_server_elsewhere_keeps_its_pool(self):
        provider = open_provider(
            "openai-compatible:m", base_url="http://localhost:1", api_keys=[ONE, TWO]
        )
        assert len(pool_of(provider).targets) == 2

    def test_the_variables_are_of_the_vendors_own_section(self):
        from fairlead.assembly.vendors import vendor

        names = variable_names(vendor("openai").Settings, "providers.openai")
        assert names["api_keys"][0] == "OPENAI_API_KEYS"
        assert {"OPENAI_API_KEYS_FILE", "FAIRLEAD_OPENAI_ACCOUNTS_FILE"} <= {
            *names["api_keys"],
            *names["accounts"],
        }


def labels_of(provider):
    return [label for label, _ in pool_of(provider)._keys]


MISTAKES = {
    "api_keys: []": "api_keys must have at least one entry",
    f"api_keys: [{ONE}, {ONE}]": "api_keys cannot be used: a key stands there twice",
    f"api_keys: [{ONE}, ' ']": "api_keys cannot be used: a key is empty",
    f"api_keys: [{ONE}, 7]": "api_keys (entry 2) must be text",
    f"api_key: {ONE}\n    api_keys: [{TWO}, {THREE}]": "api_key is set too",
    f"api_keys: [{TWO}]\n    accounts: {{a: {ONE}}}": "api_keys is set too",
    "accounts: {}": "accounts must have at least one entry",
    "accounts: {a: []}": "accounts cannot be used: an account has no key",
    f"accounts: {{a: {ONE}, b: [{ONE}]}}": "accounts cannot be used: a key stands there twice",
    f"accounts: {{{ONE}: {TWO}}}": "accounts cannot be used: an account has a key for its name",
    f"api_kees: [{ONE}]": "did you mean api_keys",
}


@pytest.mark.parametrize("section, said", MISTAKES.items(), ids=list(MISTAKES.values()))
def test_a_mistake_is_told_with_its_line_and_without_the_key(tmp_path, section, said):
    file = tmp_path / "fairlead.yaml"
    file.write_text(f"providers:\n  openai:\n    {section}\n")
    line = 3 + section.count("\n")

    with pytest.raises(ConfigurationError) as caught:
        open_provider("openai", config=file)
    found = "\n".join(map(str, mistakes_in(file)))

    for told in (str(caught.value), found):
        assert said in told.replace("?", "")
        assert f"fairlead.yaml, line {line}" in told
        assert "canary" not in told


def test_a_key_of_the_environment_and_a_pool_in_a_file_contradict(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", THREE)
    file = tmp_path / "fairlead.yaml"
    file.write_text(f"providers:\n  openai:\n    api_keys: [{ONE}, {TWO}]\n")

    with pytest.raises(ConfigurationError, match="api_key is set too, here or by a variable"):
        open_provider("openai", config=file)
    alone = open_provider("openai", config=file, api_keys=None)
    assert find(alone, KeyPoolProvider) is None
    both = open_provider("openai", config=file, api_key=None)
    assert len(pool_of(both).targets) == 2


def test_nothing_that_can_be_read_shows_a_key(tmp_path):
    file = tmp_path / "fairlead.yaml"
    short = "short-1"
    file.write_text(
        f"providers:\n  openai:\n    accounts: {{a: [{ONE}, {short}], b: {TWO}}}\n"
        f"  other: {{vendor: openai, api_keys: [{ONE}, {short}]}}\n"
    )
    raw = load(file=file)
    provider = open_provider("openai", config=file)

    shown = [
        repr(raw.layers),
        repr(provider),
        str(provider.explain()),
        json.dumps(provider.explain().as_dict()),
    ]
    run = subprocess.run(
        [sys.executable, "-m", "fairlead", "config", "--config", str(file), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert '"***"' in run.stdout
    for text in (*shown, run.stdout, run.stderr):
        assert "canary" not in text
        assert short not in text


@pytest.mark.anyio
async def test_a_key_that_is_refused_is_followed_by_the_next(server, caplog):
    script(failure(401), completion("Hello."))
    provider = open_provider(
        "openai-compatible:m",
        base_url=server.url("/v1"),
        api_keys=[ONE, TWO],
        retry={"max_retries": 0},
    )
    async with provider:
        with caplog.at_level(logging.WARNING):
            answer = await provider.generate("hi")

    assert answer == "Hello."
    assert [attempt.error for attempt in answer.attempts if attempt.sent] == [
        "AuthenticationError",
        None,
    ]


# Assembly by hand.

ONCE = BreakerOptions(failure_threshold=1)


def keyed(*providers, accounts=None):
    return [
        PoolKey(provider=provider, label=f"k{number}", account=(accounts or {}).get(number))
        for number, provider in enumerate(providers)
    ]


@pytest.mark.anyio
async def test_the_keys_of_a_pool_share_one_breaker():
    one, two = ScriptedProvider(ServerError), ScriptedProvider("Hello.")
    node = target_pipeline(keyed(one, two), max_retries=None, breaker=ONCE)

    with pytest.raises(ServerError):
        await node.generate("hi")
    with pytest.raises(CircuitOpenError):
        await node.generate("hi")  # the other key, of the same vendor

    assert not two.calls


@pytest.mark.anyio
async def test_limits_are_those_of_each_key():
    one, two = ScriptedProvider(["Hello."]), ScriptedProvider(["Hello."])
    rates = LimitOptions(requests_per_minute=1, requests_burst=1, max_queued=0)
    node = target_pipeline(keyed(one, two), max_retries=None, rates=rates)

    assert [await node.generate("hi") for _ in range(2)] == ["Hello.", "Hello."]


@pytest.mark.anyio
async def test_a_spent_account_rests_all_its_keys():
    one, two = ScriptedProvider(QuotaExceededError), ScriptedProvider("never")
    three = ScriptedProvider("Hello.")
    node = target_pipeline(keyed(one, two, three, accounts={0: "a", 1: "a", 2: "b"}))

    assert await node.generate("hi") == "Hello."
    assert not two.calls


def test_policies_of_ones_own_stand_round_the_pool_or_round_each_key():
    class Own(Decorator):
        pass

    def built(**place):
        return target_pipeline(
            keyed(ScriptedProvider("a"), ScriptedProvider("b")), decorators=[Use(Own, **place)]
        )

    def places(node):
        kinds = chain(node)
        return kinds.index(Own) - kinds.index(KeyPoolProvider)

    assert places(built(before="key-pool")) == -1
    assert places(built(after="retry")) == -1
    assert places(built(after="key-pool")) == 1
    assert places(built(before="breaker")) == 1
    assert places(built(after="breaker")) == 2


@pytest.mark.anyio
async def test_a_dead_key_is_told_to_the_log():
    from tests.support.logs import ListLog

    log = ListLog()
    node = target_pipeline(
        keyed(ScriptedProvider(AuthenticationError), ScriptedProvider("Hello.")), log=log
    )
    await node.generate("hi")

    assert ("warning", "a key is no longer asked") in log.told
