"""What `make check` runs beside the rules of style, and that tests can be found by the name of their module."""

from __future__ import annotations

from pathlib import Path

from tests.changed import PACKAGE, QUICK, ROOT, named_after


def test_the_tests_of_a_module_are_those_of_its_name_in_its_room() -> None:
    assert named_after(Path("llmos_jupyter/daemon/stores/store.py")) == [Path("tests/daemon/stores/test_store.py")]
    tasks = named_after(Path("llmos_jupyter/session/tasks.py"))
    assert tasks == [Path("tests/session/test_tasks.py"), Path("tests/session/test_tasks_places.py")]
    assert named_after(Path("tests/kernels.py")) == []
    assert named_after(Path("benchmarks/load.py")) == []


def test_the_quick_set_is_there() -> None:
    assert [name for name in QUICK if not (ROOT / "tests" / name).is_file()] == []


# Rooms of the tests alone: what crosses rooms, a browser, and the benchmarks, which are no part of the package.
OF_THEIR_OWN = {"scenarios", "ui", "benchmarks", "benchmarks/quality"}


def test_the_tests_lie_in_the_rooms_of_the_package() -> None:
    rooms = {file.parent.relative_to(ROOT / "tests").as_posix() for file in (ROOT / "tests").rglob("test_*.py")}
    assert [
        room for room in sorted(rooms - OF_THEIR_OWN) if not (ROOT / PACKAGE / room / "__init__.py").is_file()
    ] == []
