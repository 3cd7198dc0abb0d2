"""docs/architecture.md says what is so: every room is in it with its docstring, and every file it names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import llmos_jupyter

PACKAGE = Path(llmos_jupyter.__file__).parent
PAGE = Path(__file__).parent.parent / "docs" / "architecture.md"


def test_every_room_has_its_line() -> None:
    rooms = {}
    for file in PACKAGE.rglob("__init__.py"):
        if file.parent != PACKAGE:
            docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
            rooms[file.parent.relative_to(PACKAGE).as_posix()] = " ".join(docstring.split("\n\n")[0].split())
    lines = dict(re.findall(r"^\| `([a-z_/]+)/` \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.M))
    assert lines == rooms


def test_every_file_that_is_named_is_there() -> None:
    named = re.findall(r"`([a-z_/]+\.py)`", PAGE.read_text(encoding="utf-8"))
    assert len(named) > 50
    assert [name for name in named if not any((folder / name).is_file() for folder in (PACKAGE, PACKAGE.parent))] == []


def test_no_room_is_crowded() -> None:
    """A newcomer reads fifteen names at a glance."""
    crowded = {
        folder.relative_to(PACKAGE).as_posix(): len(list(folder.glob("*.py"))) - 1
        for folder in {file.parent for file in PACKAGE.rglob("*.py")}
        if len(list(folder.glob("*.py"))) > 16
    }
    assert crowded.keys() <= {"engines"}
