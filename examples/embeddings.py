"""Find the text that is closest to a question."""

import anyio

from fairlead import Embedding, OfflineProvider

TEXTS = [
    "A fairlead guides a rope round an obstacle.",
    "The circuit breaker opens after five failures in a row.",
    "Sourdough needs flour, water, salt and patience.",
]


def closeness(one: Embedding, other: Embedding) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


async def main() -> None:
    provider = OfflineProvider()
    vectors = await provider.embed_batch(TEXTS)
    question = await provider.embed("What guides a rope round obstacles?")
    best = max(range(len(TEXTS)), key=lambda index: closeness(question, vectors[index]))
    print(TEXTS[best])


anyio.run(main)
