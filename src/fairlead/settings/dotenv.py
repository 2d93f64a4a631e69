"""A `.env` file, with the line of every variable."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from dotenv.parser import parse_stream
from dotenv.variables import parse_variables

from .mistakes import Mistake
from .sources import Section, Setting, Source, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping


def parse(text: str, place: str, environ: Mapping[str, str], noted: list[Mistake]) -> Section:
    """
    The variables in *text*, read as python-dotenv reads them; of two of a name the last counts.

    Lines that are malformed are *noted*.
    """
    values: dict[str, str] = {}
    found: dict[str, Setting] = {}
    for binding in parse_stream(StringIO(text)):
        written = binding.original.string
        blank = written[: len(written) - len(written.lstrip())]
        line = binding.original.line + len(blank.splitlines())
        if binding.error:
            problem = "this is no NAME=value; is a quote left open, or does something follow one?"
            noted.append(Mistake(Source(".env", "", place, line), problem))
        elif binding.key is not None and binding.value is None:
            noted.append(Mistake(Source(".env", "", place, line), "there is no '=' in the line"))
        elif binding.key is not None and binding.value is not None:
            known = {**environ, **values}
            value = "".join(part.resolve(known) for part in parse_variables(binding.value))
            values[binding.key] = value
            found[binding.key] = Setting(value, Source(".env", binding.key, place, line))
    return frozen({name: setting for name, setting in found.items() if setting.value != ""})
