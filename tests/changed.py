"""Which tests `make check` runs: `python -m tests.changed` prints a quick set, and those of what was changed.

A test of `llmos_jupyter/room/module.py` is `tests/room/test_module.py`, or begins with that name. What was changed is
what git sees in the working tree, and what the last commit changed if that is nothing.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# The rules of the house, and what breaks most easily: a few seconds together.
QUICK = ("test_package.py", "session/test_magics.py", "scheduling/test_problem.py")
PACKAGE = "llmos_jupyter"


def changed() -> list[Path]:
    """Python files, from the root of the repository."""
    for arguments in (["diff", "--name-only", "HEAD"], ["diff", "--name-only", "HEAD~1"]):
        new = ["ls-files", "--others", "--exclude-standard"]
        listed = [subprocess.run(["git", *what], cwd=ROOT, capture_output=True, text=True) for what in (arguments, new)]
        files = [Path(line) for done in listed for line in done.stdout.splitlines() if line.endswith(".py")]
        if files:
            return files
    return []


def named_after(file: Path) -> list[Path]:
    """The tests that are named after a module; a file of tests is its own."""
    if file.parts[0] == "tests":
        return [file] if file.name.startswith("test_") and (ROOT / file).exists() else []
    if file.parts[0] != PACKAGE:
        return []
    folder = Path("tests", *file.parts[1:-1])
    return [found.relative_to(ROOT) for found in sorted((ROOT / folder).glob(f"test_{file.stem}*.py"))]


def main() -> None:
    quick = [Path("tests", name) for name in QUICK]
    print(*dict.fromkeys([*quick, *(test for file in changed() for test in named_after(file))]))


if __name__ == "__main__":
    main()
