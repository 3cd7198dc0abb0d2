"""The real llama.cpp server with the real small model: as the table says it, as a server elsewhere, and hung."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.engines import catalogue, download
from llmos_jupyter.engines.selection import Machine
from llmos_jupyter.engines.speaking.address import parse
from llmos_jupyter.engines.speaking.capabilities import LLAMA_CPP, TABLE
from llmos_jupyter.engines.speaking.probing import listing, probe
from llmos_jupyter.engines.speaking.remote import RemoteEngine
from llmos_jupyter.engines.starting import placement, supervisor
from llmos_jupyter.engines.starting.supervisor import Supervisor
from llmos_jupyter.protocol import Generation, Message, Request, Session, Task, Token
from tests.conftest import SMALL

pytestmark = pytest.mark.model

STORY = [Message(role="user", content="Tell a very long story about a lighthouse keeper.")]
# Probing cannot see these: they are the table's own.
STATED = ("adapters", "pictures", "warms")


@asynccontextmanager
async def running(home: Path) -> AsyncIterator[Supervisor]:
    model = catalogue.resolve(SMALL)
    launch = placement.launch(model, download.ensure(model), Machine.here(), 4, 2048)
    engine = Supervisor(launch, home / "engine.log")
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()


def test_it_can_do_what_the_table_says_and_nothing_else(home: Path) -> None:
    async def ask() -> None:
        async with running(home) as engine:
            server = await engine.server()
            told = await listing(server)
            seen = await probe(server, told.maker)
            row = TABLE[LLAMA_CPP]
            assert replace(seen, **{name: getattr(row, name) for name in STATED}) == row

    asyncio.run(ask())


def test_as_a_server_elsewhere_it_writes_the_same(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Generation(messages=STORY, max_tokens=20, grammar='root ::= "The keeper " [a-z ]+')

    async def ask() -> None:
        async with running(home) as engine:
            own = await engine.server()
            monkeypatch.setenv("LLMOS_ENGINE", own.address)
            monkeypatch.setenv("LLMOS_ENGINE_KEY", own.api_key)
            far = RemoteEngine(parse(own.address), 2, 8192)
            await far.start()
            assert far.slots == 4
            assert far.context == 4096, "what its slots hold together"
            texts = []
            for server in (own, await far.server()):
                texts.append("".join([item.text async for item in server.stream(asked) if isinstance(item, Token)]))
            assert texts[0] == texts[1]
            assert texts[0].startswith("The keeper ")

    asyncio.run(ask())


def test_an_engine_that_hangs_is_ended_and_begun_anew(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "LOOK_EVERY", 0.2)
    monkeypatch.setattr(supervisor, "LOOK_TAKES", 0.5)
    monkeypatch.setattr(supervisor, "HUNG_AFTER", 2.0)

    async def hang() -> None:
        async with running(home) as engine:
            assert engine.pid is not None
            before = engine.pid
            os.kill(before, signal.SIGSTOP)
            began = time.monotonic()
            while engine.pid == before or engine.state != "ready":
                assert time.monotonic() - began < 30
                await asyncio.sleep(0.05)
            assert time.monotonic() - began > 1.5, "it was not given its time"
            assert not psutil.pid_exists(before)
            asked = Generation(messages=STORY, max_tokens=2)
            assert [item async for item in (await engine.server()).stream(asked)]

    asyncio.run(hang())


# --- through the daemon ---------------------------------------------------------------------------


@pytest.fixture
def client(home: Path) -> Iterator[DaemonClient]:
    client = DaemonClient()
    client.load(SMALL)
    yield client
    status = client.status()
    if status.engine and status.engine.pid:
        os.kill(status.engine.pid, signal.SIGCONT)


def task_of(client: DaemonClient) -> Task:
    session = Session(id=uuid.uuid4().hex, pid=os.getpid(), started=psutil.Process().create_time())
    return client.submit(Request(id=uuid.uuid4().hex, text="a story", session=session))


def test_stop_and_status_do_not_wait_for_an_engine_that_hangs(client: DaemonClient) -> None:
    task = task_of(client)
    asked = Generation(messages=STORY, model=SMALL, max_tokens=2000)
    items = client.generate(task.id, asked, deadline=time.monotonic() + 300)
    while next(items).type != "token":
        pass
    engine = client.status().engine
    assert engine is not None
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGSTOP)
    began = time.monotonic()
    assert DaemonClient().status().engine is not None
    assert time.monotonic() - began < 1.0
    began = time.monotonic()
    DaemonClient().cancel(str(task.number))
    assert list(items)[-1].type == "cancelled"
    assert time.monotonic() - began < 2.0
    # The next request gets a new engine, after the time that is stated.
    began = time.monotonic()
    asked = asked.model_copy(update={"max_tokens": 2})
    last = list(client.generate(task_of(client).id, asked, deadline=time.monotonic() + 120))[-1]
    assert last.type == "done"
    assert time.monotonic() - began < supervisor.HUNG_AFTER + supervisor.LOOK_EVERY + 30
    after = client.status().engine
    assert after is not None
    assert after.pid != engine.pid
