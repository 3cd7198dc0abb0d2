"""What the benchmark says of others is measured."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.workers import peer


def test_cancelling_in_a_process_pool_does_not_stop_what_runs() -> None:
    row = peer("ProcessPoolExecutor", Path(sys.executable), "processes", "", tasks=3)
    assert row["cancel_s"] is None
    assert float(str(row["task_ms"])) > 0
