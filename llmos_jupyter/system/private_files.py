"""Files that only the user may read, whoever makes them: the daemon, a kernel or the command line.

They hold requests, code and what code printed, and a machine may have other users. Each is made with its mode, because
a kernel's umask is the user's to choose; the daemon and the command line, which are ours, have their own as well.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

FOLDER_MODE = 0o700
FILE_MODE = 0o600
_UMASK = 0o077

# The user's umask while `private_umask` is in force; -1 means "as it is", as subprocess understands it too.
_before = -1


@contextlib.contextmanager
def private_umask() -> Iterator[None]:
    """In this block the process makes files that only the user may read. For a whole program, not for a thread."""
    global _before
    outer, _before = _before, os.umask(_UMASK)
    if outer != -1:
        _before = outer
    try:
        yield
    finally:
        os.umask(_before if outer == -1 else _UMASK)
        _before = outer


def users_umask() -> int:
    """The umask for a process that runs the user's own code, as `subprocess` takes it."""
    return _before


def as_the_users(path: Path) -> None:
    """Give a file or folder that is meant for others too (a model's) the mode that the user's umask gives."""
    if _before != -1:
        with contextlib.suppress(OSError):
            path.chmod((0o777 if path.is_dir() else 0o666) & ~_before)


def private_folder(folder: Path) -> Path:
    """Make a folder that only the user may enter; one that is there already is closed to others.

    A folder of another user, or one that all users share (`/tmp`), stays as it is.
    """
    # `mkdir` gives the mode to the last folder only, and the others what the umask leaves.
    for missing in [parent for parent in reversed(folder.parents) if not parent.exists()]:
        missing.mkdir(exist_ok=True, mode=FOLDER_MODE)
    folder.mkdir(exist_ok=True, mode=FOLDER_MODE)
    _close(folder, FOLDER_MODE)
    return folder


def private(path: str, flags: int) -> int:
    """An `opener` for `open`: a file that it makes is the user's alone."""
    return os.open(path, flags, FILE_MODE)


def close_files(folder: Path, *patterns: str) -> None:
    """Close the files of these names in a folder to all other users: an older version left them open."""
    for pattern in patterns:
        for file in folder.glob(pattern):
            if file.is_file():
                _close(file, FILE_MODE)


def close_tree(folder: Path) -> None:
    """Close a folder and all that lies in it to all other users, if it is there; links are not followed."""
    if folder.is_dir() and not folder.is_symlink():
        for place, _, files in os.walk(folder):
            _close(Path(place), FOLDER_MODE)
            for name in files:
                _close(Path(place, name), FILE_MODE)


def make_private(file: Path) -> None:
    """Make an empty file that only the user may read, where there is none: what opens it next keeps its mode."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
    _close(file, FILE_MODE)


def write_private(file: Path, content: bytes) -> None:
    """Write a file, whole or not at all, that only the user may read. Raises OSError."""
    draft = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    draft.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "wb") as output:
            output.write(content)
        draft.replace(file)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _close(path: Path, mode: int) -> None:
    """Take from a file or folder of the user's the rights that `mode` does not give."""
    if not hasattr(os, "getuid"):  # Windows has no such modes: there the profile's folder is the user's own
        return
    with contextlib.suppress(OSError):  # gone since, or on a file system without modes
        # A data folder may be a link to where there is room; a file that is a link is nothing of ours.
        status = path.stat() if mode == FOLDER_MODE else path.lstat()
        ours = status.st_uid == os.getuid() and not stat.S_ISLNK(status.st_mode)
        if ours and not status.st_mode & stat.S_ISVTX and status.st_mode & 0o077:
            path.chmod(mode)
