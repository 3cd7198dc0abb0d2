"""One word of the code that says the opposite of the request, and results that were not shown."""

from __future__ import annotations

import ast
from typing import Any

import pandas as pd
import pytest

from llmos_jupyter.agent.amending import amended, showing
from llmos_jupyter.agent.reference import referred


def namespace() -> dict[str, Any]:
    runs = pd.DataFrame({"runner": ["Ann", "Bo", "Cy"], "time": [31.5, 29.0, 35.2], "age": [30, 41, 22]})
    return {"runs": runs, "pd": pd}


def fixed(request: str, code: str) -> str:
    _, changed = amended(request, ast.parse(code), code, namespace())
    return changed


@pytest.mark.parametrize(
    ("request_", "code", "part"),
    [
        ("runs by age, oldest person first", "runs.sort_values('age')", "ascending=False"),
        ("sort the runs by time in descending order", "x = runs.sort_values(by='time')\nx", "ascending=False"),
        ("按年龄从大到小排序", "runs.sort_values('age')", "ascending=False"),
        ("the names, ascending", "sorted(runs['runner'], reverse=True)", "reverse=False"),
        ("times from low to high", "runs.sort_values('time', ascending=False)", "ascending=True"),
        ("the 2 highest ages", "runs.sort_values('age').head(2)", "ascending=False"),
        ("the two lowest times", "runs.nlargest(2, 'time')", "nsmallest(2, 'time')"),
        ("the median of time", "runs['time'].mean()", "['time'].median()"),
        ("平均年龄", "runs['age'].sum()", "['age'].mean()"),
        ("mean of time and age per runner", "runs.groupby('runner')['time'].mean()", "[['time', 'age']]"),
    ],
)
def test_put_right(request_: str, code: str, part: str) -> None:
    changed = fixed(request_, code)
    assert part in changed
    exec(changed, namespace())


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ("runs by age, oldest person first", "runs.sort_values('age', ascending=False)"),
        ("the 2 highest ages", "runs.sort_values('age').tail(2)"),
        ("the 2 highest ages", "sorted(runs['age'])[-2:]"),
        ("the 2 highest ages", "sorted(runs['age'], key=lambda a: -a)[:2]"),
        ("sort the runs by time", "runs.sort_values('time')"),
        ("descending counts", "runs['runner'].value_counts()"),
        ("the mean of the maxima", "runs['time'].max()"),
        ("the mean and the median of time", "runs['time'].mean()"),
        ("run k-means on age", "runs['age'].sum()"),
        ("the average", "runs['time'].sum() / len(runs)"),
    ],
)
def test_left_alone(request_: str, code: str) -> None:
    assert fixed(request_, code) == ""


def test_what_was_made_last_is_shown() -> None:
    assert showing("runs['age'] = runs['age'] * 2").endswith("\nruns")
    assert showing("runs.age += 1").endswith("\nruns")
    assert showing("print()") == showing("a, b = 1, 2") == showing("(") == ""


def test_the_last_result_is_meant() -> None:
    names = namespace()
    names["fast"] = names["runs"][names["runs"]["time"] < 32]
    answers = ["fast = runs[runs['time'] < 32]\nfast"]
    code = "runs[runs['age'] > 35]"
    told, changed = referred("only those over 35", ast.parse(code), code, answers, names)
    assert "`fast`" in told
    assert changed == "fast[fast['age'] > 35]"
    for other in ("all runs over 35", "only those over 35"):
        used = "fast[fast['age'] > 35]" if "only" in other else code
        assert referred(other, ast.parse(used), used, answers, names) == ("", "")
    assert referred("only those over 35", ast.parse(code), code, [], names) == ("", "")


def test_a_result_without_the_column_is_not_meant() -> None:
    names = namespace() | {"ages": namespace()["runs"][["age"]]}
    code = "runs[runs['time'] > 30]"
    assert referred("only those over 30", ast.parse(code), code, ["ages = runs[['age']]\nages"], names) == ("", "")
