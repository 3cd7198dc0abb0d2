"""Notebooks that ask at once: one engine for all of them, beside a model of its own in every kernel.

    python -m benchmarks.sharing [--notebooks 1 2 4 8] [--seconds 15] [--rounds 2] [--model qwen2.5-coder-0.5b]

Each notebook asks again as soon as it has its answer (60 tokens at the most), for so many seconds, from a state of
its own that the engine has read before. `shared` is the real daemon with its one engine; `own` is a llama.cpp server a
notebook, as programs have it that load the model into the kernel, on all cores each. Of `rounds` such times the one
with most tokens is told: what else runs on the machine only ever takes away from it.

`memory_mib`: of all these processes, pages of files counted once, without the notebooks' own. `tokens_s`: in all.
`of_one`: that, over what the shared engine writes for a single notebook. `fairness`: Jain's index of tokens by
notebook: 1 is all alike, 1/n is one has all (Jain, Chiu and Hawe 1984).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from benchmarks.asking import own_daemon
from benchmarks.common import note, percentile, report
from benchmarks.mixed import session
from benchmarks.notebooks_asking import CONTEXT, engines, launch, memory, prompt, straight, through_daemon
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.engines.speaking.openai_http import Server
from llmos_jupyter.engines.starting.supervisor import Supervisor
from llmos_jupyter.protocol import Generation

REQUESTS = (
    "plot the monthly mean of temperature",
    "which station had most rain in March",
    "fit a line of wind on temperature and print its slope",
    "add a column with the seven-day rolling mean of rain",
    "the ten warmest days, as a table",
    "write a function that fills missing days with the mean of their neighbours",
)
TOKENS = 60


class Asking:
    """One notebook, and what it has got so far."""

    def __init__(self, notebook: int) -> None:
        self.notebook = notebook
        self.tokens = 0
        self.firsts: list[float] = []
        self._asked = 0
        self._began = 0.0

    def generation(self, model: str, tokens: int) -> Generation:
        self._asked += 1
        request = REQUESTS[(self.notebook + self._asked) % len(REQUESTS)]
        return Generation(messages=prompt(self.notebook, request), model=model, max_tokens=tokens)

    def token(self, began: float) -> None:
        """A token has come, of the answer that was asked for at `began`."""
        self.tokens += 1
        if began != self._began:
            self._began = began
            self.firsts.append(time.monotonic() - began)


def fairness(amounts: Sequence[float]) -> float:
    """Jain's index."""
    squares = sum(amount**2 for amount in amounts)
    return sum(amounts) ** 2 / (len(amounts) * squares) if squares else 0.0


def row(how: str, all_of_them: list[Asking], seconds: float, mib: float) -> dict[str, object]:
    firsts = [first for one in all_of_them for first in one.firsts]
    return {
        "model": how,
        "notebooks": len(all_of_them),
        "memory_mib": round(mib),
        "tokens_s": sum(one.tokens for one in all_of_them) / seconds,
        "fairness": fairness([one.tokens for one in all_of_them]),
        "first_token_p50_s": percentile(firsts, 0.5) if firsts else None,
        "first_token_p95_s": percentile(firsts, 0.95) if firsts else None,
    }


def best(rounds: list[dict[str, object]]) -> dict[str, object]:
    return max(rounds, key=lambda found: float(str(found["tokens_s"])))


def shared(count: int, seconds: float, rounds: int, model: str) -> dict[str, object]:
    """All through one daemon."""
    daemon = DaemonClient().load(model).pid
    askers = [(DaemonClient(), session()) for _ in range(count)]

    def ask(one: Asking, ends: float) -> None:
        client, asker = askers[one.notebook]
        while (began := time.monotonic()) < ends:
            for _ in through_daemon(client, asker, one.generation(model, TOKENS)):
                one.token(began)
                if time.monotonic() > ends:
                    return

    def together() -> dict[str, object]:
        notebooks = [Asking(number) for number in range(count)]
        with ThreadPoolExecutor(count) as pool:
            ends = time.monotonic() + seconds
            asking = [pool.submit(ask, one, ends) for one in notebooks]
            time.sleep(0.9 * seconds)
            used = memory([daemon])
            for one in asking:
                one.result()
        return row("shared", notebooks, seconds, used)

    for number, (client, asker) in enumerate(askers):
        for _ in through_daemon(client, asker, Asking(number).generation(model, 1)):
            pass
    return best([together() for _ in range(rounds)])


async def own(count: int, seconds: float, rounds: int, model: str, log: Path) -> dict[str, object] | None:
    """A model a notebook; None if there is no memory for so many."""
    how = await asyncio.to_thread(launch, model, 1, CONTEXT)
    if count * how.memory_bytes > psutil.virtual_memory().available:
        return None

    async def ask(one: Asking, server: Server, ends: float) -> None:
        while (began := time.monotonic()) < ends:
            async with contextlib.aclosing(straight(server, one.generation(model, TOKENS))) as tokens:
                async for _ in tokens:
                    one.token(began)
                    if time.monotonic() > ends:
                        return

    async def together(running: list[Supervisor]) -> dict[str, object]:
        notebooks = [Asking(number) for number in range(count)]
        servers = [await supervisor.server() for supervisor in running]
        ends = time.monotonic() + seconds
        asking = [asyncio.create_task(ask(one, server, ends)) for one, server in zip(notebooks, servers, strict=True)]
        await asyncio.sleep(0.9 * seconds)
        used = await asyncio.to_thread(memory, [supervisor.pid for supervisor in running if supervisor.pid])
        await asyncio.gather(*asking)
        return row("own", notebooks, seconds, used)

    async with engines(how, count, log) as running:
        for number, supervisor in enumerate(running):
            await (await supervisor.server()).read_prompt(Asking(number).generation(model, 1).messages)
        return best([await together(running) for _ in range(rounds)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notebooks", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    given = parser.parse_args()
    rows: list[dict[str, object]] = []
    no_room: list[int] = []
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "engine.log"
        with own_daemon():
            for count in given.notebooks:
                rows.append(shared(count, given.seconds, given.rounds, given.model))
                note(f"{rows[-1]}")
        for count in given.notebooks:
            found = asyncio.run(own(count, given.seconds, given.rounds, given.model, log))
            note(f"{found or 'there is no memory for so many'}")
            if found is None:
                no_room.append(count)
            else:
                rows.append(found)
    one = float(str(rows[0]["tokens_s"]))
    report(
        "sharing",
        [{**found, "of_one": float(str(found["tokens_s"])) / one} for found in rows],
        seconds=given.seconds,
        model_file=given.model,
        no_memory_for=no_room,
    )


if __name__ == "__main__":
    main()
