"""The peers of `benchmarks.workers`, each run by the Python of its own environment: nothing of ours is imported.

    python workers_peers.py processes|dask|ipyparallel TASKS

Prints one JSON object: seconds until the first result, milliseconds of each trivial task, and seconds from the
cancelling of an endless task to its end (null: it still ran after three seconds).
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

WORKERS = 2
STILL_RUNNING = 3.0
QUIET = 0.4


def nothing() -> int:
    return 1


def spin(path: str) -> None:
    """Endless; leaves a sign of life in the file's time."""
    import os

    while True:
        os.utime(path)


def measure(connect: Callable[[], Any], submit: Callable[..., Any], cancel: Callable[[Any], None], tasks: int) -> None:
    began = time.perf_counter()
    pool = connect()
    submit(pool, nothing).result()
    ready = time.perf_counter() - began
    times = []
    for _ in range(tasks):
        began = time.perf_counter()
        submit(pool, nothing).result()
        times.append(1000 * (time.perf_counter() - began))
    with tempfile.NamedTemporaryFile() as sign:
        os.utime(sign.name, (0, 0))
        running = submit(pool, spin, sign.name)
        while os.stat(sign.name).st_mtime == 0:
            time.sleep(0.01)
        cancelled = time.time()
        cancel(running)
        seconds = stopped(sign.name, cancelled)
    print("\n" + json.dumps({"ready_s": ready, "task_ms": times, "cancel_s": seconds}), flush=True)


def stopped(path: str, since: float) -> float | None:
    """Seconds from `since` to the last sign of life, or None if they go on."""
    while time.time() - since < STILL_RUNNING:
        last = os.stat(path).st_mtime
        time.sleep(QUIET)
        if os.stat(path).st_mtime == last:
            return max(0.0, last - since)
    return None


def processes(tasks: int) -> None:
    from concurrent.futures import ProcessPoolExecutor

    measure(
        lambda: ProcessPoolExecutor(WORKERS),
        lambda pool, function, *arguments: pool.submit(function, *arguments),
        lambda future: future.cancel(),
        tasks,
    )


def dask(tasks: int) -> None:
    from distributed import Client, LocalCluster

    measure(
        lambda: Client(LocalCluster(n_workers=WORKERS, threads_per_worker=1, processes=True, dashboard_address=None)),
        lambda client, function, *arguments: client.submit(function, *arguments, pure=False),
        lambda future: future.cancel(),
        tasks,
    )


def ipyparallel(tasks: int) -> None:
    import ipyparallel

    class Future:
        def __init__(self, result: Any) -> None:
            self.result = result.get
            self.abort = result.abort

    def connect() -> Any:
        cluster = ipyparallel.Cluster(n=WORKERS, log_level=40)
        return cluster.start_and_connect_sync(activate=False).load_balanced_view()

    measure(
        connect,
        lambda view, function, *arguments: Future(view.apply_async(function, *arguments)),
        lambda future: future.abort(),
        tasks,
    )


if __name__ == "__main__":
    {"processes": processes, "dask": dask, "ipyparallel": ipyparallel}[sys.argv[1]](int(sys.argv[2]))
    sys.stdin.read()  # until whoever measures ends this process, with all that it started
