"""Files that only the user may read, whoever makes them: the daemon, a kernel or the command line.

Requests, code and recorded secrets' neighbours lie in them, and other users share the machine. Modes are set by name
where a file is made, because a kernel's umask is the user's to choose.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

FOLDER_MODE = 0o700
FILE_MODE = 0o600


def private_folder(folder: Path) -> Path:
    """Make a folder that only the user may enter; one that is there already is closed to others.

    A folder of another user, or one that all users share (`/tmp`), stays as it is.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
    _close(folder, FOLDER_MODE)
    return folder


def close_files(folder: Path, pattern: str) -> None:
    """Close the files in a folder whose names match to all other users: an older version left them open."""
    for file in folder.glob(pattern):
        _close(file, FILE_MODE)


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
    with contextlib.suppress(OSError):  # gone since, or another user's
        status = path.lstat()
        shared = status.st_mode & stat.S_ISVTX
        if status.st_uid == os.getuid() and not stat.S_ISLNK(status.st_mode) and not shared and status.st_mode & 0o077:
            path.chmod(mode)
