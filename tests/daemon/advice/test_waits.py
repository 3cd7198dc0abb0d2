"""What a wait was made of, out of the records and steps that every answer leaves."""

from __future__ import annotations

import pytest

from llmos_jupyter.daemon.advice import waits
from llmos_jupyter.protocol import (
    Candidate,
    CandidateRecord,
    DecisionRecord,
    Options,
    Run,
    RunRecord,
    Session,
    Span,
    StepRecord,
    StoredRecord,
    Task,
    Timings,
    Trace,
)


def candidate(round_: int, read: float, wrote: float) -> CandidateRecord:
    timings = Timings(prompt_tokens=10, prompt_ms=1000 * read, tokens=10, decode_ms=1000 * wrote)
    return CandidateRecord(round=round_, candidate=Candidate(text="x", timings=timings))


def trace(*records: tuple[float, object]) -> Trace:
    session = Session(id="s", notebook="n.ipynb", pid=1, started=0.0)
    task = Task(
        id="t",
        number=1,
        kind="ask",
        session=session,
        text="x",
        options=Options(),
        state="done",
        created=100.0,
        updated=200.0,
    )
    stored = [StoredRecord(id=n, at=at, record=record) for n, (at, record) in enumerate(records)]  # type: ignore[arg-type]
    return Trace(task=task, records=stored)


def test_each_second_has_its_place() -> None:
    spans = [Span(start=103.0, end=115.0), Span(start=120.0, end=124.0)]
    steps = [StepRecord(id="a", task="t", kind="generation", state="done", created=101.0, spans=spans)]
    spent = waits.parts(
        trace(
            (110.0, candidate(0, 6.0, 2.0)),
            (111.0, candidate(0, 6.0, 3.0)),  # beside the first
            (124.0, candidate(1, 0.5, 3.5)),
            (130.0, DecisionRecord(round=1, decision="chosen")),
            (139.0, DecisionRecord(round=1, decision="approved")),
            (141.0, RunRecord(round=1, index=0, code="x", run=Run(status="ok", seconds=1.5))),
        ),
        steps,
    )
    assert spent == pytest.approx(
        {"queue": 2.0 + 5.0, "load": 16.0 - 13.0, "reading": 6.5, "writing": 6.5, "run": 1.5, "you": 9.0}
    )
    assert waits.said(spent).startswith("The wait was mostly you: queue 7.0 s, load 3.0 s, reading 6.5 s")


def test_what_never_waited_says_nothing() -> None:
    assert waits.said(waits.parts(trace(), [])) == ""
    assert waits.lessons([waits.parts(trace(), [])]) == []


def test_waits_are_added_up() -> None:
    one = dict.fromkeys(waits.PARTS, 0.0) | {"reading": 4.0, "writing": 1.0}
    other = dict.fromkeys(waits.PARTS, 0.0) | {"reading": 1.0, "writing": 3.0}
    lessons = {lesson.kind: lesson for lesson in waits.lessons([one, one, other])}
    assert {kind: lesson.seen for kind, lesson in lessons.items()} == {"wait reading": 2, "wait writing": 1}
    assert lessons["wait reading"].seconds == 4.0
