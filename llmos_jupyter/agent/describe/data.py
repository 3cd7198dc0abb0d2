"""Tables and arrays in words, by the library that made them.

No library is imported here: a value of one exists only if the user imported it.
"""

from __future__ import annotations

from typing import Any

from llmos_jupyter.agent.describe.arrays import describe_numpy, describe_scipy, describe_torch
from llmos_jupyter.agent.describe.basics import mro
from llmos_jupyter.agent.describe.shapes import package
from llmos_jupyter.agent.describe.table_layout import NOBODY, Asked
from llmos_jupyter.agent.describe.tables import describe_pandas, describe_polars, describe_pyarrow

_PACKAGES = {
    "pandas": describe_pandas,
    "numpy": describe_numpy,
    "polars": describe_polars,
    "pyarrow": describe_pyarrow,
    "scipy": describe_scipy,
    "torch": describe_torch,
}


def describe_data(value: Any, room: int, deadline: float, asked: Asked = NOBODY) -> str | None:
    """The description of a table or an array, without the variable's name; None if it is neither."""
    made_by = next((p for base in mro(type(value)) if (p := package(base)) in _PACKAGES), None)
    return _PACKAGES[made_by](value, room, deadline, asked) if made_by is not None else None
