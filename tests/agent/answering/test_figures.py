"""Figures in words that stand nowhere in the prompt."""

from __future__ import annotations

import pytest

from llmos_jupyter.agent.answering.figures import uncomputed

PROMPT = ["ages: DataFrame, 1200 rows x 3 columns\n  age: int64, 18 .. 90, 12.50", "Request: the mean of age over 21"]


@pytest.mark.parametrize(
    ("words", "figures"),
    [
        ("The mean age is 47.3 years.", ["47.3"]),
        ("It is 1,234, of 1,200 rows.", ["1,234"]),
        ("It is 12.5, between 18 and 90.", []),
        ("There are 3 ways: 1. sort, 2. rank, 10 lines each.", []),
        ("Use utf8 and x86_64.", []),
        ("No figure at all.", []),
        ("平均是 47.3。", ["47.3"]),
    ],
)
def test_numbers_that_nothing_computed(words: str, figures: list[str]) -> None:
    assert uncomputed(words, PROMPT) == figures
