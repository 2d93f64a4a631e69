"""
The table of presets says what the data say.

`python -m tests.docs.test_presets_table` prints it anew.
"""

from pathlib import Path

from fairlead.adapters.providers.presets import PRESETS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "providers.md"


def table() -> str:
    lines = ["| name | also | address | key |", "|---|---|---|---|"]
    for name, preset in sorted(PRESETS.items()):
        others = ", ".join(f"`{other}`" for other in preset.also)
        address = preset.base_url or "your own; set `base_url`"
        key = f"`{preset.key}`" if preset.key else "none needed"
        lines.append(f"| `{name}` | {others} | {address} | {key} |")
    return "\n".join(lines)


def test_the_page_has_the_table():
    _, _, shown = PAGE.read_text("utf-8").partition("### Table of presets\n\n")

    assert shown.strip() == table()


if __name__ == "__main__":
    print(table())
