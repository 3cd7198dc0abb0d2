"""What a candidate prints and displays in a rehearsal, kept as bounded plain text."""

from __future__ import annotations

import _thread
import io
import re
import threading
import time
from collections import deque
from collections.abc import Callable

PROGRESS_SECONDS = 0.2
HALF = 32 << 10  # characters kept of the beginning, and as many of the end

_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07")


class Capture:
    """Keeps the head and the tail of a text, and counts what lies between."""

    def __init__(self, progress: Callable[[str], None] | None = None) -> None:
        """`progress` is told the text so far, a moment after it grew, from a thread of its own."""
        self._progress = progress
        self._telling = False
        self._head: list[str] = []
        self._room = HALF
        self._tail: deque[str] = deque()
        self._tail_size = 0
        self._dropped = 0
        self._lock = threading.Lock()

    def write(self, text: str) -> None:
        with self._lock:
            if self._progress is not None and not self._telling:
                self._telling = True
                _thread.start_new_thread(self._tell, ())
            if self._room > 0:
                self._head.append(text[: self._room])
                text, self._room = text[self._room :], self._room - len(text)
            if not text:
                return
            if len(text) > HALF:
                self._dropped += len(text) - HALF
                text = text[-HALF:]
            self._tail.append(text)
            self._tail_size += len(text)
            while self._tail_size - len(self._tail[0]) >= HALF:
                gone = self._tail.popleft()
                self._tail_size -= len(gone)
                self._dropped += len(gone)

    def _tell(self) -> None:
        time.sleep(PROGRESS_SECONDS)
        self._telling = False
        if self._progress is not None:
            self._progress(self.text())

    def text(self) -> str:
        with self._lock:
            tail = "".join(self._tail)
            dropped = self._dropped + max(0, len(tail) - HALF)
            middle = f"\n… {dropped} characters left out …\n" if dropped else ""
            return clean("".join(self._head) + middle + tail[-HALF:])


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
