"""What LiteLLM's cache in memory and its cost tracker cost; run by a Python that has it."""

import asyncio
import importlib
import json
import statistics
import time

CALLS = 50


async def main():
    litellm = importlib.import_module("litellm")
    litellm.cache = importlib.import_module("litellm.caching.caching").Cache(type="local")
    asked = {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "hello"}],
        "temperature": 0,
        "caching": True,
        "mock_response": "word",
        "api_key": "none",
    }
    await litellm.acompletion(**asked)
    await asyncio.sleep(0.5)  # it is kept in a task
    hits, costs = [], []
    for _ in range(20):
        began = time.process_time()
        for _ in range(CALLS):
            answer = await litellm.acompletion(**asked)
        hits.append(time.process_time() - began)
        began = time.process_time()
        for _ in range(CALLS):
            litellm.completion_cost(completion_response=answer, model="gpt-4o-mini")
        costs.append(time.process_time() - began)
    assert answer._hidden_params["cache_hit"]
    print(json.dumps([statistics.median(it) / CALLS * 1e6 for it in (hits, costs)]))


if __name__ == "__main__":
    asyncio.run(main())
