"""What workers are sent and what they say: the types that cross a process border here."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, RootModel

from llmos_jupyter.protocol import Finish, Record, Request, Wire

GIB = 2**30


class Packed(Wire):
    """One variable, pickled alone into a file of its own."""

    name: str
    file: str = Field("", description="the file's name in the bundle's folder; empty when `same_as` is set")
    bytes: int = 0
    type: str = ""
    same_as: str = Field("", description="the very same object as this name")


class Missing(Wire):
    """A variable that could not be packed or unpacked, with one sentence that says why."""

    name: str
    reason: str


class Bundle(Wire):
    """Variables on disk: a folder with one pickle each. Who can write there can make its reader run code."""

    folder: str
    variables: list[Packed] = Field(default_factory=list)
    missing: list[Missing] = Field(default_factory=list)

    @property
    def bytes(self) -> int:
        return sum(variable.bytes for variable in self.variables)


class Grants(Wire):
    """What the code may do outside its scratch folder. Reading files is always allowed."""

    write: list[str] = Field(default_factory=list, description="folders beneath which files may be changed")
    network: bool = False
    processes: bool = False
    devices: list[str] = Field(
        default_factory=list, description="patterns of devices that may be written to and controlled, as /dev/nvidia*"
    )
    unlocked: bool = Field(False, description="run even where this system cannot hold the code to this")


class Limits(Wire):
    """What the code may use."""

    cores: int = Field(1, ge=1, description="threads of numerical libraries")
    affinity: list[int] = Field(default_factory=list, description="processors it may run on; empty: all")
    memory_bytes: int | None = Field(None, gt=0, description="resident memory of the worker with its children")
    gpus: list[str] | None = Field(
        None, description="GPUs it sees, as CUDA_VISIBLE_DEVICES names them; none: no GPU; None: those its worker sees"
    )
    nice: int = Field(5, ge=0, le=19)
    output_bytes: int = Field(10 * 2**20, ge=1000, description="output kept; what is more is left out")
    result_bytes: int = Field(GIB, ge=0, description="results taken back")


class Job(Wire):
    """One background cell: its code and all that it needs."""

    id: str = Field(pattern=r"^[0-9a-zA-Z_-]{1,64}$")
    code: str
    variables: Bundle | None = None
    binds: list[str] = Field(default_factory=list, description="names that come back")
    touches: list[str] = Field(default_factory=list, description="names that come back if their value changed")
    folder: str = Field("", description="working directory; where it does not exist the scratch folder is used")
    search_path: list[str] = Field(default_factory=list, description="the notebook's `sys.path`")
    grants: Grants = Field(default_factory=Grants)
    limits: Limits = Field(default_factory=Limits)
    lock_later: bool = Field(False, description="our own code runs first, and calls `inside.lock_now` before any other")
    repeatable: bool = Field(True, description="may be begun again if a cluster loses it; a crash here ends it")
    priority: int = Field(0, description="larger goes first where a cluster has its own queue")
    resources: dict[str, float] = Field(default_factory=dict, description="of a cluster's workers, such as GPU: 1")


# --- what a worker says, in order; the last is always `ended` -----------------------------------


class Waiting(Wire):
    """The job cannot start or go on for now, and will: one sentence says why."""

    type: Literal["waiting"] = "waiting"
    message: str


class Started(Wire):
    type: Literal["started"] = "started"
    confinement: str = Field(description="what holds the code; begins with `unlocked` where nothing does")
    pid: int = 0


class Stream(Wire):
    type: Literal["stream"] = "stream"
    name: Literal["stdout", "stderr"]
    text: str


class Display(Wire):
    """Rich output: data by MIME type. `update` replaces what was shown under the same `display_id`."""

    type: Literal["display"] = "display"
    data: dict[str, Any]
    metadata: dict[str, Any] = Field(default_factory=dict)
    display_id: str = ""
    update: bool = False


class Result(Wire):
    """The value of the cell's last expression."""

    type: Literal["result"] = "result"
    data: dict[str, Any]
    metadata: dict[str, Any] = Field(default_factory=dict)


class Error(Wire):
    """An exception of the cell, as IPython reports it."""

    type: Literal["error"] = "error"
    name: str
    value: str
    traceback: list[str] = Field(default_factory=list)


class Clear(Wire):
    """Remove what was shown; with `wait`, when the next output comes."""

    type: Literal["clear"] = "clear"
    wait: bool = False


class Notice(Wire):
    """Something of ours that the reader of the output must know."""

    type: Literal["notice"] = "notice"
    message: str


class Answered(Wire):
    """What a request in words came to in its worker: its end, what could no longer be told to the daemon, and what the
    notebook's conversation is told of it."""

    finish: Finish
    records: list[Record] = Field(default_factory=list)
    reply: str = ""
    shown: str = ""
    recorded: str = Field("", description="the answer as the notebook's recording keeps it, as JSON")


EndState = Literal["done", "failed", "cancelled", "died"]


class Ended(Wire):
    """The end of the job. `died`: the worker ended by itself or was killed by the system (`os._exit`, a crash, memory).

    `message` is one sentence unless the job is done. Results come back also from a cell that failed, as in a notebook.
    """

    type: Literal["ended"] = "ended"
    state: EndState
    message: str = ""
    results: Bundle | None = None
    answered: Answered | None = None
    seconds: float = Field(0.0, description="of the code alone")
    peak_bytes: int = 0


WorkerItem = Annotated[
    Waiting | Started | Stream | Display | Result | Error | Clear | Notice | Ended, Field(discriminator="type")
]


class WorkerEvent(RootModel[WorkerItem]):
    """One of them, as JSON."""


# --- between kernels and the daemon ---------------------------------------------------------------


class JobRequest(Wire):
    """A background task to accept."""

    request: Request
    job: Job


class StoredOutput(Wire):
    """One thing that a job showed, numbered, so that a reader who was away can ask for what it missed."""

    type: Literal["output"] = "output"
    id: int
    at: float
    item: WorkerItem


class JobEvent(RootModel[StoredOutput | Ended]):
    """The `data` of one server-sent event of a job's outputs; the last is its end."""


class Timeline(Wire):
    """When a job was accepted, started and ended (seconds since the epoch)."""

    accepted: float
    started: float | None = None
    ended: float | None = None
    priority: float | None = Field(None, description="where it was changed; a fraction is a place within the class")
