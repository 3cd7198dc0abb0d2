"""The workers of this machine: fresh kernels, some kept warm, one job each."""

from __future__ import annotations

import asyncio
import contextlib
import glob
import logging
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncGenerator, Collection
from pathlib import Path
from typing import NamedTuple

from llmos_jupyter import paths
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol.jobs import Ended, Grants, Job, WorkerItem
from llmos_jupyter.system import processes
from llmos_jupyter.system.private_files import private_folder, users_umask
from llmos_jupyter.workers.order import Order
from llmos_jupyter.workers.worker import Worker

log = logging.getLogger(__name__)


class Shape(NamedTuple):
    """What must be known of a job before its kernel starts: where it may write, whether it may start processes, and
    which devices it may use."""

    write: tuple[str, ...] = ()
    processes: bool = False
    devices: tuple[str, ...] = ()


SOCKETS = "sockets.txt"


class LocalPool:
    """Runs jobs in kernels of their own on this machine, at most `size` at once; see `workers.Pool`.

    A kernel is used for one job and then ended. `spares` kernels are kept warm. What a kernel may write is fixed before
    it has a second thread, so spares are made for what the last job was granted: a job that is granted something else
    waits the tenth of a second that a new kernel takes.
    """

    def __init__(self, size: int | None = None, spares: int = 1) -> None:
        self._size = size or os.cpu_count() or 1
        self._spares = spares
        self._shape = Shape()
        self._free = asyncio.Semaphore(self._size)
        self._warm: list[tuple[Shape, asyncio.Task[Worker]]] = []
        self._discarding: set[asyncio.Task[None]] = set()
        self._running: dict[str, Worker | None] = {}
        self._cancelled: dict[str, asyncio.Event] = {}
        self._nursery: asyncio.subprocess.Process | None = None
        self._orders: socket.socket | None = None
        self._ordering = asyncio.Lock()
        self._made = 0
        began = processes.started(os.getpid())
        self._folder = paths.workers_dir() / f"{socket.gethostname()}-{os.getpid()}-{began:.2f}-{id(self):x}"

    async def start(self) -> None:
        if sys.platform == "win32":
            raise LLMOSError("Background cells need Linux or macOS: run this cell in the notebook itself.")
        private_folder(paths.workers_dir())
        remove_leftovers()
        self._folder.mkdir(exist_ok=True, mode=0o700)
        self._keep_warm()

    async def run(self, job: Job) -> AsyncGenerator[WorkerItem, None]:
        if job.id in self._running:
            yield Ended(
                state="failed", message=f"Job {job.id} is running already: give the new one another identifier."
            )
            return
        self._running[job.id] = None
        cancelled = self._cancelled[job.id] = asyncio.Event()
        worker: Worker | None = None
        admitted = False
        try:
            admitted = await self._admitted(cancelled)
            if not admitted:
                yield Ended(state="cancelled", message="The task was cancelled.")
                return
            worker = await self._take(shape_of(job.grants))
            self._running[job.id] = worker
            if cancelled.is_set():
                worker.cancel()
            async with contextlib.aclosing(worker.run(job, paths.results_dir() / job.id)) as events:
                async for item in events:
                    yield item
        except LLMOSError as error:
            yield Ended(state="failed", message=str(error))
        except OSError as error:
            yield Ended(
                state="failed",
                message=f"No worker can be started ({error}): free some disk space or memory and try again.",
            )
        finally:
            try:
                if worker is not None:
                    await worker.close()
            finally:
                if admitted:
                    self._free.release()
                del self._running[job.id], self._cancelled[job.id]

    async def _admitted(self, cancelled: asyncio.Event) -> bool:
        """Wait for a place among those that run; False if cancelled before there was one."""
        place, cancelling = asyncio.create_task(self._free.acquire()), asyncio.create_task(cancelled.wait())
        try:
            await asyncio.wait({place, cancelling}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            cancelling.cancel()
            if not place.cancel() and cancelled.is_set():  # it came at the same moment
                self._free.release()
        return not cancelled.is_set()

    async def cancel(self, job_id: str) -> None:
        if job_id in self._running:
            self._cancelled[job_id].set()
            if (worker := self._running[job_id]) is not None:
                worker.cancel()

    def processes(self) -> dict[str, int]:
        """The process that each running job has."""
        return {job_id: worker.pid for job_id, worker in list(self._running.items()) if worker and worker.pid}

    def pause(self, job_ids: Collection[str], still: bool) -> None:
        """Let jobs stand still, or go on; one that has not begun is as if it had not been named."""
        for job_id in job_ids:
            if (worker := self._running.get(job_id)) is not None:
                worker.pause(still)

    async def close(self) -> None:
        for job_id in list(self._running):
            await self.cancel(job_id)
        warm, self._warm, self._spares = self._warm, [], 0
        for _, making in warm:
            self._discard(making)
        while self._running:
            await asyncio.sleep(0.01)
        await asyncio.gather(*self._discarding)
        await self._end_nursery()
        shutil.rmtree(self._folder, ignore_errors=True)

    # --- making workers ----------------------------------------------------------------------------

    async def _take(self, shape: Shape) -> Worker:
        """A worker for what is granted: a warm one if there is one, and another is made ready in its place."""
        self._shape = shape
        place = next((i for i, (fits, _) in enumerate(self._warm) if fits == shape), None)
        if place is not None:
            with contextlib.suppress(LLMOSError, OSError):
                worker = await self._obtain(self._warm.pop(place)[1])
                if worker.alive:
                    self._keep_warm()
                    return worker
                await worker.close()
        worker = await self._obtain(asyncio.create_task(self._make(shape)))
        self._keep_warm()
        return worker

    async def _obtain(self, making: asyncio.Task[Worker]) -> Worker:
        """The worker being made; if whoever waits for it is cancelled, it is made to its end and then ended."""
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            self._discard(making)
            raise

    def _discard(self, making: asyncio.Task[Worker]) -> None:
        discarding = asyncio.create_task(_made_and_closed(making))
        self._discarding.add(discarding)
        discarding.add_done_callback(self._discarding.discard)

    def _keep_warm(self) -> None:
        while len(self._warm) > self._spares or (self._warm and self._warm[0][0] != self._shape):
            self._discard(self._warm.pop(0)[1])
        while len(self._warm) < self._spares:
            making = asyncio.create_task(self._make(self._shape))
            making.add_done_callback(_noted)
            self._warm.append((self._shape, making))

    async def _make(self, shape: Shape) -> Worker:
        self._made += 1
        files = self._folder / f"{self._made}"
        (files / "scratch").mkdir(parents=True, mode=0o700)
        # The path of a Unix socket may have about a hundred characters; that of the data folder may be longer.
        sockets = tempfile.mkdtemp(prefix="llmos-", dir=os.environ.get("XDG_RUNTIME_DIR") or None)
        (files / SOCKETS).write_text(sockets, encoding="utf-8")
        order = Order(str(files), sockets, list(shape.write), shape.processes, list(shape.devices))
        Worker.write_connection(order)
        ours, theirs = socket.socketpair()
        try:
            await self._order(order, theirs)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        worker = Worker(order, ours)
        try:
            await worker.ready()
        except BaseException:
            await worker.close()
            raise
        return worker

    async def _order(self, order: Order, channel: socket.socket) -> None:
        async with self._ordering:
            for attempt in (1, 2):
                orders = await self._nursery_socket()
                try:
                    socket.send_fds(orders, [order.encode()], [channel.fileno()])
                    if await self._answer(orders) == b"forked\n":
                        return
                except OSError as error:
                    log.warning("the nursery does not answer (%s), attempt %d", error, attempt)
                await self._end_nursery()
            raise LLMOSError(f"No worker can be started: see {self._folder / 'workers.log'}.")

    async def _nursery_socket(self) -> socket.socket:
        if self._orders is not None:
            return self._orders
        ours, theirs = socket.socketpair()
        try:
            with (self._folder / "workers.log").open("ab") as written:
                self._nursery = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "llmos_jupyter.workers.nursery",
                    stdin=theirs.fileno(),
                    stdout=written,
                    stderr=written,
                    cwd=self._folder,
                    start_new_session=True,
                    umask=users_umask(),
                )
        except OSError as error:
            ours.close()
            raise LLMOSError(f"No worker can be started ({error}): free some memory and try again.") from error
        finally:
            theirs.close()
        ours.setblocking(False)
        self._orders = ours
        if await self._answer(ours) != b"ready\n":
            await self._end_nursery()
            raise LLMOSError(f"No worker can be started: see {self._folder / 'workers.log'}.")
        return ours

    @staticmethod
    async def _answer(orders: socket.socket) -> bytes:
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(orders, 100), 60.0)

    async def _end_nursery(self) -> None:
        if self._orders is not None:
            self._orders.close()
            self._orders = None
        if self._nursery is not None:
            with contextlib.suppress(ProcessLookupError):
                self._nursery.kill()
            await self._nursery.wait()
            self._nursery = None


def shape_of(grants: Grants) -> Shape:
    """The shape of the kernel for a job. Folders and devices that do not exist grant nothing."""
    folders = {
        str(Path(folder).expanduser().resolve()) for folder in grants.write if Path(folder).expanduser().is_dir()
    }
    devices = {path for pattern in grants.devices for path in glob.glob(pattern)}
    return Shape(tuple(sorted(folders)), grants.processes, tuple(sorted(devices)))


async def _made_and_closed(making: asyncio.Task[Worker]) -> None:
    """Not cancelled half-way, which would leave an answer of the nursery unread."""
    with contextlib.suppress(LLMOSError, OSError):
        await (await making).close()


def _noted(making: asyncio.Task[Worker]) -> None:
    if not making.cancelled() and (error := making.exception()) is not None:
        log.warning("a spare worker could not be made: %s", error)


def remove_leftovers() -> None:
    """Remove the folders of daemons of this machine that were killed; their processes ended with them."""
    for folder in paths.workers_dir().glob("*-*-*-*"):
        # Other machines may share the user's folders.
        host, pid, began, _ = folder.name.rsplit("-", 3)
        if host == socket.gethostname() and not processes.alive(int(pid), float(began)):
            for sockets in folder.glob(f"*/{SOCKETS}"):
                shutil.rmtree(sockets.read_text(encoding="utf-8"), ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)
