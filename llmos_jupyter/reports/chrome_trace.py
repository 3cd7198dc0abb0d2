"""Steps as a Chrome trace, which https://ui.perfetto.dev and chrome://tracing open.

Two tracks of processes: what happened, and what was planned. A thread is one lane of a resource: steps that overlap
take lanes beside each other. Format: the Trace Event Format's JSON object with `X`, `M`, `s`, `f` and `i` events, times
in microseconds.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from llmos_jupyter.protocol import Span, StepRecord

ACTUAL, PLANNED = 1, 2
_PROCESSES = {ACTUAL: "what ran", PLANNED: "as planned"}


def chrome_trace(steps: Sequence[StepRecord], names: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The trace of these steps. `names`: what tasks are called, by identifier; else their identifiers are shown."""
    events: list[dict[str, Any]] = []
    lanes = _Lanes(events)
    called = names or {}
    now = time.time()
    places: dict[str, tuple[int, float, float]] = {}
    for step, span, last in sorted(_spans(steps), key=lambda one: one[1].start):
        end = span.end if span.end is not None else now
        lane = lanes.place(ACTUAL, step.resource or "nowhere", span.start, end)
        events.append(_slice(step, called, ACTUAL, lane, span.start, end))
        first = places.get(step.id, (lane, span.start, end))
        places[step.id] = (lane, first[1], end)
        if not last:
            events.append({"name": "gave way", "ph": "i", "s": "t", "ts": _us(end), "pid": ACTUAL, "tid": lane})
    for step in sorted(steps, key=lambda one: one.planned.start if one.planned else 0.0):
        if step.planned is not None and step.planned.end is not None:
            lane = lanes.place(PLANNED, step.resource or step.kind, step.planned.start, step.planned.end)
            events.append(_slice(step, called, PLANNED, lane, step.planned.start, step.planned.end))
    for step in steps:
        for before in step.after:
            if before in places and step.id in places:
                events += _arrow(before, step.id, places)
    for process, name in _PROCESSES.items():
        events.append({"name": "process_name", "ph": "M", "pid": process, "tid": 0, "args": {"name": name}})
    return {"traceEvents": events, "displayTimeUnit": "ms"}


def _spans(steps: Iterable[StepRecord]) -> Iterable[tuple[StepRecord, Span, bool]]:
    for step in steps:
        for number, span in enumerate(step.spans, start=1):
            yield step, span, number == len(step.spans)


def _slice(
    step: StepRecord, called: Mapping[str, str], process: int, lane: int, start: float, end: float
) -> dict[str, Any]:
    about = {
        "task": called.get(step.task, step.task),
        "state": step.state,
        "priority": step.priority,
        "why": step.why,
        "predicted seconds": step.predicted,
        "waited seconds": round(step.spans[0].start - step.created, 3) if step.spans else None,
    }
    return {
        "name": f"{called.get(step.task, step.task[:8])}: {step.kind}",
        "cat": step.kind,
        "ph": "X",
        "ts": _us(start),
        "dur": max(_us(end) - _us(start), 1),
        "pid": process,
        "tid": lane,
        "args": {name: value for name, value in about.items() if value not in (None, "")},
    }


def _arrow(before: str, after: str, places: Mapping[str, tuple[int, float, float]]) -> list[dict[str, Any]]:
    """From the end of a step to the start of one that waited for it."""
    from_lane, start, end = places[before]
    to_lane, begin, _ = places[after]
    flow = {"name": "after", "cat": "after", "id": f"{before}>{after}", "pid": ACTUAL}
    return [
        # A moment within the slices: at their very edges viewers do not find them.
        {**flow, "ph": "s", "tid": from_lane, "ts": max(_us(start), _us(end) - 1)},
        {**flow, "ph": "f", "bp": "e", "tid": to_lane, "ts": _us(begin)},
    ]


class _Lanes:
    """Threads of the trace: for each resource as many as ran on it at once."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        self._events = events
        self._busy: dict[tuple[int, str], list[tuple[int, float]]] = defaultdict(list)
        self._count = 0

    def place(self, process: int, resource: str, start: float, end: float) -> int:
        lanes = self._busy[process, resource]
        for index, (lane, until) in enumerate(lanes):
            if until <= start:
                lanes[index] = (lane, end)
                return lane
        self._count += 1
        lanes.append((self._count, end))
        name = resource if len(lanes) == 1 else f"{resource} ({len(lanes)})"
        for what, value in (("thread_name", {"name": name}), ("thread_sort_index", {"sort_index": self._count})):
            self._events.append({"name": what, "ph": "M", "pid": process, "tid": self._count, "args": value})
        return self._count


def _us(seconds: float) -> int:
    return round(seconds * 1e6)
