"""
Settings from arguments, the environment, `.env`, YAML, TOML, JSON and Python modules.

`load` brings them together and remembers where each value came from; `resolve` makes a validated
model of one section. Nothing here knows a vendor: the models are handed in.
"""

from .check import check as check
from .check import unknown_variables as unknown_variables
from .load import load as load
from .mistakes import Mistake as Mistake
from .mistakes import as_error as as_error
from .names import variable_names as variable_names
from .raw import RawSettings as RawSettings
from .resolve import Resolved as Resolved
from .resolve import resolve as resolve
from .schema import json_schema as json_schema
from .sources import Setting as Setting
from .sources import Source as Source
