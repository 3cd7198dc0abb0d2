"""What the side panel does with a long queue: first paint, scrolling, updates, in a real JupyterLab in Chromium.

    python -m benchmarks.panel [--tasks 10000]

A real daemon has so many background tasks, of which almost all wait. Times are taken in the page: from the opening of
the panel to the first row on screen; the gaps between frames while the queue is scrolled by a screen each frame; and
while tasks are cancelled at its head, the gaps between frames, the page's processor time, and the bytes of what the
panel asks for. Aims: first paint under 1 s, 95 of 100 gaps at 50 ms or better.
The peer is what the panel would be without its virtual list and its windows: all tasks read at once, a row of the same
parts for each, drawn into the same page.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
from playwright.sync_api import Page, sync_playwright

from benchmarks.asking import own_daemon
from benchmarks.common import note, percentile, report
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.daemon.lifecycle import find_or_start
from llmos_jupyter.protocol import Options, Request, Session
from llmos_jupyter.protocol.jobs import Job
from llmos_jupyter.system import processes

TOKEN = "benchmark"
ROW = "#llmos-panel .jp-llmos-Row"
GAPS = """async ([seconds, list]) => {
    const box = list && document.querySelector(list), gaps = [];
    let last = performance.now(), end = last + seconds * 1000;
    while (last < end) {
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        gaps.push(now - last);
        last = now;
        if (box) box.scrollTop += box.clientHeight;
    }
    return gaps;
}"""
NAIVE = """async ([url, token]) => {
    const began = performance.now(), tasks = [];
    for (let offset = 0; ; offset += 1000) {
        const answer = await fetch(`${url}llmos/api/v1/queue?limit=1000&offset=${offset}&token=${token}`);
        const part = await answer.json();
        tasks.push(...part);
        if (part.length < 1000) break;
    }
    const box = document.createElement('div');
    box.style = 'position:fixed;inset:0;overflow:auto;z-index:10000;background:white';
    box.id = 'naive';
    for (const {task, step, why} of tasks) {
        const row = document.createElement('div');
        row.className = 'jp-llmos-Row';
        for (const text of [task.number, task.state, task.text, why]) {
            const part = document.createElement('span');
            part.textContent = text;
            row.append(part);
        }
        for (const name of ['Pause', 'Cancel']) {
            const button = document.createElement('button');
            button.textContent = name;
            row.append(button);
        }
        box.append(row);
    }
    document.querySelector('#naive')?.remove();
    document.body.append(box);
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    return performance.now() - began;
}"""


def fill(tasks: int) -> list[str]:
    """Background tasks, of which all but the first few wait; their numbers."""
    find_or_start()
    client = DaemonClient(start=False)
    here = Session(id="benchmark", pid=os.getpid(), started=processes.started(os.getpid()))
    numbers = []
    for count in range(tasks):
        name = uuid.uuid4().hex
        code = f"import time\ntime.sleep(3600)  # {count}"
        options = Options(background=True)
        request = Request(id=name, kind="run", text=code, options=options, session=here)
        numbers.append(str(client.submit_job(request, Job(id=name, code=code)).number))
        if count % 1000 == 999:
            note(f"{count + 1} tasks")
    return numbers


@contextlib.contextmanager
def lab(folder: Path) -> Iterator[str]:
    """A JupyterLab of its own; its address."""
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "share"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }
    port = 8899
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += [f"--ServerApp.token={TOKEN}", f"--ServerApp.root_dir={folder}"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/"
    try:
        for _ in range(300):
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{url}api", trust_env=False)
                break
            time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def measure(page: Page, url: str, numbers: list[str]) -> list[dict[str, object]]:
    page.goto(f"{url}lab?token={TOKEN}&reset")
    page.locator("#jp-main-dock-panel").wait_for()
    page.wait_for_timeout(3000)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    session.send("Network.enable")
    began = time.perf_counter()
    page.keyboard.press("Alt+Shift+L")
    page.locator(ROW).first.wait_for()
    first = time.perf_counter() - began
    scrolling = page.evaluate(GAPS, [5, "#llmos-panel .jp-llmos-Queue-list"])
    page.evaluate("document.querySelector('#llmos-panel .jp-llmos-Queue-list').scrollTop = 0")
    page.wait_for_timeout(2000)
    received = {"bytes": 0}
    session.on("Network.dataReceived", lambda event: received.update(bytes=received["bytes"] + event["dataLength"]))
    client, seconds, cancelled = DaemonClient(start=False), 10, numbers[-20:]
    busy = _task_seconds(session)
    page.evaluate(
        "seconds => { window.gaps = null; (" + GAPS + ")([seconds, null]).then(gaps => { window.gaps = gaps; }); }",
        seconds,
    )
    for number in cancelled:
        client.cancel(number)
        page.wait_for_timeout(1000 * seconds / len(cancelled))
    page.wait_for_function("window.gaps !== null")
    updating = page.evaluate("window.gaps")
    busy = _task_seconds(session) - busy
    rows, kilobytes = page.locator(ROW).count(), received["bytes"] / 1000
    naive = page.evaluate(NAIVE, [url, TOKEN]) / 1000
    naive_gaps = page.evaluate(GAPS, [5, "#naive"])
    return [
        {
            "list": "panel",
            "first paint s": first,
            "scroll P95 ms": percentile(scrolling, 0.95),
            "scroll worst ms": max(scrolling),
            "update P95 ms": percentile(updating, 0.95),
            "update worst ms": max(updating),
            "kB/s": kilobytes / seconds,
            "page CPU %": 100 * busy / seconds,
            "rows": rows,
        },
        {
            "list": "all rows at once",
            "first paint s": naive,
            "scroll P95 ms": percentile(naive_gaps, 0.95),
            "scroll worst ms": max(naive_gaps),
            "rows": len(numbers),
        },
    ]


def _task_seconds(session: Any) -> float:
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tasks", type=int, default=10_000)
    tasks = parser.parse_args().tasks
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        raise SystemExit("No Chromium is on the PATH: `make browser` installs it.")
    with tempfile.TemporaryDirectory() as folder, own_daemon():
        numbers = fill(tasks)
        daemon = psutil.Process(find_or_start().pid)
        with lab(Path(folder)) as url, sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
            rows = measure(chromium.new_page(viewport={"width": 1400, "height": 900}), url, numbers)
            chromium.close()
        memory = daemon.memory_info().rss
    panel, naive = (float(str(row["first paint s"])) for row in rows)
    report("panel", rows, tasks=tasks, ratio=naive / panel, daemon_mb=round(memory / 1e6))


if __name__ == "__main__":
    main()
