"""What the guard makes of each audit event: whether a held run may do it.

The events and their arguments: https://docs.python.org/3/library/audit_events.html.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shlex
import socket
import sys
from collections.abc import Callable
from functools import lru_cache
from types import FrameType
from typing import TYPE_CHECKING, Any

from llmos_jupyter.agent.ordinary import asks_the_system, is_bytecode, program_of
from llmos_jupyter.protocol import Capability
from llmos_jupyter.sandbox.roots import beneath

if TYPE_CHECKING:
    from llmos_jupyter.agent.guard import Hold

_CHANGING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
INSTALLING = re.compile(r"\b(?:pip3?|uv|conda|mamba|micromamba|poetry)\b.*\b(?:un)?(?:install|add|remove|sync)\b", re.S)
Check = Callable[["Hold", tuple[Any, ...], FrameType | None], None]


# --- files ------------------------------------------------------------------------------------------


def _real(path: Any, folder: Any = -1) -> str | None:
    """The path without links, or None for a descriptor, which was judged when it was opened."""
    if isinstance(path, int) or path is None:
        return None
    name = os.fsdecode(path)
    if isinstance(folder, int) and folder >= 0 and not os.path.isabs(name):
        name = os.path.join(_folder(folder), name)
    return os.path.realpath(name)


def _link(path: Any, folder: Any = -1) -> str | None:
    """The same for calls that act on a link itself, as deleting and renaming do."""
    if isinstance(path, int) or path is None:
        return None
    name = os.fsdecode(path)
    if isinstance(folder, int) and folder >= 0 and not os.path.isabs(name):
        name = os.path.join(_folder(folder), name)
    head, tail = os.path.split(name.rstrip(os.sep) or os.sep)
    return os.path.realpath(name) if tail in ("", ".", "..") else os.path.join(os.path.realpath(head or "."), tail)


def _folder(descriptor: int) -> str:
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/self/fd/{descriptor}")
    if sys.platform == "darwin":
        import fcntl

        with contextlib.suppress(OSError):
            return os.fsdecode(fcntl.fcntl(descriptor, 50, b"\0" * 1024).rstrip(b"\0"))  # F_GETPATH, sys/fcntl.h
    return os.sep  # not known: nothing short of a grant for everything covers it


def _write(hold: Hold, verb: str, path: str | None, frame: FrameType | None) -> None:
    if path is None or hold.roots.may_write(path) or _own(hold, path):
        return
    if is_bytecode(path, frame):
        raise PermissionError(errno.EPERM, "Bytecode is not written here", path)  # and Python goes on without
    if os.path.dirname(path) == hold.roots.temporary and not os.path.lexists(path) and _by_tempfile(frame):
        hold.made.add(path)
        return
    if not hold.permits(Capability.WRITE_FILES, path):
        hold.stop(Capability.WRITE_FILES, f"{verb} {path}", path)
    hold.writes(path)


def _own(hold: Hold, path: str) -> bool:
    """Whether the run made this temporary file, or the folder it lies in, itself."""
    return any(beneath(path, made) for made in hold.made)


def _by_tempfile(frame: FrameType | None) -> bool:
    return frame is not None and frame.f_globals.get("__name__") == "tempfile"


def _read(hold: Hold, path: str | None, verb: str = "read") -> None:
    if path is None or hold.roots.may_read(path) or hold.permits(Capability.READ_FILES, path) or _own(hold, path):
        return
    if os.path.lexists(path):  # what is not there says no more than that
        hold.stop(Capability.READ_FILES, f"{verb} {path}", path)


def _open(hold: Hold, args: tuple[Any, ...], frame: FrameType | None) -> None:
    path, _, flags = args
    real = _real(path)
    if isinstance(flags, int) and flags & _CHANGING:
        if real is not None and os.path.isdir(real):
            return  # how `tempfile` makes its files: nameless, or by an opener, whose own event follows
        _write(hold, "write", real, frame)
    else:
        _read(hold, real)


def _makes(hold: Hold, args: tuple[Any, ...], frame: FrameType | None) -> None:
    path = _real(args[0], args[-1])
    if path is None or not hold.roots.may_make(path):
        _write(hold, "make the folder", path, frame)


def _changes(verb: str) -> Check:
    def check(hold: Hold, args: tuple[Any, ...], frame: FrameType | None) -> None:
        _write(hold, verb, _real(args[0], args[-1] if len(args) > 1 else -1), frame)

    return check


def _removes(verb: str) -> Check:
    def check(hold: Hold, args: tuple[Any, ...], frame: FrameType | None) -> None:
        _write(hold, verb, _link(args[0], args[-1]), frame)

    return check


def _rename(hold: Hold, args: tuple[Any, ...], frame: FrameType | None) -> None:
    source, target, source_folder, target_folder = args
    _write(hold, "rename", _link(source, source_folder), frame)
    _write(hold, "write", _link(target, target_folder), frame)


def _makes_link(hold: Hold, args: tuple[Any, ...], frame: FrameType | None) -> None:
    _write(hold, "link to", _link(args[1], args[-1]), frame)
    if len(args) == 4:  # a hard link: to write through it is to write the file
        _write(hold, "link to", _real(args[0], args[2]), frame)


def _database(hold: Hold, args: tuple[Any, ...], frame: FrameType | None) -> None:
    name = os.fsdecode(args[0])
    if name == "" or ":memory:" in name or "mode=memory" in name:
        return
    path = re.sub(r"^file:(//)?", "", name).partition("?")[0]
    if "mode=ro" in name:
        _read(hold, os.path.realpath(path))
    else:
        _write(hold, "create the database", os.path.realpath(path), frame)


# --- network ----------------------------------------------------------------------------------------

_PAIR = {
    code
    for name in ("socketpair", "_fallback_socketpair")
    if (code := getattr(getattr(socket, name, None), "__code__", None)) is not None
}


def _host(hold: Hold, host: Any, port: Any, frame: FrameType | None) -> None:
    if host is None or host in ("", b""):
        host = "localhost"
    name = bytes(host).decode(errors="replace") if isinstance(host, bytes | bytearray) else str(host)
    if hold.permits(Capability.NETWORK, name):
        return
    if any(name in _addresses(granted) for granted in hold.hosts if hold.permits(Capability.NETWORK, granted)):
        return
    hold.stop(Capability.NETWORK, f"connect to {name}" + (f":{port}" if port else ""), name)


@lru_cache(64)
def _addresses(host: str) -> frozenset[str]:
    with contextlib.suppress(OSError, UnicodeError):
        return frozenset(str(found[4][0]) for found in socket.getaddrinfo(host, None))
    return frozenset()


def _resolves(hold: Hold, args: tuple[Any, ...], frame: FrameType | None) -> None:
    _host(hold, args[0], args[1] if len(args) > 1 else None, frame)
    if isinstance(args[0], str):
        hold.hosts.add(args[0])


def _address(hold: Hold, args: tuple[Any, ...], frame: FrameType | None) -> None:
    address = args[1] if len(args) > 1 else args[0]
    if frame is not None and frame.f_code in _PAIR:
        return  # how Windows makes the pair that wakes an event loop
    if isinstance(address, tuple):
        _host(hold, address[0], address[1] if len(address) > 1 else None, frame)
    elif address is not None:
        _host(hold, address, None, frame)


# --- processes --------------------------------------------------------------------------------------


def _command(hold: Hold, command: Any, frame: FrameType | None) -> None:
    if isinstance(command, list | tuple):
        text = shlex.join(os.fsdecode(word) for word in command)
    else:
        text = os.fsdecode(command)
    if asks_the_system(frame, program_of(command)):
        return
    capability = Capability.INSTALL if INSTALLING.search(text) else Capability.PROCESSES
    what = f"run {text}".strip()
    if not hold.permits(capability, what):
        hold.stop(capability, what)


def _popen(hold: Hold, args: tuple[Any, ...], frame: FrameType | None) -> None:
    _command(hold, args[1] or args[0], frame)


def _system(hold: Hold, args: tuple[Any, ...], frame: FrameType | None) -> None:
    _command(hold, args[0], frame)


def _exec(hold: Hold, args: tuple[Any, ...], frame: FrameType | None) -> None:
    _command(hold, args[1], frame)


def _spawn(hold: Hold, args: tuple[Any, ...], frame: FrameType | None) -> None:
    _command(hold, args[2], frame)


def _fork(hold: Hold, args: tuple[Any, ...], frame: FrameType | None) -> None:
    if not hold.permits(Capability.PROCESSES, "start another process"):
        hold.stop(Capability.PROCESSES, "start another process")


def _kill(hold: Hold, args: tuple[Any, ...], frame: FrameType | None) -> None:
    pid, number = args[0], int(args[1])
    if number == 0:
        return
    own = pid == os.getpid()
    what = f"send signal {number} to " + ("the kernel itself" if own else f"process {pid}")
    capability = Capability.EXIT if own else Capability.PROCESSES
    if not hold.permits(capability, what):
        hold.stop(capability, what)


def _browser(hold: Hold, args: tuple[Any, ...], frame: FrameType | None) -> None:
    if not hold.permits(Capability.PROCESSES, f"open a browser at {args[0]}"):
        hold.stop(Capability.PROCESSES, f"open a browser at {args[0]}")


# --- the kernel itself ------------------------------------------------------------------------------


def is_library(hold: Hold, frame: FrameType | None) -> bool:
    """Whether this frame is a library's code and not the candidate's."""
    if frame is None:
        return False
    if frame.f_globals is hold.namespace:
        return False
    name = frame.f_globals.get("__name__")
    return isinstance(name, str) and name != "__main__" and name in sys.modules


def _from_candidate(hold: Hold, frame: FrameType | None, *through: str) -> bool:
    while frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] in through:
        frame = frame.f_back
    return not is_library(hold, frame)


def _kernel(what: str, *through: str) -> Check:
    """Only what the candidate does itself, not what a library does for it (through the modules named)."""

    def check(hold: Hold, args: tuple[Any, ...], frame: FrameType | None) -> None:
        if _from_candidate(hold, frame, *through) and not hold.permits(Capability.KERNEL):
            hold.stop(Capability.KERNEL, what)

    return check


def _attribute(hold: Hold, args: tuple[Any, ...], frame: FrameType | None) -> None:
    target, name = args[0], args[1]
    home = getattr(target, "__globals__", None)
    if name == "__code__" and home is not None and home is not hold.namespace and _from_candidate(hold, frame):
        hold.stop(Capability.KERNEL, f"change the code of {getattr(target, '__qualname__', 'a function')}")


_MACHINE_CODE = _kernel("call machine code with ctypes", "ctypes")

CHECKS: dict[str, Check] = {
    "open": _open,
    "os.listdir": lambda hold, args, frame: _read(hold, _real("." if args[0] is None else args[0]), "list"),
    "os.scandir": lambda hold, args, frame: _read(hold, _real("." if args[0] is None else args[0]), "list"),
    "os.remove": _removes("delete"),
    "os.rmdir": _removes("delete"),
    "os.rename": _rename,
    "os.truncate": _changes("truncate"),
    "os.mkdir": _makes,
    "os.link": _makes_link,
    "os.symlink": _makes_link,
    "os.chmod": _changes("change the mode of"),
    "os.chown": _changes("change the owner of"),
    "os.chflags": _changes("change the attributes of"),
    "os.utime": _changes("change the times of"),
    "os.setxattr": lambda hold, args, frame: _write(hold, "change the attributes of", _real(args[0]), frame),
    "os.removexattr": lambda hold, args, frame: _write(hold, "change the attributes of", _real(args[0]), frame),
    "sqlite3.connect": _database,
    "socket.connect": _address,
    "socket.bind": _address,
    "socket.sendto": _address,
    "socket.sendmsg": _address,
    "socket.getaddrinfo": _resolves,
    "socket.gethostbyname": _resolves,
    "socket.gethostbyaddr": _resolves,
    "socket.getnameinfo": lambda hold, args, frame: _address(hold, (None, args[0]), frame),
    "subprocess.Popen": _popen,
    "os.system": _system,
    "os.exec": _exec,
    "os.posix_spawn": _exec,
    "os.spawn": _spawn,
    "os.startfile": _system,
    "pty.spawn": _system,
    "os.fork": _fork,
    "os.forkpty": _fork,
    "os.kill": _kill,
    "os.killpg": lambda hold, args, frame: _kill(hold, (-int(args[0]), args[1]), frame),
    "webbrowser.open": _browser,
    "sys.addaudithook": _kernel("watch the kernel with sys.addaudithook"),
    "sys.settrace": _kernel("change how the kernel runs with sys.settrace"),
    "sys.setprofile": _kernel("change how the kernel runs with sys.setprofile"),
    "gc.get_objects": _kernel("look through the kernel's own objects with gc"),
    "gc.get_referrers": _kernel("look through the kernel's own objects with gc"),
    "code.__new__": _kernel("build compiled code"),
    "object.__setattr__": _attribute,
    "winreg.CreateKey": _kernel("change the registry"),
    "winreg.SetValue": _kernel("change the registry"),
    "winreg.DeleteKey": _kernel("change the registry"),
    "winreg.DeleteValue": _kernel("change the registry"),
    "ctypes.dlopen": _MACHINE_CODE,
    "ctypes.dlsym": _MACHINE_CODE,
    "ctypes.dlsym/handle": _MACHINE_CODE,
    "ctypes.call_function": _MACHINE_CODE,
    "ctypes.string_at": _MACHINE_CODE,
    "ctypes.wstring_at": _MACHINE_CODE,
    "ctypes.cdata": _MACHINE_CODE,
    "ctypes.PyObj_FromPtr": _MACHINE_CODE,
}
