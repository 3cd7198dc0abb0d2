"""What it costs to watch: bytes and processor time of a Dashboard while 20 short background cells run.

    python -m benchmarks.watching [--seconds 30]

A real kernel and a real daemon, no model. A cell submits the tasks and runs all the while; what the kernel publishes
on iopub is counted in bytes as they go over the wire, and the processor time of kernel and daemon is read before and
after.
Three times: with nothing shown, with a Dashboard, and with the peer: the same schedule as a plotly FigureWidget that is
made and displayed anew each second, as notebooks do that have no widget for it. Figures are told above those of the
first, which the tasks' own outputs cost. The first display of a FigureWidget carries plotly's script, 5 MB, and is told
by itself.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from typing import Any

import psutil
import zmq
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from benchmarks.asking import own_daemon
from benchmarks.common import note, report
from llmos_jupyter.daemon.lifecycle import find_or_start

TASKS = 20

DASHBOARD = "from llmos_jupyter.widgets import Dashboard\nDashboard()"
PEER = """
import threading, time
from IPython.display import clear_output, display
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.widgets.figures import GanttFigure
from llmos_jupyter.widgets.gantt import arrange

def watch():
    client = DaemonClient(start=False)
    while True:
        figure = GanttFigure()
        figure.draw(arrange(client.steps(), {}, time.time()))
        clear_output(wait=True)
        display(figure.figure)
        time.sleep(1)

threading.Thread(target=watch, daemon=True).start()
"""
WORK = """
import time
began = time.monotonic()
for number in range({tasks}):
    get_ipython().run_cell_magic("llmos", "run -b", f"import time; time.sleep(0.5)  # {{number}}")
    time.sleep(0.8)
time.sleep(max(0.0, {seconds} - (time.monotonic() - began)))
"""


class Wire:
    """A kernel, and the bytes that it publishes."""

    def __init__(self, folder: str) -> None:
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(cwd=folder)
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self.process = psutil.Process(self.manager.provisioner.process.pid)

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def run(self, code: str, settle: float = 0.0) -> tuple[int, int]:
        """Run a cell to its end and `settle` seconds on; bytes published meanwhile, and updates of figures."""
        socket = self.client.iopub_channel.socket
        wanted = self.client.execute(code)
        size = updates = 0
        until: float | None = None
        while until is None or time.monotonic() < until:
            if not socket.poll(100, zmq.POLLIN):
                continue
            frames: list[bytes] = socket.recv_multipart()
            size += sum(map(len, frames))
            at = frames.index(b"<IDS|MSG>")
            header, parent, content = (json.loads(frames[at + place]) for place in (2, 3, 5))
            updates += _is_update(header, content)
            if header["msg_type"] == "error":
                raise RuntimeError("\n".join(content["traceback"]))
            if parent.get("msg_id") == wanted and content.get("execution_state") == "idle":
                until = time.monotonic() + settle
        return size, updates


def _is_update(header: dict[str, Any], content: dict[str, Any]) -> bool:
    state = content.get("data", {}).get("state", {}) if header["msg_type"] == "comm_msg" else {}
    return bool(state.get("_py2js_update") or "llmos-queue" in str(state.get("value")))


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def watch(name: str, shown: str, seconds: float) -> dict[str, Any]:
    """One way of watching: what it published and used."""
    with tempfile.TemporaryDirectory() as folder:
        wire = Wire(folder)
        try:
            daemon = psutil.Process(find_or_start().pid)
            wire.run("%load_ext llmos_jupyter\n%llmos status")
            first, _ = wire.run(shown, settle=3.0) if shown else (0, 0)
            before = _cpu(wire.process), _cpu(daemon)
            size, updates = wire.run(WORK.format(tasks=TASKS, seconds=seconds))
            after = _cpu(wire.process), _cpu(daemon)
        finally:
            wire.close()
    note(f"{name}: {size} bytes, {updates} updates")
    return {
        "shown": name,
        "first_kb": round(first / 1000, 1),
        "kb_per_s": size / 1000 / seconds,
        "updates": updates,
        "kernel_cpu_percent": 100 * (after[0] - before[0]) / seconds,
        "daemon_cpu_percent": 100 * (after[1] - before[1]) / seconds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    seconds = parser.parse_args().seconds
    ways = (("nothing", ""), ("Dashboard", DASHBOARD), ("a new FigureWidget each second", PEER))
    rows = []
    for name, shown in ways:
        with own_daemon():
            rows.append(watch(name, shown, seconds))
    nothing, ours, peer = rows
    for row in (ours, peer):
        for key in ("kb_per_s", "kernel_cpu_percent", "daemon_cpu_percent"):
            row[key] -= nothing[key]
    report(
        "watching",
        rows,
        seconds=seconds,
        tasks=TASKS,
        kb_per_update=ours["kb_per_s"] * seconds / max(1, ours["updates"]),
        bytes_ratio=peer["kb_per_s"] / ours["kb_per_s"],
        kernel_cpu_ratio=peer["kernel_cpu_percent"] / ours["kernel_cpu_percent"],
    )


if __name__ == "__main__":
    main()
