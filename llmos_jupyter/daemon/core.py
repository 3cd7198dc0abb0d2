"""What the daemon does, without HTTP: puts the store, the engine and the events together.

One class, because the routes call it alone; each method hands on to the room that does the work.

Over 400 lines: all that a route can ask for stands here, in a few lines each.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import time
from collections.abc import AsyncGenerator

from llmos_jupyter import config, paths
from llmos_jupyter._version import __version__
from llmos_jupyter.daemon.advice import waits
from llmos_jupyter.daemon.advice.adviser import STRATEGY, Adviser
from llmos_jupyter.daemon.advice.explain import explain
from llmos_jupyter.daemon.advice.story import tell
from llmos_jupyter.daemon.engines.engine_resources import engine_resources, resource_of
from llmos_jupyter.daemon.engines.engine_room import EngineRoom
from llmos_jupyter.daemon.events import Events
from llmos_jupyter.daemon.live import Live
from llmos_jupyter.daemon.stores.learned import Learned
from llmos_jupyter.daemon.stores.speed_store import SpeedStore
from llmos_jupyter.daemon.stores.step_store import StepStore
from llmos_jupyter.daemon.stores.store import Store, UnknownTask, is_final
from llmos_jupyter.daemon.warmth import Warmth
from llmos_jupyter.daemon.work.generations import Generations
from llmos_jupyter.daemon.work.jobs import Jobs
from llmos_jupyter.daemon.work.measuring import measure
from llmos_jupyter.daemon.work.pools import Pools
from llmos_jupyter.daemon.work.resource_list import describe
from llmos_jupyter.daemon.work.sampling import Sampling, Work
from llmos_jupyter.daemon.work.schedule import Schedule
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import (
    OPEN_STATES,
    PROTOCOL,
    Cancelled,
    CandidateRecord,
    DecisionRecord,
    FeedbackRecord,
    Finish,
    Generation,
    Lesson,
    Progress,
    Record,
    RehearsalRecord,
    Request,
    ResourceInfo,
    RunRecord,
    Session,
    Speed,
    Status,
    Story,
    StreamItem,
    Task,
)
from llmos_jupyter.protocol.jobs import Job
from llmos_jupyter.scheduling.problem import Resource
from llmos_jupyter.system import processes

log = logging.getLogger(__name__)

# Seconds between two looks for what is too old to be kept.
RETENTION_EVERY = 3600.0
# Seconds between two rounds of housekeeping, and how late one must come for the machine to have been asleep.
HOUSEKEEPING = 2.0
# Answers whose waits are added up for `%llmos learned`.
ANSWERS_LOOKED_AT = 100
ASLEEP = 15.0


class Daemon:
    """Tasks, generations and the engine of one user on one machine."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.events = Events()
        self.learned = Learned(store)
        self.speeds = SpeedStore(store)
        self.engines = EngineRoom(
            self._engine_changed,
            self._engine_loaded,
            self._engine_progress,
            self.speeds.written,
            self._threads,
        )
        self.warmth = Warmth(self.engines)
        self.adviser = Adviser(self.learned, self.engines)
        self.pools = Pools()
        self.schedule = Schedule(StepStore(store), self.events, self.pools.resources())
        self.jobs = Jobs(store, self.events, self.schedule, self.pools, self.learned, self.ended)
        self.generations = Generations(
            self.engines,
            self.schedule,
            self.learned,
            self._keep_candidate,
            self.jobs.standstill.while_writing,
            self.warmth.give_way,
            self._engine_of,
        )
        self.sampling = Sampling(store, self._work)
        self.live = Live(store, self.events, self.engines, self.sampling)
        self.started = time.time()
        self.last_activity = time.monotonic()
        self._preparing: asyncio.Task[None] | None = None
        self._owed: dict[str, Finish] = {}

    async def start(self) -> None:
        """Take up what an earlier daemon left."""
        # Its engines ended with it, and what they kept is of no use to others.
        await asyncio.to_thread(shutil.rmtree, paths.states_dir(), ignore_errors=True)
        self._preparing = asyncio.create_task(asyncio.to_thread(self.adviser.prepare))
        await self.schedule.start()
        await self._look_again()
        await self.jobs.start()
        self.sampling.start()

    async def _look_again(self) -> None:
        """What there is to run on may have changed: a cluster was configured, a GPU went away."""
        if await self.pools.refresh():
            self.schedule.set_resources(self._resources())

    def _resources(self, coming: str = "") -> list[Resource]:
        """What steps occupy: the slots of the models that are loaded, or that steps wait for, and where jobs run."""
        return [*engine_resources(self.engines, {coming, *self.schedule.wanted()}), *self.pools.resources()]

    def _engine_of(self, model: str) -> str:
        """What a step of a model occupies: the schedule knows of it from now on."""
        resource = resource_of(model)
        if resource not in self.schedule.resources:
            self.schedule.set_resources(self._resources(resource))
        return resource

    # --- tasks ------------------------------------------------------------------------------

    async def submit(self, request: Request) -> Task:
        request, why = await self.adviser.advise(request)
        task = await asyncio.to_thread(self._submit, request)
        return await self._advised(task, why)

    async def submit_job(self, request: Request, job: Job) -> Task:
        """Accept a background task: Python, or a request in words with all that its worker needs."""
        await self._look_again()
        if request.kind == "run":
            return await self.jobs.submit(request, job)
        request, why = await self.adviser.advise(request)
        return await self._advised(await self.jobs.submit(request, job), why)

    async def _advised(self, task: Task, why: str) -> Task:
        if why:
            decision = DecisionRecord(round=0, decision=STRATEGY, why=why)
            # With a key, so that a request that is sent again is not advised twice.
            await asyncio.to_thread(self.store.add_record, task.id, decision, f"{STRATEGY}-{task.id}")
        self.events.notify()
        return task

    def _submit(self, request: Request) -> Task:
        self._settle()
        # A kernel runs one cell at a time: whatever it left open before this request is over.
        # Two kernels that were given connection files of one name are still two.
        open_before = self.store.tasks(session=request.session.id, states=OPEN_STATES)
        for task in open_before:
            same_kernel = task.session.pid == request.session.pid
            if not task.in_background and task.id != request.id and same_kernel:
                self.store.move(task.id, "cancelled", "its cell ended without a word")
        return self.store.accept(request)

    async def record(self, task_id: str, record: Record, key: str | None) -> None:
        await asyncio.to_thread(self.store.add_record, task_id, record, key)
        if isinstance(record, (RehearsalRecord, RunRecord)):
            await self._note_kernel(task_id, record)
        if isinstance(record, DecisionRecord) and record.decision == "running":
            self.jobs.runs_its_code(task_id)
        if isinstance(record, FeedbackRecord):
            await asyncio.to_thread(lambda: self.adviser.judged(self.store.trace(task_id)))
        self.events.notify()

    async def _note_kernel(self, task_id: str, record: RehearsalRecord | RunRecord) -> None:
        """Code has run in a notebook's kernel, or in a copy of it: a step as well, though nobody scheduled it."""
        task = await asyncio.to_thread(self.store.task, task_id)
        if not task.in_background:  # else it is within a step of its worker
            self.schedule.note_kernel(task, record)

    async def finish(self, task_id: str, finish: Finish) -> Task:
        try:
            task = await asyncio.to_thread(self.store.finish, task_id, finish)
        except UnknownTask:
            raise
        except LLMOSError:
            # The one who reports it is told, but its kernel will not say it twice.
            self._owed[task_id] = finish
            raise
        await self.ended(task)
        self.events.notify()
        return task

    async def ended(self, task: Task) -> None:
        """A request in words has ended: there may be something to learn, and what gave way is not asked for again."""
        self.generations.cancel(task.id)
        if task.kind == "ask":
            await asyncio.to_thread(lambda: self.adviser.learn(self.store.trace(task.id)))

    def _settle(self) -> None:
        """Store the ends of tasks for which there was no room on the disk when they came."""
        for task_id, finish in list(self._owed.items()):
            with contextlib.suppress(UnknownTask):
                self.store.finish(task_id, finish)
            self._owed.pop(task_id, None)

    async def cancel(self, key: str) -> Task:
        """End a task: its generation at once, or, if its kernel is at work on it, by the kernel's own interrupt."""
        task = self.store.task(key)
        if is_final(task):
            return task
        if task.in_background:
            self.generations.cancel(task.id)
            return await self.jobs.cancel(task)
        task = await asyncio.to_thread(self.store.move, task.id, "cancelled", "cancelled by the user")
        self.events.notify()
        if not self.generations.cancel(task.id) and _alive(task.session):
            os.kill(task.session.pid, signal.SIGINT)
        return task

    async def resources(self) -> list[ResourceInfo]:
        """What there is to run on, and how much of it is taken."""
        return await describe(self.pools, await self.engines.status(), self.store)

    async def story(self, task: Task) -> Story:
        """Its trace in words: where its steps ran, why then, what they waited for, and what each record says."""
        steps = await self.schedule.steps(task=task.id)
        trace = await asyncio.to_thread(self.store.trace, task.id)
        models = [r.record.candidate.model for r in trace.records if isinstance(r.record, CandidateRecord)]
        used = await asyncio.to_thread(self.sampling.used, {task.id: task.number})
        why = explain(task, steps, self.schedule.why, models[0] if models else "", used)
        if wait := waits.said(waits.parts(trace, steps)):
            why.append(wait)
        return await asyncio.to_thread(tell, trace, [self.jobs.in_numbers(sentence) for sentence in why])

    async def lessons(self) -> list[Lesson]:
        """What was learned, and what the waits for the last answers were made of."""
        learned = await asyncio.to_thread(self.learned.lessons)
        tasks = await asyncio.to_thread(self.store.tasks, states=("done",), limit=ANSWERS_LOOKED_AT)
        spent = [
            waits.parts(await asyncio.to_thread(self.store.trace, task.id), await self.schedule.steps(task=task.id))
            for task in tasks
            if task.kind == "ask"
        ]
        return [*learned, *waits.lessons(spent)]

    async def pause(self, task: Task) -> Task:
        """Hold a background task; what the model writes for it gives way first."""
        if not task.in_background:
            raise LLMOSError(f"Request {task.number} runs in its notebook: only background tasks are paused.")
        self.generations.hold(task.id)
        task = await self.jobs.pause(task)
        self.events.notify()
        return task

    async def resume(self, task: Task) -> Task:
        if not task.in_background:
            raise LLMOSError(f"Request {task.number} runs in its notebook: only background tasks are paused.")
        return await self.jobs.resume(task)

    async def forget(self, session: str, notebook: str) -> int:
        """Remove the history of a session and of a notebook for good; says how many tasks that were."""
        await self.reap()
        forgotten = await asyncio.to_thread(self.store.forget, session, notebook)
        await self.jobs.remove_forgotten()
        self.learned.forget()
        self.events.notify()
        return forgotten

    async def reap(self) -> None:
        """End the tasks whose kernel is gone."""
        await asyncio.to_thread(self._settle)
        for task in await asyncio.to_thread(self.store.tasks, states=OPEN_STATES, limit=1000):
            if not task.in_background and not _alive(task.session):
                await asyncio.to_thread(self.store.move, task.id, "failed", "the notebook's kernel ended")
                self.generations.cancel(task.id)
                self.events.notify()

    # --- generations ------------------------------------------------------------------------

    async def generate(self, task_id: str, generation: Generation) -> AsyncGenerator[StreamItem, None]:
        """Stream candidates. Each is stored before `done` is sent; closing the iterator stops the engine."""
        task = self.store.task(task_id)
        if is_final(task):
            yield Cancelled(reason=task.reason or f"the request is {task.state}")
            return
        if task.state == "accepted":
            await asyncio.to_thread(self.store.move, task_id, "running")
            self.events.notify()
        async with contextlib.aclosing(self.generations.stream(task, generation)) as items:
            async for item in items:
                self.touch()
                yield item

    async def _keep_candidate(self, task_id: str, record: CandidateRecord) -> None:
        await self.record(task_id, record, None)

    async def measure(self, name: str) -> Speed:
        """How fast a model is here; kept, so that `auto` goes by it."""
        await self.warmth.give_way()
        speed = await measure(self.engines, name)
        await asyncio.to_thread(self.speeds.add, speed)
        return speed

    # --- state ------------------------------------------------------------------------------

    async def status(self) -> Status:
        running = await asyncio.to_thread(self.store.tasks, states=OPEN_STATES, limit=1000)
        return Status(
            version=__version__,
            protocol=PROTOCOL,
            pid=os.getpid(),
            started=self.started,
            engines=await self.engines.status(),
            tasks_running=len(running),
            sessions=len({task.session.id for task in running}),
            cores=self.sampling.neighbours.cores,
            cores_taken=round(self.sampling.neighbours.taken, 2),
            database=str(self.store.file),
            log=str(paths.log_file()),
        )

    def _engine_loaded(self, model: str, size: int, seconds: float) -> None:
        self.adviser.loaded(model, size, seconds)

    def _engine_progress(self, progress: Progress | None) -> None:
        self.live.progress(progress)

    def _work(self) -> Work:
        """Who works now, for the sampler. Called in its thread: reads, and changes nothing."""
        residents, generations = list(self.engines.residents), self.generations
        current = residents[0] if residents else None
        processes, writing = self.pools.processes(), generations.writing
        numbers = {}
        for task in {*processes, *writing}:
            with contextlib.suppress(LLMOSError):  # forgotten meanwhile
                numbers[task] = self.store.task(task).number
        return Work(
            processes=processes,
            numbers=numbers,
            model=current.model.name if current else "",
            engine_pids=tuple(pid for resident in residents if (pid := resident.engine.pid)),
            slots=current.engine.slots if current else 0,
            busy=current.users if current else 0,
            waiting=self.schedule.waiting_of("generation"),
            written=generations.tokens_written,
            read=generations.tokens_read,
            writing=writing,
            cache=current.cache if current else None,
        )

    def _threads(self) -> int:
        """How many threads an engine should compute with now."""
        wanted = config.load().threads
        neighbours = self.sampling.neighbours
        return neighbours.threads() if wanted == "auto" else min(wanted, neighbours.cores)

    def touch(self) -> None:
        """Somebody uses the daemon: it is not idle."""
        self.last_activity = time.monotonic()

    def _engine_changed(self) -> None:
        self.schedule.set_resources(self._resources())
        self.events.notify()

    async def remove_old(self) -> None:
        """Remove what ended longer ago than the settings say."""
        oldest = time.time() - config.load().keep_days * 86400
        removed = 0
        while count := await asyncio.to_thread(self.store.remove_older, oldest):
            removed += count
        if removed:
            log.info("%d requests were older than the settings keep them, and removed", removed)
            await self.jobs.remove_forgotten()

    async def keep_house(self) -> None:
        """Every few seconds: reap, unload idle models, and return when the daemon has been idle long enough."""
        looked = float("-inf")
        while True:
            before = time.monotonic()
            await asyncio.sleep(HOUSEKEEPING)
            if time.monotonic() - before > ASLEEP:
                # The machine slept, or was too busy to look: who waits for an answer has had no time to ask again.
                self.touch()
            try:
                await self.reap()
                if before - looked > RETENTION_EVERY:
                    looked = before
                    await self.remove_old()
            except LLMOSError as error:  # a full disk, say: the next round may find room
                log.error("%s", error)
            try:
                settings = config.load()
            except LLMOSError as error:
                log.error("%s", error)
                continue
            if not self.generations.busy and not self.warmth.reading:
                await self.engines.adapt(self._threads())
            now = time.monotonic()
            if self.generations.busy or self.jobs.busy:
                self.touch()
                continue
            await self.engines.unload_idle(settings.unload_after)
            if now - max(self.last_activity, self.engines.last_used) > settings.exit_after:
                return

    async def close(self) -> None:
        self.schedule.stop()
        await self.live.close()
        await asyncio.to_thread(self.sampling.stop)
        await self.generations.close()
        await self.warmth.give_way()
        await self.jobs.close()
        await self.schedule.close()
        await self.engines.unload()
        self.store.close()


def _alive(session: Session) -> bool:
    return processes.alive(session.pid, session.started)
