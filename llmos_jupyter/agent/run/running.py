"""The end of an answer: the chosen candidate runs, in a sandbox that is open to what was granted, and can be undone."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil
from IPython.display import display

from llmos_jupyter.agent.answering.drafts import Draft
from llmos_jupyter.agent.answering.events import AgentEvent, Noted, Ran, Running, StillRunning
from llmos_jupyter.agent.capability.capabilities import FILES, Grants, Want, wants
from llmos_jupyter.agent.capability.caps import Caps
from llmos_jupyter.agent.hints.looks import LookOnly
from llmos_jupyter.agent.run.bounded_output import bounded_output
from llmos_jupyter.agent.run.execution import execute
from llmos_jupyter.agent.undo.files import FileKeeper
from llmos_jupyter.agent.undo.history import History
from llmos_jupyter.effects.kept import Kept
from llmos_jupyter.effects.table import CannotComeHome, NotNow
from llmos_jupyter.effects.transaction import Committed, commit, watched_run
from llmos_jupyter.effects.transaction import Ran as SandboxRun
from llmos_jupyter.protocol import ErrorReport, Run
from llmos_jupyter.sandbox.process.interrupts import interrupts_deferred
from llmos_jupyter.sandbox.process.run_progress import RunProgress
from llmos_jupyter.sandbox.roots import fix_roots

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

# Of the free memory, what all that can be undone may hold; and bytes of files kept beside.
UNDO_SHARE = 1 / 4
UNDO_FILES = 1 << 30
# Seconds after which it is told that code still runs: what is quick stays quiet.
A_MOMENT = 1.0


@dataclass
class Rights:
    """What one notebook lets answers do, and what of them can be undone. Lives as long as its kernel."""

    caps: Caps
    grants: Grants
    history: History

    @classmethod
    def of(cls, shell: InteractiveShell) -> Rights:
        caps = Caps.load(shell)
        limit = int(psutil.virtual_memory().available * UNDO_SHARE)
        return cls(caps, Grants(caps, fix_roots(shell)), History(limit_bytes=limit))


def run(
    draft: Draft, shell: InteractiveShell, rights: Rights, *, here: bool = False
) -> Generator[AgentEvent, bool | None, Run | None]:
    """Commit a candidate's run in the sandbox, if need be after another one that may do what was granted since.

    None where that run wanted more, or cannot come home: nothing is changed then, and the draft says what it wants. On
    a yes to that it is run again. `here`: the user has just said yes to a run in the notebook itself.
    """
    if here:
        return (yield from _run_here(draft, shell, rights))
    yield Running(draft.code, [])
    files = FileKeeper(UNDO_FILES)
    try:
        done = yield from _in_sandbox(draft, shell, rights, files)
    except BaseException as error:
        said = _put_back(files)
        if not isinstance(error, KeyboardInterrupt):
            raise
        done = Run(status="interrupted", error=ErrorReport(type="KeyboardInterrupt", message="stopped"))
    else:
        said = [] if done is not None and done.status == "ok" else _put_back(files)
    if done is not None:
        yield Ran(draft.code, done)
    if said:
        yield Noted(f"the files that it had changed were put back: {', '.join(said)}")
    for sentence in files.impossible:
        yield Noted(f"undo: {sentence}")
    return done


def while_it_runs(
    run: Generator[RunProgress, None, SandboxRun], *, quiet: bool = False
) -> Generator[AgentEvent, bool | None, SandboxRun]:
    """Wait for the end of a run in the sandbox, telling how far it is where it takes longer than a moment."""
    with closing(run):
        while True:
            try:
                progress = next(run)
            except StopIteration as end:
                ran: SandboxRun = end.value
                return ran
            if not quiet and progress.seconds >= A_MOMENT:
                yield StillRunning(progress.seconds, progress.printed, progress.bytes)


def _in_sandbox(
    draft: Draft, shell: InteractiveShell, rights: Rights, files: FileKeeper
) -> Generator[AgentEvent, bool | None, Run | None]:
    ran = draft.ran
    if ran is None or not ran.committable or ran.refusals:
        # Its trial was cut short, by what it was refused or by its budget: nothing outside was done twice.
        access = rights.grants.access()
        ran = yield from while_it_runs(watched_run(draft.code, shell, access=access, keep=files.keep, looks=LookOnly))
        files.ran()
        if access.write and not ran.files_told:
            files.impossible.append("files that it changed stay so: this system does not tell of a sandbox's calls.")
        draft.ran, draft.rehearsal = ran, ran.report
        draft.done_again = access.network or access.processes
        if ran.refusals or ran.cannot or ran.report.status == "unavailable":
            if ran.refusals and not _grantable(ran, rights.grants):
                draft.outside = f"the sandbox does not let it do this, whatever was granted: {ran.refusals[0].what}"
            return None
        if not ran.committable:
            return _failed(ran)
    try:
        with bounded_output():
            return _committed(draft, ran, rights, files)
    except NotNow as error:
        print(f"{error.reason[0].upper()}{error.reason[1:]}.", file=sys.stderr)
        failure = ErrorReport(type=type(error).__name__, message=error.reason)
        return Run(status="failed", error=failure, seconds=ran.report.seconds)
    except CannotComeHome as error:
        draft.outside = error.reason
        return None


def _grantable(ran: SandboxRun, grants: Grants) -> list[Want]:
    """What a run was refused that a yes could change: a file that has no name cannot be granted."""
    missing = grants.missing(wants([], ran.report, grants.roots))
    return [want for want in missing if want.what or want.capability not in FILES]


def _failed(ran: SandboxRun) -> Run:
    print(ran.report.output, end="")
    error = ran.error or ErrorReport(type="SandboxDied", message=ran.report.reason)
    print(error.traceback or error.message, file=sys.stderr)
    return Run(status="failed", error=error, seconds=ran.report.seconds)


def _committed(draft: Draft, ran: SandboxRun, rights: Rights, files: FileKeeper) -> Run:
    with suppress(KeyboardInterrupt), interrupts_deferred():  # Stop comes too late: all is committed, and can be undone
        saved = Committed(commit(ran, bind=draft.bind, displayed=bool(draft.displayed)), ran.report.changes, draft.bind)
        rights.history.push(saved, files)
    return Run(status="ok", changes=saved.changes, seconds=ran.report.seconds)


def _put_back(files: FileKeeper) -> list[str]:
    """Leave the files as they were before the run; a clause for each that it had changed."""
    files.ran()
    said = files.restore()
    files.close()
    return [sentence.rstrip(".") for sentence in said]


def _run_here(draft: Draft, shell: InteractiveShell, rights: Rights) -> Generator[AgentEvent, bool | None, Run]:
    """Run in the notebook what cannot run in the sandbox: as a cell of the user's own. Its variables can be undone."""
    kept = Kept(shell, draft.code, limit_bytes=int(psutil.virtual_memory().available * UNDO_SHARE))
    yield Running(draft.code, kept.impossible)
    try:
        with bounded_output():
            done = execute(draft.code, shell)
            if draft.displayed in shell.user_ns and done.status == "ok":
                display(shell.user_ns[draft.displayed])
    finally:
        with interrupts_deferred():
            saved = Committed(kept.ran(), kept.changes)
            rights.history.push(saved)
    done.changes = saved.changes
    yield Ran(draft.code, done)
    return done
