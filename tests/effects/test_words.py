"""What changed, in words: told in a forked child, as in the sandbox."""

from __future__ import annotations

import collections
import json
import os
import random
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from llmos_jupyter.effects import kinds
from llmos_jupyter.effects.objects.census import Census
from llmos_jupyter.effects.objects.memory import Pages
from llmos_jupyter.effects.words.changes import Changes
from llmos_jupyter.effects.words.labels import type_of
from llmos_jupyter.sandbox.process.pages import Probe, WrittenPages

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a copy is a forked child")


class Point:
    __slots__ = ("x", "y")

    def __init__(self) -> None:
        self.x, self.y = 1, [1]


class Hostile:
    """Whatever must not be called."""

    def __init__(self) -> None:
        object.__setattr__(self, "items", [1])

    def trap(self, *args: object) -> Any:
        raise AssertionError("the user's code was called")

    __eq__ = __repr__ = __len__ = __getattribute__ = __hash__ = __bool__ = __iter__ = trap  # type: ignore[assignment]


def namespace() -> dict[str, Any]:
    names: dict[str, Any] = {
        "df": pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": pd.Categorical(["u", "v"]), "d": [1.0, np.nan]}),
        "wide": pd.DataFrame(np.zeros((3, 2000))),
        "tall": pd.DataFrame(np.ones((300_000, 4))),
        "tall_column": pd.DataFrame({"a": np.ones(300_000), "b": np.ones(300_000, "i4")}),
        "nullable": pd.Series(pd.array([1, None], dtype="Int64")),
        "s": pd.Series([1, 2, 3], name="s"),
        "numbers": [1, 2, 3],
        "nested": {"a": [1]},
        "many": {1, 2},
        "queue": collections.deque([1, 2]),
        "counts": collections.Counter("aab"),
        "point": Point(),
        "hostile": Hostile(),
        "large": np.ones(16 << 20, "u1"),
        "zeros": np.zeros(4 << 20),
        "long": list(range(300_000)),
        "gen": (i for i in range(5)),
        "it": iter([1, 2, 3]),
        "rng": np.random.default_rng(1),
        "old_rng": np.random.RandomState(1),
        "die": random.Random(1),
        "data": bytearray(b"abc"),
        "arr": np.arange(10),
        "objects": np.array([[1], [2]], dtype=object),
        "pair": ([1], 2),
        "n": 5,
        "np": np,
        "pd": pd,
    }
    names["objects"] = np.array([None, None], dtype=object)
    names["objects"][0] = [1]
    names["alias"] = names["numbers"]
    names["view"] = names["arr"][2:5]
    names["holder"] = [names["arr"]]
    names["me"] = names["cycle"] = []
    names["me"].append(names["me"])
    return names


def difference(code: str, *, pages: bool = True, names: Callable[[], dict[str, Any]] = namespace) -> dict[str, str]:
    """What `code` changed, as {name: 'kind: detail'}."""
    kinds.load()
    probe, space = Probe(), names()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            Pages.written = WrittenPages(probe.address) if pages else None
            before, census = dict(space), Census(space)
            exec(code, space)
            space.pop("__builtins__", None)
            changed, _ = census.changed(code)
            changes = Changes(census, changed).names(before, space)
            text = json.dumps({c.name: f"{c.kind}: {c.detail}" for c in changes})
        except BaseException as error:
            text = json.dumps({"error": repr(type(error)) + str(error)})
        os.write(writing, text.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        found: dict[str, str] = json.loads(pipe.read())
    os.waitpid(child, 0)
    probe.close()
    return found


CASES: list[tuple[str, dict[str, str]]] = [
    ("pass", {}),
    ("df['ratio'] = df.a / 2", {"df": "mutated: +1 column: ratio"}),
    ("df.loc[0, 'a'] = 7", {"df": "mutated: values changed: a"}),
    ("df.loc[0, 'b'] = 'q'", {"df": "mutated: values changed: b"}),
    ("df.loc[0, 'c'] = 'v'", {"df": "mutated: values changed: c"}),
    ("df.drop(columns='a', inplace=True)", {"df": "mutated: -1 column: a"}),
    ("df.drop(index=0, inplace=True)", {"df": "mutated: shape (2, 4) -> (1, 4)"}),
    ("df['a'] = df['a'].astype(float)", {"df": "mutated: dtype: a int64 -> float64"}),
    ("df['d'] = df['d'].fillna(0)", {"df": "mutated: values changed: d"}),
    ("df['d'] = df['d'].copy()", {}),
    ("df.columns = ['q', 'b', 'c', 'd']", {"df": "mutated: +1 column: q; -1 column: a"}),
    ("df.index = [5, 6]", {"df": "mutated: index"}),
    ("df.attrs['x'] = 1", {"df": "mutated: inside: +1 key: x"}),
    ("df.values; df.describe(); repr(df); df.groupby('a').d.sum(); df.a.mean()", {}),
    ("df = df.copy()", {"df": "rebound: "}),
    ("wide.iloc[0, 1234] = 1", {"wide": "mutated: values changed: 1234"}),
    ("tall.iloc[5, 3] = 7", {"tall": "mutated: values changed: 3"}),
    ("tall_column.iloc[5, 1] = 7", {"tall_column": "mutated: values changed: b"}),
    ("nullable[1] = 5", {"nullable": "mutated: values changed"}),
    ("s[0] = 9", {"s": "mutated: values changed"}),
    ("s.name = 't'", {"s": "mutated: name: t"}),
    ("numbers.append(4)", {"numbers": "mutated: 3 -> 4 items", "alias": "mutated: 3 -> 4 items"}),
    ("numbers.sort()", {}),
    ("nested['a'].append(2)", {"nested": "mutated: inside: 1 -> 2 items"}),
    ("nested['b'] = 1", {"nested": "mutated: +1 key: b"}),
    ("del nested['a']", {"nested": "mutated: -1 key: a"}),
    ("many.add(5)", {"many": "mutated: 2 -> 3 items"}),
    ("many.discard(1); many.add(9)", {"many": "mutated: items changed"}),
    ("queue.rotate()", {"queue": "mutated: 2 of 2 items changed"}),
    ("counts.update('b')", {"counts": "mutated: changed: b"}),
    ("point.x = 2", {"point": "mutated: changed: x"}),
    ("point.y.append(3)", {"point": "mutated: inside: 1 -> 2 items"}),
    ("object.__setattr__(hostile, 'new', 1)", {"hostile": "mutated: +1 attribute: new"}),
    ("object.__getattribute__(hostile, 'items').append(1)", {"hostile": "mutated: inside: 1 -> 2 items"}),
    ("large[5_000_000] = 3", {"large": "mutated: values changed"}),
    ("large[0] = 3", {"large": "mutated: values changed"}),
    ("large[-1] = 3", {"large": "mutated: values changed"}),
    ("large.sum(); zeros.sum()", {}),
    ("zeros[1_000_000] = 1", {"zeros": "mutated: values changed"}),
    ("long[250_000] = 'x'", {"long": "mutated: 1 of 300000 items changed"}),
    ("long.append(1)", {"long": "mutated: 300000 -> 300001 items"}),
    ("sum(long)", {}),
    ("next(gen)", {"gen": "mutated: advanced"}),
    ("next(gen); next(gen)", {"gen": "mutated: advanced"}),
    ("next(it)", {"it": "mutated: advanced"}),
    ("rng.random()", {"rng": "mutated: random state advanced"}),
    ("old_rng.rand()", {"old_rng": "mutated: random state advanced"}),
    ("die.random()", {"die": "mutated: random state advanced"}),
    ("data.append(3)", {"data": "mutated: 3 -> 4 bytes"}),
    ("data[0] = 1", {"data": "mutated: values changed"}),
    (
        "arr[3] = 99",
        {
            "arr": "mutated: values changed",
            "view": "mutated: values changed",
            "holder": "mutated: inside: values changed",
        },
    ),
    ("arr[0] = 99", {"arr": "mutated: values changed", "holder": "mutated: inside: values changed"}),
    (
        "arr.shape = (2, 5)",
        {"arr": "mutated: shape (10,) -> (2, 5)", "holder": "mutated: inside: shape (10,) -> (2, 5)"},
    ),
    ("objects[0].append(2)", {"objects": "mutated: inside: 1 -> 2 items"}),
    ("objects[1] = 3", {"objects": "mutated: values changed"}),
    ("pair[0].append(2)", {"pair": "mutated: inside: 1 -> 2 items"}),
    ("cycle.append(1)", {"me": "mutated: 1 -> 2 items", "cycle": "mutated: 1 -> 2 items"}),
    ("del numbers", {"numbers": "deleted: "}),
    ("n = 6", {"n": "rebound: "}),
    ("n = 5", {}),
    ("tall['x'] = tall[0] * 2", {"tall": "mutated: +1 column: x"}),
    ("tall[2] = tall[2] * 2", {"tall": "mutated: values changed: 2"}),
    (
        "import math; _private = 1; new = 2",
        {"math": "created: ", "_private": "created: ", "new": "created: "},
    ),
]


@pytest.mark.parametrize(("code", "expected"), CASES, ids=[code for code, _ in CASES])
def test_difference(code: str, expected: dict[str, str]) -> None:
    assert difference(code) == expected


@pytest.mark.parametrize(("code", "word"), [("large[5_000_000] = 3", ""), ("tall.iloc[5, 3] = 7", ": 3")])
def test_without_written_pages_large_arrays_are_hashed(code: str, word: str) -> None:
    name = re.split(r"[.\[]", code)[0]
    assert difference(code, pages=False) == {name: f"mutated: values changed{word}"}


def test_what_lies_deep_is_told_too() -> None:
    def names() -> dict[str, Any]:
        return {"tree": [[{"k": [j]} for j in range(1000)] for _ in range(100)]}

    found = difference("tree[99][999]['k'].append(1)", names=names)
    assert found == {"tree": "mutated: inside: 1 -> 2 items"}


def test_type() -> None:
    assert type_of(pd.DataFrame({"a": [1]})) == "DataFrame (1, 1)"
    assert type_of(pd.Series([1, 2])) == "Series (2,)"
    assert type_of(np.zeros((2, 3))) == "ndarray (2, 3) float64"
    assert type_of(3) == "int"
