"""The daemon, its engine and the machine, as they are now."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from llmos_jupyter.protocol.base import Wire
from llmos_jupyter.protocol.generation import Progress


class EngineStatus(Wire):
    engine: str
    model: str
    state: Literal["starting", "ready", "failed", "stopped"]
    device: str = "cpu"
    pid: int | None = None
    threads: int = Field(0, description="that compute, on processors; 0: not known")
    slots: int = 0
    busy_slots: int = 0
    context: int = Field(0, description="tokens one request may use, prompt and answer together")
    memory_bytes: int = Field(0, description="that it takes, or will when its context is full")
    pinned: bool = Field(False, description="it is not ended to make room for another model, nor because it is idle")
    last_used: float = Field(0.0, description="seconds since the epoch")
    restarts: int = 0
    error: str = ""
    lacks: list[str] = Field(
        default_factory=list, description="what it cannot do, and what is done in its place, a clause each"
    )


class Status(Wire):
    """What the daemon is and has."""

    version: str
    protocol: int
    pid: int
    started: float
    engines: list[EngineStatus] = Field(
        default_factory=list, description="of each loaded model: those in use first, then those used last"
    )
    tasks_running: int = 0
    sessions: int = 0
    cores: int = Field(0, description="physical cores that engines and tasks may use")
    cores_taken: float = Field(0.0, description="of those, what other programs took in the last seconds")
    database: str
    log: str

    @property
    def engine(self) -> EngineStatus | None:
        """The engine in use, or used last."""
        return self.engines[0] if self.engines else None

    def serving(self, model: str) -> EngineStatus | None:
        """The engine of a model, on whichever device; where none is known by this name, the one in use."""
        named = (engine for engine in self.engines if engine.model.partition("@")[0] == model.partition("@")[0])
        return next(named, self.engine)


class GpuProcess(Wire):
    """A process on a GPU, and the task it works for, if it is one of ours."""

    pid: int
    memory_bytes: int | None = None
    percent: float | None = Field(None, description="of the GPU's time, where the driver tells")
    name: str = ""
    task: int | None = Field(None, description="number of the task")


class GpuSample(Wire):
    """A GPU, or a MIG device. None: the driver does not tell. Bytes, watts, degrees Celsius, MHz, percent."""

    id: str
    uuid: str = ""
    name: str = ""
    percent: float | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    watts: float | None = None
    watts_limit: float | None = None
    celsius: float | None = None
    core_mhz: int | None = None
    memory_mhz: int | None = None
    processes: list[GpuProcess] = Field(default_factory=list)


class EngineSample(Wire):
    """What the engine in use does: tokens written and read in the last second, slots, and its cache. `memory_bytes`: of
    all engines."""

    model: str
    tokens_per_second: float = 0.0
    prompt_tokens_per_second: float = 0.0
    slots: int = 0
    busy: int = 0
    waiting: int = Field(0, description="generations that wait for a slot")
    cache_tokens: int | None = Field(None, description="tokens in the slots' key-value cache")
    cache_limit: int | None = None
    memory_bytes: int | None = None


class Sample(Wire):
    """The machine at one moment. Bytes, bytes a second, percent; None: not known here."""

    at: float
    cores: list[float] = Field(description="percent of each logical processor, since the sample before")
    memory_used: int
    memory_total: int
    swap_used: int = 0
    swap_total: int = 0
    disk_read: float | None = None
    disk_written: float | None = None
    disk_free: int | None = Field(None, description="where the daemon keeps its data")
    gpus: list[GpuSample] = Field(default_factory=list)
    gpu_why: str = Field("", description="one sentence on what kept GPUs from being seen")
    engine: EngineSample | None = None


class Usage(Wire):
    """What a task used, as far as it was seen. Seconds, bytes."""

    task: int
    gpu_seconds: float = Field(0.0, description="time of whole GPUs: half of one for two seconds is one")
    gpu_memory_peak: int = 0
    cpu_seconds: float = 0.0
    engine_seconds: float = Field(0.0, description="how long the model wrote for it")


class Pulse(Wire):
    """How things stand: sent when something changed, at most a few times a second, and with each sample.

    Each says all there is to know of what is to be asked for again: who missed one has missed nothing. `at` is by the
    daemon's clock: a reader whose clock is off tells times by the difference.
    """

    at: float
    version: str
    protocol: int
    daemon: str = Field(description="another one counts its revisions anew")
    revision: int = Field(description="raised whenever a task or a step has changed")
    running: int = 0
    waiting: int = 0
    paused: int = 0
    engines: list[EngineStatus] = Field(
        default_factory=list, description="of each loaded model: those in use first, then those used last"
    )
    progress: Progress | None = Field(None, description="a download or a load that goes on")
    sample: Sample | None = None

    @property
    def engine(self) -> EngineStatus | None:
        """The engine in use, or used last."""
        return self.engines[0] if self.engines else None


class ResourceInfo(Wire):
    """Something that tasks occupy or use: how much there is of it, and how much of that is taken.

    Of "memory", "gpu", "metal" and "kernel" these are bytes, taken by whomever; of the others cores, an engine's
    slots, background cells and a cluster's threads, taken by tasks. None: not known, or without a limit.
    """

    kind: Literal["cores", "memory", "gpu", "metal", "engine", "workers", "cluster", "kernel"]
    id: str
    has: float | None = None
    taken: float | None = None
    detail: str = ""


class RuntimeInfo(Wire):
    """The runtime file: how clients find the daemon."""

    pid: int
    port: int
    token: str
    version: str
    protocol: int
    started: float
