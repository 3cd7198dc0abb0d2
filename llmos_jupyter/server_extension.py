"""The side panel's way to the daemon: a Jupyter Server extension that forwards what ROUTES lists, and nothing else.

    {base_url}llmos/api/v1/...   ->   http://127.0.0.1:{port}/v1/...
    {base_url}llmos/api/start    starts a daemon if none runs, and answers its status

Jupyter Server decides who may call: a cookie or token (403 without), its origin and XSRF checks, its authoriser (action
`read` for GET, `execute` for POST, resource `llmos`). Of the browser's request only the path, the parameters that the
route has and the body go to the daemon; of the daemon's answer only the status, the media type and the body come back.
The daemon's token stays here.

Reading never starts a daemon. Where none runs, v1/live is a stream all the same: of one event `absent` with such a
message, then, as soon as there is a daemon, of its pulses; so a page that stays open asks no failing question again and
again. Every error is `{"message": one sentence}`:

| status | when                                                           |
|--------|----------------------------------------------------------------|
| 404    | ROUTES does not have the method and path                       |
| 409    | the running daemon speaks another protocol than this package   |
| 413    | the body is larger than BODY_LIMIT                             |
| 502    | the daemon went away before it answered, or does not answer    |
| 503    | no daemon is running, or it cannot be started                  |
| others | what the daemon said, or Jupyter Server                        |
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from typing import Any, NamedTuple

import httpx
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import url_path_join
from tornado import web
from tornado.iostream import StreamClosedError

from llmos_jupyter.daemon import lifecycle
from llmos_jupyter.daemon.client import error_message
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import RuntimeInfo

# Bytes. The largest body of the routes below is a setting or a model's name.
BODY_LIMIT = 1_000_000
# Seconds of silence after which a daemon that is asked for something is taken to hang: streams ping every 5 s.
# What is posted may take as long as a download.
SILENCE = 60.0
WENT_AWAY = "The llmos daemon went away before it answered: try again."
LIVE = "v1/live"
NOT_RUNNING = "No llmos daemon is running: start it here, or with the first %%llmos cell."
# Seconds between looks for a daemon that a live stream waits for, and looks between pings.
LOOK_EVERY = 1.0
PING_AFTER = 5


class Route(NamedTuple):
    """A method and path of the daemon, and the parameters it takes. `{key}`: a task's number or identifier."""

    method: str
    path: str
    parameters: tuple[str, ...] = ()

    def matches(self, method: str, path: str) -> bool:
        pattern = re.escape(self.path).replace(re.escape("{key}"), "[0-9a-f]{1,32}")
        return method == self.method and re.fullmatch(pattern, path) is not None


ROUTES = (
    Route("GET", LIVE),
    Route("GET", "v1/status"),
    Route("GET", "v1/utilisation", ("since",)),
    Route("GET", "v1/usage", ("task",)),
    Route("GET", "v1/resources"),
    Route("GET", "v1/queue", ("limit", "offset")),
    Route("GET", "v1/steps", ("since", "task")),
    Route("GET", "v1/tasks", ("session", "state", "limit", "search", "before")),
    Route("GET", "v1/tasks/{key}"),
    Route("GET", "v1/tasks/{key}/code"),
    Route("GET", "v1/tasks/{key}/story"),
    Route("GET", "v1/tasks/{key}/shown", ("after",)),
    Route("POST", "v1/tasks/{key}/cancel"),
    Route("POST", "v1/tasks/{key}/pause"),
    Route("POST", "v1/tasks/{key}/resume"),
    Route("POST", "v1/tasks/{key}/retry"),
    Route("POST", "v1/tasks/{key}/priority"),
    Route("POST", "v1/tasks/{key}/place"),
    Route("POST", "v1/tasks/{key}/feedback"),
    Route("GET", "v1/models"),
    Route("POST", "v1/models/load"),
    Route("POST", "v1/models/unload", ("model",)),
    Route("POST", "v1/models/pin"),
    Route("POST", "v1/models/pull"),
    Route("POST", "v1/models/remove"),
    Route("GET", "v1/settings"),
    Route("POST", "v1/settings"),
)
START = "start"


class Refusal(Exception):
    """An answer that is not the daemon's: a status and one sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Upstream:
    """Finds the daemon, or starts it, and speaks HTTP to it. One for all requests of the server."""

    def __init__(self) -> None:
        self._starting = asyncio.Lock()
        self._http = httpx.AsyncClient(
            # Proxy settings of the environment must not route what never leaves the machine.
            trust_env=False,
            # No certificates are needed on the loopback.
            verify=False,
            # Each open page holds a stream: none waits for another's end. A connection on the loopback costs too little
            # to keep one that a daemon may have closed meanwhile.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    async def find(self) -> RuntimeInfo:
        """The running daemon, looked for anew at each request: it may have been restarted. Raises Refusal."""
        info = await self.look()
        if info is None:
            raise Refusal(503, NOT_RUNNING)
        return info

    async def find_or_start(self) -> RuntimeInfo:
        """The running daemon, started if there is none. Raises Refusal."""
        if info := await self.look():
            return info
        # One thread of the server's waits for the daemon to come up, however many requests do.
        async with self._starting:
            try:
                return await asyncio.to_thread(lifecycle.find_or_start)
            except LLMOSError as error:
                raise Refusal(503, str(error)) from error

    async def look(self) -> RuntimeInfo | None:
        """The running daemon, None if there is none. Raises Refusal for one of another protocol."""
        try:
            return await asyncio.to_thread(lifecycle.find)
        except LLMOSError as error:
            raise Refusal(409, str(error)) from error

    async def send(
        self, info: RuntimeInfo, method: str, path: str, parameters: dict[str, list[str]], body: bytes
    ) -> httpx.Response:
        """The daemon's answer as soon as its head is there; its body is still to be read. Raises Refusal."""
        request = self._http.build_request(
            method,
            f"http://127.0.0.1:{info.port}/{path}",
            params=parameters,
            content=body if method == "POST" else None,
            headers={
                "Authorization": f"Bearer {info.token}",
                "Content-Type": "application/json",
                # Bodies are passed on as they are.
                "Accept-Encoding": "identity",
            },
            timeout=httpx.Timeout(SILENCE, read=SILENCE if method == "GET" else None),
        )
        try:
            return await self._http.send(request, stream=True)
        except httpx.TimeoutException as error:
            raise Refusal(502, "The llmos daemon does not answer: see `llmos doctor`.") from error
        except httpx.TransportError as error:
            raise Refusal(502, WENT_AWAY) from error


class ProxyHandler(APIHandler):
    """Everything below {base_url}llmos/api/."""

    auth_resource = "llmos"

    def initialize(self, upstream: Upstream, root: str) -> None:
        self._upstream = upstream
        self._root = root
        self._work: asyncio.Task[None] | None = None
        # The panel reads on its own as long as it is visible: that is no reason to keep an idle server alive.
        self._track_activity = self.request.method != "GET"

    @web.authenticated
    @authorized("read")
    async def get(self, path: str) -> None:
        await self._answer()

    @web.authenticated
    @authorized("execute")
    async def post(self, path: str) -> None:
        await self._answer()

    @web.authenticated
    async def head(self, path: str) -> None:
        await self._answer()

    put = patch = delete = head

    def on_connection_close(self) -> None:
        """The browser went away: so does the connection to the daemon."""
        super().on_connection_close()
        if self._work:
            self._work.cancel()

    async def _answer(self) -> None:
        self._work = asyncio.ensure_future(self._forward())
        try:
            with contextlib.suppress(asyncio.CancelledError, StreamClosedError):
                await self._work
        except Refusal as refusal:
            if self._headers_written:
                return  # a stream has begun, and ends: the next will be told
            self._refuse(refusal.status, str(refusal))

    async def _forward(self) -> None:
        method = self.request.method or ""
        # As it was sent: what is encoded in it (a slash, dots) is no route's.
        path = self.request.path[len(self._root) :]
        if method == "POST" and path == START:
            self._check_body()
            info = await self._upstream.find_or_start()
            await self._relay(await self._upstream.send(info, "GET", "v1/status", {}, b""))
            return
        route = next((route for route in ROUTES if route.matches(method, path)), None)
        if route is None:
            raise Refusal(
                404, "There is nothing at this address: the panel and the server may be of different versions."
            )
        self._check_body()
        parameters = {name: self.get_query_arguments(name) for name in route.parameters}
        if path == LIVE:
            await self._wait_for_daemon()
        info = await (self._upstream.find() if method == "GET" else self._upstream.find_or_start())
        await self._relay(await self._upstream.send(info, method, path, parameters, self.request.body))

    def _check_body(self) -> None:
        if len(self.request.body) > BODY_LIMIT:
            raise Refusal(413, f"This is too long: at most {BODY_LIMIT:,} bytes can be sent to the llmos daemon.")

    async def _wait_for_daemon(self) -> None:
        """Where none runs: begin the stream, say so, and keep it open until one does."""
        looks = 0
        while await self._upstream.look() is None:
            if looks == 0:
                self._set_headers("text/event-stream")
                self.write(f"event: absent\ndata: {json.dumps({'message': NOT_RUNNING})}\n\n")
            elif looks % PING_AFTER == 0:
                self.write(": ping\n\n")
            await self.flush()
            looks += 1
            await asyncio.sleep(LOOK_EVERY)

    def _set_headers(self, content_type: str) -> None:
        self.set_header("Content-Type", content_type)
        self.set_header("Cache-Control", "no-cache")
        # nginx in front of a JupyterHub would collect a stream's events before it sent them.
        self.set_header("X-Accel-Buffering", "no")

    async def _relay(self, response: httpx.Response) -> None:
        """Pass on what comes, when it comes, no faster than the browser takes it."""
        try:
            if response.is_error:
                await response.aread()
                raise Refusal(response.status_code, error_message(response))
            self.set_status(response.status_code)
            self._set_headers(response.headers.get("Content-Type", "application/json"))
            if length := response.headers.get("Content-Length"):
                self.set_header("Content-Length", length)
            await self.flush()
            async for chunk in response.aiter_raw():
                self.write(chunk)
                await self.flush()
        except httpx.TransportError as error:
            if not self._headers_written:
                raise Refusal(502, WENT_AWAY) from error
            # A stream ends here, as any may. Of an answer that told its length the browser sees that it is not whole.
        finally:
            await response.aclose()

    def _refuse(self, status: int, message: str) -> None:
        self.set_status(status)
        self.set_header("Cache-Control", "no-cache")
        self.finish({"message": message})

    def _log(self) -> None:
        # Without a daemon, a panel that is open asks again every few seconds: no error, and not for the server's log.
        if self.get_status() == 503:
            self.log.debug("503 %s %s", self.request.method, self.request.path)
        else:
            super()._log()


def _load_jupyter_server_extension(server: ServerApp) -> None:
    """Called by Jupyter Server."""
    root = url_path_join(server.base_url, "llmos/api/")
    arguments: dict[str, Any] = {"upstream": Upstream(), "root": root}
    server.web_app.add_handlers(".*$", [(f"{re.escape(root)}(.*)", ProxyHandler, arguments)])
