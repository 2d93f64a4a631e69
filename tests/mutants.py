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
SECONDS = 900
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
SHARED = ("tests/unit/decorators/test_breakers.py",)
POOLS = ("tests/unit/facade/test_key_pools.py",)
GUARDED = ("tests/unit/decorators/test_breaker_provider.py",)
CANCELLED = ("tests/unit/decorators/test_cancellation.py",)
DEADLINE = ("tests/unit/decorators/test_deadline.py",)
FALLBACK = ("tests/unit/decorators/test_fallback.py",)
HEDGE = ("tests/unit/decorators/test_hedge.py",)
HOST = ("tests/unit/decorators/test_task_host.py",)
ROUTER = ("tests/unit/decorators/test_router.py",)
ORDERS = ("tests/unit/decorators/test_router.py", "tests/property/decorators/test_orders.py")
RETRY = ("tests/unit/decorators/test_retry.py",)
QUOTA = ("tests/unit/decorators/test_quota.py", "tests/property/decorators/test_quota.py")
KEYS = ("tests/unit/decorators/test_key_pool.py", "tests/property/decorators/test_keys.py")
SPLIT = ("tests/unit/decorators/test_split.py", "tests/property/decorators/test_split.py")
STREAMS = ("tests/unit/core/test_streams.py",)
ADAPT = ("tests/unit/core/test_adapt.py",)
ERRORS = ("tests/unit/core/test_errors.py",)
FAULTS = ("tests/unit/decorators/test_faults.py",)
USERS_OWN = ("tests/unit/decorators/test_users_own.py",)
SCOPE = ("tests/unit/decorators/test_scope.py",)
LIMITED = ("tests/unit/decorators/test_limits.py",)
LIMITS_CANCELLED = ("tests/unit/decorators/test_limits_cancellation.py",)
LINE = ("tests/unit/decorators/test_line.py",)
CROWD = ("tests/property/decorators/test_limits_in_a_crowd.py",)
BUCKETS = (
    "tests/unit/decorators/test_buckets.py",
    "tests/property/decorators/test_bucket_model.py",
)
ADAPTIVE = ("tests/unit/decorators/test_adaptive.py",)
RATE_HEADERS = ("tests/unit/wire/test_rate_limit_headers.py",)
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
STORES = "src/fairlead/adapters/stores/"
SQLITE = ("tests/unit/adapters/stores/test_sqlite.py",)
TAGS = ("tests/unit/core/test_tags.py",)
ADAPTER = ("tests/unit/core/test_adapter.py",)
LEDGERS = ("tests/unit/adapters/stores/test_ledgers.py",)
SPENDING = ("tests/unit/core/test_spending.py",)
MONEY = ("tests/property/core/test_money.py",)
CONTEXT = ("tests/unit/core/test_context.py", "tests/property/core/test_context.py")
CONTEXT_FIT = ("tests/unit/decorators/test_context.py",)
ROUTING = ("tests/unit/facade/test_routing.py",)
PRICES = ("tests/unit/core/test_prices.py",)
PRICING = ("tests/unit/core/test_pricing.py",)
BOOKS = ("tests/unit/adapters/catalogue",)
CATALOGUE = "src/fairlead/adapters/catalogue/"
COSTS = ("tests/unit/decorators/test_cost.py",)
TYPED = ("tests/unit/services/test_typed.py",)
TOOLS = ("tests/unit/services/test_tools.py",)
TEMPLATES = ("tests/unit/services/test_templates.py",)
PARSING = ("tests/unit/services/test_parsing.py", "tests/property/services/test_parsing.py")
SERVICES = "src/fairlead/services/"

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        POLICY + "logging.py",
        "entry.reason in self._failures",
        "bool(self._failures)",
        "who waits for a turn is said to ask again",
        ("tests/unit/decorators/test_logging.py",),
    ),
    Mutant(
        POLICY + "breaker.py",
        "            return self._store.get(name) or self._store.setdefault(name, self._made())\n",
        "            return self._own.get(name) or self._own.setdefault(name, self._made())\n",
        "those that ask the same target open each for itself",
        SHARED,
    ),
    Mutant(
        POLICY + "breaker.py",
        "{(adapter and adapter.endpoint) or '-'} ",
        "",
        "two endpoints of a vendor have one breaker",
        SHARED,
    ),
    Mutant(
        POLICY + "circuit.py",
        "max(self._open_until, until)",
        "until",
        "what another knows shortens the time that a breaker stays open",
        SHARED,
    ),
    Mutant(
        POLICY + "keys.py",
        "if 0 < seconds < inf}",
        "if seconds > 0}",
        "a key that was reloaded dies again of what others remember",
        KEYS,
    ),
    Mutant(
        "src/fairlead/assembly/pipeline.py",
        "store = LocalBreakers() if keys and breakers is None else breakers",
        "store = breakers",
        "each key finds out by itself that its vendor is down",
        POOLS,
    ),
    Mutant(
        "src/fairlead/adapters/providers/_settings.py",
        "            if value is not None and info.data.get(other):\n",
        "            if value is None:\n",
        "one key is left out in silence for several",
        POOLS,
    ),
    Mutant(
        "src/fairlead/settings/names.py",
        " or any(map(_has_secret, get_args(each)))",
        "",
        "a list of keys is no secret",
        POOLS,
    ),
    Mutant(
        CORE + "bounds.py",
        "seconds=None if self.seconds is None else inf,",
        "seconds=None,",
        "how long a batch takes is unknown, although there is a deadline",
        ("tests/unit/core/test_bounds.py", "tests/unit/assembly/test_explain.py"),
    ),
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
        POLICY + "breakers.py",
        "            self._breakers.move_to_end(name)\n",
        "            pass\n",
        "a flood of model names makes it forget what is open",
        GUARDED,
    ),
    Mutant(
        POLICY + "_base.py",
        "asked = asked.removeprefix(self.name + separator)",
        "asked = asked.removeprefix(separator)",
        "one model has several breakers",
        GUARDED,
    ),
    Mutant(
        POLICY + "breaker.py",
        "            return plan.map(lambda target: replace(target, probes=True))\n",
        "            pass\n",
        "an open breaker that may be probed is never asked again",
        (*GUARDED, *FALLBACK),
    ),
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
        "if left is None or wait < left:",
        "if left is None or wait <= left:",
        "waits until nothing is left of the deadline",
        RETRY,
    ),
    Mutant(
        POLICY + "retry.py",
        "elif asked > self._backoff.longest_retry_after:",
        "elif asked >= self._backoff.longest_retry_after:",
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
    Mutant(
        POLICY + "retry.py",
        "                self._release(call, paid)\n",
        "",
        "a repeat that was never made stays paid",
        QUOTA,
    ),
    Mutant(
        POLICY + "retry.py",
        "(cost := self._pay(call, kind)) is None:",
        "(cost := self._pay(call, kind) or 0) is None:",
        "an empty quota does not end repeats",
        QUOTA,
    ),
    Mutant(
        POLICY + "retry.py",
        "                paid = cost\n",
        "                paid += cost\n",
        "all repeats come back instead of the last",
        QUOTA,
    ),
    Mutant(
        POLICY + "quota.py",
        "if cost > self._left:",
        "if cost >= self._left:",
        "the last coins cannot be spent",
        QUOTA,
    ),
    Mutant(
        POLICY + "quota.py",
        "self._left = min(self._left + (paid or REWARD), self._capacity)",
        "self._left += paid or REWARD",
        "the quota overflows",
        QUOTA,
    ),
    Mutant(
        POLICY + "key_pool.py",
        "                pool.release(lease, call.now())\n                raise\n",
        "                raise\n",
        "a cancelled probe keeps others of its account away",
        KEYS,
    ),
    Mutant(
        POLICY + "key_pool.py",
        "            self._pool.release(lease, call.now())\n            raise\n",
        "            raise\n",
        "a predicate that raises keeps a probe",
        KEYS,
    ),
    Mutant(
        POLICY + "key_pool.py",
        "            error.retry_after = None\n",
        "            pass\n",
        "a repeat waits for a key that rests though another is free",
        KEYS,
    ),
    Mutant(
        POLICY + "key_pool.py",
        "            tried.clear()\n",
        "            pass\n",
        "keys that were taken up under way are taken for tried",
        KEYS,
    ),
    Mutant(
        POLICY + "key_pool.py",
        "return Plan(plan.targets) if plan.children else plan",
        "return plan",
        "a key's own children are handed to another key",
        KEYS,
    ),
    Mutant(
        POLICY + "key_pool.py",
        " or not call.attempts_left:",
        ":",
        "keys ignore how often a chain may ask",
        KEYS,
    ),
    Mutant(
        POLICY + "keys.py",
        "        self._order.move_to_end(place)\n",
        "",
        "one key alone is asked",
        KEYS,
    ),
    Mutant(
        POLICY + "keys.py",
        "return self._store.until(self._keys[lease.place].account) == lease.probe",
        "return True",
        "a late probe undoes what a later one found",
        KEYS,
    ),
    Mutant(
        POLICY + "keys.py",
        "lease.probe is None or lease.generation != self._generation:",
        "lease.probe is None:",
        "a probe from before a reload speaks for new keys",
        KEYS,
    ),
    Mutant(
        POLICY + "keys.py",
        "if fate is KeyFate.KEPT or lease.generation != self._generation:",
        "if fate is KeyFate.KEPT:",
        "a new key dies of an old one's failure",
        KEYS,
    ),
    Mutant(
        POLICY + "keys.py",
        "            self._store.rest(key.account, probe)\n",
        "",
        "all calls at once try whether an account may spend again",
        KEYS,
    ),
    Mutant(
        POLICY + "keys.py",
        "self._until[name] = max(self.until(name), until)",
        "self._until[name] = until",
        "a late answer shortens a rest",
        KEYS,
    ),
    Mutant(
        POLICY + "split.py",
        "while self._failure is None and self._running",
        "while self._running",
        "parts are sent though one has failed for good",
        SPLIT,
    ),
    Mutant(
        POLICY + "split.py",
        "            journal.asked -= 1\n",
        "            pass\n",
        "parts side by side use up the attempts of a chain",
        SPLIT,
    ),
    Mutant(
        POLICY + "split.py",
        "place - start >= items or",
        "place - start > items or",
        "a part has one text too many",
        SPLIT,
    ),
    Mutant(
        POLICY + "split.py",
        "            group.cancel_scope.cancel()  # a mistake",
        "            pass  # a mistake",
        "a mistake waits for answers that nobody will see",
        SPLIT,
    ),
    Mutant(
        POLICY + "split.py",
        "            del failure  # its traceback",
        "            pass  # its traceback",
        "an error is kept alive by its own traceback",
        SPLIT,
    ),
    Mutant(
        POLICY + "split.py",
        "            plan=None,\n",
        "",
        "a dispatcher inside is handed the plan for all texts",
        SPLIT,
    ),
    Mutant(
        POLICY + "split.py",
        "if len(part) > 1 and refuses_size(error):",
        "if refuses_size(error):",
        "one text that is too long is halved for ever",
        SPLIT,
    ),
    Mutant(
        POLICY + "split.py",
        "extendleft(reversed(_halves(part)))",
        "extendleft(_halves(part)[:1])",
        "half of what was refused is forgotten",
        SPLIT,
    ),
    Mutant(
        POLICY + "_dispatch.py",
        "not in {Another.NEVER, Another.OPT_IN}",
        "is not Another.NEVER",
        "a bad request is tried everywhere",
        FALLBACK,
    ),
    Mutant(
        POLICY + "_targets.py",
        "if has is None or has <= (needed or 0):",
        "if has is None or has < (needed or 0):",
        "a prompt that is too long goes to a window of the same size",
        FALLBACK,
    ),
    Mutant(
        POLICY + "_dispatch.py",
        "else min(limit, call.attempt_limit)",
        "else max(limit, call.attempt_limit)",
        "a nested chain is granted attempts of its own",
        FALLBACK,
    ),
    Mutant(
        POLICY + "_dispatch.py",
        "and call.deadline.remaining() != 0):",
        "):",
        "targets are asked after the deadline",
        FALLBACK,
    ),
    Mutant(
        POLICY + "_dispatch.py",
        "                walk.forget()\n",
        "                pass\n",
        "errors and the call that raised them keep each other alive",
        FALLBACK,
    ),
    Mutant(
        POLICY + "_targets.py",
        "if target.cannot or _space(target) == space:",
        "if target.cannot or True:",
        "vectors of different spaces are mixed",
        FALLBACK,
    ),
    Mutant(
        POLICY + "_targets.py",
        "return target.model.name or target.provider",
        "return target.model.name or ''",
        "unknown spaces are taken for the same",
        FALLBACK,
    ),
    Mutant(
        POLICY + "_targets.py",
        "error.__cause__ = errors[0]",
        "error.__cause__ = errors[-1]",
        "the cause is the last error, not the first",
        FALLBACK,
    ),
    Mutant(
        POLICY + "_dispatch.py",
        "key not in self._logged and len(self._logged) < self.MAX_REMEMBERED",
        "len(self._logged) < self.MAX_REMEMBERED",
        "every switch is logged",
        FALLBACK,
    ),
    Mutant(
        POLICY + "_dispatch.py",
        'return cast("T", cast("Any", result).warned(f"{ANSWERED_BY}{label}, as {reasons}"))',
        "return result",
        "a switch is hidden",
        FALLBACK,
    ),
    Mutant(
        POLICY + "_dispatch.py",
        "call.plan if call.plan is not None and call.plan.children else",
        "call.plan if call.plan is not None else",
        "a plan without children hides all targets",
        FALLBACK,
    ),
    Mutant(
        POLICY + "_tasks.py",
        "context=copy_context()",
        "context=None",
        "a task on trio runs in nobody's context",
        HOST,
    ),
    Mutant(
        POLICY + "_tasks.py",
        "            if self._begun:\n                with suppress",
        "            if True:\n                with suppress",
        "work that is cancelled early is never begun, and cleans nothing up",
        HOST,
    ),
    Mutant(
        POLICY + "_tasks.py",
        "        if task.home not in self._tasks:\n            self._forget_the_dead()\n",
        "",
        "tasks of closed loops are kept for ever",
        HOST,
    ),
    Mutant(
        POLICY + "_tasks.py",
        "        if not tasks:  # nor",
        "        if False:  # nor",
        "loops are kept alive by those who used them",
        HOST,
    ),
    Mutant(
        POLICY + "_race.py",
        "        self.task.cancel()\n        while",
        "        while",
        "who is given up goes on",
        CANCELLED,
    ),
    Mutant(
        POLICY + "_race.py",
        "        if race.over:\n            _close(result)\n            return\n",
        "        if race.over:\n            return\n",
        "a stream that comes too late stays open",
        HEDGE,
    ),
    Mutant(
        POLICY + "_race.py",
        "        while self._results:\n            _close(self._results.pop())\n",
        "        self._results.clear()\n",
        "a winner's stream that nobody takes stays open",
        HEDGE,
    ),
    Mutant(
        POLICY + "_race.py",
        "                racer.give_up()\n\n    def forget",
        "                pass\n\n    def forget",
        "losers run on",
        HEDGE,
    ),
    Mutant(
        POLICY + "_race.py",
        "        await checkpoint()\n\n    def result",
        "        pass\n\n    def result",
        "what the loser cost is not in the journal when the answer is there",
        HEDGE,
    ),
    Mutant(
        POLICY + "_race.py",
        "        if self._race.over:\n            return\n        self.error",
        "        self.error",
        "a loser that was given up is told of as if it had failed",
        HEDGE,
    ),
    Mutant(
        POLICY + "_race.py",
        "        for racer in self.racers:\n            racer.error = None\n",
        "        pass\n",
        "the errors of a race and the race keep each other alive",
        HEDGE,
    ),
    Mutant(
        POLICY + "hedge.py",
        "            race.abandon()\n            raise",
        "            raise",
        "a caller that leaves leaves both racers running",
        HEDGE,
    ),
    Mutant(
        POLICY + "hedge.py",
        "call.with_(attempt_limit=call.attempt_limit - 1)",
        "call",
        "two racers exceed the cap on attempts",
        HEDGE,
    ),
    Mutant(
        POLICY + "hedge.py",
        "        if now.probes:\n",
        "        if False:\n",
        "a hedge takes the place of a probe",
        HEDGE,
    ),
    Mutant(
        POLICY + "hedge.py",
        "obstacle = target.obstacle or now.obstacle",
        "obstacle = target.obstacle",
        "a circuit that opened meanwhile is not seen",
        HEDGE,
    ),
    Mutant(
        POLICY + "hedge.py",
        "self._is_safe(walk.call)",
        "self._is_safe(call)",
        "effects at another vendor of the chain are not seen",
        HEDGE,
    ),
    Mutant(
        POLICY + "hedge.py",
        "or walk.hedged:",
        "or False:",
        "a call has two hedges",
        HEDGE,
    ),
    Mutant(
        POLICY + "hedge.py",
        "            await super().aclose()\n",
        "            pass\n",
        "targets are never closed",
        HEDGE,
    ),
    Mutant(
        POLICY + "hedge.py",
        "if not racer.running or (usual is not None and seconds > usual):",
        "if True:",
        "whoever is given up early counts as fast",
        HEDGE,
    ),
    Mutant(
        POLICY + "hedging.py",
        "return self._sorted[ceil(count * self._quantile) - 1]",
        "return self._sorted[min(ceil(count * self._quantile), count - 1)]",
        "the quantile is one too high",
        HEDGE,
    ),
    Mutant(
        POLICY + "hedging.py",
        "        if self._saved < self.MOST:\n",
        "        if True:\n",
        "credit is saved up without an end",
        HEDGE,
    ),
    Mutant(
        POLICY + "router.py",
        "        except BaseException:\n            route.running -= 1\n",
        "        except BaseException:\n",
        "who fails stays busy for ever",
        ROUTER,
    ),
    Mutant(
        POLICY + "router.py",
        "            result.on_close(route.closed)\n",
        "            route.running -= 1\n",
        "an open stream keeps nobody busy",
        ROUTER,
    ),
    Mutant(
        POLICY + "router.py",
        "            places = list(dict.fromkeys(places))\n",
        "            pass\n",
        "an order can have a target asked twice",
        ROUTER,
    ),
    Mutant(
        POLICY + "router.py",
        "        if plan is not self._base or",
        "        if",
        "a plan is kept that its targets no longer say",
        ROUTER,
    ),
    Mutant(
        POLICY + "routes.py",
        "_mixed(whose ^ route.salt)",
        "(whose ^ route.salt)",
        "the hash is not spread over all bits",
        ORDERS,
    ),
    Mutant(
        POLICY + "routes.py",
        "return [1 / (share or _NOTHING) for share in shares]",
        "return [share or _NOTHING for share in shares]",
        "the smaller the weight, the more calls",
        ORDERS,
    ),
    Mutant(
        POLICY + "routes.py",
        "elif answered or seconds > known[0]:",
        "else:",
        "who fails at once counts as fast",
        ROUTER,
    ),
    Mutant(
        POLICY + "orders.py",
        "places.pop(min(one, other))",
        "places.pop(one)",
        "there is one choice, and not two",
        ROUTER,
    ),
    Mutant(
        POLICY + "orders.py",
        "(route.running + 1)",
        "1",
        "all run to the fastest at once",
        ROUTER,
    ),
    Mutant(
        POLICY + "orders.py",
        "return inf if price is None else",
        "return 0.0 if price is None else",
        "who is cheap is unknown",
        ROUTER,
    ),
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
        CORE + "outcomes.py",
        "            call_all(callbacks[index + 1 :], outcome)\n",
        "",
        "a callback that raises keeps the others from being called",
        STREAMS,
    ),
    Mutant(
        CORE + "streams.py",
        "                raise InvalidResponseError(_CUT)\n            if self._reckon",
        "                return False\n            if self._reckon",
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
        "return CommitGate.PER_EVENT + sum(",
        "return sum(",
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
    Mutant(
        CORE + "journal.py",
        "            self._folded = _fold(self._folded, oldest)\n",
        "            self._folded = None\n",
        "a long call forgets what it cost",
        ("tests/unit/core/test_journal.py",),
    ),
    Mutant(
        CORE + "usage.py",
        "        estimated=one.estimated or other.estimated,\n    )\n\n\ndef add_cost",
        "        estimated=one.estimated,\n    )\n\n\ndef add_cost",
        "a sum with an estimate poses as exact",
        ("tests/unit/core/test_journal.py",),
    ),
    Mutant(
        CORE + "attempts.py",
        "        ours.extend(journal)\n        return True",
        "        return True",
        "what a foreign pipeline tried is lost",
        ADAPT,
    ),
    Mutant(
        CORE + "adapter.py",
        "            attempt.record(Outcome.ABANDONED, usage=attempt.seen())\n            raise\n",
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
        "sum(len(_bytes(words)) for words in _words(message))",
        "sum(len(words) for words in _words(message))",
        "an estimate exceeds its bound",
        ("tests/unit/core/test_tokens.py",),
    ),
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
        "        if held + len(lines) > self._limit:\n",
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
    Mutant(
        POLICY + "limits.py",
        "except BaseException as error:\n            lane.failed",
        "except Exception as error:\n            lane.failed",
        "a call that is cancelled on its way keeps its place",
        CANCELLED,
    ),
    Mutant(
        POLICY + "limits.py",
        "        except BaseException:\n            line.leave(ticket)\n            raise",
        "        except Exception:\n            line.leave(ticket)\n            raise",
        "a cancelled call stays in the line for ever",
        LIMITS_CANCELLED,
    ),
    Mutant(
        POLICY + "limits.py",
        "            result.on_close(lambda outcome: lane.closed(call, ticket, outcome))",
        "            lane.line.stop()",
        "a stream gives its place back as soon as it is open",
        LIMITED,
    ),
    Mutant(
        POLICY + "limits.py",
        "                if self._in_vain(call):\n",
        "                if False:\n",
        "what would be refused inside waits all the same",
        LIMITED,
    ),
    Mutant(
        POLICY + "limits.py",
        "                if ticket.woken:\n                    continue\n",
        "",
        "what changes while the store is asked is missed",
        LIMITED,
    ),
    Mutant(
        POLICY + "limits.py",
        "if left is not None and sure >= left:",
        "if False:",
        "a wait that does not fit the deadline is waited for",
        LIMITED,
    ),
    Mutant(
        POLICY + "limits.py",
        "        if call.deadline.remaining() == 0:\n",
        "        if False:\n",
        "nobody leaves the line at the deadline",
        LIMITED,
    ),
    Mutant(
        POLICY + "limits.py",
        "        if not lane.line.free or not lane.line.is_first(ticket):",
        "        if not lane.line.free:",
        "whoever looks first overtakes",
        LIMITED + LIMITS_CANCELLED + CROWD,
    ),
    Mutant(
        POLICY + "limits.py",
        "            with self.scope(PATIENCE):\n",
        "            with self.scope(None):\n",
        "a slow store holds all calls up",
        LIMITED,
    ),
    Mutant(
        POLICY + "lane.py",
        "        if not self.line.idle or self.look",
        "        if not self.line.free or self.look",
        "newcomers overtake those who wait",
        LIMITED + CROWD,
    ),
    Mutant(
        POLICY + "lane.py",
        "        return most_output(call) is not None\n",
        "        return True\n",
        "what might fit is refused",
        LIMITED,
    ),
    Mutant(
        POLICY + "lane.py",
        "            used = NOTHING if unsent else Amount(1, ticket.certain)",
        "            used = Amount(1, ticket.certain)",
        "what was never sent is paid for",
        LIMITED,
    ),
    Mutant(
        POLICY + "lane.py",
        "        if whole:\n            self._output +=",
        "        if False:\n            self._output +=",
        "what answers have had of late is not learnt",
        LIMITED,
    ),
    Mutant(
        POLICY + "lane.py",
        "            self._settle(call, ticket.need, ticket.need, now)\n",
        "            pass\n",
        "an open stream counts as on its way until it is closed",
        LIMITS_CANCELLED,
    ),
    Mutant(
        POLICY + "lane.py",
        "            self._settle(call, NOTHING, Amount(0, tokens - ticket.need[1]), now)",
        "            self._settle(call, NOTHING, Amount(0, 0), now)",
        "a stream keeps the tokens that it did not need",
        LIMITED,
    ),
    Mutant(
        POLICY + "lane.py",
        "            resets = [kind.reset for kind in kinds if kind.remaining == 0]",
        "            resets = [kind.reset for kind in kinds]",
        "a refusal waits for the reset of what is not used up",
        LIMITED,
    ),
    Mutant(
        POLICY + "line.py",
        "        if was_first:\n            self.wake_first()",
        "        self.wake_first()",
        "each that leaves wakes somebody",
        LINE + CROWD,
    ),
    Mutant(
        POLICY + "line.py",
        "        if was_first:\n            self.wake_first()",
        "        pass",
        "the next one is never woken",
        LINE,
    ),
    Mutant(
        POLICY + "line.py",
        "        self.running -= 1\n        self.wake_first()",
        "        self.running -= 1",
        "a free place wakes nobody",
        LINE,
    ),
    Mutant(
        POLICY + "line.py",
        "            first.woken = True\n",
        "",
        "nobody knows that he was woken",
        LINE,
    ),
    Mutant(
        POLICY + "line.py",
        "if self._waiting and len(self._waiting) >= self._max_queued:",
        "if len(self._waiting) > self._max_queued:",
        "the line is one longer than it may be",
        LINE,
    ),
    Mutant(
        POLICY + "buckets.py",
        "        self._full_at = max(self._full_at, now) + amount / self.per_second",
        "        self._full_at = self._full_at + amount / self.per_second",
        "what a full bucket did not hold was there all the same",
        BUCKETS,
    ),
    Mutant(
        POLICY + "buckets.py",
        "        left: float = told.remaining - self.pending",
        "        left: float = told.remaining",
        "what is on its way is counted as still there",
        BUCKETS,
    ),
    Mutant(
        POLICY + "buckets.py",
        "                left = min(left, self.bucket.level(now))",
        "                pass",
        "a vendor that allows more makes us exceed our own limit",
        BUCKETS,
    ),
    Mutant(
        POLICY + "buckets.py",
        "told.limit > own.capacity):",
        "told.limit >= own.capacity):",
        "the vendor's count of our very limit is not believed",
        BUCKETS,
    ),
    Mutant(
        POLICY + "buckets.py",
        "            self.bucket.overwrite(min(self.bucket.level(now), 0.0), now)",
        "            pass",
        "a refusal empties nothing",
        BUCKETS,
    ),
    Mutant(
        POLICY + "buckets.py",
        "        self.shut_until = max(self.shut_until, until)",
        "        self.shut_until = until",
        "a later word opens earlier",
        BUCKETS,
    ),
    Mutant(
        POLICY + "buckets.py",
        "        if now < self.seen:\n            self.follow(now)",
        "        if False:\n            self.follow(now)",
        "the clock of a new loop stops everything for long",
        BUCKETS,
    ),
    Mutant(
        POLICY + "buckets.py",
        "        if wait > 0.0 or shut > TICK:",
        "        if shut > TICK:",
        "it takes what is not there",
        BUCKETS,
    ),
    Mutant(
        POLICY + "buckets.py",
        "        if amount < capacity:",
        "        if True:",
        "what never fits is never given",
        BUCKETS,
    ),
    Mutant(
        POLICY + "buckets.py",
        "        return wait if wait > TICK else 0.0\n\n    def take",
        "        return max(wait, 0.0)\n\n    def take",
        "what a clock cannot tell from now is waited for",
        BUCKETS,
    ),
    Mutant(
        POLICY + "adaptive.py",
        "self._set(self._peak * BETA, measured, now)",
        "self._set(self._peak, measured, now)",
        "a refusal does not slow down",
        ADAPTIVE,
    ),
    Mutant(
        POLICY + "adaptive.py",
        "max(min(per_second, AHEAD * measured), LEAST)",
        "max(per_second, LEAST)",
        "it runs far ahead of what was measured",
        ADAPTIVE,
    ),
    Mutant(
        POLICY + "adaptive.py",
        "        if now < self._refused_at:",
        "        if False:",
        "on a new clock it waits for days",
        ADAPTIVE,
    ),
    Mutant(
        WIRE + "headers.py",
        "    unknown = limit == 0 or (told is not None and limit is None)",
        "    unknown = False",
        "what Azure does not know is taken for nothing left",
        RATE_HEADERS,
    ),
    Mutant(
        WIRE + "headers.py",
        "        0 if spent else (one.remaining or 0) + (other.remaining or 0),",
        "        (one.remaining or 0) + (other.remaining or 0),",
        "one of two limits that is used up is overlooked",
        RATE_HEADERS,
    ),
    Mutant(
        WIRE + "headers.py",
        "seconds is not None and seconds <= LONGEST_RESET else None",
        "seconds is not None else None",
        "a date is taken for a wait of decades",
        RATE_HEADERS,
    ),
    Mutant(
        CORE + "bounds.py",
        "most = self.all.least(self.each.times(attempts))",
        "most = self.all",
        "a cap on attempts does not cap what they consume",
        ("tests/unit/core/test_bounds.py",),
    ),
    Mutant(
        CORE + "bounds.py",
        "        if seconds is None or self.seconds is None:\n",
        "        if seconds is None:\n",
        "a limit makes a time known that is not",
        ("tests/unit/core/test_bounds.py",),
    ),
    Mutant(
        POLICY + "_base.py",
        "        if type(self).handle is not Decorator.handle:\n            return UNKNOWN\n",
        "",
        "a policy that does not tell is taken to ask once",
        ("tests/unit/assembly/test_explain.py",),
    ),
    Mutant(
        POLICY + "faults.py",
        "            self._record(call, error)\n            raise error\n        result",
        "            raise error\n        result",
        "an error on purpose is no attempt, so no cap holds",
        FAULTS,
    ),
    Mutant(
        POLICY + "faults.py",
        "            stream.tee(cut.passed)\n",
        "",
        "a stream is not cut",
        FAULTS,
    ),
    Mutant(
        POLICY + "faults.py",
        "        if fault.cut_after == 0:\n            stream.cancel()\n",
        "        if fault.cut_after == 0:\n",
        "a stream that is cut before its commit stays open",
        FAULTS,
    ),
    Mutant(
        POLICY + "faults.py",
        "    raised = copy(error)\n",
        "    raised = error\n",
        "two calls write on one error",
        FAULTS,
    ),
    Mutant(
        STORES + "_sqlite.py",
        """if isinstance(error, sqlite3.OperationalError) or""",
        """if""",
        "a full disk is not told as one",
        SQLITE,
    ),
    Mutant(
        STORES + "_sqlite.py",
        "os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600",
        "os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644",
        "others on the machine can read the file of SQLite",
        SQLITE,
    ),
    Mutant(
        STORES + "_sqlite.py",
        "if version > self._schema.version:",
        "if version < self._schema.version:",
        "a newer file of SQLite is written to",
        SQLITE,
    ),
    Mutant(
        STORES + "_sqlite.py",
        "and self._file != _identity(self.path)",
        "and not self.path",
        "writes go to a file that was deleted",
        SQLITE,
    ),
    Mutant(
        STORES + "_sqlite.py",
        """                connection.execute("ROLLBACK")""",
        """                connection.execute("COMMIT")""",
        "half of what failed is kept",
        SQLITE,
    ),
    Mutant(
        STORES + "_sqlite.py",
        "with anyio.CancelScope(shield=True):",
        "with anyio.CancelScope():",
        "a file of SQLite stays open where the caller is cancelled",
        SQLITE,
    ),
    Mutant(
        STORES + "_sqlite.py",
        "self._connection, self._torn, self._lock = None, True, threading.Lock()",
        "self._torn, self._lock = False, threading.Lock()",
        "a child process goes on with its parent's connection",
        SQLITE,
    ),
    Mutant(
        CORE + "tags.py",
        "{**around, **own}",
        "{**own, **around}",
        "the tags of the context win over the call's own",
        TAGS,
    ),
    Mutant(
        CORE + "tags.py",
        "_frame.set(None if frame is None else frame.around)",
        "_frame.set(None)",
        "leaving an inner block takes the outer tags away",
        TAGS,
    ),
    Mutant(
        CORE + "adapter.py",
        "attempt.record(Outcome.ABANDONED, usage=attempt.seen())",
        "attempt.record(Outcome.ABANDONED)",
        "an abandoned attempt is booked as if it had cost nothing",
        ADAPTER,
    ),
    Mutant(
        CORE + "attempts.py",
        "return error.sent is not False",
        "return False",
        "the input of a timeout is not booked",
        ADAPTER,
    ),
    Mutant(
        CORE + "attempts.py",
        "return isinstance(error, ProviderConnectionError) and error.sent is True",
        "return isinstance(error, ProviderError) and error.sent is True",
        "what a vendor refused is booked as consumed",
        ADAPTER,
    ),
    Mutant(
        CORE + "journal.py",
        "        self._ids += 1",
        "        self._ids = 1",
        "two attempts have the same id",
        ADAPTER,
    ),
    Mutant(
        STORES + "ledger_sqlite.py",
        " ON CONFLICT (id) DO NOTHING",
        " ON CONFLICT (id) DO UPDATE SET at = excluded.at",
        "an entry that is recorded twice changes the first",
        (*LEDGERS, *MONEY),
    ),
    Mutant(
        STORES + "ledger_sqlite.py",
        "now - YOUNG))",
        "now))",
        "what may be recorded again is folded and then counted twice",
        LEDGERS,
    ),
    Mutant(
        STORES + "ledger_sqlite.py",
        "if now_folded > max(folded, after[0]):",
        "if now_folded > math.inf:",
        "a reader silently misses what is folded meanwhile",
        LEDGERS,
    ),
    Mutant(
        CORE + "usage.py",
        "Context(prec=200, traps=[]).add(one, other)",
        "one + other",
        "sums of money are rounded",
        MONEY,
    ),
    Mutant(
        CORE + "ledger.py",
        "if amount < 0 and not negative:",
        "if amount < 0 and negative:",
        "a negative cost is booked",
        LEDGERS,
    ),
    Mutant(
        CORE + "retention.py",
        "cost and (cost.source, cost.estimated),",
        "cost and cost.source,",
        "folding mixes costs with estimates of them",
        MONEY,
    ),
    Mutant(
        CORE + "spending.py",
        "Booking.CORRECTION: self.spent,",
        "Booking.CORRECTION: self.wasted,",
        "corrections change what was wasted",
        SPENDING,
    ),
    Mutant(
        CORE + "context.py",
        "        if cutting.total <= limit:",
        "        if cutting.total <= window:",
        "what was cut takes the room of the answer",
        CONTEXT,
    ),
    Mutant(
        CORE + "context.py",
        "        end = max(end, reach[index])",
        "        end = index",
        "a call is parted from its result",
        CONTEXT,
    ),
    Mutant(
        CORE + "context.py",
        "for block in self._early())",
        "for block in self._early()[::-1])",
        "the newest turn goes first",
        CONTEXT,
    ),
    Mutant(
        CORE + "context.py",
        "        if message.role is not Role.SYSTEM:",
        "        if message.role is not None:",
        "system messages are left out like any other",
        CONTEXT,
    ),
    Mutant(
        CORE + "context.py",
        "yield from self._shortening(range(last[0]))",
        "yield from self._shortening(range(last[-1] + 1))",
        "the newest result is shortened before old turns go",
        CONTEXT,
    ),
    Mutant(
        CORE + "context.py",
        "        if now < self._weights[index]:",
        "        if True:",
        "what is short is shortened, and said to be",
        CONTEXT,
    ),
    Mutant(
        CORE + "context.py",
        "    if read < least:",
        "    if read <= least:",
        "a prompt that was read is said to be cut",
        CONTEXT,
    ),
    Mutant(
        CORE + "context.py",
        "    if expected <= read:",
        "    if expected < read:",
        "a prompt that fills its window is said to be cut",
        CONTEXT,
    ),
    Mutant(
        POLICY + "context.py",
        "told = replace(target, request=fitted.request, cannot=cannot)",
        "told = replace(target, cannot=cannot)",
        "all targets are asked what fits the first",
        CONTEXT_FIT,
    ),
    Mutant(
        POLICY + "context.py",
        "if cannot is not None and cannot == obstacle(request, target.model):",
        "if cannot is not None:",
        "what a policy below refuses is asked",
        CONTEXT_FIT,
    ),
    Mutant(
        POLICY + "context.py",
        'if self._truncation == "ignore" or answer.metadata.cached:',
        'if self._truncation == "ignore":',
        "an answer from a cache is held against a server",
        CONTEXT_FIT,
    ),
    Mutant(
        CORE + "adapt.py",
        '    given.pop("system_prompt", None)\n',
        "",
        "a system prompt is said twice to users' own providers",
        CONTEXT_FIT,
    ),
    Mutant(
        POLICY + "_dispatch.py",
        "            if not share_space(plan, spare):\n",
        "            if not spare.targets:\n",
        "vectors of the last resort spoil an index",
        ROUTING,
    ),
    Mutant(
        "src/fairlead/assembly/routing.py",
        'if problem is None or canonical(given.partition(":")[0]) in absent:',
        "if problem is None or absent:",
        "one provider that is left out hides that another is misspelt",
        ROUTING,
    ),
    Mutant(
        "src/fairlead/assembly/routing.py",
        "if hedges and resolved.model.strategy is not None:",
        "if hedges and resolved.model.strategy is None:",
        "a hedge is left out in silence for a router",
        ROUTING,
    ),
    Mutant(
        "src/fairlead/assembly/sections.py",
        "        if lacks:\n",
        "        if lacks and idle:\n",
        "a strategy goes without what it needs",
        ROUTING,
    ),
    Mutant(
        CORE + "attempts.py",
        "            self._adapter.misconfigured = None\n",
        "            pass\n",
        "a target that answers is called misconfigured for ever",
        ("tests/unit/core/test_adapter.py",),
    ),
    Mutant(
        CORE + "attempts.py",
        "if error.verdict.misconfigured and self._asks_its_own_model():",
        "if error.verdict.misconfigured:",
        "a call with a misspelt model makes its target look misconfigured",
        ("tests/unit/core/test_adapter.py",),
    ),
    Mutant(
        "src/fairlead/assembly/explain.py",
        "obstacles=(*_obstacles(plan), *_mistakes(adapter)),",
        "obstacles=_obstacles(plan),",
        "explain hides who is misconfigured",
        ("tests/unit/facade/test_health.py",),
    ),
    Mutant(
        "src/fairlead/assembly/routing.py",
        'canonical(given.partition(":")[0]) in absent:',
        "absent:",
        "one provider that is left out hides that another is misspelt",
        ROUTING,
    ),
    Mutant(
        CORE + "prices.py",
        "if input_tokens <= above:",
        "if input_tokens < above:",
        "a step holds one token too early",
        PRICES,
    ),
    Mutant(
        CORE + "prices.py",
        "count -= its",
        "count -= 0",
        "what was cached is paid as input once more",
        PRICES,
    ),
    Mutant(
        CORE + "prices.py",
        "        if count < 0:\n            return None",
        "        count = max(count, 0)",
        "parts that are larger than their whole have a cost",
        PRICES,
    ),
    Mutant(
        CORE + "prices.py",
        "if name in _WHOLE and each:",
        "if name in _WHOLE and not each:",
        "tokens that nobody told cost nothing",
        PRICES,
    ),
    Mutant(
        CORE + "prices.py",
        "_EXACT.divide(_EXACT.multiply(rate, Decimal(count)), Decimal(per))",
        "rate * count / per",
        "money is rounded as the program rounds",
        PRICES,
    ),
    Mutant(
        CORE + "prices.py",
        "at.date() < self.since",
        "at.date() <= self.since",
        "a price begins a day late",
        PRICES,
    ),
    Mutant(
        CORE + "prices.py",
        "at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)",
        "at.replace(tzinfo=UTC)",
        "a day is one of wherever the program runs",
        PRICES,
    ),
    Mutant(
        CORE + "prices.py",
        "        if not own:\n            return None",
        "        if not own:\n            return rates",
        "a service tier that nobody knows costs as usual",
        PRICES,
    ),
    Mutant(
        CORE + "prices.py",
        "*(rate for above, rate in self.steps if input_tokens > above)",
        "*()",
        "a bound forgets that long prompts are dearer",
        PRICES,
    ),
    Mutant(
        CORE + "prices.py",
        "service_tier not in {None, tariff.service_tier}",
        "service_tier != tariff.service_tier",
        "a bound forgets that a vendor may serve with priority",
        PRICES,
    ),
    Mutant(
        CORE + "attempts.py",
        "if known.cost is not None or known.usage is None:",
        "if known.usage is None:",
        "a list is believed rather than the vendor",
        PRICING,
    ),
    Mutant(
        CORE + "adapter.py",
        "if planned and self._planned.targets[0].price is price:",
        "if planned:",
        "a plan keeps a price that has changed",
        PRICING,
    ),
    Mutant(
        CORE + "attempts.py",
        "if price is None or (own is not None and own.model == price.model):",
        "if own is not None:",
        "what was asked is priced in place of what answered",
        PRICING,
    ),
    Mutant(
        CORE + "outcomes.py",
        "end.cost is not None or end.usage is None:",
        "end.usage is None:",
        "a stream's own cost is overwritten",
        PRICING,
    ),
    Mutant(
        CORE + "streams.py",
        "self._reckon = self._reckon or cost",
        "self._reckon = cost",
        "whoever wraps a stream prices it once more",
        PRICING,
    ),
    Mutant(
        CATALOGUE + "book.py",
        "exact = asked in each.names or asked == entry[0]",
        "exact = True",
        "what is merely called alike passes for the model itself",
        BOOKS,
    ),
    Mutant(
        CATALOGUE + "book.py",
        "if not own:  #",
        "if own:  #",
        "another vendor's service tiers are taken over",
        BOOKS,
    ),
    Mutant(
        CATALOGUE + "_remember.py",
        "if len(self._known) >= MOST:",
        "if len(self._known) < 0:",
        "names are remembered without end",
        BOOKS,
    ),
    Mutant(
        CATALOGUE + "genai.py",
        "special.insert(0, tariff)",
        "special.append(tariff)",
        "of two variants the wrong one counts",
        BOOKS,
    ),
    Mutant(
        CATALOGUE + "own.py",
        "return None if price is not None and self._exact and not price.exact else price",
        "return price",
        "prices by a rule pass where only exact ones may",
        BOOKS,
    ),
    Mutant(
        PROVIDERS + "_http.py",
        'self._billed_by = http.get("billed_by") or self._base_url',
        'self._billed_by = http.get("billed_by") or name',
        "a server of one's own is priced by the name that it was given",
        ("tests/unit/assembly/test_prices.py",),
    ),
    Mutant(
        "src/fairlead/assembly/build.py",
        "if adapter.prices is UNPRICED:",
        "if adapter is not None:",
        "a provider's own book is replaced",
        ("tests/unit/assembly/test_prices.py",),
    ),
    Mutant(
        POLICY + "cost.py",
        "        elif attempt.outcome is Outcome.SUCCEEDED or _consumed(attempt):",
        "        elif not self._is_over:",
        "the loser of a race is not booked",
        COSTS,
    ),
    Mutant(
        POLICY + "cost.py",
        "same = [each for each in ours if each.usage is answer.metadata.usage]",
        "same: list[Any] = []",
        "the wrong one of two answers is booked as wasted",
        COSTS,
    ),
    Mutant(
        POLICY + "cost.py",
        "                watcher.again()\n",
        "",
        "what was asked again is booked as spent",
        COSTS,
    ),
    Mutant(
        POLICY + "cost.py",
        "self._book(attempt, Booking.SAVED)",
        "self._book(attempt, Booking.SPENT)",
        "what a cache answers is paid a second time",
        COSTS,
    ),
    Mutant(
        POLICY + "cost.py",
        "self._book(attempt, Booking.SPENT if gave else Booking.WASTED)",
        "self._book(attempt, Booking.SPENT)",
        "answers that nobody got are no waste",
        COSTS,
    ),
    Mutant(
        POLICY + "cost.py",
        "        if self._succeeded:  # it has ended already",
        "        if not self._streams:",
        "a stream that ended while it was opened is not booked",
        COSTS,
    ),
    Mutant(
        POLICY + "bookkeeping.py",
        "            self._waiting.extendleft(reversed(batch))",
        "            pass",
        "what a ledger could not write is lost",
        COSTS,
    ),
    Mutant(
        POLICY + "bookkeeping.py",
        "            self._lost += 1",
        "            pass",
        "nobody knows what was lost",
        COSTS,
    ),
    Mutant(
        POLICY + "bookkeeping.py",
        "            with scope(PATIENCE):",
        "            with scope(None):",
        "a ledger that hangs keeps a provider from being closed",
        COSTS,
    ),
    Mutant(
        POLICY + "bookkeeping.py",
        "        with suppress(RuntimeError):  # where no loop runs",
        "        with suppress(KeyError):  # where no loop runs",
        "a finaliser without a loop raises",
        COSTS,
    ),
    Mutant(
        CORE + "streams.py",
        "                raise InvalidResponseError(_CUT)\n            self._take",
        "                return False\n            self._take",
        "half an answer looks like a whole one",
        STREAMS,
    ),
    Mutant(
        CORE + "adapter.py",
        "        ours.extend(journal)\n        return True",
        "        return True",
        "what a foreign pipeline tried is lost",
        ADAPT,
    ),
    Mutant(
        SERVICES + "parsing.py",
        '"space": lambda _: " ",',
        '"space": lambda _: "",',
        "two numbers become one",
        PARSING,
    ),
    Mutant(
        SERVICES + "parsing.py",
        "        return not self.fenced, self.start - self.end",
        "        return False, self.start - self.end",
        "what is longest counts, in a fence or not",
        PARSING,
    ),
    Mutant(
        SERVICES + "parsing.py",
        "                if read.end is None:\n                    break",
        "                if read.end is None:\n                    at = start.end(); continue",
        "a part of half a value is taken for the whole",
        PARSING,
    ),
    Mutant(
        SERVICES + "parsing.py",
        "    if _SERIOUS.match(text, damage.start):\n        return False",
        "    if _SERIOUS.match(text, damage.start):\n        return True",
        "a part of what is damaged is taken for the whole",
        PARSING,
    ),
    Mutant(
        SERVICES + "parsing.py",
        "    cut = cut and _CUT.fullmatch(mended, offset) is not None\n",
        "",
        "what is damaged passes for what is still arriving",
        PARSING,
    ),
    Mutant(
        SERVICES + "parsing.py",
        "_past_fence(self._text, value.end)",
        "value.end",
        "what comes after a fence is taken for its content",
        PARSING,
    ),
    Mutant(
        SERVICES + "typed.py",
        "attempt_limit=max(worst, 1 + max_reasks)",
        "attempt_limit=worst * (1 + max_reasks)",
        "each time that is asked has attempts of its own",
        TYPED,
    ),
    Mutant(
        SERVICES + "typed.py",
        "            call = call.with_(request=replace(call.generation, messages=asked))",
        "            call = Call.generate(asked, options, node.clock(), node.scope)",
        "each time that is asked has a deadline and a journal of its own",
        TYPED,
    ),
    Mutant(
        SERVICES + "typed.py",
        "or call.deadline.remaining() == 0",
        "or False",
        "it is asked again when the time is over",
        TYPED,
    ),
    Mutant(
        SERVICES + "tools.py",
        "if len(generations) > max_rounds:",
        "if len(generations) >= max_rounds:",
        "one round too few",
        TOOLS,
    ),
    Mutant(
        SERVICES + "tools.py",
        '        options["tool_choice"] = None\n',
        "",
        "a model that has to call a tool never ends",
        TOOLS,
    ),
    Mutant(
        SERVICES + "tools.py",
        "            async with places:\n                results[index] = await tool(call)",
        "            results[index] = await tool(call)",
        "any number of tools run at once",
        TOOLS,
    ),
    Mutant(
        SERVICES + "function_tools.py",
        "to_thread.run_sync(function, abandon_on_cancel=True)",
        "to_thread.run_sync(function)",
        "a cancelled run waits for its threads",
        TOOLS,
    ),
    Mutant(
        SERVICES + "function_tools.py",
        "{shown(str(error))}",
        "{error!s}",
        "a model is told the secrets of an exception",
        TOOLS,
    ),
    Mutant(
        SERVICES + "templates.py",
        "undefined=StrictUndefined,\n",
        "",
        "a value that is missing leaves a hole",
        TEMPLATES,
    ),
    Mutant(
        SERVICES + "templates.py",
        "environment = ImmutableSandboxedEnvironment(",
        'environment = __import__("jinja2").Environment(',
        "a template reaches what its values are made of",
        TEMPLATES,
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
