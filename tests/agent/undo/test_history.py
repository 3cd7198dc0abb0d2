"""Undo, in a real shell: after it everything is as before, to the identity."""

from __future__ import annotations

import collections
import io
import os
import random
import sqlite3
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell

from llmos_jupyter.agent.rehearsal.kernel_copy import rehearse, supported
from llmos_jupyter.agent.undo import history as undo
from tests.agent.rehearsal.shells import shell_with

LIMIT = 1 << 30

SETUP = """
import collections, random
import numpy as np, pandas as pd
class Point:
    def __init__(self):
        self.x, self.tags = 1, ['a']
class Slotted:
    __slots__ = ('x', 'y')
    def __init__(self):
        self.x, self.y = 1, [1]
def counter():
    n = 0
    def count():
        nonlocal n
        n += 1
        return n
    return count
count = counter()
def remember(item, seen=[]):
    seen.append(item)
    return seen
df = pd.DataFrame({'a': [1, 2, 3], 'b': [1.0, np.nan, 3.0], 'c': ['x', 'y', None], 'e': [4, 5, 6]})
df['d'] = pd.Categorical(['u', 'v', 'u'])
df['t'] = pd.date_range('2024-01-01', periods=3)
df['n'] = pd.array([1, None, 3], dtype='Int64')
same = df
s = pd.Series([3, 1, 2], index=['p', 'q', 'r'], name='s')
arr = np.arange(12.0).reshape(3, 4)
view = arr[1:, ::2]
objects = np.array([None, [1], 'x'], dtype=object)
record = np.zeros(3, dtype=[('i', 'i4'), ('f', 'f8')])
masked = np.ma.array([1, 2, 3], mask=[0, 1, 0])
numbers = [3, 1, 2]
nested = {'a': numbers, 'b': {'c': [1, {'d': 2}]}, 'arr': arr}
cycle = [1]
cycle.append(cycle)
pair = (numbers, [9])
many = {1, 2, 3}
queue = collections.deque([1, 2, 3], maxlen=3)
counts = collections.Counter('aab')
default = collections.defaultdict(list, {'k': [1]})
ordered = collections.OrderedDict([('x', 1), ('y', [2])])
data = bytearray(b'abc')
point, slotted = Point(), Slotted()
points = [point, Point()]
rng = np.random.default_rng(1)
die = random.Random(1)
total = 5
"""

MUTATIONS = [
    "df['a'] *= 2", "df['new'] = df['b'] + 1", "df.loc[1, 'b'] = 7.5", "df.iloc[0, 0] = 99", "del df['c']",
    "df.drop(columns=['b', 'e'], inplace=True, errors='ignore')", "df.columns = [f'{c}_' for c in df.columns]",
    "df.index = list('xyz')[:len(df)]", "df.loc[len(df)] = df.iloc[0]", "df.sort_values(df.columns[0], inplace=True)",
    "df.at[df.index[0], 'n'] = 8", "df['d'] = df['d'].astype(str)",
    "df.loc[df.index[0], 't'] = pd.Timestamp('2020-01-01')",
    "df.insert(0, 'first', 0)", "df.attrs['source'] = 'x'", "df.rename(columns={'a': 'A'}, inplace=True)",
    "df.fillna(0, inplace=True)", "df.columns.name = 'cols'", "df = df[df.columns[:2]]", "df.pop(df.columns[-1])",
    "df[df.select_dtypes('number').columns] += 1", "df.reset_index(inplace=True)", "df.loc[:, 'd'] = 'u'",
    "s.iloc[0] = 9", "s['z'] = 4", "s.name = 't'", "s.sort_values(inplace=True)", "s = s * 2", "s[s > 1] = 0",
    "arr[0] = 0", "arr *= 2", "view[:] = -1", "arr.fill(3)", "arr.sort(axis=1)", "arr.shape = (4, 3)", "arr = arr + 1",
    "objects[0] = 5", "objects[1].append(2)", "record['i'] = 4", "record[1] = (1, 2.0)", "masked[0] = np.ma.masked",
    "masked[1] = 5", "masked.mask[:] = True", "np.random.shuffle(arr)", "np.copyto(arr, 5)",
    "numbers.append(4)", "numbers.sort()", "numbers.clear()", "numbers[:] = [0]", "numbers = numbers + [1]",
    "nested['b']['c'][1]['d'] = 3", "nested['z'] = 1", "del nested['a']", "nested['arr'][0, 0] = -5", "nested.clear()",
    "cycle.append(2)", "cycle[1] = None", "pair[1].append(1)", "many.add(7)", "many.discard(1)", "many.clear()",
    "queue.append(4)", "queue.rotate(1)", "counts.update('abc')", "counts['a'] -= 1", "default['q'].append(2)",
    "default.default_factory = set", "ordered.move_to_end('x')", "ordered['y'].append(3)", "ordered['z'] = 0",
    "data.extend(b'de')", "data[0] = 0", "point.x = 2", "point.tags.append('b')", "point.new = 1", "del point.tags",
    "slotted.x = 5", "slotted.y.append(2)", "del slotted.y", "points.reverse()", "points[1].x = 0", "points.pop()",
    "rng.random()", "die.random()", "rng.shuffle(numbers)", "random.random()", "np.random.rand()", "count()",
    "remember(3)", "Point.limit = 3", "Point.__init__ = None", "total += 1", "del total", "fresh = [total]",
    "for item in numbers: total = item", "import math", "x, *rest = numbers", "del df, arr", "same['e'] = 0",
]  # fmt: skip


def state(ns: dict[str, Any]) -> dict[str, Any]:
    """All that the setup's names reach, by identity and by value, with nothing left to the code under test."""
    seen: dict[int, Any] = {}

    def look(obj: Any) -> Any:
        kind = type(obj)
        if kind in (int, float, str, bytes, bool, type(None)):
            return repr(obj)
        if id(obj) in seen:
            return id(obj)
        seen[id(obj)] = None
        if isinstance(obj, pd.DataFrame):
            said: Any = (
                [repr(c) for c in obj.columns], repr(obj.columns.name), repr(list(obj.index)), str(obj.index.dtype),
                [(str(obj.iloc[:, i].dtype), [repr(v) for v in obj.iloc[:, i]]) for i in range(obj.shape[1])],
                dict(obj.attrs), id(obj.index), id(obj.columns),
            )  # fmt: skip
        elif isinstance(obj, pd.Series):
            said = (repr(obj.name), repr(list(obj.index)), str(obj.dtype), [repr(v) for v in obj])
        elif isinstance(obj, np.ma.MaskedArray):
            said = (obj.data.tolist(), np.ma.getmaskarray(obj).tolist(), obj.shape)
        elif isinstance(obj, np.ndarray):
            items = [look(v) for v in obj.ravel()] if obj.dtype == object else obj.tobytes()
            said = (obj.shape, str(obj.dtype), obj.strides, obj.ctypes.data, items)
        elif isinstance(obj, np.random.Generator):
            said = repr(obj.bit_generator.state)
        elif isinstance(obj, random.Random):
            said = obj.getstate()
        elif isinstance(obj, dict):
            extra = look(obj.default_factory) if isinstance(obj, collections.defaultdict) else None
            said = ([(look(k), look(v)) for k, v in obj.items()], extra)
        elif isinstance(obj, set):
            said = sorted(map(repr, obj))
        elif isinstance(obj, list | tuple | collections.deque):
            said = [look(v) for v in obj]
        elif isinstance(obj, bytearray):
            said = bytes(obj)
        elif kind.__module__ == "__main__" and hasattr(obj, "__dict__"):
            said = {k: look(v) for k, v in vars(obj).items()}
        elif kind.__name__ == "Slotted":
            said = {k: look(getattr(obj, k)) for k in ("x", "y") if hasattr(obj, k)}
        elif isinstance(obj, type) and obj.__module__ == "__main__":
            said = {k: id(v) for k, v in vars(obj).items() if k not in ("__dict__", "__weakref__")}
        elif callable(obj) and hasattr(obj, "__closure__"):
            cells = [look(cell.cell_contents) for cell in obj.__closure__ or ()]
            said = (cells, look(obj.__defaults__), dict(obj.__dict__))
        else:
            said = None
        seen[id(obj)] = said
        return id(obj), said

    users = {k: v for k, v in ns.items() if not k.startswith("_") and k not in ("In", "Out", "exit", "quit")}
    found = {name: look(value) for name, value in sorted(users.items())}
    found["random"] = random.getstate()
    found["np.random"] = repr(np.random.get_state())
    return found


def fresh_shell() -> InteractiveShell:
    shell = shell_with()
    shell.run_cell(SETUP, store_history=False).raise_error()
    return shell


def run(shell: InteractiveShell, code: str) -> None:
    """The code may fail: undo must hold all the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shell.run_cell(code, store_history=False, silent=True)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(InteractiveShell, "showtraceback", lambda *a, **k: None)


@pytest.mark.parametrize("code", MUTATIONS)
def test_each_mutation_without_rehearsal(code: str) -> None:
    shell = fresh_shell()
    before = state(shell.user_ns)
    saved = undo.save(shell, None, code, limit_bytes=LIMIT)
    run(shell, code)
    saved.ran(shell)
    saved.restore(shell)
    assert state(shell.user_ns) == before


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(st.sampled_from(MUTATIONS), min_size=1, max_size=4), min_size=1, max_size=3))
def test_programs_and_several_undos(programs: list[list[str]]) -> None:
    shell = fresh_shell()
    history = undo.History(limit_bytes=LIMIT)
    states = []
    for lines in programs:
        code = "\n".join(lines)
        states.append(state(shell.user_ns))
        saved = undo.save(shell, None, code, limit_bytes=LIMIT)
        run(shell, code)
        saved.ran(shell)
        history.push(saved)
    for before in reversed(states):
        history.undo(shell)
        assert state(shell.user_ns) == before
    assert "Nothing to undo" in history.undo(shell)[0]


@pytest.mark.skipif(supported() is not None, reason="needs a rehearsal")
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(MUTATIONS), min_size=1, max_size=5))
def test_programs_after_rehearsal(lines: list[str]) -> None:
    shell = fresh_shell()
    code = "\n".join(lines)
    changes = undo.foreseen(rehearse(code, shell))
    before = state(shell.user_ns)
    saved = undo.save(shell, changes, code, limit_bytes=LIMIT)
    run(shell, code)
    saved.ran(shell)
    saved.restore(shell)
    assert state(shell.user_ns) == before


def undone(ns: dict[str, Any], code: str, later: str = "", *, limit: int = LIMIT) -> tuple[undo.Saved, list[str], Any]:
    shell = shell_with(np=np, pd=pd, **ns)
    saved = undo.save(shell, None, code, limit_bytes=limit)
    run(shell, code)
    saved.ran(shell)
    if later:
        run(shell, later)
    return saved, saved.restore(shell), shell.user_ns


@pytest.mark.skipif(supported() is not None, reason="needs a rehearsal")
def test_only_the_column_that_changes_is_copied() -> None:
    df = pd.DataFrame(np.ones((500_000, 10)), columns=list("abcdefghij"))
    code = "df.loc[3:9, 'c'] = 0.0"
    # The frame of a C-ordered array may have its columns interleaved; a copy has each column in one piece.
    df2 = df.copy()
    shell = shell_with(df=df2)
    saved = undo.save(shell, undo.foreseen(rehearse(code, shell)), code, limit_bytes=LIMIT)
    assert 4_000_000 <= saved.bytes < 5_000_000
    run(shell, code)
    saved.ran(shell)
    assert saved.restore(shell) == ["restored df (column c)"]
    assert (df2["c"] == 1).all()


def test_the_users_later_values_stay() -> None:
    _, notes, ns = undone({"x": 1, "y": 1}, "x = 2; y = 2; z = 3", "x = 9")
    assert (ns["x"], ns["y"], "z" in ns) == (9, 1, False)
    assert "x was bound to something else after the answer, and keeps that value." in notes
    d = {"a": 1}
    _, notes, _ = undone({"d": d}, "d['a'] = 2; d['b'] = 2", "d['mine'] = 1; d['b'] = 3")
    assert d == {"a": 1, "b": 3, "mine": 1}
    assert any("key b" in note and "left" in note for note in notes)
    items = [1]
    _, notes, _ = undone({"items": items}, "items.append(2)", "items.append(3)")
    assert items == [1, 2, 3]
    assert notes == ["items was changed again after the answer, so it was left as it is."]
    a = np.zeros(3)
    _, notes, _ = undone({"a": a}, "a[0] = 1", "a[1] = 2")
    assert a.tolist() == [1, 2, 0]


def test_the_users_later_columns_stay() -> None:
    df = pd.DataFrame({"a": [1.0, 2], "b": [3.0, 4], "c": [5.0, 6]})
    undone({"df": df}, "df['a'] = 0.0; df['new'] = 1; del df['c']", "df['b'] *= 2; df['mine'] = 1; df.sum()")
    assert df.to_dict("list") == {"a": [1, 2], "b": [6, 8], "c": [5, 6], "mine": [1, 1]}
    _, notes, _ = undone({"df": df}, "df.loc[0, 'a'] = 0.0", "df.loc[1, 'a'] = 7.0")
    assert df["a"].tolist() == [0, 7]
    assert not any(note.startswith("restored df") for note in notes)
    assert any("left" in note for note in notes)
    _, notes, _ = undone({"df": df}, "df['a'] = 0.0", "df['a'] = 7.0")
    assert df["a"].tolist() == [7, 7]
    assert any("column a" in note for note in notes)


def test_a_failed_run_is_undone() -> None:
    x = [1]
    _, notes, ns = undone({"x": x}, "y = 1; x.append(2); 1 / 0")
    assert x == [1]
    assert "y" not in ns
    assert notes == ["removed y", "restored x"]


def test_over_the_limit_is_said_before() -> None:
    saved, _, _ = undone({"a": np.zeros(1_000_000)}, "a[0] = 1", limit=1_000_000)
    assert saved.impossible == [
        "a cannot be restored: a copy of what may change in it needs 8.0 MB, and undo may keep 1.0 MB."
    ]
    assert saved.bytes < 1_000_000


@pytest.mark.parametrize(
    ("make", "code", "word"),
    [
        (lambda: (i for i in range(3)), "next(x)", "generator"),
        (lambda: iter([1]), "next(x)", "iterator"),
        (lambda: zip([1], [2], strict=True), "list(x); next(x)", "iterator"),
        (lambda: sqlite3.connect(":memory:"), "x.execute('create table t (a)')", "database"),
        (lambda: open(os.devnull), "x.read()", "file"),  # noqa: SIM115
    ],
)
def test_what_cannot_be_restored_is_said_before(make: Callable[[], Any], code: str, word: str) -> None:
    value = make()
    saved = undo.save(shell_with(x=value), None, code, limit_bytes=LIMIT)
    assert len(saved.impossible) == 1
    assert saved.impossible[0].startswith("x cannot be restored: ")
    assert word in saved.impossible[0]
    if hasattr(value, "close"):
        value.close()


def test_the_process_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LLMOS_X", raising=False)
    before = (os.getcwd(), list(sys.path), list(warnings.filters), pd.get_option("display.max_rows"), print)
    # Not `run`, which keeps the warning filters itself.
    shell = shell_with(pd=pd)
    code = (
        "import os, sys, warnings, builtins; os.environ['LLMOS_X'] = '1'; os.chdir('/'); sys.path.insert(0, 'q');"
        "warnings.simplefilter('ignore'); pd.set_option('display.max_rows', 7); builtins.print = len"
    )
    saved = undo.save(shell, None, code, limit_bytes=LIMIT)
    shell.run_cell(code, store_history=False)
    saved.ran(shell)
    notes = saved.restore(shell)
    assert (os.getcwd(), list(sys.path), list(warnings.filters), pd.get_option("display.max_rows"), print) == before
    assert "LLMOS_X" not in os.environ
    assert "restored the working directory" in notes


def test_results_of_cells() -> None:
    shell = shell_with()
    shell.run_cell("41", store_history=True)
    out, last = dict(shell.user_ns["Out"]), shell.user_ns["_"]
    saved = undo.save(shell, None, "42", limit_bytes=LIMIT)
    shell.run_cell("42", store_history=True)
    assert shell.user_ns["_"] == 42
    saved.ran(shell)
    saved.restore(shell)
    assert shell.user_ns["Out"] == out
    assert shell.user_ns["_"] == last


def test_matplotlib() -> None:
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    plt.close("all")
    figure, axes = plt.subplots()
    axes.plot([1, 2, 3])
    axes.set_title("before")
    figure.canvas.draw()
    picture = bytes(figure.canvas.buffer_rgba())
    size, current = plt.rcParams["figure.figsize"], plt.gcf()
    code = (
        "ax.plot([3, 2, 1]); ax.set_title('after'); ax.lines[0].set_color('red'); ax.set_xlim(0, 9)\n"
        "plt.rcParams['figure.figsize'] = (1, 1); plt.figure(); plt.plot([1])"
    )
    undone({"ax": axes, "fig": figure, "plt": plt}, code)
    assert plt.get_fignums() == [1]
    assert plt.gcf() is current
    assert plt.rcParams["figure.figsize"] == size
    assert (len(axes.lines), axes.get_title()) == (1, "before")
    figure.canvas.draw()
    assert bytes(figure.canvas.buffer_rgba()) == picture
    plt.close("all")


def test_a_fitted_estimator() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    model = linear.LinearRegression()
    undone({"model": model}, "model.fit([[1], [2]], [1, 2])")
    assert not hasattr(model, "coef_")
    model.fit([[1], [2]], [1, 2])
    coefficients = model.coef_
    undone({"model": model}, "model.fit([[1], [2]], [5, 9])")
    assert model.coef_ is coefficients


def test_polars_in_place() -> None:
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": [1, 2]})
    _, notes, _ = undone({"frame": frame, "pl": pl}, "frame.insert_column(0, pl.Series('b', [3, 4]))")
    assert frame.to_dict(as_series=False) == {"a": [1, 2]}
    assert notes == ["restored frame"]


def test_torch_modules() -> None:
    torch = pytest.importorskip("torch")
    module = torch.nn.Linear(2, 1)
    weight, values = module.weight, module.weight.detach().clone()
    code = (
        "o = torch.optim.SGD(m.parameters(), lr=1.0); m(torch.ones(1, 2)).sum().backward(); o.step()\nm.bias = None\n"
    )
    undone({"m": module, "torch": torch}, code)
    assert module.weight is weight
    assert torch.equal(weight, values)
    assert weight.grad is None
    assert module.bias is not None


def test_an_array_can_still_be_resized() -> None:
    shell = shell_with()
    shell.run_cell("import numpy as np; a = np.arange(6.0)")
    saved = undo.save(shell, None, "a[0] = 5", limit_bytes=LIMIT)
    run(shell, "a[0] = 5")
    saved.ran(shell)
    shell.run_cell("a.resize(8)").raise_error()
    assert "now holds something else" in saved.restore(shell)[0]


def test_one_failure_loses_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    from llmos_jupyter.agent.undo.kinds import Sequence

    first, second = [1], {"a": 1}
    shell = shell_with(first=first, second=second, third=3)
    code = "first.append(2); second.clear(); third = 4"
    saved = undo.save(shell, None, code, limit_bytes=LIMIT)
    run(shell, code)
    saved.ran(shell)

    def refuse(self: Any) -> None:
        raise RuntimeError("no")

    with monkeypatch.context() as patch:
        patch.setattr(Sequence, "restore", refuse)
        notes = saved.restore(shell)
    assert "a list in first could not be restored (RuntimeError: no)." in notes
    assert (first, second, shell.user_ns["third"]) == ([1, 2], {"a": 1}, 3)
    assert saved.restore(shell) == ["restored first"]
    assert first == [1]


def test_history_is_bounded() -> None:
    shell = shell_with(a=np.zeros(100_000))
    history = undo.History(limit_bytes=2_000_000, count=3)
    for index in range(5):
        code = f"a[{index}] = 1"
        saved = undo.save(shell, None, code, limit_bytes=LIMIT)
        run(shell, code)
        saved.ran(shell)
        history.push(saved)
    assert len(history) == 2
    assert history.bytes <= 2_000_000
    history.undo(shell)
    history.undo(shell)
    assert shell.user_ns["a"].sum() == 3
    assert "3 earlier answers" in history.undo(shell)[0]


def test_memory_files() -> None:
    text = io.StringIO("abc")
    undone({"text": text}, "text.write('zz')")
    assert (text.getvalue(), text.tell()) == ("abc", 0)
