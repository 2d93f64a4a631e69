"""What the documents' snippets import that belongs neither to them nor to fairlead."""

from __future__ import annotations

import numpy as np

import fairlead

REGISTRY: list[fairlead.ProviderRegistry] = []


def cosine_similarity(left, right):
    """Of each vector of *left* with each of *right*, as scikit-learn's."""
    left, right = (np.asarray([np.asarray(row) for row in rows]) for rows in (left, right))
    lengths = np.outer(np.linalg.norm(left, axis=1), np.linalg.norm(right, axis=1))
    return left @ right.T / lengths


class ChromaDBStore:
    """An application's memory."""

    def __init__(self, collection_name):
        self.name = collection_name

    async def search(self, query, limit):
        return [{"id": f"{self.name}-{n}", "content": f"Fact {n}."} for n in range(limit)]


class DialecticalReasoningService:
    """A service of the application's that is given a provider."""

    def __init__(self, llm_provider):
        self.provider = llm_provider


def get_provider_registry():
    """The application's own registry."""
    return REGISTRY[0]
