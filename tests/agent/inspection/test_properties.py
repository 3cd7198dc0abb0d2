"""What must hold of every candidate: an error means that it really fails, nothing of the user's ever runs,
and no text makes the inspection itself fail."""

from __future__ import annotations

import ast
import contextlib
import functools
import io
import sys
import traceback
import warnings
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmos_jupyter.agent.hints.of_failure import column_hints
from llmos_jupyter.agent.inspection.check import inspect
from tests.examples import examples

# --- programs over pandas: run them, and compare -----------------------------------------------

_COLUMNS = ["city", "year", "sales", "Cost", "new", "total", "sale", "count", "index", "city_x", "y"]
_CHAIN = {"city": "y", "y": "new", "new": "sale"}
column = st.sampled_from(_COLUMNS)
listed = st.lists(column, min_size=1, max_size=3, unique=True)
frame = st.sampled_from(["df", "other", "made", "indexed"])


@st.composite
def frame_expression(draw: st.DrawFn, depth: int = 0) -> str:
    """An expression that is a frame if it works."""
    if depth > 2 or draw(st.booleans()):
        return draw(frame)
    inner = draw(frame_expression(depth=depth + 1))
    a, b, cols = draw(column), draw(column), draw(listed)
    return draw(
        st.sampled_from(
            [
                f"{inner}.copy()",
                f"{inner}.head(2)",
                f"{inner}[{cols!r}]",
                f"{inner}[{inner}[{a!r}].notna()]",
                f"{inner}.loc[:, {cols!r}]",
                f"{inner}.sort_values({a!r})",
                f"{inner}.sort_values({cols!r}, ascending=False)",
                f"{inner}.rename(columns={{{a!r}: {b!r}}})",
                f"{inner}.drop(columns={a!r})",
                f"{inner}.drop(columns={cols!r}, errors='ignore')",
                f"{inner}.drop({a!r}, axis=1)",
                f"{inner}.assign({a}=1)",
                f"{inner}.assign({a}=lambda d: d[{b!r}])",
                f"{inner}.set_index({a!r})",
                f"{inner}.reset_index()",
                f"{inner}.reset_index(drop=True)",
                f"{inner}.dropna(subset={cols!r})",
                f"{inner}.drop_duplicates({a!r})",
                f"{inner}.groupby({a!r}).first()",
                f"{inner}.groupby({a!r}, as_index=False)[{cols!r}].first()",
                f"{inner}.groupby({a!r})[{b!r}].first().reset_index()",
                f"{inner}.groupby({a!r}).size().reset_index(name={b!r})",
                f"{inner}.groupby({cols!r}).size().reset_index()",
                f"{inner}.groupby({a!r}).agg(total=({b!r}, 'count')).reset_index()",
                f"{inner}.groupby({a!r}).agg({{{b!r}: 'count'}})",
                f"{inner}.groupby({a!r})[{b!r}].agg(['min', 'count']).reset_index()",
                f"{inner}[{a!r}].value_counts().reset_index()",
                f"{inner}[{a!r}].to_frame()",
                f"{inner}.melt(id_vars={a!r})",
                f"{inner}.merge(other, on={a!r})",
                f"{inner}.merge(other, left_on={a!r}, right_on={b!r})",
                f"{inner}.merge(other)",
                f"{inner}.join(other, rsuffix='_r')",
                f"pd.concat([{inner}, other])",
                f"{inner}.astype({{{a!r}: str}})",
                f"{inner}.query({a + ' == ' + a!r})",
                f"{inner}.pivot_table(index={a!r}, values={b!r}, aggfunc='count').reset_index()",
                f"{inner}.nlargest(2, {a!r})",
                f"{inner}.explode({a!r})",
                f"{inner}.rename_axis({a!r})",
                f"{inner}.eval({a + ' = 1'!r})",
                f"{inner}.T",
                f"{inner}.describe()",
            ]
        )
    )


@st.composite
def statement(draw: st.DrawFn, depth: int = 0) -> str:
    name, value, a, cols = draw(frame), draw(frame_expression()), draw(column), draw(listed)
    simple = [
        f"{name} = {value}",
        f"{name}[{a!r}] = 1",
        f"{name}[{cols!r}] = 0",
        f"{name}.loc[:, {a!r}] = 2",
        f"{name}[{a!r}]",
        f"{name}.{a}",
        f"{value}[{a!r}]",
        f"{value}.{a}",
        f"del {name}[{a!r}]",
        f"{name}.drop(columns={a!r}, inplace=True)",
        f"{name}.rename(columns={{{a!r}: 'total'}}, inplace=True)",
        f"{name}.reset_index(inplace=True)",
        f"{name}.insert(0, {a!r}, 1)",
        f"{name}.pop({a!r})",
        f"{name}.columns = {_COLUMNS[:4]!r}",
        f"{name}.columns = [str(c).lower() for c in {name}.columns]",
        f"{name}.index.name = {a!r}",
        f"touch({name})",
        "touch_global()",
        f"keep = [{name}]; keep[0][{a!r}] = 1",
        f"holder['it'][{a!r}] = 1",
        f"holder['it'] = {name}",
        f"for k in {cols!r}: {name}[k] = 1",
        f"for k in {cols!r}: {name}[k]",
        f"[{name}[k] for k in {cols!r}]",
        f"made = {name}",
        f"{name}, made = made, {name}",
        f"f = lambda: {name}[{a!r}]",
        f"'{a}' in {name} and {name}[{a!r}]",
        f"{name}[{a!r}] if '{a}' in {name} else 0",
        f"(lambda x: x[{a!r}])({name})",
        f"(lambda x: x.insert(0, {a!r}, 1))({name})",
        f"list(map(touch, [{name}]))",
        f"functools.partial(touch, {name})()",
        f"{name}.{a}.str.len()",
        f"{name} = {name}.astype({{{a!r}: str}}); {name}[{a!r}].str.len()",
        f"{name}.loc[0] = 'x'; {name}[{a!r}].str.len()",
        f"{name}[{a!r}].map(str).str.len()",
        f"{name}[{a!r}].a",
        f"{name}.iloc[:, :2] = 'x'; {name}[{a!r}].str.len()",
    ]
    text = draw(st.sampled_from(simple))
    if depth < 2 and draw(st.integers(0, 3)) == 0:
        inner = draw(st.lists(statement(depth=depth + 1), min_size=1, max_size=3))
        body = "".join(f"\n{line}" for s in inner for line in s.splitlines()).replace("\n", "\n    ")
        test = f"{a!r} in {name}"
        text = draw(
            st.sampled_from(
                [
                    f"if {test}:{body}",
                    f"if {test}:{body}\nelse:\n    {name}[{a!r}] = 3",
                    f"if True:{body}",
                    f"try:{body}\nexcept Exception:\n    pass",
                    f"try:{body}\nfinally:\n    pass",
                    f"for i in range(2):{body}",
                    f"for i in range(2):\n    if {test}: break{body}",
                    f"for i in []:{body}",
                    f"for i in [1, 2]:{body}\n    if {test}: break\n    {name} = {name}.reset_index()",
                    f"for i in range(3):{body}\n    {name} = {name}.reset_index()",
                    f"for i in range(3):{body}\n    {name} = {name}.rename(columns={_CHAIN})",
                    f"try:{body}\n    raise ValueError\n    {name}.pop({a!r})\nexcept Exception:\n    pass",
                    f"try:{body}\nexcept Exception:\n    {name}[{a!r}] = 1\nelse:\n    {name}[{a!r}] = 2",
                    f"def g({name}):{body}\n    if {test}: return\n    {name}.pop('city')\ng(df)",
                    f"def g():\n    global {name}{body}\ng()",
                    f"while True:{body}\n    if len({name}.columns) % 2: break\n    {name}[{a!r}] = 1; break",
                    f"while {test}:{body}\n    break",
                    f"def g({name}):{body}\n    return {name}\nmade = g(other)",
                    f"def g():{body}\ng()" if "=" not in body else f"def g(df, other, made, indexed):{body}",
                    f"def g():{body}",
                    f"with contextlib.suppress(Exception):{body}",
                    f"with warnings.catch_warnings():{body}",
                ]
            )
        )
    return text


def _namespace() -> dict[str, Any]:
    df = pd.DataFrame({"city": ["a", "b", "a"], "year": [1, 2, 3], "sales": [1.0, None, 2.0], "Cost": [1, 1, 2]})
    other = pd.DataFrame({"city": ["a", "b"], "y": [1, 2], "year": [1, 2]})
    ns: dict[str, Any] = {"pd": pd, "df": df, "other": other, "made": df.copy(), "indexed": df.set_index("city")}
    ns.update(holder={"it": df}, contextlib=contextlib, functools=functools, warnings=warnings)
    exec("def touch(frame):\n    frame['new'] = 1\ndef touch_global():\n    df['total'] = 2\n", ns)
    return ns


@settings(
    max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(st.lists(statement(), min_size=1, max_size=5))
def test_an_error_means_that_the_code_fails(statements: list[str]) -> None:
    code = "\n".join(statements)
    ns = _namespace()
    errors = [f for f in inspect(code, ns) if f.severity == "error"]
    if not errors:
        return
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            exec(compile(code, "<candidate>", "exec"), ns)
    except Exception:
        return
    raise AssertionError(f"reported {[(f.line, f.message) for f in errors]} in code that works:\n{code}")


# --- any text, any program ---------------------------------------------------------------------


@settings(max_examples=examples(300), deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_answered(text: str) -> None:
    for finding in inspect(text, {"df": 1}):
        assert finding.message
    column_hints("KeyError", text, {"x": 1}, text)


_PIECES = [
    "df",
    "x",
    "pd",
    "self",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    "'",
    '"',
    ":",
    "\n",
    "\n    ",
    " ",
    "=",
    ".",
    ",",
    "if",
    "else",
    "for",
    "in",
    "while",
    "def",
    "class",
    "lambda",
    "return",
    "yield",
    "await",
    "async",
    "try",
    "except",
    "finally",
    "with",
    "as",
    "import",
    "from",
    "*",
    "**",
    "%",
    "!",
    "?",
    "%%time",
    "@",
    "f'",
    "{x}",
    "match",
    "case",
    "_",
    "1",
    "0x",
    "\\",
    "#",
    ";",
    "->",
    ":=",
    "...",
    "None",
    "del",
    "global",
    "not",
    "is",
    "\t",
    "\x00",
    "\ud800",
    "\u00e9",
    "\r",
]


@settings(max_examples=examples(400), deadline=None)
@given(st.lists(st.sampled_from(_PIECES), max_size=30))
def test_pieces_of_python_in_any_order_are_answered(pieces: list[str]) -> None:
    code = "".join(pieces)
    findings = inspect(code, {"df": pd.DataFrame({"a": [1]}), "pd": pd, "x": [1]})
    lines = code.count("\n") + code.count("\r") + 2
    assert all(f.line is None or 1 <= f.line <= lines for f in findings)


def test_very_deep_and_very_long_code_is_answered() -> None:
    deep = ["(" * 3000 + ")" * 3000, "x" + ".a" * 5000, "x" + "[0]" * 5000, "-" * 5000 + "1", "1" + "+1" * 5000]
    for code in [*deep, "if 1:\n" + "".join("    " * i + "if 1:\n" for i in range(1, 150)), "x = 1\n" * 5000]:
        for finding in inspect(code, {"x": object()}):
            assert finding.message


# --- nothing of the user's runs ----------------------------------------------------------------

_ran: list[str] = []
_DUNDERS = [
    "getattribute",
    "getattr",
    "setattr",
    "repr",
    "str",
    "len",
    "iter",
    "next",
    "eq",
    "hash",
    "bool",
    "int",
    "float",
    "index",
    "contains",
    "getitem",
    "setitem",
    "delitem",
    "call",
    "enter",
    "exit",
    "add",
    "radd",
    "sub",
    "mul",
    "truediv",
    "lt",
    "le",
    "gt",
    "ge",
    "ne",
    "dir",
    "format",
    "bytes",
    "missing",
    "reversed",
    "instancecheck",
    "subclasscheck",
    "sizeof",
    "reduce",
    "reduce_ex",
    "getstate",
    "length_hint",
    "array",
    "fspath",
    "await",
    "aiter",
    "anext",
]


def _trap(name: str) -> Any:
    def trapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        _ran.append(name)
        raise RuntimeError(f"{name} ran")

    return trapped


def _traps(**more: Any) -> dict[str, Any]:
    return {**{f"__{d}__": _trap(d) for d in _DUNDERS}, "__class__": property(_trap("class")), **more}


_Meta = type("_Meta", (type,), {f"__{d}__": _trap(f"meta {d}") for d in _DUNDERS if d not in {"hash", "call"}})
_Canary = type.__call__(_Meta, "_Canary", (), _traps(prop=property(_trap("prop")), __slots__=("__weakref__",)))
_Plain = type("_Plain", (), {f"__{d}__": _trap(d) for d in ("repr", "str", "eq", "len", "iter", "bool", "hash")})
_ListCanary = type("_ListCanary", (list,), _traps())
_DictCanary = type("_DictCanary", (dict,), _traps())
_StrCanary = type("_StrCanary", (str,), {k: v for k, v in _traps().items() if k not in {"__hash__", "__eq__"}})
_ModuleCanary = type("_ModuleCanary", (type(sys),), _traps())
_FrameCanary = type(
    "_FrameCanary", (pd.DataFrame,), {"columns": property(_trap("columns")), "__getattr__": _trap("frame getattr")}
)


def _canaries() -> dict[str, Any]:
    made: dict[str, Any] = {
        "c": object.__new__(_Canary),
        "k": _Canary,
        "items": list.__new__(_ListCanary),
        "table": dict.__new__(_DictCanary),
        "word": str.__new__(_StrCanary, "abc"),
        "mod": _ModuleCanary("mod"),
        "held": [object.__new__(_Canary)],
        "kept": {"c": object.__new__(_Canary)},
    }
    frame = pd.DataFrame({"a": [1]})
    cells = np.empty((1, 1), dtype=object)
    cells[0, 0] = object.__new__(_Plain)
    made["cells"] = pd.DataFrame(cells, columns=["a"])
    made["sub"] = object.__new__(_FrameCanary)
    made["df"] = frame
    return made


_ATOMS = [
    "c",
    "k",
    "items",
    "table",
    "word",
    "mod",
    "held",
    "kept",
    "sub",
    "cells",
    "df",
    "df['a']",
    "held[0]",
    "kept['c']",
    "(1)",
]


@st.composite
def _expression(draw: st.DrawFn, depth: int = 0) -> str:
    if depth > 3 or draw(st.booleans()):
        return draw(st.sampled_from(_ATOMS))
    a, b = draw(_expression(depth=depth + 1)), draw(_expression(depth=depth + 1))
    forms = [
        "{a}.prop",
        "{a}.missing",
        "{a}[{b}]",
        "{a}({b})",
        "({a} + {b})",
        "({a} < {b})",
        "len({a})",
        "repr({a})",
        "[x for x in {a}]",
        "'%s' % {a}",
        "df[{a}]",
        "df.loc[{a}, {b}]",
        "df.groupby({a})",
        "df.merge({a}, on={b})",
        "pd.concat([{a}, {b}])",
        "sorted({a})",
        "{a}.method({b})",
        "getattr({a}, 'prop')",
        "isinstance({a}, {b})",
        "({a} in {b})",
        "{a}.a.b",
        "df.assign(n={a})",
        "list(map({a}, {b}))",
        "print({a}, sep={b})",
    ]
    return draw(st.sampled_from(forms)).format(a=a, b=b)


@st.composite
def _statement(draw: st.DrawFn) -> str:
    a, b = draw(_expression()), draw(_expression())
    forms = [
        "{a}",
        "v = {a}",
        "c = {a}",
        "df[{a}] = {b}",
        "c.x = {a}",
        "held[0] = {a}",
        "del c",
        "del c.prop",
        "k += {a}",
        "for i in {a}:\n    i.prop",
        "with {a} as w:\n    w.go()",
        "if {a}:\n    {b}",
        "while {a}:\n    {b}\n    break",
        "try:\n    {a}\nexcept {b}:\n    pass",
        "def f(x={a}):\n    return {b}\nf()",
        "import mod",
        "class D(k):\n    y = {a}",
        "match {a}:\n    case 1:\n        {b}",
        "assert {a}, {b}",
        "raise {a}",
    ]
    return draw(st.sampled_from(forms)).format(a=a, b=b)


@settings(max_examples=examples(500), deadline=None)
@given(st.lists(_statement(), min_size=1, max_size=6), st.sampled_from(["KeyError", "TypeError", "AttributeError"]))
def test_nothing_of_the_users_runs(statements: list[str], kind: str) -> None:
    code = "\n".join(statements)
    ast.parse(code)
    ns = {"pd": pd, **_canaries()}
    _ran.clear()
    where = ""
    try:
        inspect(code, ns)
        column_hints(kind, "'_Canary' object has no attribute 'prop'", ns, code)
    except RuntimeError as error:  # the test's report would itself call what the canaries trap
        where = "".join(traceback.format_tb(error.__traceback__)[-3:])
    assert not where, f"{code}\n{where}"
    assert _ran == [], code


def test_the_traps_do_spring() -> None:
    canary = _canaries()["c"]
    _ran.clear()
    with contextlib.suppress(RuntimeError):
        repr(canary)
    with contextlib.suppress(RuntimeError):
        _ = canary.prop
    assert len(_ran) >= 2


def test_nothing_is_imported() -> None:
    before = set(sys.modules)
    inspect("import turtledemo.clock\nfrom wsgiref import handlers\nimport this\nturtledemo.clock.main()", {})
    assert set(sys.modules) - before == set()
