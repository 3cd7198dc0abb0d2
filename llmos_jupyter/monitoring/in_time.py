"""Asking what may hang, in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Hangs(Exception):
    """No answer yet."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer for {seconds:.0f} s")
        self.seconds = seconds


class InTime(Generic[T]):
    """Asks in a thread of its own, and waits only so long for the answer. `read` belongs to one thread."""

    def __init__(self, ask: Callable[[], T], name: str) -> None:
        self._ask = ask
        self._name = name
        self._asked = threading.Event()
        self._answered = threading.Event()
        self._answer: T
        self._error: Exception | None = None
        self._thread: threading.Thread | None = None
        self._since = 0.0
        self._hangs = False

    def read(self, seconds: float) -> T:
        """The answer, or what asking raised. Raises Hangs where there is none after so many seconds."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        if not self._hangs:
            self._answered.clear()
            self._since = time.monotonic()
            self._asked.set()
        # What hangs is looked at again without waiting.
        if not self._answered.wait(0.0 if self._hangs else seconds):
            self._hangs = True
            raise Hangs(time.monotonic() - self._since)
        self._hangs = False
        if self._error is not None:
            raise self._error
        return self._answer

    def _run(self) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            try:
                self._answer, self._error = self._ask(), None
            except Exception as error:  # is raised where it was asked for
                self._error = error
            self._answered.set()
