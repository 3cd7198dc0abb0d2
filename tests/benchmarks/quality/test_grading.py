"""The quality benchmark's grading: right answers in any shape pass, wrong ones in the expected shape do not."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.quality.grading import same, shown, states
from benchmarks.quality.probe import only_extended, unchanged
from benchmarks.quality.report import failure_ratio, mcnemar, wilson
from benchmarks.quality.tasks import load
from tests.examples import examples

SUMS = pd.Series({"North": 9.0, "South": 12.5, "East": 3.0}, name="units").rename_axis("Region")
FRAME = pd.DataFrame({"name": ["a", "b", "c"], "x": [1, 2, 3], "y": [1.5, np.nan, 2.5]})

RIGHT: list[tuple[Any, Any]] = [
    (5, 5.0),
    (5, np.int64(5)),
    (5.5, pd.Series([5.5])),
    (5.5, pd.DataFrame({"mean": [5.5]})),
    (5.5, [5.5]),
    (2 / 3, 0.66666667),
    (2 / 3, "The share is 0.667."),
    (True, np.True_),
    ("Gentoo", pd.Series({"Gentoo": 5076})),
    ("Gentoo", ("Gentoo", 5076)),
    (dt.date(2024, 3, 1), pd.Timestamp("2024-03-01")),
    (pd.Timestamp("2024-03-01"), "2024-03-01"),
    (pd.Timedelta(days=3), 3),
    (SUMS, SUMS.to_dict()),
    (SUMS, SUMS.reset_index()),
    (SUMS, SUMS.to_frame("total")),
    (SUMS, SUMS.sort_values()),
    (SUMS, SUMS.to_frame().T),
    (SUMS, list(SUMS.items())),
    (SUMS, SUMS.astype("Float64")),
    (FRAME, FRAME.iloc[::-1]),
    (FRAME, FRAME.set_index("name")),
    (FRAME, FRAME[["y", "x", "name"]]),
    (FRAME, FRAME.rename(columns={"x": "X"})),
    (FRAME, FRAME.to_dict("list")),
    (FRAME, FRAME.to_dict("records")),
    ([1, 2, 3], np.array([1, 2, 3])),
    ([1, 2, 3], (3, 2, 1)),
    ([1, 2, 3], pd.Index([1, 2, 3])),
    ([[1, 2], [3, 4]], np.array([[1, 2], [3, 4]])),
    (pd.Series({2023: 1, 2024: 2}).rename_axis("year"), {"2023": 1, "2024": 2}),
    (pd.Series([1, 2], index=pd.period_range("2024-01", periods=2, freq="M")), {"2024-01": 1, "2024-02": 2}),
]

WRONG: list[tuple[Any, Any]] = [
    (5, 6),
    (5, None),
    (5, [5, 5]),
    (5, "5 of 10, 20, 30 or 40"),
    (5.123, 5.12),
    (True, 1),
    ("Gentoo", "Adelie"),
    ("Gentoo", pd.Series({"Gentoo": 1, "Adelie": 2})),
    (dt.date(2024, 3, 1), dt.date(2024, 3, 2)),
    (SUMS, SUMS + 1),
    (SUMS, SUMS.tolist()),
    (SUMS, SUMS.iloc[:2]),
    (SUMS, {"North": 12.5, "South": 9.0, "East": 3.0}),
    (SUMS, SUMS.reset_index().assign(extra=[7, 8, 9])),
    (SUMS, 24.5),
    (FRAME, FRAME.drop(columns="y")),
    (FRAME, FRAME.fillna(0)),
    (FRAME, FRAME.assign(x=[3, 2, 1])),
    (FRAME, FRAME.rename(columns={"x": "y", "y": "x"})),
    (FRAME, pd.concat([FRAME, FRAME])),
    (FRAME, FRAME.assign(name=["a", "b", "d"])),
    ([1, 2, 3], [1, 2]),
    ([1, 2, 3], [1, 2, 4]),
    ([1, 1, 2], [1, 2, 2]),
    ([[1, 2], [3, 4]], [[1, 3], [2, 4]]),
    ([1, 2, 3], print),
]


@pytest.mark.parametrize(("expected", "actual"), RIGHT)
def test_right_in_another_shape(expected: Any, actual: Any) -> None:
    assert same(expected, actual) == ""


@pytest.mark.parametrize(("expected", "actual"), WRONG)
def test_wrong_values(expected: Any, actual: Any) -> None:
    assert same(expected, actual)


def test_order_counts_where_it_was_asked_for() -> None:
    assert same([1, 2, 3], [3, 2, 1], ordered=True)
    assert same(SUMS, SUMS.sort_values(), ordered=True)
    assert not same(SUMS, SUMS.reset_index(), ordered=True)


@settings(max_examples=examples(60), deadline=None)
@given(
    st.dictionaries(st.text("abcdef", min_size=1), st.floats(-1e6, 1e6), min_size=2, max_size=8),
    st.randoms(use_true_random=False),
)
def test_any_mapping(values: dict[str, float], chance: Any) -> None:
    """Every layout of a mapping passes; the same with one value moved does not."""
    items = list(values.items())
    chance.shuffle(items)
    series = pd.Series(dict(items))
    wrong = dict(values)
    key = chance.choice(list(wrong))
    wrong[key] += 1 + abs(wrong[key])
    for right in (dict(items), series, series.to_frame(), series.rename_axis("k").reset_index(name="v"), items):
        assert same(pd.Series(values), right) == ""
    for bad in (wrong, pd.Series(wrong), pd.Series(wrong).rename_axis("k").reset_index(name="v")):
        assert same(pd.Series(values), bad)


def test_printed_answers() -> None:
    assert shown(SUMS, str(SUMS)) == ""
    assert shown(FRAME, str(FRAME)) == ""
    assert shown(FRAME, FRAME.to_string(index=False)) == ""
    assert shown(12.3456, "mean: 12.35") == ""
    assert shown([1, 2], "[1, 2]") == ""
    assert shown(SUMS, str(SUMS + 1))
    assert shown(12.3456, "mean: 12.36")
    assert shown(5, "1 2 3 4 5 6 7")
    assert shown(FRAME, "a 1 1.5")


def test_facts_in_words() -> None:
    assert states(7.0, "共7个病人")
    assert states("北京", "首都是北京。")
    assert states(("merge", "join"), "Use `pd.merge`.")
    assert states(1234.0, "about 1,234 rows")
    assert not states(7.0, "there are 17 or 7.5")
    assert not states("age", "the average")


def test_what_a_request_changed() -> None:
    assert unchanged(FRAME, FRAME.copy())
    assert not unchanged(FRAME, FRAME.fillna(0))
    assert not unchanged([1, 2], [2, 1])
    assert not unchanged({"a": FRAME}, {"a": FRAME.iloc[:1]})
    assert only_extended(FRAME, FRAME.assign(z=1))
    assert not only_extended(FRAME, FRAME.assign(x=0))
    assert not only_extended(FRAME, FRAME.iloc[:2])


def test_intervals() -> None:
    low, high = wilson(5, 10)
    assert (round(low, 4), round(high, 4)) == (0.2366, 0.7634)  # the textbook's example
    assert wilson(0, 0) == (0.0, 1.0)
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(10, 0) == pytest.approx(2 / 1024)
    ratio, least, most = failure_ratio([(False, True)] * 10 + [(False, False)] * 10 + [(True, True)] * 20)
    assert ratio == 0.5
    assert least < 0.5 < most


def test_the_sets_are_what_they_promise() -> None:
    dev, reworded = load("dev"), load("reworded")
    assert len(dev) >= 120
    assert len({task.id for task in dev}) == len(dev)
    assert 3 * sum(len(task.steps) > 1 for task in dev) >= len(dev)
    assert 10 * sum(task.subject == "chinese" for task in dev) >= len(dev)
    for task, other in zip(dev, reworded, strict=True):
        assert all(a.ask.strip().lower() != b.ask.strip().lower() for a, b in zip(task.steps, other.steps, strict=True))
        assert all(step.expect or step.says for step in task.steps)


def test_the_other_set_is_of_other_data() -> None:
    dev, other = load("dev"), load("other")
    assert len({task.id for task in dev + other}) == len(dev) + len(other)
    assert {task.subject for task in other} == {task.subject for task in dev}
    assert not {task.setup for task in dev} & {task.setup for task in other}
    assert 3 * sum(len(task.steps) > 1 for task in other) >= len(other) >= 60
    assert all(step.expect or step.says for task in other for step in task.steps)
