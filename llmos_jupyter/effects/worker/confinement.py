"""What confines a worker: Landlock and seccomp on Linux, Seatbelt on macOS, nothing on Windows.

Seatbelt is put on from outside, by `sandbox-exec`; whether it holds is tried from inside.
"""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import sys
from dataclasses import dataclass
from typing import Any

from llmos_jupyter.sandbox import lock
from llmos_jupyter.sandbox.roots import Access, Roots

SEATBELT = "/usr/bin/sandbox-exec"


@dataclass(frozen=True)
class Start:
    """What a worker must know to lock itself in. `system`: as `sys.platform`; `control`: a descriptor that leads to the
    supervisor, where there is one; `libraries`: what to import before the job comes."""

    scratch: str
    parent: int
    system: str
    roots: Roots
    access: Access
    control: int | None = None
    libraries: list[str] = dataclasses.field(default_factory=list)

    def line(self) -> str:
        """As one line of JSON."""
        parts = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return json.dumps(parts | {"roots": _plain(self.roots), "access": _plain(self.access)}) + "\n"

    @classmethod
    def read(cls, line: str) -> Start:
        """From that line."""
        parts: dict[str, Any] = json.loads(line)
        roots: dict[str, Any] = _with_tuples(parts["roots"])
        roots["wide"] = frozenset(roots["wide"])
        return cls(**parts | {"roots": Roots(**roots), "access": Access(**_with_tuples(parts["access"]))})


def _plain(obj: Roots | Access) -> dict[str, object]:
    held = {field.name: getattr(obj, field.name) for field in dataclasses.fields(obj) if field.init}
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in held.items()}


def _with_tuples(parts: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if type(value) is list else value for name, value in parts.items()}


@dataclass(frozen=True)
class Confined:
    """What confines this process; `lacking` says why nothing does."""

    lock: lock.Lock
    lacking: str = ""

    @property
    def description(self) -> str:
        """In the words shown with an answer."""
        if self.lacking:
            return f"unlocked ({self.lacking}): a process of its own with copies of variables"
        return f"{self.lock.description}, a process of its own with copies of variables"


class Seatbelt(lock.Lock):
    """Put on by `sandbox-exec`, before this process began."""

    @property
    def description(self) -> str:
        return "Seatbelt"

    @property
    def writes_in_scratch(self) -> bool:
        return True

    @property
    def reads_are_limited(self) -> bool:
        return False


def confine(start: Start, pipe: int, control: socket.socket | None) -> Confined:
    """Lock this process in, as far as the system allows, and try whether it holds. It must have one thread."""
    nothing = lock.Lock(0, False)
    if start.system == "linux":
        lock.die_with_parent(start.parent)
        if (lacking := lock.unsupported()) is not None:
            return Confined(nothing, lacking.rstrip("."))
        try:
            found = lock.lock(start.scratch, pipe, start.roots, start.access, control)
        except OSError as error:
            return Confined(nothing, error.strerror or str(error))
    elif start.system == "darwin":
        found = Seatbelt(0, False)
    else:
        return Confined(nothing, "this system has no lock")
    leak = lock.leaks(
        start.scratch,
        writable=start.access.write,
        readable=start.access.read if found.reads_are_limited else None,
        network=start.access.network,
        processes=start.access.processes,
    )
    return Confined(found, leak or "")


def command(scratch: str, system: str, access: Access) -> list[str]:
    """The command line of a worker."""
    worker = [sys.executable, "-m", "llmos_jupyter.effects.worker"]
    if system == "darwin" and os.path.exists(SEATBELT):
        return [SEATBELT, "-p", profile(scratch, access), *worker]
    return worker


def profile(scratch: str, access: Access) -> str:
    """Seatbelt's rules, of which the last that matches counts: no file is changed outside the scratch folder, nothing
    is sent, no process started or signalled."""
    folders = [os.path.realpath(folder) for folder in (scratch, *access.write)]
    rules = ["(version 1)", "(allow default)", "(deny file-write*)", "(deny appleevent-send)"]
    rules += [f"(allow file-write* (subpath {json.dumps(folder)}))" for folder in folders]
    rules.append('(allow file-write* (literal "/dev/null") (literal "/dev/zero") (literal "/dev/dtracehelper"))')
    if not access.network:
        rules.append("(deny network*)")
    if not access.processes:
        rules += ["(deny process-fork)", "(deny signal (target others))"]
    return "\n".join(rules)
