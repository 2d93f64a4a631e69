"""Providers and sources that do what a test says."""

import asyncio
import contextlib
import gc
from dataclasses import replace
from functools import partial

import anyio
import sniffio
from anyio.lowlevel import checkpoint

from fairlead.core.adapter import Adapter
from fairlead.core.calls import Call
from fairlead.core.embeddings import Embedding, EmbeddingMetadata, Embeddings, EmbeddingSpace
from fairlead.core.errors import ProviderConnectionError
from fairlead.core.events import StreamEnd, TextDelta
from fairlead.core.models import ModelInfo
from fairlead.core.results import FinishReason, Generation, Metadata
from fairlead.core.streams import GenerationStream
from fairlead.core.usage import Usage

WAIT = object()
"""A batch that never comes."""
END = StreamEnd(FinishReason.STOP, usage=Usage(input_tokens=3, output_tokens=2))
METADATA = Metadata(provider="scripted", model="m")


class Source:
    """Plays *batches*: events to return, an exception to raise, or `WAIT`."""

    def __init__(self, *batches):
        self.batches = list(batches)
        self.log = []
        self.reads = 0
        self._waiting = None

    @property
    def aborted(self):
        return "abort" in self.log

    async def read(self):
        self.reads += 1
        await checkpoint()
        batch = self.batches.pop(0) if self.batches else ()
        if batch is WAIT:
            self._waiting = anyio.Event()
            await self._waiting.wait()
            batch = ProviderConnectionError("closed while it was read")
        if isinstance(batch, BaseException):
            try:
                raise batch
            finally:
                del batch  # its traceback leads here, and must not lead back
        return batch

    def abort(self):
        self.log.append("abort")
        if self._waiting is not None:
            self._waiting.set()

    async def aclose(self):
        self.log.append("aclose")
        await checkpoint()


def words(*texts):
    """A source that says *texts*, one at a time, and ends."""
    return Source(*([TextDelta(text)] for text in texts), [END])


async def opened(*batches, commit="text", metadata=METADATA):
    source = Source(*batches)
    return source, await GenerationStream.open(source, metadata, commit=commit)


class Scripted(Adapter):
    """
    Answers with the next step of *script*, the last one again and again: a str, an exception, a
    `Source` or a function that gives one of these.
    """

    def __init__(self, *script, name="scripted", model="m", seconds=0.0, **known):
        self.script = list(script)
        self.asked = []
        self.closed = 0
        self.seconds = seconds
        self._name = name
        self._model = ModelInfo(name=model, **known)

    @property
    def name(self):
        return self._name

    @property
    def model(self):
        return self._model

    @property
    def requests(self):
        return [call.request for call in self.asked]

    async def aclose(self):
        self.closed += 1

    async def _next(self, call):
        self.asked.append(call)
        await (anyio.sleep(self.seconds) if self.seconds else checkpoint())
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        step = step() if callable(step) else step
        if isinstance(step, BaseException):
            try:
                raise step
            finally:
                del step
        return step

    async def _generate(self, call):
        step = await self._next(call)
        metadata = self._metadata(call, self.model.name, finish_reason=FinishReason.STOP)
        return Generation(step, replace(metadata, usage=END.usage))

    async def _open(self, call):
        step = await self._next(call)
        source = words(step) if isinstance(step, str) else step
        metadata = self._metadata(call, self.model.name)
        return await GenerationStream.open(source, metadata, commit=call.options.commit)

    async def _embed(self, call):
        await self._next(call)
        space = EmbeddingSpace(model=self._model_for(call).name or self.name)
        metadata = EmbeddingMetadata(provider=self.name, space=space, journal=call.journal)
        vectors = [Embedding([float(len(text))], metadata) for text in call.embedding.texts]
        return Embeddings(vectors, metadata)


def generating(prompt="hi", *, clock=lambda: 0.0, **options):
    """A call of `generate()`."""
    return Call.generate(prompt, options, clock)


def embedding(texts=("hi",), *, clock=lambda: 0.0, **options):
    """A call of `embed_batch()`."""
    return Call.embed_batch(texts, options, clock)


@contextlib.contextmanager
def without_gc():
    """What dies in here dies because nothing refers to it any more."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def ways():
    """How a call can be cancelled: by a scope, and on asyncio by its task, once or twice."""
    native = sniffio.current_async_library() == "asyncio"
    return ("scope", "once", "twice") if native else ("scope",)


class Points:
    """Counts await points from 0, and does what *actions* say at them."""

    def __init__(self):
        self.actions = {}
        self.passed = 0
        self.task = None

    def pass_one(self):
        action = self.actions.get(self.passed)
        self.passed += 1
        if action is not None:
            action()


class Driven:
    """Awaits *coroutine*, whose await points it counts unless that task's are counted already."""

    def __init__(self, coroutine, points):
        self.coroutine = coroutine
        self.points = points

    def __await__(self):
        points, task = self.points, anyio.get_current_task().id
        if points.task == task:
            return (yield from self.coroutine.__await__())
        points.task = points.task or task
        step = partial(self.coroutine.send, None)
        while True:
            try:
                trap = step()
            except StopIteration as stop:
                return stop.value
            points.pass_one()
            try:
                step = partial(self.coroutine.send, (yield trap))
            except BaseException as error:
                step = partial(self.coroutine.throw, error)


async def cancelled_at(function, point, *, how, points=None):
    """
    Run *function* and cancel it at one of its await points.

    Args:
        how: One of `ways()`; `twice` is at the next point again.
        points: What counts them, for those who count along what they do in other tasks.

    Returns:
        Whether it came to that point.
    """
    points = points or Points()
    if how == "scope":
        with anyio.CancelScope() as scope:
            points.actions[point] = scope.cancel
            await Driven(function(), points)
        return points.passed > point
    task = asyncio.get_running_loop().create_task(_awaiting(Driven(function(), points)))
    points.actions[point] = task.cancel
    if how == "twice":
        points.actions[point + 1] = task.cancel
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return points.passed > point


async def _awaiting(driven):
    return await driven
