"""What the forked copy of the kernel does: lock itself in, run the candidate, tell, and be gone.

It speaks to its parent by JSON lines through one pipe, never by pickle: nothing that ran a candidate is
trusted. The lines are `ready`, `refusal`, `output`, `end`, `effects`, `changes`, `outcome`, or `broken` when it could
not start.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import random
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from llmos_jupyter.effects.copy import outcome
from llmos_jupyter.effects.copy.error_reports import Looks, error_report
from llmos_jupyter.effects.copy.kernel_state import differences, kernel_state, registered_exits
from llmos_jupyter.effects.copy.nested import run_nested
from llmos_jupyter.effects.copy.refusals import Refusals
from llmos_jupyter.effects.copy.shell import Stage, close_doors
from llmos_jupyter.effects.in_copy import Effects
from llmos_jupyter.protocol import Capability, Refusal
from llmos_jupyter.sandbox import lock, notifications
from llmos_jupyter.sandbox.process import inheritance
from llmos_jupyter.sandbox.process.capture import Capture
from llmos_jupyter.sandbox.process.descriptors import Descriptors
from llmos_jupyter.sandbox.process.pages import Probe, WrittenPages
from llmos_jupyter.sandbox.roots import Access, Roots
from llmos_jupyter.text import wellformed

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_leave = os._exit  # the candidate sees another one
_MOST_SECRETS = 2_000


@dataclass(frozen=True)
class Brief:
    """What the parent prepared before the fork."""

    code: str
    scratch: str
    pipe: int
    parent: int
    budget_seconds: float
    memory_bytes: int
    random_state: Any
    probe: Probe | None
    control: socket.socket | None  # leads to the supervisor, which is told of what the lock refuses
    roots: Roots
    access: Access
    home: list[int]  # memory files for the effects
    looks: type[Looks] = Looks


class Report:
    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._lock = threading.RLock()  # a signal handler of the candidate's may print while something is told

    def send(self, event: str, **content: object) -> None:
        # What the candidate says may hold halves of characters, which nothing after this could store.
        line = wellformed(json.dumps({"event": event, **content}, ensure_ascii=False)).encode() + b"\n"
        with self._lock:
            while line:
                line = line[os.write(self._pipe, line) :]


def rehearse_in_child(brief: Brief, shell: InteractiveShell) -> NoReturn:
    """Never returns: whatever happens here, the copy must not go on as if it were the kernel."""
    try:
        inheritance.leave_debuggers()
        lock.die_with_parent(brief.parent)
        pipe = inheritance.raise_descriptor(brief.pipe)
        report = Report(pipe)
        try:
            _rehearse(brief, shell, pipe, report)
        except BaseException as error:  # told to the parent as the reason
            report.send("broken", reason=f"{type(error).__name__}: {error}"[:500])
    finally:
        _leave(0)


def _rehearse(brief: Brief, shell: InteractiveShell, pipe: int, report: Report) -> None:
    assert brief.control is not None
    assert brief.probe is not None
    collecting = gc.isenabled()
    gc.disable()
    gc.freeze()  # a collection would write into, and so copy, every page of the namespace
    random.setstate(brief.random_state)  # a fork seeds it anew
    inheritance.reset_signals()
    home = [inheritance.raise_descriptor(fd) for fd in brief.home]
    open_files = inheritance.cut_descriptors(
        {pipe, brief.control.fileno(), *home}, _histories(shell), brief.access.may_write
    )
    descriptors = Descriptors()
    inheritance.cut_shared_memory()
    inheritance.use_one_thread()
    os.environ["TMPDIR"] = tempfile.tempdir = brief.scratch
    sys.dont_write_bytecode = True
    peak = inheritance.open_peak_switch()
    inheritance.limit_resources(brief.memory_bytes, brief.budget_seconds, brief.memory_bytes)
    pages = WrittenPages(brief.probe.address)
    locked, lacking = _lock(brief, pipe, open_files)
    if lacking is not None:
        report.send("broken", reason=f"the lock does not hold here: {lacking}")
        return
    prepared = Prepared(locked, locked.description, descriptors, open_files, home, pages, peak, collecting)
    run_prepared(shell, report, brief, prepared)


@dataclass(frozen=True)
class Prepared:
    """A process that is ready for a candidate. `description`: what confines it; `numbers`: in a worker process, those
    of the notebook's objects."""

    locked: lock.Lock
    description: str
    descriptors: Descriptors | None = None  # where the system has files in memory
    open_files: dict[int, str] = field(default_factory=dict)
    home: list[int] = field(default_factory=list)
    pages: WrittenPages | None = None
    peak: int | None = None
    collecting: bool = True
    numbers: dict[int, int] | None = None


def run_prepared(shell: InteractiveShell, report: Report, brief: Brief, prepared: Prepared) -> None:
    """Run the candidate and tell what it did."""
    locked, home, pages, peak = prepared.locked, prepared.home, prepared.pages, prepared.peak

    def send_refusal(refusal: Refusal) -> None:
        report.send("refusal", **refusal.model_dump(mode="json"))

    refusals = Refusals(
        send_refusal,
        brief.scratch,
        roots=brief.roots,
        access=brief.access,
        lock=locked,
        open_files=prepared.open_files,
    )
    capture = Capture(lambda text: report.send("output", text=text))
    close_doors(refusals)
    effects = Effects(shell, brief.code, home, pages, prepared.numbers)
    stage = Stage(shell, refusals, capture, effects.recorder)
    written = sys.stdout.write, sys.stderr.write
    stuck = refusals.open_files_written(shell.user_ns)
    if peak is not None:
        os.write(peak, b"5")
        os.close(peak)
    if brief.access.processes:
        os.register_at_fork(after_in_child=_print_to_descriptors)
    refusals.listen()
    if prepared.collecting:
        gc.enable()
    effects.begin()
    kernel, exits = kernel_state(shell), registered_exits()
    before = inheritance.memory_sizes()
    if brief.control is not None:
        notifications.begin(brief.control)
        brief.control.close()
    report.send(
        "ready",
        confinement=prepared.description,
        reading_limited=locked.reads_are_limited,
    )

    ran = _run(shell, brief.code, stage, prepared.descriptors, written)

    effects.end()
    gc.disable()
    after = inheritance.memory_sizes()
    refusals.note_open_files(refusals.open_files_written(shell.user_ns) - stuck)
    if registered_exits() < exits:
        refusals.tell(Capability.KERNEL, "what runs at its end")
    for part in differences(kernel, kernel_state(shell))[:5]:
        refusals.tell(Capability.KERNEL, part)
    # Pages of libraries come in as they are used; they are the kernel's already.
    files = max(0, after["RssFile"] - before["RssFile"])
    _tell_end(shell, report, brief, ran, refusals, stage, max(0, after["VmHWM"] - before["VmRSS"] - files))
    _tell_effects(shell, report, brief, ran, effects, stage)


@dataclass(frozen=True)
class _Ran:
    """The candidate has run. `threads`: those that there were before."""

    value: object
    error: BaseException | None
    seconds: float
    threads: set[threading.Thread]


def _run(
    shell: InteractiveShell,
    code: str,
    stage: Stage,
    descriptors: Descriptors | None,
    written: tuple[Callable[[str], object], Callable[[str], object]],
) -> _Ran:
    """`written`: what the standard streams write by."""
    if descriptors is not None:
        descriptors.begin(*written)
    threads = set(threading.enumerate())
    started = time.perf_counter()
    error: BaseException | None
    value: object = None
    try:
        result = run_nested(shell, code)
        value = result.result
        error = result.error_before_exec or result.error_in_exec or (stage.shown[0] if stage.shown else None)
    except BaseException as raised:  # the candidate's: it may raise anything, from any of IPython's hooks
        error = raised
    seconds = time.perf_counter() - started
    if descriptors is not None:
        descriptors.end()
    return _Ran(value, error, seconds, threads)


def _tell_end(
    shell: InteractiveShell,
    report: Report,
    brief: Brief,
    ran: _Ran,
    refusals: Refusals,
    stage: Stage,
    peak_bytes: int,
) -> None:
    """Tell how it ended."""
    status, reason, error = "passed", "", ran.error
    if error is not None:
        status = "refused" if refusals.caused(error, shell.user_ns) else "failed"
        if isinstance(error, SystemExit):
            refusals.note(Capability.EXIT, "exit the kernel")
        if isinstance(error, MemoryError):
            reason = f"Code in the sandbox may use {brief.memory_bytes / 2**30:.1f} GB above what the notebook holds."
    if (left := len(set(threading.enumerate()) - ran.threads)) and error is None:
        reason = f"It leaves {left} thread{'s' * (left > 1)} running after it has ended."
    output = stage.printed()  # before parts of the line are worked out again
    described = error_report(error, brief.code, stage.cells[:1], brief.looks, ran.seconds) if error else None
    # Before the run is over for the parent, which then writes down what it showed. The newest are found first.
    with contextlib.suppress(Exception):
        secrets = brief.looks.secrets(shell.user_ns, ran.value)
        report.send("secrets", secrets=dict(list(secrets.items())[:_MOST_SECRETS]))
    report.send(
        "end",
        status=status,
        reason=reason,
        error=described.model_dump(mode="json") if described else None,
        output=output,
        seconds=ran.seconds,
        peak_bytes=peak_bytes,
    )


def _tell_effects(
    shell: InteractiveShell, report: Report, brief: Brief, ran: _Ran, effects: Effects, stage: Stage
) -> None:
    """Tell what it did to the namespace, and what it showed."""
    # Packing displays what the code assigned last, which is not to count as shown by the code itself.
    printed, figures = stage.printed(), list(stage.figures) or outcome.open_figures()
    if ran.error is None:
        report.send("effects", **effects.pack())
    changes = effects.changes()
    report.send("changes", changes=[change.model_dump() for change in changes[:500]])
    if ran.error is None:
        changed = [change.name for change in changes[:20]]
        # Values of anybody's classes are asked, which may raise anything; the effects are told by now.
        with contextlib.suppress(BaseException):
            report.send("outcome", **_outcome(shell, brief, ran.value, printed, figures, changed, ran.seconds))


def _outcome(
    shell: InteractiveShell,
    brief: Brief,
    value: object,
    printed: str,
    figures: list[str],
    changed: list[str],
    seconds: float,
) -> dict[str, Any]:
    value = outcome.final_value(brief.code, value, shell.user_ns)
    shown = outcome.shown_digest(value, printed, figures)
    return {
        "outcome": outcome.digests(shell.user_ns, changed, shown),
        "doubts": [*outcome.doubts(value, printed, len(figures)), *outcome.joined_texts(value, shell.user_ns)],
        "edits": [edit.model_dump() for edit in brief.looks.after(brief.code, shell.user_ns, seconds)],
        "shape": outcome.shape(value, printed, len(figures)).model_dump(),
    }


def _print_to_descriptors() -> None:
    """In a process that the candidate forks: what it prints reaches the copy through the descriptors only."""
    for name, fd in (("stdout", 1), ("stderr", 2)):
        raw = io.BufferedWriter(io.FileIO(fd, "w", closefd=False))
        setattr(sys, name, io.TextIOWrapper(raw, "utf-8", "replace", line_buffering=True))


def _histories(shell: InteractiveShell) -> set[str]:
    """The database of what was ever typed into any notebook: the kernel has it open, and this notebook's code has no
    business there."""
    file = getattr(shell.history_manager, "hist_file", "")
    return {os.path.realpath(f"{file}{end}") for end in ("", "-journal", "-wal", "-shm")} if file else set()


def _lock(brief: Brief, pipe: int, open_files: Iterable[int]) -> tuple[lock.Lock, str | None]:
    """The lock, and why it does not hold, or None."""
    lacking, locked = lock.unsupported(), lock.Lock(0, False)
    if lacking is None:
        try:
            locked = lock.lock(brief.scratch, pipe, brief.roots, brief.access, brief.control, open_files)
        except OSError as refused:
            lacking = refused.strerror or str(refused)
    if lacking is not None:
        return locked, lacking
    return locked, lock.leaks(
        brief.scratch,
        writable=brief.access.write,
        readable=brief.access.read if locked.reads_are_limited else None,
        network=brief.access.network,
        processes=brief.access.processes,
    )
