"""What a background cell costs: ready, overhead per task, cancel; beside ProcessPoolExecutor, Dask and ipyparallel.

    python -m benchmarks.workers [--tasks 30] [--no-peers]

`ready_s`: from nothing to the first result, two workers. `task_ms`: a trivial task from submission to result, one after
another. `warm_ms`: the same with a pause before each, in which a spare worker is made ready; `begin_ms` is the part of
it until the code runs. `cancel_s`: from the cancelling of an endless loop to the end of its last process, as a median;
`stubborn_s`: the same for a loop that ignores SIGINT and SIGTERM. A dash: it does not end, or there is no such thing.

Ours gives each task a fresh, locked-down kernel; the peers give theirs a used process. Dask is taken from this
environment, ipyparallel is installed into one of its own under `benchmarks/.venvs`, once.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from benchmarks.common import median, note, percentile, report
from benchmarks.load import Peer, environment, version
from llmos_jupyter.protocol.jobs import Job, Started, Stream
from llmos_jupyter.workers import Pool
from llmos_jupyter.workers.dask import DaskPool
from llmos_jupyter.workers.local import LocalPool

AIM_WARM_SECONDS, AIM_TASK_SECONDS, AIM_CANCEL_SECONDS = 0.5, 0.05, 0.5
PAUSE = 1.5
CANCELS = 5
PEER_SECONDS = 180.0
LOOP = "print('running', flush=True)\nwhile True: pass"
STUBBORN = "import signal\nfor n in (2, 15): signal.signal(n, signal.SIG_IGN)\n" + LOOP
_numbers = itertools.count()


async def one(pool: Pool) -> tuple[float, float]:
    """A trivial task: seconds until its code began, and until its result was there."""
    began = time.perf_counter()
    started = 0.0
    async for event in pool.run(Job(id=f"task-{next(_numbers)}", code="x = 1", binds=["x"])):
        if isinstance(event, Started):
            started = time.perf_counter() - began
    return started, time.perf_counter() - began


async def cancel(pool: Pool, code: str) -> float:
    """Seconds from cancelling an endless task to the end of its processes."""
    job = Job(id=f"task-{next(_numbers)}", code=code)
    cancelled = 0.0
    cancelling: asyncio.Task[None] | None = None
    processes: list[psutil.Process] = []
    async for event in pool.run(job):
        if isinstance(event, Started):
            processes = [psutil.Process(event.pid)]
        if isinstance(event, Stream) and cancelling is None:
            processes += processes[0].children(recursive=True)
            cancelled = time.perf_counter()
            cancelling = asyncio.create_task(pool.cancel(job.id))
    assert cancelling is not None
    # A cluster is told to end it, and the task is over for us before it is there.
    while any(alive(process) for process in processes):
        await asyncio.sleep(0.001)
    return time.perf_counter() - cancelled


def alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


async def ours(title: str, pool: Pool, tasks: int, began: float) -> dict[str, object]:
    await pool.start()
    await one(pool)
    ready = time.perf_counter() - began
    note(f"{title}: ready after {ready:.2f} s")
    in_a_row = [(await one(pool))[1] for _ in range(tasks)]
    warm = []
    for _ in range(max(5, tasks // 3)):
        await asyncio.sleep(PAUSE)
        warm.append(await one(pool))
    cancels = {}
    for name, code in (("cancel_s", LOOP), ("stubborn_s", STUBBORN)):
        seconds = []
        for _ in range(CANCELS):
            await asyncio.sleep(PAUSE)
            seconds.append(await cancel(pool, code))
        cancels[name] = round(median(seconds), 3)
        cancels[name.replace("_s", "_max_s")] = round(max(seconds), 3)
    await pool.close()
    return {
        "workers": title,
        "ready_s": round(ready, 2),
        "task_ms": round(1000 * median(in_a_row), 1),
        "task_p95_ms": round(1000 * percentile(in_a_row, 0.95), 1),
        "warm_ms": round(1000 * median([whole for _, whole in warm]), 1),
        "begin_ms": round(1000 * median([begun for begun, _ in warm]), 1),
        **cancels,
    }


def over_dask(tasks: int) -> dict[str, object]:
    """Our pool over a Dask cluster of two worker processes; its start is counted."""
    from distributed import LocalCluster

    began = time.perf_counter()
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        return asyncio.run(ours("llmos over Dask", DaskPool(cluster.scheduler_address), tasks, began))


def end_with_children(child: subprocess.Popen[str]) -> None:
    """A peer's endless task goes on, which is what was measured: end it by force."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in [*psutil.Process(child.pid).children(recursive=True), child]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
    child.communicate()


def peer(title: str, python: Path, name: str, package: str, tasks: int) -> dict[str, object]:
    note(f"measuring {title}")
    script = Path(__file__).with_name("workers_peers.py")
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryFile("w+") as errors:
        child = subprocess.Popen(
            [python, script, name, str(tasks)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=home,
            env={**os.environ, "IPYTHONDIR": home},
        )
        hurry = threading.Timer(PEER_SECONDS, end_with_children, [child])
        hurry.start()
        assert child.stdout is not None
        line = next((line for line in child.stdout if line.startswith("{")), "")
        hurry.cancel()
        end_with_children(child)
        if not line:
            errors.seek(0)
            raise RuntimeError(errors.read().strip()[-2000:] or f"{title} said nothing")
    said = json.loads(line)
    return {
        "workers": f"{title} {version(python, package)}" if package else title,
        "ready_s": round(said["ready_s"], 2),
        "task_ms": round(median(said["task_ms"]), 2),
        "task_p95_ms": round(percentile(said["task_ms"], 0.95), 2),
        "cancel_s": None if said["cancel_s"] is None else round(said["cancel_s"], 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workers", description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=30, help="trivial tasks for each (default 30)")
    parser.add_argument("--no-peers", action="store_true", help="measure llmos-jupyter only")
    options = parser.parse_args()
    failures: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as home:
        os.environ["LLMOS_DATA_DIR"] = home
        local = asyncio.run(ours("llmos local", LocalPool(size=2), options.tasks, time.perf_counter()))
        rows = [local, over_dask(options.tasks)]
    peers = (("ProcessPoolExecutor", "processes", ""), ("Dask", "dask", "distributed"), ("ipyparallel",) * 3)
    for title, name, package in () if options.no_peers else peers:
        try:
            python = environment(Peer(title, package, "")) if package == "ipyparallel" else Path(sys.executable)
            rows.append(peer(title, python, name, package, options.tasks))
        except (OSError, subprocess.SubprocessError, RuntimeError) as error:
            # A peer that no longer installs or runs is not a failure of ours, but it must be seen.
            failures[title] = str(error).splitlines()[-1]
            note(f"{title} could not be measured: {error}")
    report(
        "workers",
        rows,
        tasks=options.tasks,
        aim_begin_s=AIM_WARM_SECONDS,
        aim_task_s=AIM_TASK_SECONDS,
        aim_cancel_s=AIM_CANCEL_SECONDS,
        met=float(str(local["begin_ms"])) < 1000 * AIM_WARM_SECONDS
        and float(str(local["warm_ms"])) < 1000 * AIM_TASK_SECONDS
        and float(str(local["stubborn_max_s"])) < AIM_CANCEL_SECONDS,
        not_measured=failures,
    )


if __name__ == "__main__":
    main()
