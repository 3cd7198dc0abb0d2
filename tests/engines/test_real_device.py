"""The real engine: where it is told, at the speed that is measured, with the threads that neighbours leave it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.daemon.engines.engine_room import EngineRoom
from llmos_jupyter.daemon.work.measuring import measure
from llmos_jupyter.engines import devices
from llmos_jupyter.engines.devices import Seen
from llmos_jupyter.engines.speaking.openai_http import Reply
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Generation, Message
from llmos_jupyter.reports import doctor
from tests.conftest import SMALL

pytestmark = pytest.mark.model

LONG = [Message(role="user", content="Repeat: " + "the mean of each column by station and day, " * 40)]


def test_it_computes_where_it_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "seen", Seen)

    async def use() -> None:
        room = EngineRoom(lambda: None)
        try:
            async with room.use(f"{SMALL}@cpu"):
                (status,) = await room.status(ask=False)
                assert (status.device, room.loaded) == ("cpu", f"{SMALL}@cpu")
            with pytest.raises(LLMOSError, match="for vulkan run `pip install"):
                async with room.use(f"{SMALL}@vulkan"):
                    pass
        finally:
            await room.unload()

    asyncio.run(use())


def test_other_threads_and_what_it_had_read_is_kept(home: Path) -> None:
    async def adapt() -> None:
        room = EngineRoom(lambda: None, threads=lambda: 1)
        try:
            for expected in (1, 2):
                async with room.use(SMALL) as server:
                    (status,) = await room.status(ask=False)
                    assert status.threads == min(expected, room.machine().cores)
                    asked = Generation(messages=LONG, max_tokens=2)
                    replies = [item async for item in server.stream(asked) if isinstance(item, Reply)]
                    cached = replies[-1].timings.cached_tokens
                    assert cached == 0 if expected == 1 else cached > 300
                    await room.adapt(2)
                    assert room.pid, "not while it is in use"
                pid = room.pid
                await room.adapt(2)
                assert (room.pid != pid) == (expected == 1 and room.machine().cores > 1)
        finally:
            await room.unload()

    asyncio.run(adapt())


def test_a_speed_is_measured_kept_and_told(home: Path) -> None:
    client = DaemonClient()
    speed = client.measure(SMALL)
    assert speed.model == SMALL
    assert speed.reads > speed.writes > 0.1
    if speed.device == "cpu":
        assert speed.bandwidth_share is not None
        assert 0.0 < speed.bandwidth_share < 1.5
    assert client.speeds() == [speed]
    assert doctor.measured() == {SMALL: speed.writes}
    assert f"{SMALL} on {speed.device}: reads" in doctor.report()


def test_measuring_leaves_the_engine_to_others(home: Path) -> None:
    async def both() -> None:
        room = EngineRoom(lambda: None)
        try:
            first, second = await asyncio.gather(measure(room, SMALL), measure(room, SMALL))
            assert first.model == second.model == SMALL
            assert room.users == 0
        finally:
            await room.unload()

    asyncio.run(both())
