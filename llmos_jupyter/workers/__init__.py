"""Background cells: jobs run outside the notebook's kernel, on this machine or on a Dask cluster.

`transfer.pack` (in the notebook's kernel) writes the variables that a cell reads to disk; a `Pool` (in the daemon)
runs the cell with them and tells what happens as typed events; `transfer.merge` (in the kernel, between two cells)
brings the results back.

| module | what it owns |
|---|---|
| `names`, `fingerprints`, `transfer` | which variables go and come back, and whether they changed meanwhile |
| `local`, `worker`, `outputs` | the pool of this machine; one of its kernels, seen from the daemon; what it shows |
| `nursery`, `guardian`, `inside`, `threads` | a worker's processes: where it is forked, who ends it, what it does |
| `dask`, `dask_task` | the pool of a Dask cluster; what runs there |
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from llmos_jupyter.protocol.jobs import Job, WorkerItem


class Pool(Protocol):
    """Where jobs run. All methods belong to one event loop."""

    async def start(self) -> None:
        """Make ready for the first job. Raises LLMOSError, with the remedy, where this cannot work."""

    def run(self, job: Job) -> AsyncGenerator[WorkerItem, None]:
        """Run a job; what happens, as it happens. The last event is `Ended`, whatever happened.

        Results lie in a folder that the reader of `Ended` deletes. To leave the iterator early is to cancel the job.
        """

    async def cancel(self, job_id: str) -> None:
        """End a job, running or not; its iterator tells. Nothing happens for a job that is not there."""

    async def close(self) -> None:
        """Cancel what runs and end all processes."""
