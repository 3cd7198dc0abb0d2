"""The processes of a sandbox that may start some: none outlives it, however it hid itself.

Whoever loses its parent becomes a child of this process while that adopts orphans; and whoever comes out of a sandbox
has a seccomp filter that this process has not.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Iterator

import psutil

from llmos_jupyter.sandbox.system_calls import PR_SET_CHILD_SUBREAPER, prctl

PR_GET_CHILD_SUBREAPER = 37
LONGEST = 5.0  # seconds for the killed to be gone


@contextlib.contextmanager
def adopted() -> Iterator[None]:
    """Adopt orphans in this block, and end at its end whoever came out of a sandbox."""
    before = ctypes.c_int()
    prctl(PR_GET_CHILD_SUBREAPER, ctypes.addressof(before))
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        _end_locked()
        prctl(PR_SET_CHILD_SUBREAPER, before.value)


def _end_locked() -> None:
    own, deadline = _filters(os.getpid()), time.monotonic() + LONGEST
    killed: set[int] = set()
    while time.monotonic() < deadline:
        found = {child.pid for child in psutil.Process().children(recursive=True) if _filters(child.pid) > own}
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        killed |= found
        killed = {pid for pid in killed if not _reaped(pid)}
        if not found and not killed:
            return
        time.sleep(0.002)


def _reaped(pid: int) -> bool:
    """Whether a killed process is gone; one that is not this process's child yet becomes it."""
    with contextlib.suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    return not psutil.pid_exists(pid)


def _filters(pid: int) -> int:
    """How many seccomp filters a process has; 0 for one that has ended."""
    with (
        contextlib.suppress(OSError, ValueError),
        open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status,
    ):
        return next((int(line.split()[1]) for line in status if line.startswith("Seccomp_filters:")), 0)
    return 0
