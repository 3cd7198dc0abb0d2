"""What a rehearsal costs, against how much data the notebook holds.

    python -m benchmarks.rehearsal [--runs 5] [--largest 4]

A real IPython shell holds float columns of the given size in all; a candidate that reads one of them is rehearsed. The
figure is the whole of `rehearse()`: fork, lock, both snapshots, the candidate, the report, the burial. Beside it stands
what a copy by pickling the same namespace takes, which is how a worker process would get it.
"""

from __future__ import annotations

import argparse
import pickle
import time

import numpy as np
import pandas as pd
from IPython.core.interactiveshell import InteractiveShell

from benchmarks.common import median, note, report
from llmos_jupyter.agent.rehearsal.kernel_copy import rehearse

AIM_SECONDS, AIM_GB = 0.3, 1.5
SIZES_GB = (0.01, 0.1, 0.5, 1.0, 1.5, 2.0, 4.0)
COLUMNS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--largest", type=float, default=4.0, help="GB")
    options = parser.parse_args()
    shell = InteractiveShell.instance()
    rows = [measure(shell, size, options.runs) for size in SIZES_GB if size <= options.largest]
    at_aim = [row for row in rows if row["namespace_gb"] == AIM_GB]
    report(
        "rehearsal",
        rows,
        aim_seconds=AIM_SECONDS,
        aim_gb=AIM_GB,
        aim_met=bool(at_aim) and float(at_aim[0]["rehearsal_s"]) <= AIM_SECONDS,
    )


def measure(shell: InteractiveShell, size: float, runs: int) -> dict[str, float]:
    rows = int(size * 1e9 / COLUMNS / 8)
    shell.user_ns["df"] = pd.DataFrame({f"c{i}": np.random.default_rng(i).random(rows) for i in range(COLUMNS)})
    reads = [timed(shell, "total = float(df['c1'].iloc[:1000].sum())\ntotal") for _ in range(runs)]
    writes = [timed(shell, "df['c2'] *= 2.0") for _ in range(runs)]
    began = time.monotonic()
    pickled = len(pickle.dumps(shell.user_ns["df"], protocol=5))
    pickling = time.monotonic() - began
    note(f"{size} GB: {median(reads):.3f} s")
    del shell.user_ns["df"]
    return {
        "namespace_gb": size,
        "rehearsal_s": round(median(reads), 3),
        "changes_a_column_s": round(median(writes), 3),
        "pickling_s": round(pickling, 3),
        "ratio_to_pickling": round(median(reads) / pickling, 2) if pickled else 0.0,
    }


def timed(shell: InteractiveShell, code: str) -> float:
    began = time.monotonic()
    result = rehearse(code, shell)
    seconds = time.monotonic() - began
    if result.status != "passed":
        raise SystemExit(f"the rehearsal did not pass: {result}")
    return seconds


if __name__ == "__main__":
    main()
