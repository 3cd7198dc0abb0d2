"""Background tasks in a real kernel and daemon: submitted, shown in place, merged, cancelled, ordered, tried again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.protocol import Task
from llmos_jupyter.tasks import options, priority
from tests.kernels import Kernel, kernel


@pytest.fixture
def notebook(home: Path) -> Iterator[Kernel]:
    with kernel(home) as running:
        assert running.run("%load_ext llmos_jupyter").status == "ok"
        yield running


def task(number: int) -> Task:
    return DaemonClient(start=False).trace(str(number)).task


def ended(number: int, seconds: float = 30.0) -> Task:
    until = time.monotonic() + seconds
    while (found := task(number)).state in ("accepted", "running") and time.monotonic() < until:
        time.sleep(0.05)
    return found


def test_a_cell_runs_in_a_worker_and_its_names_come_back(notebook: Kernel) -> None:
    notebook.run("import os\nnumbers = [1, 2, 3]\nhere = os.getpid()")
    ran = notebook.run("%%llmos run\nimport os\nprint('in a worker')\ntotal = sum(numbers)\nthere = os.getpid()\ntotal")
    assert ran.status == "ok", ran.text
    assert "in a worker" in ran.text
    assert "6" in ran.text
    assert notebook.run("total, there != here").text.strip() == "(6, True)"


def test_the_cell_returns_at_once_and_the_result_is_merged_when_idle(notebook: Kernel) -> None:
    notebook.run("x = 20")
    began = time.monotonic()
    sent = notebook.run("%%llmos run -b\nimport time\ntime.sleep(2)\nx2 = x * 2")
    assert sent.status == "ok"
    assert notebook.run("'x2' in globals()").text.strip() == "False"
    assert time.monotonic() - began < 2.5
    assert ended(1).state == "done"
    time.sleep(0.5)
    assert notebook.run("x2").text.strip() == "40"


def test_a_name_changed_meanwhile_is_kept_and_both_are_there(notebook: Kernel) -> None:
    notebook.run("x = 1")
    notebook.run("%%llmos run -b\nimport time\ntime.sleep(1)\nx = x + 1")
    notebook.run("x = 'mine'")
    assert ended(1).state == "done"
    waited = notebook.run("%llmos wait 1")
    assert "was changed meanwhile" in waited.text
    assert notebook.run("x, x_from_task_1").text.strip() == "('mine', 2)"


def test_a_task_is_cancelled_and_others_go_on(notebook: Kernel) -> None:
    notebook.run("%%llmos run -b\nwhile True: pass")
    notebook.run("%%llmos run -b\ny = 1")
    assert ended(2).state == "done"
    assert "running" in notebook.run("%llmos queue").text
    began = time.monotonic()
    notebook.run("%llmos cancel 1")
    assert ended(1).state == "cancelled"
    assert time.monotonic() - began < 5
    assert "Nothing waits" in notebook.run("%llmos queue").text


def test_the_stop_button_cancels_what_is_waited_for(notebook: Kernel) -> None:
    until = time.monotonic() + 2.0

    def press(cell: object) -> bool:
        if time.monotonic() < until:
            return False
        notebook.interrupt()
        return True

    ran = notebook.run("%%llmos run\nimport time\ntime.sleep(60)", during=press)
    assert "cancelled" in ran.text
    assert ended(1).state == "cancelled"


def test_after_waits_and_a_failure_is_passed_on(notebook: Kernel) -> None:
    notebook.run("%%llmos run -b\nimport time\ntime.sleep(1)\na = 1")
    notebook.run("%%llmos run -b --after 1\nb = 2")
    notebook.run("%%llmos run -b\n1 / 0")
    notebook.run("%%llmos run -b --after 3\nc = 3")
    assert ended(2).state == "done"
    assert task(1).updated <= task(2).updated
    assert ended(3).state == "failed"
    assert "ZeroDivisionError" in task(3).reason
    assert ended(4).state == "failed"
    refused = notebook.run("%%llmos run -b --after 3\nd = 4")
    assert refused.status == "error"
    assert "failed" in refused.text


def test_what_can_never_run_is_refused_in_a_sentence(notebook: Kernel) -> None:
    for line, said in (
        ("--memory 900000G", "memory"),
        ("--cores 5000", "cores"),
        ("--priority soon", "interactive"),
        ("--deadline never", "10m"),
        ("--after 77", "no request 77"),
        ("hello", "options only"),
    ):
        refused = notebook.run(f"%%llmos run -b {line}\nx = 1")
        assert refused.status == "error", line
        assert said in refused.text, refused.text
        assert "Traceback" not in refused.text
    notebook.run("import threading\nlock = threading.Lock()")
    assert "`lock`" in notebook.run("%%llmos run -b\nlock").text
    assert "not valid Python" in notebook.run("%%llmos run -b\nx = = 1").text


def test_why_result_retry_and_priority(notebook: Kernel) -> None:
    notebook.run("%%llmos run -b --priority low\nprint('shown')\nimport os, time\ntime.sleep(0.5)\nos._exit(3)")
    assert ended(1).state == "failed"
    assert "exit code 3" in task(1).reason
    assert "shown" in notebook.run("%llmos result 1").text
    assert "class low" in notebook.run("%llmos why 1").text
    assert "waits again" in notebook.run("%llmos retry 1").text
    assert ended(1).state == "failed"
    assert "only what waits" in notebook.run("%llmos priority 1 interactive").text


def test_the_python_api(notebook: Kernel) -> None:
    code = (
        "import llmos_jupyter\ndef double(n): return n * 2\nhandle = llmos_jupyter.submit(double, 21)\nhandle.result()"
    )
    assert "{'returned': 42}" in notebook.run(code).text
    awaited = notebook.run("(await llmos_jupyter.submit('z = 5'))['z']")
    assert awaited.text.strip().endswith("5")
    failed = notebook.run("llmos_jupyter.submit('1/0').result()")
    assert "ZeroDivisionError" in failed.text


def test_a_killed_daemon_loses_no_task(notebook: Kernel) -> None:
    import os
    import signal

    client = DaemonClient(start=False)
    for _ in range(2 * (os.cpu_count() or 1)):
        notebook.run("%%llmos run -b\nimport time\ntime.sleep(1.5)")
    os.kill(client.status().pid, signal.SIGKILL)
    client.close()
    notebook.run("%llmos status")
    tasks = [ended(number) for number in range(1, 2 * (os.cpu_count() or 1) + 1)]
    assert {one.state for one in tasks} == {"done", "failed"}
    assert all("the daemon ended while it ran" in one.reason for one in tasks if one.state == "failed")


@pytest.mark.model
def test_a_long_cell_stands_still_while_the_model_writes(notebook: Kernel) -> None:
    """It counts on only while nothing is written; and it ends as if nothing had been."""
    code = (
        "import time\nlongest, last, began = 0.0, time.monotonic(), time.monotonic()\n"
        "while time.monotonic() - began < 12:\n"
        "    now = time.monotonic()\n    longest, last = max(longest, now - last), now"
    )
    notebook.run(f"%%llmos run -b\n{code}")
    until = time.monotonic() + 10
    while task(1).state != "running" and time.monotonic() < until:
        time.sleep(0.05)
    notebook.run("%llmos --model qwen2.5-coder-0.5b what is a median?")
    assert ended(1).state == "done"
    notebook.run("%llmos wait 1")
    assert float(notebook.value("longest")) > 0.5


def test_options_in_words() -> None:
    assert priority("low") == 0
    assert priority("70") == 70
    given = options({"deadline": "10m", "memory": "1.5G", "after": ["1, 2"], "priority": "interactive"})
    assert (given.deadline, given.memory_bytes, given.after, given.priority) == (600, 3 * 2**29, ["1", "2"], 100)
    placed = options({"gpu": 2, "on": "cluster"})
    assert (placed.gpus, placed.on) == (2, "cluster")
    for wrong in ({"deadline": "-1"}, {"memory": "lots"}, {"priority": "-3"}, {"cores": 0}, {"gpu": -1}, {"gpu": "x"}):
        with pytest.raises(ValueError, match=f"--{next(iter(wrong))} cannot be") as caught:
            options(wrong)
        assert "\n" not in str(caught.value)
