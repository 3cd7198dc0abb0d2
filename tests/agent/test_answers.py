"""Doubts that the request's own words raise about a result, and those that they must not raise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from llmos_jupyter.agent import outcome
from llmos_jupyter.agent.answers import Mismatch, mismatches
from llmos_jupyter.protocol import NameChange


def namespace() -> dict[str, Any]:
    sales = pd.DataFrame(
        {"Region": ["N", "S", "N", "E", "S", "E"], "units": [3, 1, 4, 1, 5, 9], "price": [2.0, 7.0, 1.0, 8.0, 2.0, 8.0]}
    )
    steps = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=4), "steps": [5, 9, 2, 7]})
    ages = {"ann": 31, "bob": 25, "cy": 40}
    return {"sales": sales, "steps": steps, "ages": ages, "t": np.arange(6) / 10, "s": np.sin(np.arange(6)), "np": np}


def found(request: str, code: str) -> list[Mismatch]:
    names = namespace()
    given = dict(names)
    *body, last = code.split("\n")
    exec("\n".join(body), names)
    return mismatches(request, code, outcome.shape(eval(last, names), "shown", 0), given)


def doubts(request: str, code: str) -> list[str]:
    return [mismatch.told for mismatch in found(request, code)]


@pytest.mark.parametrize(
    ("request_", "code", "told"),
    [
        ("which day had the most steps?", "steps['steps'].idxmax()", "position"),
        ("At which t is s largest?", "np.argmax(s)", "position"),
        ("and when was s smallest?", "lowest = int(np.argmin(s))\nlowest", "position"),
        ("who is the oldest?", "max(ages.values())", "who or which"),
        ("谁的年龄最大？", "max(ages.values())", "who or which"),
        ("What is the total revenue?", "total = sales['units'] * sales['price'].sum()\ntotal", "6 values"),
        ("revenue by region", "sales['units'] * sales['price']", "one for each Region"),
        ("sum of units per Region", "sales[['Region', 'units']]", "one for each Region"),
    ],
)
def test_what_cannot_be_the_answer(request_: str, code: str, told: str) -> None:
    [doubt] = doubts(request_, code)
    assert told in doubt


@pytest.mark.parametrize(
    ("request_", "code", "right"),
    [
        ("which day had the most steps?", "steps['steps'].idxmax()", pd.Timestamp("2024-01-02")),
        ("which day had the fewest steps?", "steps['steps'].argmin()", pd.Timestamp("2024-01-03")),
        ("on which day was it highest?", "steps['steps'].max()", pd.Timestamp("2024-01-02")),
        ("how many regions have more than 3 units?", "sales[sales['units'] > 3]", 3),
        ("and the number of words?", "'a b c'.split()", 3),
        ("which day had the most steps?", "steps.loc[steps['steps'].idxmax()]", pd.Timestamp("2024-01-02")),
        ("which day had the fewest steps?", "steps.sort_values('steps')", pd.Timestamp("2024-01-03")),
        ("how many prices are below 3?", "sales['price'] < 3", 3),
        ("how many of t are negative?", "[x for x in t if x > 0.1]", 4),
        ("at which t is s largest?", "np.argmax(s)", 0.2),
        ("who is the oldest?", "max(ages.values())", "cy"),
        ("What is the total revenue?", "total = sales['units'] * sales['price'].sum()\ntotal", 107.0),
    ],
)
def test_the_example_in_the_doubt_is_right(request_: str, code: str, right: object) -> None:
    [mismatch] = found(request_, code)
    example = eval(mismatch.told.rsplit(": `", 1)[1].rstrip("`."), namespace())
    assert example == (pytest.approx(right) if isinstance(right, float) else right)
    names = namespace()
    *body, last = mismatch.instead.split("\n")
    exec("\n".join(body), names)
    assert eval(last, names) == example


def test_lists_side_by_side() -> None:
    names = {"names": ["ann", "bob"], "ages": [31, 25], "other": [1]}
    [mismatch] = mismatches("who is the youngest?", "youngest = min(ages)\nyoungest", outcome.shape(25, "25", 0), names)
    assert mismatch.instead == "youngest = names[ages.index(min(ages))]\nyoungest"
    assert (
        mismatches("who is it?", "min(ages)", outcome.shape(25, "25", 0), names | {"towns": ["x", "y"]})[0].instead
        == ""
    )


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ("which day had the most steps?", "steps.loc[steps['steps'].idxmax(), 'day']"),
        ("At which t is s largest?", "t[np.argmax(s)]"),
        ("which region sold most?", "sales.groupby('Region')['units'].sum().idxmax()"),
        ("at which index is s largest?", "np.argmax(s)"),
        ("what is the highest price?", "sales['price'].max()"),
        ("how many days who cares", "len(steps)"),
        ("which year was that?", "steps['day'].dt.year.max()"),
        ("who is the oldest?", "max(ages, key=ages.get)"),
        ("What is the total revenue?", "(sales['units'] * sales['price']).sum()"),
        ("the running total of units", "sales['units'].cumsum()"),
        ("subtract the mean from s", "s - s.mean()"),
        ("add a column total", "sales['units'] * sales['price']"),
        ("revenue by region", "sales.groupby('Region')['price'].sum()"),
        ("sort sales by region", "sales.sort_values('Region')"),
        ("multiply units by price", "sales['units'] * sales['price']"),
        ("the rank of units by region", "sales.groupby('Region')['units'].rank()"),
        ("not python", "("),
    ],
)
def test_what_can_be_the_answer(request_: str, code: str) -> None:
    if code == "(":
        assert mismatches(request_, code, outcome.shape(1, "1", 0), {}) == []
    else:
        assert doubts(request_, code) == []


def test_nothing_of_the_users_runs() -> None:
    class Meta(type):
        def __eq__(cls, other: object) -> bool:
            raise AssertionError("a class of the user's was compared")

        __hash__ = type.__hash__

    class Frame(metaclass=Meta):
        def __len__(self) -> int:
            raise AssertionError("an object of the user's was measured")

    names = {"sales": Frame()}
    assert mismatches("twice sales", "sales * 2", outcome.shape(pd.Series([1, 2]), "1 2", 0), names) == []


def test_columns_are_named_as_listed() -> None:
    names = namespace()
    code = "long = sales.melt(id_vars='Region')\nlong"
    exec(code, names)
    request = "long form, columns Region, what and amount"
    [mismatch] = mismatches(request, code, outcome.shape(names["long"], "shown", 0), namespace())
    exec(mismatch.instead, names)
    assert list(names["long"].columns) == ["Region", "what", "amount"]


def test_what_is_only_asked_about_is_worked_on_in_a_copy() -> None:
    names = namespace()
    code = "sales['high'] = sales['units'] > 3\nsales[sales['high']]"
    changes = [NameChange(name="sales", kind="mutated")]
    [mismatch] = mismatches("which rows are high?", code, outcome.shape(1.5, "shown", 0), names, changes)
    exec(mismatch.instead, names)
    assert "high" not in names["sales"]
