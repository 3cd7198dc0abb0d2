"""One worker kernel of this machine, seen from the daemon: a job goes in, events come out, then it is ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import socket
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import zmq
import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.connect import write_connection_file

from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol.jobs import Answered, Bundle, Ended, Job, Started, Stream, WorkerItem
from llmos_jupyter.system.private_files import private_folder
from llmos_jupyter.workers import inside, outputs
from llmos_jupyter.workers.order import Order
from llmos_jupyter.workers.transfer import MANIFEST, readable_bytes

READY_TIMEOUT = 60.0
# Seconds after which a cancelled job that goes on is asked harder, and then killed.
TERMINATE_AFTER, KILL_AFTER = 0.15, 0.25
# Seconds that outputs may trail behind the reply of the kernel.
TRAILING = 2.0


class Worker:
    """Made by `LocalPool`. `await ready()`, then `run` one job, then `await close()`."""

    def __init__(self, order: Order, channel: socket.socket) -> None:
        self.order = order
        self._channel = channel
        self._client: AsyncKernelClient | None = None
        self._events: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
        self._pumps: list[asyncio.Task[None]] = []
        self._is_ready = asyncio.Event()
        self._ended: dict[str, Any] | None = None
        self._has_ended = asyncio.Event()
        self._cancelling: asyncio.Task[None] | None = None
        self._results: Bundle | None = None
        self._answered: Answered | None = None
        self.pid = 0

    async def ready(self) -> None:
        """Wait until the kernel can be spoken to. Raises LLMOSError if it never can."""
        self._channel.setblocking(False)
        self._pumps.append(asyncio.create_task(self._hear_guardian()))
        try:
            await asyncio.wait_for(self._is_ready.wait(), READY_TIMEOUT)
            if self._ended is not None:
                raise LLMOSError(f"A worker ended while it started: see {self.log_file(self.order)}.")
            await self._connect()
        except (asyncio.TimeoutError, RuntimeError):
            raise LLMOSError(
                f"A worker did not start within {READY_TIMEOUT:.0f} s: see {self.log_file(self.order)}."
            ) from None

    @property
    def alive(self) -> bool:
        return self._ended is None

    async def _connect(self) -> None:
        client = AsyncKernelClient(context=_context())
        client.load_connection_file(str(self.order.connection_file))
        client.start_channels(shell=True, iopub=True, stdin=False, hb=False, control=False)
        self._client = client
        await client.wait_for_ready(timeout=READY_TIMEOUT)
        self._pumps.append(asyncio.create_task(self._hear("iopub", client.get_iopub_msg)))
        self._pumps.append(asyncio.create_task(self._hear("shell", client.get_shell_msg)))

    @staticmethod
    def log_file(order: Order) -> Path:
        return Path(order.files).parent / "workers.log"

    @staticmethod
    def write_connection(order: Order) -> None:
        """Write the kernel's connection file: Unix sockets in a folder that only the user can enter."""
        write_connection_file(
            str(order.connection_file),
            transport="ipc",
            ip=str(Path(order.sockets) / "k"),
            key=_key(),
            kernel_name="llmos-worker",
        )

    # --- what is heard -----------------------------------------------------------------------------

    async def _hear(self, channel: str, receive: Any) -> None:
        while True:
            message = await receive()
            self._events.put_nowait((channel, message))

    async def _hear_guardian(self) -> None:
        loop = asyncio.get_running_loop()
        heard = b""
        while self._ended is None:
            try:
                data = await loop.sock_recv(self._channel, 4096)
            except OSError:
                data = b""
            if not data:  # the guardian itself was killed; the kernel goes with it
                self._ended = {"ended": -signal.SIGKILL, "reason": "", "peak": 0}
                break
            *lines, heard = (heard + data).split(b"\n")
            for line in lines:
                said = json.loads(line)
                if "pid" in said:
                    self.pid = said["pid"]
                if "ready" in said:
                    self._is_ready.set()
                if "ended" in said:
                    self._ended = said
        self._is_ready.set()
        self._has_ended.set()
        self._events.put_nowait(("ended", {}))

    def _tell_guardian(self, words: str) -> None:
        with contextlib.suppress(OSError):
            self._channel.send(words.encode() + b"\n")

    # --- the job -----------------------------------------------------------------------------------

    async def run(self, job: Job, keep: Path) -> AsyncGenerator[WorkerItem, None]:
        """Run the job; its results are moved to `keep`. The last event is `Ended`, and then no process is left."""
        files = Path(self.order.files)
        (files / inside.JOB).write_text(job.model_dump_json(), encoding="utf-8")
        self._tell_guardian(f"watch {job.limits.memory_bytes or 0}")
        error, began = "", False
        reply = await self._silently(inside.BEGIN)
        started = time.monotonic()
        if reply is not None and reply["status"] == "ok":
            began = True
            yield Started(confinement=(files / inside.CONFINEMENT).read_text(encoding="utf-8"), pid=self.pid)
            bound = outputs.Bound(job.limits.output_bytes)
            started = time.monotonic()
            async for item in self._execute(job.code):
                if isinstance(item, dict):
                    reply = item
                elif (admitted := bound.admit(item)) is not None:
                    yield admitted
        seconds = time.monotonic() - started
        if reply is not None and reply["status"] != "ok":
            error = f"{reply.get('ename', 'Error')}: {reply.get('evalue', '')}"
            if reply.get("ename") == "LLMOSError":
                error = str(reply["evalue"])
        if self._ended is None and self._cancelling is None and began:
            late: list[WorkerItem] = []
            untaken = await self._take_results(keep, late)
            error = error or untaken
            for item in late:
                if (admitted := bound.admit(item)) is not None:
                    yield admitted
        ended = await self.close()
        yield self._end(job, ended, error, seconds)

    async def _silently(self, code: str, late: list[WorkerItem] | None = None) -> dict[str, Any] | None:
        """Run code of ours in the kernel; its reply, or None if the kernel ended first. What is printed meanwhile, by
        child processes and threads of the job's, is put into `late`."""
        reply = None
        async for item in self._execute(code, silent=True):
            if isinstance(item, dict):
                reply = item
            elif late is not None and isinstance(item, Stream):
                late.append(item)
        return reply

    async def _execute(self, code: str, *, silent: bool = False) -> AsyncGenerator[WorkerItem | dict[str, Any], None]:
        """The outputs of a cell, and last its reply; nothing more when the kernel has ended."""
        assert self._client is not None
        if self._ended is not None:
            return
        asked = self._client.execute(code, silent=silent, store_history=False, allow_stdin=False)
        reply: dict[str, Any] | None = None
        idle = False
        while reply is None or not idle:
            try:
                channel, message = await asyncio.wait_for(self._events.get(), None if reply is None else TRAILING)
            except asyncio.TimeoutError:
                break  # the message that says idle was lost; the reply is what counts
            if channel == "ended":
                while (rest := self._leftover()) is not None:
                    yield rest
                return
            # What a child process printed is told when the kernel has read it, whatever it runs by then.
            if message["parent_header"].get("msg_id") != asked and message["msg_type"] != "stream":
                continue
            if channel == "shell":
                reply = message["content"]
            elif message["msg_type"] == "status":
                idle = message["content"]["execution_state"] == "idle"
            elif (item := outputs.event(message["msg_type"], message["content"])) is not None:
                yield item
        if reply is not None:
            yield reply

    def _leftover(self) -> WorkerItem | None:
        """An output that was heard after the end of the kernel."""
        while not self._events.empty():
            channel, message = self._events.get_nowait()
            if channel == "iopub" and (item := outputs.event(message["msg_type"], message["content"])) is not None:
                return item
        return None

    async def _take_results(self, keep: Path, late: list[WorkerItem]) -> str:
        """Move the results to `keep`; one sentence if they cannot be had, though the kernel is there."""
        reply = await self._silently(inside.END, late)
        folder = Path(self.order.files) / inside.RESULTS
        if reply is None:
            return ""
        if reply["status"] != "ok" or not (folder / MANIFEST).exists():
            why = f"{reply.get('ename', 'Error')}: {reply.get('evalue', '')}".rstrip(": ")
            return f"The results could not be taken back ({why}): have the code write them to a file."
        private_folder(keep.parent)
        shutil.move(folder, keep)
        bundle = Bundle.model_validate_json((keep / MANIFEST).read_text(encoding="utf-8"))
        self._results = bundle.model_copy(update={"folder": str(keep)})
        with contextlib.suppress(FileNotFoundError):
            said = (Path(self.order.files) / inside.ANSWERED).read_text(encoding="utf-8")
            self._answered = Answered.model_validate_json(said)
        return ""

    def _end(self, job: Job, ended: dict[str, Any], error: str, seconds: float) -> Ended:
        def end(state: Any, message: str = "") -> Ended:
            return Ended(
                state=state,
                message=message,
                results=self._results,
                answered=self._answered,
                seconds=round(seconds, 4),
                peak_bytes=ended.get("peak", 0),
            )

        if self._cancelling is not None:
            return end("cancelled", "The task was cancelled.")
        if ended.get("reason") == "memory":
            limit = readable_bytes(job.limits.memory_bytes or 0)
            return end("died", f"The worker used more than its {limit} of memory: give more, or work in parts.")
        if error:
            return end("failed", error)
        if self._results is None:
            return end("died", how_it_ended(ended["ended"]))
        return end("done")

    # --- the end -----------------------------------------------------------------------------------

    def pause(self, still: bool) -> None:
        """Let the job stand still, or go on."""
        self._tell_guardian("pause" if still else "resume")

    def cancel(self) -> None:
        """Interrupt the job, then terminate it, then kill it; `run` tells when it is over."""
        if self._cancelling is None:
            self._cancelling = asyncio.create_task(self._cancel())

    async def _cancel(self) -> None:
        for command, seconds in (("interrupt", TERMINATE_AFTER), ("terminate", KILL_AFTER - TERMINATE_AFTER)):
            self._tell_guardian(command)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._has_ended.wait(), seconds)
                return
        self._tell_guardian("kill")

    async def close(self) -> dict[str, Any]:
        """End all processes of the worker and remove its folders; how the kernel ended."""
        natural = self._ended
        self._tell_guardian("kill")
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._has_ended.wait(), READY_TIMEOUT)
        if self._cancelling is not None:
            await self._cancelling
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        if self._client is not None:
            self._client.stop_channels()
        self._channel.close()
        for folder in (self.order.files, self.order.sockets):
            shutil.rmtree(folder, ignore_errors=True)
        return natural or self._ended or {"ended": 0}


def how_it_ended(code: int) -> str:
    """One sentence for a worker that ended by itself."""
    if code == -signal.SIGKILL:
        return "The worker was killed by the system, most likely for lack of memory: work on less data at once."
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return f"The worker crashed ({name}): a compiled library that the code uses failed, try it on less data."
    return f"The code ended its worker (exit code {code}): let it end by itself, without `exit` or `os._exit`."


def _key() -> bytes:
    import secrets

    return secrets.token_hex(32).encode()


def _context() -> zmq.asyncio.Context:
    """A context whose sockets keep more than the usual thousand messages for a reader that is slow."""
    context = zmq.asyncio.Context.instance()
    context.setsockopt(zmq.RCVHWM, inside.HIGH_WATER)
    return context
