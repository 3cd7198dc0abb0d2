"""Which engines are loaded: finds the model, fetches it, makes room for it, starts its engine, ends it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from llmos_jupyter import config, paths
from llmos_jupyter.daemon.engines.admission import Memory, admit
from llmos_jupyter.daemon.engines.fetching import Report, fetch, telling
from llmos_jupyter.daemon.engines.residents import Engine, Resident, Residents
from llmos_jupyter.engines import catalogue, devices, download, selection, weights_folder
from llmos_jupyter.engines.catalogue import Model
from llmos_jupyter.engines.speaking import address
from llmos_jupyter.engines.speaking.openai_http import EngineHung, Server
from llmos_jupyter.engines.speaking.remote import RemoteEngine
from llmos_jupyter.engines.starting import placement
from llmos_jupyter.engines.starting.llama_cpp import Launch
from llmos_jupyter.engines.starting.supervisor import KILLED, Supervisor
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import EngineStatus, Progress
from llmos_jupyter.system import hardware
from llmos_jupyter.system.device_names import parse, split

log = logging.getLogger(__name__)

# Of all memory, what models may take together unless the user says otherwise, and what stays free beside several: on a
# laptop with 8 GB the 1.5B and the 0.5B (3.1 GB) stay, and the notebooks have the rest.
CEILING_SHARE, MARGIN_SHARE = 0.5, 0.1


class EngineRoom:
    """The loaded models. Whoever generates holds one with `use()`, so that it is not ended for another."""

    def __init__(
        self,
        on_change: Callable[[], None],
        on_loaded: Callable[[str, int, float], None] = lambda model, size, seconds: None,
        on_progress: Callable[[Progress | None], None] = lambda progress: None,
        measured: Callable[[], Mapping[str, float]] = dict,
        threads: Callable[[], int] = lambda: 0,
    ) -> None:
        """`on_loaded` is told a model's name, the bytes of its file, and the seconds it took; in a thread.
        `on_progress` is told of every download and load, whoever waits for it, and None at its end. `measured`: tokens
        a second that models wrote here, by their names; `threads`: how many an engine should begin with, 0 for all."""
        self._on_progress = on_progress
        self._measured = measured
        self._threads = threads
        self._on_change = on_change
        self._on_loaded = on_loaded
        self.residents = Residents()
        self._automatic: Model | None = None
        # One load at a time on this machine; servers elsewhere are asked beside it.
        self._loading: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._freed = asyncio.Event()
        # The most memory that a model was seen to take, and the device where it was or would be computed.
        self._seen: dict[str, int] = {}
        self._devices: dict[str, str] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self.last_used = time.monotonic()

    # --- what is loaded ---------------------------------------------------------------------

    @property
    def users(self) -> int:
        """How many hold an engine."""
        return sum(resident.users for resident in self.residents)

    @property
    def current(self) -> Resident | None:
        """The model that is in use, or was used last."""
        return next(iter(self.residents), None)

    @property
    def loaded(self) -> str | None:
        """The name of the current model."""
        return self.current.model.name if self.current else None

    @property
    def pid(self) -> int | None:
        """The process of the current model's engine."""
        return self.current.engine.pid if self.current else None

    def names(self) -> set[str]:
        """The models that answer without being loaded first."""
        return {resident.model.name for resident in self.residents if resident.alive}

    def device(self, name: str) -> str:
        """Where a model that is loaded, or was fetched to be, computes; empty for a server elsewhere, and unknown."""
        resident = self.residents.get(name)
        if resident is not None:
            return "" if isinstance(resident.engine, RemoteEngine) else resident.engine.device
        return self._devices.get(name, "")

    def computes_on(self, name: str) -> str:
        """What an answer says of where its model computed: a device, or a server's host."""
        resident = self.residents.get(name)
        return resident.engine.device if resident else ""

    async def status(self, *, ask: bool = True) -> list[EngineStatus]:
        """Of each loaded model, those in use first, then those used last."""
        return list(await asyncio.gather(*(resident.status(ask=ask) for resident in self.residents)))

    async def look_at_cache(self) -> None:
        """Ask the current model's engine how full its cache is."""
        if self.current is not None:
            await self.current.look_at_cache()

    # --- using ------------------------------------------------------------------------------

    @asynccontextmanager
    async def use(self, name: str | Model, report: Report = lambda progress: None) -> AsyncIterator[Server]:
        """Hold the engine of this model, downloading and loading it first. Raises LLMOSError when it cannot."""
        wanted = name if isinstance(name, Model) else await asyncio.to_thread(self._wanted, name)
        resident = self.residents.serving(wanted)
        if resident is None:
            with telling(report, self._on_progress) as tell:
                # Before its turn: nobody else's load waits for a download.
                wanted = await self._have(wanted, self._is_auto(name), tell)
                async with self._loading[wanted.url]:
                    resident = self.residents.serving(wanted) or await self._load(wanted, tell)
                    resident.enter()
        else:
            resident.enter()
        engine = resident.engine
        try:
            yield await engine.server()
        except EngineHung as error:
            engine.restart(str(error))
            raise
        finally:
            resident.leave()
            self.last_used = resident.last_used
            if not resident.users:
                self._freed.set()

    async def have(self, name: str, report: Report = lambda progress: None) -> Model:
        """The model that a name means, ready to be loaded: its file is here. Raises LLMOSError when it cannot be."""
        wanted = await asyncio.to_thread(self._wanted, name)
        if self.residents.serving(wanted) is None:
            with telling(report, self._on_progress) as tell:
                wanted = await self._have(wanted, self._is_auto(name), tell)
        return wanted

    async def pull(self, name: str, report: Report = lambda progress: None) -> Model:
        """Have a model's file on the disk, whether or not it fits. Raises LLMOSError when it cannot be had."""
        wanted = await asyncio.to_thread(self._wanted, name)
        with telling(report, self._on_progress) as tell:
            await fetch(wanted, tell)
        return wanted

    async def use_if_loaded(self, name: str) -> Server | None:
        """The engine if this model is loaded and ready now: warming never loads anything."""
        resident = self.residents.serving(await asyncio.to_thread(self._wanted, name))
        if resident is None or resident.engine.state != "ready":
            return None
        return await resident.engine.server()

    async def pin(self, name: str, pinned: bool) -> None:
        """Keep a model loaded, loading it first; or let it go again. Raises LLMOSError when it cannot."""
        wanted = await asyncio.to_thread(self._wanted, name)
        if pinned:
            async with self.use(wanted):
                pass
        resident = self.residents.get(wanted.name)
        if resident is None:
            raise LLMOSError(f"{wanted.name} is not loaded: `%llmos models` shows which are.")
        resident.pinned = pinned
        self._on_change()

    # --- ending -----------------------------------------------------------------------------

    async def unload(self, name: str = "") -> None:
        """End the engine of a model, on whichever device, or all; pinned ones too."""
        async with self._loading[""]:
            for resident in self.residents:
                if not name or split(resident.model.name)[0] == split(name)[0]:
                    await self._end(resident)

    async def unload_idle(self, seconds: float) -> None:
        """End the engines that nobody has used for so long, unless they are pinned."""
        for resident in self.residents:
            idle = time.monotonic() - resident.last_used
            if not resident.users and not resident.pinned and idle > seconds and not self._loading[""].locked():
                log.info("unloading %s, which is idle", resident.model.name)
                await self._end(resident)

    async def _end(self, resident: Resident) -> None:
        resident.closed = True
        await resident.engine.stop()
        self._seen[resident.model.name] = max(self._seen.get(resident.model.name, 0), resident.most)
        self.residents.remove(resident)
        devices.look_again()
        self._on_change()

    def _begun_anew(self, name: str, code: int) -> bool:
        """An engine has ended by itself: whether it is begun anew. One that nobody uses gives its place free, and one
        that the system killed, for lack of memory most likely, gets that of the others."""
        resident = self.residents.get(name)
        if resident is None or resident.closed:
            return True
        if not resident.wanted:
            log.warning("the engine of %s ended while it was idle, and is not begun anew", name)
            self.residents.remove(resident)
            self._on_change()
            return False
        if code == KILLED:
            for other in self.residents:
                if other is not resident and not other.users and not other.pinned:
                    other.closed = True
                    self._later(self._end(other))
        return True

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        doing = asyncio.create_task(work)
        self._ending.add(doing)
        doing.add_done_callback(self._ending.discard)

    async def adapt(self, threads: int) -> None:
        """Begin engines anew with so many threads that have others, while nobody uses any: a server takes their number
        at its start. What their slots had read is kept for the new ones."""
        for resident in self.residents:
            engine = resident.engine
            if self.users or self._loading[""].locked():
                return
            if engine.state != "ready" or not isinstance(engine, Supervisor):
                continue
            launch = engine.launch
            if isinstance(launch, Launch) and not launch.gpu and launch.threads != threads:
                async with self._loading[""]:
                    await self._change_threads(resident, engine, replace(launch, threads=threads))

    async def _change_threads(self, resident: Resident, engine: Supervisor, launch: Launch) -> None:
        resident.closed = True
        try:
            log.info("the engine goes on with %d threads instead of %d", launch.threads, engine.launch.threads)
            server = await engine.server()
            kept = [slot for slot in range(engine.slots) if await server.save(slot, f"kept-{slot}")]
            await engine.stop()
            resident.engine = changed = self._supervisor(launch)
            await changed.start()
            server = await changed.server()
            for slot in kept:
                await server.restore(slot, f"kept-{slot}")
            resident.closed = False
        except LLMOSError as error:  # the next request loads it again, or says why not
            log.error("the engine could not go on with %d threads: %s", launch.threads, error)
            await self._end(resident)

    # --- which model, on which machine ------------------------------------------------------

    def _wanted(self, name: str) -> Model:
        """The model a name means now. `auto` keeps its meaning while that model is loaded."""
        base, device = split(name)
        device = device or parse(config.load().device)
        if not self._is_auto(name):
            model = selection.resolve(config.load().model if base == "auto" else base)
            return catalogue.on_device(model, device)
        kept = self._automatic
        if kept is None or self.residents.get(kept.name) is None or kept.device != str(device or ""):
            kept = self._automatic = selection.automatic(self.machine(), device).model
        return kept

    def named(self, name: str) -> str:
        """The name of the model that a name means now; `auto` itself where nothing can be said."""
        try:
            return self._wanted(name).name
        except LLMOSError:
            return name

    def speed(self, model: str) -> float:
        """Tokens that a model is taken to write in a second on this machine, before it was seen."""
        try:
            return max(0.1, selection.decode_speed(selection.resolve(model), self.machine()))
        except LLMOSError:
            return 10.0

    def machine(self) -> selection.Machine:
        """This machine as it would be without the loaded models that may be ended."""
        machine = selection.Machine.here(self._measured())
        ram = machine.ram_available
        for each in self.residents.loaded():
            ram += min(0, each.counted - each.takes) if each.pinned else each.counted
        gpu = machine.gpu
        if gpu is not None:
            freed = sum(each.counted for each in self.residents.loaded(gpu.name) if not each.pinned)
            gpu = replace(gpu, memory_free=gpu.memory_free + freed)
        return replace(machine, ram_available=max(0, ram), gpu=gpu)

    def _is_auto(self, name: str | Model) -> bool:
        return isinstance(name, str) and split(name)[0] == "auto" and config.load().model == "auto"

    def _at_hand(self, wanted: Model) -> Model | None:
        """The best model whose file is on this machine, where another is wanted."""
        here = {model.name for model in download.list_local()}
        if not here:
            return None
        device = parse(wanted.device)
        return selection.automatic(self.machine(), device, downloaded=here, only_downloaded=True).model

    # --- loading ----------------------------------------------------------------------------

    async def _have(self, wanted: Model, automatic: bool, report: Report) -> Model:
        """Refused, fetched, and known where it will compute; without a network `auto` is the best of what is here."""
        await asyncio.to_thread(placement.refuse, wanted, await asyncio.to_thread(self.machine))
        if wanted.url:
            return wanted
        try:
            await fetch(wanted, report)
        except LLMOSError:
            at_hand = await asyncio.to_thread(self._at_hand, wanted) if automatic else None
            if at_hand is None:
                raise
            wanted = self._automatic = at_hand
            await fetch(wanted, report)
        self._devices[wanted.name] = await asyncio.to_thread(placement.device, wanted)
        return wanted

    async def _load(self, wanted: Model, report: Report) -> Resident:
        if (failed := self.residents.get(wanted.name)) is not None:
            await self._end(failed)
        engine: Engine
        if wanted.url:
            settings = config.load()
            engine = RemoteEngine(address.parse(wanted.url), settings.slots, settings.context_tokens, self._on_change)
        else:
            path = await fetch(wanted, report)
            launch = await asyncio.to_thread(self._plan, wanted, path)
            await self._make_room(wanted, launch, report)
            engine = self._supervisor(launch)
        report(Progress(phase="loading", detail=wanted.name))
        began = time.monotonic()
        try:
            await engine.start()
        except BaseException:
            await engine.stop()
            raise
        devices.look_again()
        resident = Resident(wanted, engine)
        self.residents.add(resident)
        self._on_change()
        await asyncio.to_thread(self._on_loaded, wanted.name, wanted.size_bytes, time.monotonic() - began)
        return resident

    def _plan(self, model: Model, path: Path) -> placement.Launching:
        """How its engine is started, if it fits once all that may end has ended. What cannot fit is never loaded."""
        settings, machine = config.load(), self.machine()
        threads = min(self._threads() or machine.cores, machine.cores)
        device = parse(model.device)
        if path.is_dir():
            return placement.launch_folder(model, weights_folder.read(path), machine, settings.context_tokens, device)
        launch = placement.launch(model, path, machine, settings.slots, settings.context_tokens, device)
        return replace(launch, threads=threads)

    def _supervisor(self, launch: placement.Launching) -> Supervisor:
        log_file = paths.data_dir() / "engine.log"
        return Supervisor(launch, log_file, self._on_change, partial(self._begun_anew, launch.model))

    async def _make_room(self, wanted: Model, launch: placement.Launching, report: Report) -> None:
        """End what has to, and wait for what answers and has to. Raises LLMOSError if there is no room all the same."""
        name, seen, card = wanted.name, self._seen.get(wanted.name, 0), await asyncio.to_thread(placement.card, launch)
        while card is not None:
            self._freed.clear()
            memory = await asyncio.to_thread(_memory, card)
            loaded = await asyncio.to_thread(self.residents.loaded, card)
            admission = admit(name, launch.memory_bytes, memory, loaded, seen)
            if admission.waits_for:
                detail = f"{admission.waits_for} answers, and there is no memory for {name} beside it"
                report(Progress(phase="waiting", detail=detail))
                await self._freed.wait()
                continue
            ending = [resident for name in admission.end if (resident := self.residents.get(name))]
            if any(resident.users for resident in ending):
                continue  # somebody came meanwhile
            for resident in ending:
                resident.closed = True
            for resident in ending:
                log.info("%s ends to make room for %s", resident.model.name, name)
                await self._end(resident)
            return


def _memory(card: str) -> Memory:
    """Of a GPU, or of the machine."""
    for gpu in devices.seen().gpus if card else ():
        if gpu.name == card:
            margin = int(gpu.memory_total * (1 - selection.GPU_SHARE))
            return Memory(gpu.memory_free, gpu.memory_total, margin, where=f"on {card}")
    memory, wanted = hardware.memory(), config.load().model_memory
    ceiling = int(memory.total * CEILING_SHARE) if wanted == "auto" else int(wanted * 1e9)
    return Memory(memory.available, ceiling, int(memory.total * MARGIN_SHARE), strict=wanted != "auto")
