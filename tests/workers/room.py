"""A pool for tests, on an event loop in a thread of its own: submit, look at events, cancel."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from llmos_jupyter.protocol.jobs import Ended, Job, Started, Stream, WorkerItem
from llmos_jupyter.workers import Pool, transfer

T = TypeVar("T")
_numbers = itertools.count(1)


class Running:
    """A submitted job and what it has said so far."""

    def __init__(self, room: Room, job: Job) -> None:
        self.job = job
        self.events: list[WorkerItem] = []
        self.at: list[float] = []
        self._room = room
        self._done = asyncio.run_coroutine_threadsafe(self._collect(), room.loop)

    async def _collect(self) -> None:
        async for event in self._room.pool.run(self.job):
            self.at.append(time.monotonic())
            self.events.append(event)

    def wait(self, timeout: float = 60.0) -> Running:
        self._done.result(timeout)
        return self

    def until(self, what: Any, timeout: float = 60.0) -> Running:
        """Wait until an event fulfils `what` (a function), or text was printed."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if what in self.text if isinstance(what, str) else any(map(what, self.events)):
                return self
            if self._done.done():
                self._done.result()
            time.sleep(0.005)
        raise TimeoutError(f"{what!r} did not come: {self.events}")

    def cancel(self) -> float:
        """Cancel and wait for the end; seconds."""
        began = time.monotonic()
        self._room.call(self._room.pool.cancel(self.job.id))
        self.wait()
        return time.monotonic() - began

    @property
    def text(self) -> str:
        return "".join(event.text for event in list(self.events) if isinstance(event, Stream))

    @property
    def ended(self) -> Ended:
        *before, last = self.events
        assert isinstance(last, Ended), self.events
        assert not any(isinstance(event, Ended) for event in before)
        return last

    @property
    def pid(self) -> int:
        return next(event.pid for event in self.events if isinstance(event, Started))

    @property
    def results(self) -> dict[str, Any]:
        assert self.ended.results is not None, self.ended
        values, missing = transfer.unpack(self.ended.results)
        assert missing == []
        return values


class Room:
    def __init__(self, pool: Pool, folder: Path) -> None:
        self.pool = pool
        self.folder = folder
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.call(pool.start())

    def call(self, coroutine: Coroutine[Any, Any, T], timeout: float = 60.0) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout)

    def submit(self, code: str, namespace: dict[str, Any] | None = None, **fields: Any) -> Running:
        number = next(_numbers)
        submission = transfer.pack(code, namespace or {}, self.folder / f"sent-{number}")
        job = Job(
            id=f"job-{number}",
            code=code,
            variables=submission.bundle,
            binds=sorted(submission.names.binds),
            touches=sorted(submission.names.touches),
            **fields,
        )
        return Running(self, job)

    def run(self, code: str, namespace: dict[str, Any] | None = None, **fields: Any) -> Running:
        return self.submit(code, namespace, **fields).wait()

    def close(self) -> None:
        self.call(self.pool.close())
        self.loop.call_soon_threadsafe(self.loop.stop)


@contextmanager
def room(pool: Pool, folder: Path) -> Iterator[Room]:
    opened = Room(pool, folder)
    try:
        yield opened
    finally:
        opened.close()
