"""The daemon's schedule with a real store: callbacks, the account of steps, what is said of them."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from llmos_jupyter.daemon.advice.explain import explain
from llmos_jupyter.daemon.events import Events
from llmos_jupyter.daemon.stores.step_store import StepStore
from llmos_jupyter.daemon.stores.store import Store
from llmos_jupyter.daemon.work.schedule import Schedule
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import INTERACTIVE, LOW, Request, Session, Span, StepRecord
from llmos_jupyter.reports.chrome_trace import chrome_trace
from llmos_jupyter.scheduling.policy import Start, Yield
from llmos_jupyter.scheduling.problem import Option, Resource, Step

ENGINE = Resource("engine", slots=2, undivided=True)
SESSION = Session(id="s", pid=1, started=0.0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "llmos.db")
    yield store
    store.close()


def task(store: Store) -> str:
    return store.accept(Request(id=uuid.uuid4().hex, text="x", session=SESSION)).id


def step(name: str, task_id: str, priority: int = 50, after: tuple[str, ...] = ()) -> Step:
    options = {"engine": Option(duration=5.0)}
    return Step(name, options, task=task_id, notebook="s", priority=priority, after=after, preemptible=True)


def scheduled(store: Store, play: Callable[[Schedule], Awaitable[None]]) -> list[StepRecord]:
    """Play something on a schedule; the account it leaves."""

    async def run() -> None:
        schedule = Schedule(StepStore(store), Events(), [ENGINE])
        try:
            await play(schedule)
        finally:
            await schedule.close()

    asyncio.run(run())
    return StepStore(store).since(0.0)


async def soon() -> None:
    await asyncio.sleep(0.02)


def test_a_higher_class_has_the_engine_to_itself(store: Store) -> None:
    told: list[str] = []

    def starts(start: Start) -> None:
        told.append(f"start {start.step}")

    def gives_way(yield_: Yield) -> None:
        told.append(f"yield {yield_.step}")

    async def play(schedule: Schedule) -> None:
        for name in ("low 1", "low 2"):
            schedule.add(step(name, task(store), LOW), "generation", starts, gives_way)
        await soon()
        schedule.add(step("now", task(store), INTERACTIVE), "generation", starts, gives_way)
        await soon()
        assert told == ["start low 1", "start low 2", "yield low 1", "yield low 2"]
        for name in ("low 1", "low 2"):
            schedule.paused(name, left=0.5)
        await soon()
        assert told[4:] == ["start now"]
        assert "more urgent" in schedule.why("low 1")
        schedule.ended("now")
        await soon()
        assert sorted(told[5:]) == ["start low 1", "start low 2"]
        for name in ("low 1", "low 2"):
            schedule.ended(name)

    records = {record.id: record for record in scheduled(store, play)}
    assert [record.state for record in records.values()] == ["done"] * 3
    assert len(records["low 1"].spans) == 2
    assert all(span.end is not None for record in records.values() for span in record.spans)
    (text,) = explain(store.tasks()[0], [records["low 1"]], lambda name: "", "qwen")
    assert "qwen wrote on engine" in text
    assert "gave way 1 time" in text
    assert "predicted: 5.0 s" in text


def test_what_waits_for_a_step_that_fails_is_dropped_and_told(store: Store) -> None:
    async def play(schedule: Schedule) -> None:
        first = task(store)
        schedule.add(step("a", first), "run", lambda start: None)
        schedule.add(step("b", task(store), after=("a",)), "run", lambda start: None)
        schedule.add(step("c", task(store), after=("b",)), "run", lambda start: None)
        await soon()
        assert schedule.dependents("a") == ["b"]
        with pytest.raises(LLMOSError, match="cannot be held"):
            schedule.hold("b")
        assert [one.step for one in schedule.ended("a", "failed")] == ["b", "c"]
        assert not schedule.knows("c")

    assert [record.state for record in scheduled(store, play)] == ["failed", "failed", "failed"]


def test_a_held_step_starts_when_it_is_released(store: Store) -> None:
    started: list[str] = []

    async def play(schedule: Schedule) -> None:
        schedule.add(step("a", task(store)), "run", lambda start: started.append("first"))
        schedule.hold("a")
        await soon()
        assert started == []
        assert "held" in schedule.waits_for("a")
        schedule.reprioritise("a", 70)
        schedule.release("a", lambda start: started.append("second"))
        await soon()
        assert started == ["second"]
        schedule.cancel("a")

    (record,) = scheduled(store, play)
    assert (record.state, record.priority) == ("cancelled", 70)


def test_a_daemon_that_was_killed_leaves_no_step_open(store: Store) -> None:
    made = [
        StepRecord(id=name, task=task(store), kind="run", state=state, created=time.time(), spans=spans)  # type: ignore[arg-type]
        for name, state, spans in (("a", "running", [Span(start=5.0)]), ("b", "waiting", []), ("c", "done", []))
    ]
    steps = StepStore(store)
    steps.save(made)

    async def start() -> None:
        await Schedule(steps, Events(), [ENGINE]).start()

    asyncio.run(start())
    found = {record.id: record for record in steps.since(0.0)}
    assert [found[name].state for name in "abc"] == ["failed", "failed", "done"]
    assert found["a"].spans[0].end == 5.0
    assert "daemon ended" in found["a"].why


def test_steps_go_with_their_tasks_and_old_ones_by_themselves(store: Store) -> None:
    gone, kept = task(store), task(store)
    store.move(gone, "done")
    steps = StepStore(store)
    steps.save([StepRecord(id=name, task=name, kind="run", created=1.0) for name in (gone, kept, "unknown")])
    assert {record.id for record in steps.since(0.0)} == {gone, kept}
    assert store.remove_older(time.time() + 1) == 1
    assert store.remove_older(time.time() + 1) == 0
    assert [record.id for record in steps.since(0.0)] == [kept]


def test_a_trace_shows_lanes_and_what_gave_way() -> None:
    def record(name: str, *spans: tuple[float, float]) -> StepRecord:
        made = [Span(start=start, end=end) for start, end in spans]
        return StepRecord(
            id=name, task=name, kind="generation", resource="engine", created=0.0, spans=made,
            planned=Span(start=1.0, end=2.0),
        )  # fmt: skip

    events = chrome_trace([record("a", (1.0, 2.0), (3.0, 4.0)), record("b", (1.5, 3.5))], {"a": "1 mean"})[
        "traceEvents"
    ]
    ran = [event for event in events if event["ph"] == "X" and event["pid"] == 1]
    assert [(event["ts"], event["dur"]) for event in ran] == [(1e6, 1e6), (1.5e6, 2e6), (3e6, 1e6)]
    assert ran[0]["tid"] == ran[2]["tid"] != ran[1]["tid"]
    assert ran[0]["name"] == "1 mean: generation"
    assert [event["ts"] for event in events if event["ph"] == "i"] == [2e6]
    assert len({event["tid"] for event in events if event["ph"] == "X" and event["pid"] == 2}) == 2
