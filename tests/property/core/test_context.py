"""Whatever a conversation looks like, what is left of it fits and makes sense."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.core.context import ContextOptions, Strategy, fit
from fairlead.core.errors import ContextLengthExceededError
from fairlead.core.messages import Message, Reasoning, Role, Tool, ToolCall, ToolResult
from fairlead.core.models import ModelInfo
from fairlead.core.requests import GenerateRequest
from fairlead.core.tokens import FAMILIES, count_request

WORDS = st.text(alphabet="abc de\n", max_size=40).map(lambda it: it + "x") | st.integers(
    50, 900
).map(lambda n: "word " * n)


@st.composite
def turn(draw):
    """A user's turn: a question, rounds of tools, perhaps an answer."""
    messages = [Message.user(draw(WORDS)) for _ in range(draw(st.integers(1, 2)))]
    for _ in range(draw(st.integers(0, 3))):
        # Some servers number the calls of each answer anew.
        calls = [ToolCall(f"call_{i}", "look", "{}") for i in range(draw(st.integers(1, 3)))]
        thought = Reasoning(draw(WORDS), {"signature": "s"}, "anthropic")
        messages.append(Message.assistant([thought, *calls]))
        results = [ToolResult(call, draw(WORDS)) for call in calls]
        if draw(st.booleans()):
            messages.append(Message(Role.USER, results))
        else:
            messages += [Message(Role.TOOL, result) for result in results]
    if draw(st.booleans()):
        messages.append(Message.assistant(draw(WORDS)))
    return messages


@st.composite
def conversations(draw):
    messages = [message for part in draw(st.lists(turn(), max_size=6)) for message in part]
    for _ in range(draw(st.integers(0, 2))):
        messages.insert(draw(st.integers(0, len(messages))), Message.system(draw(WORDS)))
    return (*messages, *draw(turn()))


REQUESTS = st.builds(
    GenerateRequest,
    messages=conversations(),
    max_tokens=st.none() | st.integers(1, 3000),
    tools=st.just(()) | st.just((Tool("look", "Looks."),)),
)
MODELS = st.builds(
    ModelInfo,
    name=st.just("m"),
    context_window=st.integers(1, 6000),
    max_output_tokens=st.none() | st.integers(1, 8000),
    tokenizer=st.sampled_from([None, *FAMILIES]),
)
OPTIONS = st.builds(
    ContextOptions,
    strategies=st.lists(st.sampled_from(list(Strategy)), max_size=4).map(tuple),
    room=st.none() | st.integers(0, 500),
    result_tokens=st.integers(1, 200),
    margin=st.floats(1.0, 1.5),
)


def fitted_or_none(request, model, options):
    try:
        return fit(request, model, options=options)
    except ContextLengthExceededError:
        return None


def without_results(message):
    return [part for part in message.parts if not isinstance(part, ToolResult)]


def is_left_of(message, original):
    """Whether it is the same, its tools' results perhaps shorter."""
    return (
        message.role is original.role
        and without_results(message) == without_results(original)
        and [part.call_id for part in message.parts if isinstance(part, ToolResult)]
        == [part.call_id for part in original.parts if isinstance(part, ToolResult)]
    )


def origins(fitted, request):
    """Where each message that is left stood."""
    places, at = [], 0
    for message in fitted.messages:
        while message is not request.messages[at] and not (
            any(isinstance(part, ToolResult) for part in message.parts)
            and is_left_of(message, request.messages[at])
        ):
            at += 1  # raises IndexError where the order changed
        places.append(at)
        at += 1
    return places


@settings(deadline=None)
@given(REQUESTS, MODELS, OPTIONS)
def test_it_never_exceeds_the_window(request, model, options):
    fitted = fitted_or_none(request, model, options)
    if fitted is None:
        return

    room = request.max_tokens if request.max_tokens is not None else options.room
    if room is None:
        room = min(model.context_window // 4, model.max_output_tokens or model.context_window)
    count = count_request(fitted.request, model.tokenizer)
    assert count * options.margin + room <= model.context_window


@settings(deadline=None)
@given(REQUESTS, MODELS, OPTIONS)
def test_order_system_messages_and_the_last_stay(request, model, options):
    fitted = fitted_or_none(request, model, options)
    if fitted is None:
        return

    assert len(origins(fitted, request)) == len(fitted.messages)
    systems = [it for it in request.messages if it.role is Role.SYSTEM]
    assert [it for it in fitted.messages if it.role is Role.SYSTEM] == systems
    assert is_left_of(fitted.messages[-1], request.messages[-1])


@settings(deadline=None)
@given(REQUESTS, MODELS, OPTIONS)
def test_no_call_is_parted_from_its_results(request, model, options):
    fitted = fitted_or_none(request, model, options)
    if fitted is None:
        return

    open_calls = []
    for message in fitted.messages:
        for part in message.parts:
            if isinstance(part, ToolResult):
                assert part.call_id in open_calls
                open_calls.remove(part.call_id)
        if message.tool_calls:
            assert not open_calls
            open_calls = [call.id for call in message.tool_calls]
    assert not open_calls


@settings(deadline=None)
@given(REQUESTS, MODELS, OPTIONS)
def test_a_conversation_that_began_with_the_user_still_does(request, model, options):
    fitted = fitted_or_none(request, model, options)
    if fitted is None:
        return

    spoken = [it for it in fitted.messages if it.role is not Role.SYSTEM]
    assert spoken[0].role is Role.USER
    assert not any(isinstance(part, ToolResult) for part in spoken[0].parts)


@settings(deadline=None)
@given(REQUESTS, MODELS, OPTIONS)
def test_it_says_what_is_left_out_and_touches_nothing_else(request, model, options):
    fitted = fitted_or_none(request, model, options)
    if fitted is None:
        return

    assert fitted.dropped == len(request.messages) - len(fitted.messages)
    assert (fitted.warning is None) == (fitted.request is request)
    assert (fitted.warning is None) == (fitted.dropped == fitted.shortened == 0)
    if options.strategies and Strategy.SHORTEN_RESULTS not in options.strategies:
        assert fitted.shortened == 0
    if not options.strategies:
        assert fitted.request is request


@settings(deadline=None)
@given(REQUESTS, OPTIONS)
def test_an_unknown_window_takes_it_as_it_is(request, options):
    assert fit(request, ModelInfo(name="m"), options=options).request is request


@settings(deadline=None)
@given(conversations(), st.integers(1, 4000))
def test_what_it_gives_is_a_prompt_that_fits_as_it_is(messages, window):
    model = ModelInfo(name="m", context_window=window)
    once = fitted_or_none(GenerateRequest(messages=messages), model, ContextOptions())
    if once is None:
        return

    assert fit(once.messages, model).request.messages == once.messages
