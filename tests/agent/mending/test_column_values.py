"""Calls that a column's values make fail: each is first seen to fail, then mended, and run to what was meant."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from llmos_jupyter.agent.inspection.check import inspect
from llmos_jupyter.agent.mending.mend import mend


def namespace() -> dict[str, Any]:
    return {
        "pd": pd,
        "visits": pd.DataFrame({"when": ["03/04/2025", "28/04/2025", "05/05/2025"], "n": [1, 2, 4]}),
        "log": pd.DataFrame({"at": ["2025-04-03", "2025-04-28 10:00", None], "us": ["04/28/2025", "05/05/2025", ""]}),
        "unclear": pd.DataFrame({"when": ["03/04/2025", "05/06/2025"]}),
        "staff": pd.DataFrame({"name": ["a", "b", "b"], "tags": [["x"], ["y", "x"], ["y", "x"]]}),
    }


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("out = pd.to_datetime(visits['when']).dt.month.tolist()", [4, 4, 5]),
        ("visits['when'] = pd.to_datetime(visits['when'])\nout = visits['when'].dt.day.tolist()", [3, 28, 5]),
        ("out = pd.to_datetime(visits.when, errors='coerce').isna().sum()", 0),
        ("out = visits.groupby(visits['when'].dt.to_period('M'))['n'].sum().tolist()", [3, 4]),
        ("out = visits.when.dt.year.max()", 2025),
        ("import pandas as pds\nout = visits.when.dt.year.max()", 2025),
        ("out = log['at'].dropna().pipe(len) + log['at'].dt.month.min()", 6.0),
        ("out = len(staff.drop_duplicates())", 2),
        ("out = staff.drop_duplicates(keep=False)['name'].tolist()", ["a"]),
        ("out = staff.drop_duplicates(subset=['name', 'tags'])['tags'].tolist()", [["x"], ["y", "x"]]),
        ("out = staff.duplicated().sum()", 1),
        ("out = staff.groupby('tags')['name'].count().to_dict()", {"x": 3, "y": 2}),
        ("out = staff.groupby(['name', 'tags'], as_index=False).size()['size'].tolist()", [1, 2, 2]),
    ],
)
def test_what_the_values_demand_is_written(code: str, expected: object) -> None:
    names = namespace()
    try:
        before = dict(names)
        exec(code, before)
        assert before["out"] != expected, "nothing is to be mended"
    except (AttributeError, TypeError, ValueError):
        pass
    names, mended, findings = namespace(), code, []
    for _ in range(3):
        mended, more = mend(mended, inspect(mended, names), names)
        findings += more
    assert findings
    exec(mended, names)
    assert names["out"] == expected


@pytest.mark.parametrize(
    "code",
    [
        "pd.to_datetime(visits['when'], dayfirst=True)",
        "pd.to_datetime(visits['when'], format='%d/%m/%Y')",
        "pd.to_datetime(log['at'])",
        "pd.to_datetime(unclear['when'])",
        "unclear['when'].dt.month",
        "log['us'].dt.month",
        "visits['when'] = pd.to_datetime(visits['when'], dayfirst=True)\nvisits['when'].dt.month",
        "visits = visits.assign(when=1)\npd.to_datetime(visits['when'])",
        "def f(visits):\n    return visits['when'].dt.month",
        "max([unclear], key=lambda visits: visits['when'].dt.month)",
        "[visits['when'].dt.month for visits in []]",
        "for visits in []:\n    visits['when'].dt.month",
        "staff.drop_duplicates(subset=['name'], ignore_index=True)",
        "staff['name'].drop_duplicates()",
        "staff.groupby('name').size()",
        "staff.groupby(staff['name'])",
        "visits.drop_duplicates()",
        "staff.drop_duplicates(subset=['name'])",
        "staff.drop_duplicates(subset='tags')",
        "labels = ['tags']\nstaff.drop_duplicates(subset=labels)",
        "staff['tags'] = staff['tags'].map(tuple)\nstaff.drop_duplicates()",
    ],
)
def test_other_code_stays(code: str) -> None:
    names = namespace()
    mended, findings = mend(code, inspect(code, names), names)
    assert (mended, findings) == (code, [])
