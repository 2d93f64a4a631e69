"""Functions that a model calls."""

import threading
from typing import Annotated

import anyio
import pytest
from pydantic import BaseModel, Field

from fairlead.core.errors import ConfigurationError, ServerError
from fairlead.core.messages import Image, Message, Text, ToolCall, ToolResult
from fairlead.core.refusals import ToolRoundsExceededError
from fairlead.services.function_tools import FunctionTool
from fairlead.services.tools import run_tools
from fairlead.testing import ScriptedProvider

pytestmark = pytest.mark.anyio


def depth(place: Annotated[str, Field(description="Where.")], fathoms: bool = False) -> float:
    """How deep the water is."""
    return {"fjord": 100.0}[place] / (1.8 if fathoms else 1)


async def wind(place: str) -> str:
    return f"west at the {place}"


def call(name="depth", arguments='{"place": "fjord"}', number="1"):
    return ToolCall(number, name, arguments)


def results(run):
    return [part for it in run.messages for part in it.parts if isinstance(part, ToolResult)]


async def ran(*calls, functions=(depth, wind), **options):
    provider = ScriptedProvider([list(calls), "Aye."])
    return await run_tools(provider, "Well?", functions, **options)


async def test_tools_are_called_until_there_is_an_answer():
    provider = ScriptedProvider([call(), ["Hm. ", call("wind", number="2")], "100, and west."])

    run = await run_tools(provider, "Well?", [depth, wind], temperature=0.5, system_prompt="Short.")

    assert run.generation == "100, and west."
    assert [str(it) for it in run.generations] == ["", "Hm. ", "100, and west."]
    assert run.messages == (
        Message.user("Well?"),
        Message.assistant(call()),
        Message("tool", ToolResult(call(), "100.0")),
        Message.assistant([Text("Hm. "), call("wind", number="2")]),
        Message("tool", ToolResult(call("wind", number="2"), "west at the fjord")),
        Message.assistant("100, and west."),
    )
    for number, asked in enumerate(provider.calls):
        system, *rest = asked.generation.messages
        assert (system.text, asked.generation.temperature) == ("Short.", 0.5)
        assert tuple(rest) == run.messages[: 1 + 2 * number]
        assert [tool.name for tool in asked.generation.tools] == ["depth", "wind"]


async def test_a_choice_of_tool_is_for_the_first_time():
    provider = ScriptedProvider([call(), "Aye."])

    await run_tools(provider, "Well?", [depth], tool_choice="depth")
    assert [it.generation.tool_choice for it in provider.calls] == ["depth", None]


async def test_a_tool_is_what_its_signature_says():
    tool = FunctionTool(depth).tool

    assert (tool.name, tool.description) == ("depth", "How deep the water is.")
    assert tool.parameters["properties"]["place"] == {
        "description": "Where.",
        "title": "Place",
        "type": "string",
    }
    assert tool.parameters["required"] == ["place"]
    assert FunctionTool(wind).tool.description is None


async def test_arguments_are_validated_and_converted():
    run = await ran(call(arguments='{"place": "fjord", "fathoms": "true"}'))

    assert results(run)[0].content.startswith("55.5")


async def test_no_arguments_at_all_are_an_empty_object():
    run = await ran(call("now", ""), functions=[now])

    assert results(run) == [ToolResult(call("now", ""), "noon")]


def now() -> str:
    return "noon"


@pytest.mark.parametrize(
    "arguments, said",
    [
        ("{}", "the arguments are wrong: place: Missing required argument"),
        ('{"place": 3}', "the arguments are wrong: place: Input should be a valid string"),
        ('{"place": "a", "x": 1}', "the arguments are wrong: x: Unexpected keyword argument"),
        ('{"place": ', "the arguments are wrong: the arguments: Invalid JSON"),
        ('"fjord"', "the arguments are wrong: the arguments: Arguments must be an array or"),
    ],
)
async def test_wrong_arguments_are_told_to_the_model(arguments, said):
    run = await ran(call(arguments=arguments))

    [result] = results(run)
    assert result.error
    assert result.content.startswith(said)
    assert run.generation == "Aye."


async def test_a_tool_that_is_not_there_is_told_to_the_model():
    run = await ran(call("dive"))

    assert results(run) == [
        ToolResult(call("dive"), "there is no tool 'dive', but depth, wind", error=True)
    ]
    run = await ran(call("dive"), functions=[])
    assert results(run)[0].content == "there is no tool 'dive', but none at all"


async def test_what_a_tool_raises_is_told_to_the_model_without_secrets():
    async def fails():
        raise RuntimeError("no: Bearer abc123456789")

    run = await ran(
        call(arguments='{"place": "moon"}'), call("fails", "{}"), functions=[depth, fails]
    )

    assert [(it.content, it.error) for it in results(run)] == [
        ("KeyError: 'moon'", True),
        ("RuntimeError: no: Bearer ***", True),
    ]


async def test_results_become_words():
    class Place(BaseModel):
        name: str

    picture = Image(url="https://example.org/a.png")
    answers = {
        "model": (Place(name="Bergen"), '{"name":"Bergen"}'),
        "list": ([1, None, "é"], '[1,null,"é"]'),
        "nothing": (None, "null"),
        "object": (threading.Thread(name="t"), None),
        "picture": (picture, (picture,)),
    }

    def give(what: str):
        return answers[what][0]

    calls = [call("give", f'{{"what": "{what}"}}', what) for what in answers]
    run = await ran(*calls, functions=[give])

    for result, (_, content) in zip(results(run), answers.values(), strict=True):
        assert not result.error
        assert content is None or result.content == content


async def test_functions_that_are_not_async_run_in_threads():
    threads = []

    def here():
        threads.append(threading.current_thread())

    async def there():
        threads.append(threading.current_thread())

    await ran(call("here", "{}"), call("there", "{}"), functions=[here, there])
    assert [it is threading.main_thread() for it in threads] == [False, True] or [
        it is threading.main_thread() for it in threads
    ] == [True, False]


@pytest.mark.parametrize("most", [1, 2, 5])
async def test_calls_run_side_by_side_within_bounds_and_results_keep_their_order(most):
    running, peak = 0, 0

    async def work(number: int) -> int:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        for _ in range(6 - number):
            await anyio.lowlevel.checkpoint()
        running -= 1
        return number

    calls = [call("work", f'{{"number": {n}}}', str(n)) for n in range(5)]
    run = await ran(*calls, functions=[work], max_parallel=most)

    assert [(it.call_id, it.content) for it in results(run)] == [(str(n), str(n)) for n in range(5)]
    assert peak == most


async def test_rounds_have_an_end():
    provider = ScriptedProvider(call())

    with pytest.raises(ToolRoundsExceededError, match="after 2 rounds") as caught:
        await run_tools(provider, "Well?", [depth], max_rounds=2)

    error = caught.value
    assert len(provider.calls) == 3
    assert (error.provider, error.model, error.sent) == ("scripted", "scripted", True)
    assert len(results(error.partial)) == 2
    assert error.partial.messages[-1].tool_calls == (call(),)
    assert [it.outcome for it in error.attempts] == ["succeeded"]


async def test_as_many_rounds_as_allowed_may_end_in_an_answer():
    provider = ScriptedProvider([call(), call(), "Aye."])

    assert (await run_tools(provider, "Well?", [depth], max_rounds=2)).generation == "Aye."


async def test_a_call_that_fails_fails():
    with pytest.raises(ServerError):
        await run_tools(ScriptedProvider([call(), ServerError]), "Well?", [depth])


async def test_cancellation_reaches_the_tools_and_ends_all():
    ended = []

    async def endless(number: int):
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(number)

    calls = [call("endless", f'{{"number": {n}}}', str(n)) for n in range(3)]
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:

            async def cancel():
                await anyio.wait_all_tasks_blocked()
                scope.cancel()

            group.start_soon(cancel)
            await ran(*calls, functions=[endless])
    assert sorted(ended) == [0, 1, 2]


async def test_a_thread_is_not_waited_for():
    begun, go, over = threading.Event(), threading.Event(), threading.Event()

    def stuck():
        begun.set()
        go.wait(5)
        over.set()

    try:
        async with anyio.create_task_group() as group:

            async def cancel():
                await anyio.to_thread.run_sync(begun.wait)
                group.cancel_scope.cancel()

            group.start_soon(cancel)
            await ran(call("stuck", "{}"), functions=[stuck])
    finally:
        was_over = over.is_set()
        go.set()
    assert not was_over


async def test_any_object_that_answers_will_do():
    class Mock:
        async def generate(self, prompt):
            return "Aye."

    run = await run_tools(Mock(), "Well?", [depth])
    assert (run.generation, run.messages[-1].text) == ("Aye.", "Aye.")


@pytest.mark.parametrize(
    "function, said",
    [
        (3, "a tool is a function with a name and types, not int"),
        (lambda a, /: a, "parameters that have no name"),
        (eval("lambda a: a"), None),
    ],
)
async def test_what_is_no_tool_is_refused(function, said):
    with pytest.raises(Exception, match=said or "is no name for a tool"):
        FunctionTool(function)


async def test_a_type_without_a_schema_is_refused():
    def takes(what: threading.Thread): ...

    with pytest.raises(ConfigurationError, match=r"the parameters of takes\(\) are nothing"):
        await ran(functions=[takes])


@pytest.mark.parametrize("bound", ["max_rounds", "max_parallel"])
async def test_bounds_that_make_no_sense_are_refused(bound):
    with pytest.raises(ConfigurationError, match=f"{bound} must be at least 1"):
        await ran(**{bound: 0})
