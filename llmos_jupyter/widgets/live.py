"""How things stand with the daemon, read once for all widgets of a kernel.

One thread reads the daemon's live stream, another asks again for what has changed and tells the widgets, at most twice
a second. Both end when the last widget has gone. They never start a daemon: one that went away is looked for after 1,
2, 4, ... 15 s, and what is on screen stays there meanwhile.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Literal, Protocol

from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Pulse, Queued, Sample, StepRecord, Task
from llmos_jupyter.units import shortened
from llmos_jupyter.widgets.step_words import TaskName

log = logging.getLogger(__name__)

# Seconds between two updates of the widgets.
APART = 0.5
# Seconds of samples and of steps that are kept, by the daemon's clock.
SAMPLED, SHOWN = 120.0, 600.0
# Tasks that are listed; of the others their count is told.
LISTED = 12
# Steps that are kept to draw from; the newest.
KEPT = 1000
# Seconds between two looks for a daemon that went away.
FIRST_WAIT, LONGEST_WAIT = 1.0, 15.0
# Seconds a new widget waits for the first picture, so that what is saved with the notebook is not empty.
PATIENCE = 2.0

_STRANGE = "The llmos daemon says what this llmos-jupyter does not know: restart this kernel, or upgrade its package."


@dataclass(frozen=True)
class Picture:
    """How things stood at one moment. `offset`: seconds that the daemon's clock is ahead of this one."""

    link: Literal["looking", "live", "lost"] = "looking"
    said: str = "Looking for the llmos daemon."
    offset: float = 0.0
    pulse: Pulse | None = None
    queue: tuple[Queued, ...] = ()
    steps: tuple[StepRecord, ...] = ()
    names: Mapping[str, TaskName | None] = field(default_factory=dict)
    samples: tuple[Sample, ...] = ()

    @property
    def now(self) -> float:
        """Seconds since the epoch by the daemon's clock."""
        return time.time() + self.offset


class Watcher(Protocol):
    """What is told of new pictures. Called on the reader's thread; False: it wants no more."""

    def see(self, picture: Picture) -> bool: ...


def name(task: Task) -> TaskName:
    """What a task is called where there is little room: its number and how its text begins."""
    return TaskName(task.number, shortened(task.text, 100))


class Reader:
    """Reads for those who watch. `connect` makes a client that starts no daemon."""

    def __init__(self, connect: Callable[[], DaemonClient] = lambda: DaemonClient(start=False)) -> None:
        self._connect = connect
        self._watchers: weakref.WeakSet[Watcher] = weakref.WeakSet()
        self._lock, self._looking = threading.Lock(), threading.Lock()
        self._threads: list[threading.Thread] = []
        self._news, self._first = threading.Event(), threading.Event()
        # What the stream's thread has seen, for the other one.
        self._pulse: Pulse | None = None
        self._offset = 0.0
        self._lost = ""
        self._since: tuple[str, int, float] = ("", -1, 0.0)
        self._steps: dict[str, StepRecord] = {}
        self._samples: list[Sample] = []
        self.picture = Picture()

    # --- who watches ------------------------------------------------------------------------

    def watch(self, watcher: Watcher) -> Picture:
        """Tell this one of every new picture from now on. Returns the one there is, or soon will be."""
        with self._lock:
            self._watchers.add(watcher)
            if not self._threads:
                self._first.clear()
                self._news.clear()
                for target, called in ((self._follow, "llmos-live"), (self._tell, "llmos-widgets")):
                    thread = threading.Thread(target=target, name=called, daemon=True)
                    self._threads.append(thread)
                    thread.start()
        self._first.wait(PATIENCE)
        return self.picture

    def leave(self, watcher: Watcher) -> None:
        with self._lock:
            self._watchers.discard(watcher)
        self._news.set()

    def watchers(self) -> list[Watcher]:
        with self._lock:
            return list(self._watchers)

    @property
    def running(self) -> bool:
        return bool(self._threads)

    def _wanted(self) -> bool:
        """Whether somebody watches; if not, the calling thread is on its way out and counts no more."""
        with self._lock:
            if threading.current_thread() not in self._threads:
                return False
            if not self._watchers:
                self._threads.clear()
                self._news.set()
                return False
            return True

    # --- the stream -------------------------------------------------------------------------

    def _follow(self) -> None:
        wait = FIRST_WAIT
        while self._wanted():
            try:
                with closing(self._connect()) as client:
                    for pulse in client.live():
                        if not self._wanted():
                            return
                        self._pulse, self._offset, self._lost = pulse, pulse.at - time.time(), ""
                        self._news.set()
                        wait = FIRST_WAIT
                self._lost = "It ended, or was killed."
            except LLMOSError as error:
                self._lost = str(error)
            except ValueError:  # a daemon that says more than this package knows
                self._lost = _STRANGE
            self._news.set()
            # In short waits, so that a reader that nobody needs any more ends.
            until = time.monotonic() + wait
            while time.monotonic() < until and self._wanted():
                time.sleep(0.2)
            wait = min(2 * wait, LONGEST_WAIT)

    # --- the widgets ------------------------------------------------------------------------

    def _tell(self) -> None:
        with closing(self._connect()) as client:
            while self._wanted():
                if not self._news.wait(1.0):
                    continue
                self._news.clear()
                began = time.monotonic()
                with self._looking:
                    self.picture = self._look(client)
                self._first.set()
                for watcher in self.watchers():
                    try:
                        stays = watcher.see(self.picture)
                    except Exception:  # one widget that fails must not stop the others
                        log.exception("a widget could not be updated")
                        stays = True
                    if not stays:
                        self.leave(watcher)
                time.sleep(max(0.0, APART - (time.monotonic() - began)))

    def _look(self, client: DaemonClient) -> Picture:
        pulse, before = self._pulse, self.picture
        if self._lost or pulse is None:
            said = f"The daemon went away, looking for it. {self._lost}" if before.pulse else self._lost
            return Picture(
                "lost", said, self._offset, before.pulse, before.queue, before.steps, before.names, before.samples
            )
        queue, steps, names = before.queue, before.steps, before.names
        daemon, revision, since = self._since
        try:
            if daemon != pulse.daemon:
                self._steps.clear()
                self._samples = _past(client, pulse.at - SAMPLED)
                since = pulse.at - SHOWN
            if (daemon, revision) != (pulse.daemon, pulse.revision):
                queue = tuple(client.queue(LISTED))
                self._keep(client.steps(since=since), pulse.at)
                names = self._names(client, queue, names)
                # A moment less, for what was being written when it was asked for.
                self._since = (pulse.daemon, pulse.revision, pulse.at - 2.0)
        except (LLMOSError, ValueError) as error:
            self._lost = str(error) if isinstance(error, LLMOSError) else _STRANGE
            return self._look(client)
        steps = tuple(self._steps.values())
        if pulse.sample and (not self._samples or pulse.sample.at > self._samples[-1].at):
            self._samples.append(pulse.sample)
        self._samples = [one for one in self._samples if one.at > pulse.at - SAMPLED]
        return Picture("live", "", self._offset, pulse, queue, steps, names, tuple(self._samples))

    def _keep(self, changed: Iterable[StepRecord], now: float) -> None:
        """Take in what changed, and let go of what ended long ago or is not planned yet."""
        for step in changed:
            self._steps[step.id] = step
        kept = [step for step in self._steps.values() if _worth_drawing(step, now)]
        kept.sort(key=lambda step: step.spans[-1].start if step.spans else step.created)
        self._steps = {step.id: step for step in kept[-KEPT:]}

    def _names(
        self, client: DaemonClient, queue: Iterable[Queued], known: Mapping[str, TaskName | None]
    ) -> dict[str, TaskName | None]:
        names = {**known, **{one.task.id: name(one.task) for one in queue}}
        wanted = {step.task for step in self._steps.values()}
        if wanted - names.keys():
            names |= {one.task.id: name(one.task) for one in client.queue(100)}
        if missing := wanted - names.keys():
            # They have just ended: the newest, as a rule.
            names |= {task.id: name(task) for task in client.tasks(limit=min(20 + 2 * len(missing), 1000))}
        # What has been forgotten is not asked for again.
        return {task: names.get(task) for task in wanted}


def _past(client: DaemonClient, since: float) -> list[Sample]:
    """What was measured before; what comes from now on is in the stream."""
    with suppress(LLMOSError):
        return client.utilisation(since)
    return []


def _worth_drawing(step: StepRecord, now: float) -> bool:
    if step.spans:
        return (step.spans[-1].end or now) > now - SHOWN
    return step.state == "waiting" and step.planned is not None


def look(client: DaemonClient) -> Picture:
    """A picture without a reader. Raises LLMOSError if there is no daemon."""
    reader = Reader()
    # Closing the client ends the stream.
    for pulse in itertools.islice(client.live(), 1):
        reader._pulse, reader._offset = pulse, pulse.at - time.time()
    client.close()
    return reader._look(client)


_reader: Reader | None = None


def reader() -> Reader:
    """The one reader of this process."""
    global _reader
    if _reader is None:
        _reader = Reader()
    return _reader
