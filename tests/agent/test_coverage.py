"""What a request names and the code leaves out; and requests that are fully answered, which raise no doubt."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pandas as pd
import pytest

from llmos_jupyter.agent import outcome
from llmos_jupyter.agent.coverage import asked_columns, plot_left_out, unasked, unchanged, uncovered
from llmos_jupyter.protocol import NameChange


def namespace() -> dict[str, Any]:
    loans = pd.DataFrame(
        {
            "Branch": ["North", "South", "North", "Old Town"],
            "days out": [3, 21, 8, 14],
            "fine": [0.0, 2.5, 0.0, 1.0],
            "date": ["2024-01-05", "2024-02-11", "2024-02-20", "2024-03-01"],
        }
    )
    return {"loans": loans, "nums": [3, 1, 2], "grid": np.eye(3), "np": np, "pd": pd}


def doubts(request: str, code: str, *, figures: int = 0) -> list[str]:
    names = namespace()
    *body, last = code.split("\n")
    exec("\n".join(body), names)
    shape = outcome.shape(eval(last, names), "shown", figures)
    return uncovered(request, ast.parse(code), shape, namespace())


@pytest.mark.parametrize(
    ("request_", "code", "told"),
    [
        ("mean of days out and fine per branch", "loans.groupby('Branch')['fine'].mean()", "'days out'"),
        ("total fine for the South", "loans['fine'].sum()", "'South'"),
        ("fines only in Old Town", "loans[loans['Branch'] == 'North']['fine']", "'Old Town'"),
        ("the loans of more than 10 days", "loans[loans['days out'] > 7]", "says 10"),
        ("the top three by fine", "loans.sort_values('fine', ascending=False).head(5)", "says three"),
        ("median fine", "loans['fine'].mean()", "the median"),
        ("fine 的中位数", "loans['fine'].mean()", "the median"),
        ("correlation of fine and days out", "loans[['fine', 'days out']].sum()", "the correlation"),
        ("running total of the fine", "loans['fine'].rolling(2).sum()", "cumulative"),
        ("total fine per month", "loans.groupby('date')['fine'].sum()", "the months"),
        ("how many loans are there?", "loans", "not a number"),
        ("a bar chart of the fine", "loans['fine'].head()", "bars"),
        ("fines as a list", "loans['fine']", "tolist"),
        ("a dict of fine by branch called d, as a dict", "loans['fine']", "to_dict"),
        ("how many loans have a fine? as a number", "loans['Branch'].sum()", "text"),
        ("what share of the loans has a fine?", "(loans['fine'] > 0).sum()", "divides nothing"),
    ],
)
def test_what_is_left_out(request_: str, code: str, told: str) -> None:
    assert any(told in doubt for doubt in doubts(request_, code)), doubts(request_, code)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ("mean fine per branch", "loans.groupby('Branch')['fine'].mean()"),
        ("the loans of more than 10 days", "loans[loans['days out'] > 10]"),
        ("loans of at least 10 days", "loans[~(loans['days out'] < 10)]"),
        ("raise the fine by 10 percent, what would it be?", "loans['fine'] * 1.1"),
        ("mean fine, ignoring what is missing", "loans['fine'].mean()"),
        ("average fine", "loans['fine'].sum() / len(loans)"),
        ("the mean of nums", "sum(nums) / len(nums)"),
        ("total of the diagonal", "np.trace(grid) + 0"),
        ("total fine in February 2024", "loans[loans['date'].str.startswith('2024-02')]['fine'].sum()"),
        ("the fine of the North", "loans.query(\"Branch == 'North'\")['fine']"),
        ("how many loans per branch?", "loans['Branch'].value_counts()"),
        ("sort nums, the 2nd one", "sorted(nums)[1]"),
        ("describe the loans, with the median", "loans.describe()"),
        ("scale grid to the range 0 to 1", "grid / grid.max()"),
    ],
)
def test_what_is_answered_raises_no_doubt(request_: str, code: str) -> None:
    assert doubts(request_, code) == []


def test_a_function_may_be_written_in_any_words() -> None:
    tree = ast.parse("def f(n):\n    return n\nf")
    assert uncovered("write f(n) that gives the median of 10 numbers", tree, outcome.shape(1, "1", 0), {}) == []


def test_columns_that_are_listed() -> None:
    shape = outcome.shape(pd.DataFrame({"a": [1], "b": [2], "c": [3]}), "shown", 0)
    assert asked_columns("a table with columns a and b", shape) == ["a", "b"]
    assert asked_columns("a table with the columns a, b and c", shape) == []
    assert asked_columns("a table with columns", shape) == []


def change(name: str, kind: Any = "mutated") -> NameChange:
    return NameChange(name=name, kind=kind)


def test_what_should_change_and_what_should_not() -> None:
    names = namespace()
    assert unchanged("fill the empty fines in loans with 0", [], names)
    assert not unchanged("fill the empty fines in loans with 0", [change("loans")], names)
    assert not unchanged("add the numbers of nums, call it total", [change("total", "created")], names)
    assert not unchanged("how many rows are in loans?", [], names)
    assert unasked("how many rows are in loans?", [change("loans", "rebound")], names)
    assert not unasked("drop the first row of loans", [change("loans", "rebound")], names)
    assert not unasked("how many rows are in loans?", [change("n", "created")], names)


def test_columns_of_an_array_want_an_axis() -> None:
    assert "axis=0" in doubts("scale each column of grid to 0..1", "(grid - grid.min()) / grid.max()")[0]
    assert doubts("the sum of each row of grid", "grid.sum(axis=1)") == []


def test_a_plot_goes_on_as_a_plot() -> None:
    drew = ["plt.bar(loans['Branch'], loans['fine'])\nplt.show()"]
    listed = outcome.shape([1, 2], "shown", 0)
    assert plot_left_out("just the best three", listed, drew)
    assert not plot_left_out("just the best three", outcome.shape(None, "<Figure>", 1), drew)
    assert not plot_left_out("what is the mean of it all?", listed, drew)
    assert not plot_left_out("just the best three", listed, ["loans"])
