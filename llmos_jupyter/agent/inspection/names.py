"""Names: the undefined (found by pyflakes), shadowed builtins, and the user's names bound anew."""

from __future__ import annotations

import ast
import builtins
import copy
import difflib
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pyflakes import checker, messages

from llmos_jupyter.agent import live
from llmos_jupyter.agent.inspection.source import magic_of
from llmos_jupyter.agent.inspection.words import words
from llmos_jupyter.agent.mending.nearest import did_you_mean, nearest
from llmos_jupyter.protocol import Finding

IPYTHON_NAMES = frozenset({"get_ipython", "display", "In", "Out", "_", "__", "___", "_i", "_ii", "_iii", "_ih", "_oh",
                           "_dh", "exit", "quit", "open"})  # fmt: skip
_NOT_BUILTINS = frozenset({"copyright", "credits", "license", "exit", "quit"})
_BUILTINS = frozenset(n for n in dir(builtins) if not n.startswith("_")) - _NOT_BUILTINS | {"display", "get_ipython"}

# Line magics that bring names of their own into the namespace, or none; after any other, names may
# appear that cannot be foreseen.
_NAMELESS_MAGICS = words(
    "pip conda mamba uv matplotlib time timeit capture prun who whos who_ls cd pwd ls ll cat mkdir "
    "rmdir rm cp mv man less more system sx bash sh script html HTML javascript js latex markdown svg "
    "SVG writefile file env set_env reset reset_selective xdel precision pdoc psource pinfo pinfo2 "
    "pfile pdef config colors autosave history hist lsmagic magic quickref debug tb xmode pdb "
    "load_ext reload_ext unload_ext autoreload memit mprun lprun alias save notebook edit automagic "
    "doctest_mode page pprint profile rerun gui dhist popd pushd bookmark logstart logstop perl ruby "
    "cmd llmos"
)

# The import that usually stands behind a name; what small models most often leave out.
_USUAL_IMPORTS = {
    "pd": "import pandas as pd", "np": "import numpy as np", "plt": "import matplotlib.pyplot as plt",
    "sns": "import seaborn as sns", "px": "import plotly.express as px", "go": "import plotly.graph_objects as go",
    "pl": "import polars as pl", "mpl": "import matplotlib as mpl", "sm": "import statsmodels.api as sm",
    "smf": "import statsmodels.formula.api as smf", "tf": "import tensorflow as tf", "nn": "from torch import nn",
    "F": "import torch.nn.functional as F", "xgb": "import xgboost as xgb", "lgb": "import lightgbm as lgb",
    "nx": "import networkx as nx", "sp": "import scipy as sp", "stats": "from scipy import stats",
    "dt": "import datetime as dt", "Path": "from pathlib import Path", "datetime": "from datetime import datetime",
    "timedelta": "from datetime import timedelta", "date": "from datetime import date",
    "Counter": "from collections import Counter", "defaultdict": "from collections import defaultdict",
    "OrderedDict": "from collections import OrderedDict", "deque": "from collections import deque",
    "namedtuple": "from collections import namedtuple", "partial": "from functools import partial",
    "reduce": "from functools import reduce", "lru_cache": "from functools import lru_cache",
    "chain": "from itertools import chain", "combinations": "from itertools import combinations",
    "permutations": "from itertools import permutations", "product": "from itertools import product",
    "dataclass": "from dataclasses import dataclass", "Decimal": "from decimal import Decimal",
    "StringIO": "from io import StringIO", "BytesIO": "from io import BytesIO", "sleep": "from time import sleep",
    "sqrt": "from math import sqrt", "pi": "from math import pi", "ceil": "from math import ceil",
    "floor": "from math import floor", "pprint": "from pprint import pprint", "tqdm": "from tqdm import tqdm",
    "train_test_split": "from sklearn.model_selection import train_test_split",
    "cross_val_score": "from sklearn.model_selection import cross_val_score",
    "GridSearchCV": "from sklearn.model_selection import GridSearchCV",
    "LinearRegression": "from sklearn.linear_model import LinearRegression",
    "LogisticRegression": "from sklearn.linear_model import LogisticRegression",
    "RandomForestClassifier": "from sklearn.ensemble import RandomForestClassifier",
    "RandomForestRegressor": "from sklearn.ensemble import RandomForestRegressor",
    "KMeans": "from sklearn.cluster import KMeans", "PCA": "from sklearn.decomposition import PCA",
    "StandardScaler": "from sklearn.preprocessing import StandardScaler",
    "MinMaxScaler": "from sklearn.preprocessing import MinMaxScaler",
    "LabelEncoder": "from sklearn.preprocessing import LabelEncoder",
    "accuracy_score": "from sklearn.metrics import accuracy_score",
    "mean_squared_error": "from sklearn.metrics import mean_squared_error",
    "r2_score": "from sklearn.metrics import r2_score",
    "confusion_matrix": "from sklearn.metrics import confusion_matrix",
    "classification_report": "from sklearn.metrics import classification_report",
    "List": "from typing import List", "Dict": "from typing import Dict", "Any": "from typing import Any, Literal",
    "Optional": "from typing import Optional", "Tuple": "from typing import Tuple", "Union": "from typing import Union",
    "Callable": "from typing import Callable", "Image": "from PIL import Image",
    "Markdown": "from IPython.display import Markdown", "HTML": "from IPython.display import HTML",
    "clear_output": "from IPython.display import clear_output",
}  # fmt: skip
_USUAL_MODULES = words(
    "re math json os sys random time itertools functools collections statistics string csv io "
    "datetime calendar copy glob shutil subprocess pickle sqlite3 logging warnings typing pathlib "
    "textwrap operator decimal fractions uuid hashlib base64 urllib requests scipy sklearn torch "
    "pandas numpy matplotlib seaborn plotly polars joblib contextlib tempfile asyncio threading types inspect pprint "
    "heapq bisect struct zipfile gzip ast traceback"
)


def undefined(tree: ast.Module, namespace: Mapping[str, Any]) -> Iterator[Finding]:
    """Names that the candidate reads and nothing defines."""
    known = {n for n in namespace if type(n) is str} | IPYTHON_NAMES
    if _defines_unseen_names(tree):
        return
    check = checker.Checker(_without_await(tree), builtins=known)
    places = {(n.lineno, n.col_offset, n.id) for n in ast.walk(tree) if isinstance(n, ast.Name)}
    starred = _star_names(tree)
    guarded = _asked_for(tree)
    names = sorted(known | set(_bound(tree)))
    for message in check.messages:
        name = message.message_args[0] if message.message_args else None
        if not isinstance(name, str) or name in guarded:
            continue
        if isinstance(message, messages.ImportStarUsage):
            if starred is None or name in starred:
                continue
        elif not isinstance(message, messages.UndefinedName | messages.UndefinedLocal):
            continue
        if (message.lineno, message.col, name) not in places:  # a string annotation: never evaluated
            continue
        yield _undefined(name, message.lineno, names, isinstance(message, messages.UndefinedLocal))
    if "__file__" not in known | set(_bound(tree)):
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id == "__file__":
                yield Finding(
                    kind="undefined-name",
                    severity="error",
                    message="`__file__` is not defined in a notebook: use `Path.cwd()` for the current folder.",
                    line=node.lineno,
                    name="__file__",
                    suggestions=["Path.cwd()"],
                )


class _Awaited(ast.NodeTransformer):
    def visit_Await(self, node: ast.Await) -> ast.AST:
        return self.visit(node.value)  # type: ignore[no-any-return]


def _without_await(tree: ast.Module) -> ast.Module:
    """pyflakes does not look into an `await` at top level, which a notebook allows."""
    if not any(isinstance(n, ast.Await) for n in ast.walk(tree)):
        return tree
    plain: ast.Module = _Awaited().visit(copy.deepcopy(tree))
    return plain


def _undefined(name: str, line: int, names: list[str], local: bool) -> Finding:
    usual = _USUAL_IMPORTS.get(name) or (f"import {name}" if name in _USUAL_MODULES else None)
    near = nearest(name, (n for n in names if not n.startswith("_")))
    near = near or difflib.get_close_matches(name, _BUILTINS, 1, 0.75)
    if local:
        text = f"The function reads `{name}` before it assigns it: pass it as an argument or use another name."
    elif usual:
        text = f"The name `{name}` is not defined: add `{usual}` first."
        near = [usual, *(n for n in near if n.lower() == name.lower())]
    elif near:
        text = f"The name `{name}` is not defined{did_you_mean(near)}; define it first or use a name that exists."
    else:
        text = f"The name `{name}` is not defined: define or import it first."
    # A function that is never called does no harm; a name that exists nowhere is a mistake anywhere.
    severity: Literal["error", "warning"] = "warning" if local else "error"
    return Finding(kind="undefined-name", severity=severity, message=text, line=line, name=name, suggestions=near)


def _bound(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name


def _star_names(tree: ast.Module) -> set[str] | None:
    """What `from m import *` brings; None if a module is not loaded, so that it cannot be told."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(a.name == "*" for a in node.names):
            module = sys.modules.get(node.module or "") if not node.level else None
            if module is None or not live.is_module(module) or live.static(module, "__getattr__") is not live.MISSING:
                return None
            found.update(n for n in live.members(module))
    return found


def _asked_for(tree: ast.AST) -> set[str]:
    """Names the candidate itself looks up in `globals()` and the like before it uses them."""
    asks = {"globals", "locals", "dir", "vars"}
    if not any(isinstance(n, ast.Name) and n.id in asks for n in ast.walk(tree)):
        return set()
    return {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def _defines_unseen_names(tree: ast.AST) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id == "exec":
                return True
            if isinstance(node.func, ast.Attribute) and node.func.attr in {"update", "push", "ex", "setdefault"}:
                holder = node.func.value
                if isinstance(holder, ast.Call) and isinstance(holder.func, ast.Name):
                    if holder.func.id in {"globals", "locals", "vars", "get_ipython"}:
                        return True
                elif isinstance(holder, ast.Attribute) and holder.attr == "user_ns":
                    return True
            found = magic_of(node)
            if found and found[0].endswith("_magic") and found[1] not in _NAMELESS_MAGICS:
                return True
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            holder = node.value
            if isinstance(holder, ast.Call) and isinstance(holder.func, ast.Name):
                if holder.func.id in {"globals", "locals", "vars"}:
                    return True
            elif isinstance(holder, ast.Attribute) and holder.attr == "user_ns":
                return True
    return False


# --- binding ----------------------------------------------------------------------------------


def bindings(tree: ast.Module, namespace: Mapping[str, Any]) -> Iterator[Finding]:
    """Names bound at the level of the module that belong to Python or to the user already."""
    for name, line, how, node in _module_bindings(tree.body):
        same = how == "imported" and (name in {"display", "get_ipython"} or _same(node, name, namespace))
        users = name in namespace and name not in IPYTHON_NAMES
        if how != "deleted" and name in _BUILTINS and not same and not users:
            yield Finding(
                kind="shadowed-builtin",
                severity="warning",
                message=f"`{name}` hides the builtin `{name}` from here on in this notebook: use another name.",
                line=line,
                name=name,
            )
        if name.startswith("_") or name in IPYTHON_NAMES or name not in namespace:
            continue
        value = namespace[name]
        if how == "imported" and _same(node, name, namespace):
            continue
        what = _what(value)
        if how == "deleted":
            text = f"`{name}`, {what} of the notebook, is deleted."
            severe = True
        else:
            severe = (live.is_module(value) or callable_kind(value)) and not (
                (how == "defined" and callable_kind(value)) or (how == "imported" and live.is_module(value))
            )
            text = f"`{name}`, {what} of the notebook, is given a new value" + (
                ": later cells that use it will fail; use another name." if severe else "."
            )
        yield Finding(kind="rebinds-name", severity="warning" if severe else "note", message=text, line=line, name=name)


def callable_kind(value: Any) -> bool:
    kind = live.class_name(type(value))
    return live.is_class(value) or kind in {"function", "builtin_function_or_method", "method", "ufunc"}


def _what(value: Any) -> str:
    if live.is_module(value):
        return f"the module {live.module_name(value)}"
    if live.is_class(value):
        return "a class"
    if callable_kind(value):
        return "a function"
    return f"a variable of type {live.class_name(type(value))}"


def _same(node: ast.AST, name: str, namespace: Mapping[str, Any]) -> bool:
    """Whether an import binds a name to the very object it already has."""
    from llmos_jupyter.agent.inspection.imports import imported

    old = namespace.get(name, getattr(builtins, name, live.MISSING))
    return any(bound == name and ref is not live.MISSING and ref is old for bound, ref in imported(node))


_Binding = tuple[str, int, str, ast.AST]


def _module_bindings(body: list[ast.stmt]) -> Iterator[_Binding]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno, "defined", node
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                if alias.name != "*":
                    yield alias.asname or alias.name.partition(".")[0], node.lineno, "imported", node
            continue
        how = "deleted" if isinstance(node, ast.Delete) else "assigned"
        for part in _own_expressions(node):
            for name in _stored(part):
                yield name.id, name.lineno, how, node
        for block in _blocks(node):
            yield from _module_bindings(block)


def _own_expressions(node: ast.stmt) -> Iterator[ast.AST]:
    for field, value in ast.iter_fields(node):
        if field in {"body", "orelse", "finalbody", "handlers", "cases"}:
            continue
        yield from (v for v in (value if isinstance(value, list) else [value]) if isinstance(v, ast.AST))


def _stored(node: ast.AST) -> Iterator[ast.Name]:
    """Names stored or deleted by an expression, not in the scopes within it."""
    if isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        return
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from _stored(child)


def _blocks(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    for field in ("body", "orelse", "finalbody"):
        block = getattr(node, field, None)
        if isinstance(block, list):
            yield block
    for handler in getattr(node, "handlers", []):
        yield handler.body
    for case in getattr(node, "cases", []):
        yield case.body
