"""Keeps what code prints in its real run to a length that a notebook can hold.

A million lines make a notebook file of tens of megabytes that no browser opens again. Shown are the first part and,
once the code has ended, the last lines.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from typing import Any, TextIO

# Characters shown as they come; characters of the end shown after a cut.
SHOWN = 200_000
END = 2_000


class _Bounded(io.TextIOBase):
    """Stands for a stream; everything but writing is the stream's own."""

    def __init__(self, stream: TextIO, shown: int) -> None:
        self._stream = stream
        self._left = shown
        self._dropped = 0
        self._end = ""

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self._left > 0:
            self._stream.write(text[: self._left])
        rest = text[max(self._left, 0) :]
        self._left -= len(text)
        if rest:
            self._dropped += len(rest)
            self._end = (self._end + rest)[-END:]
        return len(text)

    def finish(self) -> None:
        """Show the end of what was left out, with a sentence."""
        if not self._dropped:
            return
        hidden = self._dropped - len(self._end)
        if hidden:
            self._stream.write(f"\n… {hidden:,} characters were not shown: print less, or write them to a file …\n")
        self._stream.write(self._end)

    def flush(self) -> None:
        self._stream.flush()

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def bounded_output(shown: int = SHOWN) -> Iterator[None]:
    """Within it, `sys.stdout` and `sys.stderr` show at most `shown` characters each, and END more at the close.

    A stream that the code itself put in place stays in place.
    """
    own = [(name, _Bounded(getattr(sys, name), shown)) for name in ("stdout", "stderr")]
    usual = {name: getattr(sys, name) for name, _ in own}
    for name, stream in own:
        setattr(sys, name, stream)
    try:
        yield
    finally:
        for name, stream in own:
            if getattr(sys, name) is stream:
                setattr(sys, name, usual[name])
            stream.finish()
