"""What the engine keeps of a generation that gives way, so that it goes on without reading its prompt again."""

from __future__ import annotations

import glob

from llmos_jupyter import paths
from llmos_jupyter.engines.speaking.openai_http import Server


class KeptSlots:
    """Which slot of which engine a step that may have to give way is written in: so that what the slot holds can be
    kept, and given back."""

    def __init__(self) -> None:
        # By step: where its engine listens, and the slot.
        self._writing: dict[str, tuple[str, int]] = {}
        self._kept: dict[str, int] = {}

    async def look(self, step: str, server: Server) -> None:
        """A step has begun to be written: it is in the slot that is busy with nothing else that is known."""
        known = {slot for address, slot in self._writing.values() if address == server.address}
        unknown = set(await server.busy() or []) - known
        if len(unknown) == 1:
            self._writing[step] = server.address, unknown.pop()

    async def keep(self, step: str, server: Server) -> None:
        """The step has stopped; what it had is kept if its slot is known."""
        _, slot = self._writing.get(step, ("", None))
        if slot is not None and await server.save(slot, _state(step)):
            self._kept[step] = slot

    async def give_back(self, step: str, server: Server) -> int | None:
        """The slot in which a step goes on, with what it had; None: the engine may choose."""
        slot = self._kept.pop(step, None)
        if slot is None or not await server.restore(slot, _state(step)):
            return None
        self._writing[step] = server.address, slot
        return slot

    def stopped(self, step: str) -> None:
        self._writing.pop(step, None)


def _state(step: str) -> str:
    """The name under which the engine keeps what a step had read and written."""
    return step.replace("/", "-")


def forget(step: str) -> None:
    """What an engine kept for a step is of no use any more."""
    for file in paths.states_dir().glob(f"*/{glob.escape(_state(step))}"):
        file.unlink(missing_ok=True)
