"""What a job prints, in larger pieces."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from llmos_jupyter.protocol.jobs import Stream, WorkerItem

# Seconds for which text that comes in small pieces is gathered.
GATHER = 0.1


class Gatherer:
    """Puts small pieces of text together before they are stored: a million printed lines are not a million rows."""

    def __init__(self, store: Callable[[WorkerItem], Awaitable[None]]) -> None:
        self._store = store
        self._text: Stream | None = None
        self._since = 0.0

    async def add(self, item: WorkerItem) -> None:
        if isinstance(item, Stream):
            if self._text and self._text.name == item.name and time.monotonic() - self._since < GATHER:
                self._text.text += item.text
                return
            await self.flush()
            self._text, self._since = item, time.monotonic()
            return
        await self.flush()
        await self._store(item)

    async def flush(self) -> None:
        if self._text:
            text, self._text = self._text, None
            await self._store(text)
