"""A run in a forked, locked-down copy of the kernel, seen from the kernel: the fork, the wait, the report.

`child` is what the copy does. Whatever happens there, the parent goes on untouched: its memory is not shared, its
files cannot be written, and the copy is killed and collected on every way out of here.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import select
import signal
import socket
import sys
import time
import warnings
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Annotated, Any

import psutil
from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from llmos_jupyter.effects.copy.child import Brief, rehearse_in_child
from llmos_jupyter.effects.copy.error_reports import Looks
from llmos_jupyter.privacy.masking import remember
from llmos_jupyter.protocol import Edit, ErrorReport, NameChange, Refusal, Rehearsal, RehearsalStatus, Shape
from llmos_jupyter.sandbox import lock
from llmos_jupyter.sandbox.judge import Judge
from llmos_jupyter.sandbox.notifications import Supervisor
from llmos_jupyter.sandbox.process.capture import Capture
from llmos_jupyter.sandbox.process.inheritance import look_for_thread_pools, open_for_writing
from llmos_jupyter.sandbox.process.interrupts import interrupts_deferred
from llmos_jupyter.sandbox.process.pages import Probe
from llmos_jupyter.sandbox.process.run_progress import EVERY, LATEST, RunProgress
from llmos_jupyter.sandbox.refusals import merged
from llmos_jupyter.sandbox.roots import Access, roots_of

with contextlib.suppress(ImportError):  # Windows has none, and no rehearsal
    pass

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

PREPARATION_SECONDS = 10.0  # the copy's, before the candidate starts; usually 0.1
PACKING_SECONDS = 60.0  # the copy's, to write down its effects: gigabytes take seconds
DIFFERENCE_SECONDS = 10.0  # the copy's, to say what changed and what it came to; usually hundredths
LOOK_SECONDS = 0.1  # how long a wait may be before Python sees an interrupt another thread received
LONGEST_REPORT = 16 << 20  # bytes beside what the code prints; a copy that says more is not believed
TELLING_GROWTH = 1 << 30  # bytes that unfinished code used, from which on it is said
NOTHING_MORE = Access()
LEAST_MEMORY = 64 << 20  # bytes above the present size, under which no rehearsal makes sense


def supported() -> str | None:
    """Why nothing can be rehearsed on this machine, as one sentence; None if rehearsal works."""
    if not hasattr(os, "fork"):
        return "The sandbox of forks needs Linux, and this is another system."
    return lock.unsupported()


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
        home: list[int],
        keep: Callable[[str], None] | None = None,
        looks: type[Looks] = Looks,
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
        self._supervisor: Supervisor | None = None
        self._printed = Capture()
        self._began = self._told = 0.0  # when the code began; when it was told last how far it is
        self._end: dict[str, Any] | None = None
        self._changes: list[NameChange] | None = None
        self._outcome: dict[str, str] = {}
        self._edits: list[Edit] = []
        self._doubts: list[str] = []
        self._shape = Shape()
        self._broken = ""
        self._resident = self._grown = 0
        self._probe: Probe | None = None  # must stay while the copy lives: an unshared page looks like a written one
        self._code, self._shell, self._scratch, self._memory = code, shell, scratch, memory
        self._access = access
        self._home, self._keep, self._looks = home, keep, looks
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
        look_for_thread_pools()
        with contextlib.ExitStack() as unless_begun, contextlib.ExitStack() as the_copys:
            reading, writing = os.pipe()
            unless_begun.callback(os.close, reading)
            the_copys.callback(os.close, writing)
            ours, control = socket.socketpair()
            unless_begun.callback(ours.close)
            the_copys.callback(control.close)
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
                looks=self._looks,
            )
            if self._keep is not None:
                # What is open for writing already is written without a call that tells its path.
                for path in filter(self._access.may_write, open_for_writing()):
                    self._keep(path)
            self._pid = _fork_quietly()
            if self._pid == 0:
                rehearse_in_child(brief, self._shell)
            judge = Judge(self._pid, self._scratch, roots, self._access, self._keep)
            self._supervisor = Supervisor(ours, judge)
            self._supervisor.start()
            unless_begun.pop_all()
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
                if self._stands_still():
                    self._broken = "a signal has stopped it"
                    return True
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
                limits = {1: self._budget, 2: PACKING_SECONDS}
                deadline = time.monotonic() + limits.get(phase, DIFFERENCE_SECONDS)
        return False

    def _read(self, pipe: int, seconds: float) -> bytes | None:
        """More of the report; empty at its end, None if nothing came within these seconds."""
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        return os.read(pipe, 1 << 16) if poll.poll(1000 * seconds) else None

    def _stands_still(self) -> bool:
        """Whether a signal has stopped the copy for good: nobody would ever wake it."""
        try:
            pid, status = os.waitpid(self._pid, os.WNOHANG | os.WUNTRACED)
        except ChildProcessError:  # SIGCHLD is ignored in this kernel
            return False
        if pid and not os.WIFSTOPPED(status):
            self._wait_status = status
        return bool(pid) and os.WIFSTOPPED(status)

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
                    case "output":
                        self._printed.write(str(content["text"]))
                    case "end":
                        self._end = {**content, "error": _ERROR.validate_python(content["error"])}
                        self._end["status"] = _STATUS.validate_python(content["status"])
                    case "secrets":
                        remember(_SECRETS.validate_python(content["secrets"]))
                    case "effects" if "broken" in content:
                        self._broken = str(content["broken"])[:500]
                    case "effects":
                        self.effects = content
                    case "changes":
                        self._changes = _CHANGES.validate_python(content["changes"])
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
        while self._wait_status is None and time.monotonic() < deadline and not self._reap(os.WNOHANG):
            time.sleep(0.002)

    def _bury(self) -> None:
        if self._pid > 0 and self._wait_status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            self._reap(0)
        if self._supervisor is not None:
            self._refusals = merged(self._refusals, self._supervisor.stop())
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
            report.reason = f"The code could not be tried in the sandbox: {self._broken}."
        elif self._end is not None:
            found = {"outcome": self._outcome, "doubts": self._doubts, "edits": self._edits, "shape": self._shape}
            report = report.model_copy(update=self._end | found)
            if self._changes is None:
                report.reason = f"{report.reason} What it changed could not be told in time.".strip()
            else:
                report.changes = self._changes
            if self._home and self.effects is None and report.status == "passed" and ended:
                report.status = "died"
                report.reason = f"{self.what} {self._how_it_ended()} while it wrote down what the code had made."
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


_Secret = Annotated[str, StringConstraints(max_length=2_000)]
_Kind = Annotated[str, StringConstraints(pattern=r"^[\w ]{1,40}$")]
_ERROR = TypeAdapter[ErrorReport | None](ErrorReport | None)
_STATUS = TypeAdapter[RehearsalStatus](RehearsalStatus)
_CHANGES = TypeAdapter[list[NameChange]](list[NameChange])
_SECRETS = TypeAdapter[dict[str, str]](Annotated[dict[_Secret, _Kind], Field(max_length=2_000)])
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
