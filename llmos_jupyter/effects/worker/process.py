"""In the kernel: a worker's process from its start to its end, and what it reports."""

from __future__ import annotations

import atexit
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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from llmos_jupyter import _version
from llmos_jupyter.effects.copy import kernel_copy
from llmos_jupyter.effects.copy.error_reports import Looks
from llmos_jupyter.effects.table import ScratchFiles
from llmos_jupyter.effects.worker.confinement import Start, command
from llmos_jupyter.effects.worker.sending import Sent, cannot_go
from llmos_jupyter.protocol import NameChange, Rehearsal
from llmos_jupyter.sandbox.judge import Judge
from llmos_jupyter.sandbox.notifications import Supervisor
from llmos_jupyter.sandbox.process import scratch
from llmos_jupyter.sandbox.roots import Access, roots_of

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

log = logging.getLogger(__name__)
SYSTEM = sys.platform
STARTING_SECONDS = 120.0  # imports of libraries, and gigabytes that are read
_ACCESS_VIOLATION = 0xC0000005  # Windows' segmentation fault
_PACKAGES = str(Path(_version.__file__).parent.parent)


class WorkerProcess:
    """A process that has locked itself in and waits for a job, and the folder that it may change."""

    def __init__(self, shell: InteractiveShell, access: Access, libraries: list[str] | None = None) -> None:
        """Start it. `libraries`: what it imports while it waits. Raises OSError."""
        self.access, self.roots, self._owner = access, roots_of(shell), os.getpid()
        self._ours: socket.socket | None = None
        self._ended = False
        self._stack = contextlib.ExitStack()
        self.scratch = self._stack.enter_context(_scratch_folder())
        try:
            self.sent, self.home = ScratchFiles(self.scratch, "sent"), ScratchFiles(self.scratch, "home")
            self._start(libraries or [])
        except BaseException:
            self._stack.close()
            raise

    def _start(self, libraries: list[str]) -> None:
        control: socket.socket | None = None
        if SYSTEM == "linux":
            self._ours, control = socket.socketpair()
        number = None if control is None else control.fileno()
        self._errors = os.path.join(self.scratch, "errors")
        try:
            with open(self._errors, "wb") as errors:
                self.popen = subprocess.Popen(
                    command(self.scratch, SYSTEM, self.access),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    cwd=self.scratch,  # an empty folder: what is imported before the lock is ours
                    env=_environment(self.scratch),
                    pass_fds=() if number is None else (number,),
                    **_APART,
                )
            start = Start(self.scratch, self._owner, SYSTEM, self.roots, self.access, number, libraries)
            self.write(start.line())
        finally:
            if control is not None:
                control.close()
        if self._ours is not None:
            # It answers what the lock asks from now on, imports included.
            self.judge = Judge(self.popen.pid, self.scratch, self.roots, self.access)
            self.supervisor = Supervisor(self._ours, self.judge)
            self.supervisor.start()

    judge: Judge | None = None
    supervisor: Supervisor | None = None

    def write(self, line: str) -> None:
        """Send a line; a worker that is gone is noticed by its silence."""
        assert self.popen.stdin is not None
        with contextlib.suppress(OSError):
            self.popen.stdin.write(line.encode())
            self.popen.stdin.flush()

    @property
    def own(self) -> bool:
        """Whether this process started it, and not one that it is a fork of."""
        return self._owner == os.getpid()

    def fits(self, shell: InteractiveShell, access: Access) -> bool:
        """Whether it waits for such a job, of this process."""
        return self.own and self.popen.poll() is None and access == self.access and roots_of(shell) == self.roots

    def kill(self) -> None:
        """End it, and where the system has groups of processes all that it started."""
        if self._ended:
            return
        self._ended = True
        if hasattr(os, "killpg") and (self.popen.returncode is None or self.access.processes):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.kill()
        self.popen.wait()
        with contextlib.suppress(OSError):
            if said := Path(self._errors).read_text(encoding="utf-8", errors="replace").strip():
                log.warning("a worker process said: %s", said[-2000:])

    def close(self) -> None:
        """End it and let its folder go, save the files that its effects came home in: they are whoever took them's."""
        self.kill()
        if self.supervisor is not None:
            self.supervisor.stop()
        for stream in (self.popen.stdin, self.popen.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        self.sent.close()
        self._stack.close()


# --- one is kept waiting --------------------------------------------------------------------------

_LIBRARIES = ("pandas", "matplotlib.pyplot", "polars")
_spare: WorkerProcess | None = None


def take(shell: InteractiveShell, access: Access) -> WorkerProcess:
    """The process that waits, if it fits, or else a new one. Raises OSError."""
    global _spare
    ready, _spare = _spare, None
    if ready is not None:
        if ready.fits(shell, access):
            return ready
        discard(ready)
    return WorkerProcess(shell, access)


def prepare(shell: InteractiveShell, access: Access) -> None:
    """Start one that waits for the next job: what needed a worker once needs it again. It ends by itself when it has
    waited long."""
    global _spare
    if _spare is None:
        with contextlib.suppress(OSError):
            _spare = WorkerProcess(shell, access, [name for name in _LIBRARIES if name in sys.modules])


def discard(process: WorkerProcess) -> None:
    """End a process that nobody needs; a fork leaves its parent's alone."""
    if process.own:
        process.close()
        process.home.close()


@atexit.register
def _end_spare() -> None:
    if _spare is not None:
        discard(_spare)


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
def _scratch_folder() -> Iterator[str]:
    """As the fork's; where files cannot be locked, one that nobody sweeps."""
    if os.name == "posix":
        with scratch.scratch_folder() as folder:
            yield folder
    else:
        with tempfile.TemporaryDirectory(prefix=scratch.PREFIX, ignore_cleanup_errors=True) as folder:
            yield folder


class InWorker(kernel_copy.Copy):
    """One run in a worker process."""

    what = "The worker process"
    preparation = STARTING_SECONDS

    def __init__(
        self,
        process: WorkerProcess,
        sent: Sent,
        code: str,
        shell: InteractiveShell,
        budget: float,
        memory: int,
        keep: Callable[[str], None] | None,
        looks: type[Looks],
        *,
        unlocked: bool,
    ) -> None:
        home = process.home.fds
        super().__init__(code, shell, process.scratch, budget, memory, process.access, home, keep, looks)
        self._process, self._sent, self._unlocked = process, sent, unlocked
        self._chunks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._grown_too_large = False

    def _fork(self) -> int:
        process = self._process
        self._pid = process.popen.pid
        self._supervisor = process.supervisor
        if process.judge is not None:
            process.judge.keep = self._keep
        threading.Thread(target=self._pump, name="llmos worker", daemon=True).start()
        job = {"unlocked": self._unlocked, "budget": self._budget, "memory": self._memory, "place": self._sent.place}
        job["looks"] = [self._looks.__module__, self._looks.__qualname__]
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

    def _stands_still(self) -> bool:
        return False  # `popen` waits for it

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
        self._process.kill()
        self._wait_status = self._process.popen.returncode
        super()._bury()

    def _reap(self, options: int) -> bool:
        return self._process.popen.poll() is not None

    def _how_it_ended(self) -> str:
        code = self._wait_status
        if self._grown_too_large:
            return f"was ended because it used more than {self._memory / 2**30:.1f} GB"
        if code == _ACCESS_VIOLATION:
            return "crashed (segmentation fault)"
        if code is not None and code < 0:
            return kernel_copy.how_it_ended(-code)  # as a wait status, a signal is its own number
        return f"ended by itself with exit code {code}"

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
                report.reason = cannot_go(name, why.kind, why.reason)
        return report
