"""What the live data say against a candidate that nothing failed in: doubts, never errors."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from llmos_jupyter.agent.mending.literals import strangers

# Words of a column that are told.
WORDS = 12


def data_doubts(code: str, namespace: Mapping[str, Any]) -> list[str]:
    """The texts that a column is searched for in vain, unless the code writes one beside them that stands in it."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    written = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and type(node.value) is str}
    doubts = []
    for stranger in strangers(tree, namespace):
        if not stranger.words & written:
            some = ", ".join(repr(word) for word in sorted(stranger.words)[:WORDS])
            doubts.append(f"No {stranger.text!r} stands in the column {stranger.label!r}; what stands in it: {some}.")
    return doubts
