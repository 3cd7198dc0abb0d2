"""What a trace says in words: one of every record, bounds, and the route of a real daemon."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any, Literal, get_args

import pytest

from llmos_jupyter import paths
from llmos_jupyter.daemon import lifecycle
from llmos_jupyter.daemon.advice import story
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import (
    Candidate,
    CandidateRecord,
    Capability,
    DecisionRecord,
    ErrorReport,
    FeedbackKind,
    FeedbackRecord,
    Finding,
    Finish,
    InspectionRecord,
    Message,
    NameChange,
    Record,
    Refusal,
    Rehearsal,
    RehearsalRecord,
    RehearsalStatus,
    Run,
    RunRecord,
    StoryLine,
    Timings,
)
from tests.daemon.advice.test_waits import trace
from tests.daemon.test_live import asked

ERROR = ErrorReport(type="KeyError", message="'a'", line=3, traceback="Traceback ...")
CHANGES = [
    NameChange(name="x", kind="created", type="int"),
    NameChange(name="df", kind="mutated", type="DataFrame", detail="+1 column: b"),
]


def told(*records: Record) -> list[StoryLine]:
    """The lines of these records, half a second apart."""
    return story.tell(trace(*((100.0 + place / 2, record) for place, record in enumerate(records))), []).lines


def message(content: str, role: Literal["system", "user", "assistant"] = "user") -> Message:
    return Message(role=role, content=content)


def candidate(round_: int = 0, *, purpose: Any = "answer", **known: Any) -> CandidateRecord:
    return CandidateRecord(
        round=round_, purpose=purpose, candidate=Candidate.model_validate({"text": "```\nx = 1\n```", **known})
    )


def test_a_candidate_says_how_it_was_written_what_was_sent_and_what_came_back() -> None:
    timings = Timings(
        prompt_tokens=800, cached_tokens=700, prompt_ms=120, tokens=42, decode_ms=3500, first_token_ms=840
    )
    sent = [message("You write Python.", "system"), message("the mean")]
    known = {"confidence": 0.62, "finish": "length", "timings": timings, "messages": sent}
    (line,) = told(candidate(model="qwen", device="cpu", **known))
    assert line.what == (
        "Candidate 1 · qwen on cpu · 42 tokens in 3.5 s (12 tokens/s) · first token after 0.84 s · 800 tokens read "
        "in 0.12 s, 700 of them from the cache · confidence 62 % · cut off at its limit of tokens"
    )
    assert [(fold.title, fold.text) for fold in line.folds] == [
        ("Sent: system", "You write Python."),
        ("Sent: user", "the mean"),
        ("Came back", "```\nx = 1\n```"),
    ]


def test_every_record_is_told() -> None:
    refusal = Refusal(capability=Capability.WRITE_FILES, what="open /etc/passwd")
    tried = Rehearsal(
        status="refused",
        seconds=0.31,
        peak_bytes=1_200_000,
        reason="it needs your yes",
        confinement="Landlock v4",
        error=ERROR,
        output="1\n",
        changes=CHANGES,
        refusals=[refusal],
        doubts=["it is empty"],
    )
    warning = Finding(kind="data", severity="warning", message="there is\nno `a`", line=2, suggestions=["b"])
    lines = told(
        DecisionRecord(round=0, decision="strategy", why="one try"),
        candidate(),
        InspectionRecord(round=0, code="x = 1", findings=[warning]),
        RehearsalRecord(round=0, code="x = 1", rehearsal=tried),
        DecisionRecord(round=0, decision="approved"),
        RunRecord(round=0, code="x = 1", run=Run(status="failed", seconds=2, error=ERROR, changes=CHANGES), chance=0.9),
        FeedbackRecord(feedback="up"),
    )
    assert [(line.seconds, line.what) for line in lines] == [
        (0.0, "Decision: strategy: one try"),
        (0.5, "Candidate 1"),
        (1.0, "Inspection: 1 finding"),
        (
            1.5,
            "Tried in the sandbox: went as far as it may without your yes, for 0.31 s, 1.2 MB of memory: "
            "KeyError: 'a' (line 3); it needs your yes",
        ),
        (2.0, "Decision: approved"),
        (2.5, "Run: failed after 2.0 s: KeyError: 'a' (line 3)"),
        (3.0, "Feedback: good answer"),
    ]
    _, _, inspection, rehearsal, _, run, _ = lines
    assert [(finding.message, finding.line, finding.suggestions) for finding in inspection.findings] == [
        ("there is no `a`", 2, ["b"])
    ]
    assert [(fold.title, fold.text, fold.code) for fold in inspection.folds] == [("Code", "x = 1", True)]
    names = "Names: created `x` (int), changed `df` (DataFrame, +1 column: b)"
    assert rehearsal.facts == [
        names,
        "Refused: write files: open /etc/passwd",
        "Doubt: it is empty",
        "Lock: Landlock v4",
    ]
    # The code is that of the inspection.
    assert [fold.title for fold in rehearsal.folds] == ["What it printed", "Traceback"]
    assert run.facts == [names, "Chance of being right, predicted before it: 90 %"]
    assert [fold.text for fold in run.folds] == ["Traceback ..."]


@pytest.mark.parametrize("status", get_args(RehearsalStatus))
def test_every_end_in_the_sandbox_has_its_words(status: RehearsalStatus) -> None:
    (line,) = told(RehearsalRecord(round=0, code="x", rehearsal=Rehearsal(status=status, reason="of that", seconds=5)))
    assert "of that" in line.what
    assert ("5.0 s" in line.what) is (status != "unavailable")


@pytest.mark.parametrize("status", ["ok", "failed", "interrupted"])
def test_every_end_of_a_run_has_its_words(status: Any) -> None:
    (line,) = told(RunRecord(round=0, code="x", run=Run(status=status, seconds=5)))
    assert line.what.startswith("Run: ")


@pytest.mark.parametrize("feedback", get_args(FeedbackKind))
def test_every_feedback_has_its_words(feedback: FeedbackKind) -> None:
    (line,) = told(FeedbackRecord(feedback=feedback))
    assert len(line.what) > len("Feedback: ")


@pytest.mark.parametrize("finish", ["stop", "length", "cancelled", "preempted"])
def test_every_way_to_stop_writing_has_its_words(finish: str) -> None:
    (line,) = told(candidate(finish=finish))
    assert (line.what == "Candidate 1") is (finish == "stop")


def test_of_several_candidates_each_record_says_of_which_it_is() -> None:
    def inspection(round_: int, index: int = 0) -> InspectionRecord:
        return InspectionRecord(round=round_, index=index, code=f"x = {round_} + {index}", findings=[])

    lines = told(
        candidate(0),
        inspection(0),
        candidate(3, purpose="repair"),
        inspection(3),
        candidate(2, purpose="compare", index=0),
        candidate(2, purpose="compare", index=1),
        inspection(2, 1),
        candidate(4, purpose="repair"),
        RunRecord(round=3, code="x = 3 + 0", run=Run(status="ok", seconds=1)),
        inspection(77),
    )
    assert [line.what for line in lines] == [
        "Candidate 1",
        "Inspection (candidate 1): nothing found",
        "Candidate 2 (repair 1)",
        "Inspection (candidate 2): nothing found",
        "Candidate 3 (to compare)",
        "Candidate 4 (to compare)",
        "Inspection (candidate 4): nothing found",
        "Candidate 5 (repair 2)",
        "Run (candidate 2): no error in 1.0 s",
        "Inspection: nothing found",
    ]
    assert [fold.text for fold in lines[8].folds] == ["x = 3 + 0"], "other code came between"


def test_what_was_sent_before_is_not_told_again() -> None:
    first = [message("system", "system"), message("request")]
    lines = told(candidate(messages=first), candidate(messages=[*first, message("it failed")]), candidate(messages=[]))
    assert [[fold.text for fold in line.folds[:-1]] for line in lines] == [["system", "request"], ["it failed"], []]
    assert [line.facts for line in lines] == [[], ["Sent: 2 of 3 messages as before"], []]


def test_a_long_text_is_cut() -> None:
    code = "x = 1\n" * 200_000
    (line,) = told(InspectionRecord(round=0, code=code, findings=[]))
    (fold,) = line.folds
    assert fold.text == code[: story.TEXT]
    assert len(fold.text) + fold.left_out == len(code)


def test_a_long_sentence_and_many_points_are_cut() -> None:
    finding = Finding(
        kind="data", severity="note", message="m" * 100_000, suggestions=["s"] * 1000, targets=["t"] * 1000
    )
    error = ErrorReport(type="E", message="e\n" * 100_000)
    changes = [NameChange(name=f"n{n}", kind="created") for n in range(1000)]
    refusals = [Refusal(capability=Capability.NETWORK, what=f"host {n}") for n in range(1000)]
    rehearsal = Rehearsal(status="failed", error=error, changes=changes, refusals=refusals, doubts=["d"] * 1000)
    lines = told(
        InspectionRecord(round=0, code="", findings=[finding] * 1000),
        RehearsalRecord(round=0, code="", rehearsal=rehearsal),
        DecisionRecord(round=0, decision="chosen", why="w" * 100_000),
    )
    inspection, tried, decision = lines
    assert inspection.what == "Inspection: 1000 findings"
    assert inspection.facts == [f"The first {story.POINTS} findings are told."]
    assert len(inspection.findings) == story.POINTS
    assert "and 950 more" in tried.facts
    assert "n49" in tried.facts[0]
    assert "n50" not in tried.facts[0]
    assert len(decision.what) == story.SENTENCE
    assert "\n" not in tried.what
    assert sum(len(line.model_dump_json()) for line in lines) < 500_000


def test_of_thousands_of_records_the_newest_are_told_within_bounds() -> None:
    long = "x" * 20_000
    records = [InspectionRecord(round=0, code=f"{number} {long}", findings=[]) for number in range(2000)]
    lines = told(candidate(messages=[message("first")]), *records, candidate(messages=[message("first")]))
    assert len(lines) == story.LINES + 1
    assert lines[0].what == "Left out: 1702 earlier records"
    assert lines[-1].what == "Candidate 2"
    assert [fold.text for fold in lines[-1].folds][:1] == ["first"], "where it was told before is left out"
    texts = [fold for line in lines for fold in line.folds]
    assert sum(len(fold.text) for fold in texts) == story.TEXTS
    assert texts[0].text == ""
    assert texts[0].left_out == len(f"1701 {long}")
    assert texts[-3].text == f"1999 {long}"


def test_a_daemon_tells_a_task_and_what_a_newer_one_has_stored_is_no_hindrance(home: Path) -> None:
    lifecycle.find_or_start()
    with contextlib.closing(DaemonClient(start=False)) as client:
        task = asked(client, "the mean of x")
        client.record(task.id, InspectionRecord(round=0, code="x.mean()", findings=[]))
        with contextlib.closing(sqlite3.connect(paths.database_file())) as db, db:
            newer = '{"type": "hologram", "round": 0, "beams": 7}'
            db.execute("INSERT INTO records (task, at, record) VALUES (?, ?, ?)", (task.id, task.created, newer))
        client.record(task.id, RunRecord(round=0, code="x.mean()", run=Run(status="ok", seconds=1.5)))
        client.finish(task.id, Finish(state="done"))
        heard = client.story(str(task.number))
        assert heard.task.id == task.id
        assert heard.task.state == "done"
        assert any("notebook" in sentence for sentence in heard.why), heard.why
        assert [line.what for line in heard.lines if "strategy" not in line.what] == [
            "Inspection: nothing found",
            "Decision: noted: a record of a newer version of llmos, hologram",
            "Run: no error in 1.5 s",
        ]
        assert client.code(task.id).code == "x.mean()"
        with pytest.raises(LLMOSError, match="no request 99"):
            client.story("99")
