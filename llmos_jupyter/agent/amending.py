"""Where a request says one thing and the code its opposite: the order of a sort, one statistic for another.

Both are one word in the code, and small models get them wrong more often than anything else. What is returned is the
whole code with that word put right; it is rehearsed, compared with the request again, and shown like any other repair.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from llmos_jupyter.agent.evidence import evidence
from llmos_jupyter.agent.inspection import live

_DOWN = re.compile(
    r"\b(?:best|highest|largest|biggest|greatest|newest|latest|most \w+|longest|heaviest|hottest|fastest|oldest person)"
    r"(?: \w+)? (?:ones? )?first\b|\bdescending\b|\bdecreasing\b|"
    r"\bfrom (?:the )?(?:high|large|big|best|most|long)\w* to\b|"
    r"\breverse(?:d)? (?:alphabetical )?order\b|降序|从高到低|从大到小|从多到少|由高到低|由大到小",
    re.I,
)
_UP = re.compile(
    r"\b(?:worst|lowest|smallest|least|cheapest|earliest|shortest|lightest|coldest|slowest|fewest)(?: \w+)? (?:ones? )?"
    r"first\b|\bascending\b|\bincreasing\b|\bfrom (?:the )?(?:low|small|worst|least|few|cheap|short)\w* to\b|"
    r"升序|从低到高|从小到大|从少到多|由低到高|由小到大",
    re.I,
)
_TOP = re.compile(
    r"\b(?:top|best|highest|largest|biggest|greatest|longest|most \w+)\s+(?:\d+|two|three|four|five|six|ten)\b|"
    r"\b(?:\d+|two|three|four|five|six|ten)\s+(?:best|highest|largest|biggest|greatest|longest|most)\b|"
    r"前(?:\d+|[一二两三四五六十])|最(?:高|大|多|长)的(?:\d+|[一二两三四五六十])",
    re.I,
)
_BOTTOM = re.compile(
    r"\b(?:bottom|worst|lowest|smallest|cheapest|shortest|fewest)\s+(?:\d+|two|three|four|five|six|ten)\b|"
    r"\b(?:\d+|two|three|four|five|six|ten)\s+(?:worst|lowest|smallest|cheapest|shortest|least|fewest)\b|"
    r"最(?:低|小|少|短)的(?:\d+|[一二两三四五六十])",
    re.I,
)
_STATISTICS = {
    "median": r"\bmedians?\b|中位数",
    "mean": r"(?<!k-)(?<!k )\b(?:mean|means|average|averages)\b|平均",
    "sum": r"\b(?:sum|sums|total|totals)\b(?! number)|总和|总额|合计",
    "std": r"\bstandard deviations?\b|标准差",
}
_OTHERS = re.compile(
    r"\b(?:max\w*|min\w*|highest|lowest|largest|smallest|count|how many|number of|variance|percent\w*|share|weighted|"
    r"per cent|"
    r"ratio|difference|minus|divided|above|below|than|deviations?)\b|最|多少|占比|差",
    re.I,
)


def amended(request: str, tree: ast.Module, code: str, namespace: Mapping[str, Any]) -> tuple[str, str]:
    """What is the other way round, in one sentence, and the whole code with it put right; empty texts for nothing."""
    for amend in (_order, _statistic, lambda request, tree: _together(request, tree, namespace)):
        told, place = amend(request, tree)
        if told and place:
            old, new = place
            return told, _put(code, old, new)
    return "", ""


def showing(code: str) -> str:
    """The code with what its last statement made shown at its end; empty if that is no assignment."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    last = tree.body[-1] if tree.body else None
    targets = last.targets if isinstance(last, ast.Assign) else [last.target] if isinstance(last, ast.AugAssign) else []
    target = targets[0] if len(targets) == 1 else None
    while isinstance(target, (ast.Subscript, ast.Attribute)):
        target = target.value
    return f"{code.rstrip()}\n{target.id}" if isinstance(target, ast.Name) else ""


def _together(request: str, tree: ast.Module, namespace: Mapping[str, Any]) -> _Found:
    """`groupby(...)['a'].mean()` where the request names "a and b", two columns of numbers of the same table."""
    tables = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and live.is_frame(namespace.get(node.id))
    }
    taken = [node for node in ast.walk(tree) if isinstance(node, ast.Subscript) and _grouped(node.value)]
    label = taken[0].slice.value if len(taken) == 1 and isinstance(taken[0].slice, ast.Constant) else None
    if len(tables) != 1 or type(label) is not str:
        return "", None
    table = namespace[tables.pop()]
    numeric = [
        other
        for other, dtype in zip(table.columns.tolist(), table.dtypes.tolist(), strict=True)
        if type(other) is str and str(dtype).startswith(("int", "float"))
    ]
    both = re.search(rf"(?<!\w){re.escape(label)}(?:,? and |, |和|与|、)(\w[\w ]*)", request, re.I)
    other = next((x for x in numeric if both and both[1].lower().startswith(x.lower()) and x != label), "")
    if not other or label not in numeric:
        return "", None
    new = ast.Subscript(taken[0].value, ast.List([ast.Constant(label), ast.Constant(other)]))
    return f"The request names {label!r} and {other!r}; the code took only {label!r}", (taken[0], new)


def _grouped(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and _name(node) == "groupby"


_Found = tuple[str, "tuple[ast.expr, ast.expr] | None"]


def _order(request: str, tree: ast.Module) -> _Found:
    """One sort in the code, and a request that says which end comes first."""
    sorts = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _name(node) in _SORTS]
    if len(sorts) != 1:
        return "", None
    call, name = sorts[0], _name(sorts[0])
    down, up = bool(_DOWN.search(request)), bool(_UP.search(request))
    if not (down or up) and _takes_first(tree):
        down, up = bool(_TOP.search(request)), bool(_BOTTOM.search(request))
    if down == up:
        return "", None
    if name in _PAIRS:
        if down == (name == "nlargest"):
            return "", None
        # Largest first of the smallest few is another thing; only the choice of the few is turned.
        return (
            (_told(down), (call, _renamed(call, _PAIRS[name])))
            if _TOP.search(request) or _BOTTOM.search(request)
            else ("", None)
        )
    if any(isinstance(node, ast.Slice) and node.step is not None for node in ast.walk(tree)) or _negated(call):
        return "", None
    if re.search(r"\.tail\(|\[-\d", ast.unparse(tree)):
        return "", None
    keyword, value = ("reverse", down) if name in ("sorted", "sort") else ("ascending", up)
    given = next((k for k in call.keywords if k.arg == keyword), None)
    default = name == "value_counts"
    if given is not None and not (isinstance(given.value, ast.Constant) and type(given.value.value) is bool):
        return "", None
    now = (
        given.value.value
        if given is not None and isinstance(given.value, ast.Constant)
        else keyword == "ascending" and not default
    )
    if bool(now) == value:
        return "", None
    others = [k for k in call.keywords if k is not given]
    new = ast.Call(call.func, call.args, [*others, ast.keyword(keyword, ast.Constant(value))])
    return _told(down), (call, new)


_SORTS = frozenset(["sort_values", "sort_index", "sorted", "sort", "value_counts", "nlargest", "nsmallest"])
_PAIRS = {"nlargest": "nsmallest", "nsmallest": "nlargest"}


def _told(down: bool) -> str:
    order = "the largest first" if down else "the smallest first"
    return f"The request wants {order}; the code had them the other way round"


def _takes_first(tree: ast.Module) -> bool:
    """Whether the code takes the first few of something."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node) in ("head", "nlargest", "nsmallest"):
            return True
        if (
            isinstance(node, ast.Slice)
            and node.lower is None
            and node.step is None
            and isinstance(node.upper, ast.Constant)
        ):
            return True
    return False


def _negated(call: ast.Call) -> bool:
    key = next((k.value for k in call.keywords if k.arg == "key"), None)
    inside = [*([key] if key else []), *call.args]
    return any(
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) for part in inside for node in ast.walk(part)
    )


def _statistic(request: str, tree: ast.Module) -> _Found:
    """One statistic in the request, another one in the code, and nothing else that could explain it."""
    wanted = [name for name, words in _STATISTICS.items() if re.search(words, request, re.I)]
    if len(wanted) != 1 or _OTHERS.search(request):
        return "", None
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _STATISTICS
    ]
    if len(calls) != 1 or wanted[0] in evidence(tree, {}).said:
        return "", None
    if any(isinstance(node, (ast.Div, ast.Mult)) for node in ast.walk(tree)):
        return "", None
    told = f"The request wants the {wanted[0]}; the code took the {_name(calls[0])}"
    return told, (calls[0], _renamed(calls[0], wanted[0]))


def _renamed(call: ast.Call, name: str) -> ast.Call:
    func = ast.Attribute(call.func.value, name) if isinstance(call.func, ast.Attribute) else ast.Name(name)
    return ast.Call(func, call.args, call.keywords)


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _put(code: str, old: ast.expr, new: ast.expr) -> str:
    """The code with one expression in another's place."""
    lines = [line.encode() for line in code.split("\n")]
    end, stop = old.end_lineno or old.lineno, old.end_col_offset or 0
    head, tail = lines[old.lineno - 1][: old.col_offset], lines[end - 1][stop:]
    lines[old.lineno - 1 : end] = [head + ast.unparse(new).encode() + tail]
    return b"\n".join(lines).decode()
