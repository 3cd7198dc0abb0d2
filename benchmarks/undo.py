"""What undo costs, against how much data the notebook holds and how much of it changes.

    python -m benchmarks.undo [--runs 3] [--largest 0.5]

A real IPython shell holds a frame of float columns of the given size in all; a candidate writes into some of them, in
place. `save_s` is the keeping before the run (the rehearsal, which says what changes, is measured in
`benchmarks.rehearsal`), `ran_s` the look after it, `restore_s` the undo itself; `kept_mb` is what it held meanwhile.
Beside them stands a deep copy of the namespace, which is the plain way to be able to go back.
"""

from __future__ import annotations

import argparse
import copy
import time

import numpy as np
import pandas as pd
import psutil
from IPython.core.interactiveshell import InteractiveShell

from benchmarks.common import median, note, report
from llmos_jupyter.agent.rehearsal.kernel_copy import rehearse, supported
from llmos_jupyter.agent.undo import history as undo

SIZES_GB = (0.01, 0.1, 0.5, 1.0, 2.0)
COLUMNS = 20
CHANGES = {  # what is done, and the code; `{n}` columns are the share written into
    "nothing": "total = float(df['c1'].iloc[:1000].sum())",
    "a new column": "df['new'] = 1.0",
    "a column replaced": "df['c2'] = df['c2'] * 2.0",
    "one value of a column": "df.loc[7, 'c2'] = 0.5",
    "half of a column": "df.loc[df.index[::2], 'c2'] = 0.5",
    "half of all columns": "df.iloc[::2, ::2] = 0.5",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--largest", type=float, default=0.5, help="GB")
    options = parser.parse_args()
    shell = InteractiveShell.instance()
    rows = []
    for size in SIZES_GB:
        if size > options.largest:
            continue
        if psutil.virtual_memory().available < 4 * size * 1e9:  # the data, a deep copy, what a change needs
            note(f"{size} GB left out: too little memory is free")
            continue
        rows += measure(shell, size, options.runs)
    report("undo", rows, rehearsed=supported() is None)


def measure(shell: InteractiveShell, size: float, runs: int) -> list[dict[str, object]]:
    length = int(size * 1e9 / COLUMNS / 8)
    frame = pd.DataFrame({f"c{i}": np.random.default_rng(i).random(length) for i in range(COLUMNS)}).copy()
    began = time.perf_counter()
    deep = copy.deepcopy(frame)
    deep_seconds = time.perf_counter() - began
    rows: list[dict[str, object]] = []
    for what, code in CHANGES.items():
        timed = [once(shell, frame, deep, code) for _ in range(runs)]
        saves, rans, restores, kept = ([one[i] for one in timed] for i in range(4))
        rows.append(
            {
                "namespace_gb": size,
                "change": what,
                "save_s": round(median(saves), 4),
                "ran_s": round(median(rans), 4),
                "restore_s": round(median(restores), 4),
                "kept_mb": round(median(kept) / 1e6, 2),
                "deepcopy_s": round(deep_seconds, 4),
                "time_ratio": round((median(saves) + median(rans)) / deep_seconds, 3),
                "bytes_ratio": round(median(kept) / (size * 1e9), 4),
            }
        )
    note(f"{size} GB: done")
    return rows


def once(shell: InteractiveShell, frame: pd.DataFrame, deep: pd.DataFrame, code: str) -> tuple[float, ...]:
    """Seconds to save, to look after the run, to restore; bytes held. Stops if the state does not come back."""
    shell.reset(new_session=False)
    shell.user_ns["df"] = frame
    changes = undo.foreseen(rehearse(code, shell, budget_seconds=60)) if supported() is None else None
    times = [time.perf_counter()]
    saved = undo.save(shell, changes, code, limit_bytes=8 << 30)
    times.append(time.perf_counter())
    kept = saved.bytes
    shell.run_cell(code, store_history=False).raise_error()
    times.append(time.perf_counter())
    saved.ran(shell)
    kept = max(kept, saved.bytes)
    times.append(time.perf_counter())
    saved.restore(shell)
    times.append(time.perf_counter())
    if shell.user_ns["df"] is not frame or not frame.equals(deep):
        raise SystemExit(f"undo did not bring the frame back after: {code}")
    return times[1] - times[0], times[3] - times[2], times[4] - times[3], float(kept)


if __name__ == "__main__":
    main()
