"""The lock: Landlock and seccomp, put by a process on itself, for good.

`lock` is the whole of it at once, for the sandbox. A worker puts it on in two steps: `lock_files` while it has one
thread, `lock_calls` for all threads when its sockets are open.

Landlock refuses every change of a file outside one folder and, in the sandbox, reading outside the notebook's roots.
What Landlock cannot express (sockets, processes, signals, modes and owners of files) a seccomp filter refuses by system
call, with EPERM, so that Python raises an ordinary `PermissionError`. Where the kernel has no Landlock the filter
refuses every opening for writing instead, and reading stays allowed. Where the kernel can tell of refused calls, it
does (`notifications`).
"""

from __future__ import annotations

import errno
import os
import platform
import socket
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from llmos_jupyter.sandbox import landlock, notifications, seccomp_filter
from llmos_jupyter.sandbox.landlock import landlock_version
from llmos_jupyter.sandbox.roots import DEVICES, Access, Roots
from llmos_jupyter.sandbox.seccomp_filter import Rules
from llmos_jupyter.sandbox.system_calls import (
    ARCHITECTURES,
    PR_GET_SECCOMP,
    PR_SET_NO_NEW_PRIVS,
    adopt_orphans,
    die_with_parent,
    prctl,
)

__all__ = [
    "Lock", "adopt_orphans", "describe", "die_with_parent", "landlock_version", "leaks", "lock", "lock_calls",
    "lock_files", "unsupported",
]  # fmt: skip


@cache
def unsupported() -> str | None:
    """Why this machine has no lock, as one sentence, or None."""
    machine = platform.machine()
    if sys.platform != "linux":
        return "The sandbox's lock needs Linux, and this is another system."
    if machine not in ARCHITECTURES or sys.maxsize < 2**32:
        return f"The sandbox's lock knows 64-bit x86_64 and aarch64 only, and this machine is {machine}."
    try:
        prctl(PR_GET_SECCOMP)
    except OSError:
        return "The sandbox's lock needs seccomp, which this Linux kernel was built without."
    return None


@dataclass(frozen=True)
class Lock:
    """What `lock` achieved. `landlock`: its version, 0 without; `notified`: whether refused calls are told to the
    process outside."""

    landlock: int
    notified: bool

    @property
    def description(self) -> str:
        """In the words shown with an answer."""
        files = f"Landlock v{self.landlock} + seccomp" if self.landlock else "seccomp, no file writes at all"
        return files + (", refusals told by the kernel" if self.notified else ", refusals told by Python only")

    @property
    def writes_in_scratch(self) -> bool:
        """Whether the scratch folder can be written."""
        return bool(self.landlock)

    @property
    def reads_are_limited(self) -> bool:
        """Whether reading outside the roots is refused."""
        return bool(self.landlock)


def describe() -> str:
    """The lock that a sandbox would have on this machine, in words. The machine must have one."""
    return Lock(landlock_version(), seccomp_filter.available()).description


def lock(
    scratch: str,
    keep_fd: int,
    roots: Roots,
    access: Access,
    control: socket.socket | None = None,
    inherited: Iterable[int] = (),
) -> Lock:
    """Confine the calling process, which must have one thread, for the rest of its life.

    Afterwards files can be changed beneath `scratch` only (nowhere, without Landlock) and read beneath the roots;
    `keep_fd` cannot be closed, and there are no sockets and no processes; each but for what `access` leaves open.
    `control` leads to the process that refused calls are told to (None: nobody); where the kernel cannot tell, the lock
    is the same but for that. `inherited`: descriptors of files that were open for writing and no longer are. Raises
    OSError when the kernel refuses seccomp.
    """
    version = landlock_version()
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    if version:
        try:
            landlock.restrict(
                version,
                write=[scratch, *access.write],
                read=[*roots.readable(), *access.readable()],
                list_only=roots.listable(),
                devices=DEVICES,
                tcp=access.network,
            )
        except OSError:  # built in but not switched on, or a container's own filter
            version = 0
    rules = Rules(os.getpid(), version, keep_fd, access.network, access.processes, inherited=tuple(sorted(inherited)))
    listener = None
    if control is not None:
        try:
            told = seccomp_filter.program(rules.notifying(control.fileno()))
            listener = seccomp_filter.install(told, seccomp_filter.FLAG_NEW_LISTENER)
        except OSError:  # an old kernel, a sandbox round this one, or somebody who listens already
            pass
    if listener is None:
        seccomp_filter.install(seccomp_filter.program(rules))
    elif control is not None:
        notifications.hand_over(control, listener, version)
    return Lock(version, listener is not None)


def lock_files(folders: Sequence[str], devices: Sequence[str] = ()) -> int:
    """Let the calling thread, and all it will start, change files beneath these folders only, for good, and write to
    these devices and control them.

    Returns the Landlock interface's version, 0 where nothing was restricted. No process outside can be signalled
    from version 6 on.
    """
    version = landlock_version()
    if not version:
        return 0
    try:
        landlock.restrict(version, write=folders, devices=("/dev/null", *devices))
    except OSError:
        return 0
    return version


def lock_calls(*, landlock: int, network: bool, processes: bool, attributes: bool) -> None:
    """Refuse system calls to all threads of this process and its children, for good: sockets, processes and changes
    of files' modes, owners and times, each unless allowed, and what nobody may.

    `landlock` is what `lock_files` returned. Raises OSError when the kernel refuses.
    """
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    rules = Rules(os.getpid(), landlock, None, network, processes, attributes)
    stuck = seccomp_filter.install(seccomp_filter.program(rules), seccomp_filter.FLAG_TSYNC)
    if stuck:
        raise OSError(errno.EBUSY, f"thread {stuck} has a filter of its own")


def leaks(
    scratch: str,
    *,
    writable: Iterable[str] = (),
    readable: Iterable[str] | None = None,
    network: bool = False,
    processes: bool = False,
) -> str | None:
    """Try the lock from inside: what it failed to refuse, or None. What was granted is not tried; `writable` are the
    folders beneath which files may be changed, `readable` those that may be read (None: all).

    A filter that was accepted but does nothing (some sandboxes answer so) must not be taken for a lock.
    """
    if _writes_outside(scratch, writable):
        return "a file outside the scratch folder could be written"
    if readable is not None and _reads_outside(readable):
        return "a file outside the notebook's folder could be read"
    if not network and _connects():
        return "a socket could be opened"
    if not processes:
        try:
            os.kill(os.getppid(), 0)
        except PermissionError:
            pass
        else:
            return "another process could be signalled"
    return None


def _writes_outside(scratch: str, writable: Iterable[str]) -> bool:
    granted = [os.path.realpath(folder) for folder in writable]
    for folder in (os.path.dirname(scratch), "/tmp", "/var/tmp", os.path.expanduser("~")):
        real = os.path.realpath(folder)
        if any(os.path.commonpath([real, one]) == one for one in granted):
            continue
        outside = os.path.join(real, f"llmos-lock-test-{os.getpid()}-{os.urandom(4).hex()}")
        try:
            os.close(os.open(outside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError:
            return False
        os.unlink(outside)
        return True
    return False


def _reads_outside(readable: Iterable[str]) -> bool:
    """Whether the root folder can be listed, which no root holds; unless it was granted."""
    if os.sep in readable:
        return False
    try:
        os.listdir(os.sep)
    except OSError:
        return False
    return True


def _connects() -> bool:
    """Whether a datagram socket can be given an address, which sends nothing."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
            made.connect(("127.0.0.1", 9))
    except OSError:  # refused; or a machine without this family, which has nothing to refuse
        return False
    return True
