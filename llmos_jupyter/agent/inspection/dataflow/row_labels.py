"""Row labels that `.loc` looks for: an integer written as text is not found among integers, nor the other way."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.inspection.dataflow.label_checks import shown
from llmos_jupyter.agent.inspection.dataflow.same_labels import Miss, same
from llmos_jupyter.agent.inspection.dataflow.values import Const, Facts, Seq, Value, is_list, labels

if TYPE_CHECKING:
    from llmos_jupyter.agent.inspection.dataflow.walk import Walk

_MOST = 50_000  # rows whose labels are read


def check(walk: Walk, handle: int, key: Value, node: ast.AST, owner: ast.AST) -> None:
    """Report row labels that are not there while the same as text is; nothing else is known well enough."""
    facts = walk.facts(handle)
    untouched = facts is walk.state.origin.get(handle) and handle not in walk.state.dirty and not walk.patched
    if not untouched or walk.state.all_dirty or facts.library != "pandas" or len(facts.index or ()) != 1:
        return
    if isinstance(key, Seq) and key.cls is tuple:
        if len(key.items) != 2:
            return
        key = key.items[0]
    wanted = labels(key)[0] if isinstance(key, Const) or is_list(key) else []
    wanted = [label for label in wanted if live.kind(label, str, int, float)]
    real = _row_labels(facts, handle) if wanted else None
    if not real:
        return
    known = set(real)
    for label in wanted:
        if label not in known and len(found := same(label, real)) == 1:
            text = f"{shown(owner)} has no row {label!r}: its row label is {found[0]!r}."
            walk.missed(Miss(node, owner, label, tuple(real), rows=True), text, [str(found[0])])


def _row_labels(facts: Facts, handle: int) -> list[Any] | None:
    """The labels of a live frame's rows, if they are plain numbers or texts."""
    frame = next((source for source in (facts.columns or {}).values() if id(source) == handle), None)
    if frame is None or live.class_name(type(frame.index)) not in {"Index", "RangeIndex"} or len(frame) > _MOST:
        return None
    found = live.plain_labels(frame.index.tolist())
    return found if found is not None and all(live.kind(label, str, int, float) for label in found) else None
