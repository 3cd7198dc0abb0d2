"""Background tasks in the daemon: the list scheduler decides, a pool runs, the store keeps what happens."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path

import psutil

from llmos_jupyter import config, paths
from llmos_jupyter.daemon.events import Events
from llmos_jupyter.daemon.job_store import JobStore
from llmos_jupyter.daemon.store import Store, is_final
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Options, Request, Task, TaskState
from llmos_jupyter.scheduling.online import ListScheduler
from llmos_jupyter.scheduling.problem import Option, Resource, Step, check_step
from llmos_jupyter.scheduling.waiting_room import Dropped
from llmos_jupyter.workers import Pool
from llmos_jupyter.workers.local import LocalPool
from llmos_jupyter.workers.messages import Ended, EndState, Job, StoredOutput, Stream, WorkerItem

log = logging.getLogger(__name__)

MACHINE, WORKERS = "this machine", "workers"
# Seconds that a cell is taken to last before anything is known of it; the scheduler corrects itself as it overruns.
UNKNOWN_SECONDS = 10.0
# Share of the memory that background cells may be promised together.
MEMORY_SHARE = 0.8
# Seconds between two decisions when nothing happens: aging, deadlines.
TICK = 1.0
# Seconds that long cells stand still at the most while the model writes: nothing starves.
MOST_STILL = 30.0
# Seconds for which the variables of a job that failed are kept.
KEPT = 7 * 86400.0
# Text that comes in small pieces is stored in larger ones: seconds for which it is gathered.
GATHER = 0.1


class Jobs:
    """Accepts, schedules, runs and ends background tasks. All methods belong to the daemon's event loop."""

    def __init__(self, store: Store, events: Events, pool: Pool | None = None) -> None:
        self._store = store
        self._events = events
        self.jobs = JobStore(store)
        cores = psutil.cpu_count(logical=True) or 1
        self._pool: Pool = pool or LocalPool(size=cores)
        self._scheduler = ListScheduler(
            [
                Resource(MACHINE, slots=10_000, cores=cores, memory=psutil.virtual_memory().total * MEMORY_SHARE),
                Resource(WORKERS, slots=cores, within=MACHINE),
            ],
            now=time.monotonic(),
        )
        self._running: dict[str, asyncio.Task[None]] = {}
        self._awake = asyncio.Event()
        self._deciding: asyncio.Task[None] | None = None
        self._generations = 0
        self._still = False
        self._going_on: asyncio.TimerHandle | None = None

    # --- life -------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take up what an earlier daemon left: what waited waits again, what ran is told as ended by accident."""
        await asyncio.to_thread(_remove_old)
        for task in await asyncio.to_thread(lambda: list(self.jobs.open_jobs())):
            if task.state == "running":
                reason = f"the daemon ended while it ran: `%llmos retry {task.number}` runs it again"
                await asyncio.to_thread(self._store.move, task.id, "failed", reason)
                continue
            try:
                self._enqueue(task, await asyncio.to_thread(self.jobs.job, task.id))
            except LLMOSError as error:
                await asyncio.to_thread(self._store.move, task.id, "failed", str(error))
        self._events.notify()

    async def close(self) -> None:
        if self._deciding is None:
            return
        self._deciding.cancel()
        await self._pool.close()
        await asyncio.gather(self._deciding, *self._running.values(), return_exceptions=True)

    async def remove_forgotten(self) -> None:
        """What jobs were given whose tasks are no longer in the database."""
        await asyncio.to_thread(_remove_variables_unless, self.jobs.has)

    @property
    def busy(self) -> bool:
        return bool(self._running) or self._scheduler.waiting() > 0

    # --- what clients ask -------------------------------------------------------------------

    async def submit(self, request: Request, job: Job) -> Task:
        """Accept a job. Raises LLMOSError, and accepts nothing, if it could never run."""
        step = self._step(request.id, request.session.id, request.options, job)
        self._check(step)
        task = await asyncio.to_thread(self.jobs.accept, request, job)
        if task.state == "accepted" and task.id not in self._running:
            self._enqueue(task, job)
        self._events.notify()
        return task

    async def cancel(self, task: Task) -> Task:
        """End a task that waits or runs."""
        if is_final(task):
            return task
        ended = await asyncio.to_thread(self._store.move, task.id, "cancelled", "cancelled by the user")
        if task.id in self._running:
            await self._pool.cancel(task.id)
        else:
            await self._drop(self._scheduler.cancel(task.id, time.monotonic()))
        self._events.notify()
        self._awake.set()
        return ended

    async def reprioritise(self, task: Task, priority: int) -> Task:
        self._scheduler.reprioritise(task.id, priority, time.monotonic())
        await asyncio.to_thread(self.jobs.note, task.id, priority=priority)
        self._events.add("task.priority", task.id, priority=priority)
        self._awake.set()
        return self._store.task(task.id)

    async def retry(self, task: Task) -> Task:
        """Run a job that failed or was cancelled once more, as it was submitted."""
        if not is_final(task) or task.state == "done":
            raise LLMOSError(
                f"Request {task.number} is {task.state}: only what failed or was cancelled is tried again."
            )
        job = await asyncio.to_thread(self.jobs.job, task.id)
        if job.variables and not Path(job.variables.folder).is_dir():
            raise LLMOSError(f"What request {task.number} was given is no longer kept: run its cell again.")
        await asyncio.to_thread(self.jobs.begin_anew, task.id)
        again = await asyncio.to_thread(self._store.reopen, task.id)
        self._enqueue(again, job, after=())
        self._events.notify()
        return again

    def why(self, task: Task) -> str:
        """What it waits for, since when it runs, or how it went, in a few sentences."""
        timeline = self.jobs.timeline(task.id)
        if not is_final(task):
            now = self._scheduler.why(task.id, time.monotonic())
            return f"{timeline.why} {now}".strip()
        took = f" It waited {timeline.waited:.1f} s and ran {timeline.ran:.1f} s" if timeline.started else ""
        predicted = f" (predicted: {timeline.predicted:.1f} s)." if took and timeline.predicted else "."
        return f"{timeline.why}{took}{predicted if took else ''} It is {task.state}. {task.reason}".strip()

    @contextlib.asynccontextmanager
    async def cores_for_generation(self) -> AsyncIterator[None]:
        """While the model writes, long cells of this machine stand still: llama.cpp's threads wait for each other, so
        that one busy neighbour costs them far more than its share. After MOST_STILL seconds they go on beside it."""
        self._generations += 1
        if self._generations == 1 and isinstance(self._pool, LocalPool) and config.load().yield_cores:
            self._stand_still()
        try:
            yield
        finally:
            self._generations -= 1
            if self._generations == 0:
                self._go_on()

    def _stand_still(self) -> None:
        self._still = True
        if isinstance(self._pool, LocalPool):
            self._pool.pause(True)
        self._going_on = asyncio.get_running_loop().call_later(MOST_STILL, self._go_on)

    def _go_on(self) -> None:
        if self._going_on:
            self._going_on.cancel()
        if self._still and isinstance(self._pool, LocalPool):
            self._pool.pause(False)
        self._still = False
        self._awake.set()

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
            if is_final(task):
                ended = await asyncio.to_thread(self.jobs.ended, task_id)
                state: EndState = "cancelled" if task.state == "cancelled" else "failed"
                yield ended or Ended(state=state, message=task.reason)
                return
            await self._events.wait(TICK)

    # --- deciding and running ---------------------------------------------------------------

    def _step(
        self, task_id: str, notebook: str, options: Options, job: Job, after: tuple[str, ...] | None = None
    ) -> Step:
        now = time.monotonic()
        return Step(
            id=task_id,
            options={WORKERS: Option(duration=UNKNOWN_SECONDS)},
            notebook=notebook,
            cores=float(job.limits.cores),
            memory=float(job.limits.memory_bytes or 0),
            gpus=options.gpus,
            deadline=now + options.deadline if options.deadline is not None else None,
            priority=options.priority,
            after=self._unended(options.after) if after is None else after,
        )

    def _unended(self, wanted: list[str]) -> tuple[str, ...]:
        """The tasks of these numbers that have not ended. Raises LLMOSError if one has failed or is not known."""
        open_: list[str] = []
        for key in wanted:
            task = self._store.task(key)
            if task.state in ("failed", "cancelled"):
                raise LLMOSError(f"Request {task.number}, which this is to wait for, is {task.state}: retry it first.")
            if not is_final(task):
                if not self.jobs.has(task.id):
                    raise LLMOSError(f"Request {task.number} is not a background task: only those can be waited for.")
                open_.append(task.id)
        return tuple(open_)

    def _check(self, step: Step) -> None:
        check_step(step, self._scheduler.resources, step.after, time.monotonic())

    def _enqueue(self, task: Task, job: Job, after: tuple[str, ...] | None = None) -> None:
        step = self._step(task.id, task.session.id, task.options, job, after)
        self._scheduler.add(step, time.monotonic())
        if self._deciding is None:
            self._deciding = asyncio.create_task(self._decide())
        self._awake.set()

    async def _decide(self) -> None:
        """Decide whenever something happened, and now and then without."""
        started = False
        while True:
            self._awake.clear()
            try:
                if not started:
                    await self._pool.start()
                    started = True
                # A cell that begins while the model writes would have to stand still at once.
                starts = () if self._still else self._scheduler.decide(time.monotonic()).starts
                for start in starts:
                    self._running[start.step] = asyncio.create_task(self._run(start.step, start.reason, start.duration))
            except LLMOSError as error:
                log.error("%s", error)
            try:
                await asyncio.wait_for(self._awake.wait(), TICK)
            except asyncio.TimeoutError:
                continue

    async def _run(self, task_id: str, why: str, predicted: float) -> None:
        ended = Ended(state="failed", message="The daemon failed: see its log.")
        try:
            job = await asyncio.to_thread(self.jobs.job, task_id)
            now = time.time()
            task = await asyncio.to_thread(self._store.move, task_id, "running")
            if is_final(task):  # cancelled in between
                ended = Ended(state="cancelled", message=task.reason)
                return
            waited = now - task.created
            note = {"started": now, "waited": waited, "why": f"Started on {WORKERS}: {why}.", "predicted": predicted}
            await asyncio.to_thread(lambda: self.jobs.note(task_id, **note))
            self._events.notify()
            gathered = _Gatherer(self, task_id)
            async for item in self._pool.run(job):
                if isinstance(item, Ended):
                    ended = item
                    continue
                await gathered.add(item)
            await gathered.flush()
        except LLMOSError as error:
            ended = Ended(state="failed", message=str(error))
        except Exception as error:
            log.exception("task %s failed in the daemon", task_id)
            ended = Ended(state="failed", message=f"The daemon failed ({type(error).__name__}): see its log.")
        finally:
            await self._end(task_id, ended)

    async def _end(self, task_id: str, ended: Ended) -> None:
        now = time.monotonic()
        del self._running[task_id]
        state: TaskState = ended.state if ended.state != "died" else "failed"
        try:
            await asyncio.to_thread(lambda: self.jobs.note(task_id, ran=ended.seconds, ended=time.time()))
            await asyncio.to_thread(self.jobs.end, task_id, ended)
            await asyncio.to_thread(self._store.move, task_id, state, ended.message)
        except LLMOSError as error:
            log.error("the end of task %s could not be stored: %s", task_id, error)
        if state == "done":
            self._scheduler.end(task_id, now)
            await asyncio.to_thread(lambda: _remove_variables(self.jobs.job(task_id)))
        else:
            await self._drop(self._scheduler.fail(task_id, now))
        self._events.notify()
        self._awake.set()

    async def _drop(self, dropped: list[Dropped]) -> None:
        """Tasks that can never run because what they waited for did not end well."""
        for one in dropped:
            await asyncio.to_thread(self._store.move, one.step, "failed", one.reason)

    async def store_output(self, task_id: str, item: WorkerItem) -> None:
        await asyncio.to_thread(self.jobs.add_output, task_id, item)
        self._events.notify()


class _Gatherer:
    """Puts small pieces of text together before they are stored: a million printed lines are not a million rows."""

    def __init__(self, jobs: Jobs, task_id: str) -> None:
        self._jobs = jobs
        self._task = task_id
        self._text: Stream | None = None
        self._since = 0.0

    async def add(self, item: WorkerItem) -> None:
        if isinstance(item, Stream):
            if self._text and self._text.name == item.name and time.monotonic() - self._since < GATHER:
                self._text.text += item.text
                return
            await self.flush()
            self._text, self._since = item, time.monotonic()
            return
        await self.flush()
        await self._jobs.store_output(self._task, item)

    async def flush(self) -> None:
        if self._text:
            text, self._text = self._text, None
            await self._jobs.store_output(self._task, text)


def _remove_variables(job: Job) -> None:
    """What a job was given is no longer needed; of one that failed it is kept for another try."""
    if job.variables:
        shutil.rmtree(job.variables.folder, ignore_errors=True)


def _remove_variables_unless(known: Callable[[str], bool]) -> None:
    for folder in paths.jobs_dir().glob("*"):
        if not known(folder.name):
            shutil.rmtree(folder, ignore_errors=True)


def _remove_old() -> None:
    """Variables that nobody has asked for within a week."""
    for folder in paths.jobs_dir().glob("*"):
        if time.time() - folder.stat().st_mtime > KEPT:
            shutil.rmtree(folder, ignore_errors=True)
