"""Harmless snippets as a data scientist or a small model writes them. Each one is also run by its test,
so that what is called harmless here really works on these variables."""

from __future__ import annotations

import collections
import datetime
import json
import math
import os
import re
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl


class Account:
    """A class of the user's, with a bit of everything."""

    bank = "Credit"
    __slots__ = ("__dict__", "owner")

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.balance = 10

    @property
    def rich(self) -> bool:
        return self.balance > 100

    def deposit(self, amount: int) -> None:
        self.balance += amount
        self.last = amount


class Lazy:
    """Any attribute exists."""

    def __getattr__(self, name: str) -> str:
        return name


def add_profit(frame: pd.DataFrame) -> None:
    frame["profit"] = frame["revenue"] - frame["cost"]


def sales() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "region": ["north", "south", "east", "north", "west", "south"],
            "product": ["a", "b", "a", "c", "b", "a"],
            "revenue": [10.0, 20.0, 15.5, 7.25, None, 31.0],
            "cost": [5, 8, 9, 3, 2, 11],
            "date": pd.date_range("2024-01-30", periods=6),
            "unit price": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        }
    )


def namespace() -> dict[str, Any]:
    df = sales()
    wide = pd.DataFrame({("x", "min"): [1, 2], ("x", "max"): [3, 4], ("y", "min"): [5, 6]})
    ns: dict[str, Any] = {
        "pd": pd, "np": np, "plt": plt, "pl": pl, "math": math, "re": re, "json": json, "os": os, "Path": Path,
        "datetime": datetime, "collections": collections,
        "df": df,
        "other": pd.DataFrame({"region": ["north", "south"], "manager": ["Ann", "Bob"], "cost": [1, 2]}),
        "indexed": df.set_index("region"),
        "numbered": pd.DataFrame(np.arange(6).reshape(2, 3)),
        "multi": wide,
        "s": df["revenue"],
        "labelled": pd.Series({"alpha": 1, "beta": 2}),
        "pf": pl.DataFrame({"name": ["a", "b"], "size": [1, 2]}),
        "arr": np.arange(12).reshape(3, 4),
        "numbers": [3, 1, 2],
        "names": ["region", "product"],
        "d": {"df": df, "n": 3},
        "text": "some words, more words",
        "account": Account("Ann"),
        "lazy": Lazy(),
        "Account": Account,
        "add_profit": add_profit,
        "nothing": None,
    }  # fmt: skip
    return ns


HARMLESS = r"""
df.head()
---
df['revenue'].mean()
---
df[['region', 'revenue']]
---
df.revenue.sum()
---
df.shape[0]
---
df[df['revenue'] > 10]['region']
---
df[(df['revenue'] > 10) & (df['cost'] < 9)]['product'].unique()
---
df[df['region'].isin(['north', 'south'])]['cost'].sum()
---
df[~df['region'].str.contains('north')]['cost']
---
df.loc[df['cost'] > 3, 'region']
---
df.loc[:, ['region', 'cost']]
---
df.loc[0, 'cost']
---
df.loc[df['cost'] > 3, 'flag'] = 1
df['flag'].sum()
---
df.at[0, 'cost']
---
df.iloc[0:2]['region']
---
df.groupby('region')['revenue'].sum()
---
df.groupby('region').revenue.sum()
---
df.groupby(['region', 'product'])[['revenue', 'cost']].mean()
---
df.groupby('region').agg({'revenue': 'sum', 'cost': 'mean'}).reset_index()['region']
---
out = df.groupby('region').agg(total=('revenue', 'sum'), n=('cost', 'count')).reset_index()
out[['region', 'total', 'n']].sort_values('total')
---
out = df.groupby('region', as_index=False)['revenue'].sum()
out['region'], out['revenue']
---
out = df.groupby('region').size().reset_index(name='n')
out.sort_values('n')['region']
---
out = df.groupby('region')['revenue'].agg(['mean', 'std']).reset_index()
out['mean'] - out['std'], out['region']
---
df.groupby('region')['revenue'].agg(top='max')['top']
---
df.groupby('region').agg({'revenue': ['mean', 'max']})['revenue']['max']
---
df.groupby(df['date'].dt.month)['revenue'].sum()
---
df.groupby(lambda i: i % 2)['cost'].sum()
---
df.groupby('region')['cost'].transform('mean')
---
df['share'] = df['revenue'] / df.groupby('region')['revenue'].transform('sum')
df['share'].head()
---
df.sort_values('revenue', ascending=False).head(3)
---
df.sort_values(by=['region', 'revenue'], ascending=[True, False])
---
indexed.sort_values('region')
---
indexed.groupby('region')['cost'].sum()
---
indexed.reset_index()['region']
---
indexed.groupby('region').cost.max().reset_index()['region']
---
indexed.query('region == "north" and cost > 1')
---
indexed.loc['north', 'cost']
---
df.set_index('date').resample('D')['cost'].sum()
---
df.set_index(['region', 'product']).loc[('north', 'a'), 'cost']
---
df.set_index('date')['cost'].rolling(2).mean()
---
df.drop(columns=['cost']).columns
---
df.drop('cost', axis=1).head()
---
df.drop(columns=['nope'], errors='ignore')
---
df.drop(0)
---
df.rename(columns={'cost': 'price'})['price']
---
df = df.rename(columns=str.upper)
df['REGION']
---
df.columns = [c.upper() for c in df.columns]
df['REGION'].nunique()
---
df.columns = df.columns.str.replace(' ', '_')
df['unit_price'].mean()
---
df.columns = ['r', 'p', 'v', 'c', 'd', 'u']
df['r'] + df['p']
---
df['profit'] = df['revenue'] - df['cost']
df['profit'].sum()
---
df = df.assign(profit=lambda x: x['revenue'] - x['cost'])
df['profit']
---
df.assign(profit=df['revenue'] - df['cost'], twice=lambda x: x['profit'] * 2)['twice']
---
df.insert(0, 'id', range(len(df)))
df['id']
---
copy = df.copy()
copy['new'] = 1
copy['new']
---
alias = df
alias['new'] = 2
df['new']
---
d['df']['fresh'] = 1
df['fresh']
---
add_profit(df)
df['profit']
---
other.assign(revenue=3).pipe(lambda f: f.assign(q=1))['q']
---
def enrich(frame):
    frame['double'] = frame['cost'] * 2
    return frame
enrich(df)['double']
---
def enrich(frame):
    out = frame.copy()
    out['double'] = out['cost'] * 2
    return out
better = enrich(df)
better['double'].sum()
---
def mark():
    df['marked'] = True
mark()
df['marked'].all()
---
frames = [df, other]
for f in frames:
    f['tag'] = 1
df['tag'], other['tag']
---
for name in ['a1', 'a2']:
    df[name] = 0
df['a1'] + df['a2']
---
for c in df.columns:
    print(df[c].dtype)
---
for c in df.select_dtypes('number').columns:
    df[c + '_z'] = (df[c] - df[c].mean()) / df[c].std()
df['cost_z'].head()
---
if 'margin' in df.columns:
    print(df['margin'].mean())
---
if 'margin' not in df.columns:
    df['margin'] = 1
df['margin']
---
try:
    x = df['margin']
except KeyError:
    x = None
---
value = df['margin'] if 'margin' in df else 0
---
'margin' in df and df['margin'].mean()
---
df.get('margin', 0)
---
df.pivot_table(index='region', columns='product', values='revenue', aggfunc='sum')
---
df.pivot_table(index='region', values='revenue').reset_index()['revenue']
---
pd.pivot_table(df, index='region', values=['cost', 'revenue'])['cost']
---
df.drop_duplicates(['region', 'product']).pivot(index='region', columns='product', values='cost')
---
m = df.melt(id_vars=['region'], value_vars=['revenue', 'cost'])
m.groupby('variable')['value'].sum()
---
pd.melt(df, id_vars='region', value_vars=['cost'], var_name='what', value_name='much')['much']
---
merged = df.merge(other, on='region')
merged['cost_x'] + merged['cost_y'], merged['manager']
---
pd.merge(df, other, left_on='region', right_on='region', how='left', suffixes=('', '_other'))['cost_other']
---
df.merge(other, on='region', how='outer', indicator=True)['_merge'].value_counts()
---
indexed.merge(other, on='region')['manager']
---
df.join(other.set_index('region'), on='region', rsuffix='_r')['manager']
---
pd.concat([df, other])['manager']
---
pd.concat([df, other], axis=1)['manager']
---
pd.concat([df, df], keys=['a', 'b']).loc['a']['cost']
---
df.describe()
---
df.describe().loc['mean', 'cost']
---
df.corr(numeric_only=True)['cost']
---
df.isna().sum()
---
df.dropna(subset=['revenue'])['revenue'].astype(int)
---
df.fillna({'revenue': 0})['revenue']
---
df['revenue'] = df['revenue'].fillna(df['revenue'].mean())
---
df.dropna(inplace=True)
df['revenue'].sum()
---
df.rename(columns={'cost': 'price'}, inplace=True)
df['price'].sum()
---
df.reset_index(inplace=True)
df['index']
---
df.astype({'cost': float}).dtypes
---
df['date'].dt.year
---
df['date'] = pd.to_datetime(df['date'])
df['month'] = df['date'].dt.to_period('M')
df.groupby('month')['cost'].sum()
---
df['region'].value_counts()
---
vc = df['region'].value_counts().reset_index()
vc['count'], vc['region']
---
vc = df['region'].value_counts().rename_axis('where').reset_index(name='n')
vc['where'], vc['n']
---
df.value_counts(['region', 'product'])
---
df.nlargest(2, 'revenue')['region']
---
df.query('revenue > 10 and region == "south"')
---
limit = 10
df.query('revenue > @limit')['cost']
---
df.query('`unit price` > 2 and index < 3')
---
df.query('region.str.contains("north")', engine='python')
---
df.eval('profit = revenue - cost')['profit']
---
df.eval('revenue - cost').sum()
---
df['region'].str.upper().str[:2]
---
df['region'].map({'north': 1}).fillna(0)
---
df.apply(lambda row: row['revenue'] - row['cost'], axis=1)
---
df['revenue'].apply(lambda v: v * 2)
---
df.iterrows()
for i, row in df.iterrows():
    print(row['region'], row.cost)
---
for row in df.itertuples():
    print(row.region)
---
df.plot(x='date', y='revenue')
plt.show()
---
df.plot.scatter(x='cost', y='revenue', c='red')
---
df.groupby('region')['revenue'].sum().plot(kind='bar', title='Revenue')
---
df['cost'].hist(bins=3)
---
df.hist(column='cost')
---
df.boxplot(column='cost', by='region')
---
fig, ax = plt.subplots(figsize=(4, 3))
ax.bar(df['region'], df['cost'])
ax.set_title('Cost')
plt.close(fig)
---
plt.plot(df['date'], df['cost'], label='x')
plt.legend()
---
numbered[0].sum() + numbered[[1, 2]].sum().sum()
---
multi['x']['min']
---
multi[('x', 'max')]
---
multi['x', 'min']
---
multi.columns = ['_'.join(c) for c in multi.columns]
multi['x_min']
---
df.T[0]
---
df.index = df['region']
df.loc['north']
---
df.index.name = 'key'
df.reset_index()['key']
---
df.columns.tolist()
---
df.columns.name
---
df[df.columns[0]]
---
df[names]
---
names.append('cost')
df[names]
---
cols = ['region']
cols.append('cost')
df[cols]['cost']
---
cols = [c for c in df.columns if c.startswith('r')]
df[cols]
---
key = 'reg' + 'ion'
df[key]
---
df[[True, False, True, False, True, False]]['cost']
---
mask = df['cost'] > 3
df[mask]['region']
---
df.where(df['cost'] > 3)['cost']
---
df.sample(2, random_state=0)['cost']
---
df.to_csv()
---
df.to_dict('records')
---
df.to_json(orient='records')
---
df.to_numpy().shape
---
df['cost'].to_list()
---
df.memory_usage(deep=True).sum()
---
df.info()
---
s.mean(), s.isna().sum()
---
labelled.alpha + labelled.beta
---
labelled['alpha']
---
s.rename('x').to_frame()['x']
---
s.to_frame('money')['money']
---
s.str if False else 0
---
pf['name']
---
pf.filter(pl.col('size') > 1).select('name')
---
pf.with_columns((pl.col('size') * 2).alias('double'))['double']
---
pf.with_columns(double=pl.col('size') * 2)['double']
---
pf.group_by('name').agg(pl.col('size').sum()).sort('name')
---
pf.select(pl.all())
---
pf.select(pl.col('^na.*$'))
---
pf.to_pandas if False else pf.shape
---
np.mean(arr, axis=0)
---
arr.reshape(4, 3).T @ arr.T
---
np.linalg.norm(arr)
---
np.random.default_rng(0).normal(size=3)
---
arr[arr > 3].sum()
---
sum(numbers) / len(numbers)
---
sorted(numbers, reverse=True)
---
numbers.remove(3)
numbers
---
text.replace('words', 'letters').split(',')
---
re.compile(r'\w+').findall(text)
---
[len(w) for w in text.split()]
---
f"{text!r:>40} {df['cost'].sum():.2f}"
---
account.deposit(5)
account.last
---
account.balance + 1
---
account.rich
---
account.note = 'x'
account.note
---
Account('Bob').balance
---
Account.bank
---
lazy.anything
---
from collections import Counter
Counter(text).most_common(2)
---
import datetime as dt
dt.date(2024, 1, 1) + dt.timedelta(days=1)
---
collections.defaultdict(list)
---
json.dumps({'a': 1}), json.loads('[1]')
---
math.sqrt(2) + math.pi
---
os.path.join('a', 'b'), os.getcwd(), os.environ.get('HOME')
---
Path('data') / 'file.csv'
---
(Path('a') / 'b').name, Path('a').suffix, Path('x.y').with_suffix('.z')
---
import io
pd.read_csv(io.StringIO('a,b\n1,2'))['a']
---
from io import StringIO
buffer = StringIO()
df.to_csv(buffer)
---
import sqlite3
con = sqlite3.connect(':memory:')
other.to_sql('t', con)
pd.read_sql('select * from t', con)
---
import sys
sys.version_info
sys.stdout.write('x')
---
import time
time.perf_counter()
---
from sklearn.linear_model import LinearRegression
model = LinearRegression()
model.fit(df[['cost']], df['cost'])
model.coef_, model.score(df[['cost']], df['cost'])
---
from sklearn.model_selection import train_test_split
X_train, X_test = train_test_split(df[['cost']], random_state=0)
X_train['cost']
---
from sklearn.preprocessing import StandardScaler
scaled = pd.DataFrame(StandardScaler().fit_transform(df[['cost']]), columns=['cost'])
scaled['cost']
---
import scipy.stats
scipy.stats.zscore(df['cost'])
---
from scipy import stats
stats.pearsonr(df['cost'], df['cost'])
---
import warnings
with warnings.catch_warnings():
    warnings.simplefilter('ignore')
    df['cost'].mean()
---
while True:
    numbers.append(1)
    if len(numbers) > 5:
        break
---
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
fib(5)
---
def gen():
    i = 0
    while True:
        yield i
        i += 1
next(gen())
---
class Point:
    def __init__(self, x):
        self.x = x
    def double(self):
        return self.x * 2
Point(2).double(), Point(3).x
---
from dataclasses import dataclass
@dataclass
class Row:
    a: int
Row(1).a
---
import itertools
list(itertools.islice(itertools.count(), 3))
---
from functools import reduce
reduce(lambda a, b: a + b, numbers)
---
(lambda v: v + 1)(2)
---
total = 0
for i, v in enumerate(numbers):
    total += i * v
total
---
matrix = [[i * j for j in range(3)] for i in range(3)]
matrix[1][2]
---
{k: len(v) for k, v in {'a': 'xx'}.items()}
---
pd.crosstab(df['region'], df['product'])
---
pd.cut(df['cost'], bins=3).value_counts()
---
pd.get_dummies(df, columns=['region'])['region_north']
---
pd.DataFrame({'a': [1], 'b': [2]})['b']
---
new = pd.DataFrame()
new['a'] = [1, 2]
new['a']
---
pd.DataFrame([{'a': 1}, {'b': 2}])['b']
---
pd.DataFrame(arr, columns=list('wxyz'))['w']
---
pd.Series([1, 2], index=['a', 'b']).a
---
df.explode('cost')['region']
---
df.stack().head()
---
df.groupby('region').apply(lambda g: g['cost'].sum())
---
df.groupby('region').filter(lambda g: len(g) > 1)['cost']
---
df.groupby('region').head(1)['product']
---
df.groupby('region').ngroups
---
for key, group in df.groupby('region'):
    print(key, group['cost'].sum())
---
df.groupby('region').get_group('north')['cost']
---
df['rank'] = df['revenue'].rank()
df.loc[df['rank'] == 1, ['region', 'rank']]
---
del df['cost']
df['cost'] = 1
df['cost']
---
df.pop('cost')
'cost' in df
---
df[['a', 'b']] = 0
df['a'] + df['b']
---
df['cost'] += 1
---
df.loc[len(df)] = ['x', 'y', 1.0, 1, pd.Timestamp('2024-01-01'), 1.0]
df['region']
---
df.style if False else None
---
nothing is None
---
setattr(account, 'extra', 3)
account.extra
---
getattr(account, 'missing', None)
---
hasattr(df, 'foo')
---
vars(account)['balance']
---
display(df.head())
---
print(df.to_string())
---
df.set_axis(['a', 'b', 'c', 'd', 'e', 'f'], axis=1)['a']
---
df.add_prefix('x_')['x_cost']
---
df.filter(like='re')['region']
---
df.select_dtypes(include='number').sum()
---
df.agg({'cost': 'sum', 'revenue': ['min']})
---
df.nunique().sort_values()
---
df.sum(numeric_only=True).cost
---
df.iloc[0].region
---
df.loc[0].cost
---
df.squeeze()
---
(df.dropna()
   .query('cost > 2')
   .groupby('region')['revenue']
   .sum()
   .sort_values(ascending=False)
   .reset_index()
   .rename(columns={'revenue': 'total'})
   .head(2))['total']
---
x = [df]
x[0]['inside'] = 1
df['inside']
---
with pd.option_context('display.max_rows', 3):
    print(df['cost'])
---
match len(df):
    case 0:
        answer = df['gone']
    case _:
        answer = df['cost']
---
a, b = df['cost'], df['revenue']
(a / b).round(2)
---
if (n := len(df)) > 3:
    print(n)
---
assert 'cost' in df.columns
""".strip().split("\n---\n")
