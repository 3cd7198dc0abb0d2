"""In the parent: what a run is said to have changed is compared with what its effects will change.

The words come from the process that ran the code, which may lie. So each name that the table binds, deletes or changes
in place is looked up here, and told where the words leave it out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from llmos_jupyter.effects.objects import names
from llmos_jupyter.effects.objects.walk import levels
from llmos_jupyter.protocol import NameChange

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def completed(
    told: list[NameChange], content: dict[str, Any], shell: InteractiveShell, sent: list[Any] | None = None
) -> list[NameChange]:
    """The changes as they were told, with what the table does besides, and each for what it is.

    `content`: the table, as `commit.read_table` gives it. `sent`: what a worker process had copies of, by number.
    """
    variables = names.variables(shell)
    bound = _bindings(content, shell.user_ns)
    found = [_as_it_is(change, bound) for change in told]
    known = {change.name for change in found}
    found += [NameChange(name=name, kind=kind) for name, kind in bound.items() if name not in known]
    changed = _changed(content, sent)
    if changed:
        seen: dict[int, Any] = {}
        _reached((variables[change.name] for change in found if change.name in variables), changed, seen)
        for name, value in variables.items() if changed else ():
            if name not in known and _reached([value], changed, seen):
                found.append(NameChange(name=name, kind="mutated", type=type(value).__name__, detail="written into"))
    return found


_Kind = Literal["created", "rebound", "mutated", "deleted"]


def _bindings(content: dict[str, Any], namespace: dict[str, Any]) -> dict[str, _Kind]:
    bound: dict[str, _Kind] = {}
    for name in [*content["created"], *content["rebound"]]:
        bound[name] = "rebound" if name in namespace else "created"
    for name in content["deleted"]:
        if name not in bound and name in namespace:
            bound[name] = "deleted"
    return {name: kind for name, kind in bound.items() if type(name) is str}


def _as_it_is(change: NameChange, bound: dict[str, _Kind]) -> NameChange:
    kind = bound.get(change.name, change.kind)
    return change if kind == change.kind else change.model_copy(update={"kind": kind})


def _changed(content: dict[str, Any], sent: list[Any] | None) -> set[int]:
    """The addresses of the objects that will be put into another state. What is malformed the commit will refuse."""
    nodes, found = content["nodes"], set()
    for entry in content["states"] if type(content["states"]) is list and type(nodes) is list else ():
        number = entry[0] if type(entry) is list and entry else None
        node = nodes[number] if type(number) is int and 0 <= number < len(nodes) else None
        if type(node) is list and node[:1] == ["old"] and type(at := node[-1]) is int:
            if sent is None:
                found.add(at)
            elif 0 <= at < len(sent):
                found.add(id(sent[at]))
    return found


def _reached(roots: Iterable[Any], wanted: set[int], seen: dict[int, Any]) -> bool:
    """Whether these reach any of the objects at these addresses, which are then taken from `wanted`."""
    before = len(wanted)
    for level in levels(roots, seen):
        wanted.difference_update(map(id, level.objects))
        if not wanted:
            break
    return len(wanted) < before
