"""Generations: the model writes for a task when the schedule gives it a slot of the engine, gives way to what is more
urgent within one decoding step, and goes on later from what it had written."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from llmos_jupyter import paths
from llmos_jupyter.daemon.engines.engine_room import EngineRoom
from llmos_jupyter.daemon.stores.learned import Learned
from llmos_jupyter.daemon.work import kept_slots
from llmos_jupyter.daemon.work.expectations import USUAL_TOKENS, Expectations, Expected
from llmos_jupyter.daemon.work.kept_slots import KeptSlots
from llmos_jupyter.daemon.work.schedule import Schedule
from llmos_jupyter.engines.catalogue import Model
from llmos_jupyter.engines.speaking.openai_http import EngineGone, Reply, Server
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import (
    INTERACTIVE,
    Cancelled,
    Candidate,
    CandidateRecord,
    Done,
    Failure,
    Generation,
    Preempted,
    Progress,
    StepState,
    StreamItem,
    Task,
    Token,
)
from llmos_jupyter.scheduling.problem import Option, Step, class_of

log = logging.getLogger(__name__)

# How often an answer is begun anew because the engine died under it.
ENGINE_TRIES = 3
# A stream says something at least this often (seconds), so that a reader notices a dead daemon and a writer a
# reader who left.
HEARTBEAT = 1.0
# Probabilities below this are taken for this: logarithms need more than zero.
LEAST = 1e-9

Items = asyncio.Queue[StreamItem | None]


@dataclass
class _Turn:
    """A generation's time on the engine. `yields`: it is of a class that gives way. `whole`: all of it was written,
    whatever its reader does from then on."""

    step: str
    yields: bool
    server: Server | None = None
    gives_way: asyncio.Event = field(default_factory=asyncio.Event)
    whole: bool = False


class _GaveWay(Exception):
    """Something more urgent waits: what was written is in the exception."""

    def __init__(self, written: list[Candidate]) -> None:
        self.written = written


class Generations:
    """What is being written, by task. All methods belong to the daemon's event loop."""

    def __init__(
        self,
        engines: EngineRoom,
        schedule: Schedule,
        learned: Learned,
        store: Callable[[str, CandidateRecord], Awaitable[None]],
        cores: Callable[[], contextlib.AbstractAsyncContextManager[None]],
        before: Callable[[], Awaitable[None]],
        resource: Callable[[str], str],
    ) -> None:
        """`resource`: what a step of a model occupies, once the schedule knows of it."""
        self._resource = resource
        self._engines = engines
        self._schedule = schedule
        self._expectations = Expectations(engines, learned)
        self._store = store
        self._cores = cores
        self._before = before
        self._running: dict[str, asyncio.Task[None]] = {}
        self._held: dict[str, set[str]] = {}
        self._give_way: dict[str, asyncio.Event] = {}
        # Replaced and never changed: other threads read it.
        self._writing: tuple[str, ...] = ()
        self._slots = KeptSlots()
        self._doing: set[asyncio.Task[None]] = set()
        # Since the daemon began.
        self.tokens_written = 0
        self.tokens_read = 0

    @property
    def writing(self) -> tuple[str, ...]:
        """The tasks that the model writes for now."""
        return self._writing

    @property
    def busy(self) -> bool:
        return bool(self._running)

    def cancel(self, task_id: str) -> bool:
        """Stop what is written for a task; whether there was anything. What had given way is given up."""
        for step in self._held.pop(task_id, set()):
            self._schedule.cancel(step)
            kept_slots.forget(step)
        running = self._running.get(task_id)
        if running is not None:
            running.cancel()
        return running is not None

    def hold(self, task_id: str) -> None:
        """Have what is written for a task give way; it goes on when its worker asks again."""
        if (gives_way := self._give_way.get(task_id)) is not None:
            gives_way.set()

    async def close(self) -> None:
        for task_id in {*self._running, *self._held}:
            self.cancel(task_id)
        await asyncio.gather(*self._running.values(), *self._doing, return_exceptions=True)

    async def stream(self, task: Task, generation: Generation) -> AsyncGenerator[StreamItem, None]:
        """Stream candidates. Each is stored before `done` is sent; closing the iterator stops the engine."""
        items: Items = asyncio.Queue()
        expected = await asyncio.to_thread(self._expectations.of, generation)
        step = self._step_name(task, generation)
        worker = asyncio.create_task(self._generate(task, generation, step, expected, items))
        self._running[task.id] = worker
        worker.add_done_callback(lambda _: items.put_nowait(None))
        # What to say again when there is nothing new: the last progress, or, once it writes, an empty token.
        last: Progress | Token = Progress(phase="waiting")
        try:
            while True:
                try:
                    item = await asyncio.wait_for(items.get(), HEARTBEAT)
                except asyncio.TimeoutError:
                    item = self._still(last, step)
                if item is None:
                    break
                if isinstance(item, (Progress, Token)):
                    last = item if isinstance(item, Progress) else Token(text="")
                yield item
            if worker.cancelled():
                yield Cancelled(reason="cancelled by the user")
            elif error := worker.exception():
                log.error("generation failed", exc_info=error)
                yield Failure(message=f"The daemon failed ({type(error).__name__}): see {paths.log_file()}.")
        finally:
            worker.cancel()
            if self._running.get(task.id) is worker:
                del self._running[task.id]

    def _still(self, last: Progress | Token, step: str) -> StreamItem:
        if isinstance(last, Progress) and last.phase == "waiting" and self._schedule.knows(step):
            ahead, starts = self._schedule.ahead(step)
            return Progress(phase="waiting", detail=last.detail or self._schedule.why(step), ahead=ahead, starts=starts)
        return last

    # --- its turn ---------------------------------------------------------------------------

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        """Not while somebody waits for the answer, nor stopped because they have it."""
        doing = asyncio.create_task(work)
        self._doing.add(doing)
        doing.add_done_callback(self._doing.discard)

    def _step_name(self, task: Task, generation: Generation) -> str:
        # The same generation asked again, because its reader lost the daemon, is another step.
        name, number = f"{task.id}/{generation.round}", 1
        while self._schedule.knows(name) and name not in self._held.get(task.id, ()):
            number += 1
            name = f"{task.id}/{generation.round}.{number}"
        return name

    def _step(self, task: Task, name: str, model: str, expected: Expected) -> Step:
        return Step(
            id=name,
            task=task.id,
            notebook=task.session.id,
            options={self._resource(model): Option(duration=max(0.1, expected.estimate.p50))},
            priority=task.options.priority,
            preemptible=True,
        )

    async def _generate(self, task: Task, generation: Generation, name: str, expected: Expected, items: Items) -> None:
        try:
            # What is fetched first is fetched before its turn: others write meanwhile.
            model = await self._engines.have(generation.model, items.put_nowait)
        except LLMOSError as error:
            items.put_nowait(Failure(message=str(error)))
            return
        step = self._step(task, name, model.name, expected)
        turn = _Turn(step.id, class_of(step.priority) < INTERACTIVE)
        state: StepState = "failed"
        await self._wait(task, step, expected, turn)
        self._give_way[task.id] = turn.gives_way
        try:
            await self._write(task, generation, model, expected, turn, items)
            state = "done"
        except _GaveWay as gave_way:
            written = sum(candidate.timings.tokens for candidate in gave_way.written)
            self._held.setdefault(task.id, set()).add(step.id)
            self._schedule.paused(step.id, left=max(0.1, 1.0 - written / USUAL_TOKENS), hold=True)
            items.put_nowait(Preempted(written=gave_way.written))
            return
        except LLMOSError as error:
            items.put_nowait(Failure(message=str(error)))
        except asyncio.CancelledError:
            state = "done" if turn.whole else "cancelled"
            raise
        finally:
            del self._give_way[task.id]
            if step.id not in self._held.get(task.id, ()):
                self._schedule.ended(step.id, state)
                kept_slots.forget(step.id)

    async def _wait(self, task: Task, step: Step, expected: Expected, turn: _Turn) -> None:
        """Wait for a slot."""
        may_start = asyncio.get_running_loop().create_future()

        def start(_: object) -> None:
            if not may_start.done():
                may_start.set_result(None)

        def give_way(_: object) -> None:
            turn.gives_way.set()

        held = self._held.get(task.id, set())
        if step.id in held:
            held.discard(step.id)
            self._schedule.release(step.id, start, give_way)
        else:
            self._schedule.add(step, "generation", start, give_way, p90=expected.estimate.p90)
        try:
            await may_start
        except asyncio.CancelledError:
            self._schedule.cancel(step.id)
            raise

    # --- writing ----------------------------------------------------------------------------

    async def _write(
        self, task: Task, generation: Generation, wanted: Model, expected: Expected, turn: _Turn, items: Items
    ) -> None:
        model = wanted.name
        for attempt in range(1, ENGINE_TRIES + 1):
            try:
                async with self._engines.use(wanted, items.put_nowait) as server:
                    await self._before()
                    async with self._cores():
                        turn.server = server if turn.yields and generation.n == 1 else None
                        slot = await self._slots.give_back(turn.step, server) if generation.prefix else None
                        stream = server.stream(generation, slot)
                        began = time.monotonic()
                        self._writing = (*self._writing, task.id)
                        try:
                            tokens = await self._until_urgent(task.id, generation, stream, model, turn, items)
                        except _GaveWay:
                            await self._slots.keep(turn.step, server)
                            raise
                        finally:
                            self._writing = tuple(name for name in self._writing if name != task.id)
                            self._slots.stopped(turn.step)
                # What went on from a prefix took only a part of what a whole one takes.
                if not generation.prefix and attempt == 1 and model == expected.model:
                    seconds = time.monotonic() - began
                    self._later(asyncio.to_thread(self._expectations.learn, task.id, expected, seconds, tokens))
                return
            except EngineGone as error:
                log.warning("the engine went away during task %s: %s", task.id, error)
                if attempt == ENGINE_TRIES:
                    sentence = error.sentence or "The engine keeps ending: `%llmos doctor` shows why."
                    raise LLMOSError(sentence) from error
                items.put_nowait(Progress(phase="restarting"))
                await asyncio.sleep(0.1)

    async def _until_urgent(
        self,
        task_id: str,
        generation: Generation,
        stream: AsyncGenerator[Progress | Token | Reply, None],
        model: str,
        turn: _Turn,
        items: Items,
    ) -> int:
        """Stream until the end, or until something more urgent waits: then the connection is closed, which stops
        llama.cpp at its next token. Returns how many tokens were written."""
        writing = {
            index: Candidate(
                text=generation.prefix,
                index=index,
                model=model,
                device=self._engines.computes_on(model),
                finish="cancelled",
                messages=generation.messages,
            )
            for index in range(generation.n)
        }
        streaming = asyncio.create_task(self._stream(task_id, generation, stream, writing, turn, items))
        urgent = asyncio.create_task(turn.gives_way.wait())
        try:
            await asyncio.wait({streaming, urgent}, return_when=asyncio.FIRST_COMPLETED)
            if not streaming.done():
                streaming.cancel()
                await asyncio.wait({streaming})
                for candidate in writing.values():
                    candidate.finish = "preempted"
                raise _GaveWay(list(writing.values()))
            return streaming.result()
        finally:
            urgent.cancel()
            streaming.cancel()
            await asyncio.wait({streaming})
            # What was written until somebody stopped it belongs to the trace as well.
            for candidate in writing.values():
                if candidate.text != generation.prefix:
                    await self._keep(task_id, generation, candidate)

    async def _stream(
        self,
        task_id: str,
        generation: Generation,
        stream: AsyncGenerator[Progress | Token | Reply, None],
        writing: dict[int, Candidate],
        turn: _Turn,
        items: Items,
    ) -> int:
        tokens = 0
        read: int | None = None
        async with contextlib.aclosing(stream) as parts:
            async for part in parts:
                if isinstance(part, Progress) and part.phase == "reading":
                    # What the cache held is done from the beginning.
                    self.tokens_read += part.done - (part.done if read is None else read)
                    read = part.done
                if isinstance(part, Reply):
                    candidate = writing[part.index]
                    candidate.finish, candidate.timings = part.finish, part.timings
                    candidate.confidence, candidate.doubt = part.confidence, part.doubt
                    await self._keep(task_id, generation, candidate)
                    del writing[part.index]
                    turn.whole = not writing
                    items.put_nowait(Done(candidate=candidate, more=len(writing)))
                    continue
                if isinstance(part, Token):
                    candidate = writing[part.index]
                    if not tokens and turn.server is not None:
                        self._later(self._slots.look(turn.step, turn.server))
                    tokens += 1
                    self.tokens_written += 1
                    candidate.text += part.text
                    candidate.timings.tokens += 1
                    if part.logprob is not None:
                        sure = 0.0 if candidate.confidence is None else math.log(max(candidate.confidence, LEAST))
                        count = candidate.timings.tokens
                        candidate.confidence = math.exp(sure + (part.logprob - sure) / count)
                        candidate.doubt = min(candidate.doubt or 1.0, math.exp(part.logprob))
                items.put_nowait(part)
        if writing:
            raise EngineGone("the stream ended before the answer")
        return tokens

    async def _keep(self, task_id: str, generation: Generation, candidate: Candidate) -> None:
        record = CandidateRecord(round=generation.round, purpose=generation.purpose, candidate=candidate)
        await asyncio.shield(self._store(task_id, record))
