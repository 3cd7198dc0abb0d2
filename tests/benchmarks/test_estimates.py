"""The trace of real tasks: what is taken from the daemon's records, and that it is numbers alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import estimates
from benchmarks.observing import Observer, from_line, job, to_line
from llmos_jupyter.daemon.stores.learned import run_kind
from llmos_jupyter.protocol import (
    Candidate,
    CandidateRecord,
    ErrorReport,
    Finding,
    InspectionRecord,
    Message,
    Options,
    Record,
    Rehearsal,
    RehearsalRecord,
    Run,
    RunRecord,
    Session,
    StoredRecord,
    Task,
    TaskState,
    Timings,
    Trace,
)
from llmos_jupyter.protocol.generation import Purpose
from llmos_jupyter.protocol.jobs import Ended
from llmos_jupyter.scheduling.estimating.calibration import Observation
from llmos_jupyter.scheduling.estimating.estimates import Features, Outcome, Prior
from tests.conftest import SMALL

PROMPT = "the table sales has the columns day and price. "


def trace(*records: Record, state: TaskState = "done") -> Trace:
    task = Task(
        id="0" * 32,
        number=1,
        text="the mean price",
        options=Options(),
        session=Session(id="s", pid=1, started=0.0),
        state=state,
        created=100.0,
        updated=103.5,
    )
    return Trace(task=task, records=[StoredRecord(id=n, at=100.0, record=one) for n, one in enumerate(records)])


def candidate(round_: int, prompt: str = PROMPT, *, purpose: Purpose = "answer", **more: Any) -> CandidateRecord:
    timings = Timings(prompt_tokens=30, tokens=20, decode_ms=800.0, first_token_ms=400.0)
    message = Message(role="user", content=prompt)
    written = Candidate(text="x", messages=[message], timings=timings, **more)
    return CandidateRecord(round=round_, purpose=purpose, candidate=written)


def rehearsed(round_: int, status: str, index: int = 0, seconds: float = 0.2) -> RehearsalRecord:
    rehearsal = Rehearsal(status=status, seconds=seconds)  # type: ignore[arg-type]
    return RehearsalRecord(round=round_, index=index, code="x", rehearsal=rehearsal)


def of(kind: str, seen: list[Observation]) -> list[Observation]:
    return [one for one in seen if one.kind == kind]


def test_a_request_that_went_well() -> None:
    run = RunRecord(round=0, code="x", run=Run(status="ok", seconds=0.25))
    seen = Observer(SMALL).request(trace(candidate(0), rehearsed(0, "passed"), run), right=False)
    (generation,), (cell,), (answer,), (graded,) = (
        of(kind, seen) for kind in ("generation", "cell", "answer", "graded")
    )
    assert generation.resource == SMALL
    assert generation.outcome == Outcome(seconds=1.2, tokens=20, succeeded=True)
    assert generation.features == Features(request_chars=14, prompt_tokens=len("user\n" + PROMPT) / 3.2)
    assert cell.prior.seconds == 0.2
    assert cell.outcome == Outcome(seconds=0.25, succeeded=True)
    assert (answer.resource, answer.outcome) == (f"{SMALL}, checked", Outcome(seconds=3.5, succeeded=True))
    assert graded.outcome.succeeded is False


def test_repairs_and_candidates_side_by_side() -> None:
    wrong = Finding(kind="syntax", severity="error", message="no")
    records = (
        candidate(0),
        rehearsed(0, "failed"),
        rehearsed(0, "passed", index=1),  # an idiom, not the model's
        candidate(2, index=0, purpose="compare"),
        candidate(2, index=1, purpose="compare"),
        candidate(2, index=2, finish="cancelled", purpose="compare"),
        rehearsed(2, "failed", index=0),
        rehearsed(2, "passed", index=1),
        candidate(3, purpose="repair"),
        InspectionRecord(round=3, code="x", findings=[wrong]),
    )
    seen = Observer(SMALL).request(trace(*records, state="failed"), right=False)
    first, others = of("generation", seen)
    (repair,) = of("repair", seen)
    assert [one.outcome.succeeded for one in (first, others, repair)] == [False, True, False]
    assert (others.features.candidates, others.outcome.tokens) == (3, 40)
    assert of("answer", seen)[0].outcome.succeeded is False
    assert of("cell", seen) == []


def test_only_what_the_engine_has_not_read_before_counts() -> None:
    observer = Observer(SMALL)
    fresh = [
        of("generation", observer.request(trace(candidate(0, prompt)), right=True))[0].features.prompt_tokens
        for prompt in (PROMPT * 20, PROMPT * 20 + "x" * 320, "other", "words", "here", "now", PROMPT * 20)
    ]
    assert fresh[1] == 100
    assert fresh[0] == pytest.approx(fresh[-1], abs=2)  # read long ago


def test_words_and_failures_without_a_candidate() -> None:
    words = Observer(SMALL).request(trace(candidate(0)), right=True)
    assert of("generation", words)[0].outcome.succeeded is None
    nothing = Observer(SMALL).request(trace(state="failed"), right=False)
    assert [one.kind for one in nothing] == ["answer", "graded"]
    failed = Run(status="failed", error=ErrorReport(type="KeyError", message="secret"), seconds=0.1)
    seen = Observer(SMALL).request(trace(candidate(0), RunRecord(round=0, code="x", run=failed)), right=False)
    assert of("cell", seen)[0].outcome.succeeded is False


def test_lines_are_numbers_and_come_back() -> None:
    seen = job("print('secret')", Ended(state="failed", message="secret", seconds=2.0, peak_bytes=1000))
    assert seen.kind == run_kind("print('secret')")
    line = json.dumps(to_line(seen))
    assert "secret" not in line
    back = from_line(json.loads(line))
    assert (back.kind, back.resource, back.features, back.outcome) == (
        seen.kind,
        seen.resource,
        seen.features,
        seen.outcome,
    )
    exact = Observation("k", "r", Features(1, 2, 3, 4), Prior(), Outcome())
    assert from_line(json.loads(json.dumps(to_line(exact)))).outcome == Outcome()


def test_the_report_judges_each_kind_and_code_that_ran_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "trace.jsonl"
    seen = [job(f"cell({n % 5})", Ended(state="done", seconds=10.0 ** (n % 5 - 2), peak_bytes=1)) for n in range(40)]
    file.write_text("".join(json.dumps({"of": f"task {n}", **to_line(one)}) + "\n" for n, one in enumerate(seen)))
    estimates.tell(file)
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    all_, again = told["rows"]
    assert (told["tasks"], all_["steps"], again["steps"]) == (40, 40, 35)
    assert again["error"] < 0.05 < 0.5 < again["error_constant"]


def test_background_cells_are_valid_and_all_different() -> None:
    codes = [text.format(n=size) for text, sizes in estimates.JOBS for size in sizes]
    for code in codes:
        compile(code, "cell", "exec")
    assert len({run_kind(code) for code in codes}) == len(codes) == 24


@pytest.mark.model
def test_a_task_is_recorded_from_a_real_notebook(tmp_path: Path) -> None:
    file = tmp_path / "trace.jsonl"
    command = [sys.executable, "-m", "benchmarks.estimates", "record", "--limit", "1", "--trace", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = estimates.read(file)
    assert {"generation", "answer", "graded"} < {line["kind"] for line in lines}
    assert json.loads(done.stdout.splitlines()[-1])["tasks"] == 1
    before = file.read_text()
    subprocess.run([*command, "--resume"], capture_output=True, text=True, check=True)
    assert file.read_text() == before
