"""The last answer's code with one thing changed, and requests that ask for something else."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from llmos_jupyter.agent.followup import followed_up

MEAN = "result = trips.groupby('Town')['price'].mean()\nresult"


def namespace() -> dict[str, Any]:
    trips = pd.DataFrame(
        {
            "Town": ["Rome", "Oslo", "Rome"],
            "mode": ["rail", "air", "rail"],
            "price": [30.0, 90.0, 20.0],
            "hours": [3, 2, 4],
        }
    )
    return {"trips": trips, "old_trips": trips.head(2).copy(), "result": 1}


@pytest.mark.parametrize(
    ("request_", "last", "code"),
    [
        ("no, the median", MEAN, "trips.groupby('Town')['price'].median()"),
        ("不对，我要中位数", MEAN, "trips.groupby('Town')['price'].median()"),
        ("and the maximum?", "trips['price'].min()", "trips['price'].max()"),
        ("now by mode", MEAN, "trips.groupby('mode')['price'].mean()"),
        ("and per Mode, please", MEAN, "trips.groupby('mode')['price'].mean()"),
        ("the same for old_trips", MEAN, "old_trips.groupby('Town')['price'].mean()"),
        ("the same with hours", MEAN, "trips.groupby('Town')['hours'].mean()"),
        ("only for rail", MEAN, "trips[trips['mode'] == 'rail'].groupby('Town')['price'].mean()"),
        ("just Rome", "trips['price'].sum()", "trips[trips['Town'] == 'Rome']['price'].sum()"),
    ],
)
def test_one_thing_is_changed(request_: str, last: str, code: str) -> None:
    assert followed_up(request_, ["x = 1", last], namespace()) == code
    exec(code, namespace())


@pytest.mark.parametrize(
    ("request_", "last"),
    [
        ("no, the median", "trips['price'].mean() / trips['hours'].mean()"),
        ("the mean of hours", MEAN),
        ("by weekday", MEAN),
        ("only for boats", MEAN),
        ("only those over 25", MEAN),
        ("the same for nothing", MEAN),
        ("the same for old_trips", "trips['price'].mean() / other"),
        ("plot it by mode and town", MEAN),
        ("no, the median", "(not python"),
    ],
)
def test_something_else_is_asked(request_: str, last: str) -> None:
    names = namespace()
    if "other" in last:
        names["old_trips"] = names["old_trips"].drop(columns="price")
    assert followed_up(request_, [last], names) == ""
    assert followed_up(request_, [], names) == ""
