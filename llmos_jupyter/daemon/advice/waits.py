"""What the wait for an answer was made of: the queue, loading the model, reading the prompt, writing, running code, and
the user's own yes."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from llmos_jupyter.protocol import (
    Candidate,
    CandidateRecord,
    DecisionRecord,
    Lesson,
    RehearsalRecord,
    RunRecord,
    StepRecord,
    Trace,
)

PARTS = ("queue", "load", "reading", "writing", "run", "you")


def parts(trace: Trace, steps: Sequence[StepRecord]) -> dict[str, float]:
    """Seconds by part, in the order of `PARTS`. What the engine's turn held beside reading and writing was loading."""
    spent = dict.fromkeys(PARTS, 0.0)
    for step in steps:
        if step.kind != "generation" or not step.spans:
            continue
        ends = [span.end for span in step.spans if span.end is not None]
        gaps = sum(
            later.start - (span.end or later.start) for span, later in zip(step.spans, step.spans[1:], strict=False)
        )
        spent["queue"] += max(0.0, step.spans[0].start - step.created) + gaps
        spent["load"] += sum(end - span.start for end, span in zip(ends, step.spans, strict=False))
    rounds: dict[int, list[Candidate]] = {}
    before = trace.task.created
    for stored in trace.records:
        record = stored.record
        if isinstance(record, CandidateRecord):
            rounds.setdefault(record.round, []).append(record.candidate)
        elif isinstance(record, RehearsalRecord):
            spent["run"] += record.rehearsal.seconds
        elif isinstance(record, RunRecord):
            spent["run"] += record.run.seconds
        elif isinstance(record, DecisionRecord) and record.decision in ("approved", "refused"):
            spent["you"] += max(0.0, stored.at - before)
        before = stored.at
    for candidates in rounds.values():  # those of a round are written beside each other
        spent["reading"] += max(candidate.timings.prompt_ms for candidate in candidates) / 1000
        spent["writing"] += max(candidate.timings.decode_ms for candidate in candidates) / 1000
    spent["load"] = max(0.0, spent["load"] - spent["reading"] - spent["writing"])
    return spent


def said(spent: dict[str, float]) -> str:
    """`The wait was mostly reading: reading 12.3 s, writing 4.1 s.` Empty for none."""
    shown = [part for part in PARTS if spent[part] >= 0.05]
    if not shown:
        return ""
    most = max(shown, key=lambda part: spent[part])
    return f"The wait was mostly {most}: {', '.join(f'{part} {spent[part]:.1f} s' for part in shown)}."


def lessons(all_spent: Sequence[dict[str, float]]) -> list[Lesson]:
    """How often each part was most of a wait, and its median seconds over all answers."""
    waited = [spent for spent in all_spent if sum(spent.values()) > 0]
    most = [max(PARTS, key=lambda part: spent[part]) for spent in waited]
    return [
        Lesson(kind=f"wait {part}", seen=most.count(part), seconds=median(spent[part] for spent in waited))
        for part in PARTS
        if waited and any(spent[part] >= 0.05 for spent in waited)
    ]
