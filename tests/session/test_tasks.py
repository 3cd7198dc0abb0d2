"""Background tasks in a real kernel and daemon: submitted, shown in place, merged, cancelled, ordered, tried again."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmos_jupyter.daemon import lifecycle
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import OPEN_STATES, Task
from llmos_jupyter.protocol.jobs import StoredOutput, Stream
from llmos_jupyter.session.tasks import options, priority
from tests.kernels import Kernel, kernel


@pytest.fixture
def notebook(home: Path) -> Iterator[Kernel]:
    with kernel(home) as running:
        assert running.run("%load_ext llmos_jupyter").status == "ok"
        yield running


def task(number: int) -> Task:
    return DaemonClient(start=False).trace(str(number)).task


def outputs(number: int) -> list[StoredOutput]:
    """What a task has shown so far."""
    return DaemonClient(start=False).shown(str(number))


def ended(number: int, seconds: float = 30.0) -> Task:
    until = time.monotonic() + seconds
    while (found := task(number)).state in OPEN_STATES and time.monotonic() < until:
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
    sent = notebook.run("%%llmos run -b\nimport time\ntime.sleep(2)\nx2 = x * 2")
    assert task(1).state in OPEN_STATES
    assert sent.status == "ok"
    assert notebook.run("'x2' in globals()").text.strip() == "False"
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
    def press(cell: object) -> bool:
        try:
            if task(1).state != "running":
                return False
        except LLMOSError:  # no daemon yet
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
        ("--after last", "no background task yet"),
        ("--deadline 0s", "10m"),
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
    code = (
        "told = []\nhandle = llmos_jupyter.submit('import time; time.sleep(30)', priority='low')\n"
        "handle.add_done_callback(lambda one: told.append(one.number))\nhandle.cancel()\n"
        "(type(handle.exception(10)).__name__, handle.cancelled(), handle.done(), handle.running(), "
        "told == [handle.number])"
    )
    assert notebook.run(code).text.strip().endswith("('TaskFailed', True, True, False, True)")
    assert "cores cannot be -1" in notebook.run("llmos_jupyter.ask('the mean', cores=-1)").text


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


def test_a_daemon_that_is_ended_leaves_the_queue_to_the_next(notebook: Kernel) -> None:
    import os

    cores = os.cpu_count() or 1
    for _ in range(cores):
        notebook.run("%%llmos run -b\nimport time\ntime.sleep(60)")
    for _ in range(3):
        notebook.run("%%llmos run -b\nquick = 1")
    until = time.monotonic() + 20
    while task(cores).state != "running" and time.monotonic() < until:
        time.sleep(0.05)
    assert lifecycle.stop()
    notebook.run("%llmos status")
    for number in range(cores + 1, cores + 4):
        assert ended(number).state == "done", task(number).reason
    assert all("the daemon ended while it ran" in task(number).reason for number in range(1, cores + 1))


@pytest.mark.model
def test_a_long_cell_stands_still_while_the_model_writes(notebook: Kernel, home: Path) -> None:
    """It counts on only while nothing is written; and it ends as if nothing had been."""
    stop = home / "stop"
    code = (
        "import os, time\nprint('begun', flush=True)\nlongest, last = 0.0, time.monotonic()\n"
        f"while not os.path.exists({str(stop)!r}):\n"
        "    now = time.monotonic()\n    longest, last = max(longest, now - last), now"
    )
    notebook.run(f"%%llmos run -b\n{code}")
    until = time.monotonic() + 20
    while not any(isinstance(one.item, Stream) for one in outputs(1)) and time.monotonic() < until:
        time.sleep(0.05)
    notebook.run("%llmos --model qwen2.5-coder-0.5b what is a median?")
    stop.touch()
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


def test_a_task_is_given_what_the_one_before_it_made(notebook: Kernel) -> None:
    notebook.run("x = 1\ny = [x]")
    notebook.run("%%llmos run -b\nimport time\ntime.sleep(1)\nx = 10\nmade = x + 1\nsame = made")
    notebook.run("%%llmos run -b --after last\nz = made + x + same\nx = x + 5\ny.append(x)")
    assert ended(2).state == "done"
    notebook.run("%llmos wait 2")
    assert notebook.run("made, z, x, y, 'x_from_task_2' in globals()").text.strip() == "(11, 32, 15, [1, 15], False)"


def test_a_task_is_paused_and_resumed(notebook: Kernel) -> None:
    code = "import time\nticks = 0\nwhile ticks < 20:\n    time.sleep(0.1)\n    ticks += 1\n    print(ticks)"
    notebook.run(f"%%llmos run -b\n{code}")
    until = time.monotonic() + 20
    while len(outputs(1)) < 3 and time.monotonic() < until:
        time.sleep(0.1)
    assert "is paused" in notebook.run("%llmos pause 1").text
    notebook.run("%%llmos run -b --after 1\nlast = ticks")
    assert "is paused" in notebook.run("%llmos pause 1").text
    shown = len(outputs(1))
    time.sleep(1.0)
    assert len(outputs(1)) <= shown + 1
    assert task(1).state == "paused"
    assert "paused" in notebook.run("%llmos queue").text
    notebook.run("%%llmos run -b\nother = 1")
    assert ended(3).state == "done"
    assert "again" in notebook.run("%llmos resume 1").text
    assert ended(2).state == "done"
    assert notebook.run("%llmos wait 2").status == "ok"
    assert notebook.run("last").text.strip() == "20"
    assert "only what is paused" in notebook.run("%llmos resume 1").text
    assert "nothing to pause" in notebook.run("%llmos pause 1").text
    steps = DaemonClient(start=False).steps(task="1")
    assert [len(step.spans) for step in steps] == [2]


@pytest.mark.model
def test_a_request_in_words_is_answered_in_the_background(notebook: Kernel) -> None:
    notebook.run("import pandas as pd\nsales = pd.DataFrame({'region': ['N', 'S', 'N'], 'amount': [1, 2, 4]})")
    notebook.run("lock = __import__('threading').Lock()")
    began = time.monotonic()
    sent = notebook.run("%%llmos -b --model qwen2.5-coder-0.5b\nthe sum of amount by region, as total")
    assert sent.status == "ok", sent.text
    assert "`lock` could not be sent" in sent.text
    assert time.monotonic() - began < 5
    assert notebook.run("'total' in globals()").text.strip() == "False"
    assert ended(1, 120).state == "done", task(1).reason
    assert notebook.run("%llmos wait 1").status == "ok"
    assert notebook.value("int(total['N']), int(total['S'])") == "(5, 2)"
    trace = DaemonClient(start=False).trace("1")
    assert {"candidate", "inspection", "rehearsal", "run"} <= {stored.record.type for stored in trace.records}
    assert "groupby" in notebook.run("%llmos code 1").text
    assert "groupby" in notebook.run("%llmos result 1").text
    kinds = {step.kind for step in DaemonClient(start=False).steps(task="1")}
    assert kinds == {"generation", "run"}
    # The next request goes on from it.
    assert notebook.run("%llmos --model qwen2.5-coder-0.5b no, the mean").status == "ok"
    assert "mean" in notebook.run("%llmos code").text


@pytest.mark.model
def test_what_may_not_be_asked_in_the_background_is_shown_there(notebook: Kernel, home: Path) -> None:
    outside = home / "outside"
    outside.mkdir()
    sent = notebook.run(f"%%llmos -b --model qwen2.5-coder-0.5b\nwrite the text hello to the file {outside}/a.txt")
    assert sent.status == "ok", sent.text
    assert ended(1, 120).state == "done", task(1).reason
    assert not list(outside.iterdir())
    assert "not run" in notebook.run("%llmos result 1").text
    assert "open" in notebook.run("%llmos code 1").text


def test_what_a_kernel_that_was_restarted_had_asked_for_can_be_brought_in(home: Path) -> None:
    with kernel(home) as first:
        first.run("%load_ext llmos_jupyter")
        first.run("%%llmos run -b\nimport time\ntime.sleep(1)\nprint('done it')\nlate = 5\nthere = 'task'")
    assert ended(1).state == "done"
    with kernel(home) as second:
        second.run("%load_ext llmos_jupyter")
        second.run("there = 'mine'")
        assert "was not begun in this notebook" in second.run("%llmos wait 1").text
        shown = second.run("%llmos result 1").text
        assert "done it" in shown
        assert "Brought in: `late`" in shown
        assert second.run("late, there, there_from_task_1").text.strip() == "(5, 'mine', 'task')"


def test_the_trace_is_one_that_perfetto_reads(notebook: Kernel, home: Path) -> None:
    notebook.run("%%llmos run -b\nimport time\ntime.sleep(0.5)")
    notebook.run("%%llmos run -b --after 1\n1 + 1")
    assert ended(2).state == "done"
    assert "Nothing waits" in notebook.run("%llmos queue").text
    written = notebook.run(f"%llmos trace {home}/trace.json")
    assert "2 steps" in written.text
    trace = json.loads((home / "trace.json").read_text())
    ran = [event for event in trace["traceEvents"] if event["ph"] == "X" and event["pid"] == 1]
    assert len(ran) == 2
    first, second = sorted(ran, key=lambda event: event["ts"])
    assert 0.4e6 < first["dur"] < 5e6
    assert first["ts"] + first["dur"] <= second["ts"]
    assert "class normal" in first["args"]["why"]
    arrows = [event["ph"] for event in trace["traceEvents"] if event.get("cat") == "after"]
    assert sorted(arrows) == ["f", "s"]
    assert "cannot be written" in notebook.run("%llmos trace /nowhere/trace.json").text


def test_a_queue_is_shown_with_what_it_waits_for_and_when_it_starts(notebook: Kernel) -> None:
    import os

    cores = os.cpu_count() or 1
    for _ in range(cores + 2):
        notebook.run("%%llmos run -b\nimport time\ntime.sleep(60)")
    notebook.run("%%llmos run -b --priority low\nlow = 1")
    until = time.monotonic() + 20
    planned = re.compile(r"(in \d+ s|now) +import time")
    while not planned.search(shown := notebook.run("%llmos queue").text) and time.monotonic() < until:
        time.sleep(0.2)
    lines = shown.strip().splitlines()[1:]
    assert [line.split()[1] for line in lines] == ["running"] * cores + ["waiting"] * 3
    assert lines[-1].split()[2] == "low"
    assert "waits for cores of this machine" in lines[-1]
    said = subprocess.run(
        [sys.executable, "-m", "llmos_jupyter.cli", "queue"], capture_output=True, text=True, check=True
    ).stdout
    assert len(said.strip().splitlines()) == len(lines) + 1
    for number in range(1, cores + 4):
        notebook.run(f"%llmos cancel {number}")
    assert "Nothing waits" in notebook.run("%llmos queue").text


def test_a_database_that_others_lock_is_told_and_used_again(notebook: Kernel, home: Path) -> None:
    import sqlite3

    assert notebook.run("%%llmos run\n1 + 1").status == "ok"
    other = sqlite3.connect(home / "data" / "llmos.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    refused = notebook.run("%%llmos run -b\nx = 1")
    other.execute("ROLLBACK")
    other.close()
    assert refused.status == "error"
    assert "locked" in refused.text
    assert "Traceback" not in refused.text
    assert notebook.run("%%llmos run\nx = 2").status == "ok"
    assert notebook.run("x").text.strip() == "2"
