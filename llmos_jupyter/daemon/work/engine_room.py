"""Which engine is loaded: finds the model, fetches it, checks that it fits, starts its engine, unloads it."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

from llmos_jupyter import config, paths
from llmos_jupyter.engines import catalogue, download, selection, weights_folder
from llmos_jupyter.engines.catalogue import Model
from llmos_jupyter.engines.speaking import address
from llmos_jupyter.engines.speaking.capabilities import lacks
from llmos_jupyter.engines.speaking.openai_http import EngineHung, Server
from llmos_jupyter.engines.speaking.remote import RemoteEngine
from llmos_jupyter.engines.starting import placement
from llmos_jupyter.engines.starting.llama_cpp import Launch
from llmos_jupyter.engines.starting.supervisor import Supervisor
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import EngineStatus, Progress
from llmos_jupyter.system.device_names import parse, split

log = logging.getLogger(__name__)

Report = Callable[[Progress], None]
Engine = Supervisor | RemoteEngine


class EngineRoom:
    """One loaded model at a time. Whoever generates holds it with `use()`, so that it is not unloaded."""

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
        self._engine: Engine | None = None
        self._model: Model | None = None
        self._automatic: Model | None = None
        self._loading = asyncio.Lock()
        self._switching = False
        self._users = 0
        # Tokens in its slots' cache, and how many it holds, when it was last asked.
        self.cache: tuple[int, int] | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self.last_used = time.monotonic()

    @property
    def users(self) -> int:
        return self._users

    @property
    def device(self) -> str:
        """Where the loaded engine computes; empty while none is loaded."""
        return self._engine.device if self._engine else ""

    @property
    def pid(self) -> int | None:
        """The loaded engine's process."""
        return self._engine.pid if self._engine else None

    async def look_at_cache(self) -> None:
        """Ask the engine how full its cache is; nothing while none is ready."""
        engine, self.cache = self._engine, None
        if engine is not None and engine.state == "ready":
            self.cache = await (await engine.server()).cached()

    @property
    def slots(self) -> int:
        """How many candidates or requests the loaded engine writes at once; 0 while none is loaded."""
        return self._engine.slots if self._engine else 0

    @asynccontextmanager
    async def use(self, name: str, report: Report = lambda progress: None) -> AsyncIterator[Server]:
        """Hold the engine of this model, downloading and loading it first. Raises LLMOSError when it cannot."""
        wanted = await asyncio.to_thread(self._wanted, name)
        engine = self._serving(wanted)
        if engine is None:
            async with self._loading:
                engine = self._serving(wanted, switching=False)
                if engine is None:
                    with self._telling(report) as tell:
                        engine = await self._load(wanted, name, tell)
                self._enter()
        else:
            self._enter()
        try:
            yield await engine.server()
        except EngineHung as error:
            engine.restart(str(error))
            raise
        finally:
            self._users -= 1
            self.last_used = time.monotonic()
            if not self._users:
                self._idle.set()

    @contextmanager
    def _telling(self, report: Report) -> Iterator[Report]:
        """Tell all who watch what one is told who waits."""

        def tell(progress: Progress) -> None:
            report(progress)
            self._on_progress(progress)

        try:
            yield tell
        finally:
            self._on_progress(None)

    async def pull(self, name: str, report: Report = lambda progress: None) -> Model:
        """Have a model's file on the disk, without loading it. Raises LLMOSError when it cannot be had."""
        wanted = await asyncio.to_thread(self._wanted, name)
        with self._telling(report) as tell:
            await self._fetch(wanted, tell)
        return wanted

    def _enter(self) -> None:
        self._users += 1
        self._idle.clear()

    def _serving(self, wanted: Model, switching: bool | None = None) -> Engine | None:
        """The engine that serves this model now, unless another model is about to take its place."""
        busy_switching = self._switching if switching is None else switching
        current = self._engine
        if busy_switching or current is None or self._model != wanted:
            return None
        return current if current.state in ("ready", "starting") else None

    async def use_if_loaded(self, name: str) -> Server | None:
        """The engine if this model is loaded and ready now: warming never loads anything."""
        engine = self._engine
        if engine is None or engine.state != "ready":
            return None
        if self._serving(await asyncio.to_thread(self._wanted, name)) is not engine:
            return None
        return await engine.server()

    @property
    def loaded(self) -> str | None:
        return self._model.name if self._model else None

    async def unload(self) -> None:
        async with self._loading:
            await self._unload()

    async def adapt(self, threads: int) -> None:
        """Begin the engine anew with so many threads, if it has others and nobody uses it: a server takes their number
        at its start. What its slots had read is kept for the new one."""
        engine = self._engine
        if self._users or self._loading.locked() or not isinstance(engine, Supervisor) or engine.state != "ready":
            return
        launch = engine.launch
        if not isinstance(launch, Launch) or launch.gpu or launch.threads == threads:
            return
        async with self._loading:
            self._switching = True
            try:
                log.info("the engine goes on with %d threads instead of %d", threads, launch.threads)
                server = await engine.server()
                kept = [slot for slot in range(engine.slots) if await server.save(slot, f"kept-{slot}")]
                await engine.stop()
                self._engine = Supervisor(replace(launch, threads=threads), engine.log_file, self._on_change)
                await self._engine.start()
                server = await self._engine.server()
                for slot in kept:
                    await server.restore(slot, f"kept-{slot}")
            except LLMOSError as error:  # the next request loads it again, or says why not
                log.error("the engine could not go on with %d threads: %s", threads, error)
                await self._unload()
            finally:
                self._switching = False

    async def status(self, *, ask: bool = True) -> EngineStatus | None:
        """`ask` the engine how many slots are busy; else, and where it does not say so at once, this says how many
        requests hold it."""
        engine = self._engine
        if engine is None:
            return None
        busy = None
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
                "busy_slots": self._users if busy is None else busy,
                "context": engine.context,
                "memory_bytes": engine.memory_bytes,
                "restarts": engine.restarts,
                "error": engine.error or engine.trouble,
                "lacks": lacks(engine.capabilities),
            }
        )

    def _wanted(self, name: str) -> Model:
        """The model a name means now. `auto` keeps its meaning while that model is loaded."""
        base, device = split(name)
        device = device or parse(config.load().device)
        if not self._is_auto(name):
            model = selection.resolve(config.load().model if base == "auto" else base)
            return catalogue.on_device(model, device)
        kept = self._automatic
        if kept is None or kept != self._model or kept.device != str(device or ""):
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
        """This machine as it would be without the loaded model."""
        taken = self._engine.memory_bytes if self._engine else 0
        machine = selection.Machine.here(self._measured())
        gpu = machine.gpu
        if gpu and self._engine and self._engine.device == gpu.name:
            return replace(machine, gpu=replace(gpu, memory_free=gpu.memory_free + taken))
        return replace(machine, ram_available=machine.ram_available + taken)

    async def _load(self, wanted: Model, name: str, report: Report) -> Engine:
        path: Path | None = None
        await asyncio.to_thread(placement.refuse, wanted, await asyncio.to_thread(self.machine))
        if not wanted.url:
            try:
                path = await self._fetch(wanted, report)
            except LLMOSError:
                # `auto` without a network is the best of what is here.
                at_hand = await asyncio.to_thread(self._at_hand, wanted) if self._is_auto(name) else None
                if at_hand is None:
                    raise
                wanted = self._automatic = at_hand
                if engine := self._serving(wanted, switching=False):
                    return engine
                path = await self._fetch(wanted, report)
        self._switching = True
        try:
            if self._users:
                report(Progress(phase="waiting", detail="another notebook's answer must end first"))
                await self._idle.wait()
            await self._unload()
        finally:
            self._switching = False
        report(Progress(phase="loading", detail=wanted.name))
        began = time.monotonic()
        engine = await asyncio.to_thread(self._plan, wanted, path)
        try:
            await engine.start()
        except BaseException:
            await engine.stop()
            raise
        self._engine, self._model = engine, wanted
        self._on_change()
        await asyncio.to_thread(self._on_loaded, wanted.name, wanted.size_bytes, time.monotonic() - began)
        return engine

    def _is_auto(self, name: str) -> bool:
        return split(name)[0] == "auto" and config.load().model == "auto"

    def _at_hand(self, wanted: Model) -> Model | None:
        """The best model whose file is on this machine, where another is wanted."""
        here = {model.name for model in download.list_local()}
        if not here:
            return None
        device = parse(wanted.device)
        return selection.automatic(self.machine(), device, downloaded=here, only_downloaded=True).model

    def _plan(self, model: Model, path: Path | None) -> Engine:
        """Its engine, if it fits. What cannot fit is never loaded."""
        settings = config.load()
        if path is None:
            return RemoteEngine(address.parse(model.url), settings.slots, settings.context_tokens, self._on_change)
        machine = selection.Machine.here()
        threads = min(self._threads() or machine.cores, machine.cores)
        device = parse(model.device)
        launch = (
            placement.launch_folder(model, weights_folder.read(path), machine, settings.context_tokens, device)
            if path.is_dir()
            else replace(
                placement.launch(model, path, machine, settings.slots, settings.context_tokens, device), threads=threads
            )
        )
        return Supervisor(launch, paths.data_dir() / "engine.log", self._on_change)

    async def _fetch(self, model: Model, report: Report) -> Path:
        """Download in a thread; its progress comes back to the loop; cancelling this cancels the download."""
        loop = asyncio.get_running_loop()
        stop = threading.Event()
        told = ("", 0.0)

        def forward(progress: download.DownloadProgress) -> None:
            nonlocal told
            phase, now = progress.phase, time.monotonic()
            if phase == told[0] and now - told[1] < 0.2 and progress.done < progress.total:
                return
            told = (phase, now)
            item = Progress(phase=phase, detail=model.name, done=progress.done, total=progress.total)
            loop.call_soon_threadsafe(report, item)

        fetching = asyncio.create_task(
            asyncio.to_thread(download.ensure, model, progress=forward, cancelled=stop.is_set)
        )
        try:
            return await asyncio.shield(fetching)
        except asyncio.CancelledError:
            stop.set()
            await asyncio.gather(fetching, return_exceptions=True)
            raise

    async def _unload(self) -> None:
        if self._engine:
            await self._engine.stop()
        self._engine = self._model = None
