"""All steps of the daemon on one list scheduler: what waits, what runs, where, since when and why.

Whoever has a step adds it with what to call when it may start, and says when it has ended. The scheduler decides each
time something happens; now and then a better plan is looked for (`planner`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from llmos_jupyter.daemon.events import Events
from llmos_jupyter.daemon.stores.step_store import StepStore
from llmos_jupyter.daemon.work.planner import Planner
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import RehearsalRecord, RunRecord, Span, StepKind, StepRecord, StepState, Task
from llmos_jupyter.scheduling.dispatch.online import ListScheduler
from llmos_jupyter.scheduling.dispatch.ready import Rank
from llmos_jupyter.scheduling.dispatch.waiting_room import Dropped
from llmos_jupyter.scheduling.policy import Start, Yield
from llmos_jupyter.scheduling.problem import Resource, Step, check_step

log = logging.getLogger(__name__)

# Seconds between two decisions when nothing happens: aging, deadlines.
TICK = 1.0
# Seconds for which changes of steps are gathered before they are written to disk.
GATHER = 0.25


@dataclass
class _Entry:
    step: Step
    record: StepRecord
    start: Callable[[Start], None]
    give_way: Callable[[Yield], None] | None
    asked: bool = False


class Schedule:
    """Steps and resources of one daemon. All methods belong to its event loop."""

    def __init__(self, steps: StepStore, events: Events, resources: Sequence[Resource]) -> None:
        self._steps = steps
        self._events = events
        self._scheduler = ListScheduler(resources, now=time.monotonic())
        self._planner = Planner()
        self._entries: dict[str, _Entry] = {}
        self._changed: dict[str, StepRecord] = {}
        self._awake = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []
        self._closed = False

    # --- life -------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take up the account where an earlier daemon left it."""
        await asyncio.to_thread(self._steps.end_open, "the daemon ended while it ran")

    def stop(self) -> None:
        """Start nothing any more: what waits, waits for the next daemon."""
        self._closed = True
        self.wake()

    async def close(self) -> None:
        # Told, and not only cancelled: before Python 3.12 `wait_for` loses a cancellation that comes with its result.
        self.stop()
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        self._planner.stop()
        await self._write()

    # --- what happens -----------------------------------------------------------------------

    @property
    def resources(self) -> dict[str, Resource]:
        return dict(self._scheduler.resources)

    def set_resources(self, resources: Sequence[Resource]) -> None:
        """Resources came, went or changed. What runs on one that went is not touched here."""
        self._scheduler.change_resources(resources, time.monotonic())
        self.wake()

    def check(self, step: Step) -> None:
        """Raises LLMOSError if the step could never run."""
        known = [name for name in step.after if name in self._entries]
        check_step(step, self._scheduler.resources, known, time.monotonic())

    def add(
        self,
        step: Step,
        kind: StepKind,
        start: Callable[[Start], None],
        give_way: Callable[[Yield], None] | None = None,
        *,
        p90: float | None = None,
    ) -> None:
        """A step arrives. `start` is called, on the event loop, when it may start; `give_way` when something more
        urgent waits for its place: then it says `paused` as soon as it has stopped.

        Raises LLMOSError if it could never run.
        """
        self._scheduler.add(step, time.monotonic())
        predicted = min(option.duration for option in step.options.values())
        record = StepRecord(
            id=step.id,
            task=step.task,
            kind=kind,
            session=step.notebook,
            priority=int(step.priority),
            after=list(step.after),
            created=time.time(),
            predicted=predicted,
            predicted_p90=p90,
        )
        self._entries[step.id] = _Entry(step, record, start, give_way)
        self._note(record)
        if not self._loops:
            self._loops = [asyncio.create_task(self._decide()), asyncio.create_task(self._keep_writing())]
        self.wake()

    def ended(self, step: str, state: StepState = "done") -> list[Dropped]:
        """A running step has ended. Returns what can therefore never run, and why; those are gone as well."""
        now = time.monotonic()
        dropped: list[Dropped] = []
        if state == "done":
            self._scheduler.end(step, now)
        else:
            dropped = self._scheduler.fail(step, now)
        self._leave(step, state)
        return self._drop(dropped)

    def cancel(self, step: str) -> list[Dropped]:
        """A step that waits, is held or runs is taken out. Returns what can therefore never run, and why."""
        if step not in self._entries:
            return []
        dropped = self._scheduler.cancel(step, time.monotonic())
        self._leave(step, "cancelled")
        return self._drop(dropped)

    def paused(self, step: str, *, left: float = 1.0, hold: bool = False) -> None:
        """A running step has stopped with this share of it left; it waits again, `hold`: until it is released."""
        now = time.monotonic()
        self._scheduler.pause(step, now, left=left)
        entry = self._entries[step]
        entry.asked = False
        entry.record.state = "paused" if hold else "waiting"
        _close_span(entry.record)
        if hold:
            self._scheduler.hold(step, now)
        self._note(entry.record)
        self.wake()

    def hold(self, step: str) -> None:
        """A waiting step is not to start until it is released. Raises LLMOSError if it waits for other steps."""
        self._scheduler.hold(step, time.monotonic())
        self._entries[step].record.state = "paused"
        self._note(self._entries[step].record)

    def release(
        self,
        step: str,
        start: Callable[[Start], None] | None = None,
        give_way: Callable[[Yield], None] | None = None,
    ) -> None:
        """A held step may start again; by other calls where they are given."""
        self._scheduler.release(step, time.monotonic())
        entry = self._entries[step]
        entry.record.state = "waiting"
        entry.start, entry.give_way = start or entry.start, give_way or entry.give_way
        self._note(entry.record)
        self.wake()

    def reprioritise(self, step: str, priority: float) -> None:
        """A fraction is the place within its class. Raises LLMOSError if it does not wait."""
        self._scheduler.reprioritise(step, priority, time.monotonic())
        record = self._entries[step].record
        record.priority = int(priority)
        record.planned = None  # until it is planned anew
        self._note(self._entries[step].record)
        self.wake()

    def cores_taken(self, resource: str, reason: str) -> None:
        """The processors are wanted by the model: nothing new starts on this resource, and no plan is improved."""
        self._scheduler.close(resource, reason)
        self._planner.quiet(False)

    def cores_free(self, resource: str) -> None:
        self._scheduler.open(resource)
        self._planner.quiet(True)
        self.wake()

    def note_kernel(self, task: Task, record: RehearsalRecord | RunRecord) -> None:
        """A step that was never scheduled has happened: code in a notebook's own kernel, or in a copy of it."""
        rehearsed = isinstance(record, RehearsalRecord)
        seconds = record.rehearsal.seconds if isinstance(record, RehearsalRecord) else record.run.seconds
        now = time.time()
        self._note(
            StepRecord(
                id=f"{task.id}/{record.type}-{record.round}-{record.index}-{now:.3f}",
                task=task.id,
                kind="rehearsal" if rehearsed else "kernel",
                resource=f"kernel of {Path(task.session.notebook).name or task.session.id}",
                state="done",
                session=task.session.id,
                priority=task.options.priority,
                created=now - seconds,
                spans=[Span(start=now - seconds, end=now)],
            )
        )
        if not self._loops:
            self._loops = [asyncio.create_task(self._decide()), asyncio.create_task(self._keep_writing())]

    # --- what is asked ----------------------------------------------------------------------

    def knows(self, step: str) -> bool:
        return step in self._entries

    def wanted(self) -> set[str]:
        """What the steps that have not ended can run on."""
        return {name for entry in list(self._entries.values()) for name in entry.step.options}

    def dependents(self, step: str) -> list[str]:
        """The steps that wait for this one."""
        return [name for name, entry in self._entries.items() if step in entry.step.after]

    def waiting(self) -> int:
        return self._scheduler.waiting()

    def waiting_of(self, kind: StepKind) -> int:
        """How many steps of a kind wait."""
        records = [entry.record for entry in list(self._entries.values())]
        return sum(record.kind == kind and record.state == "waiting" for record in records)

    def why(self, step: str) -> str:
        """What a step waits for, or since when it runs, as one sentence."""
        return self._scheduler.why(step, time.monotonic())

    def waits_for(self, step: str) -> str:
        """The same in a few words, and at less cost: for lists."""
        entry = self._entries[step]
        return entry.record.why if entry.record.state == "running" else self._scheduler.waits_for(step)

    def ahead(self, step: str) -> tuple[int, float | None]:
        """How many steps of its kind come before one that waits, as things stand, and when it is planned to start
        (seconds since the epoch)."""
        own = self._entries[step].record
        planned = own.planned.start if own.planned else None

        def before(other: StepRecord) -> bool:
            if other.id == own.id or other.kind != own.kind:
                return False
            if other.state == "running":
                return True
            earlier = other.planned is not None and planned is not None and other.planned.start < planned
            return other.state == "waiting" and (earlier or (planned is None and other.priority > own.priority))

        return sum(before(entry.record) for entry in self._entries.values()), planned

    def ranks(self) -> dict[str, Rank]:
        """What the steps that could start are ordered by, besides plans; less is earlier."""
        return self._scheduler.ranks()

    def open_steps(self) -> list[StepRecord]:
        """The steps that wait or run now, planned as things stand."""
        return [entry.record for entry in self._entries.values()]

    async def steps(self, *, task: str | None = None, since: float = 0.0) -> list[StepRecord]:
        """The steps of a task, or those that changed after a moment, as they are now."""
        await self._write()
        if task is not None:
            return await asyncio.to_thread(self._steps.of_task, task)
        return await asyncio.to_thread(self._steps.since, since)

    # --- deciding ---------------------------------------------------------------------------

    def wake(self) -> None:
        self._awake.set()

    async def _decide(self) -> None:
        """Decide whenever something happened, and now and then without."""
        while not self._closed:
            self._awake.clear()
            try:
                self._act()
            except LLMOSError as error:
                log.error("%s", error)
            except Exception:  # whatever it is, the queue must go on
                log.exception("a decision failed")
            try:
                await asyncio.wait_for(self._awake.wait(), TICK)
            except asyncio.TimeoutError:
                continue

    def _act(self) -> None:
        if self._closed:
            return
        now = time.monotonic()
        if (plan := self._planner.found()) is not None:
            self._scheduler.follow(plan, now)
        decision = self._scheduler.decide(now)
        for start in decision.starts:
            entry = self._entries[start.step]
            record = entry.record
            record.state, record.resource = "running", start.resource
            record.why = f"Started on {start.resource}: {start.reason}."
            record.spans.append(Span(start=time.time()))
            self._note(record)
            entry.start(start)
        for yield_ in decision.yields:
            entry = self._entries[yield_.step]
            if entry.give_way is not None and not entry.asked:
                entry.asked = True
                entry.give_way(yield_)
        self._plan(now)

    def _plan(self, now: float) -> None:
        """Say when each of the next steps will run, as things stand."""
        offset = time.time() - now
        for place in self._planner.plan(self._scheduler, now).values():
            entry = self._entries.get(place.step)
            if entry is not None and entry.record.state == "waiting":
                entry.record.planned = Span(start=place.start + offset, end=place.end + offset)
                self._changed[entry.record.id] = entry.record

    # --- the account ------------------------------------------------------------------------

    def _leave(self, step: str, state: StepState) -> None:
        entry = self._entries.pop(step)
        entry.record.state = state
        _close_span(entry.record)
        self._note(entry.record)
        self.wake()

    def _drop(self, dropped: list[Dropped]) -> list[Dropped]:
        for one in dropped:
            self._leave(one.step, "failed")
        return dropped

    def _note(self, record: StepRecord) -> None:
        self._changed[record.id] = record
        self._planner.changed()

    async def _keep_writing(self) -> None:
        while not self._closed:
            await asyncio.sleep(GATHER)
            await self._write()

    async def _write(self) -> None:
        if not self._changed:
            return
        records = [record.model_copy(deep=True) for record in self._changed.values()]
        self._changed.clear()
        try:
            await asyncio.to_thread(self._steps.save, records)
        except LLMOSError as error:  # a full disk: the tasks' own states are what matters
            log.error("steps could not be stored: %s", error)
        self._events.notify()


def _close_span(record: StepRecord) -> None:
    if record.spans and record.spans[-1].end is None:
        record.spans[-1].end = max(time.time(), record.spans[-1].start)
