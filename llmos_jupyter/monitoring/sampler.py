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

from llmos_jupyter.monitoring import apple
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
    return apple.read if sys.platform == "darwin" else Nvidia().read


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
        self._gpus = _InTime(gpus or read_gpus())
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
            every = self._every()
            due = min(due, time.monotonic() + every)
            if due > time.monotonic():
                continue
            due += every
            try:
                self._take(every)
            except Exception:  # whatever it is, the next sample may succeed
                log.exception("a sample failed")
            due = max(due, time.monotonic())  # one that was missed is not made up for

    def _take(self, every: float = 1.0) -> None:
        sample = self._machine.read()
        sample.gpus, sample.gpu_why = self._gpus.read(min(PATIENCE, max(every, 0.5)))
        try:
            self._complete(sample)
        finally:
            with self._lock:
                self._samples.append(sample)
                while self._samples and not 0 <= sample.at - self._samples[0].at <= KEEP:
                    self._samples.popleft()  # too old, or from before the clock was set back


class _InTime:
    """Asks in a thread of its own, and waits only so long for what it says."""

    def __init__(self, ask: ReadGpus) -> None:
        self._ask = ask
        self._asked = threading.Event()
        self._answered = threading.Event()
        self._answer: tuple[list[GpuSample], str] = ([], "")
        self._thread: threading.Thread | None = None
        self._since = 0.0
        self._hangs = False

    def read(self, seconds: float) -> tuple[list[GpuSample], str]:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="llmos-gpus", daemon=True)
            self._thread.start()
        if not self._hangs:
            self._answered.clear()
            self._since = time.monotonic()
            self._asked.set()
        # One that hangs is looked at again without waiting.
        if self._answered.wait(0.0 if self._hangs else seconds):
            self._hangs = False
            return self._answer
        self._hangs = True
        waited = time.monotonic() - self._since
        return [], f"The GPU's driver has not answered for {waited:.0f} s: `nvidia-smi` may tell more."

    def _run(self) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            try:
                self._answer = self._ask()
            except Exception as error:  # of a driver nobody foresaw
                log.exception("the GPUs could not be asked")
                self._answer = ([], f"The GPUs cannot be asked ({type(error).__name__}): see the daemon's log.")
            self._answered.set()
