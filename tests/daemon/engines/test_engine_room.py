"""Several models loaded at once: real processes that stand in for llama.cpp, and the daemon's own queue."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from llmos_jupyter import config
from llmos_jupyter.daemon.core import Daemon
from llmos_jupyter.daemon.engines import residents
from llmos_jupyter.daemon.engines.engine_room import EngineRoom
from llmos_jupyter.daemon.stores.store import Store
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Generation, Message, Progress, Request, Session, StreamItem

Make = Callable[[str], str]


def in_room(story: Callable[[EngineRoom], Awaitable[None]]) -> None:
    async def run() -> None:
        room = EngineRoom(lambda: None)
        try:
            await story(room)
        finally:
            await room.unload()

    asyncio.run(run())


async def touch(room: EngineRoom, *names: str) -> None:
    for name in names:
        async with room.use(name):
            pass


def loaded(room: EngineRoom) -> list[str]:
    """Stems of the files, the one used last first."""
    return [Path(resident.model.name).stem for resident in room.residents]


def pid(room: EngineRoom, stem: str) -> int:
    found = next(r.engine.pid for r in room.residents if Path(r.model.name).stem == stem)
    assert found is not None
    return found


async def until(true: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < 20
        await asyncio.sleep(0.02)


def test_models_used_in_turn_stay_loaded(model: Make) -> None:
    small, large = model("small"), model("large")

    async def story(room: EngineRoom) -> None:
        await touch(room, small, large)
        before = pid(room, "small"), pid(room, "large")
        await touch(room, small, large)
        assert loaded(room) == ["large", "small"]
        assert (pid(room, "small"), pid(room, "large")) == before
        statuses = await room.status()
        assert [s.pinned for s in statuses] == [False, False]
        assert all(s.memory_bytes > 450_000_000 and time.time() - s.last_used < 20 for s in statuses)

    in_room(story)


def test_the_least_recently_used_ends_where_memory_lacks_and_a_pinned_one_stays(model: Make) -> None:
    first, second, third = model("first"), model("second"), model("third")
    config.change("model_memory=1")

    async def story(room: EngineRoom) -> None:
        await touch(room, first, second)
        ended = pid(room, "first")
        await touch(room, third)
        assert loaded(room) == ["third", "second"]
        assert not psutil.pid_exists(ended)
        await room.pin(second, True)
        await touch(room, third, first)
        assert loaded(room) == ["first", "second"]
        await room.unload_idle(0.0)
        assert loaded(room) == ["second"], "a pinned one stays, however long it is idle"
        config.change("model_memory=0.6")
        with pytest.raises(LLMOSError, match="--unpin"):
            await touch(room, third)
        await room.pin(second, False)
        await touch(room, third)
        assert loaded(room) == ["third"]
        with pytest.raises(LLMOSError, match="is not loaded"):
            await room.pin(second, False)

    in_room(story)


def test_one_that_answers_is_not_ended_and_who_waits_is_told_for_what(model: Make) -> None:
    first, second = model("first"), model("second")
    config.change("model_memory=0.6")

    async def story(room: EngineRoom) -> None:
        said: list[Progress] = []

        async def wait() -> None:
            async with room.use(second, said.append):
                pass

        async with room.use(first) as server:
            waiting = asyncio.create_task(wait())
            await until(lambda: any(item.phase == "waiting" for item in said))
            assert "first" in next(item for item in said if item.phase == "waiting").detail
            assert await server.healthy()
            assert loaded(room) == ["first"]
        await waiting
        assert loaded(room) == ["second"]

    in_room(story)


def test_models_are_loaded_one_after_the_other(model: Make, home: Path) -> None:
    names = [model(name) for name in ("a", "b", "c")]

    async def story(room: EngineRoom) -> None:
        await asyncio.gather(*(touch(room, name) for name in [*names, *names]))
        assert sorted(loaded(room)) == ["a", "b", "c"]

    in_room(story)
    loads = sorted(tuple(map(float, line.split())) for line in (home / "loads").read_text().splitlines())
    assert len(loads) == 3
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(loads))


def test_an_engine_that_is_killed_while_idle_gives_its_place_free(model: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(residents, "STILL_WANTED", 0.0)
    small, large = model("small"), model("large")

    async def story(room: EngineRoom) -> None:
        await touch(room, small, large)
        os.kill(pid(room, "small"), signal.SIGKILL)
        await until(lambda: loaded(room) == ["large"])
        await touch(room, small)
        assert sorted(loaded(room)) == ["large", "small"]
        await room.pin(small, True)
        before = pid(room, "small")
        os.kill(before, signal.SIGKILL)
        await until(lambda: pid(room, "small") != before)

    in_room(story)


def test_one_that_is_killed_in_use_gets_the_place_of_the_idle(model: Make) -> None:
    """The system kills for lack of memory: begun anew beside as many, it would be killed again."""
    small, large = model("small"), model("large")

    async def story(room: EngineRoom) -> None:
        await touch(room, small)
        async with room.use(large):
            os.kill(before := pid(room, "large"), signal.SIGKILL)
            await until(lambda: loaded(room) == ["large"] and pid(room, "large") != before)

    in_room(story)


def test_one_that_is_killed_while_it_loads_takes_no_place(model: Make) -> None:
    deadly, small = model("deadly"), model("small")
    config.change("model_memory=0.6")

    async def story(room: EngineRoom) -> None:
        with pytest.raises(LLMOSError, match="choose a smaller model"):
            await touch(room, deadly)
        assert loaded(room) == []
        await touch(room, small)
        assert loaded(room) == ["small"]

    in_room(story)


# --- in the daemon's queue --------------------------------------------------------------------------


async def answer(daemon: Daemon, name: str, tokens: int = 20) -> list[StreamItem]:
    """As a notebook of its own asks."""
    process = psutil.Process()
    session = Session(id=uuid.uuid4().hex, pid=process.pid, started=process.create_time() + time.monotonic())
    task = await daemon.submit(Request(id=uuid.uuid4().hex, text="words", session=session))
    asked = Generation(messages=[Message(role="user", content=name)], model=name, max_tokens=tokens)
    return [item async for item in daemon.generate(task.id, asked)]


def test_two_notebooks_use_two_models_in_turn_and_neither_writes_beside_the_other(model: Make, home: Path) -> None:
    small, large = model("small-slow"), model("large-slow")

    async def story() -> None:
        daemon = Daemon(Store(home / "llmos.db"))
        await daemon.start()
        try:
            answers = await asyncio.gather(*(answer(daemon, name) for name in (small, large, small, large)))
            assert [items[-1].type for items in answers] == ["done"] * 4
            status = await daemon.status()
            assert sorted(Path(engine.model).stem for engine in status.engines) == ["large-slow", "small-slow"]
            steps = await daemon.schedule.steps(since=0.0)
            spans = [(span.start, span.end or 0.0, step.resource) for step in steps for span in step.spans]
            assert len({resource for _, _, resource in spans}) == 2
            for start, end, resource in spans:
                beside = [other for s, e, other in spans if s < end and start < e and other != resource]
                assert not beside, "two engines wrote at once"
            assert {resource.kind for resource in await daemon.resources()} >= {"engine"}
        finally:
            await daemon.close()

    asyncio.run(story())
