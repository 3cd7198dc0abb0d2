# ruff: noqa: E501 - programs are written as a notebook's users write them
"""Small programs over every kind of object that a notebook's names may hold: a name, then setup, code, and the cell
after it, between lines of two dots.
"""

from __future__ import annotations

from typing import NamedTuple


class Program(NamedTuple):
    name: str
    setup: str
    code: str
    then: str = ""  # a cell of the user's afterwards


def _read(text: str) -> list[Program]:
    """A block of two parts is two programs: its first part is tried as the setup, and as the code."""
    found = []
    for block in text.strip().split("\n---\n"):
        name, _, rest = block.partition("\n")
        parts = [part.strip("\n") for part in rest.split("\n..\n")]
        if name in _WHOLE:
            found.append(Program(name, "", *parts))
            continue
        if len(parts) == 1:
            found.append(Program(name, "", parts[0]))
        elif len(parts) == 2:
            found += [Program(name, *parts), Program(f"{name}, new", "", *parts)]
        else:
            found.append(Program(name, *parts))
    return found


_WHOLE = {"value of the cell"}
BUILTINS = _read("""
int
n = 5
---
big int
n = 2**200; m = -(3**150); k = 2**63; j = 2**64 - 1
---
floats
a = float("nan"); b = float("inf"); c = -0.0; d = 1e-320
---
text
s = "héllo \\U0001f600"; t = "\\ud800"; u = "x" * 100_000
---
bytes
b = b"\\x00\\xff"; c = bytes(200_000); d = bytearray(b"abc"); e = d
---
bools and none
t = True; n = None; e = ...; i = NotImplemented
---
complex
z = 1 + 2j
---
last value
1 + 1
---
value of the cell
2 + 2
..
_ + 1
---
rebound
x = [1]; y = x
..
x = 5
---
deleted
x = [1]; y = 2
..
del x
---
list in place
x = [1, [2]]; y = x[1]
..
x.append(3); y.append(4); x[0] = "a"
..
x[1].append(9)
---
list new and shared
a = []; b = [a, a]; c = {"a": a}
..
a.append(1)
---
list that holds itself
x = [1]; x.append(x)
---
dict that holds itself
d = {}; d["d"] = d
---
tuple with a list in it
x = [1]
..
t = (x, [x]); u = t
..
t[1].append(2)
---
nested dicts in place
d = {"a": {"b": [1]}}; inner = d["a"]["b"]
..
d["a"]["b"].append(2); d["c"] = inner; del d["a"]
---
dict order
d = {"a": 1, "b": 2}
..
d["a"] = d.pop("a")
---
dict keys of many kinds
import datetime, uuid, decimal
d = {1: 2, (1, "a"): 3, None: 4, 1.5: 5, datetime.date(2020, 1, 1): 6, frozenset({1}): 7, int: 8, b"x": 9}
---
dict key renamed
v = [1]; d = {"a": v}
..
d["b"] = d.pop("a")
---
set in place
s = {1, 2}; t = s
..
s.add(3); s.discard(1)
---
frozenset
f = frozenset({1, (2, 3)}); g = {f: 1}
---
deque
import collections
q = collections.deque([1, 2], maxlen=3)
..
q.append(3); q.append(4); r = collections.deque("abc")
..
q.append(5)
---
defaultdict
import collections
d = collections.defaultdict(list); d["x"].append(1)
..
d["y"].append(2); e = collections.defaultdict(int, a=1); e["b"] += 1
..
d["z"].append(3)
---
defaultdict with lambda
import collections
d = collections.defaultdict(lambda: [0])
d["a"].append(1)
..
d["b"]
---
counter
import collections
c = collections.Counter("hello"); c.update("world")
..
c.most_common(2)
---
ordered dict
import collections
o = collections.OrderedDict(a=1, b=2, c=3)
..
o.move_to_end("a"); p = collections.OrderedDict(z=1); p.note = [o]; o.note = 1
..
list(o)
---
chain map
import collections
a = {"x": 1}
..
m = collections.ChainMap(a, {"y": 2}); m["z"] = 3
---
named tuple
import collections
P = collections.namedtuple("P", "x y", defaults=[5]); p = P(1)
..
p._replace(x=3)
---
typing named tuple
from typing import NamedTuple
class P(NamedTuple):
    x: int
    y: int = 2
p = P(1)
..
p.y
---
datetime values
import datetime
a = datetime.datetime(2020, 1, 2, 3, 4, 5, 6); b = a.date(); c = a.time(); d = datetime.timedelta(days=1.5)
e = datetime.datetime.now(datetime.timezone.utc).replace(year=2020, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
f = datetime.timezone(datetime.timedelta(hours=2), "X"); g = a.replace(tzinfo=f)
---
zones
import datetime, zoneinfo
z = zoneinfo.ZoneInfo("Europe/Berlin"); a = datetime.datetime(2020, 6, 1, tzinfo=z)
..
a.utcoffset()
---
decimals and fractions
from decimal import Decimal; from fractions import Fraction
d = Decimal("1.10"); e = Decimal("NaN"); f = Fraction(1, 3)
---
uuid and path
import uuid, pathlib
u = uuid.UUID(int=5); p = pathlib.Path("/tmp/x"); q = pathlib.PurePosixPath("a/b")
..
p.name
---
ip addresses
import ipaddress
a = ipaddress.ip_address("10.0.0.1"); n = ipaddress.ip_network("10.0.0.0/8")
---
regular expressions
import re
p = re.compile(r"(\\d+)-(\\w)", re.I); m = p.search("ab 12-c"); q = re.compile(b"x")
..
m.group(1)
---
range and slice
r = range(0, 10, 3); s = slice(1, None)
---
iterators advanced
i = iter([1, 2, 3]); r = iter(range(4)); t = iter("abc"); z = zip(i, t)
..
next(i); next(t); next(z)
..
list(z), list(r)
---
views of a dict
d = {"a": 1}; k = d.keys()
..
d["b"] = 2; v = d.values(); w = {}.items()
..
d["c"] = 3; list(k), list(v)
---
weak containers
import weakref
class A: pass
a = A(); b = A(); v = weakref.WeakValueDictionary(a=a); s = weakref.WeakSet([a])
..
v["b"] = b; s.add(b); s.discard(a)
..
sorted(v), len(s), v["b"] is b
---
array module
import array
a = array.array("d", [1.0, 2.0]); b = a
..
a.append(3.0); c = array.array("i", [1])
---
bytearray in place
b = bytearray(b"abc"); c = b
..
b[0] = 90; b.extend(b"zz")
---
memory files
import io
f = io.StringIO("a"); f.read()
..
f.write("bc"); g = io.BytesIO(b"xyz"); g.read(1)
..
g.read()
---
closed file
import os
with open(os.devnull) as f:
    text = f.read()
---
random object
import random
r = random.Random(3); r.random()
..
r.random(); q = random.Random(4); x = q.random()
..
r.random(), q.random()
---
global random
import random
random.seed(1)
..
x = random.random()
..
random.random()
---
simple namespace
import types
n = types.SimpleNamespace(a=1, b=[2])
..
n.c = n; n.b.append(3); m = types.SimpleNamespace(n=n)
---
partial
import functools
p = functools.partial(int, base=2)
..
p("101")
---
exceptions
try:
    1 / 0
except ZeroDivisionError as e:
    kept = e
k = KeyError("a"); o = OSError(2, "no", "f")
..
str(o)
---
own exception
class Mine(Exception):
    def __init__(self, n): super().__init__(n); self.n = n
m = Mine(3)
..
m.n
---
mapping proxy
import types
p = types.MappingProxyType({"a": 1})
---
type aliases
a = list[int]; b = int | None; c = dict[str, list[int]]
---
builtin functions
f = len; g = [].append; h = str.upper; m = "abc".upper; t = int
..
m()
---
modules
import json, os.path as p, collections.abc
---
history
x = 3
..
x * 2
..
_ + 1
---
prints
print("a"); import sys; print("b", file=sys.stderr); print("c", end="")
---
displays
display({"a": 1}); from IPython.display import HTML, Markdown; display(HTML("<b>x</b>")); Markdown("*x*")
---
semicolon
5;
---
many small objects
rows = [{"i": i, "t": [i]} for i in range(3000)]
..
rows[7]["t"].append(1)
---
deep chain
x = None
for i in range(100): x = [x]
---
str subclass
class S(str): pass
s = S("ab"); s.x = [1]
..
s.upper()
---
int and list subclass
class I(int): pass
class L(list): pass
i = I(5); i.a = 1; l = L([1, 2]); l.b = l
..
i + 1
---
dict subclass
class D(dict):
    def __missing__(self, k): return k
d = D(a=1); d.x = 2
..
d["q"]
---
strings shared
s = "x" * 50
..
t = s; u = [s, s]
""")

CODE = _read("""
function
def f(a, b=[1], *, c={}):
    "doc"
    b.append(a); return b
..
f(2)
---
lambda
f = lambda x: x + 1
..
f(1)
---
closure
def make():
    n = [0]
    def inc():
        n[0] += 1; return n[0]
    def get(): return n
    return inc, get
a, g = make(); a()
..
a(), g()
---
nonlocal
def make():
    n = 0
    def inc():
        nonlocal n
        n += 1; return n
    return inc
a = make()
..
a(); b = make()
..
a(), b()
---
closure over old object
xs = [1]
..
def add(v, xs=xs): xs.append(v)
def keep():
    ys = xs
    return lambda: ys
k = keep()
..
add(3); k() is xs
---
recursion
def fact(n): return 1 if n < 2 else n * fact(n - 1)
def outer():
    def inner(n): return 0 if n == 0 else inner(n - 1)
    return inner
i = outer()
..
fact(5), i(3)
---
function with attributes and annotations
def f(x: int) -> "str": return x
f.calls = [1]
---
old function called and given attributes
def f(): f.n += 1
f.n = 0
..
f(); f.extra = [f]
---
old function changes a global
n = 0; log = []
def f():
    global n
    n += 1; log.append(n)
..
f(); f()
---
decorator
import functools
def deco(f):
    @functools.wraps(f)
    def w(*a):
        w.count += 1
        return f(*a)
    w.count = 0
    return w
@deco
def g(x): return x * 2
g(1)
..
g(4), g.count
---
lru cache
import functools
@functools.lru_cache(maxsize=8)
def f(x): return x * 2
f(1)
..
f(3)
---
generator function
def g():
    yield 1
    yield 2
..
list(g())
---
async function
async def f(): return 3
x = await f()
---
comprehension functions
fs = [lambda i=i: i for i in range(3)]
..
[f() for f in fs]
---
class
class A:
    n = 0
    items = []
    def __init__(self, x): self.x = x; A.n += 1
    def get(self): return self.x
    @property
    def double(self): return self.x * 2
    @staticmethod
    def s(): return 1
    @classmethod
    def c(cls): return cls
a = A(3)
..
a.double, A.c(), a.get(), A.n
---
class derived with super
class A:
    def f(self): return "a"
class B(A):
    def f(self): return super().f() + "b"
b = B()
..
b.f()
---
old class and new instances
class A:
    def __init__(self): self.y = []
a = A()
..
b = A(); a.y.append(b); b.back = a
..
b.back.y
---
instance in place
class A: pass
a = A(); a.x = 1; a.y = [1]
..
a.x = 2; del a.y; a.z = a
---
class attribute changed
class A:
    count = 0
    items = []
..
A.count = 3; A.items.append(1); A.f = lambda self: 7
..
A().f()
---
class changes an object
class A: pass
class B: pass
a = A()
..
a.__class__ = B
---
slots
class S:
    __slots__ = ("a", "b")
s = S(); s.a = [1]
..
s.a.append(2); t = S(); t.b = s
---
slots in place
class S:
    __slots__ = ("a", "b")
s = S(); s.a = 1
..
s.b = 2; del s.a
---
dataclass
from dataclasses import dataclass, field
@dataclass
class P:
    x: int
    y: list = field(default_factory=list)
    def total(self): return self.x
p = P(1); q = P(1, [2])
..
p == P(1), p.total(), repr(q)
---
frozen dataclass in dict
from dataclasses import dataclass
@dataclass(frozen=True, order=True)
class K:
    a: int
    b: str = "x"
k = K(1)
..
{k: 1}[K(1)], k < K(2)
---
derived dataclass
from dataclasses import dataclass
@dataclass
class A:
    x: int = 1
@dataclass
class B(A):
    y: int = 2
b = B()
..
b
---
old dataclass new instance
from dataclasses import dataclass
@dataclass
class A:
    x: int = 1
a = A()
..
a.x = 5; b = A(7)
---
enum
import enum
class C(enum.Enum):
    RED = 1
    BLUE = "b"
    def shout(self): return self.name + "!"
c = C.RED; d = {C.BLUE: 1}
..
c.shout(), C("b"), d[C.BLUE]
---
int enum and flags
import enum
class I(enum.IntEnum):
    A = 1
    B = 2
class F(enum.Flag):
    X = enum.auto()
    Y = enum.auto()
i = I.B; f = F.X | F.Y
..
i + 1, F.X in f
---
abstract class
import abc
class A(abc.ABC):
    @abc.abstractmethod
    def f(self): ...
class B(A):
    def f(self): return 1
b = B()
..
isinstance(b, A), b.f()
---
init subclass
regs = []
class A:
    def __init_subclass__(cls): regs.append(cls.__name__)
..
class B(A): pass
b = B()
..
regs, isinstance(b, A)
---
bound methods
class A:
    def f(self): return self
a = A()
..
m = a.f; n = A().f
..
m() is a
---
cached property
import functools
class A:
    @functools.cached_property
    def p(self): return [1]
a = A(); a.p
..
a.p.append(2)
---
keys hashed by their attributes
class P:
    def __init__(self, x, y): self.x, self.y = x, y
    def __eq__(self, o): print("compared"); return (self.x, self.y) == (o.x, o.y)
    def __hash__(self): return hash((self.x, self.y))
seen = {P(0, 1)}; d = {P(1, 2): "a", (P(3, 4), 5): "b"}
..
seen.add(P(7, 7)); d[P(8, 8)] = 1; e = {P(1, 1)}
..
d[P(8, 8)], P(1, 1) in e, P(7, 7) in seen, d[P(3, 4), 5]
---
object with equality that raises
class A:
    def __eq__(self, o): raise ValueError
    def __bool__(self): raise ValueError
    def __len__(self): raise ValueError
a = A(); xs = [a]
..
xs.append(a); b = A(); d = {"k": b}
---
object with getattr of its own
class A:
    def __getattr__(self, n): raise RuntimeError(n)
    def __getattribute__(self, n): return object.__getattribute__(self, n)
    def __setattr__(self, n, v): object.__setattr__(self, n, v)
a = A(); a.x = [1]
..
a.x.append(2)
---
object with reduce that raises
class A:
    def __reduce__(self): raise ValueError
    def __getstate__(self): raise ValueError
    def __setstate__(self, s): raise ValueError
a = A(); a.x = 1
---
operator and typing
import operator, typing
g = operator.itemgetter(1); T = typing.Optional[int]
..
g([1, 2])
---
global statement in class
total = 0
..
class C:
    def add(self, n):
        global total
        total += n
C().add(4)
---
namespace of exec
ns = {}; exec("x = 1", ns)
..
y = ns["x"] + 2; exec("x += 1", ns)
..
ns["x"], y, ns["__builtins__"]["len"]("ab")
---
exec of plain code
exec("q = 5")
---
object graph
class Node:
    def __init__(self, v): self.v = v; self.kids = []; self.up = None
root = Node(0)
..
for i in range(3):
    n = Node(i); n.up = root; root.kids.append(n)
..
root.kids[0].up is root
---
import alias in function
def f():
    import math
    return math.pi
x = f()
---
property setter
class A:
    @property
    def v(self): return self._v
    @v.setter
    def v(self, x): self._v = x
a = A(); a.v = 3
..
a.v = 4; a.v
""")

NUMPY = _read("""
array
a = np.arange(6).reshape(2, 3); b = a.T; c = a[0]
..
a[0, 0] = 9
..
b[0, 0]
---
array new view of old
a = np.arange(10)
..
v = a[2:5]; w = a[::-1]; a[3] = 100
..
v[0] = 7; a
---
array new with views
a = np.arange(12.0); b = a.reshape(3, 4); c = b[:, 1]; d = a.view("i8")
..
c[0] = 5; a
---
overlapping views
w = np.lib.stride_tricks.sliding_window_view(np.arange(6), 3)
---
large array
big = np.zeros(500_000)
..
big[5] = 1; big[400_000:400_010] = 2; other = np.ones(300_000)
..
other.sum(), big.sum()
---
large array in fortran order
m = np.asfortranarray(np.arange(200_000.0).reshape(400, 500))
..
m[3, 4] = -1; n = np.asfortranarray(np.ones((300, 400)))
---
dtypes
a = np.array([True]); b = np.array(["a", "bcd"]); c = np.array([b"x"]); d = np.array(["2020-01-01"], "M8[D]")
e = np.array([1, 2], "f2"); f = np.array([1 + 2j]); g = np.array([1], ">i4"); h = np.array([5], "m8[s]"); k = np.zeros(0)
---
object array
xs = [1]; a = np.empty(3, object); a[0] = xs; a[1] = a
---
object array in place
a = np.array([[1], "b", None], dtype=object); b = a[1:]
..
a[1] = {"x": 1}; a[0].append(2)
..
b[0]
---
structured
s = np.array([(1, "a", 2.5)], dtype=[("n", "i4"), ("t", "U3"), ("v", "f8", (2,))])
..
s["n"][0] = 7
---
structured in place
s = np.zeros(3, dtype=[("n", "i4"), ("v", "f8")]); f = s["v"]
..
s["v"] = 3; r = np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])
..
f[0], r.a
---
masked
m = np.ma.masked_array([1, 2, 3], [True, False, False])
..
m[1] = np.ma.masked; n = np.ma.masked_greater(np.arange(4), 2)
..
m.sum(), n.sum()
---
matrix and zero dimensions
m = np.matrix([[1, 2]]); z = np.array(5); e = np.zeros((0, 3))
---
scalars
a = np.float32(1.5); b = np.int64(3); c = np.datetime64("2020-01-01"); d = np.bool_(True); e = np.str_("x"); f = np.float64("nan")
---
scalar shown
np.arange(3).sum()
---
read only
a = np.arange(3); a.flags.writeable = False; b = np.broadcast_to(np.arange(2), (3, 2))
---
reshape in place
a = np.arange(6); b = a
..
a.shape = (2, 3)
---
generator
rng = np.random.default_rng(1); rng.random()
..
x = rng.random(3); other = np.random.default_rng(2); y = other.normal()
..
rng.random(), other.random()
---
random state
r = np.random.RandomState(1); r.randn()
..
x = r.randn(3); s = np.random.RandomState(5); s.randn()
..
r.randn(), s.randn()
---
global numpy random
np.random.seed(3)
..
x = np.random.rand(2)
..
np.random.rand()
---
dtype objects
d = np.dtype("f8"); e = np.dtype([("a", "i4")]); t = np.float64; u = np.add
---
array in many places
a = np.zeros(3)
..
d = {"x": a, "y": [a]}; b = a; a += 1
..
d["y"][0] is a
---
print options
np.set_printoptions(precision=2)
..
np.array([1.23456])
---
ndarray subclass
class A(np.ndarray): pass
a = np.arange(3).view(A); a.tag = [1]
..
a.tag
---
scipy sparse
import scipy.sparse as sp
m = sp.csr_matrix(np.eye(3)); n = m.tocoo()
..
(m + m).toarray()
---
scipy results
from scipy import stats
r = stats.ttest_ind([1, 2, 3, 4], [2, 3, 4, 6]); r.pvalue
""")

PANDAS = _read("""
frame
df = pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": [1.5, None]}); df
..
df["d"] = df.a * 2; df
---
frame column added
df = pd.DataFrame({"a": [1, 2], "b": [3.0, 4.0]}); other = df
..
df["c"] = df.a + df.b; df["s"] = "t"
..
other.sum(numeric_only=True)
---
frame value set
df = pd.DataFrame({"a": [1, 2], "b": [3.0, 4.0]}); s = df["a"]; v = df[:1]
..
df.loc[0, "a"] = 50; df.iloc[1, 1] = 7
..
s.iloc[0] = 3; df, s, v
---
frame in place methods
df = pd.DataFrame({"a": [2, 1, None], "b": [3, 4, 5]})
..
df.dropna(inplace=True); df.sort_values("a", inplace=True); df.rename(columns={"b": "z"}, inplace=True); df.drop(columns="z", inplace=True)
---
frame insert and pop
df = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
..
df.insert(1, "n", [9, 8]); p = df.pop("b")
---
frame columns renamed
df = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
..
df.columns = ["x", "y"]; df.index.name = "i"
---
frame index set
df = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
..
df.set_index("a", inplace=True); df.reset_index(inplace=True)
---
copy on write
df = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
..
v = df[["a"]]; w = v.copy(deep=False); s = df["b"]
..
w.iloc[0, 0] = 99; df.iloc[1, 1] = 5; df, v, s
---
copy on write of new frames
df = pd.DataFrame(np.arange(6.0).reshape(3, 2), columns=["a", "b"]); v = df.iloc[:2]; s = df["a"]
..
s.iloc[0] = 9; v.iloc[1, 1] = 7; df
---
series
s = pd.Series([1, 2, 3], index=list("abc"), name="n"); t = s.cumsum(); s.mean()
..
t["b"]
---
series in place
s = pd.Series([1.0, 2.0]); t = s
..
s[0] = 5; s.index = ["x", "y"]; s.name = "q"
---
group by result
df = pd.DataFrame({"k": list("aab"), "v": [1, 2, 3]})
..
g = df.groupby("k")["v"].agg(["mean", "sum"]); g
---
pivot and multi index
df = pd.DataFrame({"k": list("aab"), "l": list("xyx"), "v": [1, 2, 3]})
..
m = df.set_index(["k", "l"]); p = df.pivot_table(index="k", columns="l", values="v"); u = m.unstack()
..
m.loc["a"]
---
merge and concat
a = pd.DataFrame({"k": [1, 2], "x": [3, 4]}); b = pd.DataFrame({"k": [2, 3], "y": [5, 6]})
..
c = a.merge(b, how="outer"); d = pd.concat([a, a], ignore_index=True)
---
categorical
c = pd.Categorical(["a", "b", "a"], categories=["b", "a"], ordered=True); s = pd.Series(c); df = pd.DataFrame({"c": s})
..
s.cat.codes.tolist(), df.c.max()
---
categorical in place
s = pd.Series(pd.Categorical(["a", "b", "a"]))
..
s.iloc[1] = "a"; s = s.cat.add_categories("z")
---
dates
d = pd.date_range("2020-01-01", periods=3, freq="D"); s = pd.Series(range(3), index=d); z = d.tz_localize("Europe/Berlin")
df = pd.DataFrame({"t": d, "u": z}); r = s.resample("2D").sum()
..
df.t.dt.day.tolist(), z[0]
---
timestamps
a = pd.Timestamp("2020-01-01 10:00"); b = pd.Timestamp("2020-01-01", tz="UTC"); c = pd.Timedelta("1 day 2h"); n = pd.NaT; m = pd.NA
..
b.tz_convert("Asia/Tokyo")
---
periods and intervals
p = pd.Period("2020-01", "M"); r = pd.period_range("2020-01", periods=3, freq="Q"); i = pd.Interval(0, 1); x = pd.interval_range(0, 3)
c = pd.cut(pd.Series([1, 5, 9]), 3)
..
c.value_counts()
---
timedeltas
t = pd.to_timedelta([1, 2], "h"); s = pd.Series(t)
---
nullable
s = pd.Series([1, None], dtype="Int64"); b = pd.Series([True, None], dtype="boolean"); t = pd.Series(["a", None], dtype="string"); f = pd.array([1.5, None])
..
s.sum(), t.str.upper()
---
nullable in place
s = pd.Series([1, None], dtype="Int64"); t = pd.Series(["a", None], dtype="string")
..
s[1] = 5; t[0] = "zz"
---
pictures
from PIL import Image
im = Image.new("RGB", (2, 2)); im.info["a"] = 1; same = im
..
im.putpixel((0, 0), (9, 9, 9)); other = im.convert("L")
..
same.getpixel((0, 0)), other.getpixel((0, 0)), im.info
---
xml
import xml.etree.ElementTree as ET
root = ET.fromstring("<a x='1'><b>t</b></a>"); b = root[0]
..
b.text = "u"; b.set("y", "2"); c = ET.SubElement(root, "c"); root.attrib.pop("x")
..
ET.tostring(root), c is root[1]
---
sparse
s = pd.Series(pd.arrays.SparseArray([0, 0, 1])); df = pd.DataFrame({"s": s})
..
s.sparse.density
---
object column
df = pd.DataFrame({"o": [[1], {"a": 1}, None]}); x = df.o[0]
..
x.append(2); df
---
offsets
o = pd.offsets.MonthEnd(2); d = pd.offsets.Day(3); b = pd.offsets.BusinessDay(); w = pd.offsets.Week(weekday=2)
..
pd.Timestamp("2020-01-15") + o
---
indexes
a = pd.Index([1, 2], name="n"); b = pd.RangeIndex(5); c = pd.MultiIndex.from_product([[1, 2], list("ab")], names=["x", "y"]); d = pd.Index(["p", "q"]); e = pd.CategoricalIndex(["a", "b"])
..
c.get_level_values("y"), a.get_loc(2), d.get_indexer(["q"])
---
index name in place
i = pd.Index([1, 2]); df = pd.DataFrame({"a": [3, 4]}, index=i)
..
i.name = "k"
---
attrs and flags
df = pd.DataFrame({"a": [1]})
..
df.attrs["source"] = [1]; df.flags.allows_duplicate_labels = False
---
dtypes as objects
a = pd.CategoricalDtype(["x"]); b = pd.Int64Dtype(); c = pd.DatetimeTZDtype(tz="UTC"); d = pd.StringDtype(); e = pd.PeriodDtype("D"); f = pd.IntervalDtype("int64")
---
describe and corr
df = pd.DataFrame(np.arange(12.0).reshape(4, 3) ** 2, columns=list("abc"))
..
d = df.describe(); c = df.corr(); q = df.quantile([0.1, 0.9]); df.head(2)
---
astype in place
df = pd.DataFrame({"a": ["1", "2"], "b": [1, 2]})
..
df["a"] = df["a"].astype(int); df["b"] = df["b"].astype("category")
---
frame rebound
df = pd.DataFrame({"a": [1, 2, 3]})
..
df = df[df.a > 1]; df
---
apply with function
df = pd.DataFrame({"a": [1, 2, 3]})
..
def f(x): return x * 2
df["b"] = df.a.apply(f)
---
options
pd.set_option("display.max_rows", 7)
..
pd.get_option("display.max_rows")
---
options used
df = pd.DataFrame({"a": [1.23456]})
..
pd.options.display.precision = 2; df
---
frame in a container
df = pd.DataFrame({"a": [1]})
..
d = {"x": df, "y": [df, df.copy()]}; df["b"] = 2
..
d["x"] is df
---
duplicate columns
df = pd.DataFrame([[1, 2]], columns=["a", "a"])
..
df["b"] = 1
---
large frame
df = pd.DataFrame({"a": np.arange(200_000), "b": np.arange(200_000.0), "c": 1})
..
df["d"] = df.a * 2; df.loc[5, "b"] = -1
..
df.sum()
---
styler
df = pd.DataFrame({"a": [1, 2]})
..
st = df.style.set_uuid("u").format("{:.1f}").highlight_max()
..
"background" in st.to_html()
---
frame subclass
class F(pd.DataFrame):
    @property
    def _constructor(self): return F
f = F({"a": [1]})
..
type(f.head())
---
string methods
s = pd.Series(["a b", "c"]); t = s.str.split(expand=True); u = s.str.len()
---
rolling and shift
s = pd.Series(range(5)); r = s.rolling(2).mean(); h = s.shift(1); e = s.ewm(span=2).mean()
---
value counts
v = pd.Series(list("aab")).value_counts(); v
---
to dict and lists
df = pd.DataFrame({"a": [1, 2]}); d = df.to_dict("records"); l = df.a.tolist(); a = df.to_numpy(); n = df.values
""")

LIBRARIES = _read("""
environment
import os
os.environ["EFFECTS_TEST"] = "1"; os.environ.pop("HOME", None)
..
"HOME" in os.environ, os.environ["EFFECTS_TEST"]
---
decimal context
import decimal
decimal.getcontext().prec = 5
..
decimal.Decimal(1) / 3
---
objects of a library's own
import dataclasses
..
m = dataclasses.MISSING; n = np.ma.masked; o = [np._NoValue]
..
m is dataclasses.MISSING, n is np.ma.masked, o[0] is np._NoValue
---
working directory
import os
os.chdir("/")
..
os.getcwd()
---
search path
import sys
sys.path.append("/nowhere")
..
sys.path[-1]
---
warning filters
import warnings
warnings.simplefilter("ignore"); warnings.filterwarnings("error", message="x.*", category=UserWarning)
..
len(warnings.filters)
---
warnings shown
import warnings
warnings.warn("careful")
---
numpy errors
np.seterr(divide="ignore")
..
np.geterr()
---
linear regression
from sklearn.linear_model import LinearRegression
X = np.arange(10.0).reshape(5, 2) ** 2; y = X[:, 0]
..
m = LinearRegression().fit(X, y); p = m.predict(X); m
..
m.predict(X[:1])
---
old estimator fitted
from sklearn.linear_model import Ridge
X = np.arange(10.0).reshape(5, 2) ** 2; y = X[:, 0]; m = Ridge()
..
m.fit(X, y)
..
m.coef_
---
pipeline
from sklearn.pipeline import make_pipeline; from sklearn.preprocessing import StandardScaler; from sklearn.linear_model import LogisticRegression
X = np.arange(20.0).reshape(10, 2); y = (X[:, 0] > 8) * 1
..
m = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y); s = m.score(X, y)
..
m.predict(X[:2])
---
tree
from sklearn.tree import DecisionTreeClassifier
X = np.arange(20.0).reshape(10, 2); y = (X[:, 0] > 8) * 1
..
t = DecisionTreeClassifier(random_state=0).fit(X, y)
..
t.predict(X), t.get_depth()
---
forest
from sklearn.ensemble import RandomForestClassifier
X = np.arange(20.0).reshape(10, 2); y = (X[:, 0] > 8) * 1
..
f = RandomForestClassifier(n_estimators=3, random_state=0).fit(X, y)
..
f.predict(X)
---
gradient boosting
from sklearn.ensemble import GradientBoostingRegressor
X = np.arange(20.0).reshape(10, 2); y = X[:, 0]
..
g = GradientBoostingRegressor(n_estimators=3, random_state=0).fit(X, y)
..
g.predict(X)
---
train test split
from sklearn.model_selection import train_test_split
df = pd.DataFrame({"a": range(10), "b": range(10)})
..
a, b = train_test_split(df, test_size=0.3, random_state=1)
---
k means and pca
from sklearn.cluster import KMeans; from sklearn.decomposition import PCA
X = np.arange(20.0).reshape(10, 2) ** 2
..
p = PCA(1).fit(X); z = p.transform(X)
..
p.inverse_transform(z)[0]
---
neighbours
from sklearn.neighbors import KNeighborsClassifier
X = np.arange(20.0).reshape(10, 2); y = (X[:, 0] > 8) * 1
..
k = KNeighborsClassifier(2).fit(X, y)
..
k.predict(X)
---
figure
import matplotlib.pyplot as plt
..
fig, ax = plt.subplots(); l, = ax.plot([1, 2, 3]); ax.set_title("t"); plt.close(fig)
..
ax.get_title(), l.get_ydata().tolist(), ax.figure is fig, l.axes is ax, fig.canvas.draw() is None
---
figure open
import matplotlib.pyplot as plt
..
plt.figure(7); plt.plot([1, 2])
..
plt.get_fignums(), len(plt.gca().lines)
---
axes in place
import matplotlib.pyplot as plt
fig, ax = plt.subplots(); plt.close(fig)
..
ax.bar(["a", "b"], [1, 2]); ax.set_xlabel("x")
..
len(ax.patches), ax.get_xlabel(), fig.canvas.draw() is None
---
subplots shared
import matplotlib.pyplot as plt
..
fig, axs = plt.subplots(2, 2, sharex=True); axs[0, 0].hist([1, 2, 2]); fig.suptitle("s"); plt.close("all")
..
axs[1, 0].set_xlim(0, 9); axs[0, 0].get_xlim(), len(fig.axes)
---
pandas plot
import matplotlib.pyplot as plt
df = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
..
ax = df.plot(); plt.close("all")
..
len(ax.lines), ax.get_legend() is not None
---
rc params
import matplotlib as mpl
mpl.rcParams["figure.dpi"] = 50; mpl.rcParams["lines.linewidth"] = 3
..
mpl.rcParams["figure.dpi"]
---
plotly
import plotly.graph_objects as go
..
f = go.Figure(go.Bar(x=[1, 2], y=[3, 4])); f.update_layout(title="t")
..
f.layout.title.text, len(f.data), len(f.to_json()) > 100
---
logger
import logging
log = logging.getLogger("mine")
..
log is logging.getLogger("mine")
---
tqdm
from tqdm.auto import tqdm
x = [i for i in tqdm(range(3), disable=True)]
---
json and text
import json, textwrap, string
d = json.loads('{"a": [1, {"b": null}]}'); t = string.Template("$x")
..
t.substitute(x=1)
---
itertools consumed
import itertools
p = list(itertools.product([1, 2], "ab")); z = list(zip([1], [2]))
---
cross entropy of everything
df = pd.DataFrame({"g": list("aabb"), "v": [1, 2, 3, 4]}); cache = {}; log = []
..
def mean_of(g):
    if g not in cache:
        cache[g] = df[df.g == g].v.mean(); log.append(g)
    return cache[g]
out = {g: mean_of(g) for g in df.g.unique()}; df["m"] = df.g.map(out); out
..
mean_of("a"), log
""")

# PyTorch is an optional extra.
TORCH = _read("""
tensors
import torch
a = torch.arange(6.).reshape(2, 3); b = a.T; c = a[0]
..
a[0, 0] = 9; d = a[1, 1:]; e = d
..
d[0] = 7; a
---
tensors of every dtype
import torch
ts = [torch.tensor([0, 1, 1]).to(d) for d in (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16, torch.bfloat16, torch.float64, torch.complex64)]
e = torch.zeros(0, 3); s = torch.tensor(5); n = torch.arange(4).float().flip(0)[::2].expand(2, 2)
---
large tensor
import torch
big = torch.zeros(300_000)
..
big[7] = 1; other = torch.ones(300_000); part = big[100:200]
..
big.sum(), other.sum(), part.sum()
---
tensor that needs gradients
import torch
w = torch.ones(3, requires_grad=True); x = torch.arange(3.)
..
(w * x).sum().backward(); w.data -= w.grad; v = torch.ones(2, requires_grad=True); v.sum().backward()
..
w.grad.zero_(); w, v.grad
---
gradient held by a name
import torch
w = torch.ones(2, requires_grad=True); w.sum().backward(); g = w.grad
..
g += 1; w.grad
..
w.grad is g
---
tensor given other data
import torch
w = torch.nn.Parameter(torch.ones(2)); q = torch.zeros(2)
..
w.data = q; w.tag = [1]
..
q[0] = 5; w
---
tensor and array
import torch
a = np.arange(3.); t = torch.ones(4)
..
u = torch.from_numpy(a); n = t.numpy(); m = (t * 2).numpy(); k = torch.from_numpy(np.arange(2))
..
a[0] = 9; n[1] = 7; u, t, m, k
---
module
import torch
m = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 1))
..
m.eval(); m[0].weight.requires_grad_(False); n = m[0]
..
m(torch.ones(1, 2)), n is m[0]
---
own module
import torch
class Net(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.layer = torch.nn.Linear(2, size); self.scale = torch.nn.Parameter(torch.ones(1)); self.register_buffer("seen", torch.zeros(1))
    def forward(self, x):
        self.seen += 1
        return torch.relu(self.layer(x)) * self.scale
torch.manual_seed(0); net = Net(4); y = net(torch.ones(3, 2)).detach()
..
net.layer.weight.data.zero_(); net.train(False); z = net(torch.ones(1, 2)).tolist()
..
net(torch.ones(1, 2)).shape, net.seen, [n for n, _ in net.named_parameters()]
---
training
import torch
torch.manual_seed(1)
X = torch.randn(20, 3); Y = X.sum(1, keepdim=True); model = torch.nn.Linear(3, 1); opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
..
losses = []
for epoch in range(3):
    opt.zero_grad(); loss = torch.nn.functional.mse_loss(model(X), Y); loss.backward(); opt.step(); losses.append(loss.item())
del loss
..
opt.zero_grad(); l2 = ((model(X) - Y) ** 2).mean(); l2.backward(); opt.step(); model.weight, l2.item(), opt.param_groups[0]["params"][0] is model.weight
---
training with adam and data loader
import torch
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(2); data = TensorDataset(torch.randn(12, 2), torch.randint(0, 2, (12,)))
..
loader = DataLoader(data, batch_size=4, shuffle=True); net = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
crit = torch.nn.CrossEntropyLoss(); opt = torch.optim.Adam(net.parameters(), lr=0.01); sched = torch.optim.lr_scheduler.StepLR(opt, 1)
for xb, yb in loader:
    opt.zero_grad(); loss = crit(net(xb), yb).item(); crit(net(xb), yb).backward(); opt.step()
sched.step(); acc = (net(data.tensors[0]).argmax(1) == data.tensors[1]).float().mean().item()
..
for xb, yb in loader:
    opt.zero_grad(); crit(net(xb), yb).backward(); opt.step()
sched.step(); net[0].weight, len(opt.state), sched.get_last_lr()
---
state dict and copies
import torch, copy, io
m = torch.nn.Linear(2, 2)
..
best = copy.deepcopy(m.state_dict()); twin = copy.deepcopy(m); m.weight.data += 1; shared = m.state_dict()
..
m.load_state_dict(best); [torch.equal(a, b) for a, b in zip(m.parameters(), twin.parameters())], shared["weight"]
---
random numbers of torch
import torch
torch.manual_seed(3); g = torch.Generator(); g = g.manual_seed(5)
..
x = torch.rand(2); y = torch.rand(2, generator=g); h = torch.Generator().manual_seed(7)
..
torch.rand(1), torch.rand(1, generator=g), torch.rand(1, generator=h)
---
names and shapes of torch
import torch
d = torch.float32; v = torch.device("cpu"); s = torch.ones(2, 3).shape; f = torch.nn.functional.relu; l = torch.strided
---
settings of torch
import torch
torch.set_default_dtype(torch.float64); x = torch.ones(1)
..
torch.ones(1).dtype
---
recurrent network
import torch
torch.manual_seed(0); net = torch.nn.LSTM(2, 3, batch_first=True); emb = torch.nn.Embedding(5, 2)
..
out, (h, c) = net(emb(torch.tensor([[1, 2]]))); out = out.detach(); h = h.detach(); c = c.detach()
..
net(emb(torch.tensor([[3]])))[0].shape, out.shape
""")

SETTINGS = _read("""
decimal context of every sort
import decimal
..
decimal.getcontext().traps[decimal.Inexact] = True; decimal.getcontext().Emax = 99; decimal.getcontext().capitals = 0
..
decimal.getcontext().Emax, decimal.Decimal("1E+50"), decimal.getcontext().traps[decimal.Inexact]
---
levels of loggers
import logging; old = logging.getLogger("old"); old.setLevel(10); logging.getLogger("mine")
..
logging.getLogger("old").setLevel(logging.NOTSET); logging.getLogger("mine").setLevel(5)
..
[logging.getLogger(name).level for name in ("old", "mine")]
---
variables of the environment
import os; os.environ["LLMOS_TEST_A"] = "x"
..
del os.environ["LLMOS_TEST_A"]; os.environ["LLMOS_TEST_B"] = "y"; os.environ["OMP_NUM_THREADS"] = "3"
..
[os.environ.get(name) for name in ("LLMOS_TEST_A", "LLMOS_TEST_B", "OMP_NUM_THREADS")]
---
options of scikit-learn
import sklearn
..
sklearn.set_config(transform_output="pandas", display="text")
..
sklearn.get_config()
---
style of figures
import matplotlib.pyplot as plt
..
plt.style.use("ggplot")
..
plt.rcParams["axes.prop_cycle"].by_key(), plt.rcParams["axes.facecolor"]
---
format of numbers
x = 1
..
pd.options.display.float_format = "{:.2f}".format; np.set_printoptions(formatter={"float": "{:.1f}".format})
..
pd.Series([1.234]), np.array([1.25])
---
template of plotly
import plotly.io as pio, plotly.tools; pio.templates["plotly_dark"]
..
pio.templates.default = "plotly_dark"
..
pio.templates.default
---
options of polars
import polars as pl
..
pl.Config.set_float_precision(2); x = 1
..
pl.DataFrame({"a": [1.23456]})
---
window that slides
a = np.arange(6)
..
w = np.lib.stride_tricks.sliding_window_view(a, 3); b = np.broadcast_to(a, (2, 6))
..
a[0] = 9; w[0].tolist(), b[1].tolist()
---
mapping of one's own
x = 1
..
from collections.abc import MutableMapping
class D(MutableMapping):
    def __init__(self): self.d = {}
    def __getitem__(self, k): return self.d[k]
    def __setitem__(self, k, v): self.d[k] = v
    def __delitem__(self, k): del self.d[k]
    def __iter__(self): return iter(self.d)
    def __len__(self): return len(self.d)
d = D(); d["a"] = 1
..
dict(d), len(d), D.__abstractmethods__
---
output captured
x = 1
..
%%capture cap
print("a"); y = 5
..
cap.stdout, y
---
warnings caught
import warnings
..
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always"); warnings.warn("old", DeprecationWarning)
..
len(caught), str(caught[0].message), caught[0].category
---
second axes on an old figure
import matplotlib.pyplot as plt
fig, ax = plt.subplots(); line, = ax.plot([1, 2, 3])
..
ax2 = ax.twinx(); plt.sca(ax); n = 1
..
plt.gca() is ax, len(fig.axes)
---
cache that is asked
import functools
@functools.lru_cache(None)
def f(n): return n
f(1)
..
x = f(1) + f(2)
..
f(3)
""")

PROGRAMS = [*SETTINGS, *BUILTINS, *CODE, *NUMPY, *PANDAS, *LIBRARIES]
