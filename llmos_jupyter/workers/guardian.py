"""The parent of one worker kernel: signals it, watches its memory, and sees to it that nothing of it is left.

It adopts what the kernel's processes leave behind (Linux), and ends them all when the kernel ended, when it is told to,
or when its socket closes because the daemon is gone. It speaks lines of JSON and understands lines of words:

    interrupt | terminate | kill | watch BYTES   (0: no limit)
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import time
from typing import NoReturn

import psutil

from llmos_jupyter.sandbox import lock
from llmos_jupyter.workers.order import Order

LOOK_SECONDS = 0.05  # between looks at the kernel's memory
LOOK_AT_ALL = 10  # every so many looks, its children's too


def guard(channel: socket.socket, order: Order) -> NoReturn:
    """Fork the kernel and stay with it until all is ended. Never returns."""
    os.setsid()
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    waking, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(waking, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    if sys.platform == "linux":
        lock.adopt_orphans()
    ready, tell_ready = os.pipe()
    myself = os.getpid()
    kernel = os.fork()
    if kernel == 0:
        signal.set_wakeup_fd(-1)
        for descriptor in (waking, wake, ready):
            os.close(descriptor)
        channel.close()
        from llmos_jupyter.workers.inside import be_kernel

        be_kernel(order, myself, tell_ready)
    os.close(tell_ready)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.setpgid(kernel, kernel)  # the kernel does it too: whoever comes first
    _Guardian(channel, kernel, ready, waking).run()
    os._exit(0)


class _Guardian:
    def __init__(self, channel: socket.socket, kernel: int, ready: int, waking: int) -> None:
        self._channel = channel
        self._kernel = kernel
        self._ready = ready
        self._waking = waking
        self._code: int | None = None
        self._limit: int | None = None
        self._peak = 0
        self._looks = 0
        self._reason = ""
        self._still = False

    def run(self) -> None:
        self._say(pid=self._kernel)
        sources: list[int | socket.socket] = [self._channel, self._waking, self._ready]
        while self._code is None:
            timeout = None if self._limit is None else LOOK_SECONDS
            for source in select.select(sources, [], [], timeout)[0]:
                if source is self._channel:
                    self._obey()
                elif source == self._waking:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._waking, 1024)
                else:
                    if os.read(self._ready, 1):
                        self._say(ready=True)
                    sources.remove(self._ready)
            self._reap()
            if self._limit is not None:
                self._look()
        self._end_all()
        self._say(ended=self._code, reason=self._reason, peak=self._peak)

    def _say(self, **what: object) -> None:
        with contextlib.suppress(OSError):  # the daemon is gone: the next reading tells
            self._channel.sendall(json.dumps(what).encode() + b"\n")

    def _obey(self) -> None:
        try:
            words = self._channel.recv(4096).decode()
        except OSError:
            words = ""
        for line in words.splitlines() or ["kill"]:
            command, _, argument = line.partition(" ")
            if command == "watch":
                self._limit = int(argument)
            elif command in ("pause", "resume"):
                self._pause(command == "pause")
            elif command in ("interrupt", "terminate"):
                self._pause(False)  # what stands still hears no signal
                self._signal(signal.SIGINT if command == "interrupt" else signal.SIGTERM)
            elif command == "kill":
                self._end_all()

    def _pause(self, still: bool) -> None:
        """Let the kernel and all that it started stand still, or go on: the cores are wanted for something else."""
        if not still and not self._still:
            return
        self._still = still
        for process in self._descendants():
            with contextlib.suppress(psutil.Error):
                process.suspend() if still else process.resume()

    def _signal(self, number: int) -> None:
        """To the kernel and those of its children that share its group, as Ctrl-C at a terminal would."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._kernel, number)

    def _reap(self) -> None:
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._kernel:
                self._code = os.waitstatus_to_exitcode(status)
                # ru_maxrss: bytes on macOS, kilobytes elsewhere
                self._peak = max(self._peak, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))

    def _look(self) -> None:
        self._looks += 1
        try:
            kernel = psutil.Process(self._kernel)
            used = kernel.memory_info().rss
            if self._looks % LOOK_AT_ALL == 0 and (children := kernel.children(recursive=True)):
                used += sum(_own_bytes(child) for child in children)
        except psutil.Error:
            return
        self._peak = max(self._peak, used)
        if self._limit and used > self._limit:
            self._reason = "memory"
            self._end_all()

    def _end_all(self) -> None:
        """Kill every descendant and wait; where there are several, stop them first, so that none forks on meanwhile."""
        while living := self._descendants():
            stopped: set[int] = set()
            while len(living) > 1 and (fresh := [process for process in living if process.pid not in stopped]):
                for process in fresh:
                    stopped.add(process.pid)
                    with contextlib.suppress(psutil.Error):
                        process.suspend()
                living = self._descendants()
            for process in living:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            time.sleep(0.001)
            self._reap()

    def _descendants(self) -> list[psutil.Process]:
        found = []
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found


def _own_bytes(process: psutil.Process) -> int:
    """What a forked child has beyond its parent's pages; all of it where the system cannot tell."""
    try:
        return int(process.memory_full_info().uss)
    except (psutil.Error, AttributeError):
        try:
            return int(process.memory_info().rss)
        except psutil.Error:
            return 0
