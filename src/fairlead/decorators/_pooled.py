"""What a pool of keys is made of."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.adapt import Node, adapt
from ..core.checks import check_kind, in_words
from ..core.errors import ConfigurationError
from ..core.redact import shown

if TYPE_CHECKING:
    from ..core.provider import LooseProvider, ProviderPort


def fingerprint(key: str) -> str:
    """A short name for *key* that is the same everywhere, and that nobody gets it back from."""
    return hashlib.sha256(b"fairlead key " + key.encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolKey:
    """
    One key of a pool: a provider that asks with it.

    Args:
        provider: What asks; it alone knows the key.
        label: What the key is called in journals, logs and errors, such as its `fingerprint`, and
            never the key itself; by default its number.
        account: Who pays. Keys of one account are spent together. By default each is its own.
    """

    provider: ProviderPort | LooseProvider
    label: str | None = None
    account: str | None = None


def pooled(
    keys: Sequence[PoolKey | ProviderPort | LooseProvider],
) -> tuple[tuple[tuple[str, str], ...], tuple[Node, ...]]:
    """
    Label and account of each of *keys*, and what asks with it.

    Raises:
        ConfigurationError: There are none, or they are not those of one target.
    """
    if not isinstance(keys, Sequence) or isinstance(keys, str):
        msg = f"KeyPoolProvider takes a sequence of providers, not {type(keys).__name__}"
        raise ConfigurationError(msg)
    if not keys:
        raise ConfigurationError("KeyPoolProvider needs at least one provider")
    given = [key if isinstance(key, PoolKey) else PoolKey(provider=key) for key in keys]
    names: list[tuple[str, str]] = []
    for number, key in enumerate(given, 1):
        check_kind("label", key.label, str)
        check_kind("account", key.account, str)
        if any(name is not None and shown(name) != name for name in (key.label, key.account)):
            raise ConfigurationError("a label or account is no key: label it fingerprint(key)")
        label = key.label or str(number)
        names.append((label, key.account or label))
    labels = [label for label, _ in names]
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise ConfigurationError(f"two keys cannot both be labelled {in_words(twice)}")
    targets = tuple(adapt(key.provider) for key in given)
    check_alike(targets)
    return tuple(names), targets


def check_alike(targets: Sequence[Node]) -> None:
    """Raises as `pooled` if they are not one model of one vendor."""
    first = targets[0]
    known = first.name, first.model.name, first.model.embedding_model
    for other in targets:
        if (other.name, other.model.name, other.model.embedding_model) != known:
            msg = (
                f"the keys of a pool ask one model of one vendor, and these ask "
                f"{first.name}:{first.model.name} and {other.name}:{other.model.name}; "
                "targets that differ belong to a FallbackProvider"
            )
            raise ConfigurationError(msg)
