"""Names that take what a call gives in the wrong order: `p_value, stat = shapiro(x)` gives the statistic first.

Certain only where what is given says how its parts are called (`statistic, pvalue`), and a name on the left is one of
these in another's place. Looked at in the copy of the kernel after the run, where the call is made once more.
"""

from __future__ import annotations

import ast
import contextlib
import io
from collections.abc import Iterator, Mapping
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.hints.of_failure import if_library
from llmos_jupyter.agent.inspection import source
from llmos_jupyter.agent.mending.nearest import plain
from llmos_jupyter.protocol import Edit

# Seconds that the whole run took at the most; an import is often the longest part.
LONGEST = 5.0
# Packages whose functions give tuples with named parts, and do nothing else.
_NAMING = frozenset(["scipy", "numpy", "statsmodels"])


def swapped(code: str, namespace: Mapping[str, Any]) -> list[Edit]:
    """What belongs on the left of such assignments. Functions are called: only for a copy that ends with the run."""
    read = source.read(code, None)
    return [edit for node in read.tree.body for edit in _edits(node, namespace)] if read.numbered else []


def _edits(node: ast.stmt, namespace: Mapping[str, Any]) -> Iterator[Edit]:
    if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and len(node.targets) == 1):
        return
    target = node.targets[0]
    names = [part.id for part in target.elts if isinstance(part, ast.Name)] if isinstance(target, ast.Tuple) else []
    if (
        not isinstance(target, ast.Tuple)
        or not 1 < len(names) == len(target.elts)
        or target.lineno != target.end_lineno
    ):
        return
    function = if_library(_function(node.value.func, namespace))
    if function is None or str(function.__module__).partition(".")[0] not in _NAMING:
        return
    # A call that fails says so when the code runs: here is only nothing to mend.
    with contextlib.suppress(Exception, SystemExit), contextlib.redirect_stdout(io.StringIO()):
        given = eval(compile(ast.Expression(node.value), "<call>", "eval"), dict(namespace))
        fields = live.static(type(given), "_fields")
        if not live.derived(type(given), tuple) or not live.kind(fields, tuple, list) or len(fields) != len(names):
            return
        right = _in_order(names, [field for field in fields if type(field) is str])
        if right != names:
            yield Edit(
                line=target.lineno,
                start=target.col_offset,
                end=target.end_col_offset or 0,
                text=", ".join(right),
                why=f"`{ast.unparse(node.value.func)}` gives {', '.join(fields)}, in this order",
            )


def _function(node: ast.expr, namespace: Mapping[str, Any]) -> Any:
    """What a name, or a module's or class's attribute, stands for."""
    if isinstance(node, ast.Name):
        return namespace.get(node.id, live.MISSING)
    if isinstance(node, ast.Attribute):
        owner = _function(node.value, namespace)
        return live.static(owner, node.attr) if live.is_module(owner) or live.is_class(owner) else live.MISSING
    return live.MISSING


def _in_order(names: list[str], fields: list[str]) -> list[str]:
    """The names with the two exchanged of which one is a field that stands in the other's place."""
    meant = [
        next((at for at, field in enumerate(fields) if plain(name).endswith(plain(field))), None) for name in names
    ]
    wrong = [(here, there) for here, there in enumerate(meant) if there is not None and there != here]
    # The name in its place is no field at all, or is the other of the two.
    places = {frozenset(pair) for pair in wrong}
    if len(places) != 1 or any(meant[there] not in (None, here) for here, there in wrong):
        return names
    here, there = wrong[0]
    order = list(names)
    order[here], order[there] = order[there], order[here]
    return order
