"""Repairs that need no model: a missing import of a known library, a column written in another case or one letter off.

Only where nothing else can be meant, and never in silence: each repair is a finding of kind `mended`.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Mapping
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.mending import attributes as mending_attributes
from llmos_jupyter.agent.mending import builtin_names as mending_builtins
from llmos_jupyter.agent.mending import labels as mending_labels
from llmos_jupyter.agent.mending import names as mending_names
from llmos_jupyter.agent.mending.column_values import by_values
from llmos_jupyter.agent.mending.nearest import plain
from llmos_jupyter.agent.mending.outdated import outdated
from llmos_jupyter.protocol import Finding

# The names everybody gives to libraries, and where often used names come from.
ALIASES = {
    "pd": "import pandas as pd",
    "np": "import numpy as np",
    "plt": "import matplotlib.pyplot as plt",
    "mpl": "import matplotlib as mpl",
    "mdates": "import matplotlib.dates as mdates",
    "sns": "import seaborn as sns",
    "px": "import plotly.express as px",
    "go": "import plotly.graph_objects as go",
    "pl": "import polars as pl",
    "sp": "import scipy as sp",
    "sm": "import statsmodels.api as sm",
    "smf": "import statsmodels.formula.api as smf",
    "dt": "import datetime as dt",
}
MEMBERS = {
    "collections": "Counter OrderedDict defaultdict deque namedtuple",
    "datetime": "date datetime timedelta timezone",
    "decimal": "Decimal",
    "fractions": "Fraction",
    "functools": "lru_cache partial reduce",
    "itertools": "accumulate chain combinations groupby islice permutations product",
    "dataclasses": "dataclass",
    "pathlib": "Path",
    "pprint": "pprint",
    "zoneinfo": "ZoneInfo",
    "math": "ceil floor sqrt",
    "scipy": "stats",
    "sklearn.cluster": "AgglomerativeClustering DBSCAN KMeans",
    "sklearn.compose": "ColumnTransformer",
    "sklearn.decomposition": "PCA",
    "sklearn.ensemble": "GradientBoostingClassifier GradientBoostingRegressor RandomForestClassifier "
    "RandomForestRegressor",
    "sklearn.feature_extraction.text": "CountVectorizer TfidfVectorizer",
    "sklearn.impute": "SimpleImputer",
    "sklearn.linear_model": "Lasso LinearRegression LogisticRegression Ridge",
    "sklearn.metrics": "accuracy_score classification_report confusion_matrix f1_score mean_absolute_error "
    "mean_squared_error r2_score roc_auc_score silhouette_score",
    "sklearn.model_selection": "GridSearchCV KFold cross_val_score train_test_split",
    "sklearn.naive_bayes": "GaussianNB MultinomialNB",
    "sklearn.neighbors": "KNeighborsClassifier KNeighborsRegressor",
    "sklearn.pipeline": "Pipeline make_pipeline",
    "sklearn.preprocessing": "LabelEncoder MinMaxScaler OneHotEncoder OrdinalEncoder PolynomialFeatures StandardScaler",
    "sklearn.svm": "SVC SVR",
    "sklearn.tree": "DecisionTreeClassifier DecisionTreeRegressor",
}
_HOMES = {name: f"from {module} import {name}" for module, names in MEMBERS.items() for name in names.split()}
# Importing opens no door: what the code then does with a module is inspected again.
_STANDARD = frozenset(
    ["bisect", "calendar", "collections", "copy", "csv", "dataclasses", "datetime", "decimal", "fractions", "functools",
     "glob", "heapq", "io", "itertools", "json", "math", "operator", "os", "pathlib", "pprint", "random", "re",
     "statistics", "string", "sys", "textwrap", "time", "types", "typing", "unicodedata", "warnings"]
)  # fmt: skip


def mend(code: str, findings: list[Finding], namespace: Mapping[str, Any]) -> tuple[str, list[Finding]]:
    """The code with what can be repaired repaired, and a finding for each repair; the same code if nothing can."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return code, []
    repairs: list[Finding] = []
    edits: mending_names.Edits = {}
    imports: list[str] = []
    if any(finding.kind == "unknown-column" and finding.severity == "error" for finding in findings):
        edits, found = mending_labels.labels(tree, namespace)
        repairs += [told(*one) for one in found]
    done = {(repair.name, repair.line) for repair in repairs}
    for finding in findings:
        if (finding.name, finding.line) in done:
            continue
        if finding.severity != "error" or not finding.name:
            continue
        if finding.kind == "undefined-name" and (line := _import_for(finding.name, tree)):
            if line not in imports:
                imports.append(line)
                repairs.append(told(f"added the missing `{line}`", None, finding.name))
        elif finding.kind == "undefined-name" and (real := mending_names.variable(finding.name, tree, namespace)):
            edits |= mending_names.renamed(tree, finding.name, real)
            repairs.append(told(f"the name `{finding.name}` was written `{real}`", finding.line, finding.name))
        elif finding.kind == "unknown-column" and (real := _only_one_near(finding.name, finding, namespace, tree)):
            places = _places(code, tree, finding.name, finding.line, real)
            edits |= places
            if places:
                repairs.append(told(f"the column {finding.name!r} was written {real!r}", finding.line, finding.name))
    # One kind at a time: places are those of the code as it stands.
    for others in (
        outdated, mending_names.datetimes, mending_names.merged, mending_builtins.hidden, mending_attributes.columns,
        mending_names.words, by_values, _lost,
    ):  # fmt: skip
        if not edits:
            edits, found = others(tree, namespace)
            repairs += [told(*one) for one in found]
    if not repairs:
        return code, []
    mended = edited(code, edits)
    return "\n".join([*imports, mended]), repairs


def _lost(tree: ast.Module, namespace: Mapping[str, Any]) -> tuple[mending_names.Edits, list[mending_names.Told]]:
    """Changes and results that are thrown away."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Expr):
            continue
        here = (node.lineno, node.col_offset, node.end_col_offset or 0)
        if better := _chained_inplace(node, namespace):
            told = f"a change of a column's copy, which is lost, was written `{better}`"
            return {here: better}, [(told, node.lineno, "inplace")]
        # In a `try` or a loop it may be there for what it raises.
        if node in tree.body[:-1] and (edits := _discarded(node, tree.body[-1], namespace)):
            return edits, [("a result that was thrown away was kept", node.lineno, "discarded")]
    return {}, []


def _chained_inplace(node: ast.Expr, namespace: Mapping[str, Any]) -> str:
    """`df['a'].fillna(0, inplace=True)` changes a copy since pandas 3 (copy-on-write): what was meant, or nothing."""
    pandas = sys.modules.get("pandas")
    version = str(live.static(pandas, "__version__")) if pandas is not None else ""
    if not version or int(version.partition(".")[0]) < 3 or node.lineno != node.end_lineno:
        return ""
    call = node.value
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
        return ""
    column = call.func.value
    owner = column.value if isinstance(column, (ast.Subscript, ast.Attribute)) else None
    if not (isinstance(owner, ast.Name) and live.is_frame(namespace.get(owner.id))):
        return ""
    inplace = [k for k in call.keywords if k.arg == "inplace" and getattr(k.value, "value", None) is True]
    if not inplace:
        return ""
    called = ast.Call(call.func, call.args, [k for k in call.keywords if k is not inplace[0]])
    return f"{ast.unparse(column)} = {ast.unparse(called)}"


# Methods of tables and columns that change nothing, and whose result is the changed table or column.
_RETURNING = frozenset(
    ["fillna", "ffill", "bfill", "replace", "astype", "rename", "drop", "dropna", "drop_duplicates", "sort_values",
     "sort_index", "reset_index", "set_index", "round", "clip", "interpolate", "assign", "strip", "lower", "upper",
     "title", "capitalize"]
)  # fmt: skip


def _discarded(node: ast.Expr, last: ast.stmt, namespace: Mapping[str, Any]) -> mending_names.Edits:
    """`df['a'].fillna(0)` or `df.dropna()` as a statement does nothing: the assignment that was meant. Of a table that
    is only shown afterwards, the result is shown instead."""
    call = node.value
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and node.lineno == node.end_lineno):
        return {}
    if call.func.attr not in _RETURNING or any(k.arg == "inplace" for k in call.keywords):
        return {}
    changed = call.func.value
    if isinstance(changed, ast.Attribute) and changed.attr == "str":
        changed = changed.value
    owner = changed.value if isinstance(changed, ast.Subscript) else changed
    if isinstance(changed, ast.Subscript) and not isinstance(changed.slice, ast.Constant):
        return {}
    if not (isinstance(owner, ast.Name) and live.is_frame(namespace.get(owner.id))):
        return {}
    here = (node.lineno, node.col_offset, node.end_col_offset or 0)
    if isinstance(changed, ast.Subscript):
        return {here: f"{ast.unparse(changed)} = {ast.unparse(call)}"}
    if isinstance(last, ast.Expr) and isinstance(last.value, ast.Name) and last.value.id == owner.id:
        return {here: "", (last.lineno, last.col_offset, last.end_col_offset or 0): ast.unparse(call)}
    return {}


def told(what: str, line: int | None, name: str) -> Finding:
    """A repair, as a finding."""
    return Finding(kind="mended", severity="note", message=f"Mended without the model: {what}.", line=line, name=name)


def _import_for(name: str, tree: ast.Module) -> str:
    line = ALIASES.get(name) or _HOMES.get(name) or (f"import {name}" if name in _STANDARD else "")
    if name == "datetime" and any(
        isinstance(node, ast.Attribute)
        and node.attr in ("datetime", "timedelta", "date", "timezone")
        and isinstance(node.value, ast.Name)
        and node.value.id == name
        for node in ast.walk(tree)
    ):
        line = "import datetime"
    module = line.split()[1] if line else ""
    return line if module and _installed(module.partition(".")[0]) else ""


def _installed(package: str) -> bool:
    if package in sys.modules:
        return True
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def _only_one_near(name: str, finding: Finding, namespace: Mapping[str, Any], tree: ast.Module) -> str:
    """The one real column that can be meant: the same letters, or one letter off, and nothing else is as near."""
    columns: set[str] = set()
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for user, value in namespace.items():
        if user in used and (live.is_frame(value) or live.is_polars(value)):
            columns |= {label for label in live.column_labels(value) or [] if type(label) is str}
    if name in columns:
        return ""
    columns |= {label for label in finding.suggestions if not label.startswith("('")}  # no tuples in words
    same = [column for column in columns if plain(column) == plain(name)]
    near = same or [column for column in columns if _one_letter_off(column.lower(), name.lower())]
    return near[0] if len(near) == 1 and near[0] in finding.suggestions else ""


def _one_letter_off(one: str, other: str) -> bool:
    """A letter too many, too few, another, or two exchanged; never a digit, which makes another column."""
    if min(len(one), len(other)) < 4 or abs(len(one) - len(other)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[start:], other[start:]
    differs = a[:1] + b[:1]
    if any(character.isdigit() for character in differs):
        return False
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[:2][::-1] and a[2:] == b[2:])


def _places(code: str, tree: ast.Module, wrong: str, line: int | None, right: str) -> dict[tuple[int, int, int], str]:
    """Where the wrong label stands: `(line, first byte, last byte)` and what belongs there."""
    lines = code.splitlines()
    found: dict[tuple[int, int, int], str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value == wrong and type(node.value) is str:
            source = lines[node.lineno - 1].encode()[node.col_offset : node.end_col_offset].decode()
            alone = node.lineno == node.end_lineno and (line is None or node.lineno == line)
            if alone and re.fullmatch(r"(['\"]).*\1", source):
                found[(node.lineno, node.col_offset, node.end_col_offset or 0)] = repr(right)
        elif isinstance(node, ast.Attribute) and node.attr == wrong and right.isidentifier():
            end = node.end_col_offset or 0
            if node.end_lineno == (line or node.end_lineno):
                found[(node.end_lineno or 0, end - len(wrong.encode()), end)] = right
    return found


def edited(code: str, edits: dict[tuple[int, int, int], str]) -> str:
    """The code with other text at the places given: line, first byte, last byte."""
    lines = code.split("\n")
    for (number, start, end), text in sorted(edits.items(), reverse=True):
        raw = lines[number - 1].encode()
        lines[number - 1] = (raw[:start] + text.encode() + raw[end:]).decode()
    return "\n".join(lines)
