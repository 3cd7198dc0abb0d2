"""The real run: in the user's shell, under the user's own display machinery."""

from __future__ import annotations

import time
import traceback
from typing import TYPE_CHECKING, Any

from llmos_jupyter.agent.describe.variables import user_variables
from llmos_jupyter.agent.hints.error_reports import error_report
from llmos_jupyter.agent.rehearsal.nested import run_nested
from llmos_jupyter.protocol import ErrorReport, NameChange, Run

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def execute(code: str, shell: InteractiveShell, foreseen: list[NameChange]) -> Run:
    """Run code as if the user had typed it; results and tracebacks appear by themselves.

    Names created, rebound and deleted are seen here; what was changed in place is taken from the rehearsal, which alone
    has a copy to compare with.
    """
    before = _names(shell)
    started = time.monotonic()
    result = run_nested(shell, code)
    seconds = time.monotonic() - started
    error = result.error_before_exec or result.error_in_exec
    changes = _changes(before, _names(shell), foreseen)
    if error is None:
        return Run(status="ok", changes=changes, seconds=seconds)
    interrupted = isinstance(error, KeyboardInterrupt)
    return Run(
        status="interrupted" if interrupted else "failed",
        error=_report(error, code, shell),
        changes=changes,
        seconds=seconds,
    )


def _names(shell: InteractiveShell) -> dict[str, Any]:
    return user_variables(shell.user_ns, shell.user_ns_hidden)


def _changes(before: dict[str, Any], after: dict[str, Any], foreseen: list[NameChange]) -> list[NameChange]:
    told = {change.name: change for change in foreseen}
    changes = []
    for name, value in after.items():
        known = told.get(name)
        kind = type(value).__name__
        if name not in before:
            changes.append(NameChange(name=name, kind="created", type=known.type if known else kind))
        elif before[name] is not value:
            detail = known.detail if known else ""
            changes.append(NameChange(name=name, kind="rebound", type=known.type if known else kind, detail=detail))
        elif known and known.kind == "mutated":
            changes.append(known)
    changes += [NameChange(name=name, kind="deleted") for name in before if name not in after]
    return changes


def _report(error: BaseException, code: str, shell: InteractiveShell) -> ErrorReport:
    # The first frame in the user's namespace is the candidate itself.
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_globals is shell.user_ns)
    own = next(frames, None)
    return error_report(error, code, [own.f_code.co_filename] if own else [])
