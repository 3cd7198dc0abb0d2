"""Do something in the notebook's kernel when no cell is running, in its main thread: bring a task's results back."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


class Idle:
    """Create it in the kernel's main thread. What it is given runs at once if no cell is running, or right after the
    cell; where there is no event loop, as in a terminal, before the next cell. Never within a cell that awaits.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._waiting: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._depth = 0
        self._thread = threading.get_ident()
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        shell.events.register("pre_run_cell", self._before)
        shell.events.register("post_run_cell", self._after)

    def call(self, action: Callable[[], None]) -> None:
        """From any thread. What `action` raises goes to the shell's `showtraceback`."""
        self._waiting.put(action)
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the kernel is ending
                self._loop.call_soon_threadsafe(self._drain)

    def close(self) -> None:
        self._shell.events.unregister("pre_run_cell", self._before)
        self._shell.events.unregister("post_run_cell", self._after)

    def _before(self, _: Any) -> None:
        if self._depth == 0:
            self._drain()
        self._depth += 1

    def _after(self, _: Any) -> None:
        # Cells nest, and one that is empty ends without having begun.
        self._depth = max(0, self._depth - 1)
        self._drain()

    def _drain(self) -> None:
        while self._depth == 0 and threading.get_ident() == self._thread:
            try:
                action = self._waiting.get_nowait()
            except queue.Empty:
                return
            try:
                action()
            except Exception:
                self._shell.showtraceback()
