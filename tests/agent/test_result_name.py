"""Names that requests give to their results, and words that only look like one."""

from __future__ import annotations

import pandas as pd
import pytest

from llmos_jupyter.agent.inspection.result_name import give_name, requested_name, spell_columns


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        ("drop the empty rows, call it clean", "clean"),
        ("sort each row of grid ascending, as ordered", "ordered"),
        ("ordered = grid with every row sorted", "ordered"),
        ("a new list evens of the even ones", "evens"),
        ("make a DataFrame logs from log with the columns date and level", "logs"),
        ("one row per region and one column per product, as pivot", "pivot"),
        ("a new table complete with only the patients where nothing is missing", "complete"),
        ("把结果保存到 结果", ""),
        ("put the cluster number of each point in lab", "lab"),
        ("one flat list of everybody, keep the order. -> people", "people"),
        ("put the rows in order", ""),
        ("keep what is in sales", ""),
        ("show it as sorted", ""),
        ("plot x as bars", ""),
        ("x == 3 rows", ""),
        ("solve for y = 2x + 3", ""),
        ("a numpy array full of zeros", ""),
        ("a list of names", ""),
        ("a dict mapping a to b", ""),
        ("a table sorted by name", ""),
        ("the table sales with its columns in order", ""),
        ("a list comprehension with a condition", ""),
        ("is = 3", ""),
    ],
)
def test_requested_name(request_: str, name: str) -> None:
    assert requested_name(request_, {"sales": 1}) == name


def test_the_result_gets_the_name() -> None:
    code, told = give_name("kept = [n for n in nums if n % 2 == 0]\nkept", "evens", {"nums": [1]})
    assert told is not None
    names = {"nums": [1, 2]}
    exec(code, names)
    assert names["evens"] == [2]


def test_a_value_that_the_user_has_is_not_renamed() -> None:
    assert give_name("nums", "evens", {"nums": [1]}) == ("nums", None)


def test_new_columns_are_spelt_as_in_the_request() -> None:
    table = pd.DataFrame({"price": [1, 2]})
    code = "table['Running Total'] = table['price'].cumsum()\ntable[['price', 'Running Total']]"
    spelt, told = spell_columns(code, "add a column running_total to table", {"table": table})
    assert told is not None
    assert spelt.count("'running_total'") == 2
    assert spell_columns(code, "add a column Running Total to table", {"table": table}) == (code, None)
    assert spell_columns("table['Price'] = 1", "add price_", {"table": table})[1] is None
