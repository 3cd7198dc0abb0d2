"""The table in which effects travel: plain numbers, strings, bytes and lists; large buffers beside it in memory files.

A value in the table is an atom (None, bool, a 64-bit int, float, str, bytes) or a reference `[n]` to node n. A node is
`[kind, ...]`. msgpack writes it: it knows no class and no name, a length larger than the input is an error, and nothing
is shared, so what is read is at most as large as what was sent. The reader treats all of it as hostile.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from dataclasses import dataclass, field
from typing import Any

import msgpack

with contextlib.suppress(ImportError):  # Windows has none, and no sandbox
    import fcntl

BESIDE = 1 << 16  # bytes from which on a buffer goes beside the table
MAPPED = 1 << 20  # bytes from which on a buffer stays in the memory file's pages
FILES = 8  # memory files: each large buffer has its own as long as there are any, so that it can be freed alone
LARGEST_TABLE = 4 << 30
BINARY = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOINHERIT", 0)  # by system
ATOMS = frozenset({type(None), bool, float, str, bytes, int})
_PAGE = mmap.ALLOCATIONGRANULARITY  # what a mapping may begin at; on Unix a page
_LEAST, _MOST = -(1 << 63), (1 << 64) - 1


@dataclass(frozen=True)
class Cannot:
    """Something that cannot come home: the name it is reached by, what it is, and why, as a clause."""

    name: str
    kind: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}" if self.name else self.reason


class CannotComeHome(Exception):
    """An object that cannot travel. `kind` is the object's type."""

    def __init__(self, reason: str, kind: str = "") -> None:
        super().__init__(reason)
        self.reason, self.kind = reason, kind


class Malformed(Exception):
    """The table says something that no honest copy says. Nothing is committed then."""


def fits(value: int) -> bool:
    """Whether an int can stand in the table as it is."""
    return _LEAST <= value <= _MOST


def encode(content: Any) -> bytes:
    """The bytes of a table."""
    packed: bytes = msgpack.packb(content, use_bin_type=True, unicode_errors="surrogatepass")
    return packed


def decode(data: Any) -> Any:
    """The table in `data`. Raises Malformed if it is none."""
    try:
        return msgpack.unpackb(
            data,
            raw=False,
            use_list=True,
            strict_map_key=True,
            unicode_errors="surrogatepass",
            max_ext_len=0,
            ext_hook=_no_extension,
        )
    except RecursionError:
        raise Malformed("it is nested too deeply") from None
    except Exception as error:  # msgpack's own errors have no common base
        raise Malformed(f"it is no table ({type(error).__name__})") from None


def _no_extension(code: int, data: bytes) -> Any:
    raise ValueError("an extension type")


class HomeBuffer(mmap.mmap):
    """Memory of an array that came home: a private mapping, so what is written into it nobody else sees."""


class MemoryFiles:
    """Files of memory alone, made before the fork: the copy writes, the parent reads once the copy is dead.

    They are closed with the object at the latest."""

    def __init__(self) -> None:
        flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
        self.fds: list[int] = []
        self._owner = os.getpid()
        for _ in range(FILES):
            self.fds.append(os.memfd_create("llmos-effects", flags))

    def seal(self) -> None:
        """Fix content and size. To be called when the copy is dead: a file that shrinks would kill its reader."""
        for fd in self.fds:
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)

    def close(self) -> None:
        for fd in self.fds:
            with contextlib.suppress(OSError):
                os.close(fd)
        self.fds = []

    def __del__(self) -> None:
        # In a copy of the process these numbers may stand for other files.
        if os.getpid() == self._owner:
            self.close()


class ScratchFiles(MemoryFiles):
    """The same in a folder, where processes that share nothing find them: for a worker process.

    They are made and held here, so that what the worker puts in their places is not read. Nobody else writes them once
    it is dead.
    """

    def __init__(self, folder: str, name: str) -> None:
        self._owner = os.getpid()
        self.fds = []
        self.paths = [os.path.join(folder, f"{name}-{number}") for number in range(FILES)]
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | BINARY
        for path in self.paths:
            self.fds.append(os.open(path, flags, 0o600))

    def seal(self) -> None:
        """Nothing to do: whoever wrote them is gone."""

    def close(self) -> None:
        super().close()
        for path in self.paths:
            with contextlib.suppress(OSError):
                os.unlink(path)
        self.paths = []


@dataclass
class BufferWriter:
    """The copy's side: buffers are written one after the other, each from a page's beginning."""

    fds: list[int]
    ends: list[int] = field(default_factory=list)
    written: int = 0
    _next: int = 1

    def __post_init__(self) -> None:
        self.ends = [0] * len(self.fds)

    def place(self, data: Any) -> Any:
        """What stands in the table for these bytes: themselves, or `[file, offset, size]`."""
        view = memoryview(data).cast("B") if not isinstance(data, bytes) else memoryview(data)
        if view.nbytes < BESIDE:
            return view.tobytes()
        file = 0
        if view.nbytes >= MAPPED and self._next < len(self.fds):
            file, self._next = self._next, self._next + 1
        return self.write(view, file)

    def write(self, view: memoryview, file: int = 0) -> list[int]:
        at, done = self.ends[file], 0
        os.lseek(self.fds[file], at, os.SEEK_SET)
        while done < view.nbytes:
            done += os.write(self.fds[file], view[done : done + (1 << 30)])
        self.ends[file] = -(-(at + view.nbytes) // _PAGE) * _PAGE
        self.written += view.nbytes
        return [file, at, view.nbytes]


class BufferReader:
    """The other side."""

    def __init__(self, files: MemoryFiles) -> None:
        self._look(files.fds)

    @classmethod
    def of(cls, fds: list[int]) -> BufferReader:
        """One of files that are open here."""
        reader = cls.__new__(cls)
        reader._look(fds)
        return reader

    def _look(self, fds: list[int]) -> None:
        self._fds = fds
        self._sizes = [os.fstat(fd).st_size for fd in self._fds]

    def table(self, place: Any) -> Any:
        """The table at `[file, offset, size]`."""
        file, at, size = self._checked(place)
        if not size or size > LARGEST_TABLE:
            raise Malformed("its table is empty or too large")
        with mmap.mmap(self._fds[file], size, access=mmap.ACCESS_COPY, offset=at) as held, memoryview(held) as view:
            return decode(view)

    def bytes(self, place: Any) -> Any:
        """A writable buffer: a bytearray, or for a large one a mapping of its own."""
        if type(place) is bytes:
            return bytearray(place)
        file, at, size = self._checked(place)
        if not size:
            return bytearray()
        held = HomeBuffer(self._fds[file], size, access=mmap.ACCESS_COPY, offset=at)
        if size >= MAPPED and os.name != "nt":  # Windows deletes no file that is mapped
            return held
        copy = bytearray(held)
        held.close()
        return copy

    def _checked(self, place: Any) -> tuple[int, int, int]:
        if type(place) is not list or len(place) != 3 or any(type(number) is not int for number in place):
            raise Malformed("a buffer has no place")
        file, at, size = place
        if not 0 <= file < len(self._fds) or at < 0 or size < 0 or at % _PAGE or at + size > self._sizes[file]:
            raise Malformed("a buffer lies outside its file")
        return file, at, size


def checked(value: Any, *types: type) -> Any:
    """`value` if it is exactly of one of these types."""
    if type(value) not in types:
        raise Malformed(f"a {type(value).__name__} where a {types[0].__name__} belongs")
    return value


def checked_ints(value: Any, *, least: int = 0, most: int = 1 << 62) -> list[int]:
    """A list of ints within these bounds."""
    if type(value) is not list or not {int}.issuperset(map(type, value)):
        raise Malformed("not a list of numbers")
    if value and not (least <= min(value) and max(value) <= most):
        raise Malformed("a number out of bounds")
    return value


def content_of(content: Any, *lengths: int) -> list[Any]:
    """A node's content, of one of these lengths."""
    if type(content) is not list or len(content) not in lengths:
        raise Malformed("a node of a wrong length")
    return content
