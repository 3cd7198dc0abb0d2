"""A request and the task it becomes, with its options and the notebook it comes from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from llmos_jupyter.protocol.base import Wire

Mode = Literal["auto", "ask", "show"]


Preference = Literal["fast", "balanced", "best"]


TaskState = Literal["accepted", "running", "paused", "done", "failed", "cancelled"]


OPEN_STATES: tuple[TaskState, ...] = ("accepted", "running", "paused")


FINAL_STATES: frozenset[str] = frozenset({"done", "failed", "cancelled"})


# Priority classes: any number from 0 on will do, and more is earlier.
INTERACTIVE, NORMAL, LOW = 100, 50, 0
PRIORITIES = {"interactive": INTERACTIVE, "normal": NORMAL, "low": LOW}


def priority_name(priority: int) -> str:
    """A priority as people write it: the name of a class, else the number."""
    return next((name for name, number in PRIORITIES.items() if number == priority), str(priority))


class Options(Wire):
    """The options of a request, after defaults were filled in."""

    mode: Mode = "auto"
    model: str = "auto"
    retries: int | None = Field(None, ge=0, le=10, description="None: the daemon's strategy decides")
    candidates: int | None = Field(None, ge=1, le=16, description="None: the strategy, and then the loop, decides")
    fresh: bool = Field(False, description="ask the model even if the answer is recorded")
    timeout: float = Field(
        600.0,
        gt=0,
        description="seconds until the model has written the answer; the time that code runs is not counted",
    )
    max_tokens: int = Field(600, ge=1, le=32768)
    temperature: float = Field(0.0, ge=0, le=2)
    seed: int | None = None
    context: bool = True
    use: list[str] = Field(default_factory=list)
    # Of background tasks:
    background: bool = Field(False, description="in a worker, while the notebook goes on")
    priority: int = Field(
        NORMAL, ge=0, le=1000, description="its class: interactive 100, normal 50, low 0, or any number"
    )
    deadline: float | None = Field(None, gt=0, description="seconds from now by which it should have ended")
    after: list[str] = Field(default_factory=list, description="numbers of tasks that must have ended well before")
    cores: int = Field(1, ge=1)
    memory_bytes: int | None = Field(None, gt=0, description="what it may use at the most")
    gpus: int = Field(0, ge=0, le=1000)
    on: str = Field("", max_length=100, description="the resource to run on: workers, cluster; empty: as is usual")


class Session(Wire):
    """The notebook a request comes from."""

    id: str
    notebook: str = ""
    pid: int
    started: float = Field(description="start of the kernel's process, as `processes.started` tells it")
    cell: str = Field("", max_length=200, description="the cell the request stands in, as Jupyter names it")


class Request(Wire):
    """What the user wrote, with its options. The identifier is the client's, so a request that is sent
    again after a crash is not a second task. `ask`: words for the model; `run`: Python for a worker."""

    kind: Literal["ask", "run"] = "ask"
    id: str = Field(pattern=r"^[0-9a-f]{32}$")
    text: str = Field(min_length=1, max_length=200_000)
    options: Options = Field(default_factory=Options)
    session: Session


FeedbackKind = Literal["", "up", "down", "undone", "edited"]


class Task(Wire):
    """A request the daemon has accepted."""

    id: str
    number: int = Field(description="the short number shown to the user")
    kind: Literal["ask", "run"] = "ask"
    text: str
    options: Options
    session: Session
    state: TaskState
    reason: str = ""
    created: float
    updated: float
    feedback: FeedbackKind = Field("", description="what the user thinks of the answer, as far as they said")

    @property
    def in_background(self) -> bool:
        """Whether it runs in a worker, and not in its notebook's kernel."""
        return self.kind == "run" or self.options.background


class Feedback(Wire):
    """A thumb, or "" to take it back."""

    feedback: Literal["", "up", "down"]
