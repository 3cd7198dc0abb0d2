"""Labels that are the same to the eye and not to pandas: 2021 and '2021', 'price' and 'price ', tuples joined."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from llmos_jupyter.agent import live

# Surrounding white space, and the marks that files begin with: nobody sees either.
_EDGES = re.compile(r"^[\s\ufeff\u200b]+|[\s\ufeff\u200b]+$")


@dataclass(frozen=True, eq=False)
class Miss:
    """A label that is certainly not there: where it is used, of what, and the labels that are there.

    `rows`: it was looked for among the row labels. `strings`: only text is a label here.
    """

    node: ast.AST
    owner: ast.AST
    label: Any
    among: tuple[Any, ...]
    rows: bool = False
    strings: bool = False


def meant_by(miss: Miss) -> Any:
    """The one real label that is the same as text as the one that is not there; MISSING if there is none."""
    tuples = whole_tuples(miss.among)
    if tuples:
        found: list[Any] = joined(miss.label, tuples)
    else:
        found = same(miss.label, (c for c in miss.among if not miss.strings or type(c) is str))
    return found[0] if len(found) == 1 else live.MISSING


def same(label: Any, among: Iterable[Any]) -> list[Any]:
    """The labels that are written the same but for their type, or for what surrounds the text."""
    found: list[Any] = []
    for other in among:
        bare = _bare(other)
        # By identity of types: 1 and True are equal, and nobody means the one by the other.
        if _alike(label, bare) and not any(type(one) is type(bare) and one == bare for one in found):
            found.append(bare)
    return found


def same_as_text(label: Any, among: Iterable[Any]) -> list[str]:
    """The same as texts, for a finding's suggestions; only where one can be meant."""
    found = same(label, among)
    return [str(found[0])] if len(found) == 1 else []


def whole_tuples(among: Iterable[Any]) -> list[tuple[Any, ...]]:
    """The labels of columns of several levels, without the beginnings of labels that select several."""
    tuples = [label for label in among if type(label) is tuple]
    longest = max(map(len, tuples), default=0)
    return [label for label in tuples if len(label) == longest]


def joined(label: Any, tuples: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The tuples whose parts, joined, are the label: what `'_'.join` makes of the labels, written before it is done."""
    if type(label) is not str:
        return []
    return [parts for parts in tuples if any(_joined(parts, mark) == label for mark in ("_", " ", "."))]


def _joined(parts: tuple[Any, ...], mark: str) -> str:
    return mark.join(str(part) for part in parts if part != "") if all(map(_plain, parts)) else ""


def _plain(label: Any) -> bool:
    return live.kind(label, str, int, float)


def _bare(label: Any) -> Any:
    """NumPy's numbers as Python's."""
    if live.class_module(type(label)) == "numpy" and live.class_name(type(label)).startswith(("int", "uint", "float")):
        return label.item()
    return label


def _alike(label: Any, other: Any) -> bool:
    if type(label) is str and type(other) is str:
        return label != other and _EDGES.sub("", label) == _EDGES.sub("", other) != ""
    if type(label) is str and live.kind(other, int, float):
        return _EDGES.sub("", label) in _spellings(other)
    if live.kind(label, int, float) and type(other) is str:
        return _EDGES.sub("", other) in _spellings(label)
    return False


def _spellings(number: int | float) -> tuple[str, ...]:
    if type(number) is float and number.is_integer() and abs(number) < 1e15:
        return repr(number), str(int(number))
    return (repr(number),)
