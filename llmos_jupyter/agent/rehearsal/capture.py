"""What a candidate prints and displays in the sandbox, kept as bounded plain text."""

from __future__ import annotations

import _thread
import io
import re
import threading
import time
from collections.abc import Callable

from llmos_jupyter.agent.run.run_progress import EVERY

HALF = 32 << 10  # characters kept of the beginning, and as many of the end

_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07")


class Capture:
    """Keeps the head and the tail of a text, and counts what lies between."""

    def __init__(self, progress: Callable[[str], None] | None = None) -> None:
        """`progress` is told what is new, at once and then in short intervals from a thread of its own; of very much at
        a time the end."""
        self._progress = progress
        self._telling = progress is None
        self._untold = ""
        self._unsaid = 0  # characters before it that nobody is told
        self._head = ""
        self._tail = ""
        self._dropped = 0
        self._new: list[str] = []
        self._new_size = 0
        self._lock = threading.RLock()  # a signal handler of the code's may print

    def write(self, text: str) -> None:
        # A print is two writes, and there may be millions: this path takes no lock.
        self._new.append(text)
        self._new_size += len(text)
        if self._new_size > HALF:
            self._fold()
        if not self._telling:
            self._telling = True
            self._tell()  # at once: code in C that comes next may keep the thread from running
            _thread.start_new_thread(self._tell_on, ())

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
            if self._progress is not None:
                untold = self._untold + text
                self._untold = untold[-HALF:]
                self._unsaid += len(untold) - len(self._untold)

    def _tell_on(self) -> None:
        while True:
            time.sleep(EVERY)
            if self._tell():
                continue
            self._telling = False
            if not self._new:
                return
            self._telling = True  # it came between the two

    def _tell(self) -> bool:
        """Tell what is new; whether there was something."""
        with self._lock:  # held until it is told, so that it is told in order
            self._fold()
            text, self._untold = self._untold, ""
            if self._unsaid:
                text, self._unsaid = _left_out(self._unsaid) + text, 0
            if text and self._progress is not None:
                self._progress(text)
        return bool(text)

    def text(self) -> str:
        self._fold()
        middle = _left_out(self._dropped) if self._dropped else ""
        return clean(self._head + middle + self._tail)

    def end(self, characters: int) -> str:
        """The end of the text, from the beginning of a line where it is longer than that."""
        self._fold()
        text = self._head + self._tail
        if len(text) > characters:
            text = re.split("[\r\n]", text[-characters:], maxsplit=1)[-1]
        return clean(text)


def _left_out(count: int) -> str:
    return f"\n… {count} characters left out …\n"


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
