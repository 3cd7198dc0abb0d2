"""Background tasks in the daemon: the schedule says when and where, a pool runs, the store keeps what happens."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from llmos_jupyter.daemon.events import Events
from llmos_jupyter.daemon.stores import task_lists
from llmos_jupyter.daemon.stores.job_store import JobStore
from llmos_jupyter.daemon.stores.learned import Learned
from llmos_jupyter.daemon.stores.store import Store, UnknownTask, is_final
from llmos_jupyter.daemon.work import job_files
from llmos_jupyter.daemon.work.gathering import Gatherer
from llmos_jupyter.daemon.work.job_steps import JobSteps
from llmos_jupyter.daemon.work.pools import WORKERS, Pools
from llmos_jupyter.daemon.work.schedule import TICK, Schedule
from llmos_jupyter.daemon.work.standstill import Standstill
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Finish, Queued, Request, Task, TaskState
from llmos_jupyter.protocol.jobs import Ended, EndState, Job, Started, StoredOutput, WorkerItem
from llmos_jupyter.scheduling.dispatch.waiting_room import Dropped
from llmos_jupyter.scheduling.policy import Start

log = logging.getLogger(__name__)

_ENDED = "the daemon ended while it ran: `%llmos retry {number}` runs it again"
_HALF_ACCEPTED = "the daemon ended while it was being accepted: run its cell again"
_IDENTIFIER = re.compile(r"\b[0-9a-f]{32}\b")


@dataclass
class _Running:
    """A job in its worker. `thinks`: its code asks the model for code, and does not run any of its own yet. `broken`:
    it was paused, so that how long it took says nothing."""

    task: asyncio.Task[None]
    resource: str
    began: float = field(default_factory=time.monotonic)
    broken: bool = False
    thinks: bool = False
    paused: bool = False


class Jobs:
    """Accepts, runs and ends background tasks. All methods belong to the daemon's event loop."""

    def __init__(
        self,
        store: Store,
        events: Events,
        schedule: Schedule,
        pools: Pools,
        learned: Learned,
        ended: Callable[[Task], Awaitable[None]],
    ) -> None:
        """`ended` is told of each task that has ended by itself."""
        self._store = store
        self._ended = ended
        self._events = events
        self._schedule = schedule
        self._pools = pools
        self.jobs = JobStore(store)
        self.steps = JobSteps(store, self.jobs, schedule, pools, learned)
        self._running: dict[str, _Running] = {}
        self.standstill = Standstill(schedule, pools, self)
        self._closing = False

    # --- life -------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take up what an earlier daemon left: what waited waits again, what ran is told as ended by accident."""
        await asyncio.to_thread(job_files.remove_old)
        waiting: dict[str, tuple[Task, Job]] = {}
        placed: dict[str, float] = {}
        refused: list[tuple[Task, LLMOSError]] = []
        for task in await asyncio.to_thread(lambda: list(self.jobs.open_jobs())):
            try:
                timeline = await asyncio.to_thread(self.jobs.timeline, task.id)
                job = await asyncio.to_thread(self.jobs.job, task.id)
            except LLMOSError:
                refused.append((task, LLMOSError(_HALF_ACCEPTED)))
                continue
            if task.state == "running" or (task.state == "paused" and timeline.started):
                await asyncio.to_thread(self._store.move, task.id, "failed", _ENDED.format(number=task.number))
                continue
            if timeline.priority is not None:
                task.options.priority, placed[task.id] = int(timeline.priority), timeline.priority
            waiting[task.id] = task, job
        for task, job in waiting.values():  # without an await: nothing may start before all are in their places
            try:
                self._enqueue(task, job)
                if task.id in placed:
                    self._schedule.reprioritise(task.id, placed[task.id])
                if task.state == "paused":
                    self._schedule.hold(task.id)
            except LLMOSError as error:
                refused.append((task, error))
        for task, refusal in refused:
            await asyncio.to_thread(self._store.move, task.id, "failed", str(refusal))
        self._events.notify()

    async def close(self) -> None:
        self._closing = True
        await self._pools.close()
        await asyncio.gather(*(running.task for running in self._running.values()), return_exceptions=True)

    async def remove_forgotten(self) -> None:
        """What jobs were given whose tasks are no longer in the database."""
        await asyncio.to_thread(job_files.remove_unless, self.jobs.has)

    @property
    def busy(self) -> bool:
        return bool(self._running) or self._schedule.waiting() > 0

    # --- what clients ask -------------------------------------------------------------------

    async def submit(self, request: Request, job: Job) -> Task:
        """Accept a job. Raises LLMOSError, and accepts nothing, if it could never run."""
        self._schedule.check(self.steps.step(request.id, request.session.id, request.options, job))
        task = await asyncio.to_thread(self.jobs.accept, request, job)
        if task.state == "accepted" and task.id not in self._running and not self._schedule.knows(task.id):
            self._enqueue(task, job)
        self._events.notify()
        return task

    async def cancel(self, task: Task) -> Task:
        """End a task that waits or runs."""
        if is_final(task):
            return task
        ended = await asyncio.to_thread(self._store.move, task.id, "cancelled", "cancelled by the user")
        running = self._running.get(task.id)
        if running is not None:
            await self._pools.cancel(task.id)
        else:
            await self._drop(self._schedule.cancel(task.id))
        self._events.notify()
        return ended

    async def reprioritise(self, task: Task, priority: int) -> Task:
        self._schedule.reprioritise(task.id, priority)
        await asyncio.to_thread(self.jobs.note, task.id, priority=priority)
        self._events.notify()
        return self._store.task(task.id)

    async def place(self, task: Task, before: Task | None) -> Task:
        """Put a task that waits right before another one that waits, or behind all of its class: the user's order.

        Those that were ahead of its new place in the same class stay ahead of it: they are given places too.
        """
        if task.id == (before.id if before else ""):
            return task
        steps = task_lists.steps_by_task(self._schedule)

        def movable(other: Task) -> bool:
            return other.id in steps and steps[other.id].state == "waiting" and other.in_background

        for other in (task, before):
            if other is not None and not movable(other):
                raise LLMOSError(f"Task {other.number} does not wait in the queue any more: nothing was moved.")
        numbers = await asyncio.to_thread(task_lists.queue_order, self._store, steps, self._schedule.ranks())
        queued = await asyncio.to_thread(task_lists.by_number, self._store, numbers)
        level = steps[before.id if before else task.id].priority
        # What waits for others is placed when it can start.
        order = [other.id for other in queued if movable(other) and steps[other.id].priority == level]
        places = task_lists.places(order, task.id, before.id if before else None, level)
        for name, place in places.items():
            self._schedule.reprioritise(name, place)
        await asyncio.to_thread(self.jobs.note_places, places)
        self._events.notify()
        return self._store.task(task.id)

    async def pause(self, task: Task) -> Task:
        """Let a task that waits go on waiting until it is resumed, and one that runs stand still."""
        if task.state == "paused":
            return task
        if is_final(task):
            raise LLMOSError(f"Task {task.number} is {task.state}: there is nothing to pause.")
        running = self._running.get(task.id)
        if running is None:
            self._schedule.hold(task.id)
        else:
            if running.resource != WORKERS:
                raise LLMOSError(f"Task {task.number} runs on a cluster, where it cannot stand still: cancel it.")
            running.paused = running.broken = True
            self._pools.pause([task.id], True)
            self._schedule.paused(task.id, hold=True)
        return await asyncio.to_thread(self._store.move, task.id, "paused", "paused by the user")

    async def resume(self, task: Task) -> Task:
        """Let a task that was paused wait for its turn again."""
        if task.state != "paused":
            raise LLMOSError(f"Task {task.number} is {task.state}: only what is paused is resumed.")
        task = await asyncio.to_thread(self._store.move, task.id, "accepted")
        self._schedule.release(task.id)
        self._events.notify()
        return task

    async def retry(self, task: Task) -> Task:
        """Run a job that failed or was cancelled once more, as it was submitted."""
        if not is_final(task) or task.state == "done":
            raise LLMOSError(
                f"Request {task.number} is {task.state}: only what failed or was cancelled is tried again."
            )
        job = await asyncio.to_thread(self.jobs.job, task.id)
        if task.id in self._running:
            raise LLMOSError(f"Request {task.number} is still ending: try again in a moment.")
        if job.variables and not Path(job.variables.folder).is_dir():
            raise LLMOSError(f"What request {task.number} was given is no longer kept: run its cell again.")
        await asyncio.to_thread(self.jobs.begin_anew, task.id)
        again = await asyncio.to_thread(self._store.reopen, task.id)
        self._enqueue(again, job, after=())
        self._events.notify()
        return again

    async def queue(self, limit: int, offset: int = 0) -> list[Queued]:
        """A window of the tasks that have not ended: those that run, then those that wait, in the order in which they
        are planned, then by their classes; then those that are paused."""
        now = task_lists.steps_by_task(self._schedule)
        order = await asyncio.to_thread(task_lists.queue_order, self._store, now, self._schedule.ranks())
        window = order[offset : offset + limit]
        tasks = await asyncio.to_thread(task_lists.by_number, self._store, window)
        return [
            Queued.of(
                task,
                now.get(task.id),
                why=self.in_numbers(self._schedule.waits_for(now[task.id].id)) if task.id in now else "",
                more=max(0, len(order) - offset - limit),
            )
            for task in tasks
        ]

    def may_stand_still(self) -> list[str]:
        """The jobs that run code: those whose loop waits for the model must go on hearing it."""
        return [name for name, job in self._running.items() if not job.thinks]

    def may_go_on(self) -> list[str]:
        return [name for name, job in self._running.items() if not job.paused]

    def runs_its_code(self, task_id: str) -> None:
        """A request in words has come so far that its code runs in its worker, like any other."""
        if task_id in self._running:
            self._running[task_id].thinks = False
            if self.standstill.still:
                self._pools.pause([task_id], True)

    async def outputs(self, task_id: str, after: int) -> AsyncGenerator[StoredOutput | Ended, None]:
        """What a job shows, from a number on; the last is its end."""
        last = after
        while True:
            task = await asyncio.to_thread(self._store.task, task_id)
            stored = await asyncio.to_thread(self.jobs.outputs, task_id, last)
            for output in stored:
                yield output
                last = output.id
            if stored:
                continue
            if is_final(task) and task_id not in self._running:
                ended = await asyncio.to_thread(self.jobs.ended, task_id)
                state: EndState = "cancelled" if task.state == "cancelled" else "failed"
                yield ended or Ended(state=state, message=task.reason)
                return
            await self._events.wait(TICK)

    # --- deciding and running ---------------------------------------------------------------

    def _enqueue(self, task: Task, job: Job, after: tuple[str, ...] | None = None) -> None:
        step = self.steps.step(task.id, task.session.id, task.options, job, after, task.created)
        p90 = min(self.steps.predict(name, job).p90 for name in step.options)
        self._schedule.add(step, "run", self._begin, p90=p90)

    def _begin(self, start: Start) -> None:
        """The schedule lets a job begin, or go on."""
        running = self._running.get(start.step)
        if running is None:
            self._running[start.step] = _Running(asyncio.create_task(self._run(start)), start.resource)
            return
        running.paused = False
        self._pools.pause([start.step], self.standstill.still and not running.thinks)
        task = asyncio.create_task(asyncio.to_thread(self._store.move, start.step, "running"))
        task.add_done_callback(lambda _: self._events.notify())

    async def _run(self, start: Start) -> None:
        task_id = start.step
        ended = Ended(state="failed", message="The daemon failed: see its log.")
        try:
            job = await asyncio.to_thread(self.jobs.job, task_id)
            task = await asyncio.to_thread(self._store.move, task_id, "running")
            if is_final(task):  # cancelled in between
                ended = Ended(state="cancelled", message=task.reason)
                return
            await asyncio.to_thread(lambda: self.jobs.note(task_id, started=time.time()))
            self._events.notify()
            self._running[task_id].thinks = job.lock_later
            placed = await self._pools.place(job, task.options, start.resource)
            if is_final(await asyncio.to_thread(self._store.task, task_id)):  # cancelled before it had its place
                ended = Ended(state="cancelled", message="The task was cancelled.")
                return
            gathered = Gatherer(lambda item: self._store_output(task_id, item))
            async with contextlib.aclosing(self._pools.run(placed)) as items:
                async for item in items:
                    if isinstance(item, Ended):
                        ended = item
                        continue
                    if isinstance(item, Started) and self.standstill.still and not job.lock_later:
                        self._pools.pause([task_id], True)
                    await gathered.add(item)
            await gathered.flush()
        except LLMOSError as error:
            ended = Ended(state="failed", message=str(error))
        except Exception as error:
            log.exception("task %s failed in the daemon", task_id)
            ended = Ended(state="failed", message=f"The daemon failed ({type(error).__name__}): see its log.")
        finally:
            self._pools.release(task_id)
            await self._end(task_id, start.resource, ended)

    async def _end(self, task_id: str, resource: str, ended: Ended) -> None:
        finish = _finish(ended)
        if self._closing and ended.state == "cancelled":
            number = (await asyncio.to_thread(self._store.task, task_id)).number
            finish = Finish(state="failed", reason=_ENDED.format(number=number))
            ended = ended.model_copy(update={"state": "failed", "message": finish.reason})
        try:
            if ended.answered is not None:
                for record in ended.answered.records:
                    await asyncio.to_thread(self._store.add_record, task_id, record)
            await asyncio.to_thread(lambda: self.jobs.note(task_id, ended=time.time()))
            await asyncio.to_thread(self.jobs.end, task_id, ended)
            task = await asyncio.to_thread(self._store.finish, task_id, finish)
        except LLMOSError as error:
            log.error("the end of task %s could not be stored: %s", task_id, error)
        else:
            finish.state = task.state if task.state in ("done", "failed", "cancelled") else finish.state
            if ended.state in ("done", "failed", "died") and ended.seconds:
                job = await asyncio.to_thread(self.jobs.job, task_id)
                ran = self._running[task_id]
                seconds = None if ran.broken else time.monotonic() - ran.began
                await asyncio.to_thread(self.steps.learn, task, job, resource, ended, seconds)
            await self._ended(task)
        del self._running[task_id]
        if finish.state == "done":
            await self._hand_on(task_id, ended)
            self._schedule.ended(task_id)
            await asyncio.to_thread(lambda: job_files.remove_variables(self.jobs.job(task_id)))
        else:
            await self._drop(self._schedule.ended(task_id, finish.state))
        self._events.notify()

    async def _hand_on(self, task_id: str, ended: Ended) -> None:
        """What a task made is given to those that waited for it, over what their notebook had when it sent them."""
        results = ended.results
        if results is None:
            return
        for name in self._schedule.dependents(task_id):
            try:
                await asyncio.to_thread(self.jobs.give, name, results)
            except (LLMOSError, OSError) as error:
                log.error("task %s is not given the results of %s: %s", name, task_id, error)

    async def _drop(self, dropped: list[Dropped]) -> None:
        """Tasks that can never run because what they waited for did not end well."""
        for one in dropped:
            await asyncio.to_thread(self._store.move, one.step, "failed", self.in_numbers(one.reason))
        self._events.notify()

    def in_numbers(self, sentence: str) -> str:
        """A sentence of the scheduler's with the tasks' numbers instead of their identifiers."""
        for name in set(_IDENTIFIER.findall(sentence)):
            with contextlib.suppress(UnknownTask):
                sentence = sentence.replace(name, f"task {self._store.task(name).number}")
        return sentence

    async def _store_output(self, task_id: str, item: WorkerItem) -> None:
        try:
            await asyncio.to_thread(self.jobs.add_output, task_id, item)
        except LLMOSError as error:  # a full disk: what it showed is lost, what it does goes on
            log.error("an output of task %s could not be stored: %s", task_id, error)
        self._events.notify()


def _finish(ended: Ended) -> Finish:
    """How a task ended whose worker ended so."""
    if ended.state == "done" and ended.answered is not None:
        return ended.answered.finish
    state: TaskState = "failed" if ended.state == "died" else ended.state
    return Finish(state=state, reason=ended.message)
