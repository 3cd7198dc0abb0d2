"""What there is for tasks to run on, and how much of it is taken: what `llmos resources` shows."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence

import psutil

from llmos_jupyter.daemon.stores.store import Store, UnknownTask
from llmos_jupyter.daemon.work.pools import CLUSTER, MEMORY_SHARE, WORKERS, Placed, Pools
from llmos_jupyter.monitoring.devices import Devices
from llmos_jupyter.protocol import EngineStatus, ResourceInfo, Session
from llmos_jupyter.system import processes
from llmos_jupyter.units import size
from llmos_jupyter.workers.dask import ClusterSize

# Notebooks that are looked at, those that asked last first.
MOST_SESSIONS = 1000


async def describe(pools: Pools, engines: Sequence[EngineStatus], store: Store) -> list[ResourceInfo]:
    """All resources as they are now. Waits up to two seconds for a cluster that does not answer."""
    await pools.look_again()
    cluster = await pools.cluster_size()
    placed = pools.placed
    numbers, sessions = await asyncio.to_thread(lambda: (_numbers(placed, store), open_kernels(store)))
    return [
        *_machine(pools.devices, placed),
        *_gpus(pools.devices, placed, numbers),
        *map(_engine, engines),
        _workers(pools.devices, placed),
        *_cluster(pools.address, cluster, placed),
        *filter(None, map(_kernel, sessions)),
    ]


def open_kernels(store: Store) -> list[Session]:
    """The notebooks that have asked for something and whose kernel is alive, those that asked last first."""
    with store.reading() as db:
        rows = db.execute(
            "SELECT origin, MAX(number) AS last FROM tasks "
            "GROUP BY session, json_extract(origin, '$.pid'), json_extract(origin, '$.started') "
            "ORDER BY last DESC LIMIT ?",
            (MOST_SESSIONS,),
        ).fetchall()
    sessions = (Session.model_validate_json(row["origin"], extra="ignore") for row in rows)
    return [session for session in sessions if processes.alive(session.pid, session.started)]


def _numbers(placed: Sequence[Placed], store: Store) -> dict[str, int]:
    """The tasks' numbers by the jobs' identifiers."""
    found = {}
    for one in placed:
        with contextlib.suppress(UnknownTask):  # forgotten meanwhile
            found[one.job.id] = store.task(one.job.id).number
    return found


def _here(placed: Sequence[Placed]) -> list[Placed]:
    return [one for one in placed if one.resource == WORKERS]


def _machine(here: Devices, placed: Sequence[Placed]) -> Iterator[ResourceInfo]:
    jobs = _here(placed)
    physical = here.processors.physical
    yield ResourceInfo(
        kind="cores",
        id="cores",
        has=here.processors.logical,
        taken=sum(one.job.limits.cores for one in jobs),
        detail=f"of {physical} physical core{'s' * (physical != 1)}; taken by background cells",
    )
    promised = sum(one.job.limits.memory_bytes or 0 for one in jobs)
    promised_text = size(promised) if promised else "nothing"
    yield ResourceInfo(
        kind="memory",
        id="memory",
        has=here.memory.total,
        taken=here.memory.total - here.memory.available,
        detail=f"{promised_text} of {size(int(here.memory.total * MEMORY_SHARE))} promised to background cells",
    )


def _gpus(here: Devices, placed: Sequence[Placed], numbers: dict[str, int]) -> Iterator[ResourceInfo]:
    holders = {uuid: one.job.id for one in placed for uuid in one.gpus}
    for gpu in here.gpus:
        holder = holders.get(gpu.uuid)
        held = f"task {numbers.get(holder, '?')} has it" if holder else "no task has it"
        yield ResourceInfo(
            kind="gpu",
            id=f"gpu {gpu.number}",
            has=gpu.memory_total or None,
            taken=gpu.memory_total - gpu.memory_free if gpu.memory_total else None,
            detail=f"{gpu.name}; {held}; {gpu.uuid}",
        )
    if here.metal:
        # What of it the GPU holds is not told: it is counted with the machine's memory.
        yield ResourceInfo(
            kind="metal",
            id="metal",
            has=here.metal.working_set,
            detail=f"of the machine's {size(here.metal.memory_total)}, which GPU and processors share",
        )
    elif here.why:
        yield ResourceInfo(kind="gpu", id="gpu", has=0 if not here.gpus else None, detail=here.why)


def _engine(status: EngineStatus) -> ResourceInfo:
    memory = size(status.memory_bytes)
    return ResourceInfo(
        kind="engine",
        id=f"engine {status.model}",
        has=status.slots,
        taken=status.busy_slots,
        detail=f"slots of {status.engine} on {status.device}, {status.state}; {memory} of memory",
    )


def _workers(here: Devices, placed: Sequence[Placed]) -> ResourceInfo:
    return ResourceInfo(
        kind="workers",
        id=WORKERS,
        has=here.processors.logical,
        taken=len(_here(placed)),
        detail="background cells at a time on this machine",
    )


def _cluster(address: str, cluster: ClusterSize | None, placed: Sequence[Placed]) -> Iterator[ResourceInfo]:
    jobs = sum(one.resource == CLUSTER for one in placed)
    sent = f"{jobs} background cell{'s' * (jobs != 1)} there"
    if cluster:
        gpus = f", {cluster.gpus:g} GPU{'s' * (cluster.gpus != 1)}" if cluster.gpus else ""
        what = f"{cluster.workers} worker{'s' * (cluster.workers != 1)}, {size(cluster.memory_bytes)} of memory{gpus}"
        yield ResourceInfo(
            kind="cluster", id=CLUSTER, has=cluster.threads, detail=f"threads of Dask at {address}: {what}; {sent}"
        )
    elif address:
        yield ResourceInfo(kind="cluster", id=CLUSTER, detail=f"Dask at {address} does not answer; {sent}")
    elif jobs:
        yield ResourceInfo(kind="cluster", id=CLUSTER, detail=f"no longer in the settings; {sent}")


def _kernel(session: Session) -> ResourceInfo | None:
    try:
        used = psutil.Process(session.pid).memory_info().rss
    except psutil.Error:  # it ended at this moment
        return None
    return ResourceInfo(
        kind="kernel", id=f"kernel {session.pid}", taken=used, detail=session.notebook or "a notebook without a file"
    )
