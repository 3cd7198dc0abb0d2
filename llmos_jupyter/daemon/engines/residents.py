"""The engines that are loaded: who uses them, when they were used last, how much memory they take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from llmos_jupyter.daemon.engines.admission import Loaded
from llmos_jupyter.engines.catalogue import Model
from llmos_jupyter.engines.devices import kind_of
from llmos_jupyter.engines.speaking.capabilities import lacks
from llmos_jupyter.engines.speaking.remote import RemoteEngine
from llmos_jupyter.engines.starting.llama_cpp import Launch
from llmos_jupyter.engines.starting.supervisor import Supervisor
from llmos_jupyter.protocol import EngineStatus
from llmos_jupyter.system import process_memory

Engine = Supervisor | RemoteEngine

# An engine that ends within so many seconds after it was used is begun anew: whoever it wrote for asks again.
STILL_WANTED = 5.0
# Where torch and MLX compute in the machine's own memory, and not in a card's.
_IN_MACHINE = ("cpu", "mps", "mlx", "apple", "metal")


@dataclass
class Resident:
    """One loaded model. `closed`: its engine is about to end or to be begun anew, and nobody new may use it."""

    model: Model
    engine: Engine
    pinned: bool = False
    users: int = 0
    closed: bool = False
    last_used: float = field(default_factory=time.monotonic)
    # Tokens in its slots' cache, and how many it holds, when it was last asked.
    cache: tuple[int, int] | None = None
    _most: int = 0

    def enter(self) -> None:
        """Somebody begins to use it."""
        self.users += 1
        self.last_used = time.monotonic()

    def leave(self) -> None:
        """Somebody no longer uses it."""
        self.users -= 1
        self.last_used = time.monotonic()

    @property
    def alive(self) -> bool:
        return self.engine.state in ("ready", "starting")

    @property
    def wanted(self) -> bool:
        """Whether its engine is begun anew when it ends by itself."""
        return self.pinned or self.users > 0 or time.monotonic() - self.last_used < STILL_WANTED

    @property
    def card(self) -> str:
        """The GPU in whose own memory it lies; empty for the machine's memory."""
        engine = self.engine
        if isinstance(engine, RemoteEngine):
            return ""
        if isinstance(engine.launch, Launch):
            return engine.device if engine.launch.gpu and kind_of(engine.launch.gpu) != "metal" else ""
        return "" if engine.device.lower().startswith(_IN_MACHINE) else engine.device

    @property
    def most(self) -> int:
        """The most memory it was seen to take."""
        return self._most

    def loaded(self) -> Loaded:
        """What it takes: what was computed from the model's header, or more if it was seen to take more. Asks the
        system: call it in a thread."""
        memory = process_memory.of(self.engine.pid) if self.alive else process_memory.ProcessMemory()
        self._most = max(self._most, memory.taken)
        takes = max(self.engine.memory_bytes, self._most) if self.alive else 0
        # A card's memory is taken at once, and is not the process's own.
        counted = takes if self.card else min(memory.counted, takes)
        return Loaded(self.model.name, takes, counted, self.pinned, self.users > 0, self.last_used)

    async def look_at_cache(self) -> None:
        """Ask the engine how full its cache is."""
        self.cache = await (await self.engine.server()).cached() if self.engine.state == "ready" else None

    async def status(self, *, ask: bool) -> EngineStatus:
        """`ask` the engine how many slots are busy; else, and where it does not say so at once, this says how many
        requests hold it."""
        engine, busy = self.engine, None
        if ask and engine.state == "ready":
            slots = await (await engine.server()).busy()
            busy = None if slots is None else len(slots)
        return EngineStatus.model_validate(
            {
                "engine": engine.engine,
                "model": engine.model,
                "device": engine.device,
                "state": engine.state,
                "pid": engine.pid,
                "threads": engine.launch.threads if isinstance(engine, Supervisor) else 0,
                "slots": engine.slots,
                "busy_slots": self.users if busy is None else busy,
                "context": engine.context,
                "memory_bytes": self.loaded().takes,
                "pinned": self.pinned,
                "last_used": time.time() - (0.0 if self.users else time.monotonic() - self.last_used),
                "restarts": engine.restarts,
                "error": engine.error or engine.trouble,
                "lacks": lacks(engine.capabilities),
            }
        )


class Residents:
    """By the names of their models. All methods belong to the daemon's event loop; other threads may look."""

    def __init__(self) -> None:
        # Replaced and never changed: other threads read it.
        self._by_name: dict[str, Resident] = {}

    def __iter__(self) -> Iterator[Resident]:
        """Those in use first, then those used last."""
        return iter(sorted(self._by_name.values(), key=lambda one: (one.users == 0, -one.last_used)))

    def get(self, name: str) -> Resident | None:
        return self._by_name.get(name)

    def serving(self, model: Model) -> Resident | None:
        """The one that serves this model now, and goes on doing so."""
        found = self._by_name.get(model.name)
        return found if found and found.model == model and found.alive and not found.closed else None

    def add(self, resident: Resident) -> None:
        self._by_name = {**self._by_name, resident.model.name: resident}

    def remove(self, resident: Resident) -> None:
        self._by_name = {name: one for name, one in self._by_name.items() if one is not resident}

    def loaded(self, card: str = "") -> list[Loaded]:
        """Those that lie in the memory of a card, or in the machine's. Asks the system: call it in a thread."""
        local = (one for one in self if isinstance(one.engine, Supervisor) and one.alive)
        return [one.loaded() for one in local if one.card == card]
