"""How far code is that runs in the sandbox, told while it runs."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

EVERY = 0.2  # seconds between two reports
LATEST = 4_000  # characters of what was printed last

T = TypeVar("T")


@dataclass(frozen=True)
class RunProgress:
    """`printed`: the end of what the code has printed so far, at most LATEST characters, without colours and with the
    last state of each progress bar. `bytes`: what it uses above the notebook's own memory."""

    seconds: float
    printed: str
    bytes: int


def finished(run: Generator[RunProgress, None, T]) -> T:
    """Wait for the end of a run, whatever it tells meanwhile."""
    with closing(run):
        while True:
            try:
                next(run)
            except StopIteration as end:
                result: T = end.value
                return result
