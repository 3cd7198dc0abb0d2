"""Sentences are for people: whoever rewords them changes no behaviour. Modules speak to each other in fields."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pydantic import BaseModel, ValidationError

from llmos_jupyter.agent.answering import strategy, trial
from llmos_jupyter.agent.answering.drafts import Draft
from llmos_jupyter.agent.answering.stream.deadline import Deadline
from llmos_jupyter.agent.capability.capabilities import Grants, level, wants
from llmos_jupyter.agent.context.notebook_context import NotebookContext
from llmos_jupyter.daemon.advice.adviser import STRATEGY, Adviser
from llmos_jupyter.daemon.engines.engine_room import EngineRoom
from llmos_jupyter.daemon.stores.learned import Learned
from llmos_jupyter.daemon.stores.store import Store
from llmos_jupyter.effects.copy import outcome
from llmos_jupyter.effects.copy.kernel_copy import supported
from llmos_jupyter.protocol import (
    Candidate,
    CandidateRecord,
    Decision,
    DecisionRecord,
    Finding,
    Finish,
    Generation,
    Options,
    Rehearsal,
    Request,
    RunRecord,
    Session,
    StoredRecord,
    Task,
)
from llmos_jupyter.protocol.findings import Run
from llmos_jupyter.sandbox.roots import Roots
from tests.effects.copy.shells import shell_with

needs_rehearsal = pytest.mark.skipif(supported() is not None, reason=str(supported()))

# Fields that hold sentences, or parts of one.
PROSE = {"message", "reason", "why", "what", "detail", "confinement", "doubts", "traceback"}
Model = TypeVar("Model", bound=BaseModel)


def reworded(model: Model) -> Model:
    """The same with other sentences in all fields that are for people."""

    def of(name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: of(key, item) for key, item in value.items()}
        if isinstance(value, list):
            return [of(name, item) for item in value]
        return "said in other words" if name in PROSE and value else value

    return type(model).model_validate(of("", model.model_dump()))


CODES = {
    "shows nothing": "total = sum(numbers)",
    "a function": "def double(x):\n    return 2 * x\ndouble",
    "prints nan": "print(float('nan'))",
    "is empty": "[n for n in numbers if n > 9]",
    "writes": "open('out.txt', 'w').write('x')",
    "writes elsewhere": "open('/etc/out.txt', 'w').write('x')",
    "links": "import os\nos.symlink('a.txt', 'b.txt')",
    "reads the net": "import urllib.request\nurllib.request.urlopen('https://example.org/a.csv')",
    "starts": "import subprocess\nsubprocess.run(['ls'])",
    "in place": "numbers.append(4)",
    "swallowed": "try:\n    open('out.txt', 'w')\nexcept OSError:\n    pass\n1",
}


def tried(code: str) -> Draft:
    """What becomes of code on its way to being run."""
    shell = shell_with(numbers=[1, 2, 3])
    session = Session(id="s", pid=1, started=0.0)
    task = Task(
        id="t", number=1, text="x", options=Options(), session=session, state="running", created=0.0, updated=0.0
    )
    draft = Draft(Candidate(text=f"```python\n{code}\n```"), code, True, 0, "x")
    steps = trial.Trial(shell, NotebookContext(shell), lambda task, record: None, 10.0)
    for _ in steps.attempt(task, draft, Deadline(60)):
        pass
    if draft.ran is not None:
        draft.ran.close()
    return draft


def judged(findings: list[Finding], rehearsal: Rehearsal | None) -> list[object]:
    """What is decided by them: rights, undo, and how far the candidate was proved."""
    grants = Grants()
    grants.allow("write files")
    asked = [
        (want.capability, grants.permits(want.capability, want.what))
        for want in wants(findings, rehearsal, Roots.here())
    ]
    changes = rehearsal.changes
    return [asked, level(rehearsal), changes and [(change.name, change.kind) for change in changes]]


@needs_rehearsal
@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_other_words_change_nothing(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    doubts = outcome.doubts
    before = tried(code)
    assert before.rehearsal is not None
    monkeypatch.setattr(outcome, "doubts", lambda *given: ["doubted in other words" for _ in doubts(*given)])
    after = tried(code)
    assert after.rehearsal is not None
    for name in ("code", "works", "displayed", "mended", "unfinished", "bind"):
        assert getattr(after, name) == getattr(before, name), name
    assert len(after.doubts) == len(before.doubts)
    assert strategy.more_candidates(None, after) == strategy.more_candidates(None, before)
    other = [reworded(finding) for finding in before.findings]
    assert judged(other, reworded(before.rehearsal)) == judged(before.findings, before.rehearsal)


@pytest.mark.parametrize(
    ("decision", "learned"), [("chosen", True), ("replayed", False), ("shown", False), ("approved", True)]
)
def test_learning_goes_by_decisions(home: Path, decision: Decision, learned: bool) -> None:
    store = Store(home / "llmos.db")
    adviser = Adviser(Learned(store), EngineRoom(lambda: None))
    session = Session(id="s", pid=1, started=0.0)
    request = Request(id=uuid.uuid4().hex, text="x", options=Options(model="qwen2.5-coder-0.5b"), session=session)
    request, why = asyncio.run(adviser.advise(request))
    store.accept(request)
    for record in (
        DecisionRecord(round=0, decision=STRATEGY, why=why),
        DecisionRecord(round=0, decision=decision, why="for a reason"),
        CandidateRecord(round=0, candidate=Candidate(text="1")),
        RunRecord(round=0, code="1", run=Run(status="ok"), chance=0.9),
    ):
        store.add_record(request.id, record)
    store.finish(request.id, Finish(state="done", reason="replayed, or shown, not run: it is only a sentence"))
    adviser.learn(store.trace(request.id))
    assert bool(adviser._learned.lessons()) is learned
    store.close()


def test_decisions_of_earlier_versions_are_still_read() -> None:
    stored = StoredRecord.model_validate(
        {"id": 1, "at": 0.0, "record": {"type": "decision", "round": 0, "decision": "preferred", "why": "of old"}}
    )
    assert stored.record == DecisionRecord(round=0, decision="noted", why="of old")


def test_a_generation_says_what_it_is_for() -> None:
    with pytest.raises(ValidationError):
        Generation.model_validate({"purpose": "anything", "messages": [{"role": "user", "content": "x"}]})
