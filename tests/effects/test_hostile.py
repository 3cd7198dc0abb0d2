"""Tables that no honest copy writes: forged ones, and honest ones with parts changed. Nothing in them may run, crash
the reader, or leave half a change; each test works in a process of its own.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmos_jupyter.effects import commit as committing
from llmos_jupyter.effects.copy.kernel_copy import supported
from llmos_jupyter.effects.kind import KINDS
from llmos_jupyter.effects.table import BufferReader, CannotComeHome, Malformed, MemoryFiles, decode
from llmos_jupyter.effects.transaction import run_in_sandbox
from tests.effects.processes import Ahead, fresh_shell, in_fork, selected, state_of
from tests.effects.programs import PROGRAMS, Program

pytestmark = pytest.mark.skipif(supported() is not None, reason=str(supported()))

SETUP = """
ran = []
class Loud:
    def __hash__(self): ran.append("hash"); return 1
    def __eq__(self, other): ran.append("eq"); return True
    def __setstate__(self, state): ran.append("setstate")
    def __init_subclass__(cls): ran.append("subclass")
    def __new__(cls, *a): ran.append("new"); return object.__new__(cls)
    def __getattribute__(self, name): ran.append(name); return object.__getattribute__(self, name)
    def __set_name__(self, owner, name): ran.append("set_name")
    def __reduce__(self): ran.append("reduce"); return int, ()
    def __len__(self): ran.append("len"); return 1
    def __bool__(self): ran.append("bool"); return True
    def __call__(self, *a): ran.append("call")
loud = object.__new__(Loud)
old = [1]
df = pd.DataFrame({"a": [1, 2]})
"""

SYSTEM = ["global", "os", "system"]
BYTES = ["bytes", [0], b""]


def content(nodes: list[Any], **parts: Any) -> dict[str, Any]:
    """A table whose first node becomes `x`."""
    said: dict[str, Any] = {
        key: [] for key in ("deleted", "mutated", "states", "results", "outputs", "displayed", "kinds", "cannot")
    }
    said |= {"created": {"x": [0]}, "rebound": {}, "ambient": {}, "figures": None, "nodes": nodes}
    return said | parts


def array(shape: Any, strides: Any, data: Any, dtype: Any = "<f8", cls: Any = None) -> list[Any]:
    return ["array", cls, dtype, shape, strides, True, None, data]


def klass(members: Any, bases: Any = ([1],), data: Any = None, slots: Any = None) -> list[list[Any]]:
    return [
        ["class", "class", "type", ["A", "A"], slots, list(bases), members, data],
        ["class", "global", "builtins", "object"],
    ]


FORGED: dict[str, list[Any]] = {
    "no node": [],
    "kind of no name": [[["list"]]],
    "unknown kind": [["reduce", SYSTEM, ["true"]]],
    "reference to nothing": [["list", None, None, [[99]]]],
    "negative reference": [["list", None, None, [[-1]]]],
    "tuple that holds itself": [["tuple", None, [[0]], None]],
    "list of a function's class": [["list", [1], None, []], SYSTEM],
    "instance of a function": [["instance", [1], [[], []]], SYSTEM],
    "instance of a list": [["instance", [1], [[], []]], ["class", "global", "builtins", "list"]],
    "process": [
        ["instance", [1], [["pid", "returncode", "_child_created"], [1, None, True]]],
        ["class", "global", "subprocess", "Popen"],
    ],
    "closing file": [["instance", [1], [[], []]], ["class", "global", "tempfile", "TemporaryDirectory"]],
    "attributes that do not match": [["instance", [1], [["a"], []]], ["class", "global", "types", "SimpleNamespace"]],
    "bad integer": [["int", "zz"]],
    "decimal with text": [["decimal", "__import__('os')"]],
    "path of a number": [["path", "PosixPath", 5]],
    "module of a program": [["module", "antigravity"]],
    "module with a path": [["module", "../x"]],
    "module that is not there": [["module", "no_such_module_at_all"]],
    "global of a private path": [["global", "os", "path.__dict__.x"]],
    "array without data": [array([1000], [8], ["bytes", [0], b"12345678"])],
    "array of objects from bytes": [array([1], [8], ["bytes", [0], b"12345678"], "|O")],
    "array with a negative shape": [array([-1], [8], BYTES)],
    "array that is too large": [array([1 << 60, 1 << 60], [8, 8], BYTES)],
    "view outside": [array([4], [8], ["view", [1], 8]), array([2], [8], ["bytes", [0], bytes(16)])],
    "view before": [array([1], [8], ["view", [1], -8]), array([2], [8], ["bytes", [0], bytes(16)])],
    "view of objects as numbers": [
        array([1], [8], ["view", [1], 0]),
        array([1], [8], ["items", [[2]]], "|O"),
        ["list", None, None, []],
    ],
    "view of numbers as objects": [array([1], [8], ["view", [1], 0], "|O"), array([1], [8], ["bytes", [0], bytes(8)])],
    "view of itself": [array([1], [8], ["view", [0], 0])],
    "strides that wrap": [array([1 << 40], [1 << 60], ["view", [1], 0]), array([1], [8], ["bytes", [0], bytes(8)])],
    "buffer outside": [array([1], [8], ["bytes", [0], [0, 0, 1 << 40]])],
    "buffer of no file": [array([1], [8], ["bytes", [0], [99, 0, 8]])],
    "dtype of a function": [["dtype", "__import__('os').system('true')"]],
    "dtype that overlaps with objects": [["dtype", ["fields", ["a", "b"], ["|O", "<i8"], [0, 0], 8, False, False]]],
    "characters that are none": [["scalar", "<U1", b"\xff\xff\xff\xff"]],
    "scalar of objects": [["scalar", "|O", bytes(8)]],
    "categorical out of its categories": [
        ["backed array", [1], [2], [3], [[], []]],
        ["class", "global", "pandas", "Categorical"],
        array([1], [1], ["bytes", [0], b"\x7f"], "|i1"),
        ["instance", [4], [["_categories", "_ordered"], [None, False]]],
        ["class", "global", "pandas.core.dtypes.dtypes", "CategoricalDtype"],
    ],
    "frame without blocks": [["frame", [1], [], [], [[], []]], ["class", "global", "pandas", "DataFrame"]],
    "frame whose block is short": [
        ["frame", [1], [[[2], [0], [3]]], [[4], [4]], [[], []]],
        ["class", "global", "pandas", "DataFrame"],
        array([1, 1], [8, 8], ["bytes", [0, 1], bytes(8)]),
        ["block references"],
        ["index", [5], [["_range", "_name"], [[6], None]], None],
        ["class", "global", "pandas", "RangeIndex"],
        ["range", 0, 50, 1],
    ],
    "method of a private function": [["method", [1], [2]], ["list", None, None, []], ["list", None, None, []]],
    "method of the system": [["builtin", [1], "system"], ["module", "os"]],
    "function without text": [
        ["any function", "function", ["text", None, 9], None, ["f", "f", None], None, [None, None, [1]], [], [[], []]],
        ["dict", None, None, [], [], None],
    ],
    "function in a builtin": [
        ["any function", "function", ["in", [1], 0], None, ["f", "f", None], None, [None, None, None], [], [[], []]],
        SYSTEM,
    ],
    "class that ends": klass([["__del__"], [None]]),
    "class of a metaclass": [
        ["class", "class", "Evil", ["A", "A"], None, [[1]], [[], []], None],
        ["class", "global", "builtins", "object"],
    ],
    "class without bases": klass([[], []], bases=()),
    "class of a function": [klass([[], []])[0], SYSTEM],
    "slots with code": klass([[], []], slots=["x; import os"]),
    "dataclass with code": klass([[], []], data=[[True] * 6, [], [["x): import os; os.abort() #"], [1]]]),
    "field with code": klass([[], []], data=[[True] * 6, [["x=os.abort()", [[], []]]], [[], []]]),
    "namedtuple with code": [["class", "namedtuple", ["P", "m", "P", None], ["x): import os #"], [], [[], []]]],
    "namedtuple of code": [["class", "namedtuple", ["P(1); import os", "m", "P", None], ["x"], [], [[], []]]],
    "enum of objects": [
        ["class", "enum", ["E", "m", "E", None], ["Enum"], [["A"], [[1]]], [[], []], []],
        ["list", None, None, []],
    ],
    "enum with code": [["class", "enum", ["E", "m", "E", None], ["Enum"], [["_missing_"], [1]], [[], []], []]],
    "random state of nothing": [["Random", 3, [1], None]],
    "bit generator of nothing": [["bit generator", "os", []]],
    "pattern without end": [["regular expression", "(" * 50, 0]],
    "iterator over a function": [["iterator", "list_iterator", [1], 0], SYSTEM],
    "iterator of no class": [["iterator", "generator", [1], 0], ["list", None, None, []]],
    "iterator at a text": [["iterator", "list_iterator", [1], "x"], ["list", None, None, []]],
    "zip around a function": [["iterator around others", "zip", [[1]], None], SYSTEM],
    "places of a product": [["iterator around others", "product", [[1]], [1]], ["tuple", None, ["a"], None]],
    "combinations of a negative length": [
        ["iterator around others", "combinations", [[1], -1], None],
        ["tuple", None, [], None],
    ],
    "view of a list": [["dict view", "dict_keys", [1]], ["list", None, None, []]],
    "structure without parts": [["structure", "struct_time", [], [[], []]]],
    "structure of no name": [["structure", "Popen", [], [[], []]]],
    "layout that is none": [["struct", "no layout"]],
    "typed dict of objects": [["class", "typed dict", ["M", "M", None], [["a"], [[1]]], True, []], SYSTEM],
    "generic of a function": [
        ["class", "class", "type", ["A", "A"], None, [[[1], [[2]]]], [[], []], None],
        ["global", "typing", "Generic"],
        SYSTEM,
    ],
    "distribution of text": [["distribution", "norm", ["x"], [[], []]]],
    "distribution of no name": [["distribution", "os", [], [[], []]]],
    "texts that are none": [array([1], [16], ["texts", [5]], ["text", "", True])],
    "namedtuple with a constructor": [
        ["class", "namedtuple", ["P", "m", "P", None], ["x"], [], [["__new__"], [[1]]]],
        SYSTEM,
    ],
    "enum whose members are another's": [
        ["class", "enum", ["E", "m", "E", None], ["Enum"], [["A"], [1]], [[], []], [[["_value_"], [2]]]],
    ],
    "known that is not": [["known", "os"]],
    "old that is not": [["old", 12345]],
}


def _outcome(said: dict[str, Any]) -> dict[str, Any]:
    shell = fresh_shell(SETUP)
    import pandas as pd

    before, address, frames = state_of(shell), id(shell.user_ns["loud"]), vars(pd.DataFrame).copy()
    shell.user_ns["ran"].clear()
    said = _with_addresses(said, shell.user_ns)
    assert address
    files = MemoryFiles()
    failed = ""
    try:
        committing.commit(said, BufferReader(files), "", shell)
    except (CannotComeHome, Malformed) as error:
        failed = str(error)
    calls = list(shell.user_ns["ran"])
    shell.user_ns["ran"].clear()
    return {"failed": failed, "ran": calls, "same": state_of(shell) == before, "frames": vars(pd.DataFrame) == frames}


def _with_addresses(value: Any, names: dict[str, Any]) -> Any:
    """`"@name"` becomes the address of what a name holds."""
    if isinstance(value, list):
        return [_with_addresses(part, names) for part in value]
    if isinstance(value, dict):
        return {key: _with_addresses(part, names) for key, part in value.items()}
    return id(names[value[1:]]) if isinstance(value, str) and value[:1] == "@" and value[1:] in names else value


@pytest.mark.parametrize("forged", FORGED)
def test_forged_tables_are_refused(forged: str, runs: Ahead) -> None:
    status, done = runs.result(f"forged: {forged}")
    assert status == "done", done
    assert done["failed"]
    assert done["ran"] == []
    assert done["same"]
    assert done["frames"]


LOUD = {
    "instance": [["instance", [1], [["a"], [1]]], ["old", "@Loud"]],
    "subclass": [
        ["class", "class", "type", ["A", "A"], None, [[1]], [["b"], [[2]]], None],
        ["old", "@Loud"],
        ["old", "@loud"],
    ],
    "key": [["dict", None, None, [[1]], [1], None], ["old", "@loud"]],
    "item of a set": [["set", None, None, [[1]]], ["old", "@loud"]],
    "item of a frozenset": [["frozenset", None, [[1]], None], ["old", "@loud"]],
    "key within a tuple": [["dict", None, None, [[1]], [1], None], ["tuple", None, [[2]], None], ["old", "@loud"]],
    "item": [["list", None, None, [[1], [1]]], ["old", "@loud"]],
    "object of an array": [array([2], [8], ["items", [[1], [1]]], "|O"), ["old", "@loud"]],
    "label of an index": [
        ["index", [1], [["_data", "_name"], [[2], [3]]], None],
        ["class", "global", "pandas", "Index"],
        array([2], [8], ["items", [[3], [3]]], "|O"),
        ["old", "@loud"],
    ],
    "function of a partial": [
        ["partial", [1], [2], [3], None],
        ["old", "@loud"],
        ["tuple", None, [], None],
        ["dict", None, None, [], [], None],
    ],
    "factory": [["defaultdict", None, None, ["a"], [1], [1]], ["old", "@loud"]],
    "time zone": [["datetime", [2020, 1, 1, 0, 0, 0, 0], [1], 0], ["old", "@loud"]],
    "part of an alias": [["type alias", None, [1]], ["tuple", None, [[2], [2]], None], ["old", "@loud"]],
    "length of an axis": [
        ["frame", [1], [[[2], [0], [3]]], [[2], [2]], [[], []]],
        ["class", "global", "pandas", "DataFrame"],
        ["old", "@loud"],
        ["block references"],
    ],
    "categories": [
        ["backed array", [1], [2], [3], [[], []]],
        ["class", "global", "pandas", "Categorical"],
        array([1], [1], ["bytes", [0], b"\x00"], "|i1"),
        ["instance", [4], [["_categories", "_ordered"], [[5], False]]],
        ["class", "global", "pandas.core.dtypes.dtypes", "CategoricalDtype"],
        ["old", "@loud"],
    ],
    "resolution of a figure": [
        ["part of a figure", "pickled", [1], [["_dpi", "__mpl_version__"], [[2], ""]]],
        ["class", "global", "matplotlib.figure", "Figure"],
        ["old", "@loud"],
    ],
    "callback of a figure": [
        ["part of a figure", "pickled", [1], [["callbacks", "_cid_gen"], [[3], 0]]],
        ["class", "global", "matplotlib.cbook", "CallbackRegistry"],
        ["old", "@loud"],
        ["dict", None, None, ["changed"], [[4]], None],
        ["dict", None, None, [1], [[2]], None],
    ],
    "iterator over it": [["iterator", "list_iterator", [1], 0], ["old", "@loud"]],
    "zip around it": [["iterator around others", "zip", [[1]], None], ["old", "@loud"]],
    "map of it": [
        ["iterator around others", "map", [[1], [2]], None],
        ["old", "@loud"],
        ["iterator", "list_iterator", [3], None],
        ["list", None, None, [1]],
    ],
    "chain of it": [
        ["iterator around others", "chain", [], [1]],
        ["tuple", None, [[2]], None],
        ["iterator", "tuple_iterator", [3], 0],
        ["tuple", None, [[4]], None],
        ["old", "@loud"],
    ],
    "view of it": [["dict view", "dict_keys", [1]], ["old", "@loud"]],
    "bound of a type variable": [
        ["type variable", "T", [1], [2], False, False],
        ["tuple", None, [], None],
        ["old", "@loud"],
    ],
    "field of a typed dict": [["class", "typed dict", ["M", "M", None], [["a"], [[1]]], True, []], ["old", "@loud"]],
    "base": [["class", "class", "type", ["A", "A"], None, [[1]], [[], []], None], ["old", "@loud"]],
    "base with parameters": [
        ["class", "class", "type", ["A", "A"], None, [[[1], [[1]]]], [[], []], None],
        ["old", "@loud"],
    ],
    "in a weak set": [["WeakSet", [[1]], []], ["old", "@loud"]],
    "parameter of a distribution": [["distribution", "norm", [[1]], [[], []]], ["old", "@loud"]],
    "text of an array": [array([1], [16], ["texts", [[1]]], ["text", "", True]), ["old", "@loud"]],
    "levels of an index": [
        ["index", [1], [["_levels", "_codes", "_names"], [[2], [2], [2]]], None],
        ["class", "global", "pandas", "MultiIndex"],
        ["old", "@loud"],
    ],
    "module of a warning": [["list", None, None, [[1]]], ["old", "@loud"]],
}


@pytest.mark.parametrize("loud", LOUD)
def test_no_code_of_an_object_runs(loud: str, runs: Ahead) -> None:
    status, done = runs.result(f"loud: {loud}")
    assert status == "done", done
    assert done["ran"] == []


@pytest.mark.parametrize(
    ("node", "state"),
    [
        (
            ["class", "global", "pandas", "DataFrame"],
            ["class", "class", "type", ["A", "A"], None, [], [["__init__"], [None]], None],
        ),
        (["old", "@old"], ["dict", None, None, [], [], None]),
        (["old", "@old"], ["list", None, None, [[50]]]),
        (["old", "@df"], ["frame", [0], [], [], [[], []]]),
        (["old", "@Loud"], ["class", "class", "type", ["A", "A"], None, [], [["__del__"], [None]], None]),
    ],
)
def test_forged_states_change_nothing(node: list[Any], state: list[Any]) -> None:
    said = content([node], created={}, states=[[0, state, None]])
    status, done = in_fork(lambda: _outcome(said))
    assert status == "done", done
    assert done["failed"]
    assert done["same"]
    assert done["frames"]
    assert done["ran"] == []


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\xdd\xff\xff\xff\xff", b"\x91" * 100_000, b"\xc7\x01\x00x"])
def test_what_is_no_table_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        decode(data)


# --- honest tables with parts changed -------------------------------------------------------------

_CHANGED = [
    "list in place",
    "closure",
    "dataclass, new",
    "array new with views",
    "object array in place",
    "masked",
    "frame, new",
]
_CHANGED += [
    "categorical, new",
    "pivot and multi index",
    "enum, new",
    "dates, new",
    "named tuple, new",
    "tree",
    "generator",
]
_ODD: list[Any] = [
    None,
    True,
    -1,
    0,
    1,
    7,
    1 << 40,
    (1 << 63) - 1,
    1.5,
    float("nan"),
    "",
    "x",
    "__class__",
    "os",
    b"",
    b"abc",
    [],
    [[]],
    [0],
    [3],
]


def _change(said: dict[str, Any], dice: random.Random) -> None:
    """Change a part of a table, somewhere."""
    here: Any = said[dice.choice(["nodes", "nodes", "nodes", "states", "created"])]
    for _ in range(12):
        inner = [
            part
            for part in (here.values() if isinstance(here, dict) else here)
            if isinstance(part, list | dict) and part
        ]
        if not inner or dice.random() < 0.15:
            break
        here = dice.choice(inner)
    if not here:
        return
    key = dice.choice(list(here)) if isinstance(here, dict) else dice.randrange(len(here))
    what = dice.random()
    if what < 0.5:
        here[key] = copy.deepcopy(dice.choice([*_ODD, [dice.randrange(40)], dice.choice(list(KINDS))]))
    elif what < 0.7 and isinstance(here, list):
        del here[key]
    elif what < 0.85 and isinstance(here, list):
        here.insert(key, copy.deepcopy(dice.choice(here)))
    elif isinstance(here, list):
        dice.shuffle(here)


def _fuzz(program: Program, examples: int) -> int:
    """Commit so many changed tables of one program; how many there were."""
    shell = fresh_shell(program.setup)
    ran = run_in_sandbox(program.code, shell)
    honest, files = ran._content, ran._files
    assert honest is not None
    assert files is not None
    before, tried = state_of(shell)[0], 0  # hypothesis has random numbers of its own

    @settings(max_examples=examples, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 1 << 32))
    def attempt(seed: int) -> None:
        nonlocal tried
        tried += 1
        dice, said = random.Random(seed), copy.deepcopy(honest)
        for _ in range(dice.choice([1, 1, 2, 5])):
            _change(said, dice)
        try:
            undo = committing.commit(said, BufferReader(files), program.code, shell)
        except (CannotComeHome, Malformed):
            assert state_of(shell)[0] == before
            return
        for value in list(shell.user_ns.values()):  # whoever looks at it does not crash
            with contextlib.suppress(Exception):
                repr(value)
        undo.restore()

    attempt()
    return tried


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest) -> Iterator[Ahead]:
    acts: dict[str, Callable[[], Any]] = {}
    for name in selected(request, "forged"):
        acts[f"forged: {name}"] = functools.partial(_outcome, content(FORGED[name]))
    for name in selected(request, "loud"):
        acts[f"loud: {name}"] = functools.partial(_outcome, content(LOUD[name]))
    for name in selected(request, "changed"):
        program = next(program for program in PROGRAMS if program.name == name)
        acts[f"changed: {name}"] = functools.partial(_fuzz, program, 20)
    ahead = Ahead(acts, seconds=240)
    yield ahead
    ahead.close()


@pytest.mark.parametrize("changed", _CHANGED)
def test_changed_tables_neither_crash_nor_leave_half_a_change(changed: str, runs: Ahead) -> None:
    status, done = runs.result(f"changed: {changed}")
    assert status == "done", done
    assert done >= 10
