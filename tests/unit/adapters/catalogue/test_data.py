"""The file in the package is what `nox -s catalogue` writes, and small."""

import json
from importlib.metadata import version

import pytest

from fairlead.adapters.catalogue.tariffs import read_tariffs, write_tariffs
from tests.support import catalogue

TOLD = json.loads(catalogue.HERE.read_text("utf-8"))
MODELS = [(vendor, *line) for vendor, each in TOLD["vendors"].items() for line in each["models"]]


def test_it_is_as_it_would_be_written_now():
    installed = version("genai-prices")
    if TOLD["source"] != f"genai-prices {installed}":
        pytest.skip(f"the prices are those of {TOLD['source']}, and {installed} is installed")

    if not (catalogue.ROOT / "uv.lock").is_file():
        pytest.skip("uv.lock, which has the day of that version, is not here")

    assert catalogue.text(catalogue.catalogue()) == catalogue.HERE.read_text("utf-8")


def test_it_is_small_and_says_whose_it_is():
    assert catalogue.HERE.stat().st_size < 150_000
    assert len(MODELS) > 1700
    assert "MIT" in TOLD["license"]
    notice = catalogue.HERE.with_name("LICENSE-genai-prices").read_text("utf-8")
    assert "Copyright (c) Pydantic Services Inc." in notice


@pytest.mark.parametrize("vendor", sorted(TOLD["vendors"]))
def test_every_tariff_reads_as_it_was_written(vendor):
    for line in TOLD["vendors"][vendor]["models"]:
        assert write_tariffs(read_tariffs(line[-1])) == line[-1]


def test_no_model_has_two_prices():
    for vendor, each in TOLD["vendors"].items():
        names = [line[0] for line in each["models"]]
        assert len(names) == len(set(names)), vendor
        assert set(each.get("falls_back", ())) <= TOLD["vendors"].keys()
