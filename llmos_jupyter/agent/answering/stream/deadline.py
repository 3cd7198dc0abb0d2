"""The time that the model has for one answer."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator


class Deadline:
    """`at`: until when the model may write, on `time.monotonic()`'s clock.

    Code runs as long as it takes, which must not leave the model without time for a repair: what is spent within
    `paused` is added.
    """

    def __init__(self, seconds: float) -> None:
        self.at = time.monotonic() + seconds

    def later(self, seconds: float) -> Deadline:
        """Another one, so many seconds after this."""
        return Deadline(self.at - time.monotonic() + seconds)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.at += time.monotonic() - began
