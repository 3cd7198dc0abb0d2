"""The dashboard in a real kernel with a real daemon: what comes over the wire while a cell runs, clicks, bad luck."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipykernel
import nbformat
import pytest
from nbconvert import HTMLExporter

from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.daemon.lifecycle import read_runtime_file
from llmos_jupyter.protocol import Task
from tests.kernels import Kernel, kernel

needs_subshells = pytest.mark.skipif(
    int(ipykernel.__version__.split(".")[0]) < 7, reason="this ipykernel has no subshells"
)
VIEW = "application/vnd.jupyter.widget-view+json"


class Wire:
    """A front end at the level of messages: cells by their names, comm messages as they come."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.client = kernel, kernel.client

    def begin(self, code: str, cell: str = "") -> str:
        """Send a cell, and do not wait for it."""
        session = self.client.session
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
        message = session.msg("execute_request", content, metadata={"cellId": cell} if cell else {})
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def messages(self, until: Callable[[dict[str, Any]], bool], timeout: float = 60.0) -> list[dict[str, Any]]:
        """What comes on iopub, up to and with the message for which `until` is true."""
        came: list[dict[str, Any]] = []
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            try:
                came.append(self.client.get_iopub_msg(timeout=0.2))
            except queue.Empty:
                continue
            if until(came[-1]):
                return came
        raise TimeoutError(f"it did not come in {timeout} s; {[one['msg_type'] for one in came][-20:]}")

    def run(self, code: str, cell: str = "") -> list[dict[str, Any]]:
        """Run a cell to its end; what came meanwhile."""
        return self.messages(is_end_of(self.begin(code, cell)))

    def subshell(self) -> str:
        message = self.client.session.msg("create_subshell_request")
        self.client.control_channel.send(message)
        reply = self.client.get_control_msg(timeout=10)
        return str(reply["content"]["subshell_id"])

    def tell(self, model: str, data: dict[str, Any], subshell: str) -> None:
        """A message of the front end to a widget, as JupyterLab sends it beside a running cell."""
        message = self.client.session.msg("comm_msg", {"comm_id": model, "data": data})
        message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)


def is_end_of(message_id: str) -> Callable[[dict[str, Any]], bool]:
    def ended(message: dict[str, Any]) -> bool:
        ours = message["parent_header"].get("msg_id") == message_id
        return ours and message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"

    return ended


def updates(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The states of widgets that were sent."""
    data = [message["content"]["data"] for message in messages if message["msg_type"] == "comm_msg"]
    return [one["state"] for one in data if one.get("method") == "update"]


def texts(messages: list[dict[str, Any]]) -> str:
    return "".join(message["content"]["text"] for message in messages if message["msg_type"] == "stream")


def displays(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [message["content"]["data"] for message in messages if message["msg_type"] == "display_data"]


def wait_for(condition: Callable[[], Any], timeout: float = 30.0) -> Any:
    deadline = time.monotonic() + timeout
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found


def task(number: int) -> Task:
    client = DaemonClient(start=False)
    try:
        return client.trace(str(number)).task
    finally:
        client.close()


@pytest.fixture
def wire(home: Path) -> Iterator[Wire]:
    with kernel(home) as running:
        running.run("%load_ext llmos_jupyter")
        yield Wire(running)


def background(code: str) -> str:
    return f"get_ipython().run_cell_magic('llmos', 'run -b', {code!r})"


def test_it_is_live_while_a_cell_runs(wire: Wire) -> None:
    wire.run("%llmos dashboard")
    busy = background("import time; time.sleep(1.5); print('this is the task')")
    came = wire.run(f"{busy}\nimport time; time.sleep(3)")
    states = updates(came)
    tables = [state["value"] for state in states if "llmos-queue" in str(state.get("value"))]
    assert any("this is the task" in table for table in tables)
    figures = [state["_py2js_update"] for state in states if state.get("_py2js_update")]
    words = [str(update["style_data"].get("hovertext")) for update in figures]
    assert any("Task 1: code in a worker on workers, running<br>import time" in word for word in words)
    # It grows while it runs: more than its beginning and its end were drawn.
    assert len(figures) >= 3


@needs_subshells
def test_a_click_while_a_cell_runs_cancels_a_task(wire: Wire) -> None:
    wire.run(background("import time; time.sleep(300)"))
    came = wire.run(
        "from llmos_jupyter.widgets import TaskQueue\n"
        "tasks = TaskQueue()\n"
        "entry, cancel, *_ = tasks.children[3].children\n"
        "print(entry.model_id, cancel.model_id)"
    )
    entry, button = texts(came).split()
    subshell = wire.subshell()
    cell = wire.begin("import time; time.sleep(8); print('the cell ended')")
    wire.tell(entry, {"method": "update", "state": {"value": "1"}, "buffer_paths": []}, subshell)
    wire.tell(button, {"method": "custom", "content": {"event": "click"}}, subshell)
    came = wire.messages(lambda message: "Task 1 is cancelled" in str(message["content"]), timeout=7)
    assert task(1).state == "cancelled"
    assert not any(map(is_end_of(cell), came))
    came = wire.messages(is_end_of(cell))
    assert any("the cell ended" in str(message["content"]) for message in came)


def test_a_click_without_a_task_says_what_to_do(wire: Wire) -> None:
    came = wire.run(
        "from llmos_jupyter.widgets import TaskQueue\ntasks = TaskQueue()\nentry, cancel, pause, resume = "
        "tasks.children[3].children\ncancel.click()\nimport time; time.sleep(1)\n"
        "entry.value = '77 gone'; pause.click(); time.sleep(3)"
    )
    answers = [state["value"] for state in updates(came) if 'role="status"' in str(state.get("value"))]
    assert any("Choose a task first" in answer for answer in answers)


def test_pause_and_resume(wire: Wire) -> None:
    wire.run(background("import time\nfor n in range(600): time.sleep(.1)"))
    wait_for(lambda: task(1).state == "running")
    wire.run(
        "from llmos_jupyter.widgets import TaskQueue\ntasks = TaskQueue()\nentry, cancel, pause, resume = "
        "tasks.children[3].children\nentry.value = '1 import time'; pause.click()"
    )
    wait_for(lambda: task(1).state == "paused")
    wire.run("resume.click()")
    wait_for(lambda: task(1).state in ("running", "accepted"))
    wire.run("cancel.click()")
    wait_for(lambda: task(1).state == "cancelled")


def test_a_daemon_that_was_killed_is_missed_and_found_again(wire: Wire) -> None:
    wire.run("%llmos dashboard")
    info = read_runtime_file()
    assert info is not None
    os.kill(info.pid, signal.SIGKILL)
    came = wire.messages(lambda message: "went away" in str(message["content"]), timeout=20)
    assert came
    assert read_runtime_file() == info  # nobody has started another one
    client = DaemonClient()
    client.status()
    client.close()
    wire.run(background("print('after the fall')"))
    look = "p = reader().picture; print(p.link, repr(p.said), [f'{n.number} {n.text}' for n in p.names.values()])"
    wire.run("from llmos_jupyter.widgets.live import reader")

    def found() -> bool:
        return "live '' [\"1 print('after the fall')\"]" in texts(wire.run(look))

    wait_for(found)


def test_without_a_daemon_it_says_so_and_starts_none(wire: Wire) -> None:
    came = wire.run("from llmos_jupyter.widgets import Dashboard\nDashboard()")
    page = displays(came)[1]["text/html"]
    assert "No llmos daemon is running" in page
    assert read_runtime_file() is None


def test_reading_ends_with_the_last_that_is_seen(wire: Wire) -> None:
    names = "','.join(sorted(t.name for t in threading.enumerate() if t.name in ('llmos-live', 'llmos-widgets')))"
    threads = f"import threading; print('threads', {names})"

    def reading() -> str:
        return texts(wire.run(threads)).strip()

    wire.run("%llmos dashboard", "one")
    wire.run("from llmos_jupyter.widgets import Utilisation\nused = Utilisation()\nused", "two")
    assert reading() == "threads llmos-live,llmos-widgets"
    # The first cell shows something else now, then the second is closed.
    wire.run("1 + 1", "one")
    time.sleep(2)
    assert reading() == "threads llmos-live,llmos-widgets"
    wire.run("used.close()", "three")
    wait_for(lambda: reading() == "threads")
    # One that is shown again reads again.
    wire.run("%llmos dashboard", "one")
    assert reading() == "threads llmos-live,llmos-widgets"


def test_a_saved_notebook_shows_a_table_and_a_drawing(wire: Wire) -> None:
    wire.run(background("hostile = '<script>alert(1)</script>'"))
    wait_for(lambda: task(1).state == "done")
    time.sleep(1)
    came = wire.run("%llmos dashboard")
    outputs = [nbformat.v4.new_output("display_data", data) for data in displays(came)]
    assert [VIEW in one["data"] for one in outputs] == [True, False]
    cell = nbformat.v4.new_code_cell("%llmos dashboard", outputs=outputs)
    page, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    body = page[page.index("<main") :]
    assert "Nothing waits and nothing runs." in body
    assert "<svg" in body
    assert "code in a worker" in body
    assert "alert(1)" not in body.replace("&lt;script&gt;alert(1)", "")
    assert len(str(outputs)) < 50_000


def test_a_bundle_has_all_forms(wire: Wire) -> None:
    wire.run("from llmos_jupyter.widgets import Dashboard, ScheduleGantt, TaskQueue, Utilisation")
    came = wire.run(
        "for make in (Dashboard, ScheduleGantt, TaskQueue, Utilisation):\n"
        "    widget = make(); print(sorted(widget._repr_mimebundle_())); widget.close()\n"
    )
    assert texts(came).splitlines() == [str(sorted([VIEW, "text/html", "text/plain"]))] * 4
    came = wire.run("snap = Dashboard().snapshot(); snap")
    results = [m["content"]["data"] for m in came if m["msg_type"] == "execute_result"]
    assert sorted(results[0]) == ["text/html", "text/plain"]


def test_a_terminal_is_told_in_text(home: Path) -> None:
    code = "%load_ext llmos_jupyter\n%llmos dashboard"
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", "-c", code],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "Nothing waits and nothing runs." in done.stdout
    assert "Nothing has run in the last ten minutes." in done.stdout
