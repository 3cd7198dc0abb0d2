"""The part of `benchmarks.waiting` with the real engine: who waits how long for the first token.

Half of the tasks are batch, there from the start (priority 0, answers of up to 200 tokens); the others are interactive
(priority 100, up to 40 tokens) and come one by one at random times while those wait. The same at the same times, once
through the daemon, and straight to llama.cpp's own server, with one slot (as it comes, and as Ollama has it) and with
as many as the daemon gives it: whoever came first goes first.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.asking import own_daemon
from benchmarks.common import note, percentile, report
from benchmarks.mixed import session
from benchmarks.notebooks_asking import CONTEXT, engines, launch, prompt, straight, through_daemon
from llmos_jupyter import config
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.engines.llama_cpp import REQUESTS_HELD
from llmos_jupyter.engines.openai_http import Server
from llmos_jupyter.protocol import INTERACTIVE, LOW, Generation

BATCH = "Describe every column of the table at length, one after the other, in whole sentences, as comments."
ASKED = "print the mean of temperature by station"
BATCH_TOKENS, ASKED_TOKENS = 200, 40
# Mean seconds between two interactive requests.
BETWEEN = 3.0


@dataclass
class Asked:
    """One task: seconds from when it came to its first token and to its last."""

    number: int
    priority: int
    comes: float
    first: float = 0.0
    ended: float = 0.0
    tokens: int = 0

    def generation(self, model: str) -> Generation:
        batch = self.priority == LOW
        return Generation(
            messages=prompt(self.number, BATCH if batch else ASKED),
            model=model,
            max_tokens=BATCH_TOKENS if batch else ASKED_TOKENS,
        )

    def token(self, began: float) -> None:
        self.ended = time.monotonic() - began
        self.first = self.first or self.ended
        self.tokens += 1


def load(tasks: int) -> list[Asked]:
    dice = random.Random(tasks)
    batch = tasks // 2
    asked = [Asked(number, LOW, 0.1 * number) for number in range(batch)]
    now = 1.0
    for number in range(batch, tasks):
        now += dice.expovariate(1 / BETWEEN)
        asked.append(Asked(number, INTERACTIVE, now))
    return asked


def through_the_daemon(model: str, tasks: list[Asked]) -> None:
    """Each from a notebook of its own."""
    start = time.monotonic()

    def ask(one: Asked) -> None:
        client, asker = DaemonClient(), session()
        time.sleep(max(0.0, start + one.comes - time.monotonic()))
        began = time.monotonic()
        for _ in through_daemon(client, asker, one.generation(model), one.priority):
            one.token(began)

    threads = [threading.Thread(target=ask, args=(one,)) for one in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


async def first_come(model: str, tasks: list[Asked], slots: int, log: Path) -> None:
    how = await asyncio.to_thread(launch, model, slots, REQUESTS_HELD * CONTEXT)

    async def ask(one: Asked, server: Server, start: float) -> None:
        await asyncio.sleep(max(0.0, start + one.comes - time.monotonic()))
        began = time.monotonic()
        async for _ in straight(server, one.generation(model)):
            one.token(began)

    async with engines(how, 1, log) as running:
        server = await running[0].server()
        await server.read_prompt(prompt(len(tasks), ASKED))
        start = time.monotonic()
        await asyncio.gather(*(ask(one, server, start) for one in tasks))


def rows(name: str, tasks: list[Asked]) -> list[dict[str, object]]:
    whole = max(one.comes + one.ended for one in tasks)
    found: list[dict[str, object]] = []
    for kind, priority in (("interactive", INTERACTIVE), ("batch", LOW)):
        some = [one for one in tasks if one.priority == priority]
        found.append(
            {
                "through": name,
                "class": kind,
                "tasks": len(some),
                "first_token_p50_s": percentile([one.first for one in some], 0.5),
                "first_token_p95_s": percentile([one.first for one in some], 0.95),
                "response_p50_s": percentile([one.ended for one in some], 0.5),
                "response_p95_s": percentile([one.ended for one in some], 0.95),
                "tokens": sum(one.tokens for one in some),
                "all_tokens_s": sum(one.tokens for one in tasks) / whole,
            }
        )
    return found


def measure(model: str, tasks: int) -> None:
    found: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder, own_daemon():
        slots = config.load().slots
        client = DaemonClient()
        client.load(model)
        asked = load(tasks)
        for _ in through_daemon(client, session(), Asked(tasks, INTERACTIVE, 0.0).generation(model)):
            pass  # whatever is slow the first time
        through_the_daemon(model, asked)
        found += rows("llmos-jupyter", asked)
        note(f"{found[-2:]}")
        client.shutdown()
        for count in (1, slots):
            asked = load(tasks)
            asyncio.run(first_come(model, asked, count, Path(folder) / "engine.log"))
            found += rows(f"llama.cpp, {count} slot{'s' if count > 1 else ''}", asked)
            note(f"{found[-2:]}")
    ours, *peers = (float(str(row["first_token_p95_s"])) for row in found if row["class"] == "interactive")
    report("waiting (real engine)", found, model=model, first_token_p95_of_best_peer_over_ours=min(peers) / ours)
