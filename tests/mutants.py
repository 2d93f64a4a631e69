"""
Plants mistakes one at a time and sees whether the tests catch them.

`python tests/mutants.py [WORD ...]` tries those whose path or reason has one of the words; it exits
with 1 if a mistake survives, or if its place is not found exactly once any more.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
SECONDS = 300
"""After which tests that still run count as failed: many a mistake makes them wait for ever."""


@dataclass(frozen=True)
class Mutant:
    """
    A mistake.

    Args:
        path: The file, from the root.
        before: What stands there exactly once.
        after: What is put in its place.
        why: What goes wrong then.
        tests: Those that should notice.
    """

    path: str
    before: str
    after: str
    why: str
    tests: tuple[str, ...]


CORE = "src/fairlead/core/"
POLICY = "src/fairlead/decorators/"
BREAKER = ("tests/unit/decorators/test_breaker.py",)
GUARDED = ("tests/unit/decorators/test_breaker_provider.py",)
CANCELLED = ("tests/unit/decorators/test_cancellation.py",)
DEADLINE = ("tests/unit/decorators/test_deadline.py",)
FALLBACK = ("tests/unit/decorators/test_fallback.py",)
RETRY = ("tests/unit/decorators/test_retry.py",)
STREAMS = ("tests/unit/core/test_streams.py",)
ADAPT = ("tests/unit/core/test_adapt.py",)
ERRORS = ("tests/unit/core/test_errors.py",)
USERS_OWN = ("tests/unit/decorators/test_users_own.py",)
SCOPE = ("tests/unit/decorators/test_scope.py",)

WIRE = "src/fairlead/wire/"
CHAT = WIRE + "openai_chat/"
HTTP = "src/fairlead/adapters/http/"
SYNC = "src/fairlead/sync/"
WEB = "src/fairlead/services/web.py"
PROVIDERS = "src/fairlead/adapters/providers/"
SSE = ("tests/unit/wire/test_sse.py", "tests/property/wire/test_sse_chunking.py")
CHATS = ("tests/unit/wire/openai_chat",)
ENGINE = ("tests/integration/http",)
ADAPTERS = ("tests/integration/providers",)

MUTANTS: tuple[Mutant, ...] = (
    # Circuit breaker.
    Mutant(
        POLICY + "circuit.py",
        "if self._row >= options.failure_threshold:",
        "if self._row > options.failure_threshold:",
        "opens one failure too late",
        BREAKER,
    ),
    Mutant(
        POLICY + "circuit.py",
        "            self._row = 0\n            return",
        "            return",
        "a success does not end a row of failures",
        BREAKER,
    ),
    Mutant(
        POLICY + "circuit.py",
        "calls >= options.minimum_calls and",
        "calls > options.minimum_calls and",
        "the ratio waits for one call too many",
        BREAKER,
    ),
    Mutant(
        POLICY + "circuit.py",
        "self._window[0].at <= now - options.window:",
        "self._window[0].at < now - options.window:",
        "the window forgets too late",
        BREAKER,
    ),
    Mutant(
        POLICY + "circuit.py",
        "if permit.generation != self._generation:",
        "if permit.generation > self._generation:",
        "late results from before a transition count",
        BREAKER,
    ),
    Mutant(
        POLICY + "circuit.py",
        "if len(self._probes) >= self._options.half_open_permits:",
        "if len(self._probes) > self._options.half_open_permits:",
        "one probe too many at a time",
        BREAKER,
    ),
    Mutant(
        POLICY + "circuit.py",
        "for key, at in self._probes.items() if now - at < timeout}",
        "for key, at in self._probes.items()}",
        "a permit that is never given back stays taken for ever",
        BREAKER,
    ),
    Mutant(
        POLICY + "circuit.py",
        "        self._open_until = now + max(seconds, asked)\n",
        "        self._open_until = now + seconds\n",
        "the server's word does not lengthen the time",
        BREAKER,
    ),
    Mutant(
        POLICY + "circuit.py",
        "seconds = min(doubled, max(options.max_recovery_timeout, options.recovery_timeout))",
        "seconds = doubled",
        "the time grows without a cap",
        BREAKER,
    ),
    Mutant(
        POLICY + "circuit.py",
        "        self._opened += 1\n",
        "",
        "the time does not grow",
        BREAKER,
    ),
    Mutant(
        POLICY + "circuit.py",
        "            if self._successes >= self._options.successes_to_close:\n"
        "                self._opened = 0\n",
        "            if self._successes >= self._options.successes_to_close:\n",
        "a breaker that has closed opens for long at once",
        BREAKER,
    ),
    Mutant(
        POLICY + "circuit.py",
        "if self._state is State.OPEN and now >= self._open_until:",
        "if self._state is State.OPEN and now > self._open_until:",
        "half-open comes too late",
        BREAKER,
    ),
    Mutant(
        POLICY + "breaker.py",
        "            breaker.release(permit)\n            raise\n",
        "            raise\n",
        "a cancelled probe keeps its permit",
        CANCELLED,
    ),
    Mutant(
        POLICY + "breaker.py",
        "            breaker.release(permit)\n\n            def closed",
        "            def closed",
        "a stream keeps a probe's place until it is closed",
        GUARDED,
    ),
    Mutant(
        POLICY + "breaker.py",
        "if outcome.outcome is not Outcome.ABANDONED:",
        "if outcome.outcome is not Outcome.INTERRUPTED:",
        "an abandoned stream votes, an interrupted one does not",
        GUARDED,
    ),
    Mutant(
        POLICY + "breaker.py",
        "        breaker.release(permit)\n        if error is None:",
        "        if error is None:",
        "a probe that does not count keeps its permit",
        GUARDED,
    ),
    Mutant(
        POLICY + "breaker.py",
        "            self._breakers.move_to_end(model)\n",
        "",
        "a flood of model names makes it forget what is open",
        GUARDED,
    ),
    Mutant(
        POLICY + "breaker.py",
        "asked = asked.removeprefix(self.name + separator)",
        "asked = asked.removeprefix(separator)",
        "one model has several breakers",
        GUARDED,
    ),
    Mutant(
        POLICY + "breaker.py",
        "        if wait == 0:\n            return plan\n",
        "",
        "an open breaker that may be probed is never asked again",
        (*GUARDED, *FALLBACK),
    ),
    # Retry.
    Mutant(
        POLICY + "retry.py",
        "repeat >= self._max_retries",
        "repeat > self._max_retries",
        "one repeat too many",
        RETRY,
    ),
    Mutant(
        POLICY + "retry.py",
        "                    resent = True\n",
        "",
        "what may have been billed is sent again and again",
        RETRY,
    ),
    Mutant(
        POLICY + "retry.py",
        "error.sent is not False:",
        "error.sent:",
        "what nobody knows to have been sent is taken for not sent",
        RETRY,
    ),
    Mutant(
        POLICY + "retry.py",
        " or not call.attempts_left:",
        ":",
        "repeats ignore how often a chain may ask",
        RETRY,
    ),
    Mutant(
        POLICY + "retry.py",
        "wait if left is None or wait < left else None",
        "wait if left is None or wait <= left else None",
        "waits until nothing is left of the deadline",
        RETRY,
    ),
    Mutant(
        POLICY + "retry.py",
        "elif error.retry_after > self._backoff.longest_retry_after:",
        "elif error.retry_after >= self._backoff.longest_retry_after:",
        "the longest wait is not waited for",
        RETRY,
    ),
    Mutant(
        POLICY + "retry.py",
        "except ProviderError as error:",
        "except BaseException as error:",
        "cancellation is caught",
        CANCELLED,
    ),
    Mutant(
        POLICY + "backoff.py",
        "return max(retry_after * (1 + spread),",
        "return min(retry_after * (1 + spread),",
        "the vendor's wait is a maximum",
        RETRY,
    ),
    Mutant(
        POLICY + "backoff.py",
        "capped = min(grown, longest)",
        "capped = grown",
        "waits grow without a cap",
        RETRY,
    ),
    # Fallback.
    Mutant(
        POLICY + "fallback.py",
        "not in {Another.NEVER, Another.OPT_IN}",
        "is not Another.NEVER",
        "a bad request is tried everywhere",
        FALLBACK,
    ),
    Mutant(
        POLICY + "fallback.py",
        "if has is None or has <= (needed or 0):",
        "if has is None or has < (needed or 0):",
        "a prompt that is too long goes to a window of the same size",
        FALLBACK,
    ),
    Mutant(
        POLICY + "fallback.py",
        "else min(limit, call.attempt_limit)",
        "else max(limit, call.attempt_limit)",
        "a nested chain is granted attempts of its own",
        FALLBACK,
    ),
    Mutant(
        POLICY + "fallback.py",
        "and call.deadline.remaining() != 0):",
        "):",
        "targets are asked after the deadline",
        FALLBACK,
    ),
    Mutant(
        POLICY + "fallback.py",
        "            failures.clear()\n",
        "            pass\n",
        "errors and the call that raised them keep each other alive",
        FALLBACK,
    ),
    Mutant(
        POLICY + "fallback.py",
        "if target.cannot or _space(target) == space:",
        "if target.cannot or True:",
        "vectors of different spaces are mixed",
        FALLBACK,
    ),
    Mutant(
        POLICY + "fallback.py",
        "return target.model.name or target.provider",
        "return target.model.name or ''",
        "unknown spaces are taken for the same",
        FALLBACK,
    ),
    Mutant(
        POLICY + "fallback.py",
        "error.__cause__ = errors[0]",
        "error.__cause__ = errors[-1]",
        "the cause is the last error, not the first",
        FALLBACK,
    ),
    Mutant(
        POLICY + "fallback.py",
        "key not in self._logged and len(self._logged) < self.MAX_REMEMBERED",
        "len(self._logged) < self.MAX_REMEMBERED",
        "every switch is logged",
        FALLBACK,
    ),
    Mutant(
        POLICY + "fallback.py",
        'return cast("T", cast("Any", result).warned(f"answered by {label}, as {reasons}"))',
        "return result",
        "a switch is hidden",
        FALLBACK,
    ),
    Mutant(
        POLICY + "fallback.py",
        "call.plan if call.plan is not None and call.plan.children else",
        "call.plan if call.plan is not None else",
        "a plan without children hides all targets",
        FALLBACK,
    ),
    # Time limits.
    Mutant(
        CORE + "calls.py",
        "return own if whole is None or own < whole else whole",
        "return own",
        "a part of a call outlives the whole",
        ("tests/unit/core/test_calls.py",),
    ),
    Mutant(
        CORE + "adapter.py",
        "        if limit == 0:\n            raise",
        "        if limit == -1:\n            raise",
        "something is sent when no time is left",
        DEADLINE,
    ),
    Mutant(
        CORE + "adapter.py",
        "            with call.scope(limit):\n",
        "            with call.scope(None):\n",
        "who keeps no time is not cut at the deadline",
        USERS_OWN,
    ),
    Mutant(
        CORE + "adapt.py",
        "            self._reading.cancel()\n",
        "            pass\n",
        "a generator that is being read sleeps through cancel()",
        USERS_OWN,
    ),
    Mutant(
        POLICY + "_tasks.py",
        "alone = self._task.uncancel() <= self._before",
        "alone = self._task.uncancel() >= 0",
        "a limit swallows the cancellation of somebody else",
        SCOPE,
    ),
    Mutant(
        POLICY + "_tasks.py",
        "self._task.get_loop().call_soon(self._deliver)",
        "self._deliver()",
        "what has left a scope is cancelled by it",
        SCOPE,
    ),
    Mutant(
        POLICY + "deadline.py",
        "if call.deadline.remaining() != 0 or not _is_timeout(error):",
        "if call.deadline.remaining() != 0:",
        "whatever fails at the deadline is called late",
        DEADLINE,
    ),
    Mutant(
        CORE + "errors.py",
        "if self.limit is not None and self.limit < SHORT_LIMIT:",
        "if self.limit is not None and self.limit <= SHORT_LIMIT:",
        "a target that was given its time is not blamed",
        ERRORS,
    ),
    # Streams.
    Mutant(
        CORE + "streams.py",
        "        try:\n            self._source.abort()\n        finally:",
        "        try:\n            pass\n        finally:",
        "a stream that is left keeps its connection",
        STREAMS,
    ),
    Mutant(
        CORE + "streams.py",
        "        except BaseException:\n            source.abort()\n            raise\n",
        "        except BaseException:\n            raise\n",
        "a stream that cannot be opened keeps its connection",
        STREAMS,
    ),
    Mutant(
        CORE + "streams.py",
        "            self._close(Outcome.ABANDONED)\n            raise\n",
        "            raise\n",
        "a cancelled read keeps its connection until the stream is dropped",
        STREAMS,
    ),
    Mutant(
        CORE + "streams.py",
        "        self._error = None\n        for finisher",
        "        for finisher",
        "a failed stream and its error keep each other alive",
        STREAMS,
    ),
    Mutant(
        CORE + "streams.py",
        "            _call_all(callbacks[index + 1 :], outcome)\n",
        "",
        "a callback that raises keeps the others from being called",
        STREAMS,
    ),
    Mutant(
        CORE + "streams.py",
        "                raise InvalidResponseError(_CUT)\n            shown",
        "                return False\n            shown",
        "half an answer looks like a whole one",
        STREAMS,
    ),
    Mutant(
        CORE + "streams.py",
        "return batch if self._outcome is None else ()",
        "return batch",
        "what arrives after a cancellation is shown",
        STREAMS,
    ),
    Mutant(
        CORE + "commit.py",
        "if self._lifecycle > self.MAX_LIFECYCLE:",
        "if self._lifecycle >= self.MAX_LIFECYCLE:",
        "a stream commits one event too early",
        STREAMS,
    ),
    Mutant(
        CORE + "commit.py",
        "            self._lifecycle += 1\n",
        "",
        "events without content are buffered without end",
        STREAMS,
    ),
    Mutant(
        CORE + "commit.py",
        'return len(value) if value.isascii() else len(value.encode(errors="surrogatepass"))',
        "return len(value)",
        "four times as much is held as is said",
        STREAMS,
    ),
    Mutant(
        CORE + "commit.py",
        "size = self.PER_EVENT + sum(",
        "size = sum(",
        "events without words are held without end",
        STREAMS,
    ),
    Mutant(
        CORE + "pending.py",
        "opening, self._opening = self._opening, None",
        "opening = self._opening",
        "a stream that could not be opened is asked for again",
        STREAMS,
    ),
    Mutant(
        CORE + "pending.py",
        "opener, self._open = self._open, None",
        "opener = self._open",
        "a stream can be used twice",
        STREAMS,
    ),
    # Values, and users' own providers.
    Mutant(
        CORE + "journal.py",
        "            self._folded = _fold(self._folded, oldest)\n",
        "            self._folded = None\n",
        "a long call forgets what it cost",
        ("tests/unit/core/test_journal.py",),
    ),
    Mutant(
        CORE + "usage.py",
        "        estimated=one.estimated or other.estimated,\n    )\n\n\ndef _add",
        "        estimated=one.estimated,\n    )\n\n\ndef _add",
        "a sum with an estimate poses as exact",
        ("tests/unit/core/test_journal.py",),
    ),
    Mutant(
        CORE + "adapter.py",
        "        ours.extend(journal)\n        return True",
        "        return True",
        "what a foreign pipeline tried is lost",
        ADAPT,
    ),
    Mutant(
        CORE + "adapter.py",
        "            attempt.record(Outcome.ABANDONED)\n            raise\n",
        "            raise\n",
        "a cancelled attempt is not written down",
        CANCELLED,
    ),
    Mutant(
        CORE + "embeddings.py",
        'return not (b"\\x7f" in high or b"\\xff" in high) or',
        "return True or",
        "vectors with NaN in them are handed on",
        ADAPT,
    ),
    Mutant(
        CORE + "adapt.py",
        "{shown(str(error))}",
        "{error}",
        "secrets of a foreign exception are shown",
        ADAPT,
    ),
    Mutant(
        CORE + "provider.py",
        "        if not call.embedding.texts:\n",
        "        if call.embedding.texts is None:\n",
        "a provider is asked for the vectors of nothing",
        ("tests/unit/decorators/test_base.py",),
    ),
    Mutant(
        CORE + "adapt.py",
        "    except Exception as error:\n",
        "    except OSError as error:\n",
        "a foreign provider's own exceptions escape",
        ADAPT,
    ),
    Mutant(
        CORE + "options.py",
        "        if value is not None:\n",
        "        if value:\n",
        "zero and False are not sent",
        ("tests/unit/core/test_options.py",),
    ),
    Mutant(
        CORE + "tokens.py",
        "    return min(expected, len(text",
        "    return max(expected, len(text",
        "an estimate exceeds its bound",
        ("tests/unit/core/test_tokens.py",),
    ),
    # Formats.
    Mutant(
        WIRE + "sse.py",
        '            self._skip_lf = data.endswith(b"\\r")\n',
        "",
        "a line end that is cut in two counts twice",
        SSE,
    ),
    Mutant(
        WIRE + "sse.py",
        "            data = data.removeprefix(_BOM)\n",
        "",
        "a byte order mark hides the first event",
        SSE,
    ),
    Mutant(
        WIRE + "sse.py",
        "        if len(lines) > self._limit:\n",
        "        if False:\n",
        "an event may be larger than allowed",
        SSE,
    ),
    Mutant(
        CHAT + "stream.py",
        "        if self._reader.finish_reason is not None:\n",
        "        if True:\n",
        "half an answer ends as a whole one",
        CHATS,
    ),
    Mutant(
        CHAT + "stream.py",
        '            and not chunk.get("error")\n',
        "",
        "an error beside words is not seen",
        CHATS,
    ),
    Mutant(
        CHAT + "stream.py",
        '            and choice.get("finish_reason") is None\n',
        "",
        "a finish reason beside words is lost",
        CHATS,
    ),
    Mutant(
        CHAT + "usage.py",
        "        outgoing = (outgoing or 0) + (reasoning or 0)\n",
        "        pass\n",
        "reasoning is not billed where the vendor leaves it out of its output",
        CHATS,
    ),
    Mutant(
        CHAT + "usage.py",
        "    if total in {shown, shown + reasoning}:\n        return total != shown\n",
        "    if total in {shown, shown + reasoning}:\n        return True\n",
        "reasoning is billed twice",
        CHATS,
    ),
    Mutant(
        WIRE + "headers.py",
        '_seconds(headers.get("retry-after-ms"), 0.001)',
        '_seconds(headers.get("retry-after-ms"))',
        "milliseconds are taken for seconds",
        ("tests/unit/wire/test_headers.py",),
    ),
    Mutant(
        WIRE + "headers.py",
        "return max(0.0, then - (now() if here is None else here))",
        "return max(0.0, then - now())",
        "a date counts by our clock and not by the server's",
        ("tests/unit/wire/test_headers.py",),
    ),
    # The engine and the adapters on it.
    Mutant(
        HTTP + "_slots.py",
        "                if slot is not None:\n                    pool.discard(slot)\n",
        "                if slot is not None and isinstance(error, Exception):\n"
        "                    pool.discard(slot)\n",
        "a cancelled call keeps its connection and its permit",
        ENGINE,
    ),
    Mutant(
        HTTP + "_pool.py",
        "        slot.link.kill()\n        if slot in self._busy:\n",
        "        if slot in self._busy:\n",
        "a discarded connection stays open",
        ENGINE,
    ),
    Mutant(
        HTTP + "_pool.py",
        "            self._busy.remove(slot)\n            self._return_permit()\n\n",
        "            self._busy.remove(slot)\n\n",
        "a discarded slot keeps its permit",
        ENGINE,
    ),
    Mutant(
        HTTP + "_pool.py",
        "            if waiter.granted:\n                self._return_permit()\n",
        "",
        "a permit granted to a cancelled waiter is lost",
        ENGINE,
    ),
    Mutant(
        HTTP + "_slots.py",
        "            is_repeat = True\n",
        "            is_repeat = False\n",
        "a request is sent again over one stale connection after the other",
        ENGINE,
    ),
    Mutant(
        HTTP + "_asyncio.py",
        "            self.loop.call_soon_threadsafe(callback, *args)\n",
        "            callback(*args)\n",
        "what another thread lets go does not wake asyncio's loop",
        ENGINE,
    ),
    Mutant(
        HTTP + "_trio.py",
        "            self.loop.run_sync_soon(callback, *args)\n",
        "            callback(*args)\n",
        "what another thread lets go is lost under trio",
        ENGINE,
    ),
    Mutant(
        HTTP + "_asyncio.py",
        "self._is_writable or self._ended or self._buffer)",
        "self._is_writable or self._ended)",
        "an answer to a request that is still being sent is not read",
        ENGINE,
    ),
    Mutant(
        HTTP + "_asyncio.py",
        "            self._receive_rest()\n",
        "",
        "what a peer said before it broke the connection is not read",
        ENGINE,
    ),
    Mutant(
        HTTP + "_asyncio.py",
        "not transport.is_closing() and not transport.get_write_buffer_size()",
        "not transport.is_closing()",
        "a connection is kept whose request has not been sent",
        ENGINE,
    ),
    Mutant(
        HTTP + "_trio.py",
        "        sending.cancel()\n",
        "",
        "an answer to a request that is still being sent is not read under trio",
        ENGINE,
    ),
    Mutant(
        HTTP + "_trio.py",
        "is_open and not self._unsent and",
        "is_open and",
        "a connection is kept under trio whose request has not been sent",
        ENGINE,
    ),
    Mutant(
        HTTP + "_pool.py",
        "            if self._cancel_timer is None:\n                self._set_timer()\n",
        "",
        "idle connections stay open for ever",
        ENGINE,
    ),
    Mutant(
        HTTP + "_pool.py",
        "            self._drop_coldest()\n        self._set_timer()\n",
        "            self._drop_coldest()\n",
        "only the first idle connections are ever closed",
        ENGINE,
    ),
    Mutant(
        HTTP + "_requests.py",
        "    if status not in _REDIRECTION:\n",
        "    if status not in _REDIRECTS:\n",
        "a redirect to nowhere is an answer",
        ENGINE,
    ),
    Mutant(
        HTTP + "_stream.py",
        "            if self._encoded_left < 0:\n                raise self._too_large()\n",
        "",
        "a response that decompresses to nothing may go on for ever",
        ENGINE,
    ),
    Mutant(
        HTTP + "_decoding.py",
        "    if not needed:\n",
        "    if False:\n",
        "an unknown compression hides what the status says",
        ENGINE,
    ),
    Mutant(
        PROVIDERS + "_events.py",
        "            until = min(silent, self.until)\n",
        "            until = self.until\n",
        "a stream may fall silent for ever",
        ADAPTERS,
    ),
    Mutant(
        PROVIDERS + "_http.py",
        "        source.until = inf\n",
        "",
        "the time until the first content cuts a stream that has begun",
        ADAPTERS,
    ),
    Mutant(
        PROVIDERS + "_http.py",
        "        if body.status >= ERROR:\n",
        "        if False:\n",
        "an error response is read as a stream",
        ADAPTERS,
    ),
    Mutant(
        PROVIDERS + "_defaults.py",
        "    return value is None or value is False or value in ((), {})\n",
        "    return not value\n",
        "a default overrides a temperature of 0",
        ADAPTERS,
    ),
    Mutant(
        PROVIDERS + "_defaults.py",
        "{**self._extra, **extra} if self._extra else extra",
        "extra",
        "fields that only one vendor knows cannot be defaults",
        ADAPTERS,
    ),
    Mutant(
        PROVIDERS + "_http.py",
        "{name.lower(): value for name, value in headers.items()}",
        "dict(headers)",
        "a key is not masked if its header is spelt otherwise",
        ADAPTERS,
    ),
    Mutant(
        PROVIDERS + "_arguments.py",
        'if not all("!" <= character <= "~"',
        'if not all(" " <= character <= "~"',
        "half a sentence passes for a key",
        ("tests/unit/adapters/test_doors.py",),
    ),
    Mutant(
        "src/fairlead/cli/failures.py",
        "            _give_up_stdout()\n",
        "            pass\n",
        "a full disk is told twice, the second time by the interpreter",
        ("tests/integration/cli/test_streams.py",),
    ),
    Mutant(
        "src/fairlead/cli/choice.py",
        '"api_key": None, "headers": {}',
        '"headers": {}',
        "a key is sent to an address that it was not meant for",
        ("tests/integration/cli",),
    ),
    # Synchronous calls, and streams to browsers.
    Mutant(
        SYNC + "_loop.py",
        '        context.run(current_async_library_cvar.set, "asyncio")\n',
        "",
        "callers under trio have their calls made as if under trio",
        ("tests/unit/sync/test_provider.py",),
    ),
    Mutant(
        SYNC + "_loop.py",
        "                self.run_soon(work.cancel)\n",
        "",
        "Ctrl-C leaves the call behind it running",
        ("tests/integration/sync/test_interrupt.py",),
    ),
    Mutant(
        SYNC + "_loop.py",
        "        if not loop.is_stopping:\n            future",
        "        if True:\n            future",
        "daemon threads complain when the program ends",
        ("tests/integration/sync/test_exit.py",),
    ),
    Mutant(
        SYNC + "_loop.py",
        "atexit.register(_stop)\n",
        "",
        "the program ends with its connections open",
        ("tests/integration/sync/test_exit.py",),
    ),
    Mutant(
        SYNC + "_loop.py",
        "super().is_closed() or self._process != os.getpid()",
        "super().is_closed()",
        "a forked child takes its parent's streams off the selector",
        ("tests/integration/sync/test_fork.py",),
    ),
    Mutant(
        SYNC + "_loop.py",
        "before=_before_fork, ",
        "",
        "a child is forked while its parent's loop holds the lock of an import",
        ("tests/integration/sync/test_fork.py",),
    ),
    Mutant(
        SYNC + "_loop.py",
        "            del work\n",
        "            pass\n",
        "errors live until the garbage collector runs",
        ("tests/unit/sync/test_provider.py",),
    ),
    Mutant(
        SYNC + "_streams.py",
        "            self._loop.run_soon(self._reading.cancel)\n\n    def _receive",
        "            pass\n\n    def _receive",
        "a dropped stream closes in the thread that drops it",
        ("tests/unit/sync/test_streams.py",),
    ),
    Mutant(
        SYNC + "_streams.py",
        "        if self._opening is not None:\n            self._opening.cancel()\n",
        "",
        "a stream that is being opened cannot be cancelled",
        ("tests/unit/sync/test_streams.py",),
    ),
    Mutant(
        WEB,
        "        except BaseException:\n            self.cancel()\n            raise\n",
        "",
        "the provider goes on when the task that reads the body is cancelled",
        ("tests/unit/services/test_web.py",),
    ),
    Mutant(
        WEB,
        '        if not getattr(self, "_over", True):\n            self._source.cancel()\n',
        "        pass\n",
        "the provider goes on when the body is dropped",
        ("tests/unit/services/test_web.py",),
    ),
    Mutant(
        WEB,
        "        if self._cancel_read is not None:\n            self._cancel_read()\n",
        "",
        "a stream that is being opened is not stopped when the browser leaves",
        ("tests/unit/services/test_web.py",),
    ),
)


def main(words: list[str]) -> int:
    """Try the mutants that *words* choose, or all."""
    chosen = [
        mutant
        for mutant in MUTANTS
        if not words or any(word in f"{mutant.path} {mutant.why}" for word in words)
    ]
    tests = tuple(dict.fromkeys(test for mutant in chosen for test in mutant.tests))
    if not chosen or _run("", "", "", tests) != 0:
        print("nothing is chosen, or the tests fail without any mistake")
        return 1
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        verdicts = list(workers.map(_try, chosen))
    for mutant, verdict in zip(chosen, verdicts, strict=True):
        print(f"{verdict:9} {mutant.path.removeprefix('src/fairlead/'):24} {mutant.why}")
    bad = sum(verdict != "caught" for verdict in verdicts)
    print(f"{len(chosen) - bad} of {len(chosen)} caught")
    return 1 if bad else 0


def _try(mutant: Mutant) -> str:
    if (ROOT / mutant.path).read_text("utf-8").count(mutant.before) != 1:
        return "not found"
    code = _run(mutant.path, mutant.before, mutant.after, mutant.tests)
    return {0: "SURVIVED", 1: "caught"}.get(code, "broken")


def _run(path: str, before: str, after: str, tests: tuple[str, ...]) -> int:
    """What pytest returns for *tests* in a copy of the tree with *after* in place of *before*."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("src", "tests"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", copy)
        if path:
            changed = copy / path
            changed.write_text(changed.read_text("utf-8").replace(before, after), "utf-8")
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        environment = {**os.environ, "PYTHONPATH": "src", "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                [*command, *tests],
                cwd=copy,
                env=environment,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return 1
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
