"""Whether labels are columns of a frame, and what is said of those that are not."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from llmos_jupyter.agent.inspection.dataflow.same_labels import Miss, joined, same_as_text, whole_tuples
from llmos_jupyter.agent.inspection.dataflow.values import Call, Const, Dict, Facts, Ref, Seq, Value, labels
from llmos_jupyter.agent.mending.nearest import did_you_mean, nearest, shortened

if TYPE_CHECKING:
    from llmos_jupyter.agent.inspection.dataflow.walk import Walk


def shown(node: ast.AST, otherwise: str = "The DataFrame") -> str:
    """A value as the candidate writes it, for a message."""
    text = ast.unparse(node)
    return f"`{text}`" if len(text) <= 40 and "\n" not in text else otherwise


def check(
    walk: Walk,
    handle: int,
    value: Value,
    node: ast.AST,
    owner: ast.AST,
    *,
    keys: bool = False,
    warn: str = "",
    strings: bool = False,
) -> None:
    """Report labels that are not columns. `keys`: names of index levels will do. `warn`: the library says
    nothing about a missing one, so this is a warning with that text. `strings`: numbers are no labels here."""
    if walk.facts(handle).nested and isinstance(value, Seq) and value.cls is tuple:
        return  # one label
    for label in labels(value)[0]:
        check_label(walk, handle, label, node, owner, keys=keys, warn=warn, strings=strings)


def check_label(
    walk: Walk,
    handle: int,
    label: Any,
    node: ast.AST,
    owner: ast.AST,
    *,
    keys: bool = False,
    warn: str = "",
    strings: bool = False,
) -> None:
    facts = walk.facts(handle)
    if facts.columns is None or label in walk.maybe or type(label) not in (str, int, float):
        return
    if (strings and type(label) is not str) or facts.has(label) or (keys and facts.has_key(label)):
        return
    near, hint, whole = _instead(label, facts)
    real = shortened(whole) or "none"
    text = f"{shown(owner)} has no column {label!r}{warn}{hint}; its columns are {real}."
    if warn:
        if walk.certain:
            walk.warn("unknown-column", text, node, str(label), near)
    else:
        walk.missed(Miss(node, owner, label, tuple(facts.columns), strings=strings), text, near)


def _instead(label: Any, facts: Facts) -> tuple[list[str], str, list[Any]]:
    """The nearest labels as text, how they are suggested, and the labels to be listed."""
    columns = facts.columns or {}
    texts = [c for c in columns if type(c) is str]
    if not facts.nested:
        near = same_as_text(label, columns) or nearest(str(label), texts)
        return near, did_you_mean(near), list(columns)
    tuples = whole_tuples(columns)
    meant = joined(label, tuples) or [c for c in tuples if label in c]
    if meant:
        near = [str(c) for c in meant[:3]]
        return near, f" (did you mean {near[0]}?)", tuples
    near = nearest(str(label), texts)
    return near, did_you_mean(near), tuples


def check_keys(walk: Walk, handle: int, mapping: Dict, node: ast.AST, owner: ast.AST, warn: str = "") -> None:
    for key in mapping.keys:
        if isinstance(key, Const):
            check_label(walk, handle, key.value, node, owner, warn=warn)


def named(walk: Walk, handle: int, call: Call) -> list[str]:
    """Named aggregations, `total=('price', 'sum')`: their columns are checked, their names returned."""
    names = []
    for keyword, value in call.keywords.items():
        if isinstance(value, Seq) and value.cls is tuple and len(value.items) == 2:
            names.append(keyword)
            if isinstance(value.items[0], Const):
                check(walk, handle, value.items[0], call.node, call.owner)
        elif isinstance(value, Ref) and (value.path or "").endswith("NamedAgg()"):
            names.append(keyword)
    return names
