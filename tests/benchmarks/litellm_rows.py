"""Rows beside LiteLLM, in one run; `python -m tests.benchmarks.litellm_rows PYTHON`."""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from decimal import Decimal
from functools import partial
from pathlib import Path

ROUNDS = 2


async def ours():
    """Microseconds of an answer from memory, and of booking a call besides making it."""
    from fairlead import CacheProvider, CostTrackingProvider, MemoryCache, Usage
    from fairlead.adapters.stores.ledger_memory import MemoryLedger
    from fairlead.assembly.pipeline import chain, target_pipeline
    from fairlead.core.prices import Price, Tariff, UnitRate
    from fairlead.testing import ScriptedProvider
    from tests.benchmarks.layers import adapter, cost_of_hit

    cache = partial(CacheProvider, store=MemoryCache())
    hit = await cost_of_hit(chain([target_pipeline(adapter())], cache=cache), "hello", 40)
    usage = Usage(input_tokens=3, output_tokens=2)
    rate = UnitRate(Decimal(1))
    price = Price(model="m", source="s", tariffs=(Tariff(rates={"input": rate, "output": rate}),))

    class Book:
        def price(self, provider, model, /):
            return price

    bare, priced = (ScriptedProvider("word", usage=usage) for _ in range(2))
    priced.prices = Book()
    tracked = CostTrackingProvider(priced, ledger=MemoryLedger())
    times = {bare: [], tracked: []}
    for _ in range(40):
        for provider, series in times.items():
            began = time.process_time()
            for _ in range(50):
                await provider.generate("hello")
            series.append((time.process_time() - began) / 50 * 1e6)
    await tracked.aclose()
    return hit, statistics.median(times[tracked]) - statistics.median(times[bare])


def theirs(python):
    probe = Path(__file__).with_name("litellm_probe.py")
    environment = {name: it for name, it in os.environ.items() if name != "PYTHONPATH"}
    environment["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    finished = subprocess.run(
        [python, str(probe)], check=True, stdout=subprocess.PIPE, encoding="utf-8", env=environment
    )
    return json.loads(finished.stdout.splitlines()[-1])


def main():
    rounds = [(asyncio.run(ours()), theirs(sys.argv[1])) for _ in range(ROUNDS)]
    print("| | fairlead | LiteLLM | ratio |\n| --- | ---: | ---: | ---: |")
    for place, what in enumerate(("an answer from memory", "pricing and booking a call")):
        mine, other = (statistics.median(it[who][place] for it in rounds) for who in (0, 1))
        print(f"| {what} | {mine:,.1f} µs | {other:,.1f} µs | {mine / other:.2f} |")


if __name__ == "__main__":
    main()
