"""What a candidate prints and displays in a rehearsal, kept as bounded plain text."""

from __future__ import annotations

import _thread
import io
import re
import threading
import time
from collections.abc import Callable

PROGRESS_SECONDS = 0.2
HALF = 32 << 10  # characters kept of the beginning, and as many of the end

_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07")


class Capture:
    """Keeps the head and the tail of a text, and counts what lies between."""

    def __init__(self, progress: Callable[[str], None] | None = None) -> None:
        """`progress` is told the text so far, a moment after it grew, from a thread of its own."""
        self._progress = progress
        self._telling = progress is None
        self._head = ""
        self._tail = ""
        self._dropped = 0
        self._new: list[str] = []
        self._new_size = 0
        self._lock = threading.Lock()

    def write(self, text: str) -> None:
        # A print is two writes, and there may be millions: this path takes no lock.
        self._new.append(text)
        self._new_size += len(text)
        if self._new_size > HALF:
            self._fold()
        if not self._telling:
            self._telling = True
            _thread.start_new_thread(self._tell, ())

    def _fold(self) -> None:
        with self._lock:
            self._new_size = 0
            count = len(self._new)  # what another thread appends meanwhile stays for the next time
            text = "".join(self._new[:count])
            del self._new[:count]
            room = HALF - len(self._head)
            self._head += text[:room]
            self._tail += text[room:]
            if len(self._tail) > HALF:
                self._dropped += len(self._tail) - HALF
                self._tail = self._tail[-HALF:]

    def _tell(self) -> None:
        time.sleep(PROGRESS_SECONDS)
        self._telling = False
        if self._progress is not None:
            self._progress(self.text())

    def text(self) -> str:
        self._fold()
        middle = f"\n… {self._dropped} characters left out …\n" if self._dropped else ""
        return clean(self._head + middle + self._tail)


def clean(text: str) -> str:
    """Without colours, and of a line drawn again and again (a progress bar) its last state."""
    text = _ANSI.sub("", text).replace("\r\n", "\n")
    if "\r" not in text:
        return text
    return "\n".join(_last_state(line) for line in text.split("\n"))


def _last_state(line: str) -> str:
    return next((part for part in reversed(line.split("\r")) if part), "")


class Stream(io.TextIOBase):
    """Stands for `sys.stdout` or `sys.stderr`."""

    def __init__(self, capture: Capture, name: str, fd: int, *, binary: bool) -> None:
        """`binary`: whether the stream it stands for has a `buffer`; a notebook's has none."""
        self._capture = capture
        self.name = f"<{name}>"
        self._fd = fd
        if binary:
            self.buffer = _Bytes(capture)

    encoding = "utf-8"
    errors = "replace"

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._capture.write(text)
        return len(text)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return self._fd


class _Bytes(io.BufferedIOBase):
    def __init__(self, capture: Capture) -> None:
        self._capture = capture

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._capture.write(bytes(data).decode("utf-8", "replace"))
        return len(data)

    def writable(self) -> bool:
        return True
