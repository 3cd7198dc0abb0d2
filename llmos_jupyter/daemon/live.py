"""How things stand, told to whoever watches: side panels and widgets.

Each pulse is made once and sent to all. It says what has changed only by a number, so that a reader asks again for just
what it shows, and one that missed some has missed nothing.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncGenerator

from llmos_jupyter._version import __version__
from llmos_jupyter.daemon.engines.engine_room import EngineRoom
from llmos_jupyter.daemon.events import Events
from llmos_jupyter.daemon.stores import task_lists
from llmos_jupyter.daemon.stores.store import Store
from llmos_jupyter.daemon.work.sampling import Sampling
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import PROTOCOL, Progress, Pulse

log = logging.getLogger(__name__)

# Seconds between two pulses: at least while things change, at most when nothing does.
SOONEST = 0.25
LATEST = 1.0


class Live:
    """All methods belong to the daemon's event loop."""

    def __init__(self, store: Store, events: Events, engines: EngineRoom, sampling: Sampling) -> None:
        self._store = store
        self._events = events
        self._engines = engines
        self._sampling = sampling
        self._name = f"{os.getpid()}-{time.time():.3f}"
        self._pulse: Pulse | None = None
        self._beat = asyncio.Event()
        self._readers = 0
        self._beating: asyncio.Task[None] | None = None
        self._progress: Progress | None = None

    def progress(self, progress: Progress | None) -> None:
        """A download or a load goes on; None: it has ended."""
        self._progress = progress

    @property
    def watched(self) -> bool:
        return self._readers > 0

    async def pulses(self) -> AsyncGenerator[Pulse, None]:
        """One at once, then each as it is made, for ever."""
        self._readers += 1
        try:
            yield await self._make()
            if self._beating is None:
                self._beating = asyncio.create_task(self._keep_beating())
            while True:
                beat = self._beat
                await beat.wait()
                if self._pulse is not None:
                    yield self._pulse
        finally:
            self._readers -= 1

    async def close(self) -> None:
        if self._beating:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)

    async def _keep_beating(self) -> None:
        looking: asyncio.Task[None] | None = None
        try:
            while self._readers:
                if looking is None or looking.done():
                    looking = asyncio.create_task(self._look())
                await asyncio.gather(self._something(), asyncio.sleep(SOONEST))
                try:
                    self._pulse = await self._make()
                except LLMOSError as error:  # a full disk, say: the next one may come
                    log.error("%s", error)
                    continue
                except Exception:  # whatever it is, those who watch must not wait for ever
                    log.exception("a pulse failed")
                    continue
                beat, self._beat = self._beat, asyncio.Event()
                beat.set()
        finally:
            self._beating = None
            if looking is not None:
                looking.cancel()

    async def _look(self) -> None:
        """Ask the engine what only it knows, while somebody watches: at most once a second, and nobody waits for it."""
        await asyncio.gather(self._engines.look_at_cache(), asyncio.sleep(LATEST), return_exceptions=True)

    async def _something(self) -> None:
        """Until something changes, or there is a new sample."""
        waits = {
            asyncio.create_task(self._events.wait(LATEST)),
            asyncio.create_task(self._sampling.next(LATEST)),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _make(self) -> Pulse:
        revision = self._events.revision
        counts, engines = await asyncio.gather(
            asyncio.to_thread(task_lists.counts, self._store), self._engines.status(ask=False)
        )
        return Pulse(
            at=time.time(),
            version=__version__,
            protocol=PROTOCOL,
            daemon=self._name,
            revision=revision,
            running=counts.get("running", 0),
            waiting=counts.get("accepted", 0),
            paused=counts.get("paused", 0),
            engines=engines,
            progress=self._progress,
            sample=self._sampling.latest(),
        )
