"""Files that a run writes, deletes or renames: copies are kept until the notebook closes, and undo puts them back."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import tempfile
import threading
import weakref
from dataclasses import dataclass

_DEVICE_FOLDERS = ("/dev/", "/proc/", "/sys/")


@dataclass
class _Kept:
    """A path as it was. `copy` is a file of ours, `link` a symbolic link's target."""

    kind: str  # "absent", "file", "folder", "link"
    status: os.stat_result | None = None
    copy: str = ""
    link: str = ""
    after: tuple[object, ...] | None = None


class FileKeeper:
    """The files of one run. `keep` before each change, `ran` after the run, `restore` to undo.

    `limit_bytes` bounds the copies; a file above it is noted in `impossible`, one sentence each, and left to itself.
    The copies lie in a folder that only the user can read, and are gone with `close`, with this object, or with Python.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.impossible: list[str] = []
        self.bytes = 0
        self._limit = limit_bytes
        self._kept: dict[str, _Kept] = {}
        self._folder = ""
        self._finalizer: weakref.finalize[[str], FileKeeper] | None = None
        self._busy = threading.local()

    def keep(self, path: str | bytes | os.PathLike[str] | int) -> None:
        """Keep a path as it is now, if this is the first time; a folder with all that is in it.

        Takes what the audit events give: a descriptor stands for the file it is open on. Raises nothing: what
        cannot be kept is said in `impossible`. May be called from within an audit hook.
        """
        if getattr(self._busy, "keeping", False):  # our own copying raises audit events, too
            return
        self._busy.keeping = True
        try:
            name = _absolute(path)
            if name and not name.startswith(_DEVICE_FOLDERS) and not self._ours(name):
                self._keep(name)
        finally:
            self._busy.keeping = False

    def _ours(self, name: str) -> bool:
        return bool(self._folder) and (name == self._folder or name.startswith(self._folder + os.sep))

    def _keep(self, name: str) -> None:
        if name in self._kept:
            return
        try:
            status = os.lstat(name)
        except (FileNotFoundError, NotADirectoryError):
            self._kept[name] = _Kept("absent")
            self._missing_parents(name)
            return
        except OSError as error:
            self._cannot(name, error.strerror or str(error))
            return
        try:
            if stat.S_ISLNK(status.st_mode):
                self._kept[name] = _Kept("link", status, link=os.readlink(name))
                target = os.path.realpath(name)
                if target != name:
                    self._keep(target)  # a write goes through the link
            elif stat.S_ISDIR(status.st_mode):
                self._kept[name] = _Kept("folder", status)
                with os.scandir(name) as entries:
                    inside = [entry.path for entry in entries]
                for path in inside:
                    self._keep_shallow_link(path)
            elif stat.S_ISREG(status.st_mode):
                self._copy(name, status)
        except OSError as error:
            self._kept.pop(name, None)
            self._cannot(name, error.strerror or str(error))

    def _keep_shallow_link(self, path: str) -> None:
        """Inside a folder a link is kept, but not what it points at: deleting the folder does not reach there."""
        if os.path.islink(path):
            if path not in self._kept:
                self._kept[path] = _Kept("link", os.lstat(path), link=os.readlink(path))
        else:
            self._keep(path)

    def _missing_parents(self, name: str) -> None:
        parent = os.path.dirname(name)
        while parent and parent not in self._kept and not os.path.lexists(parent):
            self._kept[parent] = _Kept("absent")
            parent = os.path.dirname(parent)

    def _copy(self, name: str, status: os.stat_result) -> None:
        if self.bytes + status.st_size > self._limit:
            self._kept[name] = _Kept("over", status)
            self.impossible.append(
                f"{name} cannot be restored: with it, copies would need {_size(self.bytes + status.st_size)}, "
                f"and undo may keep {_size(self._limit)}."
            )
            return
        if not self._folder:
            self._folder = tempfile.mkdtemp(prefix="llmos-undo-")  # of mode 0700
            self._finalizer = weakref.finalize(self, shutil.rmtree, self._folder, True)  # runs at exit, too
        copy = os.path.join(self._folder, str(len(self._kept)))
        shutil.copyfile(name, copy)
        os.chmod(copy, 0o600)
        self._kept[name] = _Kept("file", status, copy=copy)
        self.bytes += status.st_size

    def _cannot(self, name: str, why: str) -> None:
        self._kept[name] = _Kept("over")
        self.impossible.append(f"{name} cannot be restored: it could not be copied ({why}).")

    def ran(self) -> None:
        """Note how the run left the files, so that what the user writes later is not overwritten."""
        for name, kept in self._kept.items():
            kept.after = _mark(name)

    def restore(self) -> list[str]:
        """Put the files back; one sentence for each one restored, left alone or failed.

        May be called again after it was interrupted. A file that failed is still held in its copy.
        """
        notes: list[str] = []
        self._busy.keeping = True
        try:
            # Deepest first for what must go; then folders before what is in them.
            for name in sorted(self._kept, key=len, reverse=True):
                if self._kept[name].kind == "absent":
                    self._attempt(self._remove, name, notes)
            for name in sorted(self._kept, key=len):
                if self._kept[name].kind in ("file", "folder", "link"):
                    self._attempt(self._put_back, name, notes)
            for name in sorted(self._kept, key=len, reverse=True):
                kept = self._kept[name]
                if kept.kind == "folder" and kept.status is not None and os.path.isdir(name):
                    with contextlib.suppress(OSError):
                        os.utime(name, ns=(kept.status.st_atime_ns, kept.status.st_mtime_ns))
        finally:
            self._busy.keeping = False
        return notes

    def _attempt(self, act: object, name: str, notes: list[str]) -> None:
        try:
            if (said := act(name)) is not None:  # type: ignore[operator]
                notes.append(said)
        except OSError as error:
            kept = self._kept[name].copy
            where = f"; what it held is in {kept} until the notebook closes" if kept else ""
            notes.append(f"{name} could not be restored ({error.strerror or error}){where}.")

    def _later(self, name: str) -> str | None:
        """Said when the user changed the path after the run; then it stays."""
        after = self._kept[name].after
        if after is None or _mark(name) == after:
            return None
        return f"{name} was changed again after the answer, and stayed as it is."

    def _remove(self, name: str) -> str | None:
        if not os.path.lexists(name):
            return None
        if os.path.isdir(name) and not os.path.islink(name):
            try:
                os.rmdir(name)
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                    return f"The folder {name} stayed, because something else is in it."
                raise
            return f"removed the folder {name}"
        if (said := self._later(name)) is not None:
            return said
        os.unlink(name)
        return f"removed {name}"

    def _put_back(self, name: str) -> str | None:
        kept = self._kept[name]
        assert kept.status is not None
        now = _status(name)
        if kept.kind == "folder":
            if now is not None and stat.S_ISDIR(now.st_mode):
                if stat.S_IMODE(now.st_mode) != stat.S_IMODE(kept.status.st_mode):
                    os.chmod(name, stat.S_IMODE(kept.status.st_mode))
                    return f"restored the mode of {name}"
                return None
            if now is not None:
                os.unlink(name)
            os.makedirs(name)
            os.chmod(name, stat.S_IMODE(kept.status.st_mode))
            return f"restored the folder {name}"
        if kept.kind == "link":
            if now is not None and stat.S_ISLNK(now.st_mode) and os.readlink(name) == kept.link:
                return None
        elif now is not None and stat.S_ISREG(now.st_mode) and self._same(name, kept, now):
            return None
        if (said := self._later(name)) is not None:
            return said
        return self._replace(name, kept)

    @staticmethod
    def _same(name: str, kept: _Kept, now: os.stat_result) -> bool:
        assert kept.status is not None
        if now.st_size != kept.status.st_size or now.st_mode != kept.status.st_mode:
            return False
        return now.st_mtime_ns == kept.status.st_mtime_ns and _same_bytes(name, kept.copy)

    def _replace(self, name: str, kept: _Kept) -> str:
        """A file that is still the same one is written in place, so that hard links and open files see it."""
        assert kept.status is not None
        now = _status(name)
        if now is not None and stat.S_ISDIR(now.st_mode):
            raise OSError(errno.EISDIR, "a folder of this name is in its place")
        os.makedirs(os.path.dirname(name), exist_ok=True)
        if kept.kind == "link":
            if now is not None:
                os.unlink(name)
            os.symlink(kept.link, name)
            with contextlib.suppress(OSError, NotImplementedError):
                os.utime(name, ns=(kept.status.st_atime_ns, kept.status.st_mtime_ns), follow_symlinks=False)
            return f"restored the link {name}"
        if now is not None and (not stat.S_ISREG(now.st_mode) or now.st_ino != kept.status.st_ino):
            os.unlink(name)
        elif now is not None and not os.access(name, os.W_OK):
            os.chmod(name, 0o600)
        shutil.copyfile(kept.copy, name)
        os.chmod(name, stat.S_IMODE(kept.status.st_mode))
        os.utime(name, ns=(kept.status.st_atime_ns, kept.status.st_mtime_ns))
        return f"restored {name}"

    def close(self) -> None:
        """Delete the copies. Nothing can be restored after."""
        if self._finalizer is not None:
            self._finalizer()
        self._kept.clear()
        self._folder = ""


def _absolute(path: str | bytes | os.PathLike[str] | int) -> str:
    """The path with its folder resolved, but not its own link. Empty if there is none."""
    try:
        if isinstance(path, int):
            name = os.readlink(f"/proc/self/fd/{path}")
            return name if os.path.isabs(name) and not name.endswith(" (deleted)") else ""
        name = os.path.abspath(os.fsdecode(path))
        return os.path.join(os.path.realpath(os.path.dirname(name)), os.path.basename(name))
    except (OSError, ValueError, TypeError):
        return ""


def _status(name: str) -> os.stat_result | None:
    try:
        return os.lstat(name)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _mark(name: str) -> tuple[object, ...]:
    """What differs once somebody wrote the file again."""
    status = _status(name)
    return () if status is None else (status.st_mode, status.st_ino, status.st_size, status.st_mtime_ns)


def _same_bytes(first: str, second: str) -> bool:
    with open(first, "rb") as one, open(second, "rb") as other:
        while True:
            a, b = one.read(1 << 20), other.read(1 << 20)
            if a != b:
                return False
            if not a:
                return True


def _size(count: int) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} bytes"
