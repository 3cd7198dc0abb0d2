"""The files that the user's own cells name: an answer may read them too, for the notebook has read them already.

The folders as well that they put on the search path, whose modules the notebook may import.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable

# A path is no longer than this on any system that Python runs on.
LONGEST = 4096


def own_files(sources: Iterable[str]) -> frozenset[str]:
    """The real paths of existing files whose names are written out as an argument of a call in these cells, and of
    folders that they add to `sys.path`."""
    found: set[str] = set()
    for source in sources:
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # a cell with magics names no file to us
            continue
        for call in ast.walk(tree):
            if isinstance(call, ast.Call):
                arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
                found |= {path for argument in arguments if (path := _existing(argument, _extends_search(call)))}
    return frozenset(found)


def _extends_search(call: ast.Call) -> bool:
    return ast.unparse(call.func) in ("sys.path.append", "sys.path.insert", "site.addsitedir")


def _existing(argument: ast.expr, folder: bool) -> str:
    text = argument.value if isinstance(argument, ast.Constant) else None
    if not isinstance(text, str) or not text or len(text) > LONGEST or "\0" in text:
        return ""
    path = os.path.realpath(os.path.expanduser(text))
    return path if os.path.isfile(path) or (folder and os.path.isdir(path)) else ""
