"""Requests that change one thing of the last answer: "no, the median", "now by region", "only for the South", "the same
for df2". What they mean is the last answer's code with that one thing changed, which needs no model."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llmos_jupyter.agent.inspection import live
from llmos_jupyter.agent.inspection.literals import words_of
from llmos_jupyter.agent.inspection.nearest import plain

_LEAD = r"^\W*(?:(?:no|not that|and|now|then|but|ok|okay|please|so|actually|sorry|不对|不|那|现在|再)[\s,，;:]*)*"
_END = r"(?:[\s,]+(?:instead|please|then|now|too|as well|again))*\s*(?:呢|吧)?\s*[.!?？。]*\s*$"
_STATISTICS = {
    "mean": r"mean|average|平均(?:值|数|分)?",
    "median": r"median|中位数",
    "sum": r"sum|total|总(?:和|数|额)|合计",
    "max": r"max(?:imum)?|highest|largest|最(?:高|大)(?:值|分)?",
    "min": r"min(?:imum)?|lowest|smallest|最(?:低|小)(?:值|分)?",
    "std": r"standard deviation|std|标准差",
    "count": r"count|number|个数",
}
_STATISTIC = [
    (name, re.compile(rf"{_LEAD}(?:i meant? |take |我要)?(?:the |its |their )?(?:{words})(?: of them)?{_END}", re.I))
    for name, words in _STATISTICS.items()
]
_BY = re.compile(rf"{_LEAD}(?:(?:grouped )?by|per|for each|for every|in each|按)\s*(?:the )?(\w[\w ]*?){_END}", re.I)
_SAME = re.compile(
    rf"{_LEAD}(?:do )?(?:the )?(?:same|that)(?: thing)? (?:for|with|on|of) (?:the )?(\w[\w ]*?){_END}"
    rf"|{_LEAD}(\w+?)\s*(?:也一样|也是)",
    re.I,
)
_ONLY = re.compile(
    rf"{_LEAD}(?:(?:only|just)(?: (?:for|in|from|at|on|of))?|(?:for|in|from) only|只(?:看|要|算)?)\s*"
    rf"(?:the )?(.+?){_END}",
    re.I,
)


def followed_up(request: str, answers: Sequence[str], namespace: Mapping[str, Any]) -> str:
    """The last answer's code with the one thing changed that the request names; empty if that is not what it does."""
    if not answers or len(request) > 80:
        return ""
    try:
        last = ast.parse(answers[-1])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    tables = sorted({n.id for n in ast.walk(last) if isinstance(n, ast.Name) and live.is_frame(namespace.get(n.id))})
    for change in (_statistic, _grouping, _same, _only):
        if changed := change(request, last, tables, namespace):
            return changed
    return ""


def _statistic(request: str, last: ast.Module, tables: list[str], namespace: Mapping[str, Any]) -> str:
    wanted = next((name for name, words in _STATISTIC if words.search(request)), "")
    calls = [n for n in ast.walk(last) if isinstance(n, ast.Call) and _name(n) in _STATISTICS]
    if not wanted or len(calls) != 1 or _name(calls[0]) == wanted or not isinstance(calls[0].func, ast.Attribute):
        return ""
    old = calls[0]
    return _written(last, lambda node: _called(node, wanted) if node is old else node)


def _grouping(request: str, last: ast.Module, tables: list[str], namespace: Mapping[str, Any]) -> str:
    found = _BY.search(request)
    groups = [n for n in ast.walk(last) if isinstance(n, ast.Call) and _name(n) == "groupby" and len(n.args) == 1]
    if not found or len(groups) != 1 or len(tables) != 1 or not isinstance(groups[0].args[0], ast.Constant):
        return ""
    column, key = _column(found[1], namespace[tables[0]]), groups[0].args[0]
    if not column or column == key.value:
        return ""
    return _written(last, lambda node: ast.Constant(column) if node is key else node)


def _same(request: str, last: ast.Module, tables: list[str], namespace: Mapping[str, Any]) -> str:
    found = _SAME.search(request)
    wanted = (found[1] or found[2]).strip() if found else ""
    if not wanted or len(tables) != 1:
        return ""
    other = namespace.get(wanted)
    if live.is_frame(other) and wanted != tables[0]:
        labels = set(live.column_labels(namespace[tables[0]]) or [])
        used = {n.value for n in ast.walk(last) if isinstance(n, ast.Constant)} & labels
        if not used <= set(live.column_labels(other) or []):
            return ""
        return _written(last, lambda node: ast.Name(wanted) if getattr(node, "id", "") == tables[0] else node)
    column = _column(wanted, namespace[tables[0]])
    values = [n for n in ast.walk(last) if isinstance(n, ast.Constant) and _is_number(n.value, namespace[tables[0]])]
    if not column or not _is_number(column, namespace[tables[0]]) or len({v.value for v in values}) != 1:
        return ""
    return _written(last, lambda node: ast.Constant(column) if node in values else node)


def _only(request: str, last: ast.Module, tables: list[str], namespace: Mapping[str, Any]) -> str:
    found = _ONLY.search(request)
    if not found or len(tables) != 1:
        return ""
    name, table = tables[0], namespace[tables[0]]
    places = [
        (label, word)
        for label in live.column_labels(table) or []
        if type(label) is str
        for word in words_of(table, label)
        if plain(word) == plain(found[1])
    ]
    if len(places) != 1:
        return ""
    (label, word), first = places[0], True
    rows = ast.parse(f"{name}[{name}[{label!r}] == {word!r}]", mode="eval").body

    def filtered(node: ast.AST) -> ast.AST:
        nonlocal first
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
            first = False
            return rows
        return node

    code = _written(last, filtered)
    return "" if first else code


def _column(words: str, table: Any) -> str:
    """The table's column that is called so; empty if none or several are."""
    labels = [label for label in live.column_labels(table) or [] if type(label) is str]
    same = [label for label in labels if plain(label) == plain(words) or plain(label) == plain(words.rstrip("s"))]
    return same[0] if len(same) == 1 else ""


def _is_number(label: object, table: Any) -> bool:
    if type(label) is not str or label not in (live.column_labels(table) or []):
        return False
    return str(table.dtypes[label]).startswith(("int", "float", "Int", "Float"))


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _called(node: ast.AST, name: str) -> ast.AST:
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Attribute)
    return ast.Call(ast.Attribute(node.func.value, name, ast.Load()), node.args, node.keywords)


def _written(last: ast.Module, change: Callable[[ast.AST], ast.AST]) -> str:
    """The code with every node changed; what it assigned and showed is only shown, so that the last answer stays."""

    class Changing(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            changed = change(node)
            return changed if changed is not node else self.generic_visit(node)

    # The tree was parsed for this, and is not used again.
    Changing().visit(last)
    body = last.body
    if len(body) >= 2 and isinstance(body[-1], ast.Expr) and isinstance(body[-1].value, ast.Name):
        made = body[-2]
        if isinstance(made, ast.Assign) and len(made.targets) == 1:
            shown = getattr(made.targets[0], "id", "") == body[-1].value.id
            body = [*body[:-2], ast.Expr(made.value)] if shown else body
    return "\n".join(ast.unparse(ast.fix_missing_locations(node)) for node in body)
