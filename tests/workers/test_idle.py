"""Results are brought in between cells, never within one: in a real kernel."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernels import Kernel, kernel

SETUP = """
import threading, time
from llmos_jupyter.workers.idle import Idle
idle = Idle(get_ipython())
def later(name, seconds=0.2):
    def bring():
        globals()[name] = time.monotonic()
    threading.Timer(seconds, idle.call, [bring]).start()
"""


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with kernel(tmp_path_factory.mktemp("idle")) as running:
        assert running.run(SETUP).errors == []
        yield running


def test_not_while_a_cell_runs_but_right_after(notebook: Kernel) -> None:
    notebook.run("later('a')\ntime.sleep(0.6)\nwithin = 'a' in globals(); end = time.monotonic()")
    assert notebook.value("within") == "False"
    assert notebook.value("end <= a") == "True"


def test_not_while_a_cell_awaits(notebook: Kernel) -> None:
    notebook.run("import asyncio\nlater('b')\nawait asyncio.sleep(0.6)\nwithin = 'b' in globals()")
    assert notebook.value("within") == "False"
    assert notebook.value("'b' in globals()") == "True"


def test_at_once_when_no_cell_runs(notebook: Kernel, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    notebook.run(f"import pathlib\nthreading.Timer(0.2, idle.call, [pathlib.Path({str(flag)!r}).touch]).start()")
    end = time.monotonic() + 10
    while not flag.exists() and time.monotonic() < end:  # and no further cell is run
        time.sleep(0.05)
    assert flag.exists()


def test_not_after_a_nested_cell(notebook: Kernel) -> None:
    notebook.run(
        "idle.call(lambda: globals().update(c=1))\nget_ipython().run_cell('nested = 1')\nwithin = 'c' in globals()"
    )
    assert notebook.value("within") == "False"
    assert notebook.value("c") == "1"


def test_what_raises_is_shown_and_the_next_still_runs(notebook: Kernel) -> None:
    cell = notebook.run("idle.call(lambda: 1 / 0)\nidle.call(lambda: globals().update(d=1))")
    assert "ZeroDivisionError" in cell.text
    assert notebook.value("d") == "1"


def test_without_an_event_loop_before_the_next_cell() -> None:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    from llmos_jupyter.workers.idle import Idle

    shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    idle = Idle(shell)
    idle.call(lambda: shell.push({"e": 5}))
    shell.run_cell("f = e + 1")
    assert shell.user_ns["f"] == 6
    idle.close()
    idle.call(lambda: shell.push({"g": 5}))
    shell.run_cell("h = 1")
    assert "g" not in shell.user_ns
