"""The end of an answer: the chosen candidate runs, held to what was granted and so that it can be undone."""

from __future__ import annotations

import sys
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil
from IPython.display import display

from llmos_jupyter.agent import undo
from llmos_jupyter.agent.bounded_output import bounded_output
from llmos_jupyter.agent.capabilities import Grants
from llmos_jupyter.agent.caps import Caps
from llmos_jupyter.agent.drafts import Draft
from llmos_jupyter.agent.events import AgentEvent, Noted, Question, Ran, Running
from llmos_jupyter.agent.execution import execute
from llmos_jupyter.agent.guard import Hold, held
from llmos_jupyter.agent.undo_files import FileKeeper
from llmos_jupyter.effects.table import CannotComeHome
from llmos_jupyter.effects.transaction import Committed, commit, run_in_sandbox
from llmos_jupyter.effects.transaction import Ran as SandboxRun
from llmos_jupyter.protocol import ErrorReport, Run
from llmos_jupyter.sandbox.roots import fix_roots

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

# Of the free memory, what all that can be undone may hold; and bytes of files kept beside.
UNDO_SHARE = 1 / 4
UNDO_FILES = 1 << 30


@dataclass
class Rights:
    """What one notebook lets answers do, and what of them can be undone. Lives as long as its kernel."""

    caps: Caps
    grants: Grants
    history: undo.History
    held: list[Hold] = field(default_factory=list)

    def late(self) -> list[str]:
        """What earlier answers tried since from threads and callbacks they left behind, a sentence each."""
        self.held = self.held[-20:]
        return [
            f"Code that an earlier answer left behind was kept from this: {refusal.what}."
            for hold in self.held
            for refusal in hold.late()
        ]

    @classmethod
    def of(cls, shell: InteractiveShell) -> Rights:
        caps = Caps.load(shell)
        limit = int(psutil.virtual_memory().available * UNDO_SHARE)
        return cls(caps, Grants(caps, fix_roots(shell)), undo.History(limit_bytes=limit))


def run(draft: Draft, shell: InteractiveShell, rights: Rights) -> Generator[AgentEvent, bool | None, Run]:
    """Commit a candidate's run in the sandbox; where that cannot be, run it in the notebook. It can be undone either
    way."""
    ran, begun = draft.ran, False
    if ran is not None and ran.report.status == "unfinished":
        # It takes longer than a trial may: it runs again from the beginning, in the sandbox and to its end.
        yield Running(draft.code, [])
        begun = True
        try:
            ran = run_in_sandbox(draft.code, shell)
        except KeyboardInterrupt:
            done = Run(status="interrupted", error=ErrorReport(type="KeyboardInterrupt", message="stopped"))
            yield Ran(draft.code, done)
            return done
        if ran.error is not None and ran.report.status == "failed":
            print(ran.report.output, end="")
            print(ran.error.traceback, file=sys.stderr)
            done = Run(status="failed", error=ran.error, seconds=ran.report.seconds)
            yield Ran(draft.code, done)
            return done
        if not ran.committable:
            why = f"it has to run in the notebook itself ({ran.cannot[0] if ran.cannot else ran.report.reason})"
            if not (yield Question(draft.code, why)):
                done = Run(status="failed", error=ErrorReport(type="NotRun", message=f"{why}, and you did not say yes"))
                yield Ran(draft.code, done)
                return done
    if ran is not None and ran.committable:
        if not begun:
            yield Running(draft.code, [])
        try:
            with bounded_output():
                done = _committed(draft, ran, rights)
        except CannotComeHome as error:
            why = f"it has to run in the notebook itself ({error.reason})"
            if not (yield Question(draft.code, why)):
                done = Run(status="failed", error=ErrorReport(type="NotRun", message=f"{why}, and you did not say yes"))
                yield Ran(draft.code, done)
                return done
        else:
            yield Ran(draft.code, done)
            return done
    return (yield from _run_here(draft, shell, rights))


def _committed(draft: Draft, ran: SandboxRun, rights: Rights) -> Run:
    taken = commit(ran, bind=draft.bind, displayed=bool(draft.displayed))
    saved = Committed(taken, ran.report.changes, draft.bind)
    rights.history.push(saved)
    return Run(status="ok", changes=saved.changes, seconds=ran.report.seconds)


def _run_here(draft: Draft, shell: InteractiveShell, rights: Rights) -> Generator[AgentEvent, bool | None, Run]:
    """Run in the notebook what cannot be committed: held to what was granted."""
    foreseen = draft.rehearsal.changes if draft.rehearsal else []
    limit = int(psutil.virtual_memory().available * UNDO_SHARE)
    saved = undo.save(shell, undo.foreseen(draft.rehearsal), draft.code, limit_bytes=limit)
    files = FileKeeper(UNDO_FILES)
    yield Running(draft.code, saved.impossible)
    try:
        with bounded_output(), held(rights.grants, shell, files.keep) as hold:
            done = execute(draft.code, shell, foreseen)
            if draft.displayed in shell.user_ns and done.status == "ok":
                display(shell.user_ns[draft.displayed])
        done = hold.verdict(done)
        rights.held.append(hold)
        stopped = done.error is not None and done.error.type == "NotAllowed"
    finally:
        saved.ran(shell)
        files.ran()
        rights.history.push(saved, files)
    if stopped and done.error:
        # It was rehearsed as harmless and is not: nothing of it may stay.
        rights.history.undo(shell)
        done.error.message += " What it had done was undone."
        done.changes = []
    yield Ran(draft.code, done)
    for sentence in files.impossible:
        yield Noted(f"undo: {sentence}")
    return done
