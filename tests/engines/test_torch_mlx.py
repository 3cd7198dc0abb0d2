"""The real `transformers serve` and the real `mlx_lm.server`, with a tiny model of a real architecture."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest

from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.daemon.engines import engine_room
from llmos_jupyter.engines import catalogue, weights_folder
from llmos_jupyter.engines.selection import Machine
from llmos_jupyter.engines.speaking.capabilities import MLX, TABLE, TRANSFORMERS
from llmos_jupyter.engines.speaking.openai_http import EngineHung, Reply
from llmos_jupyter.engines.speaking.probing import probe
from llmos_jupyter.engines.starting import placement, supervisor
from llmos_jupyter.engines.starting.supervisor import Supervisor
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Generation, Message, Request, Session, Token
from tests.engines import tiny_weights
from tests.engines.other_user import http, knock

pytest.importorskip("torch")
pytest.importorskip("transformers")

ASKED = Generation(messages=[Message(role="user", content="Hello")], max_tokens=12)
# Probing cannot see these: they are the table's own.
STATED = ("adapters", "pictures", "sampling", "warms")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_weights.make(tmp_path_factory.mktemp("weights") / "tiny #1 50% ü")


@pytest.fixture(params=[TRANSFORMERS, MLX])
def engine(request: pytest.FixtureRequest) -> str:
    if request.param == MLX:
        pytest.importorskip("mlx_lm")
    return str(request.param)


def launch(folder: Path, engine: str) -> weights_folder.Launch:
    model = catalogue.resolve(str(folder))
    made = placement.launch_folder(model, weights_folder.read(folder), Machine.here(), 4096)
    return replace(made, engine=engine)


@asynccontextmanager
async def running(folder: Path, engine: str, log: Path) -> AsyncIterator[Supervisor]:
    started = Supervisor(launch(folder, engine), log)
    await started.start()
    try:
        yield started
    finally:
        await started.stop()


def test_it_can_do_what_the_table_says_and_its_user_alone_gets_in(folder: Path, engine: str, tmp_path: Path) -> None:
    async def ask() -> None:
        async with running(folder, engine, tmp_path / "engine.log") as started:
            server = await started.server()
            row = TABLE[engine]
            seen = await probe(server)
            assert replace(seen, key="gate", **{name: getattr(row, name) for name in STATED}) == row

            # Three candidates, one after the other, each another one.
            several = ASKED.model_copy(update={"n": 3, "temperature": 1.5, "seed": 4, "max_tokens": 40})
            texts = ["", "", ""]
            async for item in server.stream(several):
                if isinstance(item, Token):
                    texts[item.index] += item.text
                elif isinstance(item, Reply):
                    assert item.timings.tokens > 0
            assert len(set(texts)) == 3

            # Another user of the machine, on every route; and nothing to read the key from.
            port = httpx.URL(server.address).port
            assert port is not None
            paths = ("/", "/health", "/v1/models", "/v1/chat/completions", "/load_model", "/reset", "/docs")
            requests = [http(method, path, body="{}") for method in ("GET", "POST", "OPTIONS") for path in paths]
            answers = knock(port, requests)
            assert len(answers) == len(requests)
            assert all(b" 401 " in answer for answer in answers), answers
            assert started.pid is not None
            process = psutil.Process(started.pid)
            assert not any(server.api_key in part for part in [*process.cmdline(), *process.environ().values()])
            listening = {at.laddr.ip for at in process.net_connections() if at.status == psutil.CONN_LISTEN}
            assert listening == {"127.0.0.1"}
        assert server.api_key not in (tmp_path / "engine.log").read_text(errors="replace")

    asyncio.run(ask())


def test_a_folder_that_cannot_be_loaded_gets_a_sentence(folder: Path, engine: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(folder, broken)
    (broken / "model.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0not a header....")
    started = Supervisor(launch(broken, engine), tmp_path / "engine.log")
    with pytest.raises(LLMOSError, match="fetch its folder again") as raised:
        asyncio.run(started.start())
    assert "\n" not in str(raised.value)


def test_what_does_not_fit_is_not_loaded(folder: Path, tmp_path: Path) -> None:
    large = replace(launch(folder, TRANSFORMERS), memory_bytes=10**15)
    with pytest.raises(LLMOSError, match="choose a smaller model"):
        asyncio.run(Supervisor(large, tmp_path / "engine.log").start())


def test_an_engine_that_hangs_is_begun_anew(
    folder: Path, engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("LOOK_EVERY", 0.2), ("LOOK_TAKES", 0.5), ("HUNG_AFTER", 1.5)):
        monkeypatch.setattr(supervisor, name, value)

    async def hang() -> None:
        async with running(folder, engine, tmp_path / "engine.log") as started:
            before = started.pid
            assert before is not None
            os.kill(before, signal.SIGSTOP)
            began = time.monotonic()
            while started.pid == before or started.state != "ready":
                assert time.monotonic() - began < 90
                await asyncio.sleep(0.1)
            server = await started.server()
            assert [item async for item in server.stream(ASKED) if isinstance(item, Reply)]

    asyncio.run(hang())


async def replaced(folder: Path, breaking: dict[str, object], asked: Generation) -> None:
    """A request that stalls the engine of a room has it replaced, and the next one is answered."""
    room = engine_room.EngineRoom(lambda: None)

    async def stall() -> None:
        async with room.use(str(folder)) as server:
            assert await server.healthy(), "the engine was to look well"
            async for _ in server.events(server.body(asked) | breaking):
                pass

    async def answer() -> int | None:
        async with room.use(str(folder)) as server:
            # With the patience of every day.
            assert [item async for item in replace(server, silence=60.0).stream(ASKED) if isinstance(item, Reply)]
            return room.pid

    try:
        before = await answer()
        with pytest.raises(EngineHung):
            await stall()
        assert await answer() != before
    finally:
        await room.unload()


def test_an_engine_that_writes_nothing_is_replaced_though_it_is_well(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A generation that has stopped inside, of which the server's HTTP side knows nothing. Here its time is shorter
    than the reading of the prompt."""
    monkeypatch.setattr(weights_folder.Launch, "silence", 0.005)
    monkeypatch.setattr(weights_folder, "engine_for", lambda weights: TRANSFORMERS)
    long = ASKED.model_copy(update={"messages": [Message(role="user", content="word " * 700)]})
    asyncio.run(replaced(folder, {}, long))


def test_a_server_whose_generation_thread_died_is_replaced(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """mlx_lm.server goes on answering over HTTP when an exception has ended the one thread that writes: here one from
    a stop word that is no text."""
    pytest.importorskip("mlx_lm")
    monkeypatch.setattr(weights_folder, "engine_for", lambda weights: MLX)
    asyncio.run(replaced(folder, {"stop": [3]}, ASKED))


def test_through_the_daemon_it_is_an_engine_as_any_other(folder: Path, home: Path) -> None:
    client = DaemonClient()
    status = client.load(str(folder))
    assert status.engine is not None
    assert status.engine.engine in (TRANSFORMERS, MLX)
    assert status.engine.slots == 1
    assert any("one after the other" in clause for clause in status.engine.lacks)
    session = Session(id=uuid.uuid4().hex, pid=os.getpid(), started=psutil.Process().create_time())
    task = client.submit(Request(id=uuid.uuid4().hex, text="hello", session=session))
    asked = ASKED.model_copy(update={"model": str(folder), "n": 2, "temperature": 1.0, "seed": 1})
    items = list(client.generate(task.id, asked, deadline=time.monotonic() + 60))
    assert [item.type for item in items].count("done") == 2
    assert not client.warm(ASKED.messages, str(folder)), "torch keeps nothing of a prompt"
