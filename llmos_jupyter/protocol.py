"""Every type that crosses a process border. The ground floor: imports nothing of ours.

The kernel, the daemon, the command line and the side panel all speak in these. A change here is a
change of the protocol: raise `PROTOCOL` when an older peer could no longer follow.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator

PROTOCOL = 1


class Wire(BaseModel):
    """Base of all protocol types: unknown fields are refused, so that a typo is not silence."""

    model_config = ConfigDict(extra="forbid")


# --- what code may do -------------------------------------------------------------------------


class Capability(str, Enum):
    """What code may do outside the namespace."""

    READ_FILES = "read files"
    WRITE_FILES = "write files"
    NETWORK = "network"
    PROCESSES = "processes"
    INSTALL = "install packages"
    EXIT = "end the kernel"
    KERNEL = "change the kernel"
    INPUT = "ask for input"


# --- inspection -------------------------------------------------------------------------------

FindingKind = Literal[
    "syntax",
    "undefined-name",
    "unknown-attribute",
    "unknown-column",
    "shadowed-builtin",
    "rebinds-name",
    "capability",
    "endless-loop",
    "hidden-code",
    "mended",
    "data",
]


class Finding(Wire):
    """One thing that inspection saw in a candidate.

    `error`: the code cannot work as written. `warning`: it may do what the user does not expect.
    `note`: worth showing.
    """

    kind: FindingKind
    severity: Literal["error", "warning", "note"]
    message: str
    line: int | None = None
    name: str | None = None
    suggestions: list[str] = Field(default_factory=list)
    capability: Capability | None = None


# --- rehearsal and run ------------------------------------------------------------------------


class NameChange(Wire):
    """What happened to one name of the user's namespace."""

    name: str
    kind: Literal["created", "rebound", "mutated", "deleted"]
    type: str = ""
    detail: str = ""


class Refusal(Wire):
    """Something the sandbox's lock did not let the code do, swallowed by the code or not.

    `target`: the real path, the host, the command, the number of a process; empty where it is not known.
    """

    capability: Capability
    what: str = Field(description="in words")
    target: str = ""
    system_call: str = Field("", description="the call that was refused; empty if Python told of it")


class UnknownName(Wire):
    """A label, attribute or name that a failing line asks for in vain, by the live objects as they were there."""

    written: str
    places: list[list[int]] = Field(description="where it stands: line, first byte, last byte; the failing one first")
    real: list[str] = Field(default_factory=list, description="what could stand there, as code; of many the nearest")
    meant: str = Field("", description="the one of them that is the same as text, if any")


class ErrorReport(Wire):
    """An exception, in the parts a model or a person needs."""

    type: str
    message: str
    line: int | None = None
    source: str = ""
    traceback: str = ""
    values: list[str] = Field(default_factory=list, description="what the failing line worked on, a line each")
    function: str = Field("", description="signature and purpose of the library's function that the line calls")
    unknown: UnknownName | None = None


RehearsalStatus = Literal["passed", "failed", "refused", "unfinished", "died", "unavailable"]


class Shape(Wire):
    """What kind of value a candidate ends with: enough to see whether it can be what the request asks for.

    `rows`: of a column, a table or a list; `figures`: how many are drawn; `columns`: labels of a small table.
    """

    kind: Literal["number", "whole number", "column", "table", "list", "dict", "text", "nothing", "other"] = "other"
    rows: int = 0
    figures: int = 0
    columns: list[str] = Field(default_factory=list)


class Rehearsal(Wire):
    """The report of a dry run on a forked, locked-down copy of the kernel.

    `passed`: ran to its end. `failed`: raised by its own fault. `refused`: failed only because the
    lock refused something. `unfinished`: still running, without error, when the budget ended; only loops without an
    end and candidates written beside the first have one.
    `died`: the copy was killed or left (crash, memory, `os._exit`). `unavailable`: not rehearsed,
    `reason` says why. Seconds and bytes are those of the copy; bytes are above its start.
    """

    status: RehearsalStatus
    reason: str = ""
    confinement: str = ""
    reading_limited: bool = Field(False, description="whether reading outside the notebook's files was refused")
    error: ErrorReport | None = None
    output: str = ""
    outcome: dict[str, str] = Field(
        default_factory=dict,
        description="digests of what came out, equal for equal values: by name, and under '' what it showed",
    )
    doubts: list[str] = Field(default_factory=list, description="what makes the result suspicious")
    shape: Shape = Field(default_factory=Shape)
    changes: list[NameChange] = Field(default_factory=list)
    refusals: list[Refusal] = Field(default_factory=list)
    seconds: float = 0.0
    peak_bytes: int = 0


class Run(Wire):
    """The real run of a candidate in the user's namespace."""

    status: Literal["ok", "failed", "interrupted"]
    error: ErrorReport | None = None
    changes: list[NameChange] = Field(default_factory=list)
    seconds: float = 0.0


# --- requests, tasks, generations -------------------------------------------------------------

Mode = Literal["auto", "ask", "show"]
Preference = Literal["fast", "balanced", "best"]
TaskState = Literal["accepted", "running", "paused", "done", "failed", "cancelled"]
OPEN_STATES: tuple[TaskState, ...] = ("accepted", "running", "paused")
FINAL_STATES: frozenset[str] = frozenset({"done", "failed", "cancelled"})


class Options(Wire):
    """The options of a request, after defaults were filled in."""

    mode: Mode = "auto"
    model: str = "auto"
    retries: int | None = Field(None, ge=0, le=10, description="None: the daemon's strategy decides")
    candidates: int | None = Field(None, ge=1, le=16, description="None: the strategy, and then the loop, decides")
    fresh: bool = Field(False, description="ask the model even if the answer is recorded")
    timeout: float = Field(
        600.0,
        gt=0,
        description="seconds until the model has written the answer; the time that code runs is not counted",
    )
    max_tokens: int = Field(600, ge=1, le=32768)
    temperature: float = Field(0.0, ge=0, le=2)
    seed: int | None = None
    context: bool = True
    use: list[str] = Field(default_factory=list)
    # Of background tasks:
    background: bool = Field(False, description="in a worker, while the notebook goes on")
    priority: int = Field(50, ge=0, le=1000, description="its class: interactive 100, normal 50, low 0, or any number")
    deadline: float | None = Field(None, gt=0, description="seconds from now by which it should have ended")
    after: list[str] = Field(default_factory=list, description="numbers of tasks that must have ended well before")
    cores: int = Field(1, ge=1)
    memory_bytes: int | None = Field(None, gt=0, description="what it may use at the most")
    gpus: int = Field(0, ge=0, le=1000)
    on: str = Field("", max_length=100, description="the resource to run on: workers, cluster; empty: as is usual")


class Session(Wire):
    """The notebook a request comes from."""

    id: str
    notebook: str = ""
    pid: int
    started: float = Field(description="start of the kernel's process, as `processes.started` tells it")
    cell: str = Field("", max_length=200, description="the cell the request stands in, as Jupyter names it")


class Request(Wire):
    """What the user wrote, with its options. The identifier is the client's, so a request that is sent
    again after a crash is not a second task. `ask`: words for the model; `run`: Python for a worker."""

    kind: Literal["ask", "run"] = "ask"
    id: str = Field(pattern=r"^[0-9a-f]{32}$")
    text: str = Field(min_length=1, max_length=200_000)
    options: Options = Field(default_factory=Options)
    session: Session


FeedbackKind = Literal["", "up", "down", "undone"]


class Task(Wire):
    """A request the daemon has accepted."""

    id: str
    number: int = Field(description="the short number shown to the user")
    kind: Literal["ask", "run"] = "ask"
    text: str
    options: Options
    session: Session
    state: TaskState
    reason: str = ""
    created: float
    updated: float
    feedback: FeedbackKind = Field("", description="what the user thinks of the answer, as far as they said")


class Span(Wire):
    """Seconds since the epoch; `end` is None while it lasts."""

    start: float
    end: float | None = None


StepKind = Literal["generation", "run", "rehearsal", "kernel"]
StepState = Literal["waiting", "running", "paused", "done", "failed", "cancelled"]


class StepRecord(Wire):
    """One unit of a task that occupies one resource: where it ran and when, as planned and as it was.

    `generation`: the model writes; `run`: code in a worker; `rehearsal`, `kernel`: code in a copy of the notebook's
    kernel, or in the kernel. A step that gave way, or was paused, has several spans.
    """

    id: str
    task: str
    kind: StepKind
    resource: str = Field("", description="where it ran; empty until it starts")
    state: StepState = "waiting"
    session: str = ""
    priority: int = 0
    after: list[str] = Field(default_factory=list, description="steps it had to wait for")
    created: float
    planned: Span | None = Field(None, description="when it was last planned to run before it started")
    spans: list[Span] = Field(default_factory=list)
    predicted: float | None = Field(None, description="seconds, median")
    predicted_p90: float | None = None
    why: str = Field("", description="why it started when it did, or what it waits for")


class Queued(Wire):
    """A task that has not ended, and its step that waits or runs now. `more`: so many tasks wait that are not told."""

    task: Task
    step: StepRecord | None = None
    why: str = ""
    more: int = 0


class Lesson(Wire):
    """What was learned of one kind of thing: how often it was seen, and how good the predictions were.

    Each was made before the thing came. Seconds; `error` is the median of |predicted - actual| / actual, `brier` the
    mean squared error of predicted success; `constant_` of the best constant, known in hindsight.
    """

    kind: str
    seen: int
    seconds: float | None = None
    success: float | None = None
    error: float | None = None
    constant_error: float | None = None
    within_p90: float | None = None
    brier: float | None = None
    constant_brier: float | None = None


class Priority(Wire):
    """A new priority for a task that waits."""

    priority: int = Field(ge=0, le=1000)


class Place(Wire):
    """Where a task that waits shall stand: before this one (its number or identifier), or last of all."""

    before: str | None = None


class Feedback(Wire):
    """A thumb, or "" to take it back."""

    feedback: Literal["", "up", "down"]


class Message(Wire):
    """One message of a conversation with the model."""

    role: Literal["system", "user", "assistant"]
    content: str


class Generation(Wire):
    """Ask the engine for candidates. `round` counts a task's generations: 0, then one a repair or a second opinion.

    The `n` candidates are written side by side in the engine's slots from one reading of the prompt.
    """

    round: int = Field(0, ge=0)
    n: int = Field(1, ge=1, le=16)
    messages: list[Message] = Field(min_length=1)
    model: str = "auto"
    max_tokens: int = Field(600, ge=0, le=32768)
    temperature: float = Field(0.0, ge=0, le=2)
    seed: int | None = None
    grammar: str | None = None
    stop: list[str] = Field(default_factory=list)
    prefix: str = Field("", description="what an interrupted generation had written: the model goes on from there")

    @model_validator(mode="after")
    def _one_goes_on(self) -> Generation:
        if self.prefix and self.n > 1:
            raise ValueError("one candidate at a time goes on from what it had written")
        return self


class Timings(Wire):
    """What the engine says of one generation. Tokens and milliseconds."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    prompt_ms: float = 0.0
    tokens: int = 0
    decode_ms: float = 0.0
    first_token_ms: float = Field(0.0, description="from the daemon's receipt to the first token")

    @property
    def tokens_per_second(self) -> float:
        return 1000 * self.tokens / self.decode_ms if self.decode_ms else 0.0


class Candidate(Wire):
    """One reply of the model to a request."""

    text: str
    index: int = Field(0, ge=0, description="which of a generation's candidates")
    confidence: float | None = Field(None, ge=0, le=1, description="geometric mean of its tokens' probabilities")
    doubt: float | None = Field(None, ge=0, le=1, description="probability of its least likely token")
    model: str = ""
    device: str = Field("", description="where it was written: cpu, cuda, metal")
    finish: Literal["stop", "length", "cancelled", "preempted"] = "stop"
    timings: Timings = Field(default_factory=Timings)
    messages: list[Message] = Field(default_factory=list, description="exactly what was sent")


# --- records: the parts of a trace, stored before they are acknowledged ------------------------


class CandidateRecord(Wire):
    type: Literal["candidate"] = "candidate"
    round: int = Field(ge=0)
    candidate: Candidate


class InspectionRecord(Wire):
    type: Literal["inspection"] = "inspection"
    round: int = Field(ge=0)
    index: int = 0
    code: str
    findings: list[Finding]


class RehearsalRecord(Wire):
    type: Literal["rehearsal"] = "rehearsal"
    round: int = Field(ge=0)
    index: int = 0
    code: str
    rehearsal: Rehearsal


class RunRecord(Wire):
    type: Literal["run"] = "run"
    round: int = Field(ge=0)
    index: int = 0
    code: str
    run: Run
    chance: float | None = Field(None, ge=0, le=1, description="how likely the answer is right, as predicted before it")


class DecisionRecord(Wire):
    """Why the loop went on as it did: asked, approved, shown, gave up."""

    type: Literal["decision"] = "decision"
    round: int = Field(ge=0)
    decision: str
    why: str = ""


class FeedbackRecord(Wire):
    """What the user thinks of the answer; the last one counts."""

    type: Literal["feedback"] = "feedback"
    round: int = 0
    feedback: FeedbackKind


Record = Annotated[
    CandidateRecord | InspectionRecord | RehearsalRecord | RunRecord | DecisionRecord | FeedbackRecord,
    Field(discriminator="type"),
]


class StoredRecord(Wire):
    id: int
    at: float
    record: Record


class Finish(Wire):
    """The end of a task, as its kernel reports it."""

    state: Literal["done", "failed", "cancelled"]
    reason: str = ""


class Trace(Wire):
    """The whole story of a task."""

    task: Task
    records: list[StoredRecord]

    @property
    def code(self) -> str:
        """What ran, or else what was tried last; empty for an answer in words. Of a background cell its text."""
        if self.task.kind == "run":
            return self.task.text
        ran = [stored.record.code for stored in self.records if isinstance(stored.record, RunRecord)]
        tried = [stored.record.code for stored in self.records if isinstance(stored.record, InspectionRecord)]
        return (ran or tried or [""])[-1]


class Code(Wire):
    """The code of a task, for putting it into a cell; empty for an answer in words."""

    code: str


# --- what a notebook shows of an answer -------------------------------------------------------

ANSWER_MIME = "application/vnd.llmos.answer+json"
AnswerState = Literal[
    "waiting", "writing", "rehearsing", "asking", "running", "done", "shown", "failed", "stopped", "undone"
]


class AnswerCell(Wire):
    """An answer as the notebook shows it and keeps it, for a front end that draws it with buttons and tabs.

    The same display carries Markdown and plain text for those that do not. `confidence`: runs of the text's characters
    with the probability that the model gave them, (length, probability), from the text's beginning; empty where the
    model does not tell or the text was mended.
    """

    version: Literal[1] = 1
    state: AnswerState = "waiting"
    doing: str = Field("", description="what goes on just now, in words")
    printed: str = Field("", description="while code runs: the latest of what it has printed")
    task: str = Field("", description="identifier; empty until the daemon has accepted the request")
    number: int | None = None
    session: str = Field("", description="the kernel's identifier")
    kind: Literal["code", "words"] = "code"
    text: str = Field("", description="the code, or the words as Markdown")
    model: str = ""
    device: str = ""
    first_token: float | None = Field(None, description="seconds from the daemon's receipt to the first token")
    tokens_per_second: float | None = None
    attempts: int = 0
    ahead: int | None = Field(None, description="while it waits: what the model writes before")
    starts: float | None = Field(None, description="while it waits: planned start, seconds since the epoch")
    confidence: list[tuple[int, float]] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list, description="one short line each, Markdown code in backticks")
    findings: list[Finding] = Field(default_factory=list)
    rehearsal: Rehearsal | None = None
    changes: list[NameChange] = Field(default_factory=list, description="what the real run did to the user's names")


# --- what a generation streams ----------------------------------------------------------------


class Progress(Wire):
    """Long work before the first token: downloading, loading, waiting, reading the prompt."""

    type: Literal["progress"] = "progress"
    phase: Literal["downloading", "verifying", "loading", "waiting", "reading", "restarting"]
    detail: str = ""
    done: int = 0
    total: int = 0
    ahead: int | None = Field(None, description="of waiting: what the model writes before")
    starts: float | None = Field(None, description="of waiting: when it is planned to begin, seconds since the epoch")


class Token(Wire):
    type: Literal["token"] = "token"
    text: str
    index: int = 0
    logprob: float | None = Field(None, description="of the text's last token, where the engine tells it")


class Done(Wire):
    """A candidate is whole; `more` of the same generation are still being written. The stream ends with the last."""

    type: Literal["done"] = "done"
    candidate: Candidate
    more: int = 0


class Preempted(Wire):
    """The generation gave way to more urgent work; the stream ends. Asked again with what it had written as `prefix`,
    it goes on."""

    type: Literal["preempted"] = "preempted"
    written: list[Candidate]


class Failure(Wire):
    """One sentence for the user; the stream ends."""

    type: Literal["failure"] = "failure"
    message: str


class Cancelled(Wire):
    """Somebody cancelled the task; the stream ends."""

    type: Literal["cancelled"] = "cancelled"
    reason: str = ""


StreamItem = Annotated[Progress | Token | Done | Preempted | Failure | Cancelled, Field(discriminator="type")]


class StreamEvent(RootModel[StreamItem]):
    """The `data` of one server-sent event of a generation."""


class Warming(Wire):
    """Read a prompt into the engine's cache while nobody waits. Gives way to any generation."""

    model: str = "auto"
    messages: list[Message] = Field(min_length=1)


class Problem(Wire):
    """The body of every error answer: one sentence that says what to do."""

    message: str


# --- events, status, models -------------------------------------------------------------------


class Event(Wire):
    """Something that happened, numbered, so that a reader who was away can ask for what it missed."""

    id: int
    at: float
    kind: str
    task: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)


class EngineStatus(Wire):
    engine: str
    model: str
    state: Literal["starting", "ready", "failed", "stopped"]
    device: str = "cpu"
    pid: int | None = None
    slots: int = 0
    busy_slots: int = 0
    context: int = Field(0, description="tokens one request may use, prompt and answer together")
    memory_bytes: int = 0
    restarts: int = 0
    error: str = ""


class Status(Wire):
    """What the daemon is and has."""

    version: str
    protocol: int
    pid: int
    started: float
    engine: EngineStatus | None = None
    tasks_running: int = 0
    sessions: int = 0
    database: str
    log: str


class GpuProcess(Wire):
    """A process on a GPU, and the task it works for, if it is one of ours."""

    pid: int
    memory_bytes: int | None = None
    percent: float | None = Field(None, description="of the GPU's time, where the driver tells")
    name: str = ""
    task: int | None = Field(None, description="number of the task")


class GpuSample(Wire):
    """A GPU, or a MIG device. None: the driver does not tell. Bytes, watts, degrees Celsius, MHz, percent."""

    id: str
    uuid: str = ""
    name: str = ""
    percent: float | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    watts: float | None = None
    watts_limit: float | None = None
    celsius: float | None = None
    core_mhz: int | None = None
    memory_mhz: int | None = None
    processes: list[GpuProcess] = Field(default_factory=list)


class EngineSample(Wire):
    """What the engine does: tokens written and read in the last second, slots, and its cache."""

    model: str
    tokens_per_second: float = 0.0
    prompt_tokens_per_second: float = 0.0
    slots: int = 0
    busy: int = 0
    waiting: int = Field(0, description="generations that wait for a slot")
    cache_tokens: int | None = Field(None, description="tokens in the slots' key-value cache")
    cache_limit: int | None = None
    memory_bytes: int | None = None


class Sample(Wire):
    """The machine at one moment. Bytes, bytes a second, percent; None: not known here."""

    at: float
    cores: list[float] = Field(description="percent of each logical processor, since the sample before")
    memory_used: int
    memory_total: int
    swap_used: int = 0
    swap_total: int = 0
    disk_read: float | None = None
    disk_written: float | None = None
    disk_free: int | None = Field(None, description="where the daemon keeps its data")
    gpus: list[GpuSample] = Field(default_factory=list)
    gpu_why: str = Field("", description="one sentence on what kept GPUs from being seen")
    engine: EngineSample | None = None


class Usage(Wire):
    """What a task used, as far as it was seen. Seconds, bytes."""

    task: int
    gpu_seconds: float = Field(0.0, description="time of whole GPUs: half of one for two seconds is one")
    gpu_memory_peak: int = 0
    cpu_seconds: float = 0.0
    engine_seconds: float = Field(0.0, description="how long the model wrote for it")


class Pulse(Wire):
    """How things stand: sent when something changed, at most a few times a second, and with each sample.

    Each says all there is to know of what is to be asked for again: who missed one has missed nothing. `at` is by the
    daemon's clock: a reader whose clock is off tells times by the difference.
    """

    at: float
    version: str
    protocol: int
    daemon: str = Field(description="another one counts its revisions anew")
    revision: int = Field(description="raised whenever a task or a step has changed")
    running: int = 0
    waiting: int = 0
    paused: int = 0
    engine: EngineStatus | None = None
    progress: Progress | None = Field(None, description="a download or a load that goes on")
    sample: Sample | None = None


class ResourceInfo(Wire):
    """Something that tasks occupy or use: how much there is of it, and how much of that is taken.

    Of "memory", "gpu", "metal" and "kernel" these are bytes, taken by whomever; of the others cores, an engine's
    slots, background cells and a cluster's threads, taken by tasks. None: not known, or without a limit.
    """

    kind: Literal["cores", "memory", "gpu", "metal", "engine", "workers", "cluster", "kernel"]
    id: str
    has: float | None = None
    taken: float | None = None
    detail: str = ""


class ModelInfo(Wire):
    """A model the user may choose, and how it fits this machine."""

    name: str
    title: str
    size_bytes: int
    memory_bytes: int = Field(description="weights and context together, estimated")
    context: int
    licence: str
    downloaded: bool
    fits: bool
    automatic: bool = Field(False, description="what `auto` means on this machine now")
    why: str = ""


class ModelName(Wire):
    name: str


class Setting(Wire):
    """A new value for one of the user's settings, as `%llmos config NAME=VALUE` takes it."""

    name: str
    value: str


class RuntimeInfo(Wire):
    """The runtime file: how clients find the daemon."""

    pid: int
    port: int
    token: str
    version: str
    protocol: int
    started: float
