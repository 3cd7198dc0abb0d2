"""How much of the machine is used: the last two minutes as series, the last second in words."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from llmos_jupyter.protocol import GpuSample, Sample
from llmos_jupyter.units import size

SECONDS = 120.0
# GPUs that are drawn; all are told in words.
GPUS = 4


@dataclass(frozen=True)
class Series:
    """One measure over time: its last value is the newest. NaN: not known at that moment."""

    key: str
    title: str
    unit: str
    values: tuple[float, ...]

    @property
    def last(self) -> float:
        return self.values[-1] if self.values else math.nan


@dataclass(frozen=True)
class Used:
    """What is drawn. `interval`: seconds between two values; `cores`: percent of each now."""

    interval: float = 1.0
    series: tuple[Series, ...] = ()
    cores: tuple[float, ...] = ()
    words: tuple[str, ...] = field(default_factory=tuple)


def used(samples: Sequence[Sample], seconds: float = SECONDS) -> Used:
    """The last `seconds` of samples, on a grid of the daemon's own rate, so that gaps are gaps."""
    if not samples:
        return Used(words=("The daemon has not measured anything yet.",))
    last = samples[-1]
    interval = _interval(samples)
    slots = max(2, min(round(seconds / interval), 600))
    grid: list[Sample | None] = [None] * slots
    for sample in samples:
        place = slots - 1 - round((last.at - sample.at) / interval)
        if 0 <= place < slots:
            grid[place] = sample
    # From the first that is known on: what was before the daemon is not drawn as a gap.
    first = next((place for place, one in enumerate(grid) if one), 0)
    grid = grid[first:]

    def series(key: str, title: str, unit: str, read: Callable[[Sample], float | None]) -> Series:
        values = (None if one is None else read(one) for one in grid)
        return Series(key, title, unit, tuple(math.nan if v is None else round(v, 1) for v in values))

    found = [
        series("processor", "processor", "%", _mean),
        series("memory", "memory", "%", lambda one: _share(one.memory_used, one.memory_total)),
        series("tokens", "model", "tokens/s", lambda one: one.engine.tokens_per_second if one.engine else 0.0),
    ]
    for index, gpu in enumerate(last.gpus[:GPUS]):
        name = f"GPU {gpu.id}"
        found.append(series(f"gpu{index}", name, "%", lambda one, i=index: _gpu(one, i, "percent")))  # type: ignore[misc]
        found.append(
            series(f"gpu{index} memory", f"{name} memory", "%", lambda one, i=index: _gpu(one, i, "memory"))  # type: ignore[misc]
        )
    return Used(interval, tuple(found), tuple(round(value) for value in last.cores), tuple(_words(last)))


def _interval(samples: Sequence[Sample]) -> float:
    """Seconds between samples: the median of the differences."""
    apart = sorted(b.at - a.at for a, b in itertools.pairwise(samples) if b.at > a.at)
    return max(0.1, apart[len(apart) // 2]) if apart else 1.0


def _mean(sample: Sample) -> float | None:
    return sum(sample.cores) / len(sample.cores) if sample.cores else None


def _share(part: float | None, whole: float | None) -> float | None:
    return 100 * part / whole if whole and part is not None else None


def _gpu(sample: Sample, index: int, what: str) -> float | None:
    if index >= len(sample.gpus):
        return None
    gpu = sample.gpus[index]
    return gpu.percent if what == "percent" else _share(gpu.memory_used, gpu.memory_total)


def _words(sample: Sample) -> list[str]:
    """The newest figures, one line each."""
    mean = _mean(sample)
    cores = len(sample.cores)
    processor = f"Processor: {mean:.0f} % of {cores} core{'s' * (cores != 1)}" if mean is not None else "Processor: -"
    lines = [processor, f"Memory: {size(sample.memory_used)} of {size(sample.memory_total)}"]
    lines += [_gpu_words(gpu) for gpu in sample.gpus]
    if not sample.gpus:
        lines.append(f"GPU: {sample.gpu_why or 'none was found.'}")
    engine = sample.engine
    if engine is None:
        lines.append("Model: none is loaded.")
    else:
        busy = f"{engine.busy} of {engine.slots} slots busy" + (f", {engine.waiting} waiting" * bool(engine.waiting))
        lines.append(f"Model: {engine.model}, {engine.tokens_per_second:.1f} tokens/s, {busy}")
    return lines


def _gpu_words(gpu: GpuSample) -> str:
    busy = "utilisation not told" if gpu.percent is None else f"{gpu.percent:.0f} %"
    memory = "" if gpu.memory_used is None else f", {size(gpu.memory_used)}"
    memory += f" of {size(gpu.memory_total)}" if memory and gpu.memory_total else ""
    heat = "" if gpu.celsius is None else f", {gpu.celsius:.0f} °C"
    power = "" if gpu.watts is None else f", {gpu.watts:.0f} W"
    return f"GPU {gpu.id} ({gpu.name}): {busy}{memory}{heat}{power}"
