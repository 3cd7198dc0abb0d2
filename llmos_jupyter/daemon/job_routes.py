"""The routes of background tasks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import FastAPI, Query

from llmos_jupyter.daemon.core import Daemon
from llmos_jupyter.daemon.streams import EventStream
from llmos_jupyter.protocol import (
    Lesson,
    Place,
    Priority,
    Problem,
    Queued,
    ResourceInfo,
    Sample,
    StepRecord,
    Task,
    Usage,
)
from llmos_jupyter.protocol.jobs import JobEvent, JobRequest, StoredOutput

NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": Problem}}


def add(app: FastAPI, daemon: Daemon, touch: Any) -> None:
    """Add them to the application; those that change something call `touch`."""
    _running(app, daemon, touch)
    _changing(app, daemon, touch)
    _looking(app, daemon)


def _running(app: FastAPI, daemon: Daemon, touch: Any) -> None:
    @app.post("/v1/jobs", operation_id="submit_job", status_code=201, dependencies=[touch])
    async def submit_job(body: JobRequest) -> Task:
        """Accept Python for a worker; what it reads has been written to disk before."""
        return await daemon.submit_job(body.request, body.job)

    @app.get(
        "/v1/tasks/{key}/outputs",
        operation_id="outputs",
        response_model=JobEvent,
        response_class=EventStream,
        responses=NOT_FOUND,
    )
    async def outputs(key: str, after: Annotated[int, Query(ge=0)] = 0) -> Any:
        """Server-sent events, each `data` one JobEvent: what a task shows, and last its end."""
        task = await asyncio.to_thread(daemon.store.task, key)
        await asyncio.to_thread(daemon.jobs.jobs.job, task.id)

        async def stream() -> AsyncIterator[dict[str, str]]:
            async for item in daemon.jobs.outputs(task.id, after):
                yield {"data": item.model_dump_json()}

        return EventStream(stream(), ping=5)

    @app.get("/v1/tasks/{key}/shown", operation_id="shown", responses=NOT_FOUND)
    async def shown(key: str, after: Annotated[int, Query(ge=0)] = 0) -> list[StoredOutput]:
        """What a background task has shown so far."""
        task = await asyncio.to_thread(daemon.store.task, key)
        return await asyncio.to_thread(daemon.jobs.jobs.outputs, task.id, after, 100_000)


def _changing(app: FastAPI, daemon: Daemon, touch: Any) -> None:
    @app.post("/v1/tasks/{key}/priority", operation_id="prioritise", responses=NOT_FOUND, dependencies=[touch])
    async def prioritise(key: str, body: Priority) -> Task:
        task = await asyncio.to_thread(daemon.store.task, key)
        return await daemon.jobs.reprioritise(task, body.priority)

    @app.post("/v1/tasks/{key}/place", operation_id="place", responses=NOT_FOUND, dependencies=[touch])
    async def place(key: str, body: Place) -> Task:
        """Put a background task that waits before another one, or behind all of its class."""
        task = await asyncio.to_thread(daemon.store.task, key)
        before = await asyncio.to_thread(daemon.store.task, body.before) if body.before is not None else None
        return await daemon.jobs.place(task, before)

    @app.post("/v1/tasks/{key}/retry", operation_id="retry", responses=NOT_FOUND, dependencies=[touch])
    async def retry(key: str) -> Task:
        """Run a background task that failed or was cancelled once more."""
        return await daemon.jobs.retry(await asyncio.to_thread(daemon.store.task, key))

    @app.post("/v1/tasks/{key}/pause", operation_id="pause", responses=NOT_FOUND, dependencies=[touch])
    async def pause(key: str) -> Task:
        """Hold a background task that waits, or let one that runs stand still."""
        return await daemon.pause(await asyncio.to_thread(daemon.store.task, key))

    @app.post("/v1/tasks/{key}/resume", operation_id="resume", responses=NOT_FOUND, dependencies=[touch])
    async def resume(key: str) -> Task:
        return await daemon.resume(await asyncio.to_thread(daemon.store.task, key))


def _looking(app: FastAPI, daemon: Daemon) -> None:
    @app.get("/v1/resources", operation_id="resources")
    async def resources() -> list[ResourceInfo]:
        """What there is to run on, and how much of it is taken."""
        return await daemon.resources()

    @app.get("/v1/utilisation", operation_id="utilisation")
    async def utilisation(since: Annotated[float, Query(ge=0)] = 0.0) -> list[Sample]:
        """Processors, memory, GPUs and engine, once a second over the last ten minutes: the samples after a moment."""
        return daemon.sampling.since(since)

    @app.get("/v1/usage", operation_id="usage", responses=NOT_FOUND)
    async def usage(task: Annotated[list[str], Query(max_length=1000)]) -> list[Usage]:
        """What these tasks used, as far as it was seen."""

        def used() -> list[Usage]:
            tasks = [daemon.store.task(key) for key in task]
            return daemon.sampling.used({one.id: one.number for one in tasks})

        return await asyncio.to_thread(used)

    @app.get("/v1/learned", operation_id="learned")
    async def learned() -> list[Lesson]:
        """What was learned of durations and success, and how good the predictions were."""
        return await daemon.lessons()

    @app.get("/v1/queue", operation_id="queue")
    async def queue(
        limit: Annotated[int, Query(ge=1, le=1000)] = 50, offset: Annotated[int, Query(ge=0)] = 0
    ) -> list[Queued]:
        """The tasks that have not ended, with their steps, a window of them: those that run, then those that wait."""
        return await daemon.jobs.queue(limit, offset)

    @app.get("/v1/steps", operation_id="steps")
    async def steps(task: str | None = None, since: Annotated[float, Query(ge=0)] = 0.0) -> list[StepRecord]:
        """What ran where and when, as planned and as it was: of one task, or all that changed after a moment."""
        if task is not None:
            task = (await asyncio.to_thread(daemon.store.task, task)).id
        return await daemon.schedule.steps(task=task, since=since)
