"""What ran where and when, planned against actual, arranged for drawing: bars in lanes, lines between them.

A row is a resource; a lane of it is the first, second, third, ... that ran on it at once. A step keeps its lane while
it is shown, so that nothing jumps and only what changed is sent. The side panel lays out the same rows and lanes in
`labextension/src/components/gantt-layout.ts`; `tests/data/views.json` holds both to them.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from llmos_jupyter.protocol import StepKind, StepRecord
from llmos_jupyter.widgets.step_words import OVER, SIGNS, Stretch, TaskName, describe, plan_of, stretches

# Seconds of the past that are shown, and bars at most.
PAST, LIMIT = 600.0, 300
# Of one resource; what runs beside more than so many is drawn over the last.
LANES = 12
# The row of what has no place yet.
NO_PLACE = "no place yet"
# Where a step that waits will run, as long as none of its kind has been seen.
_PLACES: dict[StepKind, str] = {"generation": "engine", "run": "workers"}
# The engine first, then workers, cluster, GPUs, kernels, whatever else there is; last what has no place.
_RANKS = tuple(map(re.compile, ("engine", "workers|this machine", "cluster", "gpu|cuda|metal", "kernel")))
# Seconds that a moment takes up in its lane: two of the same moment would hide each other.
_MOMENT = 1e-3


class Lane(NamedTuple):
    """A lane of a row; numbers begin with 1."""

    row: str
    number: int

    @property
    def name(self) -> str:
        return self.row if self.number == 1 else f"{self.row} ({self.number})"

    @property
    def order(self) -> tuple[int, str, int]:
        found = (rank for rank, pattern in enumerate(_RANKS) if pattern.match(self.row.lower()))
        return len(_RANKS) + 1 if self.row == NO_PLACE else next(found, len(_RANKS)), self.row, self.number


@dataclass(frozen=True)
class Bar:
    """One span. Seconds since the epoch; `open`: it lasts, and ends now. `about`: lines for the hover."""

    step: str
    lane: str
    kind: StepKind
    planned: bool
    start: float
    end: float
    open: bool
    label: str
    failed: bool
    about: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """From a moment in a lane to a moment in a lane."""

    start: float
    lane: str
    end: float
    to: str


@dataclass(frozen=True)
class Gantt:
    """What is drawn. `places`: the lane of each step, for the next arrangement."""

    now: float = 0.0
    lanes: tuple[str, ...] = ()
    bars: tuple[Bar, ...] = ()
    dependencies: tuple[Line, ...] = ()
    breaks: tuple[Line, ...] = ()
    places: Mapping[str, Lane] = field(default_factory=dict)

    @property
    def busy(self) -> bool:
        """Whether something runs or is planned, so that time is worth watching."""
        return any(bar.open or (bar.planned and bar.end > self.now) for bar in self.bars)


def arrange(
    steps: Sequence[StepRecord],
    names: Mapping[str, TaskName | None],
    now: float,
    places: Mapping[str, Lane] | None = None,
    limit: int = LIMIT,
) -> Gantt:
    """Arrange steps. `names`: what tasks are called, by identifier; `now`: by the daemon's clock; `places`: where
    steps stood before."""
    shown = _choose(steps, now, limit)
    placed = _place(shown, _rows(shown), now, places or {})
    known = {step.id: step for step in shown}
    bars: list[Bar] = []
    breaks: list[Line] = []
    for step in shown:
        lane = placed[step.id].name
        ran = stretches(step, now)
        bars += _bars(step, lane, ran, names.get(step.task), describe(step, names, known, now))
        breaks += (Line(before.end, lane, after.start, lane) for before, after in itertools.pairwise(ran))
    lanes = sorted(set(placed.values()), key=lambda lane: lane.order)
    lines = tuple(_dependencies(shown, placed, now))
    return Gantt(now, tuple(lane.name for lane in lanes), tuple(bars), lines, tuple(breaks), placed)


def _choose(steps: Iterable[StepRecord], now: float, limit: int) -> list[StepRecord]:
    """What runs, then what is planned soonest, then what ended last; in the order of their arrival."""
    running = [s for s in steps if s.spans and s.state not in OVER and s.spans[-1].end is None]
    broken = [s for s in steps if s.spans and s.state not in OVER and s.spans[-1].end is not None]
    planned = [s for s in steps if not s.spans and s.planned is not None and s.state == "waiting"]
    ended = [s for s in steps if s.spans and s.state in OVER and _extent(s, now)[1] > now - PAST]
    planned.sort(key=lambda s: s.planned.start if s.planned else 0.0)
    ended.sort(key=lambda s: -_extent(s, now)[1])
    chosen: list[StepRecord] = []
    left = limit
    for step in [*running, *broken, *planned[: limit // 3], *ended]:
        left -= len(step.spans) + (step.planned is not None)
        if left < 0:
            break
        chosen.append(step)
    return sorted(chosen, key=lambda s: (s.created, s.id))


def _rows(steps: Sequence[StepRecord]) -> dict[str, str]:
    """Where each step runs; of those that wait, where the newest of their kind ran."""
    newest = sorted(steps, key=lambda step: step.created)
    last = _PLACES | {step.kind: step.resource for step in newest if step.resource}
    return {step.id: step.resource or last.get(step.kind, NO_PLACE) for step in steps}


def _place(
    steps: Sequence[StepRecord], rows: Mapping[str, str], now: float, before: Mapping[str, Lane]
) -> dict[str, Lane]:
    """A lane for each step: the one it had, or the first that is free for all of its time."""
    taken: dict[Lane, list[tuple[float, float]]] = defaultdict(list)
    placed: dict[str, Lane] = {}
    times = {step.id: _extent(step, now) for step in steps}
    # Those that had a place first, so that a new one does not take it.
    for step in sorted(steps, key=lambda s: (s.id not in before, times[s.id][0], s.created)):
        start, end = times[step.id]
        end = max(end, start + _MOMENT)
        lanes = [Lane(rows[step.id], number) for number in range(1, LANES + 1)]
        if (kept := before.get(step.id)) in lanes:
            lanes = [kept, *lanes]
        free = (lane for lane in lanes if all(end <= a or start >= b for a, b in taken[lane]))
        lane = next(free, lanes[-1])
        taken[lane].append((start, end))
        placed[step.id] = lane
    return placed


def _extent(step: StepRecord, now: float) -> tuple[float, float]:
    """The time for which a step has its lane: that of its runs, or before the first that of its plan. What was planned
    of one that runs is drawn in the same lane, and may overlap with others' plans: they were made at other times."""
    if ran := stretches(step, now):
        return ran[0].start, ran[-1].end
    plan = plan_of(step)
    return (plan.start, plan.end) if plan else (now, now)


def _bars(
    step: StepRecord, lane: str, ran: Sequence[Stretch], task: TaskName | None, about: tuple[str, ...]
) -> Iterable[Bar]:
    failed = step.state in ("failed", "cancelled")
    number = str(task.number) if task else ""
    # What runs or has ended well needs no sign: it is seen.
    sign = f" {SIGNS[step.state]}" if failed or step.state == "paused" else ""
    for index, part in enumerate(ran):
        label = number + (sign if index == len(ran) - 1 else "")
        yield Bar(step.id, lane, step.kind, False, part.start, part.end, part.open, label, failed, about)
    if plan := plan_of(step):
        yield Bar(step.id, lane, step.kind, True, plan.start, plan.end, False, number, False, about)


def _dependencies(steps: Sequence[StepRecord], placed: Mapping[str, Lane], now: float) -> Iterable[Line]:
    """From the end of a step to the start of one that had to wait for it."""
    known = {step.id: step for step in steps}
    for step in steps:
        begins = step.spans[0].start if step.spans else step.planned.start if step.planned else None
        for name in step.after:
            if name in known and begins is not None:
                yield Line(min(_extent(known[name], now)[1], begins), placed[name].name, begins, placed[step.id].name)
