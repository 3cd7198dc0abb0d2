"""How much of the machine is used: the last two minutes as series, the last second in words."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from llmos_jupyter.protocol import GpuSample, Sample
from llmos_jupyter.units import rate, size

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
    now = figures(sample)
    lines = [f"{title}: {now[key]}" for key, title in _LINES.items() if now[key]]
    for gpu in sample.gpus:
        told = gpu_figures(gpu)
        lines.append(f"{told['title']}: " + ", ".join(told[key] for key in ("busy", "memory", "facts") if told[key]))
    if not sample.gpus:
        lines.append(now["no_gpu"])
    engine = sample.engine
    lines.append(f"Model: {engine.model}, {now['writes']}, {now['slots']}" if engine else "Model: none is loaded.")
    return lines


_LINES = {"processors": "Processors", "memory": "Memory", "swap": "Swap", "disk": "Disk"}


def figures(sample: Sample) -> dict[str, str]:
    """Each figure in words; empty where there is nothing to tell.

    The side panel has the same in `labextension/src/components/figures.ts`; `tests/data/views.json` holds both to the
    same words.
    """
    mean = _mean(sample)
    told = {"processors": "" if mean is None else f"{mean:.0f} % of {len(sample.cores)}"}
    told["memory"] = _part(sample.memory_used, sample.memory_total)
    told["swap"] = _part(sample.swap_used, sample.swap_total) if sample.swap_total else ""
    known = sample.disk_read is not None or sample.disk_written is not None
    disk = f"reads {size(sample.disk_read or 0)}/s, writes {size(sample.disk_written or 0)}/s"
    told["disk"] = disk if known else ""
    told["no_gpu"] = "" if sample.gpus else f"No GPU is seen. {sample.gpu_why}".strip()
    told |= {"writes": "", "slots": ""}
    if engine := sample.engine:
        told["writes"] = f"writes {rate(engine.tokens_per_second)} tokens/s"
        if engine.prompt_tokens_per_second > 0:
            told["writes"] += f", reads {rate(engine.prompt_tokens_per_second)} tokens/s"
        told["slots"] = f"{engine.busy} of {engine.slots} slots busy, {engine.waiting} waiting"
    return told


def gpu_figures(gpu: GpuSample) -> dict[str, str]:
    """What is told of a GPU; empty where the driver does not tell."""
    watts = "" if gpu.watts is None else f"{rate(gpu.watts)} W"
    facts = [
        f"{watts} of {rate(gpu.watts_limit)} W" if watts and gpu.watts_limit is not None else watts,
        "" if gpu.celsius is None else f"{gpu.celsius:.0f} °C",
        "" if gpu.core_mhz is None else f"core {gpu.core_mhz} MHz",
        "" if gpu.memory_mhz is None else f"memory {gpu.memory_mhz} MHz",
    ]
    memory = "" if gpu.memory_used is None else size(gpu.memory_used)
    if gpu.memory_used is not None and gpu.memory_total is not None:
        memory = _part(gpu.memory_used, gpu.memory_total)
    return {
        "title": f"GPU {gpu.id} ({gpu.name})" if gpu.name else f"GPU {gpu.id}",
        "busy": "the driver does not tell how busy it is" if gpu.percent is None else f"{gpu.percent:.0f} % busy",
        "memory": memory,
        "facts": ", ".join(filter(None, facts)),
    }


def _part(used: float, total: float) -> str:
    return f"{size(used)} of {size(total)}"
