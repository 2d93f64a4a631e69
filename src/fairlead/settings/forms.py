"""
Another way to write the same keys, brought into the canonical one.

`provider: {primary, fallback, use_local_fallback, openai: {...}}` is `provider`, `fallback`,
`use_local_fallback` and `providers.openai`. What is moved keeps its source, so that messages name
the key as it is written.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .mistakes import Mistake, unknown
from .sources import Setting, frozen, section_of

if TYPE_CHECKING:
    from .sources import Section, Source

SECTION_KEYS = {
    "primary": "provider",
    "fallback": "fallback",
    "use_local_fallback": "use_local_fallback",
}
"""The keys of a `provider:` section, each with the canonical one."""
_NAME = re.compile(r"[^\W_][\w-]*", re.ASCII)


def canonical(root: Setting, noted: list[Mistake]) -> Setting:
    """
    *root* with canonical keys only.

    A setting that is said twice, and a provider's section that is none, are *noted*.
    """
    writer = _Writer(noted)
    for name, setting in (section_of(root) or {}).items():
        below = section_of(setting)
        if name == "provider" and below is not None:
            writer.provider_section(below)
        elif name == "providers":
            writer.providers_section(setting)
        else:
            writer.add(writer.root, name, setting)
    return Setting(writer.tree(), root.source)


class _Writer:
    def __init__(self, mistakes: list[Mistake]) -> None:
        self.root: dict[str, Setting] = {}
        self.mistakes = mistakes
        self._providers: dict[str, tuple[Source, dict[str, Setting]]] = {}
        self._source: Source | None = None

    def provider_section(self, section: Section) -> None:
        for name, setting in section.items():
            if name in SECTION_KEYS:
                self.add(self.root, SECTION_KEYS[name], setting)
            elif section_of(setting) is not None or setting.value is None:
                self._provider(name, setting)
            else:
                self.mistakes.append(unknown(setting.source, SECTION_KEYS))

    def providers_section(self, setting: Setting) -> None:
        self._source = setting.source
        if setting.value is None:
            return
        section = section_of(setting)
        if section is None:
            problem = "must hold a section for each provider"
            self.mistakes.append(Mistake(setting.source, problem))
            return
        for name, below in section.items():
            self._provider(name, below)

    def add(self, target: dict[str, Setting], name: str, setting: Setting) -> None:
        """Put *setting* under *name*, unless something else stands there."""
        other = target.get(name)
        if other is not None and other.plain() != setting.plain():
            first = other.source
            problem = f"contradicts {first.name}" + (f" in line {first.line}" if first.line else "")
            self.mistakes.append(Mistake(setting.source, problem))
        target.setdefault(name, setting)

    def tree(self) -> Section:
        if self._providers or self._source:
            providers = {
                name: Setting(frozen(settings), source)
                for name, (source, settings) in self._providers.items()
            }
            source = self._source or next(iter(self._providers.values()))[0]
            self.root["providers"] = Setting(frozen(providers), source)
        return frozen(self.root)

    def _provider(self, name: str, setting: Setting) -> None:
        section = section_of(setting)
        if not _NAME.fullmatch(name):
            problem = "is no name for a provider: letters, digits, '-' and '_' make one"
            self.mistakes.append(Mistake(setting.source, problem))
        elif section is None and setting.value is not None:
            problem = "must be a section with the provider's settings"
            self.mistakes.append(Mistake(setting.source, problem))
        else:
            _, settings = self._providers.setdefault(name, (setting.source, {}))
            for key, value in (section or {}).items():
                self.add(settings, key, value)
