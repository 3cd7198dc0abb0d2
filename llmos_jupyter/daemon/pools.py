"""Where jobs run, and what the scheduler is told of it."""

from __future__ import annotations

from collections.abc import Collection

import psutil

from llmos_jupyter.protocol import Options
from llmos_jupyter.scheduling.problem import Resource
from llmos_jupyter.workers import Pool
from llmos_jupyter.workers.local import LocalPool
from llmos_jupyter.workers.messages import Job

MACHINE, WORKERS = "this machine", "workers"
# Share of the memory that background cells may be promised together.
MEMORY_SHARE = 0.8


class Pools:
    def __init__(self) -> None:
        self._cores = psutil.cpu_count(logical=True) or 1
        self._local = LocalPool(size=2 * self._cores)
        self._started = False

    def resources(self) -> list[Resource]:
        memory = psutil.virtual_memory().total * MEMORY_SHARE
        return [
            Resource(MACHINE, slots=10_000, cores=self._cores, memory=memory, gpus=0),
            Resource(WORKERS, slots=2 * self._cores, within=MACHINE),
        ]

    def eligible(self, options: Options) -> tuple[str, ...]:
        return (WORKERS,)

    async def pool(self, resource: str) -> Pool:
        if not self._started:
            await self._local.start()
            self._started = True
        return self._local

    def place(self, job: Job, options: Options, resource: str) -> Job:
        return job

    def release(self, job_id: str) -> None:
        """A job has ended."""

    def pause(self, job_ids: Collection[str], still: bool) -> None:
        """Let jobs of this machine stand still, or go on."""
        self._local.pause(job_ids, still)

    async def close(self) -> None:
        await self._local.close()
