"""Where background cells run: this machine's workers with GPUs told apart, and a real Dask cluster."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from llmos_jupyter import config
from llmos_jupyter.daemon.stores.store import Store
from llmos_jupyter.daemon.work.pools import CLUSTER, MACHINE, WORKERS, Pools
from llmos_jupyter.daemon.work.resource_list import describe
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.monitoring.devices import Devices, Gpu
from llmos_jupyter.protocol import Options
from llmos_jupyter.protocol.jobs import Ended, Job, Started, Stream, Waiting, WorkerItem
from llmos_jupyter.session.tasks import options
from llmos_jupyter.system.hardware import Memory, Processors
from llmos_jupyter.workers import dask, transfer
from tests.workers.test_dask import Cluster
from tests.workers.test_local import AT_ONCE, gone

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="background cells need Linux or macOS")

GIB = 1 << 30
_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLMOS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("PYTEST_CURRENT_TEST", raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return tmp_path


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One worker with one thread and one GPU, so that all that comes stands in one line."""
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    made.scheduler()
    made.worker("--resources", "GPU=1")
    yield made
    made.kill()


def machine(*free: int, why: str = "") -> Devices:
    """One with 4 cores, 8 GiB and as many GPUs, which have so many GiB free."""
    gpus = tuple(Gpu(index, f"GPU-{index}", "a GPU", 24 * GIB, gib * GIB) for index, gib in enumerate(free))
    return Devices(Processors(4, 2), Memory(8 * GIB, 4 * GIB), gpus, why)


def job(code: str = "x = 1", *back: str) -> Job:
    return Job(id=f"job-{next(_numbers)}", code=code, binds=list(back))


@asynccontextmanager
async def opened(look: Callable[[], Devices] = lambda: machine(why="No GPU here.")) -> AsyncIterator[Pools]:
    pools = Pools(look)
    try:
        await pools.refresh()
        yield pools
    finally:
        await pools.close()


class Sent:
    """A job that was placed and runs, as the daemon does it."""

    def __init__(self, pools: Pools, job: Job, options: Options, on: str = "") -> None:
        self.job = job
        self.events: list[WorkerItem] = []
        self._pools = pools
        self._run = asyncio.create_task(self._collect(options, on or pools.eligible(options)[0]))

    async def _collect(self, options: Options, on: str) -> None:
        placed = await self._pools.place(self.job, options, on)
        try:
            async for item in self._pools.run(placed):
                self.events.append(item)
        finally:
            self._pools.release(self.job.id)

    async def until(self, what: Callable[[WorkerItem], bool], seconds: float = 60.0) -> Sent:
        end = time.monotonic() + seconds
        while not any(map(what, self.events)):
            assert time.monotonic() < end, self.events
            if self._run.done():
                await self._run
            await asyncio.sleep(0.01)
        return self

    async def running(self) -> Sent:
        return await self.until(lambda item: isinstance(item, Stream) and "running" in item.text)

    async def ended(self) -> Ended:
        await asyncio.wait_for(self._run, 60)
        last = self.events[-1]
        assert isinstance(last, Ended), self.events
        return last

    async def results(self) -> dict[str, Any]:
        bundle = (await self.ended()).results
        assert bundle is not None, self.events
        return transfer.unpack(bundle)[0]

    async def cancel(self) -> float:
        began = time.monotonic()
        await self._pools.cancel(self.job.id)
        await self.ended()
        return time.monotonic() - began


FOREVER = "print('running', flush=True)\nwhile True: pass"
SEES = "import os\nseen = os.environ.get('CUDA_VISIBLE_DEVICES')"


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(main())


# --- what the scheduler is told ------------------------------------------------------------------


def test_this_machine_is_what_was_found_here() -> None:
    async def main() -> None:
        async with opened(lambda: machine(8, 8)) as pools:
            around, workers = pools.resources()
            assert (around.id, around.cores, around.memory, around.gpus) == (MACHINE, 4, 8 * GIB * 0.8, 2)
            assert (workers.id, workers.slots, workers.within) == (WORKERS, 8, MACHINE)
            assert not await pools.refresh()
        real = Pools()
        before = real.resources()
        assert 1 <= (before[0].cores or 0) <= (os.cpu_count() or 1)
        assert await real.refresh() == (before != real.resources())
        await real.close()

    run(main)


def test_a_cluster_in_the_settings_is_where_tasks_run_from_then_on() -> None:
    async def main() -> None:
        async with opened() as pools:
            assert pools.eligible(Options()) == pools.eligible(Options(on=WORKERS)) == (WORKERS,)
            with pytest.raises(LLMOSError, match="no resource 'cluster' to run on: choose from workers; `llmos config"):
                pools.eligible(Options(on=CLUSTER))
            config.change("workers=tcp://127.0.0.1:9")
            assert await pools.refresh()
            assert [resource.id for resource in pools.resources()] == [MACHINE, WORKERS, CLUSTER]
            assert pools.eligible(Options()) == (CLUSTER,)
            assert pools.eligible(Options(on=WORKERS)) == (WORKERS,)
            with pytest.raises(LLMOSError, match=r"no resource 'moon' to run on: choose from cluster, workers\.$"):
                pools.eligible(Options(on="moon"))
            waiting = job()
            config.change("workers=local")
            await pools.refresh()
            assert pools.eligible(Options()) == (WORKERS,)
            with pytest.raises(LLMOSError, match="no cluster any more"):
                await pools.place(waiting, Options(), CLUSTER)

    run(main)


def test_broken_settings_are_told_and_change_nothing(data: Path) -> None:
    async def main() -> None:
        async with opened() as pools:
            (data / "data").mkdir(exist_ok=True)
            (data / "data" / "config.json").write_text('{"workers": "tpc://x"}')
            with pytest.raises(LLMOSError, match="mend or delete"):
                await pools.refresh()
            assert pools.eligible(Options()) == (WORKERS,)

    run(main)


# --- GPUs of this machine ------------------------------------------------------------------------


def test_each_gpu_is_given_to_one_job() -> None:
    async def main() -> None:
        async with opened(lambda: machine(2, 20, 11)) as pools:
            first = await pools.place(job(), Options(gpus=1), WORKERS)
            assert first.limits.gpus == ["GPU-1"]  # most of its memory is free
            assert first.grants.devices == ["/dev/nvidia*"]
            second = await pools.place(job(), Options(gpus=2), WORKERS)
            assert second.limits.gpus == ["GPU-2", "GPU-0"]
            with pytest.raises(
                LLMOSError, match="needs 1 GPU and 0 can be had now, try again later: the others are in use"
            ):
                await pools.place(job(), Options(gpus=1), WORKERS)
            none = await pools.place(job(), Options(), WORKERS)
            assert (none.limits.gpus, none.grants.devices) == ([], [])
            pools.release(first.id)
            pools.release("unknown")
            assert (await pools.place(job(), Options(gpus=1), WORKERS)).limits.gpus == ["GPU-1"]

    run(main)


def test_two_jobs_at_the_same_moment_get_two_gpus() -> None:
    async def main() -> None:
        async with opened(lambda: machine(8, 8)) as pools:
            places = (pools.place(job(), Options(gpus=1), WORKERS) for _ in range(2))
            both = await asyncio.gather(*places)
            assert {one.limits.gpus[0] for one in both if one.limits.gpus} == {"GPU-0", "GPU-1"}

    run(main)


def test_more_than_one_gpu_are_whole_ones() -> None:
    parts = tuple(Gpu(0, f"MIG-{number}", "a part", 8 * GIB, 8 * GIB, number) for number in range(2))
    divided = Devices(Processors(4, 2), Memory(8 * GIB, 4 * GIB), (*parts, *machine(1).gpus))

    async def main() -> None:
        async with opened(lambda: divided) as pools:
            with pytest.raises(LLMOSError, match="one MIG device at a time"):
                await pools.place(job(), Options(gpus=2), WORKERS)
            one = [(await pools.place(job(), Options(gpus=1), WORKERS)).limits.gpus for _ in range(3)]
            assert one == [["MIG-0"], ["MIG-1"], ["GPU-0"]]

    run(main)


def test_a_gpu_that_was_lost_is_told() -> None:
    found = [machine(8), machine(why="The NVIDIA driver does not answer (GPU is lost): `nvidia-smi` may tell more.")]

    async def main() -> None:
        async with opened(lambda: found.pop(0)) as pools:
            with pytest.raises(LLMOSError, match=r"0 can be had now, try again later: .*GPU is lost"):
                await pools.place(job(), Options(gpus=1), WORKERS)
            assert pools.placed == []
            assert pools.resources()[0].gpus == 0
            assert await pools.refresh()
            assert not await pools.refresh()

    run(main)


def test_code_sees_the_gpus_it_asked_for_and_no_others() -> None:
    async def main() -> None:
        async with opened(lambda: machine(4, 8)) as pools:
            one = Sent(pools, job(SEES, "seen"), options({"gpu": 1}))
            none = Sent(pools, job(SEES, "seen"), options({}))
            assert await one.results() == {"seen": "GPU-1"}
            assert await none.results() == {"seen": ""}
            assert pools.placed == []
        async with opened() as pools:
            assert await Sent(pools, job(SEES, "seen"), options({})).results() == {"seen": None}

    run(main)


# --- this machine --------------------------------------------------------------------------------


def test_cells_of_this_machine_stand_still_and_go_on() -> None:
    code = "import time\nfor i in range(200):\n    print(i, flush=True)\n    time.sleep(0.02)"

    async def main() -> None:
        async with opened() as pools:
            long = job(code)
            sent = Sent(pools, long, Options())
            await sent.until(lambda item: isinstance(item, Stream))
            pools.pause([long.id], True)
            await asyncio.sleep(0.5)
            before = len(sent.events)
            await asyncio.sleep(0.5)
            assert len(sent.events) == before
            pools.pause([long.id], False)
            assert (await sent.ended()).state == "done"

    run(main)


def test_a_pool_that_cannot_start_fails_the_job_and_the_next_tries_again(data: Path) -> None:
    async def main() -> None:
        async with opened() as pools:
            (data / "data" / "workers").write_text("no folder")
            ended = await Sent(pools, job(), Options()).ended()
            assert ended.state == "failed"
            assert "No worker can be started" in ended.message
            (data / "data" / "workers").unlink()
            assert (await Sent(pools, job(), Options()).ended()).state == "done"

    (data / "data").mkdir()
    run(main)


def test_a_cluster_without_dask_here_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)

    async def main() -> None:
        config.change("workers=tcp://127.0.0.1:9")
        async with opened() as pools:
            ended = await Sent(pools, job(), Options()).ended()
            assert ended == Ended(
                state="failed", message="Dask is not installed here: run pip install 'llmos-jupyter[dask]'."
            )

    run(main)


def test_a_job_that_is_cancelled_before_it_runs_never_does() -> None:
    async def main() -> None:
        async with opened() as pools:
            placed = await pools.place(job("x = 1"), Options(), WORKERS)
            await pools.cancel(placed.id)
            assert [item.type for item in [item async for item in pools.run(placed)]] == ["ended"]
            pools.release(placed.id)
            # What was cancelled can be tried again.
            again = await pools.place(placed, Options(), WORKERS)
            items = [item async for item in pools.run(again)]
            assert isinstance(items[-1], Ended)
            assert items[-1].state == "done"

    run(main)


# --- a cluster -----------------------------------------------------------------------------------


def test_a_task_runs_on_the_cluster(cluster: Cluster, data: Path) -> None:
    async def main() -> None:
        config.change(f"workers={cluster.address}")
        async with opened() as pools:
            there = Sent(
                pools, job("import os\npid = os.getppid()\nhome = os.environ['LLMOS_DATA_DIR']", "home"), Options()
            )
            assert await there.results() == {"home": str(cluster.folder / "there")}
            here = Sent(
                pools, job("import os\nhome = os.environ['LLMOS_DATA_DIR']", "home"), options({"on": "workers"})
            )
            assert await here.results() == {"home": os.environ["LLMOS_DATA_DIR"]}
            size = await pools.cluster_size()
            assert size is not None
            assert (size.workers, size.threads, size.gpus) == (1, 1, 1)
            assert size.memory_bytes > 0
            with contextlib.closing(Store(data / "llmos.db")) as store:
                (line,) = (one for one in await describe(pools, [], store) if one.kind == "cluster")
            assert line.has == 1
            assert f"Dask at {cluster.address}: 1 worker, " in line.detail
            assert line.detail.endswith("of memory, 1 GPU; 0 background cells there")

    run(main)


def test_the_cluster_s_queue_goes_by_priority(cluster: Cluster) -> None:
    code = "import time\nat = time.time()\ntime.sleep(0.2)"

    async def main() -> None:
        config.change(f"workers={cluster.address}")
        async with opened() as pools:
            busy = await Sent(pools, job(FOREVER), Options()).running()
            names = ("low", "normal", "interactive", "60")
            line = {name: Sent(pools, job(code, "at"), options({"priority": name})) for name in names}
            await asyncio.sleep(1.0)
            await busy.cancel()
            at = {name: (await sent.results())["at"] for name, sent in line.items()}
            assert sorted(at, key=at.__getitem__) == ["interactive", "60", "normal", "low"]

    run(main)


def test_a_gpu_of_the_cluster_is_asked_of_dask(cluster: Cluster) -> None:
    async def main() -> None:
        config.change(f"workers={cluster.address}")
        async with opened() as pools:
            assert (await Sent(pools, job(SEES, "seen"), options({"gpu": 1})).results())["seen"] is None
            assert (await Sent(pools, job(SEES, "seen"), options({})).results())["seen"] == ""
            many = Sent(pools, job(SEES, "seen"), options({"gpu": 2}))
            await many.until(lambda item: isinstance(item, Waiting) and "GPU=2" in item.message)
            assert await many.cancel() < AT_ONCE

    run(main)


def test_nobody_at_the_address_is_told_and_cancel_works(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        config.change("workers=tcp://127.0.0.1:9")
        async with opened() as pools:
            monkeypatch.setattr(dask, "CONNECT_TIMEOUT", 0.5)
            both = [Sent(pools, job(), Options()) for _ in range(2)]
            for sent in both:
                await sent.until(lambda item: isinstance(item, Waiting))
                assert "tcp://127.0.0.1:9 does not answer: this waits" in sent.events[0].model_dump()["message"]
            assert await pools.cluster_size() is None
            monkeypatch.setattr(dask, "CONNECT_TIMEOUT", 60.0)
            await asyncio.sleep(dask.RETRY_AFTER + 0.5)  # it is being tried again
            for sent in both:
                assert await sent.cancel() < AT_ONCE
                assert (await sent.ended()).state == "cancelled"
            began = time.monotonic()
        assert time.monotonic() - began < AT_ONCE

    run(main)


def test_after_a_change_of_the_settings_jobs_end_where_they_are(cluster: Cluster, data: Path) -> None:
    marker = data / "go"
    code = (
        "import os, time\nprint('running', flush=True)\n"
        f"while not os.path.exists({str(marker)!r}): time.sleep(0.05)\nhome = os.environ['LLMOS_DATA_DIR']"
    )

    async def main() -> None:
        config.change(f"workers={cluster.address}")
        async with opened() as pools:
            there = await Sent(pools, job(code, "home"), Options()).running()
            doomed = Sent(pools, job(FOREVER), Options())
            while len(pools.placed) < 2:
                await asyncio.sleep(0.01)
            config.change("workers=local")
            await pools.refresh()
            here = Sent(pools, job("import os\nhome = os.environ['LLMOS_DATA_DIR']", "home"), Options())
            assert await here.results() == {"home": os.environ["LLMOS_DATA_DIR"]}
            assert {placed.resource for placed in pools.placed} == {CLUSTER}
            marker.touch()
            assert await there.results() == {"home": str(cluster.folder / "there")}
            await doomed.running()
            assert await doomed.cancel() < AT_ONCE
            pid = next(item.pid for item in doomed.events if isinstance(item, Started))
            assert await asyncio.to_thread(gone, pid)

    run(main)
