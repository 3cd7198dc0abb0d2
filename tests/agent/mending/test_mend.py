"""Slips that are put right without the model: re-created data, names, words of a column, keys, lost results."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from llmos_jupyter.agent.context.cells import told
from llmos_jupyter.agent.hints.remedies import remedy
from llmos_jupyter.agent.inspection.check import inspect
from llmos_jupyter.agent.mending.mend import mend


def namespace() -> dict[str, Any]:
    plants = pd.DataFrame({"Kind": ["Oak", "Fern", "Oak"], "height": [4.0, 0.5, None]})
    kinds = pd.DataFrame({"kind": ["Oak", "Fern"], "family": ["Fagaceae", "Polypodiaceae"]})
    return {"plants": plants, "kinds": kinds, "pd": pd}


def mended(code: str, names: dict[str, Any]) -> str:
    for _ in range(3):
        code, repairs = mend(code, inspect(code, names), names)
        if not repairs:
            break
    return code


@pytest.mark.parametrize(
    ("code", "right"),
    [
        ("plants[plants['Kind'] == 'oak']", "plants[plants['Kind'] == 'Oak']"),
        ("plants[plants.Kind.isin(['oaks', 'Fern'])]", "plants[plants.Kind.isin(['Oak', 'Fern'])]"),
        ("plants[plants['Kind'] == 'Ivy']", "plants[plants['Kind'] == 'Ivy']"),
        ("Plants['height'].mean()", "plants['height'].mean()"),
        ("plants.merge(kinds, on='Kind')", "plants.merge(kinds.rename(columns={'kind': 'Kind'}), on='Kind')"),
        ("plants['height'].fillna(0)\nplants", "plants['height'] = plants['height'].fillna(0)\nplants"),
        ("plants.sort_values('height')\nplants", "\nplants.sort_values('height')"),
        ("plants.dropna()\nlen(plants)", "plants.dropna()\nlen(plants)"),
    ],
)
def test_slips(code: str, right: str) -> None:
    names = namespace()
    result = mended(code, names)
    assert result == right
    exec(result, names)


def test_a_forgotten_table_is_the_only_one() -> None:
    one = {"plants": namespace()["plants"]}
    assert mended("df['height'].mean()", one) == "plants['height'].mean()"
    assert mended("len(df)", namespace()) == "len(df)"


def test_cells_are_told_without_their_data() -> None:
    data = "import pandas as pd\nplants = pd.DataFrame({'a': [1, 2], 'b': [3, 4]})"
    assert told(data, ["plants"]) == ""
    assert told(data, []) == data
    assert (
        told(data + "\nplants['c'] = plants['a'] * 2", ["plants"]).splitlines()[-1] == "plants['c'] = plants['a'] * 2"
    )
    assert told("x = 3\ny = x + 1", ["x", "y"]) == "x = 3\ny = x + 1"
    assert told("not python at all (", ["x"]) == "not python at all ("


def test_remedies() -> None:
    assert "mask" in remedy("The truth value of a Series is ambiguous. Use a.empty, ...", "plants")
    assert "plants[" in remedy("The truth value of a Series is ambiguous. Use a.empty, ...", "plants")
    assert remedy("something nobody has seen") == ""


@pytest.mark.parametrize(
    ("code", "right"),
    [
        ("plants.fillna(method='ffill')", "plants.ffill()"),
        ("plants['height'].fillna(method='bfill')", "plants['height'].bfill()"),
        ("plants.groupby('Kind')['height', 'Kind'].count()", "plants.groupby('Kind')[['height', 'Kind']].count()"),
        ("pd.date_range('2024-01-01', periods=3, freq='M')", "pd.date_range('2024-01-01', periods=3, freq='ME')"),
        ("np.float(3)", "float(3)"),
        ("plants['height'].fillna(0)", "plants['height'].fillna(0)"),
        ("pd.period_range('2024-01', periods=3, freq='M')", "pd.period_range('2024-01', periods=3, freq='M')"),
    ],
)
def test_what_libraries_dropped(code: str, right: str) -> None:
    names = namespace() | {"np": np}
    if int(pd.__version__.split(".")[0]) < 3 and ("fillna" in code or "freq" in code):
        right = code
    assert mended(code, names) == right
    exec(right, names)


def test_datetime_is_a_class_or_a_module() -> None:
    as_class = {"datetime": datetime.datetime}
    code = mended("days = datetime.timedelta(days=2)", as_class)
    assert code == "from datetime import timedelta\ndays = timedelta(days=2)"
    assert mended("datetime.strptime('2024', '%Y')", {"datetime": datetime}).startswith("datetime.datetime.strptime")
    assert mended("datetime.strptime('2024', '%Y')", as_class) == "datetime.strptime('2024', '%Y')"


def test_a_table_is_known_by_its_columns() -> None:
    assert mended("trees['height'].max()", namespace()) == "plants['height'].max()"
    assert mended("rows = []\nRows.append(1)\nrows", namespace()) == "rows = []\nrows.append(1)\nrows"


def test_a_forgotten_dict_is_the_only_one() -> None:
    code = "sorted(scores.items(), key=lambda item: item[1])"
    assert mended(code, {"times": {"Li": 13.8}}) == "sorted(times.items(), key=lambda item: item[1])"
    assert mended(code, {"times": {"Li": 13.8}, "more": {}}) == code
