"""Jobs on a Dask cluster: the same interface as the local pool, over `dask.distributed`.

A job's priority and resources are Dask's. A cluster that goes away is waited for; a job that had begun there is begun
again when it is back, unless it says that it must not be.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmos_jupyter import paths
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol.jobs import Ended, Job, Started, Waiting, WorkerEvent, WorkerItem
from llmos_jupyter.system.private_files import private_folder
from llmos_jupyter.workers.dask_task import END, NO_TICKET, read_files, run_here

if TYPE_CHECKING:
    from distributed import Client

log = logging.getLogger(__name__)

CONNECT_TIMEOUT = 5.0
RETRY_AFTER = 1.0
# Seconds a job may be queued at the cluster before it is looked why.
PATIENCE = 3.0
ATTEMPTS = 3
GPU = "GPU"  # what Dask's documentation calls a worker's GPUs: dask worker --resources GPU=2
CANCELLED = Ended(state="cancelled", message="The task was cancelled.")


@dataclass(frozen=True)
class ClusterSize:
    """All workers of a cluster together. `gpus`: what they offer of the resource GPU."""

    workers: int
    threads: int
    memory_bytes: int
    gpus: float


class _Lost(Exception):
    """The connection to the scheduler, or what it knew of a job, is gone."""


class DaskPool:
    """Runs jobs on the cluster whose scheduler listens at `address` (tcp://10.0.0.5:8786); see `workers.Pool`."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._client: Client | None = None
        self._connecting: asyncio.Task[Client] | None = None
        self._running: dict[str, asyncio.Event] = {}
        self._folder = paths.results_dir()

    async def start(self) -> None:
        """Raises LLMOSError if Dask is not installed here, or the address is none. The cluster may come later."""
        try:
            await asyncio.to_thread(importlib.import_module, "distributed")
            from distributed.comm import parse_address
        except ImportError as error:
            raise LLMOSError("Dask is not installed here: run pip install 'llmos-jupyter[dask]'.") from error
        try:
            parse_address(self.address, strict=True)
        except ValueError as error:
            raise LLMOSError(
                f"{self.address!r} is no address of a Dask scheduler: write one such as tcp://10.0.0.5:8786."
            ) from error

    async def run(self, job: Job) -> AsyncGenerator[WorkerItem, None]:
        if job.id in self._running:
            yield Ended(
                state="failed", message=f"Job {job.id} is running already: give the new one another identifier."
            )
            return
        cancelled = self._running[job.id] = asyncio.Event()
        begun, lost, told = False, 0, False
        try:
            files = await asyncio.to_thread(read_files, job.variables)
            while not cancelled.is_set():
                client: Client | None = None
                try:
                    client = await self._connected(cancelled)
                    if client is None:
                        break
                    told = False
                    attempt = _Attempt(client, job, files, cancelled, self._folder / job.id)
                    async with contextlib.aclosing(attempt.events()) as events:
                        async for item in events:
                            begun = begun or isinstance(item, Started)
                            yield item
                            if isinstance(item, Ended):
                                return
                    lost += 1
                    if lost == ATTEMPTS or not job.repeatable:
                        yield Ended(state="died", message=_lost_worker(job, lost))
                        return
                    yield Waiting(message="The cluster's worker that ran this was lost: it is begun again.")
                except _Lost as error:
                    log.info("Dask at %s: %s", self.address, error)
                    if client is self._client:
                        await self._disconnect()
                    if begun and not job.repeatable:
                        yield Ended(
                            state="died",
                            message=f"The Dask cluster at {self.address} went away while it ran this: run it again.",
                        )
                        return
                    if not told:
                        told = True
                        yield Waiting(
                            message=f"The Dask cluster at {self.address} does not answer: this waits until it does; "
                            "to run it elsewhere cancel it, set `llmos config workers=...`, and retry it."
                        )
                    with contextlib.suppress(asyncio.TimeoutError):
                        await asyncio.wait_for(cancelled.wait(), RETRY_AFTER)
            yield CANCELLED
        except LLMOSError as error:
            yield Ended(state="failed", message=str(error))
        finally:
            self._running.pop(job.id, None)

    async def cancel(self, job_id: str) -> None:
        if job_id in self._running:
            self._running[job_id].set()

    async def close(self) -> None:
        for cancelled in self._running.values():
            cancelled.set()
        while self._running:
            await asyncio.sleep(0.01)
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        await self._disconnect()

    async def size(self, timeout: float = 2.0) -> ClusterSize | None:
        """What the cluster has at present; None if it does not answer within so many seconds, or cannot be asked."""
        try:
            await self.start()
            return await asyncio.wait_for(self._ask_size(), timeout)
        except (LLMOSError, _Lost, OSError, asyncio.TimeoutError):
            return None

    async def _ask_size(self) -> ClusterSize | None:
        client = await self._connected(asyncio.Event())
        if client is None:
            return None
        workers = (await client.scheduler.identity())["workers"].values()
        return ClusterSize(
            workers=len(workers),
            threads=sum(worker["nthreads"] for worker in workers),
            memory_bytes=sum(worker["memory_limit"] or 0 for worker in workers),
            gpus=sum(worker["resources"].get(GPU, 0) for worker in workers),
        )

    async def _connected(self, cancelled: asyncio.Event) -> Client | None:
        """The client of the cluster; None if cancelled before it was there. Raises _Lost if it cannot be reached now.

        One attempt serves all jobs that wait for it, and goes on when one of them is cancelled.
        """
        if self._client is not None and self._client.status == "running":
            return self._client
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.create_task(self._connect())
            self._connecting.add_done_callback(_heard)
        connecting, stop = self._connecting, asyncio.create_task(cancelled.wait())
        try:
            await asyncio.wait({connecting, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
        return await connecting if connecting.done() else None

    async def _connect(self) -> Client:
        from distributed import Client

        await self._disconnect()
        client = Client(self.address, asynchronous=True, timeout=CONNECT_TIMEOUT, set_as_default=False)
        try:
            self._client = await client
        except BaseException as error:
            with contextlib.suppress(Exception):
                await client.close(timeout=1)
            if isinstance(error, (OSError, asyncio.TimeoutError)):
                raise _Lost(str(error)) from error
            raise
        return self._client

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(Exception):  # what is left of a connection that broke
                await client.close(timeout=1)


def _heard(connecting: asyncio.Task[Client]) -> None:
    """An attempt that failed after all who waited for it had left is no news."""
    if not connecting.cancelled():
        connecting.exception()


def _lost_worker(job: Job, times: int) -> str:
    how = f"{times} times, and so" if times > 1 else "and"
    again = "give it more memory" if job.repeatable else "run it again"
    return f"The cluster's worker that ran this was lost {how} it was not finished: {again}, or see the worker's log."


def _what_failed(error: BaseException) -> str:
    """One sentence for what our function raised on Dask's worker; empty if the worker was lost."""
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return ""
    if isinstance(error, LLMOSError):
        return str(error)
    if isinstance(error, ImportError):
        return f"The cluster's workers lack a package ({error}): install the same llmos-jupyter there."
    return f"The cluster's worker could not run this ({type(error).__name__}: {error}): see the worker's log."


async def _settled(future: Any) -> None:
    """Wait until Dask is done with a task, one way or another."""
    from distributed.client import FutureCancelledError

    with contextlib.suppress(FutureCancelledError):
        await future.exception()


class _Attempt:
    """A job submitted once. Its events end with `Ended`, or without when Dask's worker was lost."""

    def __init__(self, client: Client, job: Job, files: dict[str, bytes], cancelled: asyncio.Event, keep: Path) -> None:
        self._client = client
        self._job = job
        self._files = files
        self._cancelled = cancelled
        self._keep = keep
        self._name = f"llmos-{job.id}-{time.time_ns():x}"

    async def events(self) -> AsyncGenerator[WorkerItem, None]:
        from distributed import Queue

        future = None
        queues: list[Any] = []
        waits: set[asyncio.Future[Any]] = set()
        try:
            events, tickets = queues = [
                await Queue(f"{self._name}-{what}", client=self._client) for what in ("events", "tickets")
            ]
            await tickets.put(1)
            future = self._submit(events.name, tickets.name)
            cancelled = asyncio.ensure_future(self._cancelled.wait())
            finished = asyncio.ensure_future(_settled(future))
            heard = asyncio.ensure_future(events.get())
            waits = {cancelled, finished, heard}
            patience: float | None = PATIENCE
            while True:
                done, _ = await asyncio.wait(waits, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                if cancelled in done:
                    yield CANCELLED
                    return
                if heard in done:
                    batch = heard.result()
                    patience = None
                    for text in batch:
                        if text != END:
                            yield WorkerEvent.model_validate_json(text).root
                    waits.discard(heard)
                    if END not in batch:
                        heard = asyncio.ensure_future(events.get())
                        waits.add(heard)
                elif finished in done:
                    # What happened before the end is in the queue before the end is known.
                    if heard in waits and not heard.done() and future.status == "finished":
                        await asyncio.wait({heard}, timeout=1.0)
                        if heard.done():
                            continue
                    break
                elif not done:
                    patience = None
                    if (why := await self._why_waiting()) is not None:
                        yield Waiting(message=why)
                if self._client.status != "running":
                    raise _Lost("the connection closed")
            ended = await self._result(future)
            if ended is not None:
                yield ended
        except (OSError, asyncio.TimeoutError) as error:
            raise _Lost(str(error)) from error
        finally:
            for waiting in waits:
                waiting.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
            await self._tidy(future, queues)

    def _submit(self, events: str, tickets: str) -> Any:
        return self._client.submit(
            run_here,
            self._job.model_dump_json(),
            self._files,
            events,
            tickets,
            # A group of its own: the jobs of one group Dask would hold back, but give each worker one in advance,
            # which then runs before all that come later, whatever their priorities.
            key=(self._name, 0),
            pure=False,
            priority=self._job.priority,
            resources=self._job.resources or None,
        )

    async def _result(self, future: Any) -> Ended | None:
        """How the job ended, with its results on this machine's disk; None if the worker was lost."""
        if future.status in ("cancelled", "lost"):
            raise _Lost("the scheduler no longer knows the task")
        if future.status == "error":
            message = _what_failed(await future.exception())
            return Ended(state="failed", message=message) if message else None
        text, files = await future
        if text == NO_TICKET:
            return None
        ended = Ended.model_validate_json(text)
        if ended.results is None:
            return ended
        private_folder(self._keep)
        for name, data in files.items():
            (self._keep / Path(name).name).write_bytes(data)
        results = ended.results.model_copy(update={"folder": str(self._keep)})
        return ended.model_copy(update={"results": results})

    async def _why_waiting(self) -> str | None:
        """Why the job has not begun, if that is for want of a worker."""
        info = await self._client.scheduler.identity()
        workers = info["workers"].values()
        if not workers:
            return "The Dask cluster has no workers yet: this waits for one."
        needs = self._job.resources
        if any(all(w["resources"].get(name, 0) >= amount for name, amount in needs.items()) for w in workers):
            return None
        wanted = ", ".join(f"{name}={amount:g}" for name, amount in needs.items())
        return f"No worker of the Dask cluster offers {wanted}: this waits for one that does."

    async def _tidy(self, future: Any, queues: list[Any]) -> None:
        """Take the task and its queues off the scheduler, if that is still there."""
        if self._client.status != "running":
            return
        with contextlib.suppress(OSError, asyncio.TimeoutError):
            if future is not None and self._cancelled.is_set():
                await self._client.cancel([future], force=True)
        if future is not None:
            future.release()
        for queue in queues:
            with contextlib.suppress(Exception):  # a connection that broke meanwhile
                queue.close()
