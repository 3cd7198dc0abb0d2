"""The pools that background cells run in, and what the scheduler is told of them.

There is always the pool of this machine, `workers`; with a Dask scheduler's address in the settings there is `cluster`
too. A pool starts with its first job. After a change of the settings new jobs go to the new cluster, and those that the
old one has stay there to their end.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncGenerator, Callable, Collection
from dataclasses import dataclass

from llmos_jupyter import config
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.monitoring import devices
from llmos_jupyter.monitoring.devices import Devices, Gpu
from llmos_jupyter.protocol import Options
from llmos_jupyter.protocol.jobs import Ended, Job, WorkerItem
from llmos_jupyter.scheduling.problem import Resource
from llmos_jupyter.system import hardware
from llmos_jupyter.workers import Pool
from llmos_jupyter.workers.dask import GPU, ClusterSize, DaskPool
from llmos_jupyter.workers.local import LocalPool

MACHINE, WORKERS, CLUSTER = "this machine", "workers", "cluster"
# Share of the memory that background cells may be promised together.
MEMORY_SHARE = 0.8
# Of what sets its own limits, as many as one likes: the machine's are cores and memory, and Dask has a queue itself.
UNLIMITED = 10_000
# Seconds for which it is not looked again what the machine has.
FRESH = 5.0
# What code needs to write to for NVIDIA's driver.
GPU_DEVICES = ("/dev/nvidia*",)


class OnDemand:
    """A pool that starts with its first job. Where it cannot start that job fails, and the next one tries again."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self._started = False
        self._starting = asyncio.Lock()
        self._cancelled: set[str] = set()

    async def start(self) -> None:
        async with self._starting:
            if not self._started:
                await self.pool.start()
                self._started = True

    async def run(self, job: Job) -> AsyncGenerator[WorkerItem, None]:
        try:
            await self.start()
        except (LLMOSError, OSError) as error:
            yield Ended(state="failed", message=_one_sentence(error))
            return
        if job.id in self._cancelled:
            yield Ended(state="cancelled", message="The task was cancelled.")
            return
        async with contextlib.aclosing(self.pool.run(job)) as events:
            async for item in events:
                yield item

    async def cancel(self, job_id: str) -> None:
        self._cancelled.add(job_id)
        await self.pool.cancel(job_id)

    def forget(self, job_id: str) -> None:
        """A job that was cancelled may come again."""
        self._cancelled.discard(job_id)

    async def close(self) -> None:
        await self.pool.close()


@dataclass(frozen=True)
class Placed:
    """A job that was given its place, until it is released."""

    job: Job
    resource: str
    pool: OnDemand
    gpus: tuple[str, ...] = ()


class Pools:
    """Where jobs can run, and what of this machine each was given. All methods belong to one event loop.

    What takes time is left to `refresh`: until its first call the machine has no GPUs and there is no cluster. Call it
    again whenever the settings or the machine may have changed.
    """

    def __init__(self, look: Callable[[], Devices] = devices.look) -> None:
        self._look = look
        # What the machine had when it was last looked at.
        self.devices = Devices(hardware.processors(), hardware.memory())
        self._looked = -math.inf
        self._address = config.LOCAL
        self._local = LocalPool(size=UNLIMITED)
        self._pools: dict[str, OnDemand] = {WORKERS: OnDemand(self._local)}
        self._cluster: DaskPool | None = None
        # Once there was a cluster the scheduler keeps knowing it, for the jobs that it has.
        self._had_cluster = False
        self._placed: dict[str, Placed] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._told = self.resources()

    async def refresh(self) -> bool:
        """Look at the settings and at the machine; says whether `resources()` changed since it was last said.

        Raises LLMOSError for settings that cannot be read; then all stays as it was.
        """
        if time.monotonic() - self._looked > FRESH:
            await self.look_again()
        address = config.load().workers
        if address != self._address:
            self._address = address
            self._retire(self._pools.pop(CLUSTER, None))
            self._cluster = None
            if address != config.LOCAL:
                self._cluster = DaskPool(address)
                self._pools[CLUSTER] = OnDemand(self._cluster)
                self._had_cluster = True
        told, self._told = self._told, self.resources()
        return self._told != told

    def processes(self) -> dict[str, int]:
        """The process of this machine that each running job has."""
        return self._local.processes()

    async def look_again(self) -> Devices:
        """What the machine has now."""
        self.devices = await asyncio.to_thread(self._look)
        self._looked = time.monotonic()
        return self.devices

    @property
    def address(self) -> str:
        """Of the cluster; empty if there is none."""
        return self._cluster.address if self._cluster else ""

    async def cluster_size(self) -> ClusterSize | None:
        """What the cluster has now; None if there is none, or it does not answer."""
        return await self._cluster.size() if self._cluster else None

    @property
    def placed(self) -> list[Placed]:
        return list(self._placed.values())

    # --- for the scheduler ------------------------------------------------------------------

    def resources(self) -> list[Resource]:
        """What steps can occupy. The cluster's size is its own affair: what does not fit there waits in its queue."""
        here = self.devices
        cores = here.processors.logical
        known = [
            Resource(
                MACHINE, slots=UNLIMITED, cores=cores, memory=here.memory.total * MEMORY_SHARE, gpus=len(here.gpus)
            ),
            # Requests in words take a worker and no core: they wait for the model most of the time.
            Resource(WORKERS, slots=2 * cores, within=MACHINE),
        ]
        return [*known, Resource(CLUSTER, slots=UNLIMITED)] if self._had_cluster else known

    def eligible(self, options: Options) -> tuple[str, ...]:
        """The resources a task may run on. Raises LLMOSError for one that does not exist."""
        if options.on:
            if options.on not in self._pools:
                known = ", ".join(sorted(self._pools))
                hint = "" if CLUSTER in self._pools else "; `llmos config workers=tcp://...` adds a Dask cluster"
                raise LLMOSError(f"There is no resource {options.on!r} to run on: choose from {known}{hint}.")
            return (options.on,)
        return (CLUSTER,) if CLUSTER in self._pools else (WORKERS,)

    # --- for one job ------------------------------------------------------------------------

    def pool(self, resource_id: str) -> OnDemand:
        """The pool of a resource as the settings are now. Raises LLMOSError if there is none."""
        pool = self._pools.get(resource_id)
        if pool is None:
            raise LLMOSError(
                f"There is no {resource_id} any more: set it with `llmos config workers=tcp://...`, or run this again."
            )
        return pool

    async def place(self, job: Job, options: Options, resource_id: str) -> Job:
        """Fill in what depends on the place: GPUs of this machine, or a cluster's words for priority and GPUs.

        Raises LLMOSError if the place or a GPU is gone. What was taken is given back by `release`.
        """
        pool = self.pool(resource_id)
        if resource_id == CLUSTER:
            # Which GPUs there are is the cluster's affair; who asked for none sees none, there as here.
            held: tuple[str, ...] = ()
            needs = {GPU: float(options.gpus)} if options.gpus else {}
            placed = _with_gpus(job, None if needs else [], bool(needs)).model_copy(
                update={"priority": options.priority, "resources": job.resources | needs}
            )
        else:
            held = await self._choose(options.gpus)
            # On a machine without GPUs nothing is hidden, so that no setting of the user's is undone.
            placed = _with_gpus(job, list(held) if held or self.devices.gpus else None, bool(held))
        self._placed[job.id] = Placed(placed, resource_id, pool, held)
        return placed

    async def _choose(self, count: int) -> tuple[str, ...]:
        """GPUs that no job holds, those with most free memory first: others may use them too."""
        if not count:
            return ()
        here = await self.look_again()
        taken = {uuid for placed in self._placed.values() for uuid in placed.gpus}
        # CUDA shows a process one MIG device at the most (MIG user guide, CUDA device enumeration).
        whole = [gpu for gpu in here.gpus if count == 1 or gpu.mig is None]
        free = sorted((gpu for gpu in whole if gpu.uuid not in taken), key=_most_free_first)
        if len(free) < count:
            parted = "code can use one MIG device at a time, so ask for 1." if len(whole) < len(here.gpus) else ""
            why = here.why or parted or "the others are in use."
            plural = "s" * (count != 1)
            raise LLMOSError(f"This needs {count} GPU{plural} and {len(free)} can be had now, try again later: {why}")
        return tuple(gpu.uuid for gpu in free[:count])

    def run(self, job: Job) -> AsyncGenerator[WorkerItem, None]:
        """Run a job where it was placed."""
        return self._placed[job.id].pool.run(job)

    async def cancel(self, job_id: str) -> None:
        """End a job where it runs; nothing happens for one that was not placed."""
        if placed := self._placed.get(job_id):
            await placed.pool.cancel(job_id)

    def release(self, job_id: str) -> None:
        """A job has ended: its GPUs are free, and the cluster that was replaced meanwhile is left with its last one."""
        placed = self._placed.pop(job_id, None)
        if placed:
            placed.pool.forget(job_id)
            if placed.pool not in self._pools.values():
                self._retire(placed.pool)

    # --- for all ----------------------------------------------------------------------------

    def pause(self, job_ids: Collection[str], still: bool) -> None:
        """Let jobs of this machine stand still, or go on; those of a cluster do not hear it."""
        self._local.pause(job_ids, still)

    async def close(self) -> None:
        """Cancel what runs and end all processes."""
        everywhere = {*self._pools.values(), *(placed.pool for placed in self._placed.values())}
        await asyncio.gather(*(pool.close() for pool in everywhere), *self._closing)

    def _retire(self, pool: OnDemand | None) -> None:
        """Close a pool that is no longer in the settings, unless it has jobs."""
        if pool and not any(placed.pool is pool for placed in self._placed.values()):
            closing = asyncio.create_task(pool.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)


def _one_sentence(error: Exception) -> str:
    if isinstance(error, LLMOSError):
        return str(error)
    return f"No worker can be started ({error}): see that the data folder can be written to, and try again."


def _with_gpus(job: Job, gpus: list[str] | None, use: bool) -> Job:
    grants = job.grants
    if use:
        grants = grants.model_copy(update={"devices": [*grants.devices, *GPU_DEVICES]})
    return job.model_copy(update={"limits": job.limits.model_copy(update={"gpus": gpus}), "grants": grants})


def _most_free_first(gpu: Gpu) -> tuple[int, int, int]:
    return -gpu.memory_free, gpu.index, gpu.mig or 0
