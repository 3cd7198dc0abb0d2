"""Several notebooks that ask one engine: through the daemon, and llama.cpp's own server without it.

For `benchmarks.sharing` and `benchmarks.waiting`. Both are spoken to over HTTP, and tokens are counted as they come.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from pathlib import Path

import psutil

from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.engines import catalogue, download, gguf
from llmos_jupyter.engines.selection import Machine
from llmos_jupyter.engines.speaking.openai_http import Server
from llmos_jupyter.engines.starting.llama_cpp import REQUESTS_HELD, Launch
from llmos_jupyter.engines.starting.supervisor import Supervisor
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Finish, Generation, Message, Options, Request, Session, Token

CONTEXT = 8192
TIMEOUT = 600.0

# A notebook's state as the model is told it; each notebook has a table of its own.
STATE = """\
Already imported: import pandas as pd; import numpy as np; import matplotlib.pyplot as plt
table_{n}: DataFrame, {rows} rows x 5 columns
  station_{n}: str, 12 distinct: 'north', 'south', 'harbour', 'mill'
  day: datetime64[ns], 2023-01-01 .. 2023-12-31
  temperature: float64, -11.2 .. 34.{n}
  rain: float64, 0.0 .. 61.{n}
  wind: float64, 0.0 .. 29.5
model_{n}: LinearRegression, fitted, 3 features
"""


def prompt(notebook: int, request: str) -> list[Message]:
    """What a notebook sends: always the same beginning, so that the engine's cache can do its part."""
    state = STATE.format(n=notebook, rows=100 * (notebook + 3))
    return [
        Message(role="system", content="Answer with Python code for the notebook's next cell, with comments."),
        Message(role="user", content=f"{state}\nRequest: {request}"),
    ]


def through_daemon(
    client: DaemonClient, asker: Session, generation: Generation, priority: int = 50
) -> Generator[str, None, None]:
    """The tokens of an answer as they come. One that gives way to a more urgent one goes on later."""
    text = "".join(message.content for message in generation.messages[-1:])
    options = Options(model=generation.model, priority=priority, max_tokens=generation.max_tokens)
    task = client.submit(Request(id=uuid.uuid4().hex, text=text, options=options, session=asker))
    written, ended = "", False
    try:
        while not ended:
            with contextlib.closing(client.generate(task.id, generation, deadline=time.monotonic() + TIMEOUT)) as items:
                for item in items:
                    if isinstance(item, Token):
                        written += item.text
                        if item.text:
                            yield item.text
                    elif item.type in ("failure", "cancelled"):
                        raise LLMOSError(str(item))
                    ended = item.type == "done"
            generation = generation.model_copy(update={"prefix": written})
    finally:
        client.finish(task.id, Finish(state="done" if ended else "cancelled"))


async def straight(server: Server, generation: Generation) -> AsyncGenerator[str, None]:
    """The same, asked of the engine's own server."""
    async with contextlib.aclosing(server.stream(generation)) as items:
        async for item in items:
            if isinstance(item, Token):
                yield item.text


def launch(model: str, slots: int, context: int) -> Launch:
    """An engine as the daemon starts one, with so many slots that share this context."""
    path = download.ensure(catalogue.resolve(model))
    return Launch(
        model=model,
        path=path,
        slots=slots,
        context=context // REQUESTS_HELD,
        threads=Machine.here().cores,
        memory_bytes=gguf.memory_bytes(path, context),
        cache_mib=256,
    )


@contextlib.asynccontextmanager
async def engines(how: Launch, count: int, log: Path) -> AsyncIterator[list[Supervisor]]:
    """So many processes of llama.cpp's server, each with the model of its own."""
    started = [Supervisor(how, log) for _ in range(count)]
    try:
        for supervisor in started:
            await supervisor.start()
        yield started
    finally:
        for supervisor in started:
            await supervisor.stop()


def memory(pids: list[int]) -> float:
    """MiB of these processes and their children; pages of files, such as a model's, are taken to be shared by all."""
    every = {p.pid: p for pid in pids for p in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]}
    private, shared = 0, 0
    for process in every.values():
        with contextlib.suppress(psutil.NoSuchProcess):
            used = process.memory_info()
            of_files = getattr(used, "shared", 0)  # not told on macOS and Windows: there all counts as private
            private += used.rss - of_files
            shared = max(shared, of_files)
    return (private + shared) / 2**20
