"""A real IPython shell in this process, and a real kernel in another, for the tests of rehearsal."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from IPython.core.interactiveshell import InteractiveShell

from llmos_jupyter.agent.hints.looks import LookForHints
from llmos_jupyter.effects.copy import kernel_copy
from llmos_jupyter.effects.transaction import run_in_sandbox
from llmos_jupyter.protocol import Rehearsal
from llmos_jupyter.sandbox import roots


def shell_with(**names: Any) -> InteractiveShell:
    """The process's shell, with these names and no others, as if it had been started in the present folder."""
    shell = InteractiveShell.instance()
    roots.forget_roots(shell)
    shell.reset(new_session=False)
    shell.user_ns["__spec__"] = None  # a module has one, and `multiprocessing` asks `__main__` for it
    shell.user_ns.update(names)
    return shell


kernel_copy.Copy.preparation = 60.0  # these tests also run on machines that are busy


def rehearse(code: str, shell: InteractiveShell, *, budget_seconds: float = 5.0, **options: Any) -> Rehearsal:
    """What a run in the sandbox reports; its effects are let go."""
    with run_in_sandbox(code, shell, budget_seconds=budget_seconds, looks=LookForHints, **options) as ran:
        return ran.report


def capabilities(report: Rehearsal) -> list[str]:
    return [refusal.capability.value for refusal in report.refusals]


def changes(report: Rehearsal) -> dict[str, str]:
    return {change.name: change.kind for change in report.changes}


def tree(folder: Path) -> dict[str, tuple[Any, ...]]:
    """Everything about a folder's entries that a program could have altered."""
    found = {}
    for path in sorted([folder, *folder.rglob("*")]):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found[str(path)] = (
            status.st_mode,
            status.st_uid,
            status.st_size,
            status.st_mtime_ns,
            sorted(os.listxattr(path)),
            content,
        )
    return found


def descendants() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


def descriptors() -> dict[str, str]:
    """Save those of IPython's history: its thread stops itself before any fork, and starts again later."""
    found = {}
    for fd in os.listdir("/proc/self/fd"):
        try:
            path = os.readlink(f"/proc/self/fd/{fd}")
        except OSError:
            continue
        if "history.sqlite" not in path:
            found[fd] = path
    return found


def _scratch_folders() -> set[str]:
    return {name for name in os.listdir(tempfile.gettempdir()) if name.startswith("llmos-rehearsal-")}


# A kernel that was killed in mid-rehearsal, in another run, may have left its own.
_OTHERS = _scratch_folders()


def leftovers() -> set[str]:
    return _scratch_folders() - _OTHERS


__all__ = [
    "Kernel",
    "capabilities",
    "changes",
    "descendants",
    "descriptors",
    "kernel",
    "leftovers",
    "rehearse",
    "shell_with",
    "subprocess",
    "tree",
]

PRELUDE = """
import json
from llmos_jupyter.agent.hints.looks import LookForHints
from llmos_jupyter.effects.transaction import run_in_sandbox
def R(code, budget_seconds=5.0, **options):
    with run_in_sandbox(code, get_ipython(), budget_seconds=budget_seconds, **options) as ran:
        print('REPORT' + ran.report.model_dump_json())
"""


class Kernel:
    """An ipykernel spoken to as a notebook does."""

    def __init__(self) -> None:
        from jupyter_client.manager import start_new_kernel

        self.manager, self.client = start_new_kernel(kernel_name="python3")
        self.messages: list[dict[str, Any]] = []
        self.run(PRELUDE)

    def start(self, code: str) -> str:
        self.messages = []
        return str(self.client.execute(code))

    def finish(self, message: str, timeout: float = 60) -> str:
        deadline = time.monotonic() + timeout
        text = ""
        while True:
            received = self.client.get_iopub_msg(timeout=max(0.1, deadline - time.monotonic()))
            if received["parent_header"].get("msg_id") != message:
                continue
            kind, content = received["msg_type"], received["content"]
            self.messages.append(received)
            if kind == "stream":
                text += content["text"]
            elif kind == "execute_result":
                text += content["data"]["text/plain"]
            elif kind == "error":
                text += f"{content['ename']}: {content['evalue']}"
            elif kind == "status" and content["execution_state"] == "idle":
                return text

    def run(self, code: str) -> str:
        return self.finish(self.start(code))

    def rehearse(self, code: str, **options: Any) -> Rehearsal:
        said = self.run(f"R({code!r}, **{options!r})")
        assert "REPORT" in said, said
        return Rehearsal.model_validate(json.loads(said.partition("REPORT")[2]))

    def kinds(self) -> list[str]:
        return [message["msg_type"] for message in self.messages]

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@contextmanager
def kernel() -> Iterator[Kernel]:
    running = Kernel()
    try:
        yield running
    finally:
        running.close()
