"""Having a model's file on the disk, with progress for all who watch."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from llmos_jupyter.engines import download
from llmos_jupyter.engines.catalogue import Model
from llmos_jupyter.protocol import Progress

Report = Callable[[Progress], None]


@contextmanager
def telling(report: Report, everybody: Callable[[Progress | None], None]) -> Iterator[Report]:
    """Tell all who watch what one is told who waits, and None at the end, if anything was told."""
    told = False

    def tell(progress: Progress) -> None:
        nonlocal told
        told = True
        report(progress)
        everybody(progress)

    try:
        yield tell
    finally:
        if told:
            everybody(None)


async def fetch(model: Model, report: Report) -> Path:
    """Download in a thread; its progress comes back to the loop; cancelling this cancels the download. Raises
    LLMOSError when it cannot be had."""
    loop = asyncio.get_running_loop()
    stop = threading.Event()
    told = ("", 0.0)

    def forward(progress: download.DownloadProgress) -> None:
        nonlocal told
        phase, now = progress.phase, time.monotonic()
        if phase == told[0] and now - told[1] < 0.2 and progress.done < progress.total:
            return
        told = (phase, now)
        item = Progress(phase=phase, detail=model.name, done=progress.done, total=progress.total)
        loop.call_soon_threadsafe(report, item)

    fetching = asyncio.create_task(asyncio.to_thread(download.ensure, model, progress=forward, cancelled=stop.is_set))
    try:
        return await asyncio.shield(fetching)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.gather(fetching, return_exceptions=True)
        raise
