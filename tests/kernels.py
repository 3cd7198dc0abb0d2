"""A real kernel for tests: run cells in it, press its stop button, look at what it showed."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager


@dataclass
class Cell:
    """What one cell came to. `displays` holds each display's last state, in order of appearance."""

    status: str = ""
    ename: str = ""
    evalue: str = ""
    streams: str = ""
    errors: list[str] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)
    displays: dict[str, dict[str, Any]] = field(default_factory=dict)
    updates: list[dict[str, Any]] = field(default_factory=list)
    next_input: str = ""
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """All that a person would read."""
        shown = [data.get("text/plain", "") for data in self.displays.values()]
        results = [data.get("text/plain", "") for data in self.results]
        return "\n".join([*shown, self.streams, *results, *self.errors])


class Kernel:
    """One kernel process."""

    def __init__(self, folder: Path) -> None:
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(cwd=str(folder))
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def interrupt(self) -> None:
        self.manager.interrupt_kernel()

    def run(
        self,
        code: str,
        *,
        timeout: float = 300.0,
        answer: str | None = None,
        during: Callable[[Cell], bool] | None = None,
    ) -> Cell:
        """Run a cell to its end. `answer` is given to input(); without it nobody can be asked.

        `during` is called after each message until it returns True (to press the stop button at the right moment).
        """
        cell = Cell()
        started = time.monotonic()
        message_id = self.client.execute(code, allow_stdin=answer is not None)
        while True:
            if time.monotonic() - started > timeout:
                raise TimeoutError(f"the cell did not end in {timeout} s: {cell.text}")
            if answer is not None:
                self._answer(answer)
            try:
                message = self.client.get_iopub_msg(timeout=0.1)
            except queue.Empty:
                message = None
            ours = message is not None and message["parent_header"].get("msg_id") == message_id
            if message and ours and self._take(cell, message["msg_type"], message["content"]):
                break
            if during and during(cell):
                during = None
        reply = self.client.get_shell_msg(timeout=30)
        while reply["parent_header"].get("msg_id") != message_id:
            reply = self.client.get_shell_msg(timeout=30)
        content = reply["content"]
        cell.status = content["status"]
        cell.ename, cell.evalue = content.get("ename", ""), content.get("evalue", "")
        for payload in content.get("payload", []):
            if payload["source"] == "set_next_input":
                cell.next_input = payload["text"]
        cell.seconds = time.monotonic() - started
        return cell

    def value(self, expression: str) -> str:
        """The repr of an expression in the kernel."""
        cell = self.run(expression, timeout=60)
        assert cell.results, cell.text
        return str(cell.results[-1]["text/plain"])

    def _answer(self, text: str) -> None:
        try:
            self.client.get_stdin_msg(timeout=0.01)
        except queue.Empty:
            return
        self.client.input(text)

    @staticmethod
    def _take(cell: Cell, kind: str, content: dict[str, Any]) -> bool:
        if kind == "status":
            return bool(content["execution_state"] == "idle")
        if kind == "stream":
            cell.streams += content["text"]
        elif kind == "error":
            cell.errors.append("\n".join(content["traceback"]) or f"{content['ename']}: {content['evalue']}")
        elif kind == "execute_result":
            cell.results.append(content["data"])
        elif kind in ("display_data", "update_display_data"):
            name = content.get("transient", {}).get("display_id") or f"display-{len(cell.displays)}"
            cell.displays[name] = content["data"]
            cell.updates.append(content["data"])
        return False


@contextmanager
def kernel(folder: Path) -> Iterator[Kernel]:
    running = Kernel(folder)
    try:
        yield running
    finally:
        running.close()
