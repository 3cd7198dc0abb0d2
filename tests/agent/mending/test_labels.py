"""Labels that are the same as text, columns of several levels, hidden builtins, columns called like methods.

Every code that is mended is first seen to fail, and then to work: a repair of what works would be a change of meaning.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from llmos_jupyter.agent.inspection.check import inspect
from llmos_jupyter.agent.mending.mend import mend
from llmos_jupyter.protocol import Finding


def namespace() -> dict[str, Any]:
    sales = pd.DataFrame({"shop": ["x", "x", "y"], "price": [1.0, 2.0, 3.0]})
    return {
        "pd": pd,
        "sales": sales,
        "pop": pd.DataFrame({"city": ["a", "b"], 2021: [1, 2], 2022: [3, 4]}),
        "floats": pd.DataFrame([[1, 2]], columns=pd.Index([2021.0, 2022.5])),
        "worded": pd.DataFrame({"city": ["a", "b"], "2021": [1, 2], "2022": [3, 4]}),
        "years": pd.DataFrame({"v": [1, 2]}, index=[2021, 2022]),
        "texts": pd.DataFrame({"v": [1, 2]}, index=["2021", "2022"]),
        "padded": pd.DataFrame({"price ": [1, 2], "\ufeffid": [1, 2], " both": [1, 2], "both ": [3, 4]}),
        "stats": sales.groupby("shop").agg({"price": ["mean", "max"]}),
        "twice": pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a_b", "c"), ("a", "b_c")])),
        "box": pd.DataFrame({"rank": [2, 1], "size": [3, 4], "count": [3, 4], "T": ["u", "v"], "shape": ["p", "q"]}),
        "dated": pd.DataFrame([[1]], columns=pd.to_datetime(["2024-01-01"])),
        "monthly": pd.DataFrame({"v": [1, 2]}, index=pd.period_range("2024-01", periods=2, freq="M")),
    }


def mended(code: str, names: dict[str, Any]) -> tuple[str, list[Finding]]:
    told: list[Finding] = []
    for _ in range(3):
        code, repairs = mend(code, inspect(code, names), names)
        told += repairs
        if not repairs:
            break
    return code, told


LABELS = [
    ("pop['2021'].sum()", "pop[2021].sum()"),
    ("pop[['city', '2021', '2022']]", "pop[['city', 2021, 2022]]"),
    ("pop.groupby('2021').size()", "pop.groupby(2021).size()"),
    ("pop.groupby('city')['2021'].sum()", "pop.groupby('city')[2021].sum()"),
    ("pop.sort_values('2021')", "pop.sort_values(2021)"),
    ("pop.sort_values(by=['2021'])", "pop.sort_values(by=[2021])"),
    ("pop.agg({'2021': 'sum'})", "pop.agg({2021: 'sum'})"),
    ("pop.groupby('city').agg(n=('2021', 'sum'))", "pop.groupby('city').agg(n=(2021, 'sum'))"),
    ("pop.nlargest(1, '2021')", "pop.nlargest(1, 2021)"),
    ("pop.drop(columns=['2021'])", "pop.drop(columns=[2021])"),
    ("pop.loc[:, '2021']", "pop.loc[:, 2021]"),
    ("pop.loc[pop['city'] == 'a', ['2021']]", "pop.loc[pop['city'] == 'a', [2021]]"),
    ("pop['2021'] = pop['2021'] * 2", "pop[2021] = pop[2021] * 2"),
    ("pop['2021'] += 1", "pop[2021] += 1"),
    ("key = '2021'\npop[key].sum()", "key = 2021\npop[key].sum()"),
    ("years = ['2021', '2022']\npop[years].sum()", "years = [2021, 2022]\npop[years].sum()"),
    (
        "for y in ['2021', '2022']:\n    print(y, f'{y}:', pop[y].sum())",
        "for y in [2021, 2022]:\n    print(y, f'{y}:', pop[y].sum())",
    ),
    ("[pop[y].sum() for y in ('2021', '2022')]", "[pop[y].sum() for y in (2021, 2022)]"),
    ("floats['2021']", "floats[2021.0]"),
    ("worded[2021] + 2021", "worded['2021'] + 2021"),
    ("worded[[2021, 2022]].sum()", "worded[['2021', '2022']].sum()"),
    ("worded.sort_values(2021)", "worded.sort_values('2021')"),
    ("worded.nlargest(2021, 2021)", "worded.nlargest(2021, '2021')"),
    ("years.loc['2021']", "years.loc[2021]"),
    ("years.loc[['2021', '2022'], 'v']", "years.loc[[2021, 2022], 'v']"),
    ("years.at['2021', 'v']", "years.at[2021, 'v']"),
    ("pop.loc['0']", "pop.loc[0]"),
    ("texts.loc[2021, 'v']", "texts.loc['2021', 'v']"),
    ("padded['price'].sum()", "padded['price '].sum()"),
    ("padded.price.sum()", "padded['price '].sum()"),
    ("padded.sort_values('id')", "padded.sort_values('\\ufeffid')"),
    ("stats['price_mean']", "stats[('price', 'mean')]"),
    ("stats['price mean'].max()", "stats[('price', 'mean')].max()"),
    ("stats[['price.mean', 'price.max']]", "stats[[('price', 'mean'), ('price', 'max')]]"),
    ("stats.price_mean", "stats[('price', 'mean')]"),
    ("stats.sort_values('price_max')", "stats.sort_values(('price', 'max'))"),
    (
        "s = sales.groupby('shop').agg({'price': ['mean', 'max']})\ns['price_mean']",
        "s = sales.groupby('shop').agg({'price': ['mean', 'max']})\ns[('price', 'mean')]",
    ),
    (
        "s = sales.groupby('shop')[['price']].agg(['mean'])\ns['price_mean']",
        "s = sales.groupby('shop')[['price']].agg(['mean'])\ns[('price', 'mean')]",
    ),
]


@pytest.mark.parametrize(("code", "right"), LABELS)
def test_a_label_that_is_the_same_as_text(code: str, right: str) -> None:
    with pytest.raises((KeyError, AttributeError)):
        exec(code, namespace())
    names = namespace()
    result, told = mended(code, names)
    assert result == right
    assert told
    assert {f.kind for f in told} == {"mended"}
    exec(result, names)


@pytest.mark.parametrize(
    "code",
    [
        "pop['2023']",
        "pop['021']",
        "pop[2023]",
        "years.loc['2023']",
        "padded['both']",  # two can be meant
        "twice['a_b_c']",  # two can be meant
        "stats['mean']",
        "stats['price_min']",
        "stats['price']",
        "stats['price']['mean']",
        "stats['price', 'mean']",
        "stats.sort_values(('price', 'mean'))",
        "stats.sort_values([('price', 'mean')])",
        "stats.groupby('shop').size()",
        "stats.reset_index()['shop']",
        "s = sales.groupby('shop').agg({'price': ['mean']})\ns.columns = ['price_mean']\ns['price_mean']",
        "s = sales.groupby('shop').agg({'price': ['mean']})\ns.columns = ['_'.join(c) for c in s]\ns.price_mean",
        "pop['2021'] = 1\npop['2021']",
        "key = '2021'\npop[key].rename('in ' + key)",  # it is text elsewhere
        "for y in ['2021']:\n    print(f'{y:>6}', pop[y].sum())",
        "for y in ['2021']:\n    print(pop[y].sum(), len(y))",
        "pop.columns = [str(c) for c in pop.columns]\npop['2021']",
        "pop = pop.rename(columns=str)\npop['2021']",
        "years.index = years.index.astype(str)\nyears.loc['2021']",
        "years.loc['2021'] = 3",
        "texts.sort_index(inplace=True, ignore_index=True)\ntexts.loc[0]",
        "years.rename(index=str, inplace=True)\nyears.loc['2021']",
        "dated['2024-01-01']",
        "monthly.loc['2024-01']",
        "monthly.loc['2024']",
        "floats[2021]",
        "pop.plot(title='2021')",
        "sales[sales['shop'] == '2021']",
    ],
)
def test_what_works_or_may_mean_several_is_left(code: str) -> None:
    assert mended(code, namespace()) == (code, [])


def test_the_tuples_are_told() -> None:
    (found,) = inspect("stats['mean']", namespace())
    assert found.suggestions == ["('price', 'mean')"]
    assert "did you mean ('price', 'mean')?" in found.message
    (found,) = inspect("stats['price_median']", namespace())
    assert "its columns are ('price', 'mean'), ('price', 'max')" in found.message


def test_a_repair_is_told_once() -> None:
    _, told = mended("pop['2021'].sum() + pop['2021'].max()", namespace())
    assert [f.message for f in told] == ["Mended without the model: the column '2021' was written 2021."]


@pytest.mark.parametrize(
    ("code", "right"),
    [
        ("sum([1, 2])", "import builtins\nbuiltins.sum([1, 2])"),
        (
            "max(1, 2) + sum([max(3, 4)])",
            "import builtins\nbuiltins.max(1, 2) + builtins.sum([builtins.max(3, 4)])",
        ),
        ("f = lambda x: max(x)\nf([1])", "import builtins\nf = lambda x: builtins.max(x)\nf([1])"),
        ("list(range(3))", "import builtins\nbuiltins.list(range(3))"),
    ],
)
def test_a_hidden_builtin(code: str, right: str) -> None:
    hidden = {"sum": 12, "list": [1], "max": np.int64(3)}
    with pytest.raises(TypeError, match="not callable"):
        exec(code, {**namespace(), **hidden})
    names = {**namespace(), **hidden}
    result, told = mended(code, names)
    assert result == right
    assert all("hides Python's function" in f.message for f in told)
    exec(result, names)


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("sum([1, 2])", {}),
        ("sum([1, 2])", {"sum": np.sum}),
        ("sum = len\nsum([1, 2])", {"sum": 12}),
        ("from math import fsum as sum\nsum([1, 2])", {"sum": 12}),
        ("def sum(x): return 1\nsum([1])", {"sum": 12}),
        ("(lambda sum: sum([1]))(len)", {"sum": 12}),
        ("sum + 1", {"sum": 12}),
        ("sales['price'].sum()", {"sum": 12}),
        ("total(3)", {"total": 12}),
        ("builtins.sum([sum])", {"sum": 12, "builtins": __import__("builtins")}),
    ],
)
def test_what_is_no_hidden_builtin(code: str, names: dict[str, Any]) -> None:
    assert mended(code, {**namespace(), **names}) == (code, [])


def test_a_builtin_is_known_not_to_be_callable() -> None:
    (found,) = inspect("sum([1, 2])", {"sum": 12})
    assert (found.kind, found.severity, found.suggestions) == ("shadowed-builtin", "error", ["builtins.sum"])
    (found,) = inspect("max = 3", {})
    assert "hides the builtin `max`" in found.message
    assert "shadowed-builtin" not in [f.kind for f in inspect("max = 3", {"max": 4})]


@pytest.mark.parametrize(
    ("code", "right"),
    [
        ("box.rank.idxmin()", "box['rank'].idxmin()"),
        ("box[box.rank > 1]", "box[box['rank'] > 1]"),
        ("box.count[0]", "box['count'][0]"),
        ("box.count / 2", "box['count'] / 2"),
        ("-box.count", "-box['count']"),
        ("sum(box.count)", "sum(box['count'])"),
        ("[v for v in box.count]", "[v for v in box['count']]"),
        ("box.size.mean()", "box['size'].mean()"),
        ("box.shape.str.upper()", "box['shape'].str.upper()"),
    ],
)
def test_a_column_called_like_a_method(code: str, right: str) -> None:
    with pytest.raises((AttributeError, TypeError)):
        exec(code, namespace())
    names = namespace()
    result, told = mended(code, names)
    assert result == right
    assert told
    exec(result, names)


@pytest.mark.parametrize(
    "code",
    [
        "box.size",
        "box.size > 3",
        "box.size / 2",
        "box.shape[0]",
        "box.shape.index(2)",
        "box.size.bit_length()",
        "box.T.mean(axis=1)",
        "box.rank(numeric_only=True)",
        "box.count()",
        "box.count().max()",
        "box.rank.__name__",
        "method = box.rank",
        "map(box.get, ['rank'])",
        "box = len\nbox.rank",
        "sales.rank.idxmin",
        "sales.count",
    ],
)
def test_an_attribute_of_every_table_is_left(code: str) -> None:
    assert mended(code, namespace()) == (code, [])
