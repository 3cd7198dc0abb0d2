"""What the schedule says of a step: its times as stretches, and all there is to say of it in words.

The side panel has the same words in `labextension/src/components/gantt-words.ts`; `tests/data/views.json` holds both to
them. None of them changes while a step goes on, so that a drawing of many steps is not sent anew every second.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from llmos_jupyter.protocol import StepKind, StepRecord, StepState
from llmos_jupyter.units import seconds, shortened

KINDS: dict[StepKind, str] = {
    "generation": "the model writes",
    "run": "code in a worker",
    "rehearsal": "code tried in the sandbox",
    "kernel": "code in the notebook",
}
SIGNS: dict[StepState, str] = {
    "waiting": "…", "running": "▶", "paused": "‖", "done": "✓", "failed": "✕", "cancelled": "⊘",
}  # fmt: skip
# States of what will not go on.
OVER = frozenset({"done", "failed", "cancelled"})


class TaskName(NamedTuple):
    """What is known of a task besides its identifier."""

    number: int
    text: str


class Stretch(NamedTuple):
    """A stretch of time in seconds since the epoch. `open`: it still lasts, and ends with now."""

    start: float
    end: float
    open: bool = False


def stretches(step: StepRecord, now: float) -> list[Stretch]:
    """When a step ran. What ended without anybody having seen when, or before it began, is a moment."""
    found = []
    for span in sorted(step.spans, key=lambda span: span.start):
        goes_on = span.end is None and step.state not in OVER
        end = now if goes_on else span.start if span.end is None else span.end
        found.append(Stretch(span.start, max(span.start, end), goes_on))
    return found


def plan_of(step: StepRecord) -> Stretch | None:
    """When a step was last planned to run."""
    if step.planned is None:
        return None
    start, end = step.planned.start, step.planned.end
    return Stretch(start, max(start, start + (step.predicted or 0.0) if end is None else end))


def task_name(step: StepRecord, tasks: Mapping[str, TaskName | None]) -> str:
    """`Task 7`, or what there is of its identifier."""
    task = tasks.get(step.task)
    return f"Task {task.number if task else step.task[:8] or 'unknown'}"


def describe(
    step: StepRecord, tasks: Mapping[str, TaskName | None], steps: Mapping[str, StepRecord], now: float
) -> tuple[str, ...]:
    """All there is to say of a step, a line each: what it is, why, how long, when, after what. `steps`: by identifier,
    those that it may have waited for."""
    place = f" on {step.resource}" if step.resource else ""
    task = tasks.get(step.task)
    lines = [
        f"{task_name(step, tasks)}: {KINDS[step.kind]}{place}, {step.state}",
        shortened(task.text, 100) if task else "",
        shortened(step.why, 400),
        _lengths(step, stretches(step, now)),
        *_times(step, stretches(step, now)),
        _after(step, tasks, steps),
    ]
    return tuple(line for line in lines if line)


def _lengths(step: StepRecord, ran: Sequence[Stretch]) -> str:
    said = "No prediction"
    if step.predicted is not None:
        within = f" (9 of 10 within {seconds(step.predicted_p90)})" if step.predicted_p90 is not None else ""
        said = f"Predicted {seconds(step.predicted)}{within}"
    took = f", took {seconds(sum(part.end - part.start for part in ran))}" if ran and not ran[-1].open else ""
    return f"{said}{took}."


def _times(step: StepRecord, ran: Sequence[Stretch]) -> list[str]:
    lines = []
    if plan := plan_of(step):
        late = ran[0].start - plan.start if ran else 0.0
        began = ", began as planned" if abs(late) < 0.5 else f", began {seconds(abs(late))} "
        began += "" if abs(late) < 0.5 else "later" if late > 0 else "earlier"
        lines.append(f"Planned {clock(plan.start)} to {clock(plan.end)}{began if ran else ''}.")
    if ran:
        end = "goes on" if ran[-1].open else f"ended {clock(ran[-1].end)}"
        wait = ran[0].start - step.created
        waited = "at once" if wait < 0.05 else f"after {seconds(wait)} of waiting"
        lines.append(f"Began {clock(ran[0].start)} {waited}, {end}.")
    else:
        lines.append("It never began." if step.state in OVER else f"Waits since {clock(step.created)}.")
    if len(ran) > 1:
        away = sum(max(0.0, after.start - before.end) for before, after in itertools.pairwise(ran))
        times = "once" if len(ran) == 2 else f"{len(ran) - 1} times"
        lines.append(f"Gave way or was paused {times}, for {seconds(away)}.")
    return lines


def _after(step: StepRecord, tasks: Mapping[str, TaskName | None], steps: Mapping[str, StepRecord]) -> str:
    after = list(dict.fromkeys(step.after))
    named = []
    for name in after[:5]:
        before = steps.get(name)
        kind = f"{task_name(before, tasks).lower()} ({KINDS[before.kind]})" if before else "a step not shown here"
        named.append(kind)
    more = f" and {len(after) - 5} more" if len(after) > 5 else ""
    return f"After {', '.join(dict.fromkeys(named))}{more}." if after else ""


def clock(moment: float) -> str:
    """A moment as time of day."""
    return time.strftime("%H:%M:%S", time.localtime(moment))
