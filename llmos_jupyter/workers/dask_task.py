"""What runs on a Dask cluster's worker: a job, in a locked-down kernel that is a child of that worker.

Dask cannot stop a running function, but a child process can be ended; so a cancelled task stops here as it does on the
user's own machine. One local pool serves all jobs of a Dask worker, and keeps a kernel warm between them.
"""

from __future__ import annotations

import asyncio
import queue
import shutil
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol.jobs import Bundle, Ended, Job, WorkerEvent
from llmos_jupyter.workers.local import LocalPool

# Seconds between looks whether Dask still wants the result.
LOOK_SECONDS = 0.05
END = ""  # follows the last event in the queue of events
NO_TICKET = "no ticket"
_MAKING = threading.Lock()


class _Here:
    """The local pool of this Dask worker, on an event loop in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, name="llmos-workers", daemon=True).start()
        # Dask decides how many jobs run at once.
        self.pool = LocalPool(size=10_000)
        self.call(self.pool.start())

    def call(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()


@cache
def _made() -> _Here:
    return _Here()


def _here() -> _Here:
    with _MAKING:
        return _made()


def run_here(text: str, files: Mapping[str, bytes], events: str, tickets: str) -> tuple[str, dict[str, bytes]]:
    """Run a job to its end: the JSON of its `Ended`, and the files of its results.

    `events` names the Dask queue of what happens meanwhile; `tickets` one that holds a ticket for each time the job may
    be begun, because Dask begins a task again when its worker is lost. Without a ticket the answer is NO_TICKET.
    """
    from distributed import Queue, get_client

    client = get_client()
    try:
        Queue(tickets, client=client).get(timeout=1)
    except (TimeoutError, asyncio.TimeoutError):  # two classes before Python 3.11
        return NO_TICKET, {}
    folder = Path(mkdtemp(prefix="llmos-job-"))
    results: Bundle | None = None
    try:
        job = _unpacked(Job.model_validate_json(text), files, folder)
        ended = _run(job, Queue(events, client=client))
        results = ended.results
        return ended.model_dump_json(), read_files(results)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if results is not None:
            shutil.rmtree(results.folder, ignore_errors=True)


def _run(job: Job, events: Any) -> Ended:
    happened: queue.SimpleQueue[str] = queue.SimpleQueue()
    here = _here()
    ended: list[Ended] = []

    async def collect() -> None:
        try:
            async for item in here.pool.run(job):
                if isinstance(item, Ended):
                    ended.append(item)
                else:
                    happened.put(WorkerEvent(item).model_dump_json())
        finally:
            happened.put(END)

    wanted = _wanted()
    running = asyncio.run_coroutine_threadsafe(collect(), here.loop)
    cancelled = False
    while True:
        try:
            batch = [happened.get(timeout=LOOK_SECONDS)]
            while not happened.empty():
                batch.append(happened.get())
        except queue.Empty:
            batch = []
        if not cancelled and not wanted():
            cancelled = True
            here.call(here.pool.cancel(job.id))
        if batch and not cancelled:
            events.put(batch)
        if END in batch:
            break
    running.result()
    return ended[0]


def _wanted() -> Any:
    """Tells whether Dask still wants the running task's result: not when it was cancelled, or whoever asked is gone."""
    from distributed import get_worker
    from distributed.worker import thread_state

    worker, key = get_worker(), thread_state.key

    def wanted() -> bool:
        # Dask has no public way for a running task to ask this of itself.
        task = worker.state.tasks.get(key)
        return task is not None and task.state != "cancelled"

    return wanted


def _unpacked(job: Job, files: Mapping[str, bytes], folder: Path) -> Job:
    for name, data in files.items():
        (folder / Path(name).name).write_bytes(data)
    bundle = job.variables and job.variables.model_copy(update={"folder": str(folder)})
    # Processors are numbered otherwise here.
    limits = job.limits.model_copy(update={"affinity": []})
    return job.model_copy(update={"variables": bundle, "limits": limits})


def read_files(bundle: Bundle | None) -> dict[str, bytes]:
    """The pickles of a bundle, by file name. Raises LLMOSError for a bundle whose files are gone."""
    if bundle is None:
        return {}
    names = [variable.file for variable in bundle.variables if variable.file]
    try:
        return {name: (Path(bundle.folder) / name).read_bytes() for name in names}
    except OSError as error:
        raise LLMOSError(f"The variables of the task cannot be read ({error}): submit it again.") from error
