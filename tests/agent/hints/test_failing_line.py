"""What a report says of the line that failed, after real rehearsals, and that saying it runs nothing."""

from __future__ import annotations

import time
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
import scipy.stats  # in the copy it would be imported anew in each case

from llmos_jupyter.agent.hints.looks import LookOnly
from llmos_jupyter.effects.copy.error_reports import error_report
from llmos_jupyter.effects.copy.kernel_copy import supported
from llmos_jupyter.protocol import ErrorReport
from tests.effects.copy.shells import rehearse, shell_with

forks = pytest.mark.skipif(supported() is not None, reason=str(supported()))


class Holder:
    """An object of the user's that would tell if anybody asked it anything."""

    asked: ClassVar[list[str]] = []

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame

    def __repr__(self) -> str:
        self.asked.append("repr")
        raise RuntimeError

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        raise AttributeError(name)

    def __eq__(self, other: object) -> bool:
        self.asked.append("eq")
        raise RuntimeError

    def __hash__(self) -> int:
        return hash("a")


def namespace() -> dict[str, Any]:
    sales = pd.DataFrame({"shop": ["x", "y", "x"], "price": ["1,5", "2", "3"], "qty": [1, 2, None]})
    return {
        "pd": pd,
        "np": np,
        "sales": sales,
        "bosses": pd.DataFrame({"shop": ["x"], "boss": ["Ann"]}),
        "password": "hunter2-and-more",
        "users": pd.DataFrame({"password": ["correct horse"], "age": [3]}),
        "config": {"token": "abcdef0123456789", "size": 3},
        "holder": Holder(sales),
    }


def report(code: str) -> ErrorReport:
    done = rehearse(code, shell_with(**namespace()))
    assert done.status == "failed", done
    assert done.error is not None
    assert len(done.error.values) <= 6
    assert all(len(line) <= 160 and "\n" not in line for line in done.error.values)
    assert len(done.error.function) <= 430
    return done.error


@forks
@pytest.mark.parametrize(
    ("code", "values"),
    [
        (
            "sales['price'] * sales['qty']",
            ["sales['price']: Series price, 3 rows", "sales['qty']: Series qty, 3 rows, float64", "sales: DataFrame"],
        ),
        ("x = sales.price > 3", ["sales.price: Series price", "sales: DataFrame"]),
        (
            "t = sales.groupby('shop')['qty'].sum()\nt.merge(bosses)",
            ["t: Series qty, 2 rows", "bosses: DataFrame, 1 rows x 2 columns"],
        ),
        (
            "def ratio(t, n):\n    return t['qty'] / n['a']\nratio(sales, {'a': [1, 2]})",
            ["t['qty']: Series qty", "n['a']: list[int], 2 items: [1, 2]", "t: DataFrame", "n: dict[str, list]"],
        ),
        ("for v in sales['qty']:\n    int(v)", ["v: float nan"]),
        ("[int(v) for v in sales['price']]", ["v: str, 3", "sales['price']: S", "sales: D"]),
        (
            "sales.apply(lambda row: row['price'] / row['qty'], axis=1)",
            ["row['price']: str, 3 characters: '1,5'", "row['qty']: float 1.0", "row: Series 0", "sales: DataFrame"],
        ),
        ("a, b = 1, 0\nif a / b > 1:\n    big = sales", ["a: int 1", "b: int 0"]),
        ("%time sales['zz']", ["sales: DataFrame"]),
        ("%%time\ny = 3\nsales['zz'] + y", ["sales: DataFrame", "y: int 3"]),
        ("%time 1\nk = 3\nk.foo", ["k: int 3"]),
        ("1 / 0", []),
        ("raise ValueError('mine')", []),
        ("if 1:\n  x = (", []),
    ],
)
def test_the_values_of_the_line(code: str, values: list[str]) -> None:
    found = report(code).values
    assert len(found) == len(values), found
    for line, start in zip(found, values, strict=True):
        assert line.startswith(start)


@forks
@pytest.mark.parametrize(
    ("code", "function", "purpose"),
    [
        ("sales.merge(bosses, on='boss')", "DataFrame.merge(self, right, how='inner', on=None,", "Merge DataFrame"),
        ("sales.sort_values('price', asc=True)", "DataFrame.sort_values(self, by, *, axis=0", "Sort by the values"),
        ("pd.to_datetime(sales['price'])", "pd.to_datetime(arg, errors='raise', dayfirst=False", "Convert argument"),
        ("np.linalg.norm(sales['price'])", "np.linalg.norm(x, ord=None", "Matrix or vector norm."),
        ("sales['price'].astype(float).sum()", "Series.astype(self, dtype", "Cast a pandas object"),
        (
            "(sales\n .merge(bosses, on='shop')\n .pivot(index='shop', columns='zz'))",
            "DataFrame.pivot(self, *, columns",
            "Return reshaped DataFrame",
        ),
        ("import datetime\ndatetime.date(2024, 13, 1)", "date(year, month, day)", ""),
        ("len(5)", "len(obj, /)", "Return the number of items"),
        ("sales['zz']", "", ""),
        ("def mine(x):\n    return x / 0\nmine(1)", "", ""),
        ("'abc'.foo", "", ""),
    ],
)
def test_the_function_that_is_called(code: str, function: str, purpose: str) -> None:
    found = report(code).function
    assert found.startswith(function)
    assert purpose in found
    assert bool(found) is bool(function)


@forks
@pytest.mark.parametrize(
    ("code", "values"),
    [
        (
            "a = np.arange(4)\nnp.repeat(a, 2)[a > 1]",
            [
                "np.repeat(a, 2): ndarray int64, shape (8,): [0, 0,",
                "a > 1: ndarray bool, shape (4,)",
                "a: ndarray int64",
            ],
        ),
        (
            "r, p = sales['qty'].corr(sales['qty'])",
            ["sales['qty'].corr(sales['qty']): float64", "sales['qty']: Series", "sales: DataFrame"],
        ),
        (
            "sales['price'].str[:1].head(2) + sales['qty'].max()",
            ["sales['price'].str[:1].head(2): Series price, 2 rows", "sales['qty'].max(): float64 2", "sales['price']"],
        ),
        (
            "n = [1]\nn.append(2) + len([n.append(3)])",
            ["n.append(2): None", "len([n.append(3)]): int 1", "n:"],
        ),
        ("import time\ntime.sleep(1.1)\nn = 1\nlen([n]) + 'a'", ["n: int 1"]),  # the run took longer than a moment
        ("print('once') or len([1]) + 'a'", ["len([1]): int 1"]),
        ("def f(k):\n    print('seen')\n    return k\nf(1) + f('a')", ["f(1): int 1", "f('a'): str, 1 character"]),
    ],
)
def test_what_the_parts_of_the_line_came_to(code: str, values: list[str]) -> None:
    done = rehearse(code, shell_with(**namespace()))
    assert done.error is not None
    assert len(done.error.values) <= 6
    assert len(done.error.values) >= len(values)
    for line, start in zip(done.error.values, values, strict=False):
        assert line.startswith(start)
    assert done.output.count("once") <= 1
    assert done.output.count("seen") == 2 * code.count("seen")


SHAPIRO = "from scipy.stats import shapiro\nfrom scipy import stats\nn = [2.0, 4.0, 4.5, 9.0]\n"


@forks
@pytest.mark.parametrize(
    ("code", "place", "text"),
    [
        ("p_value, stat = shapiro(n)", (0, 13), "stat, p_value"),
        ("p_value, _ = stats.shapiro(n)", (0, 10), "_, p_value"),
        ("pvalue, statistic = stats.ttest_1samp(n, 0)", (0, 17), "statistic, pvalue"),
        ("stat, p_value = shapiro(n)", None, ""),
        ("a, b = shapiro(n)", None, ""),
        ("p_value, pvalue = shapiro(n)", None, ""),
        ("statistic, stat = shapiro(n)", None, ""),
        ("p_value, b = divmod(7, 2)", None, ""),
        ("def mine():\n    return shapiro(n)\np_value, stat = mine()", None, ""),
    ],
)
def test_names_in_the_wrong_order(code: str, place: tuple[int, int] | None, text: str) -> None:
    assert scipy.stats.shapiro
    done = rehearse(SHAPIRO + code, shell_with())
    assert done.status == "passed"
    assert [(edit.start, edit.end) for edit in done.edits] == ([place] if place else [])
    assert [edit.text for edit in done.edits] == ([text] if text else [])


TABLE = "t = pd.concat([pd.DataFrame({' km': [1, 2], 'city': ['x', 'y'], 2021: [3, 4]})])\n"


@forks
@pytest.mark.parametrize(
    ("code", "written", "places", "meant", "real"),
    [
        ("t['km'].sum()", "'km'", [[2, 2, 6]], "' km'", ["' km'", "'city'", "2021"]),
        ("t.groupby('city')['km'].sum()", "'km'", [[2, 18, 22]], "' km'", ["' km'", "'city'", "2021"]),
        ("é = t['km'] + t['city'] + t['km']", "'km'", [[2, 7, 11], [2, 29, 33]], "' km'", ["' km'", "'city'", "2021"]),
        ("def f(t):\n    return t['2021']\nf(t)", "'2021'", [[3, 13, 19]], "2021", ["' km'", "'city'", "2021"]),
        ("t.dropna(subset=['city', 'wins'])", "'wins'", [[2, 25, 31]], "", ["' km'", "'city'", "2021"]),
        ("{'a': 1}['b']", "", [], "", []),
        ("t['city'].frobnicate()", "", [], "", []),
        ("box = {'a': 1}\nbox['b']", "'b'", [[3, 4, 7]], "", ["'a'"]),
        (
            "c = sale['price']",
            "sale",
            [[2, 4, 8]],
            "",
            ["t", "sales", "bosses", "password", "users", "config", "holder"],
        ),
        ("t['city'].loc['x']", "", [], "", []),
        ("raise KeyError('km')", "", [], "", []),
        ("t.pivot(index='km', columns='city')", "'km'", [[2, 14, 18]], "' km'", ["' km'", "'city'", "2021"]),
    ],
)
def test_what_is_not_there(code: str, written: str, places: list[list[int]], meant: str, real: list[str]) -> None:
    found = report(TABLE + code).unknown
    if not written:
        assert found is None
        return
    assert found is not None
    assert (found.written, found.places, found.meant) == (written, places, meant)
    assert sorted(found.real) == sorted(real)


@forks
@pytest.mark.parametrize(
    ("code", "written", "has", "lacks"),
    [
        ("t.citi.nunique()", "citi", "city", "_mgr"),
        ("np.arange(3).meen()", "meen", "mean", "__len__"),
        ("np.averag([1])", "averag", "average", "sys"),
        ("from json import dumpz", "dumpz", "dumps", "codecs"),
        ("import posixpath\nposixpath.joinn('a')", "joinn", "join", "os"),
    ],
)
def test_which_attributes_there_are(code: str, written: str, has: str, lacks: str) -> None:
    found = report(TABLE + code).unknown
    assert found is not None
    assert found.written == written
    assert has in found.real
    assert lacks not in found.real


@forks
def test_secrets_are_masked() -> None:
    for code in (
        "password + 1",
        "users['password'] + 1",
        "users.password / 2",
        "users['age'] + config['token']",
        "config + 1",
    ):
        said = "\n".join(report(code).values)
        assert said
        assert not any(secret in said for secret in ("hunter2", "correct horse", "abcdef0123456789")), said


@forks
def test_nothing_of_the_users_is_run() -> None:
    code = (
        "import sys\ntry:\n    n = len(holder.__dict__)\nexcept Exception:\n    pass\n"
        "holder.__class__.asked.clear()\nsales['zz'], holder, {holder: 1}"
    )
    assert "holder: tests Holder object" in "\n".join(report(code).values)
    names = {**namespace(), "box": {Holder(pd.DataFrame()): 1}}
    Holder.asked.clear()
    try:
        exec(compile("box['a'] + holder.frame['zz'] / holder", "<cell>", "exec"), names)
    except Exception as error:
        Holder.asked.clear()
        made = error_report(error, "box['a'] + holder.frame['zz'] / holder", ["<cell>"], LookOnly)
        assert made.values
        assert Holder.asked == []
    else:
        raise AssertionError


def test_it_is_quick_and_bounded() -> None:
    big = pd.DataFrame({f"c{i}": np.arange(200_000) for i in range(200)})
    code = "a + b + c + d + e + f + g['x'] + g + a.zz + [1][5]"
    names = dict.fromkeys("abcdef", big) | {"g": big}
    try:
        exec(compile(code, "<cell>", "exec"), dict(names))
    except Exception as error:
        started = time.process_time()
        made = error_report(error, code, ["<cell>"], LookOnly)
        assert time.process_time() - started < 1.5  # the time of one look at a time is bounded, not exact
        assert 0 < len(made.values) <= 6
    else:
        raise AssertionError


def test_a_frame_that_cannot_be_looked_at_costs_nothing() -> None:
    class Odd(dict[str, Any]):
        def get(self, *args: Any) -> Any:
            raise RuntimeError

        def __contains__(self, key: object) -> bool:
            raise RuntimeError

    try:
        exec(compile("x = 1\ny = x / 0", "<cell>", "exec"), {}, Odd())
    except ZeroDivisionError as error:
        made = error_report(error, "x = 1\ny = x / 0", ["<cell>"], LookOnly)
        assert (made.type, made.line, made.values) == ("ZeroDivisionError", 2, [])
    else:
        raise AssertionError
