"""The folder in which a sandbox may write."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator

from llmos_jupyter.sandbox.process.interrupts import interrupts_deferred

with contextlib.suppress(ImportError):  # Windows has none, and no sandbox by a fork
    import fcntl

PREFIX = "llmos-rehearsal-"


@contextlib.contextmanager
def scratch_folder() -> Iterator[str]:
    """A folder of the copy's own, held by a lock: one whose kernel was killed is known by it, and swept by the next."""
    with interrupts_deferred():
        _sweep()
        folder, held = _held_folder()
    try:
        yield folder
    finally:
        with interrupts_deferred():
            shutil.rmtree(folder, ignore_errors=True)
            os.close(held)


def _held_folder() -> tuple[str, int]:
    while True:
        folder = tempfile.mkdtemp(prefix=PREFIX)
        try:
            held = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:  # another kernel swept it before it could be held
            continue
        # A file system without locks cannot be swept, and that is all.
        with contextlib.suppress(OSError):
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.isdir(folder):  # no sweeper was between the two
            return folder, held
        os.close(held)


def _sweep() -> None:
    with contextlib.suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        left = [entry.path for entry in entries if entry.name.startswith(PREFIX)]
        for folder in left:
            with contextlib.suppress(OSError):
                _remove_if_left(folder)


def _remove_if_left(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_DIRECTORY)
    try:
        if os.fstat(fd).st_uid != os.getuid():
            return
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(fd)
