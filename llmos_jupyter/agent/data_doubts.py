"""What the live data say against a candidate that nothing failed in: doubts, never errors."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from llmos_jupyter.agent.inspection.literals import strangers
from llmos_jupyter.agent.inspection.recreated import written_anew

# Words of a column that are told.
WORDS = 12


def data_doubts(code: str, request: str, namespace: Mapping[str, Any]) -> list[str]:
    """Texts that a column is searched for in vain, and variables that are replaced by made-up data.

    `request`: data written out there are the user's own and raise no doubt.
    """
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [*_searched_in_vain(tree, namespace), *_made_up(code, request, namespace)]


def _searched_in_vain(tree: ast.Module, namespace: Mapping[str, Any]) -> Iterator[str]:
    for stranger in strangers(tree, namespace):
        some = ", ".join(repr(word) for word in sorted(stranger.words)[:WORDS])
        yield f"No {stranger.text!r} stands in the column {stranger.label!r}; what stands in it: {some}."


def _made_up(code: str, request: str, namespace: Mapping[str, Any]) -> Iterator[str]:
    for name in written_anew(code, request, namespace):
        yield f"`{name}` exists in the notebook; the code replaces it by data written out in the code."
