"""What is looked at in the copy of the kernel, where a candidate's own variables still are."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from llmos_jupyter.agent.describe.secret_values import secrets_in, secrets_of
from llmos_jupyter.agent.hints.failing_line import failing_line
from llmos_jupyter.agent.hints.operands import MOMENT
from llmos_jupyter.agent.hints.unknown_name import unknown_name
from llmos_jupyter.agent.hints.unpacked import LONGEST, swapped
from llmos_jupyter.effects.copy.error_reports import Failing, Looks
from llmos_jupyter.protocol import Edit

# Seconds for what the notebook knows mostly already; the newest variables are looked at first.
LOOKING = 0.02


class LookOnly(Looks):
    """The values at the line that failed, and the name that is missing there, without running anything: for code that
    may do something outside."""

    @staticmethod
    def at_the_line(error: Exception, tb: TracebackType, code: str, line: int, seconds: float) -> Failing:
        return Failing(*failing_line(tb, code, line), unknown_name(error, tb.tb_frame, code, line))

    @staticmethod
    def secrets(namespace: Mapping[str, Any], value: object) -> dict[str, str]:
        return secrets_of("", value) | secrets_in(namespace, LOOKING)


class LookForHints(LookOnly):
    """The same, and what parts of the line gave that have no name, and names that took each other's parts: these are
    worked out once more, in a copy that can do nothing outside and ends with the run."""

    @staticmethod
    def at_the_line(error: Exception, tb: TracebackType, code: str, line: int, seconds: float) -> Failing:
        values, function = failing_line(tb, code, line, again=seconds < MOMENT)
        return Failing(values, function, unknown_name(error, tb.tb_frame, code, line))

    @staticmethod
    def after(code: str, namespace: Mapping[str, Any], seconds: float) -> list[Edit]:
        return swapped(code, namespace) if seconds < LONGEST else []
