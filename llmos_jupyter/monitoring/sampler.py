"""The one sampler: looks at the machine every so often, in a thread of its own, and remembers ten minutes.

GPUs are asked in another thread: a driver that hangs, as one does that is being reset, keeps nobody waiting.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from llmos_jupyter.monitoring.apple import Apple
from llmos_jupyter.monitoring.in_time import Hangs, InTime
from llmos_jupyter.monitoring.machine import Machine
from llmos_jupyter.monitoring.nvidia import Nvidia
from llmos_jupyter.protocol import GpuSample, Sample

log = logging.getLogger(__name__)

KEEP = 600.0
# Seconds after which a new setting is seen.
TICK = 1.0
# Seconds that GPUs may take to answer before a sample goes without them.
PATIENCE = 2.0

ReadGpus = Callable[[], tuple[list[GpuSample], str]]


def read_gpus() -> ReadGpus:
    """How this machine's GPUs are asked."""
    return Apple().read if sys.platform == "darwin" else Nvidia().read


class Sampler:
    """Made without a thread; `start` begins one."""

    def __init__(
        self,
        every: Callable[[], float],
        complete: Callable[[Sample], None],
        *,
        folder: Path,
        gpus: ReadGpus | None = None,
    ) -> None:
        """`every`: seconds between two samples, asked once a second. `complete` is called with each sample in the
        sampler's thread, to add to it, before anybody sees it. `folder`: on whose disk the free space is told."""
        self._every = every
        self._complete = complete
        self._machine = Machine(folder)
        self._gpus = InTime(gpus or read_gpus(), "llmos-gpus")
        self._logged: set[tuple[str, str]] = set()
        self._samples: deque[Sample] = deque()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="llmos-sampler", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Waits for a sample that is being taken, at most as long as GPUs may take."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(PATIENCE + 1.0)

    def latest(self) -> Sample | None:
        with self._lock:
            return self._samples[-1] if self._samples else None

    def since(self, moment: float) -> list[Sample]:
        """The samples after a moment (seconds since the epoch), oldest first."""
        with self._lock:
            return [sample for sample in self._samples if sample.at > moment]

    def _run(self) -> None:
        due = time.monotonic()
        while not self._ended.wait(max(0.0, min(TICK, due - time.monotonic()))):
            every = self._seconds()
            due = min(due, time.monotonic() + every)
            if due > time.monotonic():
                continue
            due += every
            try:
                self._take(every)
            except Exception as error:  # whatever it is, the next sample may succeed
                self._log("a sample failed", error)
            due = max(due, time.monotonic())  # one that was missed is not made up for

    def _seconds(self) -> float:
        try:
            return self._every()
        except Exception as error:  # of settings that cannot be read
            self._log("how often to sample is not known", error)
            return TICK

    def _read_gpus(self, patience: float) -> tuple[list[GpuSample], str]:
        try:
            return self._gpus.read(patience)
        except Hangs as hangs:
            return [], f"The GPU's driver has not answered for {hangs.seconds:.0f} s: `nvidia-smi` may tell more."
        except Exception as error:  # of a driver nobody foresaw
            self._log("the GPUs could not be asked", error)
            return [], f"The GPUs cannot be asked ({type(error).__name__}): see the daemon's log."

    def _log(self, what: str, error: Exception) -> None:
        """Once for each kind of error: once a second would fill the disk."""
        kind = (what, type(error).__name__)
        if kind not in self._logged:
            self._logged.add(kind)
            log.error("%s", what, exc_info=error)

    def _take(self, every: float = 1.0) -> None:
        sample = self._machine.read()
        sample.gpus, sample.gpu_why = self._read_gpus(min(PATIENCE, max(every, 0.5)))
        try:
            self._complete(sample)
        finally:
            with self._lock:
                self._samples.append(sample)
                while self._samples and not 0 <= sample.at - self._samples[0].at <= KEEP:
                    self._samples.popleft()  # too old, or from before the clock was set back
