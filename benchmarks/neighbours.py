"""How fast the engine writes beside other busy programs: as llama-server begins by default (a thread for each core),
with other numbers of threads and another way of waiting, and as the daemon runs it, which leaves to others what they
take.

    python -m benchmarks.neighbours [--model 1.5b] [--busy 0,1,2,4] [--seconds 6]

Under six minutes. Each row is one number of busy programs beside it. `free` is the share of the machine that an engine
could have if cores were handed out fairly; `of_free` what the daemon's engine reached of it, aimed at 0.7. llama.cpp's
threads are OpenMP's here: `passive` is OMP_WAIT_POLICY, with which threads that wait for each other sleep at once.

Nothing may give the engine's processes another scheduling class or niceness than the others' meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from benchmarks.common import note, report
from benchmarks.notebooks_asking import prompt, straight
from llmos_jupyter.daemon.engines.engine_room import EngineRoom
from llmos_jupyter.engines import catalogue, download, gguf
from llmos_jupyter.engines.speaking.openai_http import Server
from llmos_jupyter.engines.starting.llama_cpp import Launch
from llmos_jupyter.engines.starting.supervisor import Supervisor
from llmos_jupyter.monitoring.neighbours import UNTIL_FEWER, UNTIL_MORE, Neighbours
from llmos_jupyter.protocol import Generation
from llmos_jupyter.system import hardware

ASKED = "Describe every column of the table at length, one after the other, in whole sentences, as comments."
# Until what others take is known and the engine has been begun anew.
SETTLING = UNTIL_FEWER + 16.0


@dataclass(frozen=True)
class Waiting(Launch):
    """An engine whose threads wait in a way of their own."""

    policy: str = ""

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, **({"OMP_WAIT_POLICY": self.policy} if self.policy else {})}


@contextlib.contextmanager
def busy(programs: int) -> Iterator[None]:
    """So many processes that do nothing but compute."""
    running = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(programs)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


async def speed(server: Server, seconds: float) -> float:
    """Tokens a second after the first, over so many seconds at the most."""
    generation = Generation(messages=prompt(1, ASKED), max_tokens=400)
    tokens, began = 0, 0.0
    async with contextlib.aclosing(straight(server, generation)) as pieces:
        async for _ in pieces:
            if not began:
                began = time.monotonic()
                continue
            tokens += 1
            if time.monotonic() - began > seconds:
                break
    return tokens / (time.monotonic() - began) if began and tokens else 0.0


@contextlib.asynccontextmanager
async def running(launch: Launch, folder: Path) -> AsyncIterator[Server]:
    engine = Supervisor(launch, folder / "engine.log")
    try:
        await engine.start()
        server = await engine.server()
        async for _ in straight(server, Generation(messages=prompt(1, ASKED), max_tokens=1)):
            pass
        yield server
    finally:
        await engine.stop()


class Room:
    """The daemon's engine, with what the daemon does about neighbours."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.neighbours = Neighbours(hardware.processors())
        self.engines = EngineRoom(lambda: None, threads=self.neighbours.threads)
        self._cpu = 0.0

    async def settle(self, seconds: float) -> None:
        """Watch the machine as the daemon's sampler does, and adapt as its housekeeping does."""
        psutil.cpu_percent(percpu=True)
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            before = time.monotonic()
            await asyncio.sleep(1.0)
            ours, self._cpu = self._cpu, self._engine_time()
            took = time.monotonic() - before
            self.neighbours.note(psutil.cpu_percent(percpu=True), max(0.0, self._cpu - ours), took)
            await self.engines.adapt(self.neighbours.threads())

    def _engine_time(self) -> float:
        with contextlib.suppress(psutil.Error):
            if pid := self.engines.pid:
                times = psutil.Process(pid).cpu_times()
                return float(times.user + times.system)
        return 0.0

    async def speed(self, seconds: float) -> tuple[float, int]:
        async with self.engines.use(self.model) as server:
            (status,) = await self.engines.status(ask=False)
            return await speed(server, seconds), status.threads


async def measure(name: str, numbers: list[int], seconds: float) -> list[dict[str, object]]:
    model = catalogue.resolve(name)
    path = download.ensure(model)
    cores = hardware.processors().physical
    base = Waiting(
        model=model.name, path=path, slots=2, context=2048, threads=cores, cache_mib=0,
        memory_bytes=gguf.memory_bytes(path, 4096),
    )  # fmt: skip
    variants = {
        "default": base,
        "fewer": replace(base, threads=max(1, cores - 1)),
        "passive": replace(base, policy="passive"),
    }
    room = Room(model.name)
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            row: dict[str, object] = {"busy": number}
            with busy(number):
                for variant, launch in variants.items():
                    async with running(launch, Path(folder)) as server:
                        row[variant] = await speed(server, seconds)
                    note(f"{number} busy, {variant}: {row[variant]:.2f} tokens/s")
                await room.speed(0.0)
                await room.settle(SETTLING if number else UNTIL_MORE + 10.0)
                row["ours"], row["threads"] = await room.speed(seconds)
                row["taken"] = room.neighbours.taken
                await room.engines.unload()
            rows.append(row)
            note(f"{number} busy, ours: {row['ours']:.2f} tokens/s with {row['threads']} threads")
    quiet = max(float(str(rows[0][variant])) for variant in (*variants, "ours"))
    for row in rows:
        number = int(str(row["busy"]))
        row["free"] = max(cores - number, cores / (number + 1)) / cores
        row["of_free"] = float(str(row["ours"])) / quiet / float(str(row["free"])) if quiet else None
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.neighbours", description=__doc__)
    parser.add_argument("--model", default="1.5b")
    parser.add_argument("--busy", default="0,1,2,4")
    parser.add_argument("--seconds", type=float, default=6.0)
    given = parser.parse_args()
    numbers = [int(number) for number in given.busy.split(",")]
    rows = asyncio.run(measure(given.model, numbers, given.seconds))
    report("neighbours", rows, model=given.model, aim_of_free=0.7)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
