"""What speaks against code that ran: it writes into something that is the same afterwards."""

from __future__ import annotations

import pandas as pd
import pytest

from llmos_jupyter.agent.data_notes.doubts import without_effect
from llmos_jupyter.protocol import NameChange

SPACE = {
    "df": pd.DataFrame({"a": [1, -2], "b": ["n/a", "x"]}),
    "xs": [1],
    "held": {"k": 1},
    "n": 3,
    "s": pd.Series([1]),
}


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("df['b'] = df['b'].fillna('')", "df"),
        ("df[df.a > 5]['a'] = 0", "df"),
        ("df.loc[df.a > 5, 'a'] = 0\ndf", "df"),
        ("df.dropna(inplace=True)", "df"),
        ("if True:\n    held['k'] = 1", "held"),
        ("for i in range(1):\n    xs[0] = 1", "xs"),
        ("s.iloc[0] = 1", "s"),
    ],
)
def test_writing_that_changes_nothing_is_doubted(code: str, name: str) -> None:
    (doubt,) = without_effect(code, SPACE, [])
    assert f"`{name}`" in doubt
    assert not without_effect(code, SPACE, [NameChange(name=name, kind="mutated")])


def test_the_columns_that_the_code_names_are_told() -> None:
    (doubt,) = without_effect("df['b'] = df['b'].fillna('')", SPACE, [])
    assert doubt.endswith("'b' holds str, 2 distinct: 'n/a', 'x'.")
    assert "'a' holds" not in doubt


@pytest.mark.parametrize(
    "code",
    [
        "df",
        "df.a.mean()",
        "copy = df.copy()\ncopy['a'] = 0",
        "df = df.dropna()\ndf['a'] = 1",
        "def f():\n    df['a'] = 0",
        "new['a'] = 1",
        "df.dropna(inplace=False)",
        "n += 0",
        "for df in [1]:\n    pass",
        "not python (",
    ],
)
def test_other_code_is_not(code: str) -> None:
    assert not without_effect(code, SPACE, [])
