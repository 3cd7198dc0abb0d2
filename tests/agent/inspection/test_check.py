"""Inspection, kind by kind: what is reported, what is not, and in which words."""

from __future__ import annotations

import sys
import time
import types
from typing import Any

import pandas as pd
import plotly.express as px
import polars as pl
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from llmos_jupyter.agent.inspection.check import inspect
from llmos_jupyter.protocol import Capability, Finding
from tests.agent.inspection import cases
from tests.agent.inspection.reaching import REACHING

transform = TransformerManager().transform_cell


def look(code: str, **more: Any) -> list[Finding]:
    ns = {**cases.namespace(), "px": px, **more}
    return inspect(code, ns, transform=transform)


def of(kind: str, code: str, **more: Any) -> list[Finding]:
    return [f for f in look(code, **more) if f.kind == kind]


# --- precision: what works is not called wrong --------------------------------------------------


@pytest.mark.parametrize("code", cases.HARMLESS)
def test_harmless_code_has_no_error_and_no_capability(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    ns = cases.namespace()
    findings = inspect(code, ns, transform=transform)
    assert [f for f in findings if f.severity == "error" or f.kind in {"capability", "hidden-code"}] == []
    exec(compile(code, "<harmless>", "exec"), {**ns, "display": print})
    cases.plt.close("all")


def test_there_are_enough_cases() -> None:
    assert len(set(cases.HARMLESS)) >= 150
    assert len({code for code, _ in REACHING}) >= 80


# --- reaching outside --------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "capability"), REACHING)
def test_reaching_outside_is_flagged(code: str, capability: str) -> None:
    found = of("capability", code, reader=pd.read_csv, delete=cases.os.remove, run_it=cases.os.system, f=None)
    assert Capability(capability) in [f.capability for f in found]
    assert all(f.severity == "warning" and f.capability is not None and f.line for f in found)


@pytest.mark.parametrize(
    ("code", "exactly"),
    [
        ("!pip install x", ["install packages"]),
        ("%pip list", ["processes"]),
        ("df.to_csv('a.csv')", ["write files"]),
        ("open('x', 'rb')", ["read files"]),
        ("open('x', 'wb')", ["write files"]),
        ("pd.read_csv('http://example.org')", ["network"]),
        ("import requests\nr = requests.get('http://example.org')\nr.json()\nr.text", ["network"]),
        ("sys = 3\nsys.exit", []),
        ("def exit(): pass\nexit()", []),
        ("open = len\nopen('x')", []),
        ("class os:\n    system = print\nos.system('x')", []),
    ],
)
def test_what_a_call_does_is_told_exactly(code: str, exactly: list[str]) -> None:
    assert [f.capability.value for f in of("capability", code) if f.capability] == exactly


def test_a_users_function_of_a_famous_name_is_not_the_famous_one() -> None:
    assert of("capability", "system('ls'); get('x'); run(['ls'])", system=len, get=print, run=cases.add_profit) == []


def test_a_live_bound_method_is_known() -> None:
    found = of("capability", "wipe()", wipe=cases.Path("nowhere").unlink)
    assert [f.capability for f in found] == [Capability.WRITE_FILES]


@pytest.mark.parametrize(
    "code",
    [
        "eval(input())",
        "exec(source)",
        "eval(text)",
        "exec(open('a.py').read())",
        "import base64\nexec(base64.b64decode('cGFzcw=='))",
        "compile(source, 'a', 'exec')",
        "import pickle\npickle.loads(b'')",
        "pd.read_pickle('a.pkl')",
        "import joblib\njoblib.load('a')",
        "import torch\ntorch.load('a')",
        "np.load('a.npy', allow_pickle=True)",
        "import ctypes\nctypes.CDLL('a')",
        "import marshal\nmarshal.loads(b'')",
        "().__class__.__base__.__subclasses__()",
        "getattr(os, pick())('x')",
        "__builtins__['eval'](text)",
    ],
)
def test_hidden_code_is_flagged(code: str) -> None:
    found = of("hidden-code", code, source="x", pick=input)
    assert found
    assert all(f.severity == "warning" for f in found)


@pytest.mark.parametrize(
    "code",
    [
        "eval('1 + 1')",
        "exec('x = 1')",
        "df.eval('cost * 2')",
        "re.compile(text)",
        "pd.eval('1 + 1')",
        "import torch\ntorch.load('a', weights_only=True)",
        "model.eval()",
        "np.load('a.npy')",
        "getattr(df, text)",
    ],
)
def test_code_in_sight_is_not_hidden(code: str) -> None:
    assert of("hidden-code", code, model=types.SimpleNamespace(eval=len)) == []


# --- columns -----------------------------------------------------------------------------------

MISSING_COLUMNS = [
    ("df['Revenue']", "Revenue", "revenue"),
    ("df['revenu'].sum()", "revenu", "revenue"),
    ("df['unit_price']", "unit_price", "unit price"),
    ("df['reg']", "reg", "region"),
    ("df['nope']", "nope", None),
    ("df[['region', 'costs']]", "costs", "cost"),
    ("df.Region", "Region", "region"),
    ("df.regions.unique()", "regions", "region"),
    ("df[df['cost'] > 3]['regio']", "regio", "region"),
    ("df[df['costs'] > 3]", "costs", "cost"),
    ("df.loc[df['cost'] > 3, 'regio']", "regio", "region"),
    ("df.loc[:, ['regio']]", "regio", "region"),
    ("df.loc[0, 'regio']", "regio", "region"),
    ("df.at[0, 'regio']", "regio", "region"),
    ("df.groupby('regio')", "regio", "region"),
    ("df.groupby(['region', 'prodct']).size()", "prodct", "product"),
    ("df.groupby('region')['costs'].sum()", "costs", "cost"),
    ("df.groupby('region')[['cost', 'revenues']].sum()", "revenues", "revenue"),
    ("df.groupby('region').costs.sum()", "costs", "cost"),
    ("df.groupby('region').agg({'costs': 'sum'})", "costs", "cost"),
    ("df.groupby('region').agg(total=('costs', 'sum'))", "costs", "cost"),
    ("df.agg({'costs': 'sum'})", "costs", "cost"),
    ("df.sort_values('costs')", "costs", "cost"),
    ("df.sort_values(by=['region', 'costs'])", "costs", "cost"),
    ("df.set_index('regio')", "regio", "region"),
    ("df.drop(columns=['costs'])", "costs", "cost"),
    ("df.drop('costs', axis=1)", "costs", "cost"),
    ("df.drop_duplicates(subset=['costs'])", "costs", "cost"),
    ("df.dropna(subset=['costs'])", "costs", "cost"),
    ("df.astype({'costs': float})", "costs", "cost"),
    ("df.pivot_table(index='regio', values='cost')", "regio", "region"),
    ("df.pivot(index='region', columns='product', values='costs')", "costs", "cost"),
    ("pd.pivot_table(df, values='costs', index='region')", "costs", "cost"),
    ("df.melt(id_vars=['regio'])", "regio", "region"),
    ("pd.melt(df, id_vars='regio')", "regio", "region"),
    ("df.merge(other, on='regio')", "regio", "region"),
    ("df.merge(other, left_on='regio', right_on='region')", "regio", "region"),
    ("df.merge(other, left_on='region', right_on='managr')", "managr", "manager"),
    ("pd.merge(df, other, on='managr')", "managr", None),
    ("df.plot(x='dates', y='cost')", "dates", "date"),
    ("df.plot.scatter(x='costs', y='revenue')", "costs", "cost"),
    ("df.hist(column='costs')", "costs", "cost"),
    ("df.boxplot(by='regio')", "regio", "region"),
    ("df.value_counts('regio')", "regio", "region"),
    ("df.nlargest(3, 'costs')", "costs", "cost"),
    ("df.explode('costs')", "costs", "cost"),
    ("df.query('costs > 3')", "costs", "cost"),
    ("df.query('cost > 3 and `unit prices` > 1')", "unit prices", "unit price"),
    ("df.eval('profit = revenue - costs')", "costs", "cost"),
    ("del df['costs']", "costs", "cost"),
    ("df.pop('costs')", "costs", "cost"),
    ("df['costs'] += 1", "costs", "cost"),
    ("df['profit'] = df['revenue'] - df['costs']", "costs", "cost"),
    ("f'{df[\"costs\"].sum()}'", "costs", "cost"),
    ("px.bar(df, x='regio', y='cost')", "regio", "region"),
    ("px.line(data_frame=df, x='date', y='cost', color='prodct')", "prodct", "product"),
    ("import seaborn as sns\nsns.barplot(data=df, x='regio', y='cost')", "regio", "region"),
    ("import seaborn as sns\nsns.scatterplot(df, x='cost', y='revenue', hue='regio')", "regio", "region"),
    ("d['df']['costs']", "costs", "cost"),
    ("indexed['regio']", "regio", None),
    ("numbered['a']", "a", None),
    ("numbered[7]", "7", None),
    ("multi['z']", "z", None),
    ("pf['sizes']", "sizes", "size"),
    ("pf[['name', 'sizes']]", "sizes", "size"),
    ("pf.select('sizes')", "sizes", "size"),
    ("pf.filter(pl.col('sizes') > 1)", "sizes", "size"),
    ("pf.with_columns((pl.col('sizes') * 2).alias('n'))", "sizes", "size"),
    ("pf.group_by('nam').agg(pl.col('size').sum())", "nam", "name"),
    ("pf.sort('sizes')", "sizes", "size"),
    # what the candidate itself did before
    ("df = df.rename(columns={'cost': 'price'})\ndf['cost']", "cost", None),
    ("df.rename(columns={'cost': 'price'}, inplace=True)\ndf['cost']", "cost", None),
    ("df = df.drop(columns='cost')\ndf['cost']", "cost", None),
    ("df.drop(columns='cost', inplace=True)\ndf['cost']", "cost", None),
    ("del df['cost']\ndf['cost']", "cost", None),
    ("df.columns = ['r', 'p', 'v', 'c', 'd', 'u']\ndf['region']", "region", None),
    ("small = df[['region', 'cost']]\nsmall['revenue']", "revenue", None),
    ("copy = df.copy()\ncopy['costs']", "costs", "cost"),
    ("t = df.groupby('region')['cost'].sum().reset_index()\nt['total']", "total", None),
    ("t = df.groupby('region').agg(total=('cost', 'sum')).reset_index()\nt['cost']", "cost", None),
    ("t = df.groupby('region').agg(total=('cost', 'sum'))\nt['region']", "region", None),
    ("m = df.merge(other, on='region')\nm['cost']", "cost", "cost_x"),
    ("v = df['region'].value_counts().reset_index()\nv['index']", "index", None),
    ("made = pd.DataFrame({'a': [1]})\nmade['b']", "b", None),
    ("(df.query('cost > 1')\n .head(3)\n)['costs']", "costs", "cost"),
    ("key = 'costs'\ndf[key]", "costs", "cost"),
    ("for c in ['cost', 'costs']:\n    print(df[c])", "costs", "cost"),
    ("[df[c].sum() for c in ['cost', 'costs']]", "costs", "cost"),
    ("def f(x):\n    return x['costs']\nf(df)", "costs", "cost"),
    ("with pd.option_context('display.max_rows', 3):\n    df['costs']", "costs", "cost"),
    ("k = df.set_index('cost', drop=False)\nk['cost']; k['costs']", "costs", "cost"),
    ("k = df.set_index('cost')\nk['cost']", "cost", None),
    ("t = df.groupby('region', as_index=False).size()\nt['size']; t['n']", "n", None),
    ("t = df.groupby('region')['cost'].transform('sum').to_frame('t')\nt['cost']", "cost", None),
    ("t = df.rename_axis('k').reset_index()\nt['costs']", "costs", "cost"),
    ("v = df['region'].rename('x').to_frame()\nv['region']", "region", None),
    ("t = pd.concat([df, other])\nt['managr']", "managr", "manager"),
    ("t = df.join(other.set_index('region'), on='region', rsuffix='_r')\nt['cost_l']", "cost_l", "cost"),
    ("t = df.melt(id_vars='region')\nt['cost']", "cost", None),
    ("t = df.pivot_table(index='region', values='cost')\nt['revenue']", "revenue", None),
    ("t = df.eval('profit = revenue - cost')\nt['profits']", "profits", "profit"),
    ("t = df.assign(a=1)\nt['aa1']", "aa1", None),
    ("t = df.describe()\nt['costs']", "costs", "cost"),
    ("df.insert(0, 'k', 1)\ndf['k']; df['kk9']", "kk9", None),
    ("x = [i for i in ['costs']]\nname = 'cost' + 's'\ndf[name]", "costs", "cost"),
    ("(lambda f: f['costs'])(df)", "costs", "cost"),
    ("t = pf.drop('name')\nt['name']", "name", None),
    ("t = pf.with_columns(k=1)\nt['k']; t['kk']", "kk", None),
    ("t = df.loc[df['cost'] > 3, :]\nt['costs']", "costs", "cost"),
    ("t = df.loc[df['cost'] > 3, ['region']]\nt['cost']", "cost", None),
    ("%time df['costs']", "costs", "cost"),
    ("%%time\ndf['costs']", "costs", "cost"),
]


@pytest.mark.parametrize(("code", "name", "suggestion"), MISSING_COLUMNS)
def test_a_missing_column_is_reported(code: str, name: str, suggestion: str | None) -> None:
    found = of("unknown-column", code)
    assert [(f.name, f.severity) for f in found] == [(name, "error")]
    if suggestion:
        assert found[0].suggestions[0] == suggestion
        assert repr(suggestion) in found[0].message
    if "numbered" not in code and "made" not in code:
        assert "columns are" in found[0].message


def test_the_frame_that_lacks_the_column_is_named() -> None:
    for code, frame in [
        ("df.merge(other, on='manager')", "df"),
        ("df.merge(other, on='product')", "other"),
        ("pd.merge(df, other, left_on='manager', right_on='region')", "df"),
        ("pd.merge(df, other, left_on='region', right_on='product')", "other"),
        ("df.groupby('region')['nope']", "df"),
        ("df.query('nope > 1')", "df"),
        ("px.bar(other, x='product')", "other"),
        ("px.bar(data_frame=other, x='product')", "other"),
        ("df.loc[:, 'nope']", "df"),
    ]:
        (found,) = of("unknown-column", code)
        assert found.message.startswith(f"`{frame}` has no column"), code


@pytest.mark.parametrize(
    "code",
    ["df.rename(columns={'costs': 'price'})", "df.fillna({'costs': 0})", "df.rename({'costs': 'x'}, axis=1)"],
)
def test_what_pandas_passes_over_in_silence_is_a_warning(code: str) -> None:
    assert [(f.name, f.severity) for f in of("unknown-column", code)] == [("costs", "warning")]


@pytest.mark.parametrize("code", ["df['region', 'cost']", "df.groupby('region')['cost', 'revenue'].sum()"])
def test_a_tuple_of_columns_is_told_to_be_a_list(code: str) -> None:
    (found,) = of("unknown-column", code)
    assert "[['" in found.message


@pytest.mark.parametrize(
    "code",
    [
        "if maybe:\n    df['costs']",
        "try:\n    df['costs']\nexcept KeyError:\n    pass",
        "def f():\n    return df['costs']",
        "lambda: df['costs']",
        "for _ in range(int(text)):\n    df['costs']",
        "if maybe:\n    raise ValueError\ndf['costs']",
        "from contextlib import suppress\nwith suppress(KeyError):\n    df['costs']",
        "maybe and df['costs']",
        "df['costs'] if maybe else 0",
        "while maybe:\n    df['costs']",
        "if maybe:\n    df['costs'] = 1\ndf['costs']",
        "unknown(df)\ndf['costs']",
        "for i in [1, 2]:\n    if maybe:\n        break\n    del df['cost']\ndf['cost']",
        "def cut(f):\n    if maybe:\n        return\n    del f['cost']\ncut(df)\ndf['cost']",
        "try:\n    df['t'] = 1\n    unknown(other)\n    del df['t']\nexcept KeyError:\n    df['t']",
        "for i in range(3):\n    df = df.reset_index()\ndf['level_0']",
        "add_profit(df)\ndf['costs']",
        "add_profit(frame=df)\ndf['costs']",
        "things = [df]\nfor t in things:\n    t['costs'] = 1\ndf['costs']",
        "d['df']['costs'] = 1\ndf['costs']",
    ],
)
def test_where_it_is_not_certain_nothing_is_said(code: str) -> None:
    assert of("unknown-column", code, maybe=True, unknown=lambda frame: frame.insert(0, "costs", 1)) == []


def test_ten_thousand_columns() -> None:
    big = pd.DataFrame([range(10_000)], columns=[f"column_{i}" for i in range(10_000)])
    started = time.process_time()
    (found,) = of("unknown-column", "big['colum_77'] + big['column_9999']", big=big)
    assert time.process_time() - started < 1  # comparing each with each would take minutes
    assert found.suggestions[0] == "column_77"
    assert len(found.message) < 600


def test_a_typical_candidate_takes_less_than_20_ms() -> None:
    code = "\n".join(cases.HARMLESS[i] for i in range(30))
    ns = cases.namespace()
    inspect(code, ns)
    times = []
    for _ in range(5):
        started = time.process_time()
        inspect(code, ns)
        times.append(time.process_time() - started)
    assert min(times) < 0.06  # thirty snippets in one


def test_columns_that_match_in_ways_of_their_own_are_left_alone() -> None:
    dated = pd.DataFrame([[1, 2]], columns=pd.to_datetime(["2024-01-01", "2024-01-02"]))
    assert of("unknown-column", "dated['2024-01-01']; dated['x']", dated=dated) == []


def test_a_subclass_of_a_dataframe_is_left_alone() -> None:
    class Mine(pd.DataFrame):
        def __getitem__(self, key: Any) -> Any:
            return 1

    assert look("mine['x']; mine.foo", mine=Mine({"a": [1]})) == []


# --- attributes --------------------------------------------------------------------------------

MISSING_ATTRIBUTES = [
    ("pd.read_cvs('x')", "read_cvs", "read_csv"),
    ("np.arrange(3)", "arrange", "arange"),
    ("np.linalg.nrm(arr)", "nrm", "norm"),
    ("np.foo", "foo", None),
    ("df.grouby('region')", "grouby", "groupby"),
    ("df.shpe", "shpe", "shape"),
    ("df.append(other)", "append", "pd.concat"),
    ("df['cost'].summ()", "summ", "sum"),
    ("df['cost'].str.upper()", "str", "astype(str)"),
    ("df['region'].dt.year", "dt", "pd.to_datetime"),
    ("s.unqiue()", "unqiue", "unique"),
    ("labelled.gamma", "gamma", None),
    ("df.groupby('region').summ()", "summ", "sum"),
    ("df.groupby('region')['cost'].meen()", "meen", "mean"),
    ("arr.men()", "men", "mean"),
    ("text.uper()", "uper", "upper"),
    ("'a,b'.spilt(',')", "spilt", "split"),
    ("numbers.push(1)", "push", None),
    ("[1].add(2)", "add", None),
    ("account.balanc", "balanc", "balance"),
    ("account.depositt(3)", "depositt", "deposit"),
    ("Account.bnak", "bnak", "bank"),
    ("math.squareroot(2)", "squareroot", None),
    ("json.load_s('x')", "load_s", "loads"),
    ("nothing.head()", "head", None),
    ("x = df.dropna(inplace=True)\nx.head()", "head", None),
    ("df = df.dropna(inplace=True)\ndf['cost']", "None", None),
    ("pf.groupby('name')", "groupby", "group_by"),
    ("pf.name", "name", "name"),
    ("pl.read_cvs('x')", "read_cvs", "read_csv"),
    ("from math import squareroot", "squareroot", None),
    ("from pandas import DataFram", "DataFram", "DataFrame"),
    ("import json.encodr", "encodr", "encoder"),
    ("import numpy as n\nn.arrange(3)", "arrange", "arange"),
    ("import os.path as p\np.joyn('a')", "joyn", "join"),
]


@pytest.mark.parametrize(("code", "name", "suggestion"), MISSING_ATTRIBUTES)
def test_an_unknown_attribute_is_reported(code: str, name: str, suggestion: str | None) -> None:
    found = of("unknown-attribute", code)
    assert [(f.name, f.severity) for f in found] == [(name, "error")]
    if suggestion:
        assert suggestion in found[0].suggestions


def test_submodules_that_are_not_loaded_are_no_error() -> None:
    package = types.ModuleType("wsgiref")
    assert look("import xml\nxml.nosuchmodule", xml=package) != look("import xml\nxml.dom")
    assert of("unknown-attribute", "import concurrent\nconcurrent.futures\nimport xml\nxml.sax") == []


def test_attributes_that_methods_set_are_no_error() -> None:
    class Model:
        def fit(self) -> None:
            self.coef_ = 1

    assert of("unknown-attribute", "m.coef_", m=Model()) != []
    assert of("unknown-attribute", "m.fit()\nm.coef_", m=Model()) == []
    assert of("unknown-attribute", "train(m)\nm.coef_", m=Model(), train=lambda m: m.fit()) == []
    assert of("unknown-attribute", "setattr(m, 'coef_', 1)\nm.coef_", m=Model()) == []


# --- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "name", "suggestion"),
    [
        ("sns.barplot()", "sns", "import seaborn as sns"),
        ("Counter('x')", "Counter", "from collections import Counter"),
        ("itertools.chain()", "itertools", "import itertools"),
        ("train_test_split(df)", "train_test_split", "from sklearn.model_selection import train_test_split"),
        ("DF.head()", "DF", "df"),
        ("acount.balance", "acount", "account"),
        ("def f():\n    return undefined_thing", "undefined_thing", None),
        ("print(total)\ntotal = 1", "total", None),
        ("await later()", "later", None),
        ("import seaborm", "seaborm", None),
        ("import numppy", "numppy", "numpy"),
        ("import skleran.linear_model", "skleran", "sklearn"),
        ("from nosuchmodule import x", "nosuchmodule", "%pip install nosuchmodule"),
        ("import bs4x", "bs4x", None),
        ("print(__file__)", "__file__", "Path.cwd()"),
        ("del df\ndf.head()", "df", None),
    ],
)
def test_an_undefined_name_is_reported(code: str, name: str, suggestion: str | None) -> None:
    found = of("undefined-name", code)
    assert [(f.name, f.severity) for f in found] == [(name, "error")]
    if suggestion:
        assert suggestion in found[0].suggestions


@pytest.mark.parametrize(
    "code",
    [
        "display(df); get_ipython(); In; Out; _; __; exit; quit",
        "x = [i for i in range(3)]; print(x, __name__)",
        "globals()['zz'] = 1\nprint(zz)",
        "exec('zz = 1')\nprint(zz)",
        "if 'zz' in globals():\n    zz",
        "try:\n    zz\nexcept NameError:\n    zz = 1",
        "%run other.py\nprint(zz)",
        "from math import *\nsqrt(pi)",
        "def f(x: 'Unknown') -> 'Other': ...",
        "files = !ls\nfiles",
        "%time zz = 3\nzz",
        "%%capture out\nprint(1)\nout",
        "try:\n    import nosuch\nexcept ImportError:\n    nosuch = None",
        "%pip install nosuch\nimport nosuch",
        "import sys\nsys.path.append('x')\nimport nosuch",
        "async def f():\n    async with g() as h:\n        pass\ndef g(): ...",
        "import xml.dom.minidom\nxml.dom",
    ],
)
def test_a_defined_name_is_not_reported(code: str) -> None:
    assert of("undefined-name", code) == []


@pytest.mark.parametrize(
    "code",
    [
        "list = [1]",
        "def print(*a): ...",
        "for id in []: pass",
        "from math import pow",
        "class type: ...",
        "with open('x') as input: ...",
        "(sum := 3)",
        "import math as max",
        "dict, str = 1, 2",
    ],
)
def test_shadowed_builtins(code: str) -> None:
    found = of("shadowed-builtin", code)
    assert found
    assert {f.severity for f in found} == {"warning"}


@pytest.mark.parametrize(
    "code",
    [
        "def f(list): return list",
        "[id for id in []]",
        "df['list'] = 1",
        "x.sum = 1",
        "def f():\n    list = 1",
        "_ = 3",
        "class A:\n    type = 1",
        "from IPython.display import display",
        "license = 1",
    ],
)
def test_what_shadows_no_builtin(code: str) -> None:
    assert of("shadowed-builtin", code) == []


@pytest.mark.parametrize(
    ("code", "severity"),
    [
        ("df = df.dropna()", "note"),
        ("numbers += [1]", "note"),
        ("for text in 'ab': pass", "note"),
        ("pd = 3", "warning"),
        ("add_profit = 3", "warning"),
        ("Account = 'x'", "warning"),
        ("def add_profit(x): ...", "note"),
        ("def np(): ...", "warning"),
        ("del df", "warning"),
        ("import json as np", "note"),
        ("if maybe:\n    df = 1", "note"),
    ],
)
def test_rebinding_a_users_name(code: str, severity: str) -> None:
    assert [f.severity for f in of("rebinds-name", code)] == [severity]


def test_what_is_rebound_is_said() -> None:
    for code, what in [
        ("df = 1", "variable of type DataFrame"),
        ("pd = 1", "module pandas"),
        ("Account = 1", "a class"),
        ("add_profit = 1", "a function"),
        ("del df", "is deleted"),
    ]:
        assert what in of("rebinds-name", code)[0].message


@pytest.mark.parametrize(
    "code",
    [
        "import pandas as pd",
        "from pathlib import Path",
        "new = 1",
        "df['x'] = 1",
        "def f():\n    df = 1",
        "[df for df in []]",
        "import os.path",
    ],
)
def test_what_rebinds_nothing(code: str) -> None:
    assert of("rebinds-name", code) == []


# --- loops -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        "while True:\n    pass",
        "while 1:\n    x = 1",
        "while not False:\n    pass",
        "while True:\n    for i in 'ab':\n        break",
        "while True:\n    def f():\n        return 1",
        "import time\nwhile True:\n    time.sleep(1)",
        "import itertools\nfor i in itertools.count():\n    print(i)",
        "from itertools import cycle as c\nfor i in c('ab'):\n    print(i)",
        "import itertools as it\nlist(it.count())",
        "import itertools as it\nfor i in enumerate(it.count()):\n    i",
        "import itertools\n[x for x in itertools.repeat(1)]",
    ],
)
def test_endless_loops(code: str) -> None:
    assert [f.severity for f in of("endless-loop", code)] == ["warning"]


@pytest.mark.parametrize(
    "code",
    [
        "while True:\n    break",
        "while True:\n    if text:\n        break",
        "def f():\n    while True:\n        return 1",
        "def f():\n    while True:\n        yield 1",
        "while True:\n    raise ValueError",
        "while True:\n    for i in 'ab':\n        pass\n    else:\n        break",
        "import sys\nwhile True:\n    sys.exit()",
        "while numbers:\n    numbers.pop()",
        "import itertools\nfor i in itertools.count():\n    if i > 3:\n        break",
        "import itertools\nfor a, i in zip('ab', itertools.count()):\n    pass",
        "import itertools\nfor i in itertools.repeat(1, 3):\n    pass",
        "'abc'.count('a')",
    ],
)
def test_loops_that_end(code: str) -> None:
    assert of("endless-loop", code) == []


# --- syntax ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "line", "hint"),
    [
        ("x = (1,\n", 1, "cut off"),
        ("print('abc", 1, "cut off"),
        ("x = 1\ny = '''abc", 2, "cut off"),
        ("x = 1\ndef f(x):", 2, "cut off"),
        ("```python\nx = 1\n```", 1, "fences"),
        ("x = 1\n```", 2, "fences"),
        ("Here is the code you asked for:\nx = 1", 1, "prose"),
        ("x = 1\nThis prints the sum of all values.", 2, "prose"),
        (">>> x = = 1", 1, ">>> prompts"),
        ("x = = 1", 1, "invalid syntax"),
        ("return 3", 1, "outside function"),
        ("x = 1\n  y = 2", 2, "indent"),
        ("\n\nx = = 1", 3, "invalid syntax"),
        ("%%time\nx = 1\ny = (", 3, "cut off"),
    ],
)
def test_bad_syntax_is_one_error_with_its_line(code: str, line: int, hint: str) -> None:
    (found,) = look(code)
    assert (found.kind, found.severity) == ("syntax", "error")
    assert found.line == line or (found.line and sys.version_info < (3, 11))
    assert hint in found.message


@pytest.mark.parametrize(
    "code", ["", "\n\n", "# only a comment", "await df", "%matplotlib inline", "df?", "!", "%%html\n<b"]
)
def test_good_syntax(code: str) -> None:
    assert of("syntax", code) == []


# --- lines and order ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("x = 1\n\ndf['costs']", 3),
        ("\n\ndf['costs']", 3),
        ("%matplotlib inline\n!true\ndf['costs']", 3),
        ("%%time\n\ndf['costs']", 3),
        ("\n%%timeit -n 2\ndf['costs']", 3),
        ("%%capture out\nx = 1\ndf['costs']", 3),
        ("x = 1\ny = 2\n%time df['costs']", 3),
        ("if True:\n    %time x = 1\n    df['costs']", 3),
    ],
)
def test_lines_are_those_the_user_sees(code: str, line: int) -> None:
    assert [f.line for f in of("unknown-column", code)] == [line]


def test_lines_are_none_where_the_transform_moves_them() -> None:
    found = inspect("df['costs']", cases.namespace(), transform=lambda text: "x = 1\ny = 2\n" + text)
    assert [f.line for f in found] == [None]


def test_a_transform_that_raises_is_a_finding() -> None:
    def broken(text: str) -> str:
        raise ValueError("no")

    (found,) = inspect("x = 1", {}, transform=broken)
    assert found.kind == "syntax"


def test_errors_come_first_then_lines_and_nothing_twice() -> None:
    code = "list = 1\nopen('x')\ndf['costs']; df['costs']\nopen('y'); open('z')\nundefined_thing"
    found = look(code)
    assert [(f.severity == "error", f.line) for f in found] == [
        (True, 3),
        (True, 5),
        (False, 1),
        (False, 2),
        (False, 4),  # two files, both of which somebody may be asked about
        (False, 4),
    ]


def test_every_message_is_one_sentence() -> None:
    for code, *_ in [*MISSING_COLUMNS, *MISSING_ATTRIBUTES, *REACHING]:
        for finding in look(code, reader=pd.read_csv, delete=cases.os.remove, run_it=cases.os.system, f=None):
            assert finding.message.endswith(".")
            assert "\n" not in finding.message
            assert len(finding.message) < 700


def test_without_a_transform_magics_are_still_understood() -> None:
    (found,) = inspect("!pip install x", {})
    assert found.capability is Capability.INSTALL


def test_pandas_need_not_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    ns = {"df": cases.sales(), "pf": pl.DataFrame({"a": [1]})}
    monkeypatch.delitem(sys.modules, "pandas")
    monkeypatch.delitem(sys.modules, "polars")
    assert inspect("df['x']\npf['x']", ns) == []
