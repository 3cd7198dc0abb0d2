"""Idioms are found by the words of a request and stand in the notebook's own names."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pandas as pd
import pytest

from llmos_jupyter.agent import idioms
from llmos_jupyter.agent.idioms import idioms_for, usable_as_it_is


def variables() -> dict[str, Any]:
    orders = pd.DataFrame(
        {
            "Order Date": ["2024-01-05", "2024-02-17"],
            "shop": ["Rome", "Oslo"],
            "Unit Price": [2.0, 3.5],
            "qty": [4, 1],
        }
    )
    return {"orders": orders, "speed": np.arange(9.0), "log": ["a b", "c d"], "note": "Call me. Now!"}


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ("what is the total revenue?", "(orders['Unit Price'] * orders['qty']).sum()"),
        ("row with the highest qty per shop", "orders.loc[orders.groupby('shop')['qty'].idxmax()]"),
        ("moving average of speed over 3 points", "np.convolve(speed, np.ones(3) / 3, mode='valid')"),
        ("how many words does note have?", 'len(re.findall(r"[\\w\']+", note))'),
        ("how many sentences are in note", "len(re.findall(r'[^.!?]+[.!?]', note))"),
        (
            "qty totals per month",
            "orders.groupby(pd.to_datetime(orders['Order Date']).dt.to_period('M'))['qty'].sum()",
        ),
    ],
)
def test_found_and_filled(request_: str, code: str) -> None:
    assert code in [idiom.code for idiom in idioms_for(request_, variables())]


@pytest.mark.parametrize("request_", ["hello", "what is a p-value?", "显示", "x", "", "1 + 1", "the the the"])
def test_nothing_fits(request_: str) -> None:
    assert idioms_for(request_, variables()) == []


def test_no_placeholder_is_left() -> None:
    """A model copies a placeholder as it stands: without a table, or with two, none is shown."""
    assert not any("table" in idiom.code for idiom in idioms_for("total revenue", {"note": "x"}))
    two = variables() | {"other": variables()["orders"].copy()}
    assert idioms_for("what is the total revenue?", two) == []
    named = idioms_for("what is the total revenue in other?", two)
    assert "other['qty']" in named[0].code


def test_every_idiom_is_python_and_every_phrase_says_something() -> None:
    listed, weight = idioms._idioms()
    assert len(listed) > 100
    for idiom in listed:
        ast.parse(idiom.code)
        assert all(phrase and all(weight[word] > 0 for word in phrase) for phrase in idiom.phrases), idiom.title


def test_an_idiom_with_a_number_of_its_own_is_no_answer() -> None:
    [idiom] = idioms_for("moving average of speed", variables())[:1]
    assert not usable_as_it_is(idiom, "moving average of speed", [])
    assert usable_as_it_is(idiom, "moving average of speed over 3 points", [])
