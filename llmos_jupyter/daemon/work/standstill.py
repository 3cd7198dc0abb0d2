"""The processors while the model writes: long cells of this machine stand still."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Protocol

from llmos_jupyter import config
from llmos_jupyter.daemon.work.pools import WORKERS, Pools
from llmos_jupyter.daemon.work.schedule import Schedule

# Seconds that cells stand still at the most: nothing starves.
MOST_STILL = 30.0


class Cells(Protocol):
    """The jobs that run."""

    def may_stand_still(self) -> list[str]: ...

    def may_go_on(self) -> list[str]: ...


class Standstill:
    """Counts who writes. All methods belong to the daemon's event loop."""

    def __init__(self, schedule: Schedule, pools: Pools, cells: Cells) -> None:
        self._schedule = schedule
        self._pools = pools
        self._jobs = cells
        self._generations = 0
        self.still = False
        self._going_on: asyncio.TimerHandle | None = None

    @contextlib.asynccontextmanager
    async def while_writing(self) -> AsyncIterator[None]:
        """While the model writes, long cells of this machine stand still: llama.cpp's threads wait for each other, so
        that one busy neighbour costs them far more than its share. After MOST_STILL seconds they go on beside it."""
        self._generations += 1
        if self._generations == 1 and config.load().yield_cores:
            self._stand_still()
        try:
            yield
        finally:
            self._generations -= 1
            if self._generations == 0:
                self._go_on()

    def _stand_still(self) -> None:
        self.still = True
        self._schedule.cores_taken(WORKERS, "the model, which writes on all cores")
        self._pools.pause(self._jobs.may_stand_still(), True)
        self._going_on = asyncio.get_running_loop().call_later(MOST_STILL, self._go_on)

    def _go_on(self) -> None:
        if self._going_on:
            self._going_on.cancel()
        if self.still:
            self.still = False
            self._pools.pause(self._jobs.may_go_on(), False)
        self._schedule.cores_free(WORKERS)
