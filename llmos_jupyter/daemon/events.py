"""Waking those who read events: the store keeps them, this says that there are new ones."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

from llmos_jupyter.daemon.stores.store import Store
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Event

log = logging.getLogger(__name__)


class Events:
    """A numbered stream of events over the store. Readers may join late and ask for what they missed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changed = asyncio.Event()
        self.revision = 0

    def notify(self) -> None:
        """Something was stored: wake all readers."""
        self.revision += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def add(self, kind: str, task_id: str | None = None, **data: Any) -> None:
        """Something happened that is no part of a task's story: if it cannot be stored, the log says so, and the
        engine that it tells of is none the worse."""
        try:
            self._store.add_event(kind, task_id, data)
        except LLMOSError as error:
            log.error("%s", error)
        self.notify()

    async def wait(self, seconds: float) -> None:
        """Until something is stored, or so many seconds have passed."""
        changed = self._changed
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(changed.wait(), seconds)

    async def after(self, last_id: int) -> AsyncIterator[Event]:
        """All events after this number: first those of the past, then as they happen, for ever."""
        while True:
            # Taken before reading: what is stored in between is then not missed.
            changed = self._changed
            events = await asyncio.to_thread(self._store.events_after, last_id)
            for event in events:
                yield event
                last_id = event.id
            if not events:
                await changed.wait()
