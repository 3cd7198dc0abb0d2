"""Rehearsal: the dry run of a candidate on a forked, locked-down copy of the kernel.

The parent's side: whether it can be done, the fork, the wait, the report. `rehearsal_child` is what
the copy does. Whatever happens there, the parent goes on untouched: its memory is not shared, its
files cannot be written, and the copy is killed and collected on every way out of here.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import select
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import psutil
from pydantic import TypeAdapter, ValidationError

from llmos_jupyter.agent.rehearsal.capture import Capture
from llmos_jupyter.agent.rehearsal.child import Brief, rehearse_in_child
from llmos_jupyter.agent.rehearsal.forkable import fork_hazard
from llmos_jupyter.agent.rehearsal.inheritance import available_memory, open_for_writing
from llmos_jupyter.agent.run.run_progress import EVERY, LATEST, RunProgress, finished
from llmos_jupyter.agent.undo.pages import Probe
from llmos_jupyter.agent.undo.snapshot import ForeseenChange
from llmos_jupyter.protocol import Edit, ErrorReport, Refusal, Rehearsal, RehearsalStatus, Shape
from llmos_jupyter.sandbox import lock
from llmos_jupyter.sandbox.descendants import adopted
from llmos_jupyter.sandbox.judge import Judge
from llmos_jupyter.sandbox.notifications import Supervisor
from llmos_jupyter.sandbox.refusals import merged
from llmos_jupyter.sandbox.roots import Access, roots_of

with contextlib.suppress(ImportError):  # Windows has none, and no rehearsal
    import fcntl

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

PREPARATION_SECONDS = 10.0  # the copy's, before the candidate starts; usually 0.1
PACKING_SECONDS = 60.0  # the copy's, to write down its effects: gigabytes take seconds
DIFFERENCE_SECONDS = 2.0  # the copy's, to find what changed once the candidate ended
LOOK_SECONDS = 0.1  # how long a wait may be before Python sees an interrupt another thread received
LONGEST_REPORT = 16 << 20  # bytes beside what the code prints; a copy that says more is not believed
TELLING_GROWTH = 1 << 30  # bytes that unfinished code used, from which on it is said
NOTHING_MORE = Access()
_PREFIX = "llmos-rehearsal-"
LEAST_MEMORY = 64 << 20  # bytes above the present size, under which no rehearsal makes sense


def supported() -> str | None:
    """Why nothing can be rehearsed on this machine, as one sentence; None if rehearsal works."""
    if not hasattr(os, "fork"):
        return "Rehearsal needs Linux; on this system code is not rehearsed."
    return lock.unsupported()


def rehearse(
    code: str,
    shell: InteractiveShell,
    *,
    budget_seconds: float = 5.0,
    memory_bytes: int | None = None,
    access: Access = NOTHING_MORE,
) -> Rehearsal:
    """Run `code` on a copy of the kernel and report what it did; the kernel itself is not touched.

    `budget_seconds` is the candidate's own time: when it ends, the copy is killed and the report says
    `unfinished`. `memory_bytes` is what the copy may use above its present size; by default half of what is
    available. `access`: what the copy may do besides, by the user's grants: what it writes or sends then is written and
    sent, so such code must not be run again. Raises KeyboardInterrupt when the user interrupts, with the copy already
    gone; any other trouble is reported as `unavailable`, with the reason.
    """
    if (reason := supported() or fork_hazard(code, shell.user_ns)) is not None:
        return Rehearsal(status="unavailable", reason=reason)
    memory = available_memory() // 2 if memory_bytes is None else memory_bytes
    if memory_bytes is None and memory < LEAST_MEMORY:
        return Rehearsal(
            status="unavailable", reason="Too little memory is free for a rehearsal; close a notebook to free some."
        )
    try:
        with scratch_folder() as scratch, adopted() if access.processes else contextlib.nullcontext():
            return finished(Copy(code, shell, scratch, budget_seconds, memory, access).watch())
    except OSError as error:
        return Rehearsal(status="unavailable", reason=f"The kernel could not be copied: {error.strerror or error}.")


@contextlib.contextmanager
def scratch_folder() -> Iterator[str]:
    """A folder of the copy's own, held by a lock: one whose kernel was killed is known by it, and swept by the next."""
    with interrupts_deferred():
        _sweep()
        folder, held = _held_folder()
    try:
        yield folder
    finally:
        with interrupts_deferred():
            shutil.rmtree(folder, ignore_errors=True)
            os.close(held)


def _held_folder() -> tuple[str, int]:
    while True:
        folder = tempfile.mkdtemp(prefix=_PREFIX)
        try:
            held = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:  # another kernel swept it before it could be held
            continue
        # A file system without locks cannot be swept, and that is all.
        with contextlib.suppress(OSError):
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.isdir(folder):  # no sweeper was between the two
            return folder, held
        os.close(held)


def _sweep() -> None:
    with contextlib.suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        left = [entry.path for entry in entries if entry.name.startswith(_PREFIX)]
        for folder in left:
            with contextlib.suppress(OSError):
                _remove_if_left(folder)


def _remove_if_left(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_DIRECTORY)
    try:
        if os.fstat(fd).st_uid != os.getuid():
            return
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(fd)


@contextlib.contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Hold back an interrupt for a few milliseconds: between a fork and the memory of it there is no safe place."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    usual = signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual if usual is not None else signal.default_int_handler)
        if came:
            signal.raise_signal(signal.SIGINT)


class Copy:
    """One forked copy, from its birth to its burial."""

    what = "The copy of the kernel"
    preparation = PREPARATION_SECONDS

    def __init__(
        self,
        code: str,
        shell: InteractiveShell,
        scratch: str,
        budget: float,
        memory: int,
        access: Access,
        home: list[int] | None = None,
        keep: Callable[[str], None] | None = None,
    ) -> None:
        """`keep` is given each real path that the copy is about to change, where it may: see `sandbox.judge`."""
        self._budget = budget
        self._pid = 0
        self._wait_status: int | None = None
        self._buffer = b""
        self._received = 0
        self._confinement: str | None = None
        self._reading_limited = False
        self._refusals: list[Refusal] = []
        self._guesses: list[Refusal] = []
        self._supervisor: Supervisor | None = None
        self._printed = Capture()
        self._began = self._told = 0.0  # when the code began; when it was told last how far it is
        self._end: dict[str, Any] | None = None
        self._changes: dict[str, Any] | None = None
        self._outcome: dict[str, str] = {}
        self._edits: list[Edit] = []
        self._doubts: list[str] = []
        self._shape = Shape()
        self._broken = ""
        self._resident = self._grown = 0
        self._probe: Probe | None = None  # must stay while the copy lives: an unshared page looks like a written one
        self._code, self._shell, self._scratch, self._memory = code, shell, scratch, memory
        self._access = access
        self._home, self._keep = home, keep
        self.effects: dict[str, Any] | None = None  # where in the memory files they lie

    def watch(self) -> Generator[RunProgress, None, Rehearsal]:
        """Run the code, telling how far it is. The copy ends with this, also where it is closed before the end."""
        pipe = -1
        try:
            with interrupts_deferred():
                pipe = self._fork()
            ended = yield from self._listen(pipe)
            if not ended:
                self._grown = max(0, _resident(self._pid) - self._resident)
        finally:
            with interrupts_deferred():
                self._bury()
                if self._probe is not None:
                    self._probe.close()
                if pipe >= 0:
                    os.close(pipe)
        return self._verdict(ended)

    def _fork(self) -> int:
        reading, writing = os.pipe()
        ours, control = socket.socketpair()
        roots = roots_of(self._shell)
        self._probe = Probe()
        brief = Brief(
            code=self._code,
            scratch=self._scratch,
            pipe=writing,
            parent=os.getpid(),
            budget_seconds=self._budget,
            memory_bytes=self._memory,
            random_state=random.getstate(),
            probe=self._probe,
            control=control,
            roots=roots,
            access=self._access,
            home=self._home,
        )
        if self._keep is not None:
            # What is open for writing already is written without a call that tells its path.
            for path in filter(self._access.may_write, open_for_writing()):
                self._keep(path)
        try:
            self._pid = _fork_quietly()
            if self._pid == 0:
                rehearse_in_child(brief, self._shell)
            judge = Judge(self._pid, self._scratch, roots, self._access, self._keep)
            self._supervisor = Supervisor(ours, judge)
            self._supervisor.start()
        except BaseException:
            os.close(reading)
            ours.close()
            raise
        finally:
            os.close(writing)
            control.close()
        return reading

    @property
    def kept(self) -> bool:
        """Whether each change of a file was told before it happened."""
        return self._supervisor is not None and self._supervisor.listened and not self._supervisor.failed

    def _listen(self, pipe: int) -> Generator[RunProgress, None, bool]:
        """Take in the report; True if it came to its end, False if the time did."""
        deadline = time.monotonic() + self.preparation
        phase = self._phase()
        while (left := deadline - time.monotonic()) > 0:
            if self._began and time.monotonic() - self._told >= EVERY:
                yield self._progress()
            if (chunk := self._read(pipe, min(left, LOOK_SECONDS))) is None:
                continue
            if not chunk:
                self._await_exit()
                return True
            self._take(chunk)
            if self._received + len(self._buffer) > LONGEST_REPORT:
                self._broken = "the copy's report is too long"
            if self._broken:
                return True
            if (now := self._phase()) != phase:
                phase = now
                limits = {1: self._budget, 2: PACKING_SECONDS if self._home else DIFFERENCE_SECONDS}
                deadline = time.monotonic() + limits.get(phase, DIFFERENCE_SECONDS)
        return False

    def _read(self, pipe: int, seconds: float) -> bytes | None:
        """More of the report; empty at its end, None if nothing came within these seconds."""
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        return os.read(pipe, 1 << 16) if poll.poll(1000 * seconds) else None

    def _progress(self) -> RunProgress:
        self._told = time.monotonic()
        grown = max(0, _resident(self._pid) - self._resident)
        return RunProgress(self._told - self._began, self._printed.end(LATEST), grown)

    def _phase(self) -> int:
        if self._end is not None:
            return 3 if self.effects is not None else 2
        return 1 if self._confinement is not None else 0

    def _take(self, chunk: bytes) -> None:
        *lines, self._buffer = (self._buffer + chunk).split(b"\n")
        for line in lines:
            if self._broken:
                return
            try:
                content = json.loads(line)
                event = content.pop("event")
                # Code may print for days: of that the ends are kept, and all the rest has its limit.
                self._received += len(line) if event != "output" else 0
                match event:
                    case "ready":
                        self._confinement = str(content["confinement"])
                        self._reading_limited = bool(content["reading_limited"])
                        self._resident = _resident(self._pid)
                        self._began = self._told = time.monotonic()
                    case "refusal":
                        self._refusals.append(Refusal.model_validate(content))
                    case "guess":
                        self._guesses.append(Refusal.model_validate(content))
                    case "output":
                        self._printed.write(str(content["text"]))
                    case "end":
                        self._end = {**content, "error": _ERROR.validate_python(content["error"])}
                        self._end["status"] = _STATUS.validate_python(content["status"])
                    case "effects":
                        self.effects = content
                    case "changes":
                        self._changes = {
                            "changes": _with_touched(content["changes"], content["touched"]),
                            "unchecked": [str(name) for name in content["unchecked"]],
                        }
                    case "outcome":
                        self._outcome = _OUTCOME.validate_python(content["outcome"])
                        self._doubts = [str(doubt) for doubt in content["doubts"]]
                        self._edits = [Edit.model_validate(edit) for edit in content["edits"]]
                        self._shape = Shape.model_validate(content["shape"])
                    case "broken":
                        self._broken = str(content["reason"])
            except (ValueError, KeyError, TypeError, AttributeError, ValidationError):
                self._broken = "the copy's report could not be read"

    def _await_exit(self) -> None:
        """The pipe is closed, so the process is on its way out; how it ended is worth a moment."""
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline and not self._reap(os.WNOHANG):
            time.sleep(0.002)

    def _bury(self) -> None:
        if self._pid > 0 and self._wait_status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            self._reap(0)
        if self._supervisor is not None:
            self._refusals = merged(self._refusals, self._supervisor.stop(), self._guesses)
            if self._supervisor.failed:
                self._broken = "what the lock refuses could not be told any more"

    def _reap(self, options: int) -> bool:
        try:
            pid, status = os.waitpid(self._pid, options)
        except ChildProcessError:  # SIGCHLD is ignored in this kernel, and nobody can know how it ended
            pid, status = self._pid, 0
        if pid:
            self._wait_status = status
        return bool(pid)

    def _how_it_ended(self) -> str:
        return how_it_ended(self._wait_status)

    def _verdict(self, ended: bool) -> Rehearsal:
        report = Rehearsal(
            status="unavailable",
            confinement=self._confinement or "",
            reading_limited=self._reading_limited,
            refusals=self._refusals,
            output=self._printed.text(),
        )
        if self._broken and self._confinement is not None:
            report.status = "died"
            report.reason = f"{self.what} could not report to the end: {self._broken}."
        elif self._broken:
            report.reason = f"The code could not be rehearsed: {self._broken}."
        elif self._end is not None:
            found = {"outcome": self._outcome, "doubts": self._doubts, "edits": self._edits, "shape": self._shape}
            report = report.model_copy(update=self._end | found)
            if self._changes is None:
                report.reason = f"{report.reason} What it changed could not be told in time.".strip()
            else:
                report.changes = self._changes["changes"]
                if unchecked := self._changes["unchecked"]:
                    report.reason = f"{report.reason} not checked for changes: {', '.join(unchecked)}".strip()
        elif self._confinement is None:
            report.reason = (
                f"{self.what} {self._how_it_ended()} before the code could start."
                if ended
                else f"The kernel could not be copied and locked within {self.preparation:.0f} s."
            )
        elif ended:
            report.status = "died"
            report.reason = f"{self.what} {self._how_it_ended()}."
        else:
            report.status = "unfinished"
            report.seconds = self._budget
            report.reason = f"no error in the first {self._budget:g} s"
            report.peak_bytes = self._grown
            if self._grown > TELLING_GROWTH:
                report.reason += f", and {self._grown / 2**30:.1f} GB of memory by then"
        return report


_ERROR = TypeAdapter[ErrorReport | None](ErrorReport | None)
_STATUS = TypeAdapter[RehearsalStatus](RehearsalStatus)
_CHANGES = TypeAdapter[list[ForeseenChange]](list[ForeseenChange])
_TOUCHED = TypeAdapter[list[tuple[int, list[int] | None]]](list[tuple[int, list[int] | None]])


def _with_touched(changes: object, touched: object) -> list[ForeseenChange]:
    found, record = _CHANGES.validate_python(changes), dict(_TOUCHED.validate_python(touched))
    for change in found:
        change.touched = record
    return found


_OUTCOME = TypeAdapter[dict[str, str]](dict[str, str])


def _fork_quietly() -> int:
    """Python 3.12 and later warn that a process with threads forks; the copy uses none of them."""
    if sys.version_info < (3, 12):
        return os.fork()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _resident(pid: int) -> int:
    """Bytes of a process's own memory that are in use; 0 if it is gone."""
    if sys.platform != "linux":
        with contextlib.suppress(psutil.Error):
            return int(psutil.Process(pid).memory_info().rss)
        return 0
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as status:
            return 1024 * int(next(line for line in status if line.startswith("RssAnon:")).split()[1])
    except (OSError, ValueError, StopIteration):
        return 0


def how_it_ended(status: int | None) -> str:
    if status is None:
        return "ended"
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGKILL:
            return "was killed, most likely because memory ran out"
        if number == signal.SIGSEGV:
            return "crashed (segmentation fault)"
        try:
            return f"was ended by {signal.Signals(number).name}"
        except ValueError:
            return f"was ended by signal {number}"
    return f"ended by itself with exit code {os.WEXITSTATUS(status)}"
