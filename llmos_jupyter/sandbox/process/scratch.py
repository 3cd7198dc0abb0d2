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
    held: _Held | None = None
    try:
        with interrupts_deferred():  # an interrupt that was held back is raised at the end of this block
            _sweep()
            held = _held_folder()
        yield held.folder
    finally:
        with interrupts_deferred():
            if held is not None:
                shutil.rmtree(held.folder, ignore_errors=True)
                held.close()


class _Held:
    """A folder, and the descriptor by which it is held: that is let go with this object at the latest, and the next
    sandbox then sweeps a folder that an interrupt has kept."""

    def __init__(self, folder: str, descriptor: int) -> None:
        self.folder, self._descriptor, self._owner = folder, descriptor, os.getpid()

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0 and self._owner == os.getpid():
            os.close(descriptor)

    __del__ = close


def _held_folder() -> _Held:
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
            return _Held(folder, held)
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
