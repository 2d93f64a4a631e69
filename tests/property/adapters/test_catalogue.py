"""What is written of models is read again, and a name is taken for another's only as it may be."""

import json
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.adapters.catalogue import Catalogue
from fairlead.adapters.catalogue.facts import (
    CAPABILITIES,
    kin,
    read_facts,
    without_refusals,
    write_facts,
)
from fairlead.core.models import FACTS, ModelInfo, filled

LIMITS = st.none() | st.integers(1, 10_000_000)
ABLE = st.none() | st.booleans()
LISTED = st.builds(
    ModelInfo,
    name=st.just("m"),
    context_window=LIMITS,
    max_output_tokens=LIMITS,
    tokenizer=st.none() | st.sampled_from(["o200k", "claude_v3"]),
    **dict.fromkeys(CAPABILITIES.values(), ABLE),
)
NAMES = st.from_regex(r"[a-z0-9][a-z0-9.:/-]{0,20}", fullmatch=True)
DAYS = st.dates().filter(lambda it: 2000 <= it.year < 2100)


@given(LISTED)
def test_what_is_written_is_read_again(info):
    assert read_facts("m", write_facts(info)) == info


@given(LISTED, LISTED)
def test_what_is_known_is_never_overruled_and_nothing_is_made_up(info, known):
    whole = filled(info, known)

    for fact in FACTS:
        mine, theirs = getattr(info, fact), getattr(known, fact)
        assert getattr(whole, fact) == (theirs if mine is None else mine)
    assert filled(whole, known) is whole
    assert {"name", *FACTS} == {field.name for field in fields(ModelInfo)}


@given(LISTED)
def test_without_its_refusals_a_model_refuses_nothing_more(info):
    bare = without_refusals(info)

    for fact in FACTS:
        value = getattr(info, fact)
        assert getattr(bare, fact) == (None if value is False else value)


@given(NAMES, DAYS, st.booleans())
def test_a_day_is_all_that_makes_no_difference(name, day, hyphens):
    dated = f"{name}-{day:%Y-%m-%d}" if hyphens else f"{name}-{day:%Y%m%d}"

    assert name in kin(dated) or name.startswith("ft:")
    for other in kin(dated):
        assert dated.startswith(other)
        assert other != dated


@given(NAMES.filter(lambda it: not it.startswith("ft:")), NAMES)
def test_no_other_end_of_a_name_is_overlooked(name, end):
    for other in kin(f"{name}-{end}"):
        rest = f"{name}-{end}".removeprefix(other)
        assert rest.replace("-", "").isdigit()
        assert len(rest.replace("-", "")) == 8


@pytest.fixture(scope="module")
def book():
    with TemporaryDirectory() as folder:
        path = Path(folder) / "models.json"
        facts = {"m": "w=5 -t", "m-2026-01-01": "w=6 +t"}
        openai = {"address": "https://o", "models": [], "facts": facts}
        told = {"source": "", "as_of": "2026-11-10", "vendors": {"openai": openai}}
        path.write_text(json.dumps(told))
        yield Catalogue(path)


@given(name=NAMES, day=DAYS)
def test_a_model_refuses_only_under_the_very_name_that_is_listed(book, name, day):
    for asked in (name, f"m{name}", f"{name}m", f"m-{day}", f"m-{day:%Y%m%d}"):
        info = book.info("openai", asked)
        if asked not in {"m", "m-2026-01-01"}:
            assert info is None or info.tools is not False
