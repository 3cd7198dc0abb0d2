"""What libraries have dropped since the models learned them, written as it is written now.

Each rewriting keeps its meaning exactly; what would need a guess is left to the model, with the error.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.mending.names import Edits, Told

# pandas 3 dropped the old spellings of these frequencies (its release notes, "Removal of prior version deprecations").
_FREQUENCIES = {"M": "ME", "Q": "QE", "Y": "YE", "A": "YE", "BM": "BME", "BQ": "BQE", "H": "h", "T": "min", "S": "s"}
_FREQUENCY_CALLS = frozenset(["resample", "Grouper", "date_range", "asfreq", "period_range"])
_FILLS = {"ffill": "ffill", "pad": "ffill", "bfill": "bfill", "backfill": "bfill"}
# Of numpy, since 1.24 and 2.0.
_NUMPY = {"float": "float", "int": "int", "bool": "bool", "object": "object", "str": "str", "complex": "complex",
          "Inf": "np.inf", "NaN": "np.nan", "NAN": "np.nan", "float_": "np.float64", "product": "np.prod",
          "cumproduct": "np.cumprod", "trapz": "np.trapezoid", "in1d": "np.isin", "row_stack": "np.vstack",
          "alltrue": "np.all", "sometrue": "np.any"}  # fmt: skip
_METHODS = {"iteritems": "items", "applymap": "map", "as_matrix": "to_numpy"}


def outdated(tree: ast.Module, namespace: Mapping[str, Any]) -> tuple[Edits, list[Told]]:
    """The first such place that can be written anew."""
    for node in ast.walk(tree):
        if getattr(node, "lineno", None) is None or getattr(node, "lineno", 0) != getattr(node, "end_lineno", 0):
            continue
        new = _renewed(node)
        if new and isinstance(node, ast.expr):
            here = (node.lineno, node.col_offset, node.end_col_offset or 0)
            return {here: new}, [
                (f"`{ast.unparse(node)}`, which is gone, was written `{new}`", node.lineno, "outdated")
            ]
    return {}, []


def _renewed(node: ast.AST) -> str:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _fill(node, node.func) or _frequency(node, node.func)
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "OneHotEncoder":
        return _keyword(node, "sparse", "sparse_output")
    if isinstance(node, ast.Attribute):
        owner = getattr(node.value, "id", "")
        if owner in ("np", "numpy") and node.attr in _NUMPY and _lacks("numpy", node.attr):
            return _NUMPY[node.attr]
        if node.attr in _METHODS and owner not in ("np", "numpy") and _lacks("pandas", "DataFrame", node.attr):
            return f"{ast.unparse(node.value)}.{_METHODS[node.attr]}"
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Call) and isinstance(node.slice, ast.Tuple):
        called = node.value.func
        texts = all(isinstance(part, ast.Constant) and type(part.value) is str for part in node.slice.elts)
        if isinstance(called, ast.Attribute) and called.attr == "groupby" and texts:
            return f"{ast.unparse(node.value)}[[{', '.join(ast.unparse(part) for part in node.slice.elts)}]]"
    return ""


def _fill(call: ast.Call, func: ast.Attribute) -> str:
    """`fillna(method='ffill')`."""
    method = next((k for k in call.keywords if k.arg == "method"), None)
    if func.attr != "fillna" or method is None or call.args or not isinstance(method.value, ast.Constant):
        return ""
    name = _FILLS.get(str(method.value.value))
    if name is None or _version("pandas") < 3:
        return ""
    others = [k for k in call.keywords if k is not method]
    return ast.unparse(ast.Call(ast.Attribute(func.value, name), [], others))


def _frequency(call: ast.Call, func: ast.Attribute) -> str:
    if func.attr not in _FREQUENCY_CALLS or _version("pandas") < 3:
        return ""
    given = next((k.value for k in call.keywords if k.arg in ("freq", "rule")), None)
    if given is None and func.attr in ("resample", "asfreq") and call.args:
        given = call.args[0]
    if not isinstance(given, ast.Constant) or given.value not in _FREQUENCIES:
        return ""
    if func.attr == "period_range":
        return ""  # periods keep their old letters
    fresh = ast.parse(ast.unparse(call), mode="eval").body
    for node in ast.walk(fresh):
        if isinstance(node, ast.Constant) and node.value == given.value:
            node.value = _FREQUENCIES[str(given.value)]
    return ast.unparse(fresh)


def _keyword(call: ast.Call, old: str, new: str) -> str:
    if not any(k.arg == old for k in call.keywords) or _version("sklearn") < 1:
        return ""
    keywords = [ast.keyword(new if k.arg == old else k.arg, k.value) for k in call.keywords]
    return ast.unparse(ast.Call(call.func, call.args, keywords))


def _version(library: str) -> int:
    """The first number of a loaded library's version; 0 if it is not loaded."""
    module = sys.modules.get(library)
    version = live.static(module, "__version__") if module is not None else ""
    first = str(version).partition(".")[0]
    return int(first) if first.isdigit() else 0


def _lacks(library: str, *path: str) -> bool:
    """Whether the loaded library has no such attribute."""
    found: Any = sys.modules.get(library)
    for name in path:
        if found is None:
            return False
        found = live.static(found, name)
        if found is live.MISSING:
            return True
    return False
