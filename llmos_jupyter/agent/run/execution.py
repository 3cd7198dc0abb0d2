"""The real run: in the user's shell, under the user's own display machinery."""

from __future__ import annotations

import time
import traceback
from typing import TYPE_CHECKING

from llmos_jupyter.agent.hints.looks import LookOnly
from llmos_jupyter.effects.copy.error_reports import error_report
from llmos_jupyter.effects.copy.nested import run_nested
from llmos_jupyter.protocol import ErrorReport, Run

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def execute(code: str, shell: InteractiveShell) -> Run:
    """Run code as if the user had typed it; results and tracebacks appear by themselves."""
    started = time.monotonic()
    result = run_nested(shell, code)
    seconds = time.monotonic() - started
    error = result.error_before_exec or result.error_in_exec
    if error is None:
        return Run(status="ok", seconds=seconds)
    interrupted = isinstance(error, KeyboardInterrupt)
    return Run(status="interrupted" if interrupted else "failed", error=_report(error, code, shell), seconds=seconds)


def _report(error: BaseException, code: str, shell: InteractiveShell) -> ErrorReport:
    # The first frame in the user's namespace is the candidate itself.
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_globals is shell.user_ns)
    own = next(frames, None)
    return error_report(error, code, [own.f_code.co_filename] if own else [], LookOnly)
