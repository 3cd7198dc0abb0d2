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
---
df.plot(y='cost', use_index=True)
---
df.plot(x='region', y=['cost','revenue'])
---
df['region'] = df['region'].astype('category')
df['region'].cat.codes
---
df['cost'].astype(str).str.upper()
---
x = df['region']
x = pd.to_datetime(df['date'])
x.dt.year
---
df['date'] = df['date'].astype(str)
df['date'].str[:4]
---
df['cost'] = df['cost'].astype(str)
df['cost'].str.len()
---
df.cost = df.cost.astype(str)
df.cost.str.len()
---
df.loc[:, 'cost'] = df['cost'] * 2.0
df['cost'].round()
---
df[['cost','revenue']] = df[['cost','revenue']].fillna(0)
---
df = df.set_index('date').sort_index()
df.loc['2024-02']
---
df.set_index('region').loc['north', ['cost']]
---
df.set_index('region').loc[['north','south'], 'cost']
---
df2 = df.set_index(['region','product'])
df2.loc['north','a']
---
df2 = df.set_index(['region','product'])
df2.reset_index(level='product')['product']
---
df2 = df.set_index(['region','product'])
df2.groupby(level='region')['cost'].sum()
---
df.groupby('region').cumcount()
---
df.groupby('region')['cost'].describe()['mean']
---
df.groupby('region')['cost'].quantile(.5)
---
df.groupby('region').agg(['min','max'])['cost']['min']
---
df.groupby('region').agg(lambda g: len(g))['cost']
---
df.groupby('region').agg(np.size)['cost']
---
df.groupby('region').agg(c=pd.NamedAgg('cost','sum'))['c']
---
df.groupby(['region']).sum(numeric_only=True).reset_index()['region']
---
df.groupby(pd.Grouper(key='date', freq='D')).size()
---
df.groupby({0:'a',1:'b'}).size()
---
df.groupby(df.region.str[0])['cost'].sum()
---
df.groupby('region', sort=False)['cost'].sum().index.tolist()
---
df.groupby('region')['cost'].nlargest(1).reset_index()['level_1']
---
g = df.groupby('region')
g['cost'].sum(); g.cost.mean(); g.groups; g.indices
---
df.resample('D', on='date')['cost'].sum()
---
df.stack().reset_index()['level_1']
---
df.pivot_table(index='region', columns='product', values='cost', fill_value=0).reset_index()['a']
---
p = df.pivot_table(index='region', columns='product', values='cost')
p.columns = ['A','B','C']
p['A']
---
df.pivot_table(values='cost', index='region', aggfunc={'cost':['sum','mean']})['sum']
---
df.pivot_table(values='cost', index='region', aggfunc='sum', margins=True).loc['All']
---
pd.crosstab(df.region, df['product'])['a']
---
pd.merge(df, other)['manager']
---
pd.merge(df, other[['region','manager']], how='left', on='region').manager
---
df.merge(df.groupby('region')['cost'].mean().rename('avg'), on='region')['avg']
---
df.merge(df.groupby('region')['cost'].mean().rename('avg').reset_index(), on='region')['avg']
---
df.join(df.groupby('region')['cost'].mean().rename('avg'), on='region')['avg']
---
df['region'].to_frame().assign(z=1)['z']
---
df['region'].value_counts(normalize=True).reset_index()['proportion']
---
df['region'].value_counts().to_frame()['count']
---
df['region'].value_counts().to_frame('n')['n']
---
df[['region','product']].value_counts().reset_index(name='n')['n']
---
df[['region','product']].value_counts().reset_index()['count']
---
df['region'].drop_duplicates().reset_index(drop=True)
---
df.isna().sum().to_frame('missing')['missing']
---
df.isna().sum().reset_index()[0]
---
df.dtypes.reset_index()['index']
---
df.describe().T['mean']
---
df.describe().transpose()['50%']
---
df.corr(numeric_only=True).loc['cost','revenue']
---
df.corr(numeric_only=True).reset_index()['index']
---
df.nunique().reset_index(name='n')['n']
---
df.mean(numeric_only=True)['cost']
---
df.quantile([.1,.9], numeric_only=True)['cost']
---
df.mode()['region']
---
df.set_index('region').T['east']
---
df.T.reset_index()['index']
---
df.rename(columns=lambda c: c.upper())['COST']
---
df.rename(columns=dict(cost='price'))['price']
---
df.rename(columns=dict(zip(df.columns, 'abcdef')))['a']
---
m = {'cost':'price'}
df.rename(columns=m)['price']
---
m = {'cost':'price'}
m['revenue'] = 'income'
df.rename(columns=m)['income']
---
df.rename_axis('id').reset_index()['id']
---
df.rename_axis(columns='x')['cost']
---
df.reset_index(names='id')['id']
---
df.reset_index().rename(columns={'index':'id'})['id']
---
df.index.name = 'id'
df.reset_index()['id']
---
df.index = pd.Index(range(6), name='id')
df.query('id > 2')
---
df.eval('a = cost + 1\nb = a * 2')['b']
---
df.eval('a = cost + 1', inplace=True)
df['a']
---
df.query('cost == cost.max()')
---
df.query('region in ["north"] and not (cost > 3)')
---
vals = ['north']
df.query('region in @vals')
---
df.query("date > '2024-02-01'")
---
df.query('cost > @df.cost.mean()')
---
df.query('revenue.isna()')
---
df.query('`unit price` > 1 & cost < 9')
---
df.query('1 < cost <= 8')
---
df.melt()['variable']
---
df.melt(id_vars='region', value_name='v')['v']
---
df.assign(**{'new col': 1})['new col']
---
df.assign(a=1).assign(b=lambda d: d.a + 1).query('b > 1').b
---
df.insert(len(df.columns), 'zz', 1)
df.zz
---
df.loc[:, 'zz'] = 1
df.zz
---
df.at[0, 'zz'] = 1
df['zz']
---
df = df.join(pd.DataFrame({'q':[1]*6}))
df['q']
---
df = pd.concat([df, pd.get_dummies(df['region'], prefix='r')], axis=1)
df['r_north']
---
df = pd.concat([df, df['cost'].rename('c2')], axis=1)
df['c2']
---
df = pd.concat([df]*2, ignore_index=True)
df['cost']
---
dfs = {'a': df, 'b': other}
pd.concat(dfs.values())['manager']
---
for name, f in {'a': df}.items():
    f['src'] = name
df['src']
---
for f in (df, other):
    f.columns = [c.upper() for c in f.columns]
df['REGION']
---
for f in (df, other):
    f.rename(columns=str.upper, inplace=True)
df['REGION']
---
def prep(d):
    d = d.copy()
    d.columns = d.columns.str.upper()
    return d
df = prep(df)
df['COST']
---
def prep(d):
    d.columns = d.columns.str.upper()
prep(df)
df['COST']
---
def prep(d, col='cost'):
    d['k'] = d[col]
    if len(d) > 3:
        return d
    return None
prep(df)['k']
---
def add(d, *cols):
    for c in cols:
        d[c] = 0
add(df, 'u', 'v')
df['u']
---
class Prep:
    def __init__(self, d):
        self.d = d
    def go(self):
        self.d['done'] = 1
Prep(df).go()
df['done']
---
import copy
c = copy.deepcopy(df)
c['x'] = 1
c['x']
---
fns = [lambda d: d.insert(0,'made',1)]
for fn in fns: fn(df)
df['made']
---
from functools import partial
p = partial(add_profit, df)
p()
df['profit']
---
list(map(add_profit, [df]))
df['profit']
---
df.pipe(lambda d: d.assign(zz=1))['zz']
---
exec("df['zz'] = 1")
df['zz']
---
setattr(df, 'note', 1)
df.note
---
df.attrs['a'] = 1
df.attrs
---
df.update(other)
df['cost']
---
df.replace({'region': {'north': 'N'}})['region']
---
df.fillna({'revenue': 0, 'cost': 1}).cost
---
df.agg(total=('cost','sum'))['cost']
---
df.agg({'cost':'sum'}).cost
---
df.apply(pd.Series.nunique).cost
---
df[['cost']].apply(lambda c: c.max()).cost
---
df.iloc[:, 0].unique()
---
df.iloc[:, [0,1]]['region']
---
df.iloc[:3, 1:]['cost']
---
df.loc[df.index[:2], 'cost']
---
df.loc[lambda d: d.cost > 3, 'region']
---
df[lambda d: d.cost > 3]['region']
---
df[df['cost'].between(2,8) & df['region'].str.startswith('n')]['cost'].sum()
---
df[df.region.eq('north') | (df.cost >= 3)].cost
---
df[~df.duplicated(['region'])]['cost']
---
df[df.notna().all(axis=1)]['cost']
---
df[np.isfinite(df['revenue'])]['cost']
---
df[df.groupby('region')['cost'].transform('size') > 1]['cost']
---
df.filter(items=['cost','nope'])['cost']
---
df.filter(regex='^c')['cost']
---
df.reindex(columns=['cost','extra'])['extra']
---
df.columns.get_loc('cost')
---
df.columns[df.dtypes == 'object']
---
df.select_dtypes(include=[np.number]).columns.tolist()
---
s.name; s.index.name; s.values.shape; s.dtype
---
s.sort_values().index[0]
---
s.groupby(df['region']).sum()['north']
---
s.groupby(df['region']).sum().north
---
df.groupby('region')['cost'].sum().north
---
df.groupby('region')['cost'].sum().to_dict()['north']
---
df.set_index('region')['cost'].north
---
df.set_index('region').cost['north']
---
row = df.iloc[0]
row['region'], row.cost
---
arr.flatten().tolist(); arr.sum(axis=0).shape; arr.T.dtype; arr.flat[0]
---
np.random.rand(3); np.random.randint(0, 3, size=4); np.random.seed(0); np.random.choice([1,2])
---
np.testing; np.char; np.rec; np.ma; np.polynomial; np.fft.fft([1])
---
plt.style.use('default'); plt.rcParams['figure.figsize'] = (3,2); plt.cm.viridis; plt.gca(); plt.subplot(1,2,1)
---
import matplotlib; matplotlib.colors; matplotlib.ticker; matplotlib.__version__
---
import scipy; scipy.optimize; scipy.stats.norm
---
import sklearn; sklearn.__version__; import sklearn.metrics as m; m.r2_score([1,2],[1,2])
---
pd.api.types.is_numeric_dtype(df['cost']); pd.options.display.max_rows = 10; pd.io; pd.tseries.offsets.Day(1)
pd.NA; pd.NaT
---
import datetime
datetime.datetime.now().strftime('%Y'); datetime.date.today().year
---
import collections.abc
collections.abc.Mapping
---
import os.path
os.sep; os.path.sep; os.name; os.cpu_count()
---
pl.DataFrame({'a':[1]}).lazy().collect()
---
pf.to_dicts(); pf.shape; pf.schema; pf.rows(); pf.height; pf.columns
---
pf.select((pl.col('size')+1).alias('x'), pl.col('name'))['x']
---
pf.with_columns(pl.lit(1).alias('k')).select('k')
---
pf.rename({'size':'n'})['n']
---
pf.join(pf, on='name')['size_right']
---
pf.with_row_index()['index']
---
pf.select(pl.col('name','size'))
---
pf.select(pl.col(['name','size']))
---
pf.group_by('name').agg(pl.len().alias('n')).filter(pl.col('n') > 0)['n']
---
pf.filter(name='a')['size']
---
pf.sort(pl.col('size'), descending=True)['name']
---
pf.with_columns(big=pl.col('size') > 1).filter(pl.col('big'))['name']
---
pf.drop('nope', strict=False)
---
class Base:
    def __getattr__(self, n): return 1
class Child(Base): pass
Child().anything
---
import types
ns2 = types.SimpleNamespace(a=1); ns2.a; ns2.b = 2; ns2.b
---
import enum
class E(enum.Enum):
    A = 1
E.A.value; E['A'].name
---
from collections import namedtuple
P = namedtuple('P', 'x y'); P(1,2).x
---
from typing import NamedTuple
class Q(NamedTuple):
    a: int
Q(1).a
---
from dataclasses import dataclass, field
@dataclass
class D:
    items: list = field(default_factory=list)
d1 = D(); d1.items.append(1)
---
import re
m = re.match(r'(?P<x>a)', 'abc'); m.group('x'); m.span()
---
f = lambda: 0
f.counter = 1
f.counter
---
def memo(): memo.calls += 1
memo.calls = 0
memo()
---
(1).bit_length(); (1.5).is_integer(); True.real; b'x'.decode(); {'a':1}.items(); {1}.union({2}); (1,2).index(1)
---
a, *b = [1,2,3]; b.append(4)
---
x: int = 3; x.real
---
try:
    y = 1/0
except ZeroDivisionError as e:
    print(e.args)
---
for i in range(3):
    if i == 2: break
else:
    print('no')
---
print(*[1,2], sep='')
---
text.format(); '%s' % text; text.encode().decode()
---
nums = sorted({3,1}); nums.append(1); nums.sort(); nums[0].bit_length()
---
t = tuple(numbers); t.count(1)
---
z = zip(numbers, numbers); dict(z).keys()
---
d['new'] = 1; d['new'].bit_length()
---
d.update(k=[]); d['k'].append(1)
---
account.extra = df; account.extra['fresh'] = 1; df['fresh']
---
account.df = df; account.df['cost']
---
h = [1,2]; h += [3]; h.append(4); h = h or None; h.append(5)
---
v = None
if len(df): v = 'x'
v.upper()
---
v = None
for c in df.columns: v = c
v.upper()
---
def ff():
    global v2
    v2 = df.copy()
ff()
v2['cost']
---
best = None
for i, r in df.iterrows():
    if best is None or r['cost'] > best['cost']: best = r
best['cost']; best.region
---
res = None
try:
    res = df['cost']
except Exception: pass
res.sum()
---
acc = {}
for i, r in df.iterrows(): acc.setdefault(r.region, []).append(r.cost)
acc['north']
---
while True:
    nothing = df
    break
nothing.head()
---
def setit():
    global nothing
    nothing = df
setit()
nothing.head()
---
pd.concat([df, df], axis=1, keys=['a', 'b'])['a']['cost']
---
pd.concat([df, other], axis=1, ignore_index=True)[0]
---
df.set_index(['region', 'product']).reset_index(names=['r', 'p'])['p']
---
df.pivot_table(values='cost', columns='region').T['cost']
""".strip().split("\n---\n")
