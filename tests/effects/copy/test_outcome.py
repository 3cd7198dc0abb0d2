"""Two answers that a person would call the same have one digest, and others have others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from llmos_jupyter.effects.copy.outcome import digest, doubts, joined_texts, shown_digest

SERIES = pd.Series([1.5, 4.0], index=pd.Index(["a", "b"], name="g"), name="v")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (SERIES, SERIES.reset_index()),
        (SERIES, SERIES.to_dict()),
        (3, np.int64(3)),
        (0.1 + 0.2, np.float64(0.3)),
        ([1, 2], np.array([1.0, 2.0])),
        (pd.DataFrame({"a": [1], "b": [2]}), pd.DataFrame({"x": [1], "y": [2]})),
    ],
)
def test_the_same_answer_in_another_form_agrees(one: object, other: object) -> None:
    assert digest(one) == digest(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (SERIES, SERIES[::-1]),
        (SERIES, SERIES + 1),
        (3, 4),
        ("a", "b"),
        ([1, 2], [2, 1]),
        (float("nan"), 0.0),
        (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1]})),
    ],
)
def test_another_answer_does_not(one: object, other: object) -> None:
    assert digest(one) != digest(other)


def test_a_printed_number_agrees_with_a_shown_one() -> None:
    assert shown_digest(None, "The mean is 2.5\n", []) == shown_digest(2.5, "", [])


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (pd.DataFrame(), "x"),
        (SERIES * float("nan"), "x"),
        ([], "[]"),
        (float("nan"), "nan"),
        (lambda: None, "f"),
    ],
)
def test_empty_answers_are_doubted(value: object, shown: str) -> None:
    assert doubts(value, shown, 0)


def test_good_answers_are_not_doubted() -> None:
    assert not doubts(SERIES, "x", 0)
    assert not doubts(None, "printed", 0)
    assert not doubts(None, "", 1)


TABLE = pd.DataFrame({"city": ["Ulm", "Jena", "Ulm"], "n": [1, 2, 4]})


@pytest.mark.parametrize("value", [TABLE.sum(), TABLE.assign(key=[1, 1, 2]).groupby("key").sum()])
def test_texts_joined_by_a_sum_are_doubted(value: object) -> None:
    (doubt,) = joined_texts(value, {"table": TABLE})
    assert "'city'" in doubt


@pytest.mark.parametrize(
    "value",
    [
        TABLE,
        TABLE.sum(numeric_only=True),
        TABLE.loc[0],
        TABLE.max(),
        TABLE.groupby("n").first(),
        TABLE.drop_duplicates("city"),
        TABLE.city,
        TABLE.describe(include="all"),
        "UlmJenaUlm",
    ],
)
def test_other_results_are_not_taken_for_joined_texts(value: object) -> None:
    assert not joined_texts(value, {"table": TABLE})
