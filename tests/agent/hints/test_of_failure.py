"""Hints after a failed rehearsal: each case is first made to fail, so that the messages are the real ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from llmos_jupyter.agent.hints.of_failure import column_hints
from tests.agent.inspection import cases


def hints_after(code: str, **more: Any) -> list[str]:
    ns = {**cases.namespace(), "model": LinearRegression(), "LinearRegression": LinearRegression, **more}
    ns["X"], ns["y"] = np.ones((3, 2)), np.ones(4)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which one it is, is the point of the case
        exec(code, dict(ns))
    hints = column_hints(type(caught.value).__name__, str(caught.value), ns, code)
    assert len(hints) <= 6
    assert all(0 < len(h) <= 300 and "\n" not in h for h in hints)
    assert len(set(hints)) == len(hints)
    return hints


@pytest.mark.parametrize(
    ("code", "parts"),
    [
        ("df['revenu'].sum()", ["'revenu'; the nearest real ones are 'revenue'", "'revenue' (float64)", "6 rows"]),
        ("df.groupby('reg').size()", ["'region'"]),
        ("indexed['region']", ["index of `indexed` is named 'region'"]),
        ("df.revenu", ["it has `revenue`"]),
        ("df.grouby('region')", ["it has `groupby`"]),
        ("df.append(other)", ["use `pd.concat`"]),
        ("np.arrange(3)", ["`arange`"]),
        ("account.balanc", ["`balance`"]),
        ("text.uper()", ["`upper`"]),
        ("nothing.head()", ["`nothing` is None"]),
        ("df['cost'].mean().plot()", ["single value", "aggregated"]),
        ("df['cost'].sum().sort_values()", ["single value"]),
        ("X @ y", ["shape (3, 2)", "shape (4,)"]),
        ("model.fit(X, y)", ["shape (3, 2)", "shape (4,)"]),
        ("model.fit(df[['revenue']], df['cost'])", ["missing values: 'revenue' (1)"]),
        ("pd.merge(df, other, onn='region')", ["it has `on`", "left_on"]),
        ("df.sort_values('cost', asc=True)", ["it has `ascending`", "na_position"]),
        ("LinearRegression(alpha=3)", ["fit_intercept"]),
        ("d['x']", ["keys of `d` are 'df', 'n'"]),
        ("numbers[10]", ["list with 3 items of int"]),
        ("df.loc[77, 'cost']", ["RangeIndex of 6"]),
        ("df['region'] + 1", ["'region' ("]),
        ("pf['nmae']", ["'name'", "Int64"]),
        ("pf.groupby('name')", ["`group_by`"]),
        ("acount.balance", ["`account`"]),
    ],
)
def test_hints_say_what_the_model_could_not_see(code: str, parts: list[str]) -> None:
    said = " ".join(hints_after(code))
    for part in parts:
        assert part in said


def test_hints_of_a_wide_frame_are_bounded() -> None:
    wide = pd.DataFrame([range(3000)], columns=[f"a_rather_long_name_{i}" for i in range(3000)])
    said = hints_after("wide['x']", wide=wide)
    assert "3000 columns" in said[0]
    assert "more" in said[0]


def test_hints_show_no_text_of_the_user() -> None:
    assert "s3cret" not in " ".join(hints_after("password.uper()", password="s3cret-pass"))


def test_the_signature_of_a_users_function_is_not_read() -> None:
    assert all("arguments" not in h for h in hints_after("add_profit(1, 2)"))


def test_code_that_does_not_parse_has_hints_too() -> None:
    assert "'revenue'" in " ".join(column_hints("KeyError", "'revenu'", cases.namespace(), "df['revenu'"))


def test_nothing_to_say_is_nothing() -> None:
    assert column_hints("ZeroDivisionError", "division by zero", cases.namespace(), "1 / 0") == []


@pytest.mark.parametrize("code", ["df.groupby('name').mean()", "df.mean()", "df.corr()"])
def test_text_that_was_averaged_is_told_from_the_numbers(code: str) -> None:
    df = pd.DataFrame({"name": ["a", "b"], "town": ["c", "d"], "weight": [1.0, 2.0], "age": [3, 4]})
    with pytest.raises((TypeError, ValueError)) as caught:
        eval(code, {"df": df})
    hints = column_hints(type(caught.value).__name__, str(caught.value), {"df": df}, code)
    assert "Only these columns of `df` are numbers; calculate with them alone: ['weight', 'age']." in hints
