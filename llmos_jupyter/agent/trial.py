"""What a candidate goes through before it may run: inspected and mended, rehearsed, compared with the request."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from llmos_jupyter.agent.answers import Mismatch, mismatches
from llmos_jupyter.agent.context import NotebookContext
from llmos_jupyter.agent.drafts import Draft
from llmos_jupyter.agent.events import AgentEvent, Inspected, Rehearsed, Rehearsing
from llmos_jupyter.agent.inspection import column_hints, inspect
from llmos_jupyter.agent.inspection.mending import mend
from llmos_jupyter.agent.inspection.recreated import drop_recreated
from llmos_jupyter.agent.inspection.result_name import give_name, requested_name, spell_columns
from llmos_jupyter.agent.rehearsal import rehearse
from llmos_jupyter.protocol import Finding, InspectionRecord, Record, RehearsalRecord, Task

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

# Mending one thing can lay another bare: a column in two steps of a chain.
MENDINGS = 3

Steps = Generator[AgentEvent, "bool | None", None]


class Trial:
    """Tries candidates in one notebook, leaving it untouched. `budget`: seconds that a rehearsal may take."""

    def __init__(
        self,
        shell: InteractiveShell,
        context: NotebookContext,
        record: Callable[[Task, Record], None],
        budget: float,
    ) -> None:
        self._shell = shell
        self._context = context
        self._record = record
        self._budget = budget

    def attempt(
        self, task: Task, draft: Draft, deadline: float, *, quiet: bool = False, known: Sequence[Draft] = ()
    ) -> Steps:
        """Inspect and mend, then rehearse. What is not even Python is not rehearsed; the same code not twice."""
        self._inspect(draft)
        index = draft.candidate.index
        self._record(task, InspectionRecord(round=draft.round, index=index, code=draft.code, findings=draft.findings))
        if not quiet:
            yield Inspected(draft.findings, draft.code)
        if any(finding.kind == "syntax" for finding in draft.findings):
            return
        same = next((old for old in known if old.code == draft.code), None)
        if same is not None:
            draft.rehearsal, draft.mismatches = same.rehearsal, same.mismatches
            return
        if not quiet:
            yield Rehearsing()
        harmless = not any(finding.capability for finding in draft.findings)
        draft.rehearsal = rehearse(draft.code, self._shell, budget_seconds=self._left(deadline), unlocked=harmless)
        misfit = self._compare(draft)
        self._record(task, RehearsalRecord(round=draft.round, index=index, code=draft.code, rehearsal=draft.rehearsal))
        if misfit and self.fit(task, draft, misfit, deadline) and not quiet:
            yield Inspected(draft.findings, draft.code)
        if not quiet:
            yield Rehearsed(draft.rehearsal)

    def fit(self, task: Task, draft: Draft, misfit: Mismatch, deadline: float) -> bool:
        """Put code that fits the request into the draft's place, if it works and leaves fewer doubts."""
        fitted = replace(draft, code=misfit.instead, mended=True, mismatches=[])
        self._inspect(fitted)
        if fitted.problems or any(finding.capability for finding in fitted.findings):
            return False
        fitted.rehearsal = rehearse(fitted.code, self._shell, budget_seconds=self._left(deadline), unlocked=True)
        self._compare(fitted)
        if not fitted.works or len(fitted.doubts) >= len(draft.doubts):
            return False
        told = f"Mended without the model: {misfit.told}"
        kept = [finding for finding in draft.findings if finding.kind == "mended"]
        draft.findings = [*fitted.findings, *kept, Finding(kind="mended", severity="note", message=told)]
        draft.code, draft.rehearsal, draft.mended = fitted.code, fitted.rehearsal, True
        draft.mismatches = fitted.mismatches
        again = {"round": draft.round, "index": draft.candidate.index, "code": draft.code}
        self._record(task, InspectionRecord(**again, findings=draft.findings))
        self._record(task, RehearsalRecord(**again, rehearsal=draft.rehearsal))
        return True

    def failure(self, failed: Draft) -> list[str]:
        """What made a candidate fail, and what the live objects say of it; nothing for one that works."""
        if failed.works:
            return []
        error = [f"{failed.error.type}: {failed.error.message}"] if failed.error else []
        return [*self.hints(failed), *failed.problems, *error]

    def hints(self, draft: Draft) -> list[str]:
        """What the live objects say of a failure."""
        if not draft.error:
            reason = draft.rehearsal.reason if draft.rehearsal else ""
            return [reason] if reason else []
        return column_hints(draft.error.type, draft.error.message, self._shell.user_ns, draft.code)

    def _left(self, deadline: float) -> float:
        return max(0.1, min(self._budget, deadline - time.monotonic()))

    def _compare(self, draft: Draft) -> Mismatch | None:
        """Doubt a result that does not fit the request; returns the mismatch of which is certain what would fit."""
        if draft.rehearsal is None or draft.rehearsal.status != "passed":
            return None
        rehearsal, answers = draft.rehearsal, self._context.answers
        found = mismatches(draft.request, draft.code, rehearsal.shape, self._shell.user_ns, rehearsal.changes, answers)
        draft.mismatches = [mismatch.told for mismatch in found]
        draft.rehearsal.doubts += draft.mismatches
        return next((mismatch for mismatch in found if mismatch.instead), None)

    def _inspect(self, draft: Draft) -> None:
        draft.code, kept = drop_recreated(draft.code, draft.request, self._shell.user_ns)
        repairs = [kept]
        for _ in range(MENDINGS):
            draft.findings = inspect(draft.code, self._shell.user_ns, transform=self._shell.transform_cell)
            draft.code, more = mend(draft.code, draft.findings, self._shell.user_ns)
            if not more:
                break
            repairs += more
        draft.code, spelt = spell_columns(draft.code, draft.request, self._shell.user_ns)
        repairs.append(spelt)
        if name := requested_name(draft.request, self._shell.user_ns):
            draft.code, named = give_name(draft.code, name, self._shell.user_ns)
            repairs.append(named)
        made = [finding for finding in repairs if finding]
        draft.mended = draft.mended or bool(made)
        draft.findings += made
