"""Start, watch, restart and stop one engine process."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from llmos_jupyter.engines.speaking.capabilities import LLAMA_CPP, TABLE, Capabilities
from llmos_jupyter.engines.speaking.openai_http import PATIENT, Server
from llmos_jupyter.engines.starting.launch import Launch
from llmos_jupyter.errors import LLMOSError

log = logging.getLogger(__name__)

# An engine that ran this long (seconds) before it died is restarted as if it had never failed.
STEADY = 60.0
MAX_RESTARTS = 5
# Seconds between two looks at its health, and that one may take: its HTTP thread answers within milliseconds, beside
# busy processes within a second. An engine that has not answered for HUNG_AFTER, or has said that it is not well, is
# ended and begun anew.
LOOK_EVERY, LOOK_TAKES, HUNG_AFTER = 5.0, 3.0, 20.0
# Exit codes of a process that a signal ended; by number, because Windows' `signal` lacks the names.
ILLEGAL_INSTRUCTION, KILLED = -4, -9


class Supervisor:
    """One engine process, kept alive. Create, `await start()`, use `server`, `await stop()`."""

    def __init__(
        self,
        launch: Launch,
        log_file: Path,
        on_change: Callable[[], None] = lambda: None,
        begun_anew: Callable[[int], bool] = lambda code: True,
    ) -> None:
        """`begun_anew` is asked when the process has ended by itself, with which code, and says whether to."""
        self.launch = launch
        self._begun_anew = begun_anew
        self.log_file = log_file
        self.restarts = 0
        self.device = "cpu"
        self._quick = 0
        self.error = ""
        self.trouble = ""
        self._on_change = on_change
        self._process: asyncio.subprocess.Process | None = None
        self._server: Server | None = None
        self._watchers: list[asyncio.Task[None]] = []
        self._ready = asyncio.Event()
        self._stopping = False

    @property
    def engine(self) -> str:
        return self.launch.engine

    @property
    def capabilities(self) -> Capabilities:
        return TABLE[self.launch.engine]

    @property
    def model(self) -> str:
        return self.launch.model

    @property
    def slots(self) -> int:
        """How many candidates or requests it writes at once."""
        return self.launch.slots

    @property
    def context(self) -> int:
        return self.launch.context

    @property
    def memory_bytes(self) -> int:
        return self.launch.memory_bytes

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def state(self) -> str:
        if self.error:
            return "failed"
        if self._stopping:
            return "stopped"
        return "ready" if self._ready.is_set() else "starting"

    async def start(self) -> None:
        """Start the process and wait until it serves. Raises LLMOSError, with the remedy, when it cannot."""
        try:
            await self._spawn()
        except LLMOSError as error:
            self.error = str(error)
            self._on_change()
            raise
        self._watchers = [asyncio.create_task(self._watch()), asyncio.create_task(self._watch_health())]
        self._on_change()

    async def server(self) -> Server:
        """Where the engine listens; waits while it is being restarted. Raises LLMOSError if it gave up."""
        while not self._ready.is_set():
            if self.error:
                raise LLMOSError(self.error)
            await asyncio.sleep(0.05)
        assert self._server is not None
        return self._server

    def restart(self, why: str) -> None:
        """End a process that hangs; it is begun anew."""
        if self._process and self._process.returncode is None and self._ready.is_set():
            log.warning("the engine is ended: %s", why)
            self._ready.clear()
            self._process.kill()

    async def stop(self) -> None:
        """End the process: asked first, killed after two seconds."""
        self._stopping = True
        self._ready.clear()
        for watcher in self._watchers:
            watcher.cancel()
        process = self._process
        if process and process.returncode is None:
            if process.stdin:
                process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), 2.0)
            except asyncio.TimeoutError:
                process.kill()
                await process.wait()
        self._on_change()

    async def _spawn(self) -> None:
        api_key = secrets.token_urlsafe(24)
        try:
            self.log_file.parent.mkdir(parents=True, exist_ok=True)
            with self.log_file.open("ab") as engine_log:
                process = await asyncio.create_subprocess_exec(
                    *self.launch.command,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=engine_log,
                    cwd=self.log_file.parent,
                    # `-m` would put the working folder before the libraries.
                    env={**os.environ, "PYTHONSAFEPATH": "1", **self.launch.environment},
                )
        except OSError as error:
            raise LLMOSError(
                f"The engine's process cannot be started ({error}): free some disk space or memory and ask again."
            ) from error
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(self.launch.settings(api_key)).encode() + b"\n")
            line = await asyncio.wait_for(process.stdout.readline(), self.launch.ready_timeout)
            answer = _answer(line)
            if "address" not in answer:
                if process.returncode is None:
                    await asyncio.wait_for(process.wait(), 10.0)
                raise LLMOSError(
                    answer.get("sentence") or self._why_not(process.returncode or 0, answer.get("error", ""))
                )
            self.device = answer.get("device", self.device)
            server = self._server_at(answer["address"], api_key)
            if not await server.healthy(PATIENT):
                raise LLMOSError(f"The engine started but does not answer: see {self.log_file}.")
            if await server.answers_everybody():
                raise LLMOSError(
                    f"The engine {self.engine} answers whoever asks, and other users of this machine could: it was "
                    "ended. Install the versions that docs/devices.md names."
                )
        except asyncio.TimeoutError:
            process.kill()
            raise LLMOSError(
                f"The engine did not start within {self.launch.ready_timeout:.0f} s: see {self.log_file}, "
                "or choose a smaller model with `%llmos use NAME`."
            ) from None
        except BaseException:
            if process.returncode is None:
                process.kill()
                await process.wait()
            raise
        self._server = server
        self._ready.set()

    def _server_at(self, address: str, api_key: str) -> Server:
        turns = None if self.capabilities.candidates else asyncio.Semaphore(self.slots)
        return Server(
            address,
            api_key,
            self.capabilities,
            model=self.launch.served,
            silence=self.launch.silence,
            turns=turns,
        )

    async def _watch_health(self) -> None:
        """End an engine that is there and does not answer, or says that it is not well: a stopped process, a thread
        that died while the server goes on."""
        well = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_EVERY)
            server = self._server
            if not self._ready.is_set() or server is None or await server.healthy(LOOK_TAKES):
                well, self.trouble = time.monotonic(), ""
                continue
            silent = time.monotonic() - well
            self.trouble = f"has not answered for {silent:.0f} s, is begun anew after {HUNG_AFTER:.0f} s"
            self._on_change()
            if silent > HUNG_AFTER - LOOK_EVERY:
                self.restart(f"it did not answer for {silent:.0f} s")

    async def _watch(self) -> None:
        """Restart the engine when it dies, if it is wanted, waiting longer each time it dies soon again."""
        while True:
            assert self._process is not None
            began = time.monotonic()
            code = await self._process.wait()
            self._ready.clear()
            if not self._begun_anew(code):
                self._watchers[1].cancel()
                self._stopping = True
                return
            steady = time.monotonic() - began > STEADY
            self._quick = 1 if steady else self._quick + 1
            self.restarts += 1
            log.warning("the engine ended with code %s; restart %d", code, self.restarts)
            self._on_change()
            if self._quick > MAX_RESTARTS:
                self.error = self._why_not(code, "it keeps ending")
                self._on_change()
                return
            await asyncio.sleep(min(0.1 * 2 ** (self._quick - 1), 10.0))
            try:
                await self._spawn()
            except LLMOSError as error:
                self.error = str(error)
                self._on_change()
                return
            self._on_change()

    def _why_not(self, code: int, said: str) -> str:
        """One sentence for the user out of how the process ended."""
        name = self.launch.model
        if code == ILLEGAL_INSTRUCTION:
            package = "xllamacpp" if self.engine == LLAMA_CPP else self.engine
            return (
                f"This processor lacks instructions that the wheel of {package} needs: build it from source, "
                "or use a server elsewhere with `%llmos use URL`."
            )
        if code == KILLED:
            return f"{name} was ended by the system, most likely for lack of memory: choose a smaller model."
        if "failed to load" in said.lower() or "load" in said.lower():
            return (
                f"The file of {name} cannot be loaded: fetch it again with `llmos models rm {name}` and "
                f"`llmos models pull {name}`."
            )
        detail = f" ({said})" if said else ""
        return f"The engine for {name} ended with code {code}{detail}: see {self.log_file}."


def _answer(line: bytes) -> dict[str, str]:
    """What the child said; nothing if it ended first, or something else spoke through its pipe."""
    try:
        answer = json.loads(line) if line else {}
    except ValueError:
        return {"error": line[:200].decode("utf-8", "replace").strip()}
    return answer if isinstance(answer, dict) else {}
