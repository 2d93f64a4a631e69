"""
Ask within a budget, ask nothing twice, and see what it came to.

The vendor is scripted, and its price is made up: nothing is sent, and nothing is paid.
"""

import asyncio
from functools import partial

from fairlead import (
    BudgetExceededError,
    BudgetLimit,
    BudgetOptions,
    CacheProvider,
    MemoryCache,
    MemoryLedger,
    ModelInfo,
    OwnPrices,
    Usage,
    UsageReport,
    Use,
    default_pipeline,
    tags,
)
from fairlead.testing import ScriptedProvider

PRICES = OwnPrices({"bard-1": {"input": 2, "output": 10}})  # US dollars per million tokens
BUDGET = BudgetOptions(limits=(BudgetLimit(scope="user", money="0.02 USD", per="day"),))


async def main() -> None:
    vendor = ScriptedProvider(
        "A fairlead is a ring that leads a line.",
        name="bard",
        model=ModelInfo(name="bard-1", max_output_tokens=1000),
        usage=Usage(input_tokens=400, output_tokens=700),
    )
    vendor.prices = PRICES
    ledger = MemoryLedger()
    cache = Use(partial(CacheProvider, store=MemoryCache(), mode="on"), layer="cache")
    async with default_pipeline(
        vendor, budget=BUDGET, ledger=ledger, decorators=[cache]
    ) as provider:
        for question in ("What is a fairlead?", "And a cleat?", "And a cleat?", "And a bollard?"):
            with tags(project="glossary", user="ann"):
                try:
                    answer = await provider.generate(question, temperature=0, max_tokens=700)
                except BudgetExceededError as error:
                    spent = f"{error.spent:.4f} of {error.limit:.4f} USD are spent"
                    print(f"{question:20} refused: {spent}")
                else:
                    told = "from the cache" if answer.cached else f"{answer.cost.amount} USD"
                    print(f"{question:20} {told}")

    report = UsageReport(by=["tag:project"])
    async for entry in ledger.entries():
        report.add(entry)
    for (project,), group in report.sorted():
        spent, saved = group.spent.amount, group.saved.amount
        print(f"{project}: {spent} USD spent, {saved} USD saved")


asyncio.run(main())
