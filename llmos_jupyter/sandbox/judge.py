"""What becomes of a call that the sandbox's filter put to the process outside, and what it is written down as.

A refusal never depends on the sandbox's memory. Calls that registers condemn (processes, sockets, signals, modes of
files) are refused here whatever their arguments say. Openings and changes of files are left to Landlock, which refuses
by what a path really leads to; here they are refused as well when it will refuse them, to be written down. Where there
is no Landlock, every change of a file is refused by its registers.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from llmos_jupyter.protocol import Capability, Refusal
from llmos_jupyter.sandbox.calls import CONTINUE, SandboxMemory
from llmos_jupyter.sandbox.roots import Access, Roots, beneath

MOST = 60  # refusals kept
LONGEST = 200  # characters of one's words
# Devices that libraries look for a GPU or a terminal by: refused without a word.
_UNTOLD = ("/dev/nvidia", "/dev/dri/", "/dev/kfd", "/dev/tty", "/dev/pts/", "/dev/infiniband/")


class Judge:
    """What the handlers of one sandbox's calls judge by.

    `refusals` are in the order of their first attempts, each target once.
    """

    refusals: list[Refusal]
    pid: int
    scratch: str
    roots: Roots
    access: Access
    landlock: int  # its version, 0 where it is not in force: the sandbox says so before any of its calls
    memory: SandboxMemory
    call_name: str  # of the call that is judged
    ordinary: set[str]  # paths that were read, and may be
    opened: int  # the descriptor of a file that was opened in the sandbox's place; -1 for none

    def __init__(
        self,
        pid: int,
        scratch: str,
        roots: Roots,
        access: Access,
        keep: Callable[[str], None] | None = None,
    ) -> None:
        """`scratch`: where the sandbox may write. `keep` is given each real path outside it that is about to be
        changed or made, and has returned before that happens."""
        self.refusals = []
        self.pid = pid
        self.scratch = os.path.realpath(scratch)
        self.roots, self.access = roots, access
        self.landlock = 0
        self.memory = SandboxMemory(pid, children=access.processes)
        self.call_name = ""
        self.ordinary = set()
        self._seen: set[tuple[Capability, str]] = set()
        self.opened = -1
        self.keep = keep
        # Landlock has no rule for what is not there when it is put on.
        self._new = tuple(path for path in access.write if not os.path.lexists(path))
        self._recording = False
        self._waits: Callable[[], bool] = lambda: True

    def begin(self) -> None:
        """The candidate's turn: write down from now on."""
        self._recording = True

    def close(self) -> None:
        """Let go of the sandbox's memory."""
        self.memory.close()

    def begin_call(self, name: str, waits: Callable[[], bool]) -> None:
        """The call that is judged from now on. `waits`: see `handlers.answer`."""
        self.call_name = name
        self._waits = waits

    # --- writing down -----------------------------------------------------------------------------

    def refuse(self, capability: Capability, what: str, target: str = "", code: int = errno.EPERM) -> int:
        """Write a refusal down, and answer with this error."""
        key = (capability, target or what)
        if self._recording and key not in self._seen and len(self._seen) < MOST and self._waits():
            self._seen.add(key)
            what = what if len(what) <= LONGEST else what[: LONGEST - 1] + "…"
            self.refusals.append(Refusal(capability=capability, what=what, target=target, system_call=self.call_name))
        return code

    def refuse_change(self, verb: str, path: str, code: int = errno.EACCES) -> int:
        """The same for a change of a file, unless it is one that no user cares about."""
        if self.changes_nothing(path):
            return code
        return self.refuse(Capability.WRITE_FILES, f"{verb} {path}", path, code)

    def leave(self, code: int) -> int:
        """The kernel's own answer where Landlock guards it; this one, which it would give, where nothing does."""
        return CONTINUE if self.landlock else code

    def change(self, *paths: str) -> int:
        """Leave a change of these real paths to Landlock, once they are kept as they are.

        The kernel resolves the path again: another thread that changes it meanwhile can have a file changed that was
        not kept, though none that was not granted.
        """
        if self.keep is not None:
            for path in paths:
                if not beneath(path, self.scratch):
                    self.keep(path)
        return CONTINUE

    def is_new(self, path: str) -> bool:
        """Whether this real path was granted before there was anything at it, so that Landlock does not let it be
        opened: it is opened here instead."""
        return any(beneath(path, granted) for granted in self._new)

    # --- what the lock lets pass ------------------------------------------------------------------

    def may_change(self, path: str) -> bool:
        """Whether Landlock lets this real path be changed."""
        return bool(self.landlock) and (beneath(path, self.scratch) or self.access.may_write(path))

    def changes_nothing(self, path: str) -> bool:
        """Whether an attempt to change this real path is refused without a word: a library's cache, a device."""
        return self.roots.may_write(path) or path.startswith(_UNTOLD)

    def may_read(self, path: str) -> bool:
        """Whether Landlock lets this real path be read, or refuses it without a word."""
        if not self.landlock or beneath(path, self.scratch):
            return True
        return self.roots.may_read(path, self.pid) or self.access.may_read(path) or path.startswith(_UNTOLD)
