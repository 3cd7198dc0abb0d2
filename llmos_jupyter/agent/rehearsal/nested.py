"""Run a cell from inside a running cell, top-level `await` included."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell


def run_nested(
    shell: InteractiveShell, code: str, *, store_history: bool = False, silent: bool = False
) -> ExecutionResult:
    """`shell.run_cell(code)`, also while the thread's event loop is running, as it is within a notebook's cell.

    Code that awaits gets an event loop of its own, which ends with the cell: what was bound to the kernel's
    loop in an earlier cell (a task, a client session) cannot be awaited here, and tasks still
    pending at the end are cancelled. Code that does not await sees the kernel's loop, as in any cell.
    """
    if shell.trio_runner:
        return shell.run_cell(code, store_history=store_history, silent=silent)
    usual = shell.loop_runner
    shell.loop_runner = _run_on_fresh_loop
    try:
        return shell.run_cell(code, store_history=store_history, silent=silent)
    finally:
        shell.loop_runner = usual


def _run_on_fresh_loop(cell: Coroutine[Any, Any, Any]) -> Any:
    with _no_running_loop():
        loop = asyncio.new_event_loop()
        try:
            # IPython keeps the exceptions of the cell in the result, so that no error is lost here.
            return loop.run_until_complete(cell)
        finally:
            _close(loop)


@contextlib.contextmanager
def _no_running_loop() -> Iterator[None]:
    """Hide the running loop from asyncio, which refuses to run a second one in a thread."""
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(running)


def _close(loop: asyncio.AbstractEventLoop) -> None:
    try:
        pending = asyncio.all_tasks(loop)
        for task in pending:
            task.cancel()
        if pending:
            loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
