"""Waking those who watch: something has changed, and a number says how often."""

from __future__ import annotations

import asyncio
import contextlib


class Events:
    """Those who wait are woken at each change, and ask for what they show. Belongs to the daemon's event loop."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self.revision = 0

    def notify(self) -> None:
        """Something was stored: wake all readers."""
        self.revision += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Until something is stored, or so many seconds have passed."""
        changed = self._changed
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(changed.wait(), seconds)
