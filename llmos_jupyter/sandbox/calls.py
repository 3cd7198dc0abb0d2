"""What a sandbox's process means by the arguments of a system call: paths, addresses, commands, from its memory.

Read while the call waits, by the process outside. Another thread of the sandbox may change that memory at any time, so
nothing read here decides what is permitted; it says what was attempted.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import struct
from dataclasses import dataclass

# Answers to a call: make it, give a stand-in for what it wants to open, or the file that was opened for it here
# (`Judge.opened`). Others are the number of an error, 0 for a call that is said to be done and is not.
CONTINUE, INERT_SOCKET, OWN_MEMORY, OPENED = -1, -2, -3, -4

LONGEST_PATH = 4096  # PATH_MAX
MOST_WORDS = 64  # of a command line
AT_FDCWD = -100
AT_SYMLINK_NOFOLLOW, AT_SYMLINK_FOLLOW = 0x100, 0x400


@dataclass(frozen=True)
class Call:
    """A system call that waits: its number, its six arguments, the thread that makes it."""

    number: int
    arguments: tuple[int, ...]
    thread: int

    def signed(self, index: int) -> int:
        """An argument as C's `int`."""
        return ((self.arguments[index] & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000


@dataclass(frozen=True)
class Address:
    """Where a socket would connect to. `host`: a numeric address, or the path of a socket in the file system."""

    family: int
    host: str
    port: int = 0


class SandboxMemory:
    """One sandbox's memory and paths. `children`: whether it may have processes of its own, whose memory is another."""

    def __init__(self, pid: int, *, children: bool) -> None:
        self._pid = pid
        self._children = children
        self._memory = -1
        with contextlib.suppress(OSError):  # where that is forbidden, what was attempted stays unknown
            self._memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        if self._memory >= 0:
            os.close(self._memory)
            self._memory = -1

    # --- memory ---------------------------------------------------------------------------------

    def read(self, thread: int, address: int, size: int) -> bytes:
        """Up to `size` bytes; less at the end of what is mapped, nothing where nothing can be read."""
        if not 0 < address < 1 << 63:
            return b""
        try:
            if not self._children:
                return os.pread(self._memory, size, address)
            memory = os.open(f"/proc/{thread}/mem", os.O_RDONLY | os.O_CLOEXEC)
            try:
                return os.pread(memory, size, address)
            finally:
                os.close(memory)
        except OSError:
            return b""

    def text(self, thread: int, address: int) -> str | None:
        """A string of C's, None where there is none to be read."""
        data = self.read(thread, address, LONGEST_PATH)
        end = data.find(b"\0")
        return os.fsdecode(data[:end]) if end >= 0 else None

    def words(self, thread: int, address: int) -> list[str]:
        """A command line: C's array of strings that ends with NULL."""
        pointers = self.read(thread, address, 8 * MOST_WORDS)
        found = []
        for (pointer,) in struct.iter_unpack("=Q", pointers[: len(pointers) // 8 * 8]):
            word = self.text(thread, pointer) if pointer else None
            if word is None:
                break
            found.append(word)
        return found

    def address(self, thread: int, address: int, size: int) -> Address | None:
        """A socket's address: struct sockaddr_in, sockaddr_in6 or sockaddr_un."""
        data = self.read(thread, address, min(size, 128))
        if len(data) < 2:
            return None
        family = int(struct.unpack_from("=H", data)[0])
        if family == socket.AF_INET and len(data) >= 8:
            return Address(family, str(ipaddress.IPv4Address(data[4:8])), struct.unpack_from(">H", data, 2)[0])
        if family == socket.AF_INET6 and len(data) >= 24:
            host = ipaddress.IPv6Address(data[8:24])
            return Address(family, str(host.ipv4_mapped or host), struct.unpack_from(">H", data, 2)[0])
        if family == socket.AF_UNIX:
            name = data[2:]
            abstract = name.startswith(b"\0")
            text = os.fsdecode(name[1:].rstrip(b"\0") if abstract else name.partition(b"\0")[0])
            return Address(family, f"@{text}" if abstract else text)
        return Address(family, "")

    # --- paths ----------------------------------------------------------------------------------

    def path(self, call: Call, index: int, folder: int | None = None) -> str | None:
        """The absolute path, links and all, that an argument names, relative to the one that names a folder."""
        name = self.text(call.thread, call.arguments[index])
        if name is None:
            return None
        if not name.startswith("/"):
            base = self._folder(call.thread, AT_FDCWD if folder is None else call.signed(folder))
            if base is None:
                return None
            name = f"{base}/{name}" if name else base
        return self._own(name)

    def descriptor(self, call: Call, index: int) -> str | None:
        """The path of an open file."""
        return self._folder(call.thread, call.signed(index))

    def _folder(self, thread: int, descriptor: int) -> str | None:
        name = "cwd" if descriptor == AT_FDCWD else f"fd/{descriptor}"
        try:
            return os.readlink(f"/proc/{thread}/{name}")
        except OSError:
            return None

    def _own(self, path: str) -> str:
        """The same path as another process must write it: `self` is whoever asks."""
        if path.startswith("/proc/self"):
            return f"/proc/{self._pid}{path[10:]}"
        if path.startswith("/proc/thread-self"):
            return f"/proc/{self._pid}{path[17:]}"
        if path.startswith("/dev/fd/"):
            return f"/proc/{self._pid}/fd/{path[8:]}"
        for number, name in enumerate(("/dev/stdin", "/dev/stdout", "/dev/stderr")):
            if path == name:
                return f"/proc/{self._pid}/fd/{number}"
        return path


def real(path: str, *, follow: bool = True) -> str | None:
    """What a path leads to, None where there is nothing; with `follow` off, of a link the link itself."""
    flags = os.O_PATH | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    try:
        opened = os.open(path, flags)
    except (OSError, ValueError):
        return None
    try:
        return os.readlink(f"/proc/self/fd/{opened}")
    finally:
        os.close(opened)


def real_entry(path: str) -> str | None:
    """The real path of an entry that need not be there: its folder's, and its name. None without such a folder."""
    head, tail = os.path.split(path.rstrip("/") or "/")
    if tail in ("", ".", ".."):
        return real(path)
    folder = real(head or "/")
    return None if folder is None else os.path.join(folder, tail)
