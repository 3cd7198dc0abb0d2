"""In the kernel: a worker's process from its start to its end, and what it reports."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

import llmos_jupyter
from llmos_jupyter.agent import rehearsal
from llmos_jupyter.effects.table import ScratchFiles
from llmos_jupyter.effects.worker.confinement import Start, command
from llmos_jupyter.effects.worker.sending import Sent
from llmos_jupyter.protocol import NameChange, Rehearsal
from llmos_jupyter.sandbox.judge import Judge
from llmos_jupyter.sandbox.notifications import Supervisor
from llmos_jupyter.sandbox.roots import Access, roots_of

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

log = logging.getLogger(__name__)
SYSTEM = sys.platform
STARTING_SECONDS = 60.0  # imports of libraries, and gigabytes that are read
_PACKAGES = str(Path(llmos_jupyter.__file__).parent.parent)


class WorkerProcess:
    """A process that has locked itself in and waits for a job."""

    def __init__(self, shell: InteractiveShell, scratch: str, access: Access) -> None:
        """Start it. `scratch`: the folder that it may change. Raises OSError."""
        self.scratch, self.access, self.roots = scratch, access, roots_of(shell)
        self.sent, self.home = ScratchFiles(scratch, "sent"), ScratchFiles(scratch, "home")
        self._ours: socket.socket | None = None
        control: socket.socket | None = None
        if SYSTEM == "linux":
            self._ours, control = socket.socketpair()
        self._errors = os.path.join(scratch, "errors")
        try:
            with open(self._errors, "wb") as errors:
                self.popen = subprocess.Popen(
                    command(scratch, SYSTEM, access),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    cwd=scratch,  # an empty folder: what is imported before the lock is ours
                    env=_environment(scratch),
                    pass_fds=() if control is None else (control.fileno(),),
                    **_APART,
                )
            number = None if control is None else control.fileno()
            self.write(Start(scratch, os.getpid(), SYSTEM, self.roots, access, number).line())
        except BaseException:
            self.close()
            raise
        finally:
            if control is not None:
                control.close()

    def write(self, line: str) -> None:
        """Send a line; a worker that is gone is noticed by its silence."""
        assert self.popen.stdin is not None
        with contextlib.suppress(OSError):
            self.popen.stdin.write(line.encode())
            self.popen.stdin.flush()

    def supervisor(self) -> Supervisor | None:
        """Listens to what the lock refuses; to be started once, before the worker can have been refused anything."""
        if self._ours is None:
            return None
        ours, self._ours = self._ours, None
        return Supervisor(ours, Judge(self.popen.pid, self.scratch, self.roots, self.access))

    def kill(self) -> None:
        """End it, and where the system has groups of processes all that it started."""
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.kill()
        self.popen.wait()
        with contextlib.suppress(OSError):
            if said := Path(self._errors).read_text(encoding="utf-8", errors="replace").strip():
                log.warning("a worker process said: %s", said[-2000:])

    def close(self) -> None:
        """Let its files go, save those that its effects came home in."""
        self.sent.close()
        if self._ours is not None:
            self._ours.close()


# The notebook's interrupts are not the worker's: it is killed.
_APART: dict[str, Any] = (
    {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    if os.name == "nt"
    else {"start_new_session": True}
)


def _environment(scratch: str) -> dict[str, str]:
    """The kernel's, save what makes the same modules importable; the worker puts that back."""
    path = os.pathsep.join(filter(None, [_PACKAGES, os.environ.get("PYTHONPATH", "")]))
    # joblib without multiprocessing runs `n_jobs=-1` in threads, instead of failing to start processes.
    return {**os.environ, "PYTHONPATH": path, "TMPDIR": scratch, "JOBLIB_MULTIPROCESSING": "0"}


@contextlib.contextmanager
def scratch_folder() -> Iterator[str]:
    """As the fork's; where files cannot be locked, one that nobody sweeps."""
    if os.name == "posix":
        with rehearsal.scratch_folder() as folder:
            yield folder
    else:
        with tempfile.TemporaryDirectory(prefix="llmos-rehearsal-", ignore_cleanup_errors=True) as folder:
            yield folder


class InWorker(rehearsal.Copy):
    """One run in a worker process."""

    what = "The worker process"
    preparation = STARTING_SECONDS

    def __init__(
        self, process: WorkerProcess, sent: Sent, code: str, shell: InteractiveShell, budget: float, memory: int,
        unlocked: bool,
    ) -> None:  # fmt: skip
        super().__init__(
            code, shell, process.scratch, budget, memory, unlocked, process.access, process.home.fds
        )
        self._process, self._sent = process, sent
        self._chunks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._grown_too_large = False

    def _fork(self) -> int:
        process = self._process
        self._pid = process.popen.pid
        self._supervisor = process.supervisor()
        if self._supervisor is not None:
            self._supervisor.start()
        threading.Thread(target=self._pump, name="llmos worker", daemon=True).start()
        job = {"unlocked": self._unlocked, "budget": self._budget, "memory": self._memory, "place": self._sent.place}
        process.write(json.dumps(job | {"sent": process.sent.paths, "home": process.home.paths}) + "\n")
        return -1

    def _pump(self) -> None:
        stream = self._process.popen.stdout
        assert stream is not None
        with contextlib.suppress(OSError, ValueError):
            while chunk := os.read(stream.fileno(), 1 << 16):
                self._chunks.put(chunk)
        self._chunks.put(b"")

    def _read(self, pipe: int, seconds: float) -> bytes | None:
        try:
            return self._chunks.get(timeout=seconds)
        except queue.Empty:
            if SYSTEM != "linux" and self._is_too_large():
                self._grown_too_large = True
                self._process.kill()
            return None

    def _is_too_large(self) -> bool:
        """Where the system limits nothing, the kernel looks."""
        try:
            used = int(psutil.Process(self._pid).memory_info().rss)
        except psutil.Error:
            return False
        return bool(self._resident) and used - self._resident > self._memory

    def _await_exit(self) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.popen.wait(1.0)

    def _bury(self) -> None:
        self._wait_status = self._process.popen.poll()
        self._process.kill()
        super()._bury()

    def _reap(self, options: int) -> bool:
        return self._process.popen.poll() is not None

    def _how_it_ended(self) -> str:
        code = self._wait_status
        if self._grown_too_large:
            return f"was ended because it used more than {self._memory / 2**30:.1f} GB"
        if code is None or code >= 0:
            return f"ended by itself with exit code {code}" if code is not None else "ended"
        return rehearsal.how_it_ended(-code)  # as a wait status, a signal is its own number

    def _verdict(self, ended: bool) -> Rehearsal:
        report = super()._verdict(ended)
        namespace = self._shell.user_ns
        report.changes = [
            # A variable that was only bound anew was not sent, so that the worker took it for a new one.
            NameChange.model_validate(
                change.model_dump()
                | ({"kind": "rebound"} if change.kind == "created" and change.name in namespace else {})
            )
            for change in report.changes
        ]
        error = report.error
        for name, why in self._sent.left_out.items():
            if error is not None and error.type == "NameError" and f"'{name}'" in error.message:
                report.status, report.error = "unavailable", None
                report.reason = f"`{name}` ({why.kind}) cannot be copied to another process: {why.reason}."
        return report
