"""What the agent loop tells whoever shows it: plain events, in the order in which things happen."""

from __future__ import annotations

from dataclasses import dataclass

from llmos_jupyter.protocol import Candidate, Finding, Progress, Rehearsal, Run, Task


@dataclass(frozen=True)
class Accepted:
    """The daemon has stored the request."""

    task: Task


@dataclass(frozen=True)
class Waiting:
    """No token yet: downloading, loading, reading the prompt."""

    progress: Progress


@dataclass(frozen=True)
class Writing:
    """The reply so far; shorter than before when the answer had to begin anew. `confidence`: of each part of it, how
    many characters and the probability that the model gave them; empty where that is not known."""

    text: str
    confidence: list[tuple[int, float]]


@dataclass(frozen=True)
class Written:
    """A whole candidate. `code` is empty for words."""

    candidate: Candidate
    code: str


@dataclass(frozen=True)
class Inspected:
    """`code` is the candidate's, mended where inspection could."""

    findings: list[Finding]
    code: str


@dataclass(frozen=True)
class Rehearsing:
    """The code begins to run in the sandbox."""


@dataclass(frozen=True)
class StillRunning:
    """The code has run in the sandbox for this many seconds, using `bytes` of memory, and `printed` is the latest of
    what it printed. Told of what takes longer than a moment."""

    seconds: float
    printed: str
    bytes: int


@dataclass(frozen=True)
class Rehearsed:
    rehearsal: Rehearsal


@dataclass(frozen=True)
class Repairing:
    """The candidate failed; the model is asked to mend it."""

    round: int
    rounds: int
    why: str


@dataclass(frozen=True)
class Stepping:
    """The answers so far failed; the code of this step of a new one is being written."""

    number: int
    steps: int
    step: str


@dataclass(frozen=True)
class Comparing:
    """More candidates are being written beside the first one. `why` it failed, if it did."""

    more: int
    why: str


@dataclass(frozen=True)
class Chosen:
    """Of several candidates this one is the answer."""

    candidate: Candidate
    code: str
    findings: list[Finding]
    rehearsal: Rehearsal | None
    why: str


@dataclass(frozen=True)
class Question:
    """May this code run? Answered through the generator's `send`: True, False, or None if nobody can be asked."""

    code: str
    why: str


@dataclass(frozen=True)
class Running:
    """The effects of the code are about to reach the notebook: what it shows comes after this. `lasting`: a sentence
    for each thing undo will not bring back."""

    code: str
    lasting: list[str]


@dataclass(frozen=True)
class Ran:
    code: str
    run: Run


@dataclass(frozen=True)
class Shown:
    """The code was not run; it is the user's to run."""

    code: str
    why: str


@dataclass(frozen=True)
class Words:
    text: str
    complete: bool
    model: str


@dataclass(frozen=True)
class Replayed:
    """The answer is recorded: no model is asked. `code` is empty for words; `foreign`: the user has not signed it."""

    code: str
    model: str
    file: str
    foreign: bool = False


@dataclass(frozen=True)
class Noted:
    """Something the user should know that changes nothing."""

    text: str


@dataclass(frozen=True)
class GaveUp:
    """No candidate worked. One sentence, and the last code if there was any."""

    message: str
    code: str


AgentEvent = (
    Accepted
    | Waiting
    | Writing
    | Written
    | Inspected
    | Rehearsing
    | StillRunning
    | Rehearsed
    | Repairing
    | Stepping
    | Comparing
    | Chosen
    | Question
    | Running
    | Ran
    | Shown
    | Words
    | Replayed
    | Noted
    | GaveUp
)
