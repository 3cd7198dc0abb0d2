"""Names that requests spell out for their results, and words that only look like one."""

from __future__ import annotations

import pandas as pd
import pytest

from llmos_jupyter.agent.mending.result_name import give_name, requested_name


def namespace() -> dict[str, object]:
    people = pd.DataFrame({"first_name": ["Ann", "Bo"], "job_title": ["vice_president", "clerk"]})
    return {"people": people, "pay_scale": {"grade_a": 1}, "pd": pd}


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        ("total per year, as per_year", "per_year"),
        ("met le r\u00e9sultat dans `moyenne`", "moyenne"),
        ("把每年的总和存到 per_year", "per_year"),
        ("इसे `kul` में रखो", "kul"),
        ("drop the empty rows, call it clean", ""),
        ("find the employee called max", ""),
        ("put it into `max`", ""),
        ("save it as csv", ""),
        ("count by first_name", ""),
        ("who is a vice_president?", ""),
        ("what is `pay_scale`?", ""),
        ("what is grade_a?", ""),
        ("use sort_values on people", ""),
        ("mean_pay and mean_age of all", ""),
        ("open my_file.csv", ""),
        ("call do_it(3)", ""),
        ("what does `class` mean?", ""),
        ("列名 '平均_值'", ""),
    ],
)
def test_requested_name(request_: str, name: str) -> None:
    assert requested_name(request_, namespace()) == name


def test_the_result_gets_the_name() -> None:
    code, told = give_name("kept = [n for n in nums if n % 2 == 0]\nkept", "even_ones", {"nums": [1]})
    assert told is not None
    names = {"nums": [1, 2]}
    exec(code, names)
    assert names["even_ones"] == [2]


def test_a_name_inside_a_longer_one_is_not_used_yet() -> None:
    code, _ = give_name("not_even_ones = [n for n in nums if n % 2]\nnot_even_ones", "even_ones", {"nums": [1]})
    assert code.endswith("even_ones = not_even_ones\neven_ones")


@pytest.mark.parametrize(
    "code",
    ["nums", "print(nums)", "sum(nums); len(nums)", "even_ones = nums\nlen(nums)", "5", "nums['even_ones'] = 1\nnums"],
)
def test_what_is_left_as_it_is(code: str) -> None:
    assert give_name(code, "even_ones", {"nums": [1]}) == (code, None)
