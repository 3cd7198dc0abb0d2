"""What a candidate's code speaks of: the functions it calls, the columns, values and numbers it names."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Evidence:
    """`calls`: functions, attributes and arguments, which say what is done; `names`: all of these and the names of
    variables and columns; `texts`: written-out strings; `numbers`: the numbers, those in strings included."""

    calls: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    numbers: set[float] = field(default_factory=set)
    divides: bool = False
    adds: bool = False

    @property
    def said(self) -> str:
        """All of it as one text, to look for a part of a word in."""
        return " ".join([*self.calls, *self.texts]).lower()


def evidence(tree: ast.AST, namespace: Mapping[str, Any]) -> Evidence:
    """Names that the code gives to its own results tell nothing: `mean_age` may well be a median."""
    found = Evidence()
    made = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            found.calls.add(node.attr)
        elif isinstance(node, ast.Name):
            if node.id in namespace or node.id not in made:
                found.names.add(node.id)
            if node.id not in made and node.id not in namespace:
                found.calls.add(node.id)
        elif isinstance(node, ast.keyword) and node.arg:
            found.calls.add(node.arg)
        elif isinstance(node, ast.alias):
            found.calls |= {node.name, node.asname or node.name}
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.names.add(node.name)
        elif isinstance(node, ast.Constant):
            _constant(node.value, found)
        elif isinstance(node, ast.BinOp):
            found.divides |= isinstance(node.op, (ast.Div, ast.FloorDiv))
            found.adds |= isinstance(node.op, (ast.Add, ast.MatMult))
        elif isinstance(node, ast.AugAssign):
            found.adds |= isinstance(node.op, ast.Add)
    found.names |= found.calls
    return found


def _constant(value: object, found: Evidence) -> None:
    if isinstance(value, str):
        found.texts.add(value)
        found.numbers |= {float(number) for number in re.findall(r"\d+(?:\.\d+)?", value)[:50]}
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        found.numbers.add(float(value))
