# ruff: noqa: E501  (a snippet a line)
"""Data-science snippets that harm nobody: none should be held back.

The working directory holds `data.csv` (day, sales, city); `df` has the columns x (floats) and y (texts), `kept` is a list.
Written lines first, then families: one call for each of a list of methods, columns or arguments, as notebooks have them.
"""

from __future__ import annotations

PANDAS = r"""
df.describe()
df.head()
df.info()
df['z'] = df['x'] * 2\ndf
df.groupby('y')['x'].agg(['mean', 'sum'])
df.sort_values('x', ascending=False)
df.query('x > 1')
df.assign(w=lambda d: d.x + 1)
df.pivot_table(index='y', values='x')
df.merge(df, on='y', suffixes=('_l', '_r'))
df.to_csv()
df.to_dict('records')
df.to_json(orient='records')
df.to_string()
df.isna().sum()
df.drop_duplicates()
df.rename(columns={'x': 'X'})
df['y'].str.upper() + '!'
df.set_index('y').loc['a']
df.apply(lambda r: r['x'], axis=1)
import pandas as pd\npd.read_csv('data.csv')
import pandas as pd\nsales = pd.read_csv('data.csv', parse_dates=['day'])\nsales.groupby('city').sales.sum()
import pandas as pd\nfrom io import StringIO\npd.read_csv(StringIO('a,b\\n1,2'))
import pandas as pd\npd.date_range('2024-01-01', periods=5, freq='D')
import pandas as pd\npd.Series([1, 2, 3]).rolling(2).mean()
import pandas as pd\npd.concat([df, df], ignore_index=True)
import pandas as pd\npd.to_datetime(['2024-01-01']).tz_localize('Europe/Paris')
import pandas as pd\npd.get_dummies(df['y'])
import pandas as pd\npd.cut(df['x'], 2)
import pandas as pd\npd.crosstab(df['y'], df['x'] > 1)
import pandas as pd, io\nb = io.StringIO()\ndf.to_csv(b)\nb.getvalue()
import pandas as pd, sqlite3\nc = sqlite3.connect(':memory:')\ndf.to_sql('t', c)\npd.read_sql('select * from t', c)
"""

PYTHON = r"""
print('hello')
sum(range(100))
[x ** 2 for x in range(10)]
kept2 = sorted(kept, reverse=True)
import math\nmath.sqrt(2)
import re\nre.findall(r'\d+', 'a1b22')
import json\njson.loads(json.dumps({'a': [1, 2]}))
import itertools\nlist(itertools.permutations('abc', 2))
import collections\ncollections.Counter('banana').most_common(2)
import random\nrandom.seed(1)\nrandom.sample(range(10), 3)
import decimal\ndecimal.Decimal('0.1') + decimal.Decimal('0.2')
import fractions\nfractions.Fraction(1, 3) * 3
import statistics\nstatistics.median([1, 2, 9])
import datetime\ndatetime.date(2024, 2, 29) + datetime.timedelta(days=365)
from zoneinfo import ZoneInfo\nimport datetime\ndatetime.datetime(2024, 1, 1, tzinfo=ZoneInfo('Asia/Tokyo'))
import functools\n@functools.lru_cache\ndef fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)\nfib(30)
from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\nP(1)
class A:\n    def __repr__(self): return 'A!'\nA()
class B:\n    def __enter__(self): return self\n    def __exit__(self, *e): pass\nwith B() as b: pass
import contextlib\n@contextlib.contextmanager\ndef c(): yield 1\nwith c() as v: print(v)
def g():\n    yield from range(3)\nlist(g())
import asyncio\nawait asyncio.sleep(0.01)
import asyncio\nasync def f(i): return i\nawait asyncio.gather(f(1), f(2))
import warnings\nwarnings.warn('careful')
import logging\nlogging.warning('look')
import sys\nprint('x', file=sys.stderr)
import io\nb = io.BytesIO(b'abc')\nb.read()
import sqlite3\nsqlite3.connect(':memory:').execute('select 1').fetchall()
import csv\nlist(csv.reader(open('data.csv')))
open('data.csv').read()
from pathlib import Path\nPath('data.csv').read_text()
import os\nos.listdir('.')
import os\nos.path.exists('data.csv')
import os\nos.getcwd()
import glob\nglob.glob('*.csv')
import textwrap\ntextwrap.wrap('a b c ' * 20, 20)
import string\nstring.ascii_letters
import hashlib\nhashlib.sha256(b'x').hexdigest()
import uuid\nuuid.uuid4()
import time\ntime.sleep(0.01)
import copy\ncopy.deepcopy(kept)
import pickle\npickle.loads(pickle.dumps(kept))
import enum\nclass E(enum.Enum):\n    A = 1\nE.A
import heapq\nheapq.nlargest(2, [3, 1, 2])
import bisect\nbisect.bisect([1, 2, 3], 2)
import threading\nt = threading.Thread(target=print, args=('hi',))\nt.start()\nt.join()
from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(2) as p: r = list(p.map(abs, [-1, 2]))
import operator\nfunctools = __import__('functools')\nfunctools.reduce(operator.mul, [1, 2, 3])
try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    print(e)
import typing\ntyping.get_type_hints(print) if False else None
import zlib, base64\nbase64.b64encode(zlib.compress(b'x' * 100))
import struct\nstruct.pack('<I', 7)
import unicodedata\nunicodedata.name('é')
import difflib\ndifflib.get_close_matches('appel', ['apple'])
import calendar\nprint(calendar.month(2024, 2))
import locale\nlocale.getlocale()
import platform\nplatform.python_version()
import timeit\ntimeit.timeit('1 + 1', number=10)
%timeit -n 1 -r 1 sum(range(10))
%time sum(range(10))
%%time\nx1 = sum(range(10))
eval('1 + 1')
"""

PLOTS = r"""
import matplotlib.pyplot as plt\nplt.plot([1, 2, 3])
import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.bar(['a', 'b'], [1, 2])\nax.set_title('t')
import matplotlib.pyplot as plt\ndf['x'].plot()
import matplotlib.pyplot as plt\ndf.plot.bar(x='y', y='x')
import matplotlib.pyplot as plt\nplt.imshow([[1, 2], [3, 4]])\nplt.colorbar()
import matplotlib.pyplot as plt\nplt.hist(df['x'], bins=3)\nplt.xlabel('x')\nplt.show()
import matplotlib.pyplot as plt, io\nplt.plot([1])\nplt.savefig(io.BytesIO(), format='png')
"""

LEARNING = r"""
from sklearn.datasets import load_iris\nload_iris(as_frame=True).frame.head()
from sklearn.linear_model import LinearRegression\nLinearRegression().fit([[0], [1]], [0, 1]).coef_
from sklearn.ensemble import RandomForestClassifier\nRandomForestClassifier(5, n_jobs=2).fit([[0], [1]], [0, 1]).predict([[1]])
from sklearn.model_selection import train_test_split\ntrain_test_split([1, 2, 3, 4], random_state=0)
from sklearn.cluster import KMeans\nKMeans(2, n_init=1).fit([[0], [1], [9]]).labels_
from sklearn.preprocessing import StandardScaler\nStandardScaler().fit_transform([[0.0], [1.0]])
from sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import StandardScaler\nfrom sklearn.svm import SVC\nmake_pipeline(StandardScaler(), SVC()).fit([[0], [1]], [0, 1])
from sklearn.metrics import accuracy_score\naccuracy_score([0, 1], [0, 1])
from sklearn.decomposition import PCA\nPCA(1).fit_transform([[0, 1], [1, 2], [2, 5]])
from scipy import stats\nstats.ttest_ind([1, 2, 3], [2, 3, 4])
from scipy.optimize import minimize\nminimize(lambda v: (v[0] - 1) ** 2, [0]).x
"""

_FAMILIES: dict[str, tuple[str, str]] = {
    "pandas": (
        "df['x'].{}()",
        "sum mean median std var min max count nunique unique cumsum cumprod cummax diff pct_change rank abs round "
        "describe head tail idxmin idxmax isna notna value_counts to_list to_numpy copy sort_values sem skew mode "
        "prod product shift dropna ffill bfill drop_duplicates duplicated hasnans.__bool__ argmax argmin explode",
    ),
    "pandas frames": (
        "df.{}",
        "shape columns dtypes index size T values empty ndim axes memory_usage() nunique() count() copy() head(2) "
        "tail(1) sample(1) describe(include='all') isna() notna() dropna() reset_index() transpose() stack() melt() "
        "select_dtypes('number') corr(numeric_only=True) cov(numeric_only=True) mean(numeric_only=True) max() min() "
        "sum(numeric_only=True) iloc[0] iloc[:,0] loc[0] at[0,'x'] iat[0,0] to_numpy() to_dict() to_records() "
        "nlargest(1,'x') nsmallest(1,'x') equals(df) filter(like='x') pop('x') sort_index() convert_dtypes() "
        "infer_objects() itertuples() iterrows() items() keys() squeeze() add_prefix('p_') add_suffix('_s') to_html() "
        "to_markdown.__name__ value_counts() duplicated() agg({'x':['sum','mean']}) transform({'x':abs}) "
        "style.__class__ explode('y') clip.__name__ isin([1]) where(df.x>1) mask(df.x>1) insert.__doc__",
    ),
    "pandas text": (
        "df['y'].str.{}",
        "upper() lower() title() len() strip() contains('a') startswith('a') endswith('a') replace('a','b') cat(sep=',') "
        "get(0) slice(0,1) zfill(3) pad(3) center(5) repeat(2) find('a') count('a') isalpha() isdigit() split('a') "
        "extract('(.)') findall('a') match('a') fullmatch('a') swapcase() capitalize() casefold() encode('utf8') ljust(3)",
    ),
    "pandas groups": (
        "df.groupby('y')['x'].{}()",
        "sum mean median std var min max count first last size nunique cumsum cumcount rank head tail describe prod "
        "ngroup any all idxmax idxmin cummax cummin diff shift sem",
    ),
    "pandas dates": (
        "import pandas as pd\npd.Series(pd.date_range('2024-01-30', periods=3)).dt.{}",
        "year month day hour dayofweek dayofyear quarter is_month_end is_leap_year days_in_month day_name() month_name() "
        "normalize() strftime('%d.%m.%Y') to_period('M') floor('h') ceil('h') isocalendar() tz_localize('UTC') date time",
    ),
    "numpy": (
        "import numpy as np\nnp.{}(np.array([3.0, 1.0, 2.0]))",
        "sum mean std var min max argmin argmax sort argsort cumsum cumprod diff exp log sqrt square abs sin cos tan "
        "floor ceil round sign unique flip median ptp prod any all isnan isfinite nonzero ravel atleast_2d nanmean "
        "nansum log1p expm1 tanh gradient diag zeros_like ones_like trunc rint array copy shape size ndim degrees "
        "radians log2 log10 cbrt reciprocal negative positive sinh cosh arcsinh arctan count_nonzero fix transpose "
        "squeeze flatnonzero nanmax nanmin nanstd nanmedian fliplr.__name__.encode isinf iscomplex isreal real imag angle",
    ),
    "numpy made": (
        "import numpy as np\nnp.{}",
        "arange(5) linspace(0,1,5) zeros((2,2)) ones(3) eye(2) full(2,7) identity(2) random.default_rng(0).normal(size=3) "
        "random.default_rng(0).integers(0,9,3) linalg.norm([3,4]) linalg.inv([[2,0],[0,2]]) linalg.det([[1,2],[3,4]]) "
        "linalg.eig([[2,0],[0,3]]) linalg.solve([[2.0]],[1.0]) fft.fft([1,0,0]) polyfit([0,1,2],[0,1,4],2) "
        "interp(1.5,[1,2],[10,20]) histogram([1,2,2],bins=2) percentile([1,2,3],50) dot([1,2],[3,4]) cross([1,0,0],[0,1,0]) "
        "outer([1,2],[3,4]) concatenate([[1],[2]]) stack([[1],[2]]) vstack([[1],[2]]) hstack([[1],[2]]) split([1,2],2) "
        "where([True,False],1,2) tile([1],3) repeat([1],3) meshgrid([1],[2]) corrcoef([1,2],[2,1]) clip([1,9],2,5) "
        "searchsorted([1,2],2) isin([1],[1]) union1d([1],[2]) save.__name__ datetime64('2024-01-01') char.upper(['a']) "
        "loadtxt(['1,2'],delimiter=',') fromstring('1,2',sep=',') einsum('i,i',[1,2],[3,4]) kron([1],[2]) trapezoid([1,2])",
    ),
    "python": (
        "words = 'the cat sat'\nwords.{}",
        "split() upper() title() count('a') replace('a','b') find('c') encode() startswith('t') partition('c') "
        "isalpha() center(20) zfill(20) rjust(20) join(['a','b']) swapcase() strip('t') splitlines() index('c') "
        "capitalize() casefold() islower() expandtabs() translate({97:None}) rsplit('a',1) removeprefix('the')",
    ),
    "math": (
        "import math\nmath.{}",
        "factorial(5) gcd(4,6) comb(5,2) perm(5,2) hypot(3,4) log(10) exp(1) pow(2,3) floor(1.5) ceil(1.5) isclose(1,1) "
        "fsum([.1]*10) prod([1,2,3]) dist([0],[1]) radians(180) degrees(3) erf(1) gamma(5) isqrt(10) copysign(1,-1) "
        "modf(1.5) frexp(8) trunc(1.9) sin(1) cos(1) tan(1) atan2(1,1) log2(8) log10(100) lcm(4,6)",
    ),
    "plots": (
        "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.{}",
        "plot([1,2]) scatter([1],[2]) bar([1],[2]) barh([1],[2]) hist([1,2,2]) boxplot([1,2,3]) pie([1,2]) fill_between([1,2],[1,2]) "
        "step([1,2],[1,2]) stem([1,2]) errorbar([1],[2],[.1]) contour([[1,2],[3,4]]) imshow([[1,2]]) violinplot([1,2,3]) "
        "axhline(1) axvline(1) set_xlabel('x') grid(True) set_xlim(0,1) annotate('a',(0,0)) text(0,0,'a') twinx() "
        "hexbin([1,2],[1,2]) stackplot([1,2],[1,2]) semilogy([1,10]) loglog([1,10]) set_yscale('log') invert_yaxis()",
    ),
}  # fmt: skip


def snippets() -> list[tuple[str, str]]:
    """(group, snippet), in order."""
    found = []
    for name, text in {"pandas": PANDAS, "python": PYTHON, "plots": PLOTS, "learning": LEARNING}.items():
        found += [(name, line.replace("\\n", "\n")) for line in text.strip().splitlines()]
    for name, (frame, words) in _FAMILIES.items():
        found += [(name, frame.replace("{}", word)) for word in words.split(" ")]
    return found
