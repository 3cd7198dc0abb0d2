"""Which process is which, whatever the clock does: a process number alone may have been given to another since."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

# Values above this are seconds since 1970, which 0.1 stored for tasks and which other systems than Linux have.
_EPOCH = 1e9


def started(pid: int) -> float:
    """When a process began, the same figure at every look: seconds since the machine started on Linux.

    There psutil's figure, seconds since 1970, moves with every step of the clock, because it is reckoned from the
    present time; other systems note the time once, when the process begins (proc(5), `starttime`; `p_starttime` in
    xnu's kern_proc). Raises psutil.NoSuchProcess.
    """
    if not Path("/proc/self/stat").exists():
        return float(psutil.Process(pid).create_time())
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        raise psutil.NoSuchProcess(pid) from None
    # The second field is the program's name, which may hold blanks and brackets.
    return int(text.rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")


def alive(pid: int, began: float) -> bool:
    """Whether the process that began then (as `started` says it) is still there, and is not only its remains."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        if began > _EPOCH:
            return bool(abs(process.create_time() - began) < 2.0)
        return abs(started(pid) - began) < 0.02
    except psutil.Error:
        return False
