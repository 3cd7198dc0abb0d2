"""What the sandbox's calls that open and change files attempt, and how they are answered (see `handlers`)."""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Callable
from typing import Literal

from llmos_jupyter.protocol import Capability
from llmos_jupyter.sandbox.calls import (
    AT_SYMLINK_FOLLOW,
    AT_SYMLINK_NOFOLLOW,
    CONTINUE,
    OPENED,
    OWN_MEMORY,
    Call,
    real,
    real_entry,
)
from llmos_jupyter.sandbox.judge import Judge
from llmos_jupyter.sandbox.roots import DEVICES, beneath
from llmos_jupyter.sandbox.seccomp_filter import OPENS_TO_CHANGE, WRITES

_F_WRLCK = 1
_DELETED = " (deleted)"  # how /proc names an open file that has no name any more
# How the C library keeps semaphores, which `multiprocessing` and `tqdm` make (sem_overview(7)). A process alone has no
# use for the name: the sandbox gets memory of its own for one, and its names are made and deleted in words only.
_SEMAPHORES = "/dev/shm/sem."
MOST_REMEMBERED = 10_000  # paths
_O_TMPFILE = getattr(os, "O_TMPFILE", 0)
_FLAGS_TAKEN = os.O_ACCMODE | os.O_CREAT | os.O_EXCL | os.O_TRUNC | os.O_APPEND


# --- opening ----------------------------------------------------------------------------------------


def _open(judge: Judge, call: Call) -> int:
    return _opens(judge, judge.memory.path(call, 0), call.arguments[1], call.arguments[2])


def _creat(judge: Judge, call: Call) -> int:
    return _opens(judge, judge.memory.path(call, 0), os.O_CREAT | os.O_WRONLY | os.O_TRUNC, call.arguments[1])


def _openat(judge: Judge, call: Call) -> int:
    return _opens(judge, judge.memory.path(call, 1, 0), call.arguments[2], call.arguments[3])


def _openat2(judge: Judge, call: Call) -> int:
    how = judge.memory.read(call.thread, call.arguments[2], 16)  # struct open_how: flags, mode
    flags, mode = (int.from_bytes(part, "little") for part in (how[:8], how[8:]))
    return _opens(judge, judge.memory.path(call, 1, 0), flags, mode)


def _opens(judge: Judge, path: str | None, flags: int, mode: int) -> int:
    if flags & os.O_PATH:
        return CONTINUE  # nothing can be read or written through it
    if flags & OPENS_TO_CHANGE:
        return _opens_to_change(judge, path, flags, mode)
    if path is None or path in judge.ordinary:
        return CONTINUE
    entry = real(path, follow=not flags & os.O_NOFOLLOW)
    if entry is None or not entry.startswith("/"):  # nothing there, or a pipe
        return CONTINUE
    entry = entry.removesuffix(_DELETED)
    if judge.is_new(entry):
        return _opens_here(judge, entry, flags, mode)
    if judge.may_read(entry):
        if not beneath(entry, judge.scratch) and len(judge.ordinary) < MOST_REMEMBERED:
            judge.ordinary.add(path)
        return CONTINUE
    if not os.access(entry, os.R_OK):
        return CONTINUE  # the user may not read it either
    verb = "list" if os.path.isdir(entry) else "read"
    return judge.refuse(Capability.READ_FILES, f"{verb} {entry}", entry, errno.EACCES)


def _opens_here(judge: Judge, entry: str, flags: int, mode: int) -> int:
    """Open a file that was granted before it was there: in its real folder, by its name, following nothing."""
    folder, name = os.path.split(entry)
    flags = flags & _FLAGS_TAKEN | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        hand = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if os.readlink(f"/proc/self/fd/{hand}") != folder:
                return errno.EACCES
            opened = os.open(name, flags, mode & 0o777, dir_fd=hand)
        finally:
            os.close(hand)
    except OSError as error:
        return error.errno or errno.EACCES
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        return errno.EACCES
    judge.opened = opened
    return OPENED


def _opens_to_change(judge: Judge, path: str | None, flags: int, mode: int) -> int:
    if path is None:
        return CONTINUE if judge.landlock else judge.refuse(Capability.WRITE_FILES, "write a file")
    entry = real(path, follow=not flags & os.O_NOFOLLOW)
    there = entry is not None
    if entry is None:
        entry = _end_of_links(path) if flags & os.O_CREAT else None
    if entry is None:
        return judge.leave(errno.ENOENT)
    if not entry.startswith("/"):
        return judge.leave(errno.EACCES)  # a pipe of its own
    entry = entry.removesuffix(_DELETED)
    nameless = flags & _O_TMPFILE == _O_TMPFILE
    if judge.may_change(entry) and judge.is_new(entry) and not nameless:
        judge.change(entry)
        return _opens_here(judge, entry, flags, mode)
    if judge.may_change(entry) and not _truncates_unseen(judge, flags):
        return CONTINUE if nameless else judge.change(entry)
    if entry in DEVICES:
        return judge.leave(errno.EACCES)
    if entry.startswith(_SEMAPHORES):
        return OWN_MEMORY if flags & os.O_CREAT and not there else errno.EACCES
    if there and flags & os.O_EXCL and flags & os.O_CREAT:
        return judge.leave(errno.EEXIST)
    if there and not nameless and os.path.isdir(entry):
        return judge.leave(errno.EISDIR)
    if nameless and os.path.basename(entry) == "__pycache__":
        return errno.EACCES  # a library tries whether it could keep compiled code there
    if not os.access(entry if there else os.path.dirname(entry), os.W_OK):
        return judge.leave(errno.EACCES)  # the user may not write it either
    return judge.refuse_change("write", entry)


def _truncates_unseen(judge: Judge, flags: int) -> bool:
    """Whether a file is emptied without being opened for writing, which early Landlocks let pass."""
    return judge.landlock < 3 and bool(flags & os.O_TRUNC) and not flags & os.O_ACCMODE


def _end_of_links(path: str) -> str | None:
    """Where a file that is not there would be made: behind a link that leads to nothing, too."""
    for _ in range(8):
        entry = real_entry(path)
        if entry is None:
            return None
        try:
            path = os.path.join(os.path.dirname(entry), os.readlink(entry))
        except OSError:
            return entry
    return None


def _writes(judge: Judge, call: Call) -> int:
    """Writing by a descriptor that came with the fork: the kernel refuses it, for it is open for reading only, unless
    the number stands for another file by now."""
    path = judge.memory.descriptor(call, 0)
    if path is None or not path.startswith("/") or path in DEVICES or judge.may_change(path):
        return CONTINUE
    if judge.call_name == "fcntl":
        kind = judge.memory.read(call.thread, call.arguments[2], 2)  # struct flock begins with it
        if int.from_bytes(kind, "little") != _F_WRLCK:
            return CONTINUE
    return judge.refuse_change("write to the open file", path.removesuffix(_DELETED), errno.EBADF)


# --- what a folder holds ----------------------------------------------------------------------------


def _made(verb: str, path: Callable[[Judge, Call], str | None]) -> Callable[[Judge, Call], int]:
    """A call that makes a new entry of a folder."""

    def handle(judge: Judge, call: Call) -> int:
        return _makes(judge, verb, path(judge, call))

    return handle


def _makes(judge: Judge, verb: str, path: str | None) -> int:
    entry = real_entry(path) if path else None
    if entry is None:
        return judge.leave(errno.ENOENT)
    if os.path.lexists(entry):
        return judge.leave(errno.EEXIST)
    if judge.may_change(entry):
        return judge.change(entry)
    if entry.startswith(_SEMAPHORES):
        return 0
    folder = verb == "make the folder"
    if folder and (judge.roots.may_make(entry) or os.path.basename(entry) == "__pycache__"):
        return errno.EACCES
    return judge.refuse_change(verb, entry)


def _deletes(path: Callable[[Judge, Call], str | None]) -> Callable[[Judge, Call], int]:
    def handle(judge: Judge, call: Call) -> int:
        name = path(judge, call)
        entry = real_entry(name) if name else None
        if entry is not None and entry.startswith(_SEMAPHORES):
            return errno.EACCES if os.path.lexists(entry) else 0
        if entry is None or not os.path.lexists(entry):
            return judge.leave(errno.ENOENT)
        return judge.change(entry) if judge.may_change(entry) else judge.refuse_change("delete", entry)

    return handle


def _rename(judge: Judge, call: Call) -> int:
    return _renames(judge, judge.memory.path(call, 0), judge.memory.path(call, 1))


def _renameat(judge: Judge, call: Call) -> int:
    return _renames(judge, judge.memory.path(call, 1, 0), judge.memory.path(call, 3, 2))


def _renames(judge: Judge, source: str | None, target: str | None) -> int:
    old, new = (real_entry(path) if path else None for path in (source, target))
    if old is None or new is None or not os.path.lexists(old):
        return judge.leave(errno.ENOENT)
    if judge.may_change(old) and judge.may_change(new):
        return judge.change(old, new, *(new + path[len(old) :] for path in _beneath(old)))
    for verb, entry in (("rename", old), ("write", new)):
        if not judge.may_change(entry):
            judge.refuse_change(verb, entry)
    return errno.EACCES


def _beneath(folder: str) -> list[str]:
    """All that a folder holds, however deep; nothing of a link or a file."""
    if os.path.islink(folder):
        return []
    return [os.path.join(head, name) for head, folders, files in os.walk(folder) for name in (*folders, *files)]


def _link(judge: Judge, call: Call) -> int:
    source = judge.memory.path(call, 0)
    return _links(judge, real_entry(source) if source else None, judge.memory.path(call, 1))


def _linkat(judge: Judge, call: Call) -> int:
    source = judge.memory.path(call, 1, 0)
    follow = bool(call.arguments[4] & AT_SYMLINK_FOLLOW)
    old = (real(source) if follow else real_entry(source)) if source else None
    return _links(judge, old, judge.memory.path(call, 3, 2))


def _links(judge: Judge, old: str | None, new: str | None) -> int:
    if old is not None and old.startswith(_SEMAPHORES):
        return 0 if new is not None and new.startswith(_SEMAPHORES) else errno.EXDEV
    if old is None or not (old.endswith(_DELETED) or os.path.lexists(old)):  # one without a name can be given one
        return judge.leave(errno.ENOENT)
    answer = _makes(judge, "link to", new)
    # A file outside that had a name in the scratch folder could be written through it.
    if answer == CONTINUE and judge.landlock:
        # Whoever writes by the new name changes the old one's content.
        return judge.change(old) if judge.may_change(old) else errno.EXDEV
    return answer


def _truncate(judge: Judge, call: Call) -> int:
    path = judge.memory.path(call, 0)
    entry = real(path) if path else None
    if entry is None:
        return judge.leave(errno.ENOENT)
    if judge.may_change(entry) and judge.landlock >= 3:
        return judge.change(entry)
    return judge.refuse_change("truncate", entry)


# --- mode, owner, times, attributes -----------------------------------------------------------------

_Way = Literal["path", "link", "descriptor", "at"]
_ATTRIBUTES: dict[str, tuple[str, _Way]] = {
    "chmod": ("mode", "path"), "fchmod": ("mode", "descriptor"), "fchmodat": ("mode", "at"),
    "fchmodat2": ("mode", "at"), "chown": ("owner", "path"), "lchown": ("owner", "link"),
    "fchown": ("owner", "descriptor"), "fchownat": ("owner", "at"), "utime": ("times", "path"),
    "utimes": ("times", "path"), "utimensat": ("times", "at"), "futimesat": ("times", "at"),
    "setxattr": ("attributes", "path"), "lsetxattr": ("attributes", "link"),
    "fsetxattr": ("attributes", "descriptor"), "setxattrat": ("attributes", "at"),
    "removexattr": ("attributes", "path"), "lremovexattr": ("attributes", "link"),
    "fremovexattr": ("attributes", "descriptor"), "removexattrat": ("attributes", "at"),
    "file_setattr": ("attributes", "at"),
}  # fmt: skip
_FLAGS_AT = {"fchmodat2": 3, "fchownat": 4, "utimensat": 3}  # where AT_SYMLINK_NOFOLLOW stands


def _changes_attribute(judge: Judge, call: Call) -> int:
    """Landlock knows nothing of these, so none is ever let pass. In the scratch folder, which is thrown away, it is
    said that it was done, so that files can be copied and unpacked there; in a folder that may be written, the process
    outside changes modes and times itself, of the file that it has in hand."""
    kind, way = _ATTRIBUTES[judge.call_name]
    follow = way != "link"
    if way == "descriptor" or (way == "at" and not call.arguments[1]):
        path = judge.memory.descriptor(call, 0)
    elif way == "at":
        flags = _FLAGS_AT.get(judge.call_name)
        follow = flags is None or not call.arguments[flags] & AT_SYMLINK_NOFOLLOW
        path = judge.memory.path(call, 1, 0)
    else:
        path = judge.memory.path(call, 0)
    entry = real(path, follow=follow) if path else None
    if entry is None:
        return errno.ENOENT
    if not entry.startswith("/"):
        return errno.EPERM
    if not judge.may_change(entry):
        return judge.refuse_change(f"change the {kind} of", entry, errno.EPERM)
    if beneath(entry, judge.scratch):
        return 0
    judge.change(entry)
    return _changes_in_hand(judge, call, kind, entry)


def _changes_in_hand(judge: Judge, call: Call, kind: str, entry: str) -> int:
    """Change the mode or the times of a file that may be written, by a descriptor: no name of it is trusted twice."""
    try:
        hand = os.open(entry, os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        return error.errno or errno.EPERM
    held = f"/proc/self/fd/{hand}"
    try:
        if not judge.may_change(os.readlink(held)):
            return errno.EPERM
        if kind == "mode":
            os.chmod(held, call.arguments[2 if "at" in judge.call_name else 1] & 0o777)  # no set-user-ID
        elif judge.call_name == "utimensat" and call.arguments[2]:
            seconds = struct.unpack("=4q", judge.memory.read(call.thread, call.arguments[2], 32))
            if not all(0 <= part < 10**9 for part in seconds[1::2]):  # UTIME_NOW and UTIME_OMIT
                return 0
            os.utime(held, ns=(seconds[0] * 10**9 + seconds[1], seconds[2] * 10**9 + seconds[3]))
        elif kind == "times":
            os.utime(held)
        else:
            return errno.EPERM
    except (OSError, struct.error, OverflowError):
        return errno.EPERM
    finally:
        os.close(hand)
    return 0


HANDLERS: dict[str, Callable[[Judge, Call], int]] = {
    "open": _open, "openat": _openat, "openat2": _openat2, "creat": _creat,
    "mkdir": _made("make the folder", lambda judge, call: judge.memory.path(call, 0)),
    "mkdirat": _made("make the folder", lambda judge, call: judge.memory.path(call, 1, 0)),
    "mknod": _made("make the special file", lambda judge, call: judge.memory.path(call, 0)),
    "mknodat": _made("make the special file", lambda judge, call: judge.memory.path(call, 1, 0)),
    "symlink": _made("link to", lambda judge, call: judge.memory.path(call, 1)),
    "symlinkat": _made("link to", lambda judge, call: judge.memory.path(call, 2, 1)),
    "unlink": _deletes(lambda judge, call: judge.memory.path(call, 0)),
    "rmdir": _deletes(lambda judge, call: judge.memory.path(call, 0)),
    "unlinkat": _deletes(lambda judge, call: judge.memory.path(call, 1, 0)),
    "rename": _rename, "renameat": _renameat, "renameat2": _renameat, "link": _link, "linkat": _linkat,
    "truncate": _truncate, **dict.fromkeys(WRITES, _writes), **dict.fromkeys(_ATTRIBUTES, _changes_attribute),
}  # fmt: skip
