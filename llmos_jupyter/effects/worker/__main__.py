"""The worker's process: lock in, take what the kernel sends, run the code, tell, and end.

Run as `python -m llmos_jupyter.effects.worker`. Its standard input holds two lines of JSON: `Start`, by which it locks
itself in before anything else is imported, and `Job`. What it tells goes to its standard output.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import socket
import sys
import tempfile
import threading
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects.worker.confinement import Start, confine

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from llmos_jupyter.effects.copy.child import Report

LONGEST_WAIT = 600.0  # seconds for a job


def main() -> None:
    from llmos_jupyter.sandbox.process.descriptors import Descriptors

    start = Start.read(sys.stdin.readline())
    pipe = _take_pipe()
    os.environ["TMPDIR"] = tempfile.tempdir = start.scratch
    sys.dont_write_bytecode = True
    control = socket.socket(fileno=start.control) if start.control is not None else None
    descriptors = Descriptors() if hasattr(os, "memfd_create") else None
    confined = confine(start, pipe, control)

    from llmos_jupyter.effects.copy.child import Brief, Prepared, Report, run_prepared
    from llmos_jupyter.effects.worker import receiving
    from llmos_jupyter.sandbox.process import inheritance
    from llmos_jupyter.sandbox.roots import fix_roots

    report = Report(pipe)
    shell = receiving.make_shell(start.scratch)
    fix_roots(shell, start.roots)
    for library in start.libraries:
        with contextlib.suppress(ImportError):
            importlib.import_module(library)
    job = _next_job()
    if job is None:
        return
    _watch_parent()
    if confined.lacking and not job["unlocked"]:
        report.send("broken", reason=f"the lock does not hold here: {confined.lacking}")
        return
    received = _received(job, shell, report)
    if received is None:
        return
    code, numbers = received
    home = [_opened(path) for path in job["home"]]
    with contextlib.suppress(Exception):  # as far as the system has limits
        inheritance.limit_resources(job["memory"], job["budget"], job["memory"])
    brief = Brief(
        code=code,
        scratch=start.scratch,
        pipe=pipe,
        parent=start.parent,
        budget_seconds=job["budget"],
        memory_bytes=job["memory"],
        random_state=None,
        probe=None,
        control=control,
        roots=start.roots,
        access=start.access,
        home=home,
        looks=_function(job["looks"]),
    )
    gc.collect()
    gc.freeze()
    prepared = Prepared(confined.lock, confined.description, descriptors, home=home, numbers=numbers)
    run_prepared(shell, report, brief, prepared)


def _next_job() -> dict[str, Any] | None:
    """What the kernel asks for; None if it has nothing, and is gone or goes on without."""
    tired = threading.Timer(LONGEST_WAIT, os._exit, (0,))
    tired.daemon = True
    tired.start()
    job: dict[str, Any] | None = json.loads(sys.stdin.readline() or "null")
    tired.cancel()
    return job


def _received(job: dict[str, Any], shell: InteractiveShell, report: Report) -> tuple[str, dict[int, int]] | None:
    """Bind the variables that the kernel sent; the code, and its numbers by the addresses of their objects here. None,
    once that is told, where they cannot be bound."""
    from llmos_jupyter.effects.table import BufferReader, CannotComeHome
    from llmos_jupyter.effects.transaction import hoist
    from llmos_jupyter.effects.worker import receiving

    try:
        buffers = BufferReader.of([_opened(path) for path in job["sent"]])
        content = buffers.table(job["place"])
        receiving.settle(content, shell)
        hoist(content["code"], shell)
        numbers = receiving.build(content, buffers, shell)
        receiving.put_options(content, shell)
    except CannotComeHome as why:
        report.send("broken", reason=f"a variable cannot be copied to another process: {why.reason}")
        return None
    except Exception as error:
        report.send("broken", reason=f"the variables could not be copied: {type(error).__name__}: {error}"[:500])
        return None
    return content["code"], numbers


def _function(place: list[str]) -> Any:
    """The function of one of our modules that the kernel names."""
    module, name = place
    return getattr(importlib.import_module(module), name)


def _take_pipe() -> int:
    """Where to report to; the standard streams lead nowhere from now on, save that the kernel's lines come in."""
    from llmos_jupyter.sandbox.process.inheritance import raise_descriptor

    pipe = os.dup(1)
    if os.name == "posix":
        pipe = raise_descriptor(pipe)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    os.dup2(null, 2)
    return pipe


def _opened(path: str) -> int:
    from llmos_jupyter.effects.table import BINARY

    return os.open(path, os.O_RDWR | BINARY)


def _watch_parent() -> None:
    """End with the kernel: its end of the standard input closes. On Linux a signal says so as well."""
    lines = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    leave, read = os._exit, os.read

    def wait() -> None:
        with contextlib.suppress(OSError):
            while read(lines, 1 << 10):
                pass
        leave(1)

    threading.Thread(target=wait, name="llmos parent", daemon=True).start()


if __name__ == "__main__":
    leave = os._exit  # the code sees another one
    try:
        main()
    finally:
        leave(0)
