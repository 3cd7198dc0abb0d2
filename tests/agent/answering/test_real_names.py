"""Where a name is not there, the model goes on from just before it, and only what is there may follow."""

from __future__ import annotations

import pytest

from llmos_jupyter.agent.answering.real_names import grammar, opening
from llmos_jupyter.protocol import UnknownName
from tests.agent.answering.test_line_repair import allows


def unknown(*real: str, at: tuple[int, int, int] = (2, 7, 12)) -> UnknownName:
    return UnknownName(written="'kms'", places=[list(at)], real=list(real))


@pytest.mark.parametrize(
    ("names", "line", "allowed"),
    [
        (["'km'", "'kmh'"], "'km'].sum()", True),
        (["'km'", "'kmh'"], "'kmh']", True),
        (["'km'", "'kmh'"], "'kms']", False),
        (["'km'", "'kmh'"], "'k']", False),
        (["mean", "median"], "median()", True),
        (["mean", "median"], "mean", True),
        (["mean", "median"], "means()", False),
        (["2021", "('a', 'b')"], "('a', 'b')]", True),
        (["2021", "('a', 'b')"], "2021]", True),
        (["2021", "('a', 'b')"], "20210]", False),
        (['"it\'s"', "'[x]-^'"], "'[x]-^'] + 1", True),
        (["größe"], "größe", True),
        (["größe"], "groesse", False),
    ],
)
def test_only_real_names_may_follow(names: list[str], line: str, allowed: bool) -> None:
    assert allows(grammar(names), line) is allowed


def test_it_goes_on_from_just_before_the_name() -> None:
    start = opening("a = 1\né = t['kms'] + 1\nb = 2", unknown("'km'"))
    assert start is not None
    assert start.prefix == "```python\na = 1\né = t["
    assert start.reply(f"{start.prefix}'km']\n```") == "```python\na = 1\né = t['km']\n```"


def test_where_nothing_is_known_to_be_there_it_does_not() -> None:
    assert opening("a = 1\né = t['kms']", unknown()) is None


def test_a_secret_is_not_told() -> None:
    secret = "'sk-proj-" + "a1B2c3D4" * 6 + "'"
    start = opening("a = 1\né = t['kms']", unknown("'km'", secret))
    assert start is not None
    assert "sk-proj" not in start.grammar
    assert opening(f"a = {secret}\né = t['kms']", unknown("'km'")) is None
