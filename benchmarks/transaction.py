"""What an answer's run costs as a transaction, beyond the code's own time, against the same cell run plainly.

    python -m benchmarks.transaction [--runs 3] [--largest 4] [--fresh 1]

A real IPython shell holds a frame of float columns of the given size in all, or many small objects. `transaction_s` is
the run in the sandbox and the commit: fork, lock, census, the code, packing, home. `plain_s` is `shell.run_cell` of the
same code in the same shell, just after, and `beyond_s` the difference; `processor_s` is what of it the kernel and the
copy spend on processors, which other work on the machine hardly changes. `copy_s` is what a copy of the new bytes in
memory takes, and `copies` how many of those the difference is worth (for new data only).
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import psutil
from IPython.core.interactiveshell import InteractiveShell

from benchmarks.common import median, note, report
from llmos_jupyter.effects.transaction import commit, run_in_sandbox

AIM_SECONDS, AIM_GB = 0.3, 1.5
SIZES_GB = (0.01, 1.5, 4.0)
COLUMNS = 10
OBJECTS = 600_000
FRESH_GB = (0.001, 0.1, 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--largest", type=float, default=4.0, help="GB in the namespace")
    parser.add_argument("--fresh", type=float, default=1.0, help="GB of the largest new result")
    options = parser.parse_args()
    shell = InteractiveShell.instance()
    rows: list[dict[str, object]] = []
    for name, fill in namespaces(options.largest):
        if (names := fill()) is None:
            note(f"{name} left out: too little memory is free")
            continue
        shell.user_ns.update(names)
        for what, code, fresh in tasks(options.fresh):
            # The new result stands three times in memory: in the copy, on the way, and at home.
            if ("frame" not in names and "frame[" in code) or psutil.virtual_memory().available < 4 * fresh:
                continue
            rows.append({"namespace": name, "result": what, **measure(shell, code, fresh, options.runs)})
            note(str(rows[-1]))
        for gone in names:
            del shell.user_ns[gone]
        names.clear()
    at_aim = [row for row in rows if row["namespace"] == f"{AIM_GB:g} GB" and row["result"] == "x = 1"]
    met = bool(at_aim) and float(str(at_aim[0]["beyond_s"])) <= AIM_SECONDS
    report("transaction", rows, aim_seconds=AIM_SECONDS, aim_gb=AIM_GB, aim_met=met)


def namespaces(largest: float) -> Iterator[tuple[str, Callable[[], dict[str, Any] | None]]]:
    """By name, how to fill a namespace; None where there is no room for it."""
    for size in SIZES_GB:
        if size <= largest:
            yield f"{size:g} GB", lambda size=size: frame_of(size)  # type: ignore[misc]
    yield f"{OBJECTS:,} objects", lambda: {"things": small_objects()}


def frame_of(size: float) -> dict[str, Any] | None:
    if psutil.virtual_memory().available < 1.5 * size * 1e9:
        return None
    rows = int(size * 1e9 / COLUMNS / 8)
    return {"frame": pd.DataFrame({f"c{i}": np.full(rows, float(i)) for i in range(COLUMNS)})}


def small_objects() -> list[Any]:
    """Dicts, lists and tuples, four of them to a record."""
    return [{"number": n, "tags": [n, str(n)], "place": (n, [n])} for n in range(OBJECTS // 4)]


def tasks(largest: float) -> Iterator[tuple[str, str, float]]:
    """What comes home, the code that makes it, and how many bytes of it are new."""
    yield "x = 1", "x = 1", 0
    yield "a column of a thousand rows", "part = frame[:1000].copy()\npart['new'] = part['c1'] * 2.0", 0
    yield "a column", "frame['new'] = frame['c1'] * 2.0", 0
    for size in FRESH_GB:
        if size <= largest:
            count = int(size * 1e9 / 8)
            yield f"{size * 1000:g} MB", f"import numpy as np\nfresh = np.full({count}, 1.0)", 8.0 * count


def measure(shell: InteractiveShell, code: str, fresh: float, runs: int) -> dict[str, object]:
    timed = [(*transaction(shell, code), *plainly(shell, code)) for _ in range(runs)]
    through, through_busy, plain, plain_busy = (median([each[i] for each in timed]) for i in range(4))
    found: dict[str, object] = {
        "transaction_s": round(through, 4),
        "plain_s": round(plain, 4),
        "beyond_s": round(through - plain, 4),
        "processor_s": round(through_busy - plain_busy, 4),
        "copy_s": None,
        "copies": None,
    }
    if fresh:
        seconds = median([copying(int(fresh)) for _ in range(runs)])
        found |= {"copy_s": round(seconds, 4), "copies": round((through - plain) / seconds, 1)}
    return found


def transaction(shell: InteractiveShell, code: str) -> tuple[float, float]:
    """Seconds that pass, and seconds of processors."""
    began, busy = time.perf_counter(), processor_seconds()
    with run_in_sandbox(code, shell) as ran:
        undo = commit(ran)
    seconds = time.perf_counter() - began, processor_seconds() - busy
    undo.restore()
    return seconds


def plainly(shell: InteractiveShell, code: str) -> tuple[float, float]:
    """The same of a plain cell, which is taken back."""
    before, frame = dict(shell.user_ns), shell.user_ns.get("frame")
    columns = [] if frame is None else list(frame.columns)
    began, busy = time.perf_counter(), processor_seconds()
    shell.run_cell(code, store_history=False).raise_error()
    seconds = time.perf_counter() - began, processor_seconds() - busy
    for name in shell.user_ns.keys() - before.keys():
        del shell.user_ns[name]
    if frame is not None and len(frame.columns) > len(columns):
        del frame["new"]
    return seconds


def processor_seconds() -> float:
    """Of this process and of those it has buried."""
    used = [resource.getrusage(which) for which in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def copying(size: int) -> float:
    """Seconds to copy this many bytes in memory, the new pages included."""
    source: Any = np.ones(size, np.uint8)
    began = time.perf_counter()
    source.copy()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
