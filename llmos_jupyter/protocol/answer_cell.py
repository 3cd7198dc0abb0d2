"""What a notebook shows of an answer and keeps of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from llmos_jupyter.protocol.base import Wire
from llmos_jupyter.protocol.findings import Finding, NameChange, Rehearsal

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
