"""The daemon's routes, and nothing else: each one calls `core` and says what came back."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, Query
from fastapi import Request as HttpRequest
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from llmos_jupyter import config
from llmos_jupyter._version import __version__
from llmos_jupyter.daemon import job_routes
from llmos_jupyter.daemon.core import Daemon
from llmos_jupyter.daemon.stores import task_lists
from llmos_jupyter.daemon.stores.store import UnknownTask
from llmos_jupyter.daemon.streams import EventStream
from llmos_jupyter.engines import download, selection
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import (
    PROTOCOL,
    Code,
    Failure,
    Feedback,
    FeedbackRecord,
    Finish,
    Generation,
    ModelInfo,
    ModelName,
    Pin,
    Problem,
    Pulse,
    Record,
    Request,
    Setting,
    Speed,
    Status,
    Story,
    StreamEvent,
    Task,
    TaskState,
    Trace,
    Warming,
)
from llmos_jupyter.system.device_names import split

LOOPBACK = ("127.0.0.1", "localhost", "::1")
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": Problem}}


class Guard:
    """Nobody else gets in: a bearer token on every route, our own Host, no foreign Origin.

    Host is checked because a web page can make a browser call this port under a name of its own (DNS rebinding).
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refusal := self._refusal(dict(scope["headers"]))):
            status, message = refusal
            await JSONResponse({"message": message}, status)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refusal(self, headers: dict[bytes, bytes]) -> tuple[int, str] | None:
        if urlsplit(f"//{headers.get(b'host', b'').decode('latin-1')}").hostname not in LOOPBACK:
            return 400, "The llmos daemon answers on the loopback address only."
        origin = headers.get(b"origin", b"").decode("latin-1")
        if origin and urlsplit(origin).hostname not in LOOPBACK:
            return 403, "The llmos daemon does not answer web pages."
        if not secrets.compare_digest(headers.get(b"authorization", b""), self._expected):
            return 401, "The token is missing or wrong: it stands in llmos-daemon.json in Jupyter's runtime folder."
        return None


def create_app(daemon: Daemon, token: str, shut_down: Callable[[], None]) -> FastAPI:
    """The web application over a daemon. `shut_down` ends the process after the answer was sent."""
    app = FastAPI(
        title="llmos daemon",
        version=__version__,
        description=f"Protocol {PROTOCOL}. Every route needs `Authorization: Bearer <token>`.",
        responses={400: {"model": Problem}, 401: {"model": Problem}, 422: {"model": Problem}},
    )
    app.add_middleware(Guard, token=token)

    @app.exception_handler(UnknownTask)
    async def unknown_task(request: HttpRequest, error: UnknownTask) -> JSONResponse:
        return JSONResponse({"message": str(error)}, 404)

    @app.exception_handler(LLMOSError)
    async def user_error(request: HttpRequest, error: LLMOSError) -> JSONResponse:
        return JSONResponse({"message": str(error)}, 400)

    @app.exception_handler(RequestValidationError)
    async def bad_body(request: HttpRequest, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        return JSONResponse({"message": f"{where}: {first['msg']}".strip(": ")}, 422)

    async def touch() -> None:
        daemon.touch()

    _status_routes(app, daemon, shut_down)
    for add in (_task_routes, _story_routes, _writing_routes):
        add(app, daemon, Depends(touch))
    job_routes.add(app, daemon, Depends(touch))
    _model_routes(app, daemon, Depends(touch))
    return app


def _status_routes(app: FastAPI, daemon: Daemon, shut_down: Callable[[], None]) -> None:
    @app.get("/v1/status", operation_id="status")
    async def status() -> Status:
        return await daemon.status()

    @app.post("/v1/shutdown", operation_id="shutdown", status_code=202)
    async def shutdown() -> Status:
        status = await daemon.status()
        asyncio.get_running_loop().call_later(0.05, shut_down)
        return status

    @app.get("/v1/live", operation_id="live", response_model=Pulse, response_class=EventStream)
    async def live() -> Any:
        """Server-sent events, each `data` one Pulse: how things stand, at once and whenever something changes."""

        async def stream() -> AsyncIterator[dict[str, str]]:
            async with contextlib.aclosing(daemon.live.pulses()) as pulses:
                async for pulse in pulses:
                    yield {"data": pulse.model_dump_json(exclude_none=True)}

        return EventStream(stream(), ping=5)

    @app.get("/v1/settings", operation_id="settings")
    async def settings() -> config.Config:
        """The user's settings, as kernels and daemon read them."""
        return await asyncio.to_thread(config.load)

    @app.post("/v1/settings", operation_id="change_setting")
    async def change_setting(setting: Setting) -> config.Config:
        return await asyncio.to_thread(config.change, f"{setting.name}={setting.value}")


def _task_routes(app: FastAPI, daemon: Daemon, touch: Any) -> None:
    @app.post("/v1/tasks", operation_id="submit", status_code=201, dependencies=[touch])
    async def submit(request: Request) -> Task:
        return await daemon.submit(request)

    @app.get("/v1/tasks", operation_id="tasks")
    async def tasks(
        session: str | None = None,
        state: Annotated[list[TaskState] | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 50,
        search: Annotated[str, Query(max_length=1000, description="words that must stand in it, or its number")] = "",
        before: Annotated[int | None, Query(description="only tasks of a smaller number")] = None,
    ) -> list[Task]:
        """The newest tasks, oldest first."""
        states = tuple(state or ())
        return await asyncio.to_thread(
            lambda: task_lists.history(
                daemon.store, session=session, states=states, search=search, before=before, limit=limit
            )
        )

    @app.post("/v1/tasks/forget", operation_id="forget", dependencies=[touch])
    async def forget(
        session: Annotated[str, Query()] = "",
        notebook: Annotated[str, Query()] = "",
    ) -> int:
        """Remove the history of a session and of a notebook for good; says how many tasks that were."""
        return await daemon.forget(session, notebook)


def _story_routes(app: FastAPI, daemon: Daemon, touch: Any) -> None:
    @app.get("/v1/tasks/{key}", operation_id="trace", responses=NOT_FOUND)
    async def trace(key: str) -> Trace:
        """All that is stored of a task, by its number or identifier."""
        return await asyncio.to_thread(daemon.store.trace, key)

    @app.get("/v1/tasks/{key}/story", operation_id="story", responses=NOT_FOUND)
    async def story(key: str) -> Story:
        """The trace of a task in words, bounded however long it is."""
        return await daemon.story(await asyncio.to_thread(daemon.store.task, key))

    @app.get("/v1/tasks/{key}/code", operation_id="code", responses=NOT_FOUND)
    async def code(key: str) -> Code:
        """The code of a task: what ran, or was tried last."""
        trace = await asyncio.to_thread(daemon.store.trace, key)
        return Code(code=trace.code)

    @app.post("/v1/tasks/{key}/feedback", operation_id="feedback", responses=NOT_FOUND, dependencies=[touch])
    async def feedback(key: str, body: Feedback) -> Task:
        """A thumb for an answer: what is learned from."""
        task = await asyncio.to_thread(daemon.store.task, key)
        await daemon.record(task.id, FeedbackRecord(feedback=body.feedback), None)
        return await asyncio.to_thread(daemon.store.task, key)

    @app.post("/v1/tasks/{key}/cancel", operation_id="cancel", responses=NOT_FOUND, dependencies=[touch])
    async def cancel(key: str) -> Task:
        return await daemon.cancel(key)

    @app.post("/v1/tasks/{task_id}/records", operation_id="record", status_code=201, responses=NOT_FOUND)
    async def record(task_id: str, record: Record, key: Annotated[str | None, Query()] = None) -> None:
        await daemon.record(task_id, record, key)

    @app.post("/v1/tasks/{task_id}/finish", operation_id="finish", responses=NOT_FOUND, dependencies=[touch])
    async def finish(task_id: str, finish: Finish) -> Task:
        return await daemon.finish(task_id, finish)


def _writing_routes(app: FastAPI, daemon: Daemon, touch: Any) -> None:
    @app.post(
        "/v1/tasks/{task_id}/generations",
        operation_id="generate",
        response_model=StreamEvent,
        response_class=EventStream,
        responses=NOT_FOUND,
        dependencies=[touch],
    )
    async def generate(task_id: str, generation: Generation) -> Any:
        """Server-sent events, each `data` one StreamItem. Closing the connection stops the engine."""
        await asyncio.to_thread(daemon.store.task, task_id)

        async def stream() -> AsyncIterator[dict[str, str]]:
            items = daemon.generate(task_id, generation)
            try:
                async for item in items:
                    yield {"data": item.model_dump_json()}
            except LLMOSError as error:  # the answer has begun, so that no status can say it any more
                yield {"data": Failure(message=str(error)).model_dump_json()}
            finally:
                await items.aclose()

        return EventStream(stream())

    @app.post("/v1/warm", operation_id="warm")
    async def warm(warming: Warming) -> bool:
        """Read a prompt into the cache; false if something better was to be done."""
        return await daemon.warmth.warm(warming)

    @app.post("/v1/warm/stop", operation_id="stop_warming")
    async def stop_warming() -> None:
        await daemon.warmth.give_way()


def _model_routes(app: FastAPI, daemon: Daemon, touch: Any) -> None:
    @app.get("/v1/models", operation_id="models")
    async def models() -> list[ModelInfo]:
        return await asyncio.to_thread(lambda: selection.model_infos(daemon.engines.machine()))

    @app.get("/v1/models/speeds", operation_id="speeds")
    async def speeds() -> list[Speed]:
        """Of each model that was measured on this machine, the best measurement."""
        return await asyncio.to_thread(daemon.speeds.best)

    @app.post("/v1/models/measure", operation_id="measure", dependencies=[touch])
    async def measure(model: ModelName) -> Speed:
        """Load a model and measure how fast it reads and writes: a few seconds, and the time to load it."""
        return await daemon.measure(model.name)

    @app.post("/v1/models/load", operation_id="load", dependencies=[touch])
    async def load(model: ModelName) -> Status:
        """Download (watch the pulses), load and be ready."""
        async with daemon.engines.use(model.name):
            return await daemon.status()

    @app.post("/v1/models/pin", operation_id="pin", dependencies=[touch])
    async def pin(model: Pin) -> Status:
        """Keep a model loaded, loading it first; or let it go again when others need its place."""
        await daemon.engines.pin(model.name, model.pinned)
        return await daemon.status()

    @app.post("/v1/models/pull", operation_id="pull", dependencies=[touch])
    async def pull(model: ModelName) -> ModelInfo:
        """Download a model (watch the pulses) without loading it."""
        pulled = await daemon.engines.pull(model.name)
        infos = await asyncio.to_thread(lambda: selection.model_infos(daemon.engines.machine()))
        return next(info for info in infos if info.name == split(pulled.name)[0])

    @app.post("/v1/models/unload", operation_id="unload")
    async def unload(model: Annotated[str, Query(description="a model's name; all without it")] = "") -> Status:
        await daemon.engines.unload(model)
        return await daemon.status()

    @app.post("/v1/models/remove", operation_id="remove")
    async def remove(model: ModelName) -> int:
        """Delete a model's file; says how many bytes came free."""
        found = selection.resolve(model.name)
        await daemon.engines.unload(found.name)
        return await asyncio.to_thread(download.remove, found)
