"""The section `routing`, and the last resort."""

import pytest

from fairlead import (
    Cheapest,
    ConfigurationError,
    ContextLengthExceededError,
    Experiment,
    FallbackProvider,
    Fastest,
    HedgeProvider,
    InOrder,
    LeastBusy,
    NoTargetError,
    OfflineProvider,
    Provider,
    RouterProvider,
    Sticky,
    Tool,
    Weighted,
    find,
    open_provider,
)
from fairlead.assembly.pipeline import chain
from fairlead.assembly.routing import names_of
from fairlead.cli.sections import mistakes_in
from fairlead.core.models import ModelInfo
from fairlead.decorators.hedging import HedgeOptions
from fairlead.testing import ScriptedProvider


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def opened(*, fallback=("null",), **routing):
    return open_provider("offline", fallback=list(fallback), routing=routing)


def router_of(provider):
    router = find(provider, RouterProvider)
    assert router is not None
    return router


@pytest.mark.parametrize(
    "section, order",
    [
        ({"strategy": "in_order"}, InOrder),
        ({"strategy": "weighted", "weights": {"offline": 0.7, "null": 0.3}}, Weighted),
        ({"strategy": "least_busy"}, LeastBusy),
        ({"strategy": "fastest"}, Fastest),
        ({"strategy": "cheapest"}, Cheapest),
        ({"strategy": "sticky", "tag": "session"}, Sticky),
        ({"strategy": "sticky", "tag": "session", "weights": {"null": 1}}, Sticky),
        ({"strategy": "experiment", "name": "x", "arms": {"offline": 1, "null": 1}}, Experiment),
    ],
)
def test_each_strategy_is_an_order(section, order):
    router = router_of(opened(**section))

    assert type(router._order) is order
    assert [route.name for route in router.routes] == ["offline", "null"]


def test_without_a_strategy_it_is_the_fallback():
    provider = open_provider("offline", fallback=["null"])

    assert find(provider, RouterProvider) is None
    assert find(provider, FallbackProvider) is not None


def test_one_provider_needs_no_router():
    provider = open_provider(
        "offline", fallback=False, routing={"strategy": "weighted", "weights": {"null": 1}}
    )
    assert find(provider, RouterProvider) is None


@pytest.mark.anyio
async def test_weights_decide():
    provider = opened(strategy="weighted", weights={"offline": 0, "null": 1})

    assert await provider.generate("hi") == ""
    assert {(await provider.generate("hi")).provider for _ in range(20)} == {"null"}


@pytest.mark.anyio
async def test_the_arm_of_an_experiment_is_in_the_journal():
    from fairlead import arm_of

    provider = opened(strategy="experiment", name="x", arms={"offline": 1, "null": 0}, tag="user")
    assert arm_of(await provider.generate("hi", tags={"user": "ada"})) == "offline"


@pytest.mark.parametrize("spelled", ["offline", "OFFLINE", "stub", "offline:offline"])
def test_a_provider_may_be_spelled_in_any_way(spelled):
    router = router_of(opened(strategy="weighted", weights={spelled: 2, "null": 1}))

    assert dict(router._order._weights) == {"offline": 2, "null": 1}


def test_two_of_one_vendor_are_told_apart_by_their_models():
    models = ["openai:gpt-a", "openai:gpt-b"]
    weights = {"openai:gpt-a": 1, "openai:gpt-b": 3}

    def built(weights):
        return open_provider(
            models[0],
            fallback=models[1:],
            api_key="k",
            routing={"strategy": "weighted", "weights": weights},
        )

    assert dict(router_of(built(weights))._order._weights) == weights
    with pytest.raises(
        ConfigurationError, match=r"'openai', and there are openai:gpt-a and openai"
    ):
        built({"openai": 1})


def test_names_of_what_is_alike_are_numbered():
    told = [("a", "m"), ("a", "m"), ("a", None), ("b", "m")]

    assert names_of(told) == ["a:m", "a:m#2", "a", "b"]


@pytest.mark.parametrize("spelled", ["openai", "'openai:gpt-5.6-luna'"])
def test_who_is_left_out_may_have_a_weight(tmp_path, spelled):
    file = tmp_path / "fairlead.yaml"
    file.write_text(
        "provider: offline\nfallback: [openai, 'null']\n"
        f"routing:\n  strategy: weighted\n  weights: {{offline: 1, {spelled}: 2, 'null': 0}}\n"
    )
    router = router_of(open_provider(config=file))

    assert dict(router._order._weights) == {"offline": 1, "null": 0}
    assert mistakes_in(file) == ()


def test_who_is_left_out_hides_no_misspelling(tmp_path):
    file = tmp_path / "fairlead.yaml"
    file.write_text(
        "provider: offline\nfallback: [openai, 'null']\n"
        "routing:\n  strategy: weighted\n  weights: {openai: 1, ofline: 1}\n"
    )
    with pytest.raises(ConfigurationError, match=r"'ofline', who is not asked.*mean offline"):
        open_provider(config=file)


def test_if_only_those_left_out_have_a_weight_all_are_alike(tmp_path):
    file = tmp_path / "fairlead.yaml"
    file.write_text(
        "provider: offline\nfallback: [openai, 'null']\n"
        "routing:\n  strategy: weighted\n  weights: {openai: 2}\n"
    )
    assert dict(router_of(open_provider(config=file))._order._weights) == {"offline": 1, "null": 1}


MISTAKES = {
    "strategy: weighted": (1, "weighted needs weights"),
    "strategy: sticky": (1, "sticky needs tag"),
    "strategy: experiment": (1, "experiment needs arms and name"),
    "strategy: fastest\n  tag: a": (1, "tag would do nothing for fastest"),
    "strategy: fastets": (1, "did you mean fastest"),
    "weights: {offline: 1}": (1, "without"),
    "strategy: weighted\n  weights: {}": (2, "at least one entry"),
    "strategy: weighted\n  weights: {offline: -1}": (2, "at least 0"),
    "strategy: weighted\n  weights: {offline: .inf}": (2, "finite"),
    "strategy: weighted\n  weights: {offline: 0}": (2, "at least one share must be more than 0"),
    "strategy: weighted\n  weights:\n    offline: 1\n    ofline: 1": (4, "did you mean"),
    "strategy: weighted\n  wieghts: {a: 1}": (2, "did you mean weights"),
}


@pytest.mark.parametrize("section", MISTAKES)
def test_a_mistake_is_told_with_its_line(tmp_path, section):
    line, said = MISTAKES[section]
    file = tmp_path / "fairlead.yaml"
    file.write_text(f"provider: offline\nfallback: ['null']\nrouting:\n  {section}\n")

    with pytest.raises(ConfigurationError) as caught:
        open_provider(config=file)
    found = "\n".join(map(str, mistakes_in(file)))

    for told in (str(caught.value), found):
        assert said in told
    assert f"fairlead.yaml, line {line + 3}: routing." in found


def test_who_is_not_asked_is_refused_where_the_pipeline_is_built(tmp_path):
    file = tmp_path / "fairlead.yaml"
    file.write_text(
        "provider: offline\nfallback: ['null']\nrouting:\n  strategy: experiment\n  name: x\n"
        "  arms:\n    offline: 1\n    vllm: 1\n"
    )
    with pytest.raises(
        ConfigurationError,
        match=r"line 8: routing\.arms\.vllm names 'vllm', who is not asked; there are offline",
    ):
        open_provider(config=file)


def test_weights_of_a_variable_are_refused_by_its_name(monkeypatch):
    monkeypatch.setenv("FAIRLEAD_ROUTING_WEIGHTS", '{"offlin": 1}')

    with pytest.raises(
        ConfigurationError, match=r"^FAIRLEAD_ROUTING_WEIGHTS names 'offlin'.*mean offline\?"
    ):
        opened(strategy="weighted")


def test_variables_may_say_a_part_of_it(tmp_path):
    file = tmp_path / ".env"
    file.write_text('FAIRLEAD_ROUTING_WEIGHTS={"mine": 1}\n')

    assert mistakes_in(file) == ()


def test_a_hedge_and_a_router_contradict(tmp_path):
    file = tmp_path / "fairlead.yaml"
    file.write_text(
        "provider: offline\nfallback: ['null']\nhedge: {enabled: true}\n"
        "routing:\n  strategy: fastest\n"
    )
    with pytest.raises(ConfigurationError) as caught:
        open_provider(config=file)
    told = "line 5: routing.strategy contradicts hedge.enabled"
    assert told in str(caught.value)
    assert any(told in str(mistake) for mistake in mistakes_in(file))

    two = [ScriptedProvider("a"), ScriptedProvider("b")]
    with pytest.raises(ConfigurationError, match=r"leave out hedging or order"):
        chain(two, hedging=HedgeOptions(), order=InOrder())


class Bound:
    def __init__(self, dollars):
        self.dollars = dollars

    def bound(self, input_tokens, output_tokens):
        assert input_tokens > 0
        return self.dollars * (input_tokens + output_tokens)


def test_the_cheapest_is_told_by_the_price_of_a_target():
    from types import SimpleNamespace

    from fairlead.assembly.routing import _price
    from fairlead.core.requests import embed_request, generate_request

    priced = SimpleNamespace(price=Bound(2), model=ModelInfo(name="m"))
    short, _ = generate_request("hi", {"max_tokens": 10})
    unset, _ = generate_request("hi", {})
    texts, _ = embed_request(("hi",), {})

    assert _price(SimpleNamespace(model=ModelInfo(name="m")), short) is None
    assert _price(SimpleNamespace(price=None), short) is None
    assert _price(priced, unset) - _price(priced, short) == 2 * (1024 - 10)
    assert 0 < _price(priced, texts) < _price(priced, short)


# The last resort.


@pytest.mark.anyio
@pytest.mark.parametrize("fallback", [False, True], ids=["alone", "in a chain"])
async def test_a_call_that_nobody_can_take_is_answered_offline_with_a_warning(fallback, tmp_path):
    deaf = ScriptedProvider("never", name="deaf", model=ModelInfo(name="m", tools=False))
    file = tmp_path / "fairlead.yaml"
    file.write_text("last_resort: offline\n")
    others = [ScriptedProvider("never", model=ModelInfo(name="n", tools=False))] if fallback else []
    provider = open_provider(deaf, fallback=others, config=file)

    answer = await provider.generate("hi", tools=[Tool("weather")], tool_choice="none")
    assert answer.provider == "offline"
    assert answer.warnings[-1].startswith(
        "answered by the last resort, as deaf:m was left out: m does not take tools"
    )
    await provider.aclose()


@pytest.mark.anyio
async def test_the_last_resort_does_not_answer_for_one_who_failed():
    failing = ScriptedProvider(ContextLengthExceededError)
    provider = Provider(chain([failing], last_resort=OfflineProvider()))

    with pytest.raises(ContextLengthExceededError):
        await provider.generate("hi")


def test_a_hedge_and_a_router_have_one_too():
    two = [ScriptedProvider("a"), ScriptedProvider("b", name="b")]
    last = OfflineProvider()

    for built in (
        chain(two, hedging=HedgeOptions(), last_resort=last),
        chain(two, order=InOrder(), last_resort=last),
    ):
        node = find(built, HedgeProvider) or find(built, RouterProvider)
        assert node._last_resort is last


@pytest.mark.anyio
async def test_vectors_come_from_the_last_resort_only_if_any_space_will_do():
    def built(**options):
        deaf = ScriptedProvider("never", model=ModelInfo(name="m"))
        refusing = FallbackProvider([deaf], last_resort=OfflineProvider(), **options)
        deaf.plan = lambda call: _refusing(deaf)
        return refusing

    with pytest.raises(NoTargetError, match=r"another embedding space"):
        await built().embed("hi")
    assert (await built(allow_other_space=True).embed("hi")).metadata.provider == "offline"
    assert await built().generate("hi")


def _refusing(provider):
    from fairlead import Plan, Target

    model = ModelInfo(name="m")
    return Plan((Target(provider=provider.name, model=model, refuses="the circuit is open"),))
