"""What methods of polars DataFrames need and return."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from llmos_jupyter.agent.inspection.dataflow.label_checks import check_label
from llmos_jupyter.agent.inspection.dataflow.values import (
    TRUE,
    UNKNOWN,
    Call,
    Frame,
    Ref,
    Value,
    labels,
)
from llmos_jupyter.agent.inspection.words import words

if TYPE_CHECKING:
    from llmos_jupyter.agent.inspection.dataflow.walk import Walk

_POLARS_SAME = words("filter sort head tail limit slice sample unique reverse clone fill_null fill_nan drop_nulls")
_POLARS_LABELS = words("select sort group_by unique get_column drop drop_nulls top_k bottom_k partition_by")
_POLARS_EXPRESSIONS = frozenset(["select", "filter", "with_columns", "sort", "group_by"])


def method(walk: Walk, frame: Frame, name: str, call: Call) -> Value:
    handle = frame.handle
    if name in _POLARS_LABELS and call.keywords.get("strict", TRUE) == TRUE:
        values = list(call.args if name not in {"top_k", "bottom_k"} else [])
        values += [call.keywords[k] for k in ("by", "subset") if k in call.keywords]
        for value in values:
            for label in labels(value)[0]:
                if type(label) is str and label != "*" and not label.startswith("^"):
                    check_label(walk, handle, label, call.node, call.owner)
    if name in _POLARS_EXPRESSIONS:
        for part in [*call.node.args, *(k.value for k in call.node.keywords)]:
            for label in _polars_columns(walk, part):
                check_label(walk, handle, label, call.node, call.owner)
    facts = walk.facts(handle)
    if name in _POLARS_SAME:
        return walk.new_frame(facts)
    if name == "with_columns" and not call.args:
        return walk.new_frame(facts.with_columns(*call.keywords))
    if name == "drop" and facts.columns is not None:
        gone = {label for v in call.args for label in labels(v)[0]}
        return walk.new_frame(replace(facts, columns={c: v for c, v in facts.columns.items() if c not in gone}))
    if name in {"with_columns", "select", "rename", "join"}:
        return walk.new_frame(replace(facts, columns=None))
    return UNKNOWN


def _polars_columns(walk: Walk, node: ast.AST) -> list[str]:
    """Names written as `pl.col('name')` in an expression."""
    found: list[str] = []
    for part in ast.walk(node):
        if not isinstance(part, ast.Call):
            continue
        name = part.func.attr if isinstance(part.func, ast.Attribute) else getattr(part.func, "id", "")
        holder = walk.lookup(part.func.value.id) if _on_name(part.func) else UNKNOWN  # type: ignore[attr-defined]
        direct = walk.lookup(name) if isinstance(part.func, ast.Name) else holder
        path = direct.path or "" if isinstance(direct, Ref) else ""
        if name == "col" and path.startswith("polars"):
            constants = [a.value for a in part.args if isinstance(a, ast.Constant)]
            found += [c for c in constants if isinstance(c, str) and c not in {"", "*"} and not c.startswith("^")]
    return found


def _on_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
