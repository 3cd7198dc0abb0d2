"""Hints from the values: each case is first made to fail, and what the hint says to write is then seen to work."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest

from llmos_jupyter.agent.hints.of_failure import column_hints
from llmos_jupyter.protocol import ErrorReport


def namespace() -> dict[str, Any]:
    return {
        "pd": pd,
        "trips": pd.DataFrame(
            {
                "when": ["03/02/2025", "25/12/2024", "01/02/2025"],
                "usual": ["02/03/2025", "12/25/2024", "02/01/2025"],
                "tags": [["a"], ["b", "c"], []],
                "price": ["1,5", "2,75", "10"],
                "total": ["1.234,50", "7", "2,5"],
                "euros": ["1,234 €", "7 €", "12 €"],
                "plain": ["1", "n/a", "3"],
                "code": ["17.0", "18.0", "19.0"],
                "id": [1.0, None, 3.0],
                "number": ["9007199254740993", None, "3"],
                "share": [0.5, None, 1.0],
            }
        ),
        "stats": pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("price", "mean"), ("price", "max")])),
        "a": pd.DataFrame({"key": [1], "v": [2]}),
        "b": pd.DataFrame({"key": ["1"], "w": [3]}),
    }


def hints_after(code: str) -> list[str]:
    names = namespace()
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one it is, is the point of the case
        exec(code, dict(names))
    return column_hints(type(caught.value).__name__, str(caught.value), names, code)


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("pd.to_datetime(trips['when'])", "pd.to_datetime(trips['when'], dayfirst=True)"),
        ("pd.to_datetime(trips.when, format='%m/%d/%Y')", "pd.to_datetime(trips['when'], dayfirst=True)"),
        ("trips.drop_duplicates()", "trips.explode('tags')"),
        ("trips['number'].astype(int)", "trips['number'].astype('Int64')"),
        ("trips['tags'].unique()", "trips.explode('tags')"),
        ("trips.groupby('tags').size()", "trips['tags'].map(tuple)"),
        ("trips['price'].astype(float)", "trips['price'].str.replace(',', '.').astype(float)"),
        ("pd.to_numeric(trips['price'])", "trips['price'].str.replace(',', '.').astype(float)"),
        (
            "trips['total'].astype(float)",
            "trips['total'].str.replace('.', '').str.replace(',', '.').astype(float)",
        ),
        (
            "trips['euros'].astype(float)",
            r"trips['euros'].str.replace(r'[^\d,.+-]', '', regex=True).str.replace(',', '').astype(float)",
        ),
        ("trips['plain'].astype(float)", "pd.to_numeric(trips['plain'], errors='coerce')"),
        ("trips['code'].astype(int)", "trips['code'].astype(float).astype('Int64')"),
        ("trips['id'].astype(int)", "trips['id'].astype('Int64')"),
        ("a.merge(b, on='key')", "a['key'] = a['key'].astype(str)"),
        ("stats['mean']", "stats[('price', 'mean')]"),
        ("stats['price', 'min']", "stats[('price', 'mean')]"),
    ],
)
def test_what_to_write_is_said_and_works(code: str, written: str) -> None:
    hints = hints_after(code)
    assert any(f"`{written}`" in hint for hint in hints), hints
    assert all(len(hint) <= 300 for hint in hints)
    exec(written, namespace())


def test_the_hint_takes_the_place_of_the_general_remedy() -> None:
    (hint,) = [hint for hint in hints_after("trips['price'].astype(float)") if "str.replace" in hint]
    assert hint.startswith("The numbers in `trips['price']` have a decimal comma")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("pd.to_datetime(trips['usual'], dayfirst=True, format='%d/%m/%Y')", "day first"),
        ("float('x')", "pd.to_numeric"),
        ("{[1]: 2}", "explode('price')"),
        ("trips['share'].astype(int)", "trips['share'].astype"),
    ],
)
def test_what_the_values_do_not_show_is_not_said(code: str, words: str) -> None:
    assert words not in " ".join(hints_after(code))


def test_all_tuples_are_listed() -> None:
    assert "The columns of `stats` are tuples: ('price', 'mean'), ('price', 'max')" in " ".join(
        hints_after("stats['mean']")
    )


def test_what_the_line_worked_on_stands_first() -> None:
    report = ErrorReport(
        type="KeyError", message="'x'", line=3, values=["`t`: DataFrame"], function="DataFrame.sum(self)  Sum."
    )
    hints = column_hints("KeyError", "'x'", namespace(), "trips['x']", report)
    assert hints[:2] == ["In line 3, `t`: DataFrame", "It calls DataFrame.sum(self)  Sum."]
    assert len(hints) <= 6


def test_hints_are_quick_for_many_columns() -> None:
    wide = pd.DataFrame({f"c{i}": ["1,5"] * 20_000 for i in range(60)})
    hints = column_hints("ValueError", "could not convert string to float: '1,5'", {"wide": wide}, "wide['c3']")
    assert re.search(r"decimal comma", hints[0])
