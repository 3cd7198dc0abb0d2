"""What kernels, the side panel's proxy and the command line call: the daemon's routes as methods.

A daemon that was killed is started again and asked again; every call may be repeated safely, because tasks and records
carry identifiers of the client's.
"""

from __future__ import annotations

import contextlib
import logging
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import httpx
from httpx_sse import SSEError, connect_sse
from pydantic import TypeAdapter

from llmos_jupyter.daemon import lifecycle
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import (
    Code,
    Feedback,
    Finish,
    Generation,
    Lesson,
    Message,
    ModelInfo,
    ModelName,
    Pin,
    Place,
    Priority,
    Progress,
    Pulse,
    Queued,
    Record,
    Request,
    ResourceInfo,
    RuntimeInfo,
    Sample,
    Speed,
    Status,
    StepRecord,
    Story,
    StreamEvent,
    StreamItem,
    Task,
    TaskState,
    Trace,
    Usage,
    Warming,
)

if TYPE_CHECKING:
    from llmos_jupyter.protocol.jobs import Ended, Job, StoredOutput

T = TypeVar("T")

log = logging.getLogger(__name__)

# How often a call is repeated after the daemon went away under it.
TRIES = 3


class DaemonClient:
    """Calls to the one daemon. Made without a connection; finds or starts the daemon at the first call.

    All methods raise LLMOSError, one sentence for the user.
    """

    def __init__(self, report: Callable[[str], None] = lambda text: None, *, start: bool = True) -> None:
        self._report = report
        self._start = start
        self._http: httpx.Client | None = None

    def close(self) -> None:
        if self._http:
            self._http.close()
            self._http = None

    # --- calls ------------------------------------------------------------------------------

    def status(self) -> Status:
        return self._call("GET", "/v1/status", Status)

    def shutdown(self) -> Status:
        return self._call("POST", "/v1/shutdown", Status)

    def submit(self, request: Request) -> Task:
        return self._call("POST", "/v1/tasks", Task, request.model_dump_json())

    def tasks(self, *, session: str | None = None, states: Sequence[TaskState] = (), limit: int = 50) -> list[Task]:
        """The newest tasks, oldest first."""
        query: dict[str, Any] = {"limit": limit, "state": list(states)} | ({"session": session} if session else {})
        return self._call("GET", "/v1/tasks", list[Task], params=query)

    def trace(self, key: str) -> Trace:
        return self._call("GET", f"/v1/tasks/{key}", Trace)

    def code(self, key: str) -> Code:
        return self._call("GET", f"/v1/tasks/{key}/code", Code)

    def cancel(self, key: str) -> Task:
        return self._call("POST", f"/v1/tasks/{key}/cancel", Task)

    def forget(self, session: str = "", notebook: str = "") -> int:
        """Remove the history of a session (its id) and of a notebook (as its sessions name it) for good.

        Says how many tasks that were. Refused while one of them has not ended.
        """
        return self._call("POST", "/v1/tasks/forget", int, params={"session": session, "notebook": notebook})

    def record(self, task_id: str, record: Record) -> None:
        path = f"/v1/tasks/{task_id}/records"
        self._call("POST", path, NoneType, record.model_dump_json(), params={"key": uuid.uuid4().hex})

    def finish(self, task_id: str, finish: Finish) -> Task:
        return self._call("POST", f"/v1/tasks/{task_id}/finish", Task, finish.model_dump_json())

    def submit_job(self, request: Request, job: Job) -> Task:
        from llmos_jupyter.protocol.jobs import JobRequest

        body = JobRequest(request=request, job=job).model_dump_json()
        return self._call("POST", "/v1/jobs", Task, body)

    def prioritise(self, key: str, priority: int) -> Task:
        return self._call("POST", f"/v1/tasks/{key}/priority", Task, Priority(priority=priority).model_dump_json())

    def retry(self, key: str) -> Task:
        return self._call("POST", f"/v1/tasks/{key}/retry", Task)

    def story(self, key: str) -> Story:
        """The trace of a task in words, with where each step ran, why then, and what it waited for."""
        return self._call("GET", f"/v1/tasks/{key}/story", Story)

    def outputs(self, key: str, after: int = 0) -> Iterator[StoredOutput | Ended]:
        """What a background task shows, as it shows it; the last is its end. Goes on over a daemon that was killed."""
        tries = 0
        while True:
            try:
                for item in self._outputs(key, after):
                    yield item
                    if item.type == "ended":
                        return
                    after, tries = item.id, 0
                raise httpx.RemoteProtocolError("the stream ended before the task")
            except (httpx.TransportError, SSEError) as error:
                tries += 1
                self.close()
                if tries == TRIES:
                    raise LLMOSError("The llmos daemon keeps going away: see `%llmos doctor`.") from error

    def shown(self, key: str) -> list[StoredOutput]:
        """What a background task has shown so far."""
        from llmos_jupyter.protocol.jobs import StoredOutput

        return self._call("GET", f"/v1/tasks/{key}/shown", list[StoredOutput])

    def _outputs(self, key: str, after: int) -> Iterator[StoredOutput | Ended]:
        from llmos_jupyter.protocol.jobs import JobEvent

        path, query = f"/v1/tasks/{key}/outputs", {"after": after}
        # A sign of life comes every five seconds.
        with connect_sse(self._client(), "GET", path, params=query, timeout=httpx.Timeout(30.0)) as source:
            if source.response.is_error:
                source.response.read()
                raise LLMOSError(error_message(source.response))
            for event in source.iter_sse():
                yield JobEvent.model_validate_json(event.data).root

    def steps(self, *, task: str | None = None, since: float = 0.0) -> list[StepRecord]:
        """What ran where and when: of one task, or all that changed after a moment (seconds since the epoch)."""
        query: dict[str, Any] = {"since": since} | ({"task": task} if task else {})
        return self._call("GET", "/v1/steps", list[StepRecord], params=query)

    def queue(self, limit: int = 50, offset: int = 0) -> list[Queued]:
        """A window of the tasks that have not ended, with their steps: those that run, then those that wait."""
        return self._call("GET", "/v1/queue", list[Queued], params={"limit": limit, "offset": offset})

    def place(self, key: str, before: str | None) -> Task:
        """Put a background task that waits before another one, or (None) behind all of its class."""
        return self._call("POST", f"/v1/tasks/{key}/place", Task, Place(before=before).model_dump_json())

    def feedback(self, key: str, feedback: Literal["", "up", "down"]) -> Task:
        """A thumb for an answer; "" takes it back."""
        return self._call("POST", f"/v1/tasks/{key}/feedback", Task, Feedback(feedback=feedback).model_dump_json())

    def usage(self, keys: list[str]) -> list[Usage]:
        """What these tasks used, as far as it was seen."""
        return self._call("GET", "/v1/usage", list[Usage], params={"task": keys})

    def live(self) -> Iterator[Pulse]:
        """How things stand, at once and whenever something changes. Ends when the daemon goes away; raises LLMOSError
        if there is none."""
        try:
            # A sign of life comes every five seconds.
            with connect_sse(self._client(), "GET", "/v1/live", timeout=httpx.Timeout(15.0)) as source:
                for event in source.iter_sse():
                    yield Pulse.model_validate_json(event.data)
        except (httpx.TransportError, SSEError) as error:
            self.close()
            log.info("the daemon went away: %s", error)

    def utilisation(self, since: float = 0.0) -> list[Sample]:
        """How much of the machine was used after a moment (seconds since the epoch), of the last ten minutes."""
        return self._call("GET", "/v1/utilisation", list[Sample], params={"since": since})

    def learned(self) -> list[Lesson]:
        """What was learned of durations and success, and how good the predictions were."""
        return self._call("GET", "/v1/learned", list[Lesson])

    def resources(self) -> list[ResourceInfo]:
        """What there is to run on, and how much of it is taken."""
        return self._call("GET", "/v1/resources", list[ResourceInfo])

    def pause(self, key: str) -> Task:
        return self._call("POST", f"/v1/tasks/{key}/pause", Task)

    def resume(self, key: str) -> Task:
        return self._call("POST", f"/v1/tasks/{key}/resume", Task)

    def models(self) -> list[ModelInfo]:
        return self._call("GET", "/v1/models", list[ModelInfo])

    def load(self, name: str) -> Status:
        return self._call("POST", "/v1/models/load", Status, ModelName(name=name).model_dump_json(), timeout=None)

    def pin(self, name: str, pinned: bool) -> Status:
        """Keep a model loaded, or let it go again."""
        return self._call(
            "POST", "/v1/models/pin", Status, Pin(name=name, pinned=pinned).model_dump_json(), timeout=None
        )

    def speeds(self) -> list[Speed]:
        """What models did when they were measured on this machine."""
        return self._call("GET", "/v1/models/speeds", list[Speed])

    def measure(self, name: str) -> Speed:
        """Load a model and measure how fast it reads and writes."""
        return self._call("POST", "/v1/models/measure", Speed, ModelName(name=name).model_dump_json(), timeout=None)

    def remove(self, name: str) -> int:
        return self._call("POST", "/v1/models/remove", int, ModelName(name=name).model_dump_json())

    def warm(self, messages: list[Message], model: str) -> bool:
        """Have a prompt read into the engine's cache. False if something better was to be done, or it was stopped."""
        body = Warming(model=model, messages=messages).model_dump_json()
        return self._call("POST", "/v1/warm", bool, body, timeout=None)

    def stop_warming(self) -> None:
        """The cores are wanted for something else: end a running `warm`, whoever began it."""
        self._call("POST", "/v1/warm/stop", NoneType)

    def generate(self, task_id: str, generation: Generation, *, deadline: float) -> Generator[StreamItem, None, None]:
        """Stream the candidates; closing the iterator stops the engine.

        `deadline` is on `time.monotonic()`'s clock. After a Progress with phase `restarting` the answer begins anew.
        """
        tries = 0
        while True:
            try:
                for item in self._stream(f"/v1/tasks/{task_id}/generations", generation, deadline):
                    yield item
                    if item.type == "token" and item.text:  # a daemon that writes has not failed like the one before it
                        tries = 0
                return
            except (httpx.TransportError, SSEError) as error:
                tries += 1
                if time.monotonic() > deadline:
                    raise LLMOSError("The time for this request is over: give it more with --timeout.") from error
                if tries == TRIES:
                    raise LLMOSError("The llmos daemon keeps going away: see `%llmos doctor`.") from error
                self.close()
                yield Progress(phase="restarting")

    # --- underneath -------------------------------------------------------------------------

    def _client(self) -> httpx.Client:
        if self._http is None:
            self._http = _http_client(self._find())
        return self._http

    def _find(self) -> RuntimeInfo:
        if self._start:
            return lifecycle.find_or_start(self._report)
        info = lifecycle.find()
        if info is None:
            raise LLMOSError("No llmos daemon is running: the first request, or `llmos serve`, starts it.")
        return info

    def _call(
        self,
        method: str,
        path: str,
        kind: type[T],
        body: str | None = None,
        *,
        params: dict[str, Any] | None = None,
        timeout: float | None = 60.0,
    ) -> T:
        for attempt in range(1, TRIES + 1):
            try:
                response = self._client().request(method, path, content=body, params=params, timeout=timeout)
                break
            except httpx.TransportError as error:
                self.close()
                if attempt == TRIES:
                    raise LLMOSError("The llmos daemon does not answer: see `%llmos doctor`.") from error
        if response.is_error:
            raise LLMOSError(error_message(response))
        adapter: TypeAdapter[T] = TypeAdapter(kind)
        return adapter.validate_json(response.content)

    def _stream(self, path: str, generation: Generation, deadline: float) -> Iterator[StreamItem]:
        # The daemon says something every second: ten seconds of silence mean that it hangs.
        timeout = httpx.Timeout(10.0)
        with connect_sse(self._client(), "POST", path, content=generation.model_dump_json(), timeout=timeout) as source:
            if source.response.is_error:
                source.response.read()
                raise LLMOSError(error_message(source.response))
            for event in source.iter_sse():
                if time.monotonic() > deadline:
                    raise LLMOSError("The time for this request is over: give it more with --timeout.")
                item = StreamEvent.model_validate_json(event.data).root
                yield item
                if item.type in ("failure", "cancelled", "preempted") or (item.type == "done" and not item.more):
                    return
        raise httpx.RemoteProtocolError("the stream ended before the answer")


def _http_client(info: RuntimeInfo) -> httpx.Client:
    return httpx.Client(
        base_url=f"http://127.0.0.1:{info.port}",
        headers={"Authorization": f"Bearer {info.token}", "Content-Type": "application/json"},
        timeout=60.0,
        # Proxy settings of the environment must not route what never leaves the machine.
        trust_env=False,
        # No certificates are needed on the loopback: reading them would cost 30 ms.
        verify=False,
    )


def error_message(response: httpx.Response) -> str:
    """What an error answer of the daemon says, one sentence. Its body must have been read."""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return str(response.json()["message"])
    return f"The llmos daemon failed (HTTP {response.status_code}): see `%llmos doctor`."
