"""What a candidate goes through before it may run: inspected and mended, rehearsed, held against the live data."""

from __future__ import annotations

import ast
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING

from llmos_jupyter.agent.answering.drafts import Draft, same_program
from llmos_jupyter.agent.answering.events import AgentEvent, Inspected, Rehearsed, Rehearsing
from llmos_jupyter.agent.answering.stream.deadline import Deadline
from llmos_jupyter.agent.capability.capabilities import Grants
from llmos_jupyter.agent.context.notebook_context import NotebookContext
from llmos_jupyter.agent.data_notes.doubts import data_doubts, without_effect
from llmos_jupyter.agent.data_notes.notes import data_notes
from llmos_jupyter.agent.hints.looks import LookForHints
from llmos_jupyter.agent.hints.of_failure import column_hints
from llmos_jupyter.agent.inspection.check import inspect
from llmos_jupyter.agent.mending.mend import edited, mend, told
from llmos_jupyter.agent.mending.result_name import give_name, requested_name
from llmos_jupyter.agent.run import called_later
from llmos_jupyter.agent.run.running import while_it_runs
from llmos_jupyter.effects.copy.shown_result import assigned_last
from llmos_jupyter.effects.transaction import FOREVER, Ran, watched_run
from llmos_jupyter.protocol import Finding, InspectionRecord, Record, Rehearsal, RehearsalRecord, Task

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

# Mending one thing can lay another bare: a column in two steps of a chain.
MENDINGS = 3
# Results that can be given a name: what a plot or a print returns is none.
_VALUES = ("number", "whole number", "text", "list", "dict", "column", "table")

Steps = Generator[AgentEvent, "bool | None", None]


class Trial:
    """Tries candidates in one notebook, leaving it untouched. `budget`: seconds that code may run in which a loop has
    no end; `grants`: what the user has allowed, by default nothing."""

    def __init__(
        self,
        shell: InteractiveShell,
        context: NotebookContext,
        record: Callable[[Task, Record], None],
        budget: float,
        grants: Grants | None = None,
    ) -> None:
        self._shell = shell
        self._context = context
        self._record = record
        self._budget = budget
        self._grants = Grants() if grants is None else grants
        # Of the task that is answered: labels and names that a candidate asked for in vain.
        self._missing: tuple[str, set[str]] = ("", set())

    def attempt(
        self,
        task: Task,
        draft: Draft,
        deadline: Deadline,
        *,
        quiet: bool = False,
        known: Sequence[Draft] = (),
        budget: float = FOREVER,
    ) -> Steps:
        """Inspect and mend, then run in the sandbox, for `budget` seconds at the most. What is not even Python is not
        run; the same code not twice."""
        self._inspect(draft)
        index = draft.candidate.index
        self._record(task, InspectionRecord(round=draft.round, index=index, code=draft.code, findings=draft.findings))
        if not quiet:
            yield Inspected(draft.findings, draft.code)
        if any(finding.kind == "syntax" for finding in draft.findings):
            return
        same = next((old for old in known if same_program(old.code, draft.code)), None)
        if same is not None:
            draft.rehearsal, draft.ran = same.rehearsal, same.ran
            return
        if not quiet:
            yield Rehearsing()
        with deadline.paused():
            draft.ran = yield from self._run(draft, budget, quiet)
            for _ in range(MENDINGS):
                if not mend_after(draft, draft.ran.report):
                    break
                draft.ran.close()
                draft.ran = yield from self._run(draft, budget, quiet)
        draft.rehearsal = draft.ran.report
        if self._missing[0] != task.id:
            self._missing = (task.id, set())
        if draft.error and draft.error.unknown:
            self._missing[1].add(draft.error.unknown.written.strip("'\""))
        self._finish(draft)
        self._record(task, RehearsalRecord(round=draft.round, index=index, code=draft.code, rehearsal=draft.rehearsal))
        if not quiet:
            yield Rehearsed(draft.rehearsal)

    def failure(self, failed: Draft) -> list[str]:
        """What made a candidate fail or will make it fail, and what the live objects say of it; nothing for one that
        works."""
        if failed.works:
            return failed.faults
        error = [f"{failed.error.type}: {failed.error.message}"] if failed.error else []
        return [*error, *failed.problems, *self.hints(failed)]

    def doubts(self, draft: Draft) -> list[str]:
        """What speaks against a candidate that works, and what the live objects say of it."""
        if draft.rehearsal and draft.rehearsal.shape.missing:
            return [*draft.doubts, *column_hints("ValueError", "NaN", self._shell.user_ns, draft.code)]
        return draft.doubts

    def hints(self, draft: Draft) -> list[str]:
        """What the live objects say of a failure."""
        if not draft.error:
            reason = draft.rehearsal.reason if draft.rehearsal else ""
            return [reason] if reason else []
        return column_hints(draft.error.type, draft.error.message, self._shell.user_ns, draft.code, draft.error)

    def _run(self, draft: Draft, budget: float, quiet: bool) -> Generator[AgentEvent, bool | None, Ran]:
        if any(finding.kind == "endless-loop" for finding in draft.findings):
            budget = min(budget, self._budget)
        # What is written or sent is not done twice: that much is loosened for the chosen one alone.
        access = self._grants.reading()
        harmless = not draft.foreign and not any(finding.capability for finding in draft.findings)
        run = watched_run(
            draft.code,
            self._shell,
            budget_seconds=budget,
            access=access,
            unlocked=harmless,
            looks=LookForHints,
        )
        return (yield from while_it_runs(run, quiet=quiet))

    def _finish(self, draft: Draft) -> None:
        """Show a result that the code keeps to itself, give it the name that was spelt out, and note doubts."""
        rehearsal = draft.rehearsal
        if rehearsal is None or rehearsal.status != "passed":
            return
        unsaid = draft.ran.unsaid if draft.ran is not None else frozenset()
        changes = [change for change in rehearsal.changes if change.name not in unsaid]
        if draft.ran is not None and draft.ran.committable:
            draft.findings = called_later.unasked(draft.code, draft.findings, rehearsal.refusals)
        if rehearsal.shape.kind == "nothing" and changes:
            # It did what it was to do; the code stays as it is, and its result is displayed after the run.
            draft.displayed, rehearsal.doubts = assigned_last(draft.code), []
        if rehearsal.shape.kind == "function" and _defines(draft.code):
            rehearsal.doubts = []  # a function was wanted, and is shown
        name = requested_name(draft.request, self._shell.user_ns)
        # What a candidate took for a label is no name for the result, which would pass for what stands under it.
        if name and name not in self._missing[1] and rehearsal.shape.kind in _VALUES:
            draft.code, named = give_name(draft.code, name, self._shell.user_ns)
            if named:
                draft.findings.append(named)
                draft.mended = True
                draft.bind = name
        rehearsal.doubts += data_doubts(draft.code, self._shell.user_ns)
        rehearsal.doubts += without_effect(draft.code, self._shell.user_ns, changes)

    def _inspect(self, draft: Draft) -> None:
        repairs: list[Finding] = []
        for _ in range(MENDINGS):
            draft.findings = inspect(draft.code, self._shell.user_ns, transform=self._shell.transform_cell)
            draft.code, more = mend(draft.code, draft.findings, self._shell.user_ns)
            if not more:
                break
            repairs += more
        if _does_nothing(draft.code):
            told = "It holds comments only: write the code."
            draft.findings.append(Finding(kind="syntax", severity="error", message=told))
        draft.mended = draft.mended or bool(repairs)
        draft.findings = called_later.told(draft.code, draft.findings)
        draft.findings += [*repairs, *data_notes(draft.code, self._shell.user_ns)]


def mend_after(draft: Draft, report: Rehearsal) -> bool:
    """Repair what only the run could show; whether there was anything. A label that is the same as text as the one that
    is not there takes its place, and names that take what a call gives in the wrong order are exchanged."""
    unknown, line = (report.error.unknown, report.error.line) if report.error else (None, None)
    repairs = [(edit.line, edit.start, edit.end, edit.text) for edit in report.edits]
    findings = [
        told(f"the names were written `{edit.text}`: {edit.why}", edit.line, edit.text) for edit in report.edits
    ]
    if unknown is not None and unknown.meant:
        repairs += [(line, start, end, unknown.meant) for line, start, end in unknown.places]
        findings.append(told(f"the label {unknown.written} was written {unknown.meant}", line, unknown.written))
    draft.code = edited(draft.code, {(line, start, end): text for line, start, end, text in repairs})
    draft.findings += findings
    draft.mended = draft.mended or bool(findings)
    return bool(findings)


def _does_nothing(code: str) -> bool:
    """Whether code has no statement: a small model may comment without end."""
    try:
        return not ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def _defines(code: str) -> bool:
    """Whether code that parses defines a function or a class."""
    return any(isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) for node in ast.parse(code).body)
