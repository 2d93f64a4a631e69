"""
The table of settings says what the models say.

`python -m tests.docs.test_settings_table` prints it anew.
"""

from __future__ import annotations

import re
from pathlib import Path

from fairlead.assembly.sections import PROVIDERS, SECTIONS, ChoiceSettings
from fairlead.assembly.vendors import BUILT_IN, vendor
from fairlead.settings import variable_names

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "settings.md"


def table() -> str:
    parts = []
    vendors = {f"{PROVIDERS}.{name}": vendor(name).Settings for name in BUILT_IN}
    for path, model in {"": ChoiceSettings, **SECTIONS, **vendors}.items():
        parts.append(f"#### {f'`{path}`' if path else 'At the root'}\n")
        parts.append("| key | variables of its own | what it is |\n|---|---|---|")
        names = variable_names(model, path)
        for key, field in model.model_fields.items():
            dotted = f"{path}.{key}".removeprefix(".").removeprefix(f"{PROVIDERS}.")
            ruled = re.sub(r"\W", "_", dotted).upper()
            others = [
                name
                for name in names[key]
                if name not in {f"FAIRLEAD_{ruled}", f"DEVSYNTH_{ruled}"}
            ]
            own = [
                f"`{name}`"
                for name in others
                if not name.startswith("DEVSYNTH_")
                and name.removesuffix("_FILE") not in {*names[key]} - {name}
            ]
            secret = f"{names[key][0]}_FILE"
            own += [f"`{secret}`"] if secret in names[key] else []
            parts.append(f"| `{key}` | {', '.join(own)} | {field.description or '?'} |")
        parts.append("")
    return "\n".join(parts)


def test_the_page_has_the_table():
    shown = re.search(
        r"### Table of variables\n\n.*?\n\n(####.*?)\n+## ", PAGE.read_text("utf-8"), re.DOTALL
    )

    assert shown is not None
    assert shown[1].strip() == table().strip()


def test_every_setting_says_what_it_is():
    assert "| ? |" not in table()


if __name__ == "__main__":
    print(table())
