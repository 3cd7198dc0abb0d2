"""Steps on the schedule, the queue, and what was learned of how long things take."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from llmos_jupyter.protocol.base import Wire
from llmos_jupyter.protocol.task import Task


class Span(Wire):
    """Seconds since the epoch; `end` is None while it lasts."""

    start: float
    end: float | None = None


StepKind = Literal["generation", "run", "rehearsal", "kernel"]


StepState = Literal["waiting", "running", "paused", "done", "failed", "cancelled"]


class StepRecord(Wire):
    """One unit of a task that occupies one resource: where it ran and when, as planned and as it was.

    `generation`: the model writes; `run`: code in a worker; `rehearsal`, `kernel`: code in a copy of the notebook's
    kernel, or in the kernel. A step that gave way, or was paused, has several spans.
    """

    id: str
    task: str
    kind: StepKind
    resource: str = Field("", description="where it ran; empty until it starts")
    state: StepState = "waiting"
    session: str = ""
    priority: int = 0
    after: list[str] = Field(default_factory=list, description="steps it had to wait for")
    created: float
    planned: Span | None = Field(None, description="when it was last planned to run before it started")
    spans: list[Span] = Field(default_factory=list)
    predicted: float | None = Field(None, description="seconds, median")
    predicted_p90: float | None = None
    why: str = Field("", description="why it started when it did, or what it waits for")


class Queued(Wire):
    """A task that has not ended, and its step that waits or runs now. `more`: so many tasks wait that are not told."""

    task: Task
    step: StepRecord | None = None
    state: StepState = Field(description="of the task, in the word that people are shown")
    priority: int = Field(description="that holds now: a step's may differ from the one its task was given")
    why: str = ""
    more: int = 0

    @classmethod
    def of(cls, task: Task, step: StepRecord | None = None, why: str = "", more: int = 0) -> Queued:
        """A task with its step. A task that began and whose step waits for its turn waits; paused is what the user
        paused, whatever its step does meanwhile."""
        now = step.state if step and step.state in ("waiting", "running") and task.state != "paused" else task.state
        priority = step.priority if step else task.options.priority
        state: StepState = "waiting" if now == "accepted" else now
        return cls(task=task, step=step, state=state, priority=priority, why=why, more=more)


class Lesson(Wire):
    """What was learned of one kind of thing: how often it was seen, and how good the predictions were.

    Each was made before the thing came. Seconds; `error` is the median of |predicted - actual| / actual, `brier` the
    mean squared error of predicted success; `constant_` of the best constant, known in hindsight.
    """

    kind: str
    seen: int
    seconds: float | None = None
    success: float | None = None
    error: float | None = None
    constant_error: float | None = None
    within_p90: float | None = None
    brier: float | None = None
    constant_brier: float | None = None


class Priority(Wire):
    """A new priority for a task that waits."""

    priority: int = Field(ge=0, le=1000)


class Place(Wire):
    """Where a task that waits shall stand: before this one (its number or identifier), or last of all."""

    before: str | None = None
