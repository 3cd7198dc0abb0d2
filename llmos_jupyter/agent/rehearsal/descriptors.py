"""What code in the sandbox writes past Python: solvers and other libraries in C print to the descriptors 1 and 2.

A file in memory stands for each, not a pipe: C code may print while it holds the interpreter's lock, and then no thread
could empty a pipe.
"""

from __future__ import annotations

import _thread
import codecs
import contextlib
import ctypes
import os
import threading
import time
from collections.abc import Callable

from llmos_jupyter.agent.rehearsal.capture import HALF
from llmos_jupyter.agent.rehearsal.inheritance import raise_descriptor
from llmos_jupyter.agent.run.run_progress import EVERY

with contextlib.suppress(ImportError):  # Windows has none, and no sandbox
    import fcntl

_STREAMS = {1: "stdout", 2: "stderr"}
_LINE_BUFFERED = 1  # _IOLBF (stdio.h)
_RECYCLED = 4 << 20  # bytes after which a file begins anew, so that much output takes little memory


class Descriptors:
    """Made before the lock, while nothing else prints."""

    def __init__(self) -> None:
        _flush_c()  # what the kernel's libraries had not written yet is theirs, and goes to the null device
        self._files = {fd: _stand_in(fd) for fd in _STREAMS}
        self._inodes = {fd: _identity(file) for fd, file in self._files.items()}
        self._read = dict.fromkeys(_STREAMS, 0)
        self._decoders = {fd: codecs.getincrementaldecoder("utf-8")("replace") for fd in _STREAMS}
        self._sinks: dict[int, Callable[[str], object]] = {}
        self._lock = threading.RLock()  # a signal handler of the code's may print

    def begin(self, stdout: Callable[[str], object], stderr: Callable[[str], object]) -> None:
        """Pass on, from now on and several times a second, what is written."""
        self._sinks = {1: stdout, 2: stderr}
        _thread.start_new_thread(self._watch, ())

    def end(self) -> None:
        """Pass on what is left; nothing comes after that."""
        _flush_c()
        self._take()
        self._sinks = {}

    def _watch(self) -> None:
        while self._sinks:
            self._take()
            time.sleep(EVERY)

    def _take(self) -> None:
        with self._lock:
            for fd, sink in self._sinks.items():
                with contextlib.suppress(OSError):  # the code has closed it
                    if text := self._new(fd):
                        sink(text)

    def _new(self, fd: int) -> str:
        file, at = self._files[fd], self._read[fd]
        size = os.fstat(file).st_size
        if size == at or _identity(file) != self._inodes[fd]:  # another file, that has got the number of a closed one
            return ""
        skipped = max(0, size - at - 2 * HALF)
        data = os.pread(file, size - at - skipped, at + skipped)
        self._read[fd] = size
        if size > _RECYCLED:
            os.ftruncate(file, 0)  # what comes between is lost: a line of many thousands
            self._read[fd] = 0
        text = self._decoders[fd].decode(data)
        return f"\n… {skipped} bytes left out …\n{text}" if skipped else text


def _stand_in(fd: int) -> int:
    file = os.memfd_create(f"llmos-{_STREAMS[fd]}", os.MFD_CLOEXEC)
    fcntl.fcntl(file, fcntl.F_SETFL, os.O_APPEND)
    os.dup2(file, fd)
    with contextlib.suppress(OSError, ValueError, AttributeError):  # a C library that names its streams otherwise
        libc = ctypes.CDLL(None)
        stream = ctypes.c_void_p.in_dll(libc, _STREAMS[fd])
        libc.setvbuf(stream, None, _LINE_BUFFERED, ctypes.c_size_t(0))
    return raise_descriptor(file)


def _identity(file: int) -> tuple[int, int]:
    status = os.fstat(file)
    return status.st_dev, status.st_ino


def _flush_c() -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        libc = ctypes.CDLL(None)
        for name in _STREAMS.values():
            libc.fflush(ctypes.c_void_p.in_dll(libc, name))
