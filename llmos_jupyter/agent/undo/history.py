"""The runs that can be taken back, the last first: what they did to the notebook's names, and to files."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from llmos_jupyter.agent.undo.files import FileKeeper

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from llmos_jupyter.effects.transaction import Committed


class History:
    """The runs that can be undone, the last first. Bounded by `count` and by `limit_bytes`: the oldest are let go."""

    def __init__(self, *, limit_bytes: int, count: int = 20) -> None:
        self._limit, self._count = limit_bytes, count
        self._stack: deque[tuple[Committed, FileKeeper | None]] = deque()
        self.pushed = self.dropped = 0

    def __len__(self) -> int:
        return len(self._stack)

    @property
    def bytes(self) -> int:
        return sum(saved.bytes for saved, _ in self._stack)

    def push(self, saved: Committed, files: FileKeeper | None = None) -> None:
        """After the run. `files` is the run's `FileKeeper`, restored with it."""
        self._stack.append((saved, files))
        self.pushed += 1
        while len(self._stack) > self._count or (len(self._stack) > 1 and self.bytes > self._limit):
            _, old = self._stack.popleft()
            if old is not None:
                old.close()
            self.dropped += 1

    def undo(self, shell: InteractiveShell) -> list[str]:
        """Undo the last run; its notes. Where nothing is left to undo, one sentence that says so."""
        if not self._stack:
            if self.dropped:
                return [f"Nothing more can be undone: {self.dropped} earlier answers were let go to save memory."]
            return ["Nothing to undo: no answer has run in this notebook yet, or all were undone."]
        saved, files = self._stack[-1]
        notes = saved.restore(shell)
        if files is not None:
            notes += files.restore()
        self._stack.pop()
        if files is not None:
            files.close()
        return notes or ["The last answer changed nothing that undo restores."]
