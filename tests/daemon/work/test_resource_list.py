"""The list of what there is: the machine, GPUs, the engine, workers, a cluster, the kernels of open notebooks."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmos_jupyter import config
from llmos_jupyter.daemon.stores.store import Store
from llmos_jupyter.daemon.work.pools import WORKERS, Pools
from llmos_jupyter.daemon.work.resource_list import describe, open_kernels
from llmos_jupyter.monitoring.devices import Devices, Gpu, Metal
from llmos_jupyter.protocol import EngineStatus, Options, Request, ResourceInfo, Session
from llmos_jupyter.protocol.jobs import Job, Limits
from llmos_jupyter.reports.tables import resource_table
from llmos_jupyter.system import processes
from llmos_jupyter.system.hardware import Memory, Processors

GB = 10**9
ENGINE = EngineStatus(
    engine="llama.cpp", model="qwen", state="ready", device="cpu", slots=4, busy_slots=1, memory_bytes=2 * GB
)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("LLMOS_DATA_DIR", str(tmp_path / "data"))
    opened = Store(tmp_path / "llmos.db")
    yield opened
    opened.close()


def session(pid: int, notebook: str = "", began: float | None = None) -> Session:
    return Session(id=f"kernel-{pid}", notebook=notebook, pid=pid, started=began or processes.started(pid))


def asked(store: Store, of: Session) -> str:
    return store.accept(Request(id=uuid.uuid4().hex, kind="run", text="x = 1", session=of)).id


def listed(pools: Pools, store: Store, *jobs: tuple[Job, Options]) -> list[ResourceInfo]:
    async def main() -> list[ResourceInfo]:
        await pools.refresh()
        for job, options in jobs:
            await pools.place(job, options, pools.eligible(options)[0])
        try:
            return await describe(pools, [ENGINE], store)
        finally:
            await pools.close()

    return asyncio.run(main())


def machine(*gpus: Gpu, why: str = "", metal: Metal | None = None) -> Devices:
    return Devices(Processors(8, 4), Memory(16 * GB, 10 * GB), gpus, why, metal)


GPUS = (
    Gpu(0, "GPU-a", "NVIDIA A", 24 * GB, 20 * GB),
    Gpu(1, "MIG-b", "NVIDIA B MIG 1g", 5 * GB, 5 * GB, 0),
    Gpu(2, "GPU-c", "NVIDIA GB10", 0, 0),
)


def test_what_is_taken_of_each(store: Store) -> None:
    key = asked(store, session(os.getpid(), "a.ipynb"))
    number = store.task(key).number
    job = Job(id=key, code="x = 1", limits=Limits(cores=3, memory_bytes=2 * GB))
    found = {one.id: one for one in listed(Pools(lambda: machine(*GPUS)), store, (job, Options(gpus=1)))}
    assert list(found)[:7] == ["cores", "memory", "gpu 0", "gpu 1:0", "gpu 2", "engine qwen", WORKERS]
    assert (found["cores"].has, found["cores"].taken) == (8, 3)
    assert (found["memory"].has, found["memory"].taken) == (16 * GB, 6 * GB)
    assert "2.0 GB of 12.8 GB promised" in found["memory"].detail
    assert (found["gpu 0"].has, found["gpu 0"].taken) == (24 * GB, 4 * GB)
    assert f"task {number} has it" in found["gpu 0"].detail
    assert "no task has it" in found["gpu 1:0"].detail
    assert (found["gpu 2"].has, found["gpu 2"].taken) == (None, None)
    assert (found["engine qwen"].has, found["engine qwen"].taken) == (4, 1)
    assert (found[WORKERS].has, found[WORKERS].taken) == (8, 1)
    kernel = found[f"kernel {os.getpid()}"]
    assert kernel.detail == "a.ipynb"
    assert kernel.taken is not None
    assert kernel.taken > 10e6


def test_without_gpus_the_reason_is_given_and_metal_is_one_of_its_own(store: Store) -> None:
    why = "No NVIDIA driver is installed here (libnvidia-ml.so.1 was not found)."
    (none,) = (one for one in listed(Pools(lambda: machine(why=why)), store) if one.kind == "gpu")
    assert (none.has, none.detail) == (0, why)
    apple = listed(Pools(lambda: machine(why=why, metal=Metal(16 * GB, 11 * GB))), store)
    assert [one.id for one in apple if one.kind in ("gpu", "metal")] == ["metal"]


def test_a_cluster_that_does_not_answer_is_listed_as_such(store: Store) -> None:
    config.change("workers=tcp://127.0.0.1:9")
    (cluster,) = (one for one in listed(Pools(machine), store) if one.kind == "cluster")
    assert cluster.has is None
    assert cluster.detail == "Dask at tcp://127.0.0.1:9 does not answer; 0 background cells there"


def test_only_kernels_that_are_alive_are_open(store: Store) -> None:
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        first, mine = session(other.pid, "b.ipynb"), session(os.getpid(), "a.ipynb")
        for one in (mine, first, mine, session(os.getpid(), "of another process with this number", began=1.0)):
            asked(store, one)
        assert open_kernels(store) == [mine, first]
    finally:
        other.kill()
        other.wait()
        assert other.stdin is not None
        other.stdin.close()
    assert open_kernels(store) == [mine]


def test_as_a_table(store: Store) -> None:
    text = resource_table(listed(Pools(lambda: machine(*GPUS)), store))
    head, *lines = text.splitlines()
    assert head.split() == ["resource", "has", "taken"]
    assert lines[0].split()[:3] == ["cores", "8", "0"]
    assert lines[1].split()[:5] == ["memory", "16.0", "GB", "6.0", "GB"]
    assert next(line for line in lines if line.startswith("gpu 2")).split()[2:4] == ["-", "-"]
    assert all(line == line.rstrip() for line in lines)
