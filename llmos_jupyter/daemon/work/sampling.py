"""One sampler for all who watch: the machine, and beside it what the engine does and which task uses what.

The sampler has a thread of its own (`monitoring.sampler`). What belongs to the event loop is read there as it stands:
numbers, and dictionaries that are replaced and never changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import psutil

from llmos_jupyter import config, paths
from llmos_jupyter.daemon.stores.store import Store
from llmos_jupyter.daemon.stores.usage_store import UsageStore
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.monitoring.neighbours import Neighbours
from llmos_jupyter.monitoring.sampler import Sampler
from llmos_jupyter.protocol import EngineSample, GpuSample, Sample, Usage
from llmos_jupyter.system import hardware, process_memory

log = logging.getLogger(__name__)

# Seconds between two writings of what tasks used.
SAVE_EVERY = 5.0


@dataclass(frozen=True)
class Work:
    """Who works now, as the event loop last said: processes by the tasks they work for, and the engines; `model`,
    `slots`, `busy` and `cache` are those of the one in use.

    `written` and `read` are tokens since the daemon began; `writing` are the tasks that the model writes for.
    """

    processes: Mapping[str, int] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)
    model: str = ""
    engine_pids: tuple[int, ...] = ()
    slots: int = 0
    busy: int = 0
    waiting: int = 0
    written: int = 0
    read: int = 0
    writing: tuple[str, ...] = ()
    cache: tuple[int, int] | None = None


class Sampling:
    """`look` says who works now; it is called in the sampler's thread."""

    def __init__(self, store: Store, look: Callable[[], Work]) -> None:
        self._look = look
        self._store = UsageStore(store)
        self._sampler = Sampler(_Every(), self._complete, folder=paths.data_dir())
        self._before: tuple[float, Work] | None = None
        self._cpu: dict[int, float] = {}
        self._engine_cpu: dict[int, float] = {}
        quota = hardware.container_limits().cores is not None
        self.neighbours = Neighbours(hardware.processors(), quota=quota)
        # Of the sampler's thread and of those that routes run in, under the lock.
        self._lock = threading.Lock()
        self._used: dict[str, Usage] = {}
        self._unsaved: set[str] = set()
        self._saved = time.monotonic()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sampled = asyncio.Event()

    def start(self) -> None:
        """On the event loop."""
        self._loop = asyncio.get_running_loop()
        self._sampler.start()

    def stop(self) -> None:
        self._sampler.stop()
        self._save()

    def latest(self) -> Sample | None:
        return self._sampler.latest()

    def since(self, moment: float) -> list[Sample]:
        """The samples after a moment (seconds since the epoch), of the last ten minutes."""
        return self._sampler.since(moment)

    async def next(self, seconds: float) -> None:
        """Until there is a new sample, or so many seconds have passed."""
        sampled = self._sampled
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(sampled.wait(), seconds)

    def used(self, tasks: Mapping[str, int]) -> list[Usage]:
        """What these tasks used (numbers by identifier), as far as it was seen."""
        self._save()
        return [usage for _, usage in sorted(self._store.of(list(tasks)).items(), key=lambda item: tasks[item[0]])]

    # --- in the sampler's thread --------------------------------------------------------------

    def _complete(self, sample: Sample) -> None:
        """Fill in what the engine does and who uses the GPUs; account for it."""
        now, work = time.monotonic(), self._look()
        if work.model:
            sample.engine = self._engine(work, now)
        tasks = {pid: task for task, pid in work.processes.items()}
        seconds = now - self._before[0] if self._before else 0.0
        shares = self._tell_tasks(sample.gpus, tasks, work)
        processor = self._processor_time(tasks)
        self.neighbours.note(sample.cores, sum(processor.values()) + self._engine_time(work.engine_pids), seconds)
        self._account(work, seconds, shares, processor)
        self._before = (now, work)
        if self._unsaved and now - self._saved > SAVE_EVERY:
            self._save()
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._announce)

    def _announce(self) -> None:
        sampled, self._sampled = self._sampled, asyncio.Event()
        sampled.set()

    def _engine(self, work: Work, now: float) -> EngineSample:
        engine = EngineSample(model=work.model, slots=work.slots, busy=work.busy, waiting=work.waiting)
        if self._before is not None and now > self._before[0]:
            seconds, before = now - self._before[0], self._before[1]
            engine.tokens_per_second = max(0, work.written - before.written) / seconds
            engine.prompt_tokens_per_second = max(0, work.read - before.read) / seconds
        if work.cache is not None:
            engine.cache_tokens, engine.cache_limit = work.cache
        if work.engine_pids:
            engine.memory_bytes = sum(process_memory.of(pid).taken for pid in work.engine_pids)
        return engine

    def _tell_tasks(self, gpus: list[GpuSample], tasks: Mapping[int, str], work: Work) -> dict[str, tuple[float, int]]:
        """Write the tasks' numbers to the GPUs' processes; returns each task's share of GPUs, and the memory it holds.

        Where a driver does not say how much of its time a process takes, those that hold memory share it equally.
        """
        found: dict[str, tuple[float, int]] = {}
        for gpu in gpus:
            known = [process.percent for process in gpu.processes if process.percent is not None]
            rest = max(0.0, (gpu.percent or 0.0) - sum(known)) / max(1, len(gpu.processes) - len(known))
            for process in gpu.processes:
                if process.pid in work.engine_pids:
                    owners = list(work.writing)
                else:
                    task = _task_of(process.pid, tasks)
                    owners = [task] if task else []
                if len(owners) == 1:
                    process.task = work.numbers.get(owners[0])
                share = (process.percent if process.percent is not None else rest) / 100
                for owner in owners:
                    before = found.get(owner, (0.0, 0))
                    memory = (process.memory_bytes or 0) // len(owners)
                    found[owner] = (before[0] + share / len(owners), before[1] + memory)
        return found

    def _processor_time(self, tasks: Mapping[int, str]) -> dict[str, float]:
        """Seconds that each task's processes took since the sample before.

        What a worker took until it is first seen with a task is not the task's: it has started, and waited, before.
        So up to `sample_every` seconds at a task's beginning, and as much at its end, are not counted.
        """
        spent: dict[str, float] = {}
        cpu: dict[int, float] = {}
        for pid, task in tasks.items():
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(pid)
                for one in [process, *process.children(recursive=True)]:
                    with contextlib.suppress(psutil.Error):
                        times = one.cpu_times()
                        cpu[one.pid] = times.user + times.system
                        # A worker's child that is new to us began after the sample before.
                        before = self._cpu.get(one.pid, cpu[one.pid] if one.pid == pid else 0.0)
                        spent[task] = spent.get(task, 0.0) + cpu[one.pid] - before
        self._cpu = cpu
        return spent

    def _engine_time(self, pids: tuple[int, ...]) -> float:
        """Seconds of processor that the engines took since the sample before."""
        before, self._engine_cpu = self._engine_cpu, {}
        for pid in pids:
            with contextlib.suppress(psutil.Error):
                times = psutil.Process(pid).cpu_times()
                self._engine_cpu[pid] = times.user + times.system
        return sum(max(0.0, now - before[pid]) for pid, now in self._engine_cpu.items() if pid in before)

    def _account(
        self, work: Work, seconds: float, shares: Mapping[str, tuple[float, int]], processor: Mapping[str, float]
    ) -> None:
        with self._lock:
            for task in {*shares, *processor, *work.writing}:
                number = work.numbers.get(task)
                if number is None:
                    continue
                usage = self._used.get(task)
                if usage is None:
                    with contextlib.suppress(LLMOSError):
                        usage = self._store.of([task]).get(task)
                usage = (usage or Usage(task=number)).model_copy()
                share, memory = shares.get(task, (0.0, 0))
                usage.gpu_seconds += share * seconds
                usage.gpu_memory_peak = max(usage.gpu_memory_peak, memory)
                usage.cpu_seconds += max(0.0, processor.get(task, 0.0))
                usage.engine_seconds += seconds if task in work.writing else 0.0
                self._used[task] = usage
                self._unsaved.add(task)

    def _save(self) -> None:
        with self._lock:
            self._saved = time.monotonic()
            used = {task: self._used[task] for task in self._unsaved}
            if used:
                try:
                    self._store.save(used)
                except LLMOSError as error:  # a full disk: it is tried again with what comes
                    log.error("what tasks used could not be stored: %s", error)
                    return
            # Those that were not added to are on the disk.
            self._used, self._unsaved = used, set()


class _Every:
    """The setting `sample_every`, read when the settings' file has changed."""

    def __init__(self) -> None:
        self._changed: float | None = None
        self._seconds = config.Config().sample_every

    def __call__(self) -> float:
        changed = 0.0
        with contextlib.suppress(OSError):
            changed = paths.config_file().stat().st_mtime
        if changed != self._changed:
            self._changed = changed
            try:
                self._seconds = config.load().sample_every
            except LLMOSError as error:  # whoever asks for something is told
                log.error("%s", error)
        return self._seconds


def _task_of(pid: int, tasks: Mapping[int, str]) -> str | None:
    """The task that a process, or one of those it descends from, works for."""
    if pid in tasks:
        return tasks[pid]
    with contextlib.suppress(psutil.Error):
        for parent in psutil.Process(pid).parents():
            if parent.pid in tasks:
                return tasks[parent.pid]
    return None
