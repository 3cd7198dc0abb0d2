"""The parts of a trace, stored before they are acknowledged, and the end of a task."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator

from llmos_jupyter.protocol.base import Wire
from llmos_jupyter.protocol.findings import Finding, Rehearsal, Run
from llmos_jupyter.protocol.generation import Candidate, Purpose
from llmos_jupyter.protocol.task import FeedbackKind, Task


class CandidateRecord(Wire):
    type: Literal["candidate"] = "candidate"
    round: int = Field(ge=0)
    purpose: Purpose = Field("answer", description="of its generation; `answer` for all that earlier versions stored")
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


Decision = Literal[
    "strategy",
    "replayed",
    "asked again",
    "repair",
    "steps",
    "chosen",
    "approved",
    "refused",
    "running",
    "shown",
    "gave up",
    "noted",
]


class DecisionRecord(Wire):
    """What was decided on the way to an answer, and why, in words."""

    type: Literal["decision"] = "decision"
    round: int = Field(ge=0)
    decision: Decision
    why: str = ""

    @field_validator("decision", mode="before")
    @classmethod
    def _of_an_earlier_version(cls, decision: object) -> object:
        """What earlier versions have stored under other names is still told."""
        return decision if decision in get_args(Decision) else "noted"


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
