"""Asking the model to write, and what it streams."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, RootModel, model_validator

from llmos_jupyter.protocol.base import Message, Wire

Purpose = Literal["answer", "compare", "repair"]


class Generation(Wire):
    """Ask the engine for candidates. `round` numbers what is written for a task, so that records find each other.

    The `n` candidates are written side by side in the engine's slots from one reading of the prompt.
    """

    round: int = Field(0, ge=0)
    purpose: Purpose = Field(
        "answer", description="the first candidate, others to compare it with, or a failed one going on"
    )
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
