"""An interactive request beside long cells on all cores: with them standing still while the model writes, and without.

    python -m benchmarks.mixed [--model qwen2.5-coder-0.5b] [--tokens 60] [--rounds 3]

Prints the seconds of the request alone, beside cells that yield, and beside cells that do not; and what the cells got
done in the same time. The real daemon, engine and workers, in folders of the benchmark's own.
"""

from __future__ import annotations

import argparse
import os
import time
import uuid

import psutil

from benchmarks.asking import own_daemon
from benchmarks.common import median, note, report
from llmos_jupyter import config
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.protocol import Generation, Message, Options, Request, Session
from llmos_jupyter.protocol.jobs import Job

BUSY = "count = 0\nwhile True:\n    count += 1\n"
QUESTION = "Write a short Python function that counts the vowels of a text, with a docstring."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    parser.add_argument("--tokens", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with own_daemon():
        client = DaemonClient()
        client.load(given.model)
        generate(client, given.model, given.tokens)
        alone = [generate(client, given.model, given.tokens) for _ in range(given.rounds)]
        rows: list[dict[str, object]] = [row("alone", alone, alone)]
        for name, yields in (("cells yield", True), ("cells do not", False)):
            config.change(f"yield_cores={yields}")
            cells = [busy(client) for _ in range(os.cpu_count() or 1)]
            time.sleep(2.0)
            seconds = [generate(client, given.model, given.tokens) for _ in range(given.rounds)]
            for cell in cells:
                client.cancel(cell)
            rows.append(row(name, seconds, alone))
            note(f"{name}: {median(seconds):.2f} s")
    report("mixed", rows, model=given.model, tokens=given.tokens, cells=os.cpu_count())


def row(name: str, seconds: list[float], alone: list[float]) -> dict[str, object]:
    ratio = median(seconds) / median(alone)
    return {"request": name, "median_s": round(median(seconds), 2), "worst_s": round(max(seconds), 2),
            "of_alone": round(ratio, 2)}  # fmt: skip


def session() -> Session:
    process = psutil.Process()
    return Session(id=uuid.uuid4().hex, pid=process.pid, started=process.create_time())


def busy(client: DaemonClient) -> str:
    identifier = uuid.uuid4().hex
    request = Request(id=identifier, kind="run", text="count", session=session())
    return str(client.submit_job(request, Job(id=identifier, code=BUSY)).number)


def generate(client: DaemonClient, model: str, tokens: int) -> float:
    """Seconds from the request to its last token."""
    task = client.submit(Request(id=uuid.uuid4().hex, text=QUESTION, options=Options(model=model), session=session()))
    generation = Generation(
        messages=[Message(role="user", content=QUESTION)], model=model, max_tokens=tokens, temperature=0.0
    )
    began = time.monotonic()
    for _ in client.generate(task.id, generation, deadline=began + 600):
        pass
    return time.monotonic() - began


if __name__ == "__main__":
    main()
