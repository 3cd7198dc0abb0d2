"""The trace of a task in words: told by the daemon alone, and drawn by the side panel, an answer and `%llmos why`."""

from __future__ import annotations

from pydantic import Field

from llmos_jupyter.protocol.base import Wire
from llmos_jupyter.protocol.findings import Finding
from llmos_jupyter.protocol.task import Task


class Fold(Wire):
    """A longer text beneath a line, to be unfolded: what was sent, what came back, code, what it printed."""

    title: str
    text: str
    code: bool = Field(False, description="whether it is Python")
    left_out: int = Field(0, ge=0, description="characters at its end that are not told")


class StoryLine(Wire):
    """What one record of the trace says. In `what` and `facts`, what stands in backticks is code."""

    seconds: float = Field(ge=0, description="since the task was accepted")
    what: str
    facts: list[str] = Field(default_factory=list, description="what else is known of it, a line each")
    findings: list[Finding] = Field(default_factory=list, description="of an inspection")
    folds: list[Fold] = Field(default_factory=list)


class Story(Wire):
    """The trace of a task as people read it, bounded however long the trace is."""

    task: Task
    why: list[str] = Field(description="where each step ran, why then, what it waited for; a sentence or two each")
    lines: list[StoryLine] = Field(description="what happened, oldest first")
