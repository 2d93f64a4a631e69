"""Every public name stands in the reference, which is made from docstrings."""

import re
from pathlib import Path

import fairlead

PAGES = Path(__file__).resolve().parents[2] / "docs" / "reference" / "api"


def test_every_home_of_a_public_name_has_a_page():
    text = "\n".join(page.read_text("utf-8") for page in PAGES.glob("*.md"))
    shown = set(re.findall(r"^\.\. automodule:: (\S+)$", text, re.MULTILINE))
    homes = {getattr(fairlead, name).__module__ for name in fairlead.__all__}

    assert {home for home in homes if home.startswith("fairlead")} <= shown
