# ruff: noqa: E501 - programs are written as a notebook's users write them
"""Sixty programs as students and analysts ask for them: a name, then the code of the answer, and the cell after it."""

from __future__ import annotations

from tests.effects.programs import Program


def _read(text: str) -> list[Program]:
    found = []
    for block in text.strip().split("\n---\n"):
        name, _, rest = block.partition("\n")
        code, _, then = rest.partition("\n..\n")
        found.append(Program(name, "", code.strip("\n"), then.strip("\n")))
    return found


EVERYDAY = _read("""
keys and values kept
stock = {"apple": 3, "pear": 5}; names = stock.keys(); counts = stock.values(); pairs = stock.items()
..
stock["fig"] = 1; sorted(names), sum(counts), len(pairs)
---
iterator over a list
numbers = [3, 1, 2]; it = iter(numbers); first = next(it)
..
numbers.append(7); list(it)
---
lines one by one
lines = iter("a b c".split()); head = next(lines); r = iter(range(5)); next(r); t = iter((1, 2)); s = iter("xyz"); next(s); b = reversed([1, 2, 3]); next(b)
..
list(lines), list(r), list(t), list(s), list(b)
---
zip map filter enumerate
z = zip([1, 2, 3], "abc"); next(z); m = map(str.upper, ["x", "y"]); f = filter(None, [0, 1, 2]); e = enumerate(["p", "q"], 1); next(e)
..
list(z), list(m), list(f), list(e)
---
map with a lambda
squares = map(lambda n: n * n, range(4))
..
list(squares)
---
combinations
import itertools
pairs = itertools.combinations("abc", 2); orders = itertools.permutations([1, 2, 3]); next(orders); grid = itertools.product([0, 1], repeat=2)
..
list(pairs), len(list(orders)), list(grid)
---
chain cycle repeat
import itertools
c = itertools.cycle(["red", "blue"]); next(c); ch = itertools.chain([1], (2, 3)); next(ch); rp = itertools.repeat("x", 2); n = itertools.count(10, 5); sl = itertools.islice([1, 2, 3, 4], 1, 3); st = itertools.starmap(pow, [(2, 3)]); ac = itertools.accumulate([1, 2, 3])
..
next(c), next(c), list(ch), list(rp), next(n), list(sl), list(st), list(ac)
---
slotted dataclass
from dataclasses import dataclass, field
@dataclass(slots=True)
class Point:
    x: float
    y: float = 0.0
    tags: list = field(default_factory=list)
    def norm(self): return (self.x ** 2 + self.y ** 2) ** 0.5
p = Point(3, 4)
..
p.norm(), p == Point(3, 4), repr(p), hasattr(p, "__dict__"), Point(1).tags
---
frozen slotted dataclass
from dataclasses import dataclass
@dataclass(frozen=True, slots=True, order=True)
class Card:
    rank: int
    suit: str = "hearts"
hand = sorted([Card(3), Card(1, "clubs")])
..
{Card(3): 1}[hand[1]], max(hand)
---
generic stack
from typing import Generic, TypeVar
T = TypeVar("T")
class Stack(Generic[T]):
    def __init__(self) -> None: self.items: list[T] = []
    def push(self, item: T) -> None: self.items.append(item)
    def pop(self) -> T: return self.items.pop()
s = Stack[int](); s.push(1); s.push(2)
..
s.pop(), Stack.__parameters__, isinstance(s, Stack), Stack[str]
---
derived generic
from typing import Generic, TypeVar
K = TypeVar("K"); V = TypeVar("V", int, float)
class Pair(Generic[K, V]):
    def __init__(self, k: K, v: V): self.k, self.v = k, v
class Named(Pair[str, V]): pass
n = Named("a", 1)
..
n.k, Named.__parameters__, Named[int]
---
protocol
from typing import Protocol, runtime_checkable
@runtime_checkable
class Shape(Protocol):
    def area(self) -> float: ...
class Square:
    def __init__(self, a): self.a = a
    def area(self): return self.a ** 2
class Circle(Shape):
    def area(self): return 3
sq = Square(2); ok = isinstance(sq, Shape)
..
isinstance(sq, Shape), isinstance(3, Shape), Circle().area()
---
named tuple with methods
from typing import NamedTuple
class Vec(NamedTuple):
    \"\"\"A vector.\"\"\"
    x: float
    y: float = 1.0
    def dot(self, o: "Vec") -> float: return self.x * o.x + self.y * o.y
    @property
    def size(self): return self.dot(self) ** 0.5
    def __str__(self): return f"<{self.x}, {self.y}>"
v = Vec(3.0, 4.0)
..
v.dot(v), v.size, str(v), Vec.__doc__, Vec(2.0)
---
derived from a named tuple
from collections import namedtuple
class P(namedtuple("P", "x y")):
    __slots__ = ()
    def add(self, o): return P(self.x + o.x, self.y + o.y)
p = P(1, 2)
..
p.add(p)
---
typed dict
from typing import TypedDict
class Movie(TypedDict, total=False):
    title: str
    year: int
m: Movie = {"title": "x", "year": 1999}
..
Movie(title="y"), Movie.__annotations__, Movie.__total__
---
linked list and tree
class Node:
    __slots__ = ("value", "next")
    def __init__(self, value, next=None): self.value, self.next = value, next
    def __iter__(self):
        n = self
        while n: yield n.value; n = n.next
head = Node(1, Node(2, Node(3)))
..
list(head)
---
weak cache
import weakref
class Big: pass
keep = [Big(), Big()]
cache = weakref.WeakValueDictionary(a=keep[0]); seen = weakref.WeakKeyDictionary({keep[1]: 5}); group = weakref.WeakSet(keep); r = weakref.ref(keep[0])
..
cache["a"] is keep[0], seen[keep[1]], len(group), r() is keep[0], (keep.clear(), len(cache), r())[1:]
---
observer with weak references
import weakref
class Subject:
    def __init__(self): self.watchers = weakref.WeakSet()
    def tell(self): return sorted(w.name for w in self.watchers)
class Watcher:
    def __init__(self, name): self.name = name
subject = Subject(); w = Watcher("w"); subject.watchers.add(w)
..
subject.tell()
---
queues
import queue, heapq
q = queue.Queue(); q.put(1); q.put(2); pq = queue.PriorityQueue(); pq.put((2, "b")); pq.put((1, "a")); h = [3, 1]; heapq.heapify(h)
..
q.get(), pq.get(), q.qsize()
---
getters and partials
import functools, operator
by_age = operator.itemgetter("age"); name = operator.attrgetter("real"); up = operator.methodcaller("replace", "a", "b"); sp = operator.methodcaller("split", sep=","); add5 = functools.partial(operator.add, 5)
..
by_age({"age": 3}), name(3), up("aa"), sp("a,b"), add5(2)
---
single dispatch
import functools
@functools.singledispatch
def show(x): return "any"
@show.register
def _(x: int): return "int"
r = show(3)
..
show(3), show("a"), show.registry.keys() == {object, int}
---
memoised fibonacci
import functools
@functools.cache
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
x = fib(50)
..
fib(60)
---
total ordering
import functools
@functools.total_ordering
class V:
    def __init__(self, n): self.n = n
    def __eq__(self, o): return self.n == o.n
    def __lt__(self, o): return self.n < o.n
a, b = V(1), V(2)
..
a >= b, max(a, b).n
---
context manager of one's own
from contextlib import contextmanager
log = []
@contextmanager
def timed(label):
    log.append(label)
    yield label
    log.append("done")
with timed("a") as t: pass
..
with timed("b"): pass
log
---
text matches
import re
ms = list(re.finditer(r"(?<=a)(b+)", "abb ab")); w = re.search(r"\\bcat\\b", "a cat"); bm = re.match(b"x(y)", b"xy")
..
[m.span() for m in ms], w.group(), bm.group(1)
---
times
import time, datetime, calendar
st = time.strptime("2020-01-02", "%Y-%m-%d"); d = datetime.date(2020, 1, 2); iso = d.isocalendar(); cal = calendar.Calendar(); tz = datetime.timezone.utc
..
st.tm_year, iso.week, list(cal.iterweekdays())
---
xml
import xml.etree.ElementTree as ET
root = ET.fromstring("<a x='1'><b>t</b><b/>tail</a>"); bs = root.findall("b")
..
root[0].text, root.get("x"), bs[0] is root[0], ET.tostring(root)
---
binary layouts
import struct
s = struct.Struct("<Ih"); data = s.pack(7, 2)
..
s.unpack(data)
---
configuration
import configparser, argparse
c = configparser.ConfigParser(); c.read_string("[a]\\nx = 1"); ns = argparse.Namespace(a=1)
..
c["a"].getint("x"), ns
---
user containers
import collections
class Bag(collections.UserDict):
    def __missing__(self, k): return 0
u = Bag(a=1); l = collections.UserList([1, 2]); s = collections.UserString("x")
..
u["q"], l + [3], s + "y"
---
pictures
from PIL import Image
im = Image.new("RGB", (4, 3), (255, 0, 0)); im.putpixel((1, 1), (0, 255, 0)); g = im.convert("L"); a = Image.fromarray(np.zeros((2, 2), "uint8"))
..
im.getpixel((1, 1)), g.size, np.asarray(a).sum(), im.resize((2, 2)).size
---
symbols
import sympy
x, y = sympy.symbols("x y"); expr = (x + 1) ** 2 / y; d = sympy.diff(expr, x); sol = sympy.solve(x ** 2 - 2, x); half = sympy.Rational(1, 2); m = sympy.Matrix([[1, 2], [3, 4]])
..
sympy.expand(expr), d.subs(x, 1), sol, half + 1, m.det(), expr.args[1].is_number, sympy.S.One is sympy.Integer(1)
---
graph
import networkx as nx
g = nx.Graph(); g.add_edge("a", "b", weight=2); g.add_edge("b", "c", weight=1); path = nx.shortest_path(g, "a", "c")
..
g.degree("b"), nx.shortest_path_length(g, "a", "c", weight="weight")
---
frozen distribution
from scipy import stats
norm = stats.norm(0, 2); po = stats.poisson(3); q = norm.ppf(0.9)
..
norm.cdf(1), po.pmf(2), norm.rvs(2, random_state=1)
---
interpolation and optimisation
from scipy import interpolate, optimize
f = interpolate.interp1d([0, 1, 2], [0, 1, 4]); cs = interpolate.CubicSpline([0, 1, 2], [0, 1, 4]); r = optimize.minimize(lambda v: (v[0] - 2) ** 2, [0.0])
..
f(0.5), cs(0.5), r.success, round(float(r.x[0]), 3)
---
nearest points
from scipy.spatial import cKDTree, Delaunay, distance
pts = np.arange(20.0).reshape(10, 2) ** 1.5; tree = cKDTree(pts); d, i = tree.query([3, 4]); dm = distance.squareform(distance.pdist(pts))
..
tree.query([1, 1])[1], dm.shape
---
sparse matrices
import scipy.sparse as sp
m = sp.csr_matrix(np.eye(3)); c = sp.coo_array(np.eye(2)); l = sp.lil_matrix((3, 3)); l[0, 1] = 5; k = sp.dok_matrix((2, 2)); k[1, 1] = 2
..
m.nnz, l.toarray()[0, 1], k[1, 1], c.sum()
---
density and tests
from scipy import stats
kde = stats.gaussian_kde(np.arange(10.0)); lr = stats.linregress([1, 2, 3], [2, 4, 7]); chi = stats.chi2_contingency([[10, 20], [30, 40]])
..
kde(3.0)[0], lr.slope, chi.pvalue
---
text arrays
t = np.array(["a", "bcd" * 9], dtype=np.dtypes.StringDType()); u = np.strings.upper(t)
..
t.tolist(), u[1]
---
text columns
s = pd.Series(["a", None, "c"], dtype="string"); df = pd.DataFrame({"s": s, "t": ["x", "y", "z"]}); u = df["s"].str.upper(); c = df.s.value_counts()
..
df.dtypes.astype(str).tolist(), u.tolist()
---
grouping kept
df = pd.DataFrame({"g": list("aab"), "v": [1, 2, 3]}); groups = df.groupby("g"); total = groups.v.sum(); roll = df.v.rolling(2); res = df.set_index(pd.date_range("2020", periods=3)).resample("D")
..
groups.mean().v.tolist(), roll.sum().tolist(), len(res.v.sum())
---
rows one by one
df = pd.DataFrame({"a": [1, 2]}); rows = list(df.itertuples()); recs = df.to_records(); first = next(df.iterrows()); d = df.to_dict("index")
..
rows[0].a, recs["a"].sum(), first[1].a
---
support vectors and bayes
from sklearn.svm import SVC, LinearSVC; from sklearn.naive_bayes import GaussianNB
X = np.arange(40.0).reshape(20, 2) % 7; y = (X[:, 0] > 3) * 1
svc = SVC(probability=False).fit(X, y); lin = LinearSVC(random_state=0).fit(X, y); nb = GaussianNB().fit(X, y)
..
svc.predict(X[:3]), lin.predict(X[:3]), nb.predict_proba(X[:2]).shape
---
grid search
from sklearn.model_selection import GridSearchCV, cross_val_score; from sklearn.linear_model import Ridge
X = np.arange(40.0).reshape(20, 2) % 7; y = X[:, 0]
gs = GridSearchCV(Ridge(), {"alpha": [0.1, 1]}, cv=3).fit(X, y); sc = cross_val_score(Ridge(), X, y, cv=3)
..
gs.best_params_, gs.predict(X[:1])
---
columns transformed
from sklearn.compose import ColumnTransformer; from sklearn.preprocessing import OneHotEncoder, StandardScaler, LabelEncoder, MinMaxScaler, PolynomialFeatures; from sklearn.impute import SimpleImputer; from sklearn.pipeline import Pipeline; from sklearn.ensemble import RandomForestRegressor
df = pd.DataFrame({"n": [1.0, None, 3.0, 4.0], "c": list("abab")}); y = [1, 2, 3, 4]
pre = ColumnTransformer([("n", Pipeline([("i", SimpleImputer()), ("s", StandardScaler())]), ["n"]), ("c", OneHotEncoder(handle_unknown="ignore"), ["c"])])
model = Pipeline([("pre", pre), ("rf", RandomForestRegressor(3, random_state=0))]).fit(df, y); le = LabelEncoder().fit(list("ab")); pf = PolynomialFeatures().fit([[1, 2]]); mm = MinMaxScaler().fit([[1], [2]])
..
model.predict(df).shape, le.transform(["b"]), pf.transform([[1, 2]]).shape
---
boosting by histograms
from sklearn.ensemble import HistGradientBoostingClassifier, AdaBoostClassifier, ExtraTreesClassifier, IsolationForest
X = np.arange(80.0).reshape(40, 2) % 7; y = (X[:, 0] > 3) * 1
h = HistGradientBoostingClassifier(max_iter=3).fit(X, y); ad = AdaBoostClassifier(n_estimators=3).fit(X, y); et = ExtraTreesClassifier(n_estimators=3, random_state=0).fit(X, y); iso = IsolationForest(n_estimators=3, random_state=0).fit(X)
..
h.predict(X[:3]), ad.predict(X[:3]), et.predict(X[:3]), iso.predict(X[:3])
---
neural network
import warnings; warnings.filterwarnings("ignore")
from sklearn.neural_network import MLPClassifier; from sklearn.linear_model import SGDClassifier, Perceptron, Lasso, ElasticNet
X = np.arange(40.0).reshape(20, 2) % 7; y = (X[:, 0] > 3) * 1
mlp = MLPClassifier((3,), max_iter=5, random_state=0).fit(X, y); sgd = SGDClassifier(random_state=0).fit(X, y); la = Lasso().fit(X, y)
..
mlp.predict(X[:3]), sgd.predict(X[:3]), la.coef_
---
words counted
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer; from sklearn.naive_bayes import MultinomialNB; from sklearn.pipeline import make_pipeline
docs = ["a cat", "a dog", "cat dog"]; cv = CountVectorizer(); M = cv.fit_transform(docs); tf = TfidfVectorizer().fit(docs); clf = make_pipeline(CountVectorizer(), MultinomialNB()).fit(docs, [0, 1, 1])
..
cv.get_feature_names_out().tolist(), M.toarray().sum(), clf.predict(["dog"]), tf.transform(["cat"]).shape
---
clusters
from sklearn.cluster import KMeans, DBSCAN, AgglomerativeClustering; from sklearn.mixture import GaussianMixture; from sklearn.neighbors import NearestNeighbors, KNeighborsRegressor
X = np.arange(40.0).reshape(20, 2) % 7
db = DBSCAN().fit(X); ag = AgglomerativeClustering(2).fit(X); gm = GaussianMixture(2, random_state=0).fit(X); nn = NearestNeighbors(n_neighbors=2).fit(X)
..
len(db.labels_), ag.labels_.max(), gm.predict(X[:2]).shape, nn.kneighbors(X[:1])[1].shape
---
gaussian process
from sklearn.gaussian_process import GaussianProcessRegressor; from sklearn.gaussian_process.kernels import RBF; from sklearn.isotonic import IsotonicRegression; from sklearn.ensemble import VotingClassifier; from sklearn.linear_model import LogisticRegression; from sklearn.tree import DecisionTreeClassifier
X = np.arange(10.0)[:, None]; y = X[:, 0] ** 2; gp = GaussianProcessRegressor(RBF(), optimizer=None).fit(X, y); iso = IsotonicRegression().fit(X[:, 0], y); vote = VotingClassifier([("l", LogisticRegression()), ("t", DecisionTreeClassifier())]).fit(X, X[:, 0] > 4)
..
gp.predict([[2.0]]), iso.predict([2.5]), vote.predict([[1.0]])
---
data set of scikit-learn
from sklearn.datasets import load_iris, make_classification; from sklearn.model_selection import train_test_split, KFold
iris = load_iris(as_frame=True); X, y = make_classification(20, random_state=0); a, b, c, d = train_test_split(X, y, random_state=0); kf = KFold(3)
..
iris.frame.shape, iris.target_names.tolist(), a.shape, [len(t) for t, _ in kf.split(X)]
---
plot of many parts
import matplotlib.pyplot as plt
fig, axs = plt.subplots(1, 3); axs[0].scatter([1, 2], [3, 4], c=[0, 1]); axs[1].hist([1, 2, 2]); im = axs[2].imshow(np.eye(3)); fig.colorbar(im); axs[0].legend(["a"]); axs[1].annotate("x", (1, 1)); axs[1].twinx(); plt.close(fig)
..
len(fig.axes), fig.canvas.draw() is None
---
simulation
import random
rng = np.random.default_rng(0); dice = random.Random(1)
class Account:
    rate = 0.05
    def __init__(self, owner, balance=0): self.owner, self._balance, self.history = owner, balance, []
    def deposit(self, n): self._balance += n; self.history.append(("deposit", n)); return self
    @property
    def balance(self): return self._balance
    @classmethod
    def joint(cls, *names): return cls(" & ".join(names))
    def __repr__(self): return f"Account({self.owner!r}, {self.balance})"
accounts = {n: Account(n).deposit(dice.randint(1, 9)) for n in "ab"}; walk = rng.normal(size=10).cumsum()
..
accounts, Account.joint("x", "y"), rng.random()
---
abstract shapes
from abc import ABC, abstractmethod
import math, enum
class Colour(enum.Enum):
    RED = "#f00"
    @property
    def css(self): return f"color: {self.value}"
class Shape(ABC):
    colour: Colour = Colour.RED
    @abstractmethod
    def area(self): ...
class Circle(Shape):
    def __init__(self, r): self.r = r
    def area(self): return math.pi * self.r ** 2
shapes = [Circle(1), Circle(2)]
..
sum(s.area() for s in shapes), shapes[0].colour.css
---
enum with values of its own
import enum
class Planet(enum.Enum):
    EARTH = (5.97e24, 6.37e6)
    MARS = (6.42e23, 3.39e6)
    def __init__(self, mass, radius): self.mass, self.radius = mass, radius
    @property
    def gravity(self): return 6.67e-11 * self.mass / self.radius ** 2
e = Planet.EARTH
..
round(e.gravity, 1), Planet((6.42e23, 3.39e6)).name
---
descriptors
class Positive:
    def __set_name__(self, owner, name): self.name = "_" + name
    def __get__(self, obj, cls=None): return self if obj is None else getattr(obj, self.name)
    def __set__(self, obj, value):
        if value <= 0: raise ValueError(value)
        setattr(obj, self.name, value)
class Item:
    price = Positive()
    def __init__(self, price): self.price = price
item = Item(3)
..
item.price, Item.price.name
---
registry by decorator
commands = {}
def command(name):
    def deco(f):
        commands[name] = f
        return f
    return deco
@command("hi")
def hi(who="you"): return f"hi {who}"
class Registry(type(commands)): pass
r = Registry(commands)
..
commands["hi"](), r["hi"]("me")
---
singleton by metaclass
class Meta(type):
    _made = {}
    def __call__(cls, *a):
        if cls not in cls._made: cls._made[cls] = super().__call__(*a)
        return cls._made[cls]
class Config(metaclass=Meta):
    def __init__(self): self.x = 1
c = Config()
..
Config() is c
---
points in a set
class Point:
    def __init__(self, x, y): self.x, self.y = x, y
    def __eq__(self, o): return (self.x, self.y) == (o.x, o.y)
    def __hash__(self): return hash((self.x, self.y))
seen = {Point(1, 2), Point(1, 2)}; dist = {Point(0, 0): 0}
..
len(seen), dist[Point(0, 0)]
---
generator of primes kept
def primes():
    n = 2
    while True:
        if all(n % p for p in range(2, int(n ** 0.5) + 1)): yield n
        n += 1
gen = primes(); first = [next(gen) for _ in range(3)]
..
next(gen)
""")
