"""A kernel process to run cells in, with a limit on each."""

from __future__ import annotations

import ast
import contextlib
import os
import queue
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager

ROOT = Path(__file__).parents[2]


@dataclass
class Output:
    """What one cell came to. `shown`: what it printed or displayed, results and answers of ours left out."""

    status: str = "ok"
    error: str = ""
    shown: str = ""
    seconds: float = 0.0
    values: dict[str, Any] = field(default_factory=dict)


class Kernel:
    """One kernel process; `alive` is False after it had to be killed, or died.

    `probe`: the module whose functions are called inside it.
    """

    probe = "benchmarks.quality.probe"

    def __init__(self, folder: str) -> None:
        self.manager = KernelManager(kernel_name="python3")
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        self.manager.start_kernel(cwd=folder, env=os.environ | {"PYTHONPATH": path})
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=120)
        self.alive = True

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.alive = False

    def run(self, code: str, *, limit: float, silent: bool = False, ask: str = "") -> Output:
        """Run a cell, and evaluate `ask` after it. After `limit` seconds it is interrupted, then killed."""
        output = Output()
        wanted = {"answer": ask} if ask else {}
        began = time.monotonic()
        message = self.client.execute(
            code, silent=silent, store_history=not silent, allow_stdin=False, user_expressions=wanted
        )
        deadline = began + limit
        while True:
            if time.monotonic() > deadline:
                return self._overtime(output, time.monotonic() - began)
            try:
                said = self.client.get_iopub_msg(timeout=0.2)
            except queue.Empty:
                if not self.manager.is_alive():
                    self.alive = False
                    return Output("died", "the kernel died", output.shown, time.monotonic() - began)
                continue
            if said["parent_header"].get("msg_id") == message and self.take(output, said["msg_type"], said["content"]):
                break
        output.seconds = time.monotonic() - began
        reply = self.client.get_shell_msg(timeout=60)
        while reply["parent_header"].get("msg_id") != message:
            reply = self.client.get_shell_msg(timeout=60)
        content = reply["content"]
        output.status = content["status"]
        output.values = content.get("user_expressions", {})
        return output

    def call(self, function: str, *arguments: object, limit: float = 60.0) -> str:
        """Call a function of the probe, silently. Raises RuntimeError if it raised or took too long."""
        listed = ", ".join(repr(argument) for argument in arguments)
        ask = f"__import__({self.probe!r}, fromlist=['probe']).{function}({listed})"
        output = self.run("", limit=limit, silent=True, ask=ask)
        answer = output.values.get("answer", {})
        if answer.get("status") != "ok":
            reason = output.error or f"{answer.get('ename', output.status)}: {answer.get('evalue', '')}"
            raise RuntimeError(f"{function}: {reason}")
        return str(ast.literal_eval(answer["data"]["text/plain"]))

    def take(self, output: Output, kind: str, content: dict[str, Any]) -> bool:
        """Take note of a message that a cell sent. True if it was the last."""
        if kind == "status":
            return bool(content["execution_state"] == "idle")
        if kind == "stream" and content["name"] == "stdout":
            output.shown += content["text"]
        elif kind == "error":
            output.error = f"{content['ename']}: {content['evalue']}"[:500]
        elif kind == "display_data" and "text/markdown" not in content["data"] and "image/png" not in content["data"]:
            # Answers of ours are Markdown; a picture's text says only that it is one.
            output.shown += content["data"].get("text/plain", "") + "\n"
        return False

    def _overtime(self, output: Output, seconds: float) -> Output:
        self.manager.interrupt_kernel()
        with contextlib.suppress(queue.Empty):
            until = time.monotonic() + 3
            while time.monotonic() < until:
                if self.client.get_iopub_msg(timeout=0.5)["content"].get("execution_state") == "idle":
                    break
        # Not used again: what was interrupted may have left anything half done.
        self.close()
        return Output("timeout", f"did not end in {seconds:.0f} s", output.shown, seconds)


@contextlib.contextmanager
def kernel(folder: str) -> Iterator[Kernel]:
    running = Kernel(folder)
    try:
        yield running
    finally:
        if running.alive:
            running.close()
