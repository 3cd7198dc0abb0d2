"""What the adviser makes of requests, and of how they ended: without an engine, with a real store."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmos_jupyter import config
from llmos_jupyter.daemon.advice.adviser import LOAD, STRATEGY, Adviser
from llmos_jupyter.daemon.engines.engine_room import EngineRoom
from llmos_jupyter.daemon.stores.learned import Learned
from llmos_jupyter.daemon.stores.store import Store
from llmos_jupyter.protocol import (
    Candidate,
    CandidateRecord,
    DecisionRecord,
    FeedbackRecord,
    Options,
    Rehearsal,
    RehearsalRecord,
    Request,
    Run,
    RunRecord,
    Session,
    Task,
)
from llmos_jupyter.scheduling.choice.strategies import ANSWER
from llmos_jupyter.scheduling.estimating.estimates import Features, Prior
from tests.conftest import SMALL

CODE = "1 + 1"


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    store = Store(home / "llmos.db")
    yield store
    store.close()


@pytest.fixture
def adviser(store: Store) -> Adviser:
    return Adviser(Learned(store), EngineRoom(lambda: None))


def request(**options: object) -> Request:
    session = Session(id="s", pid=1, started=0.0)
    return Request(id=uuid.uuid4().hex, text="the mean of x", options=Options.model_validate(options), session=session)


def advised(adviser: Adviser, **options: object) -> tuple[Options, str]:
    made, why = asyncio.run(adviser.advise(request(**options)))
    return made.options, why


def ended(store: Store, adviser: Adviser, state: str, *, chance: float = 0.9) -> Task:
    """A request that was advised, answered and ended."""
    made, why = asyncio.run(adviser.advise(request(model=SMALL)))
    store.accept(made)
    store.add_record(made.id, DecisionRecord(round=0, decision=STRATEGY, why=why))
    store.add_record(made.id, CandidateRecord(round=0, candidate=Candidate(text=CODE)))
    store.add_record(made.id, RehearsalRecord(round=0, code=CODE, rehearsal=Rehearsal(status="passed")))
    store.add_record(made.id, RunRecord(round=0, code=CODE, run=Run(status="ok"), chance=chance))
    task = store.move(made.id, state)  # type: ignore[arg-type]
    adviser.learn(store.trace(task.id))
    return task


def likely(adviser: Adviser, name: str = f"{SMALL}, checked") -> float:
    return adviser._learned.predict(ANSWER, name, Features(request_chars=13), Prior(probability=0.7)).probability


@pytest.mark.model  # whose files are on the disk by then
def test_what_the_user_leaves_open_is_filled_in_and_why_is_said(adviser: Adviser) -> None:
    options, why = advised(adviser)
    assert options.model == "qwen2.5-coder-1.5b"
    assert (options.candidates, options.retries) == (None, 2)
    assert "balanced" in why
    assert "also considered" in why
    config.change("preference=best")
    assert "thorough (best)" in advised(adviser)[1]
    config.change("preference=fast")
    assert "single (fast)" in advised(adviser)[1]


def test_what_the_user_says_is_done(adviser: Adviser) -> None:
    options, why = advised(adviser, model=SMALL, candidates=3, retries=1)
    assert (options.model, options.candidates, options.retries) == (SMALL, 3, 1)
    assert "candidates 3, retries 1" in why
    config.change(f"model={SMALL}")
    assert advised(adviser)[0].model == SMALL


def test_a_model_that_does_not_exist_is_left_to_whoever_loads_it(adviser: Adviser) -> None:
    options, why = advised(adviser, model="no-such-model")
    assert (options.model, why) == ("no-such-model", "")


@pytest.mark.parametrize(
    ("state", "chance", "better"), [("done", 0.95, True), ("done", 0.3, False), ("failed", 0.95, False)]
)
def test_answers_count_by_how_they_ended(
    adviser: Adviser, store: Store, state: str, chance: float, better: bool
) -> None:
    before = likely(adviser)
    for _ in range(8):
        ended(store, adviser, state, chance=chance)
    assert (likely(adviser) > before) is better
    assert likely(adviser) < 0.95


def test_what_is_taken_back_counts_as_wrong_and_what_was_cancelled_or_edited_not_at_all(
    adviser: Adviser, store: Store
) -> None:
    before = likely(adviser)
    ended(store, adviser, "cancelled")
    assert likely(adviser) == before
    task = ended(store, adviser, "done")
    after = likely(adviser)
    store.add_record(task.id, FeedbackRecord(feedback="edited"))
    adviser.judged(store.trace(task.id))
    assert likely(adviser) == after
    store.add_record(task.id, FeedbackRecord(feedback="undone"))
    adviser.judged(store.trace(task.id))
    assert likely(adviser) < after


def test_a_model_that_loads_slowly_is_known_to(adviser: Adviser) -> None:
    for _ in range(5):
        adviser.loaded(SMALL, 500_000_000, 60.0)
    made = adviser._learned.predict(LOAD, SMALL, Features(data_bytes=5e8), Prior(seconds=3.0))
    assert 30 < made.p50 < 90
