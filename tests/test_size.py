"""No file over 400 lines and no function over 60, unless a sentence at its head says why; no test holds much.

The sentence begins "Over 400 lines:" in a file's docstring, "Over 60 lines:" in a function's docstring.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import llmos_jupyter

PACKAGE = Path(llmos_jupyter.__file__).parent
LINES_OF_A_FILE, LINES_OF_A_FUNCTION = 400, 60
MOST_BYTES = 4 << 20  # of one parameter of a test
Function = ast.FunctionDef | ast.AsyncFunctionDef


def _length(function: Function) -> int:
    """Lines from `def` to the end, the docstring left out."""
    first = function.body[0]
    docstring = first if ast.get_docstring(function) is not None else None
    within = 0 if docstring is None else (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
    return (function.end_lineno or function.lineno) - function.lineno + 1 - within


def _too_long(text: str) -> Iterator[str]:
    """What in a file is too long, and says nowhere why."""
    tree, lines = ast.parse(text), len(text.splitlines())
    if lines > LINES_OF_A_FILE and f"Over {LINES_OF_A_FILE} lines: " not in (ast.get_docstring(tree) or ""):
        yield f"{lines} lines"
    for node in ast.walk(tree):
        if not isinstance(node, Function) or f"Over {LINES_OF_A_FUNCTION} lines: " in (ast.get_docstring(node) or ""):
            continue
        if (length := _length(node)) > LINES_OF_A_FUNCTION:
            yield f"{node.name} has {length} lines"


def _function(lines: int, docstring: str = "") -> str:
    """A function of so many lines beside its docstring."""
    return "\n".join(["def f():", *([f'    """{docstring}"""'] if docstring else []), *["    1"] * (lines - 1)])


def test_what_is_too_long_is_found() -> None:
    assert list(_too_long(_function(60))) == []
    assert list(_too_long(_function(61))) == ["f has 61 lines"]
    assert list(_too_long(_function(60, "What it does.\n\n    More of it."))) == []
    assert list(_too_long(_function(61, "What it does."))) == ["f has 61 lines"]
    assert list(_too_long(_function(61, "What it does. Over 60 lines: one table."))) == []
    assert list(_too_long('"""A file."""\n' + "1\n" * 400)) == ["401 lines"]
    assert list(_too_long('"""A file. Over 400 lines: one class."""\n' + "1\n" * 400)) == []


def test_nothing_is_too_long() -> None:
    found = {
        file.relative_to(PACKAGE).as_posix(): long
        for file in sorted(PACKAGE.rglob("*.py"))
        if (long := list(_too_long(file.read_text(encoding="utf-8"))))
    }
    assert found == {}


def test_no_parameter_of_a_test_is_large(request: pytest.FixtureRequest) -> None:
    """It would be in memory during all other tests, and in each of the thousands of processes that they fork."""
    large = [
        item.nodeid
        for item in request.session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
        for value in item.callspec.params.values()
        if type(value) in (str, bytes, list, tuple, dict, set, np.ndarray, pd.DataFrame, pd.Series)
        and sys.getsizeof(value) > MOST_BYTES
    ]
    assert large == []
