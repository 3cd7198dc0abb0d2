"""What ran where and when, planned against actual, arranged for drawing: bars in lanes, lines between them.

A lane is a resource, or the second, third, ... that ran on it at once. A step keeps its lane while it is shown, so that
nothing jumps and only what changed is sent.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from llmos_jupyter.protocol import StepKind, StepRecord

# Seconds of the past that are shown, and bars at most.
PAST, LIMIT = 600.0, 300
# Of one resource; what runs beside more than so many is drawn over the last.
LANES = 12
KINDS: dict[StepKind, str] = {
    "generation": "the model writes",
    "run": "code in a worker",
    "rehearsal": "rehearsal",
    "kernel": "code in the notebook",
}
# Where a step that waits will run, as long as none of its kind has been seen.
_PLACES: dict[StepKind, str] = {
    "generation": "model", "run": "workers", "rehearsal": "notebook", "kernel": "notebook",
}  # fmt: skip
_MARKS = {"failed": " ✕", "cancelled": " ✕", "paused": " ∥"}


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
    places: Mapping[str, str] = field(default_factory=dict)

    @property
    def busy(self) -> bool:
        """Whether something runs or is planned, so that time is worth watching."""
        return any(bar.open or (bar.planned and bar.end > self.now) for bar in self.bars)


def arrange(
    steps: Sequence[StepRecord],
    names: Mapping[str, str],
    now: float,
    places: Mapping[str, str] | None = None,
    limit: int = LIMIT,
) -> Gantt:
    """Arrange steps. `names`: what tasks are called, by identifier; `now`: by the daemon's clock; `places`: where
    steps stood before."""
    shown = _choose(steps, now, limit)
    resources = _resources(shown)
    placed = _place(shown, resources, now, places or {})
    bars: list[Bar] = []
    breaks: list[Line] = []
    for step in shown:
        lane = placed[step.id]
        bars += _bars(step, lane, names.get(step.task, ""), now)
        for before, after in zip(step.spans, step.spans[1:], strict=False):
            breaks.append(Line(before.end or before.start, lane, after.start, lane))
    order = {resource: rank for rank, resource in enumerate(sorted(set(resources.values())))}
    lanes = sorted(set(placed.values()), key=lambda lane: (order[_resource(lane)], len(lane), lane))
    return Gantt(now, tuple(lanes), tuple(bars), tuple(_dependencies(shown, placed, now)), tuple(breaks), placed)


def _choose(steps: Iterable[StepRecord], now: float, limit: int) -> list[StepRecord]:
    """What runs, then what is planned soonest, then what ended last; in the order of their arrival."""
    running = [s for s in steps if s.spans and s.spans[-1].end is None]
    broken = [s for s in steps if s.spans and s.spans[-1].end is not None and s.state in ("waiting", "paused")]
    planned = [s for s in steps if not s.spans and s.planned is not None and s.state == "waiting"]
    ended = [
        s for s in steps if s.spans and s.state not in ("waiting", "paused") and (s.spans[-1].end or 0) > now - PAST
    ]
    ended = [s for s in ended if s.spans[-1].end is not None]
    planned.sort(key=lambda s: s.planned.start if s.planned else 0.0)
    ended.sort(key=lambda s: -(s.spans[-1].end or 0.0))
    chosen: list[StepRecord] = []
    left = limit
    for step in [*running, *broken, *planned[: limit // 3], *ended]:
        left -= len(step.spans) + (step.planned is not None)
        if left < 0:
            break
        chosen.append(step)
    return sorted(chosen, key=lambda s: (s.created, s.id))


def _resources(steps: Sequence[StepRecord]) -> dict[str, str]:
    """Where each step runs; of those that wait, where one of their kind ran last."""
    last: dict[StepKind, str] = {step.kind: step.resource for step in steps if step.resource}
    return {step.id: step.resource or last.get(step.kind, _PLACES[step.kind]) for step in steps}


def _place(
    steps: Sequence[StepRecord], resources: Mapping[str, str], now: float, before: Mapping[str, str]
) -> dict[str, str]:
    """A lane for each step: the one it had, or the first that is free for all of its time."""
    taken: dict[str, list[tuple[float, float]]] = defaultdict(list)
    placed: dict[str, str] = {}
    times = {step.id: _extent(step, now) for step in steps}
    # Those that had a place first, so that a new one does not take it.
    for step in sorted(steps, key=lambda s: (s.id not in before, times[s.id][0])):
        resource, (start, end) = resources[step.id], times[step.id]
        lanes = [_lane(resource, number) for number in range(1, LANES + 1)]
        if (kept := before.get(step.id, "")) in lanes:
            lanes = [kept, *lanes]
        free = (lane for lane in lanes if all(end <= a or start >= b for a, b in taken[lane]))
        lane = next(free, lanes[-1])
        taken[lane].append((start, end))
        placed[step.id] = lane
    return placed


def _lane(resource: str, number: int) -> str:
    return resource if number == 1 else f"{resource} ({number})"


def _resource(lane: str) -> str:
    head, bracket, tail = lane.rpartition(" (")
    return head if bracket and tail.rstrip(")").isdigit() else lane


def _extent(step: StepRecord, now: float) -> tuple[float, float]:
    """The time for which a step has its lane: that of its runs, or before the first that of its plan. What was planned
    of one that runs is drawn in the same lane, and may overlap with others' plans: they were made at other times."""
    if not step.spans:
        planned = step.planned
        return (planned.start, planned.end or planned.start) if planned else (now, now)
    return step.spans[0].start, step.spans[-1].end or now


def _bars(step: StepRecord, lane: str, name: str, now: float) -> Iterable[Bar]:
    failed = step.state in ("failed", "cancelled")
    number = name.partition(" ")[0]
    for index, span in enumerate(step.spans):
        open_ = span.end is None
        end = span.end if span.end is not None else max(now, span.start)
        label = number + (_MARKS.get(step.state, "") if index == len(step.spans) - 1 else "")
        about = (name, f"{KINDS[step.kind]} on {step.resource}: {step.state}", *_times(step, index), step.why)
        yield Bar(step.id, lane, step.kind, False, span.start, end, open_, label, failed, _lines(about))
    if step.planned is not None and step.planned.end is not None:
        about = (f"planned: {name}", KINDS[step.kind], *_plan(step), step.why)
        yield Bar(
            step.id, lane, step.kind, True, step.planned.start, step.planned.end, False, number, False, _lines(about)
        )


def _times(step: StepRecord, index: int) -> list[str]:
    span = step.spans[index]
    part = f", part {index + 1} of {len(step.spans)}" if len(step.spans) > 1 else ""
    if span.end is None:
        said = [f"since {_clock(span.start)}{part}"]
    else:
        said = [f"{_clock(span.start)} to {_clock(span.end)}, {span.end - span.start:.1f} s{part}"]
    return [*said, *_plan(step)]


def _plan(step: StepRecord) -> list[str]:
    said = []
    if step.planned is not None and step.planned.end is not None:
        said.append(f"planned {_clock(step.planned.start)} to {_clock(step.planned.end)}")
    if step.predicted is not None:
        within = f", 9 of 10 within {step.predicted_p90:.1f} s" if step.predicted_p90 is not None else ""
        said.append(f"predicted {step.predicted:.1f} s{within}")
    return said


def _lines(about: Iterable[str]) -> tuple[str, ...]:
    return tuple(line[:160] for line in about if line)


def _clock(moment: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(moment))


def _dependencies(steps: Sequence[StepRecord], placed: Mapping[str, str], now: float) -> Iterable[Line]:
    """From the end of a step to the start of one that had to wait for it."""
    known = {step.id: step for step in steps}
    for step in steps:
        begins = step.spans[0].start if step.spans else step.planned.start if step.planned else None
        for name in step.after:
            if name in known and begins is not None:
                yield Line(min(_extent(known[name], now)[1], begins), placed[name], begins, placed[step.id])
