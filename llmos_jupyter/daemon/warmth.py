"""Keeps a notebook's prompt warm: it is read into the engine's cache while the user still types."""

from __future__ import annotations

import asyncio
import contextlib

from llmos_jupyter.daemon.engines.engine_room import EngineRoom
from llmos_jupyter.engines.speaking.openai_http import EngineGone
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Warming


class Warmth:
    """Reads one prompt at a time, and gives way to all that somebody waits for."""

    def __init__(self, engines: EngineRoom) -> None:
        self._engines = engines
        self._reading: asyncio.Task[None] | None = None

    @property
    def reading(self) -> bool:
        return self._reading is not None and not self._reading.done()

    async def warm(self, warming: Warming) -> bool:
        """Read a prompt into the cache if the engine is loaded and nobody generates. False: it was not done."""
        await self.give_way()
        server = await self._engines.use_if_loaded(warming.model)
        if server is None or self._engines.users or not server.capabilities.warms:
            return False

        async def read() -> None:
            with contextlib.suppress(EngineGone, LLMOSError):
                await server.read_prompt(warming.messages)

        self._reading = task = asyncio.create_task(read())
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
        return not task.cancelled()

    async def give_way(self) -> None:
        """End the reading of a prompt that nobody waits for, within one batch."""
        if self._reading and not self._reading.done():
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
