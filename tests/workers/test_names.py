"""Which names a cell reads, assigns and may change."""

from __future__ import annotations

import pytest

from llmos_jupyter.workers.names import names_of


@pytest.mark.parametrize(
    ("code", "reads", "binds"),
    [
        ("y = x + 1", {"x"}, {"y"}),
        ("x = 1\ny = x", set(), {"x", "y"}),
        ("x = x + 1", {"x"}, {"x"}),
        ("x += 1", {"x"}, {"x"}),
        ("if a:\n    x = 1\nprint(x)", {"a", "x", "print"}, {"x"}),
        ("if a:\n    x = 1\nelse:\n    x = 2\nz = x", {"a"}, {"x", "z"}),
        ("for row in rows:\n    last = row\nlast", {"rows", "last"}, {"row", "last"}),
        ("for i in rows: pass\nprint(i)", {"rows", "print"}, {"i"}),
        ("with open(p) as f:\n    text = f.read()\ntext", {"open", "p"}, {"f", "text"}),
        ("try:\n    v = g()\nexcept E as e:\n    v = str(e)\nv", {"g", "E", "str"}, {"v"}),
        ("try:\n    v = g()\nexcept E:\n    pass\nv", {"g", "E", "v"}, {"v"}),
        ("while n:\n    n -= 1", {"n"}, {"n"}),
        ("def f(a, b=k):\n    c = a + g\n    return c + b", {"k", "g"}, {"f"}),
        ("def f():\n    global total\n    total = 1\nf()", set(), {"f", "total"}),
        ("def f():\n    def h(): return deep\n    return h", {"deep"}, {"f"}),
        ("f = lambda a: a * scale", {"scale"}, {"f"}),
        ("class A(Base):\n    x = y\n    def m(self): return z", {"Base", "y", "z"}, {"A"}),
        ("s = [a * k for a in data if a > low]", {"k", "data", "low"}, {"s"}),
        ("s = {k: v for k, v in d.items()}", {"d"}, {"s"}),
        ("any((hit := a) for a in data)", {"any", "data"}, {"hit"}),
        ("import numpy as np, os.path\nfrom a import b as c\nnp.zeros(c)", set(), {"np", "os", "c"}),
        ("match p:\n    case {'k': v, **rest} if v > low: w = v", {"p", "low"}, {"v", "rest", "w"}),
        ("a, (b, *c) = d", {"d"}, {"a", "b", "c"}),
        ("await job\nr = [x async for x in stream]", {"job", "stream"}, {"r"}),
        ("x: int = y", {"int", "y"}, {"x"}),
        ("%time z = x + 1\nz", {"x"}, {"z"}),
        ("%%time\nz = x + 1", {"x"}, {"z"}),
        ("%matplotlib inline\nplt.plot(x)", {"plt", "x"}, set()),
        ("!ls\ny = x", {"x"}, {"y"}),
    ],
)
def test_reads_and_binds(code: str, reads: set[str], binds: set[str]) -> None:
    names = names_of(code)
    assert names.reads == reads
    assert names.binds == binds


@pytest.mark.parametrize(
    ("code", "touches"),
    [
        ("df['a'] = 1", {"df"}),
        ("df.loc[0, 'a'] = 1", {"df"}),
        ("model.coef.x = 1", {"model"}),
        ("model.fit(X, y)", {"model", "X", "y"}),
        ("model.fit(X).score(y)", {"model", "X", "y"}),
        ("random.shuffle(deck)", {"random", "deck"}),
        ("del d['k']", {"d"}),
        ("d['n'] += 1", {"d"}),
        ("y = df.head()", set()),
        ("def f(a):\n    a.append(1)\n    kept.append(a)", {"kept"}),
    ],
)
def test_what_may_change_in_place(code: str, touches: set[str]) -> None:
    assert names_of(code).touches == touches


def test_no_python_is_a_syntax_error() -> None:
    with pytest.raises(SyntaxError):
        names_of("x = = 1")
