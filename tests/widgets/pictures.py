"""Tasks, steps and samples as the daemon tells them, for drawing."""

from __future__ import annotations

from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Any

from llmos_jupyter.protocol import Options, Queued, Sample, Session, Span, StepRecord, Task, TaskState
from llmos_jupyter.widgets.step_words import TaskName

NOW = 1_700_000_000.0
HOSTILE = "<img src=x onerror=alert(1)> & </td></table><script>alert(2)</script>"
RTL = "احسب المتوسط لكل عمود"


def queued(number: int, text: str = "x", state: TaskState = "running", why: str = "", more: int = 0) -> Queued:
    session = Session(id="s", pid=1, started=0.0)
    task = Task(
        id=f"{number:032x}", number=number, kind="run", text=text, options=Options(), session=session, state=state,
        created=NOW - 42, updated=NOW,
    )  # fmt: skip
    record = step(number, state="waiting" if state == "accepted" else "running", planned=(20, 30), priority=50)
    return Queued.of(task, record, why, more)


def step(
    number: int,
    *spans: tuple[float, float | None],
    planned: tuple[float, float] | None = None,
    resource: str = "workers",
    **given: Any,
) -> StepRecord:
    """A step with times relative to NOW."""
    return StepRecord(
        id=f"step{number}",
        task=f"{number:032x}",
        kind=given.pop("kind", "run"),
        resource=resource if spans else "",
        state=given.pop("state", "done" if spans else "waiting"),
        created=NOW + (spans[0][0] if spans else 0),
        planned=Span(start=NOW + planned[0], end=NOW + planned[1]) if planned else None,
        spans=[Span(start=NOW + a, end=None if b is None else NOW + b) for a, b in spans],
        **given,
    )


def names(steps: Sequence[StepRecord], text: str = "x") -> dict[str, TaskName | None]:
    return {one.task: TaskName(int(one.task, 16), text) for one in steps}


def sample(at: float, cores: Sequence[float] = (10.0, 30.0), **given: Any) -> Sample:
    return Sample(at=NOW + at, cores=list(cores), memory_used=4_000_000_000, memory_total=16_000_000_000, **given)


class Tags(HTMLParser):
    """The tags and the text of a piece of HTML."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data
