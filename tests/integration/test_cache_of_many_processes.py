"""One file of answers, many processes, and kill -9 at random moments."""

import os
import random
import subprocess
import sys
import textwrap
import time

import anyio
import pytest

from fairlead.adapters.stores.cache_sqlite import SqliteCache

WORKERS = 6
KILLS = 40
SECONDS = 120

WORKER = textwrap.dedent(
    """
    import sys
    import anyio
    from fairlead import CacheProvider, SqliteCache
    from fairlead.testing import ScriptedProvider

    def answer(call):
        return "the answer to " + call.generation.messages[0].text + "." * 3000

    async def main(path, seed):
        store = SqliteCache(path, max_bytes=400_000)
        provider = CacheProvider(ScriptedProvider(answer), store=store)
        print("ready", flush=True)
        for turn in range(10**9):
            prompt = str((turn * 7 + seed) % 211)
            told = await provider.generate(prompt, temperature=0)
            assert told == "the answer to " + prompt + "." * 3000, told[:80]
            print("hit" if told.cached else "miss", flush=True)

    anyio.run(main, sys.argv[1], int(sys.argv[2]))
    """
)


def start(path, seed, log):
    command = [sys.executable, "-W", "error", "-c", WORKER, str(path), str(seed)]
    return subprocess.Popen(command, stdout=log, stderr=subprocess.PIPE)


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
def test_no_kill_locks_it_or_makes_an_answer_up(tmp_path):
    path, log = tmp_path / "answers.db", tmp_path / "log"
    dice = random.Random(5)
    began = time.monotonic()
    with log.open("ab") as out:
        workers = [start(path, seed, out) for seed in range(WORKERS)]
        try:
            until_used(log, b"hit", began)
            for number in range(KILLS):
                time.sleep(dice.uniform(0.01, 0.15))
                place = dice.randrange(WORKERS)
                victim = workers[place]
                assert victim.poll() is None, victim.stderr.read().decode()
                victim.kill()
                victim.wait()
                victim.stderr.close()
                workers[place] = start(path, 100 + number, out)
                assert time.monotonic() - began < SECONDS
            size = log.stat().st_size
            until_used(log, b"hit", began, size)
            assert [worker.poll() for worker in workers] == [None] * WORKERS
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
                worker.stderr.close()
    told = log.read_bytes().split()
    print(f"{KILLS} kills, {told.count(b'hit')} hits, {told.count(b'miss')} misses")
    anyio.run(still_works, path)
    assert not path.with_name("answers.db.1").exists()


def until_used(log, word, began, offset=0):
    while word not in log.read_bytes()[offset:]:
        assert time.monotonic() - began < SECONDS, "it is locked up"
        time.sleep(0.05)


async def still_works(path):
    store = SqliteCache(path, max_bytes=400_000)
    with anyio.fail_after(5):
        await store.set({"new": b"1"}, None)
        assert await store.get(["new"]) == {"new": b"1"}
        assert (await store.stats()).bytes <= 400_000
    await store.aclose()
