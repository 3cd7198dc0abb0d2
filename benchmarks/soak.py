"""Hundreds of requests over several notebooks while engine, daemon and kernels are killed: what is left standing.

    python -m benchmarks.soak [--requests 500] [--notebooks 4] [--kills 40] [--seed 1] [--minutes 240]

Real kernels, the real magic, the real daemon and engine, in folders of the benchmark's own. The kills (SIGKILL; engine,
daemon or a kernel) and the requests at which they come are drawn by the seed. Afterwards: every task has exactly one
end, the database is whole, no process and no folder of a rehearsal is left, and memory grew by no more than FLAT with
each request, as the least-squares slope over the requests that one process saw.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import queue
import random
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from benchmarks.asking import PENGUINS, own_daemon
from benchmarks.common import median, note, report
from llmos_jupyter import paths
from llmos_jupyter.daemon import lifecycle
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import FINAL_STATES

MODEL = "qwen2.5-coder-0.5b"
MAX_TOKENS = 60
# MB a request by which memory may grow: five hundred make 50 MB. A slope needs this many requests of one process, after
# the first ones, in which libraries are loaded and caches filled.
FLAT = 0.1
SLOPE_REQUESTS, WARM_UP = 20, 10
# Seconds: how long the request may take, and how long after that a cell may hang before it counts as stuck.
REQUEST_SECONDS, GRACE = 120, 60
# Seconds in which the daemon must have ended the tasks of killed kernels, and processes must be gone.
SETTLING = 30.0

REQUESTS = (
    "make a list called squares with the squares of the numbers 1 to {n}",
    "average body_mass_g of each species in penguins",
    "what is a median?",
    "make a variable called total that is the sum of 1 to {n}",
    "how many rows of penguins have body_mass_g above {n}000?",
    "write a function add{n}(x) that adds {n} to x",
    "sort penguins by flipper_length_mm and show the first {n} rows",
    "make a dict called lengths of the words red, green and blue to their lengths",
)


@dataclass
class Book:
    """What happened, shared by all threads."""

    seed: int
    requests: int
    kills: int
    deadline: float
    given: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)
    # Resident MB by (role, process number), one sample a request.
    memory: dict[tuple[str, int], list[float]] = field(default_factory=lambda: defaultdict(list))
    seconds: list[float] = field(default_factory=list)
    notebooks: list[Notebook] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        dice = random.Random(self.seed)
        places = [dice.randrange(1, max(self.requests, 2)) for _ in range(self.kills)]
        self.plan = {place: dice.choice(("engine", "daemon", "kernel")) for place in places}

    def next(self) -> int | None:
        with self.lock:
            if self.given >= self.requests or time.monotonic() > self.deadline:
                return None
            self.given += 1
            return self.given

    def ended(self, how: str, seconds: float, kernel: int) -> None:
        daemon = lifecycle.read_runtime_file()
        with self.lock:
            self.ends[how] += 1
            self.seconds.append(seconds)
            for role, pid in (("kernel", kernel), ("daemon", daemon.pid if daemon else 0)):
                with contextlib.suppress(psutil.Error):
                    if pid:
                        self.memory[role, pid].append(psutil.Process(pid).memory_info().rss / 1e6)
            done = sum(self.ends.values())
        note(f"{done}/{self.requests} {how} after {seconds:.1f} s; killed so far: {dict(self.killed)}")


class Notebook:
    """One notebook: a kernel, begun anew whenever it was killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._manager: KernelManager | None = None
        self._client: BlockingKernelClient | None = None
        self.pid = 0

    def start(self) -> None:
        self.close()
        self._manager = KernelManager(kernel_name="python3")
        self._manager.start_kernel(cwd=str(self._folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = int(self._manager.provisioner.pid)
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=120)
        self.run("%load_ext llmos_jupyter", 120)
        self.run(f"import pandas as pd; penguins = pd.read_csv({str(PENGUINS)!r})", 120)

    def close(self) -> None:
        if self._client:
            self._client.stop_channels()
        if self._manager:
            self._manager.shutdown_kernel(now=True)
        self._manager = self._client = None

    def run(self, code: str, limit: float) -> str:
        """Run a cell: `ok`, `error`, `kernel killed`, or `stuck`."""
        assert self._manager is not None
        assert self._client is not None
        message = self._client.execute(code, allow_stdin=False)
        until = time.monotonic() + limit
        while time.monotonic() < until:
            # The output is not looked at, but must not pile up in this process.
            with contextlib.suppress(queue.Empty):
                while True:
                    self._client.get_iopub_msg(timeout=0)
            with contextlib.suppress(queue.Empty):
                reply = self._client.get_shell_msg(timeout=0.2)
                if reply["parent_header"].get("msg_id") == message:
                    return str(reply["content"]["status"])
            if not self._manager.is_alive():
                return "kernel killed"
        self._manager.interrupt_kernel()
        return "stuck"


def work(book: Book, notebook: Notebook) -> None:
    """One notebook's user: asks until there is nothing left to ask."""
    while (number := book.next()) is not None:
        dice = random.Random(f"{book.seed}/{number}")
        text = dice.choice(REQUESTS).format(n=dice.randrange(2, 9))
        options = f"--model {MODEL} --max-tokens {MAX_TOKENS} --timeout {REQUEST_SECONDS} --retries 1"
        began = time.monotonic()
        pid, how = notebook.pid, "kernel killed"
        try:
            killer = None
            if victim := book.plan.get(number):
                killer = threading.Timer(dice.uniform(0, 6), kill, (book, victim, dice))
                killer.start()
            how = notebook.run(f"%%llmos {options}\n{text}", REQUEST_SECONDS + GRACE)
            if killer:
                killer.join()
            if how in ("kernel killed", "stuck"):
                notebook.start()
        except RuntimeError as error:  # a kernel that was killed while it started
            note(f"the kernel went away: {error}")
            _start_again(notebook)
        book.ended(how, time.monotonic() - began, pid)


def _start_again(notebook: Notebook) -> None:
    for _ in range(3):
        with contextlib.suppress(RuntimeError):
            notebook.start()
            return
    raise SystemExit("no kernel can be started any more")


def kill(book: Book, what: str, dice: random.Random) -> None:
    """SIGKILL, to the engine, the daemon, or one of the kernels."""
    pid: int | None = None
    if what == "kernel":
        pid = dice.choice(book.notebooks).pid
    elif info := lifecycle.read_runtime_file():
        pid = info.pid
        if what == "engine":
            pid = next(iter(_ours("llama_cpp_server")), None)
    with contextlib.suppress(psutil.Error):
        if pid:
            psutil.Process(pid).kill()
            book.killed[what] += 1


def _ours(command: str = "") -> list[int]:
    """Processes that live in the benchmark's own folders, this one aside."""
    folder = str(paths.data_dir())
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            ours = process.pid != os.getpid() and process.environ().get("LLMOS_DATA_DIR") == folder
            if ours and process.status() != psutil.STATUS_ZOMBIE and command in " ".join(process.cmdline()):
                found.append(process.pid)
    return found


# --- what is left -------------------------------------------------------------------------------


def orphans(book: Book) -> list[str]:
    """Engines whose daemon is gone, copies whose kernel is gone: what neither is nor belongs to anything that runs."""
    info = lifecycle.read_runtime_file()
    known = {notebook.pid for notebook in book.notebooks} | ({info.pid} if info else set())
    left = []
    for pid in _ours():
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            if pid not in known and process.ppid() not in known:
                left.append(f"{pid}: {' '.join(process.cmdline())[:100]}")
    return left


def settled(check: Any) -> Any:
    """What a check gives, once it gives nothing or SETTLING is over."""
    until = time.monotonic() + SETTLING
    while (found := check()) and time.monotonic() < until:
        time.sleep(0.5)
    return found


def open_tasks() -> int:
    with contextlib.closing(DaemonClient()) as client, contextlib.suppress(LLMOSError):
        return client.status().tasks_running
    return -1


def stored(file: Path) -> dict[str, Any]:
    """What the database says: whether it is whole, and whether each task ended exactly once."""
    with contextlib.closing(sqlite3.connect(file)) as db:
        integrity = db.execute("PRAGMA integrity_check").fetchone()[0]
        states = dict(db.execute("SELECT state, COUNT(*) FROM tasks GROUP BY state").fetchall())
        why = "SELECT reason, COUNT(*) FROM tasks WHERE state != 'done' GROUP BY reason ORDER BY 2 DESC LIMIT 20"
        reasons = dict(db.execute(why).fetchall())
        marks = ", ".join(f"'task.{state}'" for state in sorted(FINAL_STATES))
        ends = f"SELECT COUNT(*) FROM events WHERE task = tasks.id AND kind IN ({marks})"
        odd = db.execute(f"SELECT COUNT(*) FROM tasks WHERE ({ends}) != 1").fetchone()[0]
    return {
        "integrity": integrity,
        "task_states": states,
        "reasons_of_those_not_done": reasons,
        "tasks_without_exactly_one_end": odd,
        "tasks_open": sum(count for state, count in states.items() if state not in FINAL_STATES),
        "databases_set_aside": len(list(file.parent.glob(f"{file.name}.damaged-*"))),
    }


def slope(values: Sequence[float]) -> float:
    """Least-squares growth from one value to the next. Raises ValueError for fewer than two values."""
    if len(values) < 2:
        raise ValueError("a slope needs two values")
    middle, mean = (len(values) - 1) / 2, sum(values) / len(values)
    over = sum((place - middle) * (value - mean) for place, value in enumerate(values))
    return over / sum((place - middle) ** 2 for place in range(len(values)))


def memory_rows(book: Book) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for role in ("daemon", "kernel"):
        samples = [values for (kind, _), values in book.memory.items() if kind == role and values]
        steady = [values[WARM_UP:] for values in samples if len(values) >= WARM_UP + SLOPE_REQUESTS]
        slopes = [slope(values) for values in steady]
        rows.append(
            {
                "process": role,
                "lives": len(samples),
                "lives_with_a_slope": len(steady),
                "median_mb": round(median([value for values in samples for value in values]), 1) if samples else None,
                "highest_mb": round(max(max(values) for values in samples), 1) if samples else None,
                "mb_a_request": round(median(slopes), 3) if slopes else None,
                "steepest_mb_a_request": round(max(slopes), 3) if slopes else None,
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--notebooks", type=int, default=4)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=240.0, help="no request begins later than this")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, own_daemon():
        # The rehearsals' folders apart from everybody else's.
        os.environ["TMPDIR"] = folder
        book = Book(options.seed, options.requests, options.kills, time.monotonic() + 60 * options.minutes)
        began = time.monotonic()
        found = soak(book, options.notebooks, Path(folder))
        seconds = time.monotonic() - began
    rows = memory_rows(book)
    steepest = [float(str(row["mb_a_request"])) for row in rows if row["mb_a_request"] is not None]
    report(
        "soak",
        rows,
        requests=book.given,
        seconds=round(seconds, 1),
        median_request_seconds=round(median(book.seconds), 2) if book.seconds else None,
        ends=dict(book.ends),
        killed=dict(book.killed),
        flat_mb_a_request=FLAT,
        memory_flat=all(value <= FLAT for value in steepest) if steepest else None,
        **found,
    )
    sound = (
        found["integrity"] == "ok"
        and not found["tasks_without_exactly_one_end"]
        and not found["orphans"]
        and not found["rehearsal_folders"]
        and not book.ends["stuck"]
    )
    if not sound:
        raise SystemExit("the soak found something: see above")


def soak(book: Book, notebooks: int, folder: Path) -> dict[str, Any]:
    """Ask and kill; then look at what is left. The notebooks are closed and the daemon stopped at the end."""
    book.notebooks = [Notebook(folder) for _ in range(notebooks)]
    try:
        for notebook in book.notebooks:
            notebook.start()
        users = [threading.Thread(target=work, args=(book, notebook)) for notebook in book.notebooks]
        for user in users:
            user.start()
        for user in users:
            user.join()
        # A rehearsal sweeps the folders that killed kernels left.
        book.notebooks[0].run(
            "from llmos_jupyter.agent.rehearsal.kernel_copy import rehearse; rehearse('1', get_ipython())",
            REQUEST_SECONDS,
        )
        found: dict[str, Any] = {"tasks_open_after_settling": settled(open_tasks)}
        found["orphans"] = settled(lambda: orphans(book))
        found["rehearsal_folders"] = [entry.name for entry in folder.glob("llmos-rehearsal-*")]
    finally:
        for notebook in book.notebooks:
            notebook.close()
        lifecycle.stop()
    found["left_after_stopping"] = settled(_ours)
    return found | stored(paths.database_file())


if __name__ == "__main__":
    main()
