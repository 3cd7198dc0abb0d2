"""Figures are graded by what they show, however they were drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

mpl.use("agg")

from matplotlib import pyplot as plt

from benchmarks.quality.figures import same_figures

MONTHS = ["Jan", "Feb", "Mar", "Apr"]
RAIN = [40.0, 35.0, 60.0, 20.0]
FRAME = pd.DataFrame({"month": MONTHS, "rain": RAIN})
VALUES = np.array([1, 2, 2, 3, 3, 3, 4, 4, 5, 9])


def drawn(draw: Callable[[], Any]) -> list[Any]:
    figure = plt.figure()
    try:
        draw()
        others = [plt.figure(number) for number in plt.get_fignums()]
        return [one for one in others if one.axes]
    finally:
        plt.close("all")
        del figure


SAME: list[tuple[Callable[[], Any], Callable[[], Any]]] = [
    (lambda: plt.plot(MONTHS, RAIN), lambda: FRAME.plot(x="month", y="rain", marker="o")),
    (lambda: plt.plot(MONTHS, RAIN), lambda: (plt.plot(MONTHS, RAIN), plt.axhline(30))),
    (lambda: plt.bar(MONTHS, RAIN), lambda: FRAME.plot.bar(x="month", y="rain")),
    (lambda: plt.bar(MONTHS, RAIN), lambda: plt.barh(MONTHS[::-1], RAIN[::-1])),
    (lambda: plt.bar(MONTHS, RAIN), lambda: [plt.bar(m, r) for m, r in zip(MONTHS, RAIN, strict=True)]),
    (lambda: plt.scatter([1, 2, 3], [4, 5, 7]), lambda: plt.plot([3, 1, 2], [7, 4, 5], "o")),
    (lambda: plt.hist(VALUES), lambda: plt.hist(VALUES, bins=4)),
    (lambda: plt.hist(VALUES), lambda: pd.Series(VALUES).hist()),
    (lambda: plt.pie([1, 2, 3]), lambda: pd.Series([3, 2, 1]).plot.pie()),
]
OTHER: list[tuple[Callable[[], Any], Callable[[], Any]]] = [
    (lambda: plt.plot(MONTHS, RAIN), lambda: plt.plot(MONTHS, RAIN[::-1])),
    (lambda: plt.plot(MONTHS, RAIN), lambda: plt.bar(MONTHS, RAIN)),
    (lambda: plt.plot([0.5, 1, 2, 3], RAIN), lambda: plt.plot([5, 6, 7, 8], RAIN)),
    (lambda: plt.bar(MONTHS, RAIN), lambda: plt.bar(MONTHS, RAIN[::-1])),
    (lambda: plt.bar(MONTHS, RAIN), lambda: plt.bar(MONTHS[:3], RAIN[:3])),
    (lambda: plt.scatter([1, 2, 3], [4, 5, 7]), lambda: plt.scatter([4, 5, 7], [1, 2, 3])),
    (lambda: plt.hist(VALUES), lambda: plt.hist(VALUES[:-1])),
    (lambda: plt.pie([1, 2, 3]), lambda: plt.pie([1, 2, 4])),
    (lambda: plt.bar(MONTHS, RAIN), lambda: None),
]


@pytest.mark.parametrize(("expected", "actual"), SAME)
def test_the_same_data(expected: Callable[[], Any], actual: Callable[[], Any]) -> None:
    assert same_figures(drawn(expected), drawn(actual)) == ""


@pytest.mark.parametrize(("expected", "actual"), OTHER)
def test_other_data(expected: Callable[[], Any], actual: Callable[[], Any]) -> None:
    assert same_figures(drawn(expected), drawn(actual))


def test_bins_and_titles_where_they_were_asked_for() -> None:
    four, ten = drawn(lambda: plt.hist(VALUES, bins=4)), drawn(lambda: plt.hist(VALUES, bins=10))
    assert same_figures(four, ten, exact_bins=True)
    assert same_figures(ten, ten, must_say=["Rain"])
    titled = drawn(lambda: (plt.hist(VALUES), plt.title("RAIN in May")))
    assert same_figures(ten, titled, must_say=["Rain"]) == ""
