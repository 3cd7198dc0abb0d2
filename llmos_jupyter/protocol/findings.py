"""What is found out about a candidate: by inspection, in the sandbox, and in its real run."""

from __future__ import annotations

from enum import Enum
from typing import Literal

from pydantic import Field

from llmos_jupyter.protocol.base import Wire


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
    targets: list[str] = Field(default_factory=list, description="the paths or addresses it reaches for, as written")


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


class Edit(Wire):
    """What belongs at a place of the code, as its run has shown: line, first byte, last byte."""

    line: int
    start: int
    end: int
    text: str
    why: str


RehearsalStatus = Literal["passed", "failed", "refused", "unfinished", "died", "unavailable"]


class Shape(Wire):
    """What kind of value a candidate ends with: enough to see whether it can be what the request asks for.

    `rows`: of a column, a table or a list; `figures`: how many are drawn; `columns`: labels of a small table;
    `missing`: it ends with no value, and a missing one (nan) was printed.
    """

    kind: Literal[
        "number", "whole number", "column", "table", "list", "dict", "text", "function", "nothing", "other"
    ] = "other"
    rows: int = 0
    figures: int = 0
    missing: bool = False
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
    edits: list[Edit] = Field(default_factory=list, description="names that take what a call gives in the wrong order")
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
