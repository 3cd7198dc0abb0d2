"""What `make check` runs beside the rules of style."""

from __future__ import annotations

from pathlib import Path

from tests.changed import QUICK, ROOT, named_after


def test_the_tests_of_a_module_are_those_of_its_name_in_its_room() -> None:
    assert named_after(Path("llmos_jupyter/daemon/stores/store.py")) == [Path("tests/daemon/stores/test_store.py")]
    tasks = named_after(Path("llmos_jupyter/session/tasks.py"))
    assert tasks == [Path("tests/session/test_tasks.py"), Path("tests/session/test_tasks_places.py")]
    assert named_after(Path("tests/kernels.py")) == []
    assert named_after(Path("benchmarks/load.py")) == []


def test_the_quick_set_is_there() -> None:
    assert [name for name in QUICK if not (ROOT / "tests" / name).is_file()] == []
