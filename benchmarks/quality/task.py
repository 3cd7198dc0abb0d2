"""What a task is: a starting namespace, one or more requests, and the reference each is graded against."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Subject = Literal["pandas", "numpy", "matplotlib", "sklearn", "text", "dates", "python", "words", "chinese"]

# A fact that an answer in words must state: a number, a word, or any one of several wordings.
Fact = str | float | tuple[str | float, ...]


@dataclass(frozen=True)
class Step:
    """One request and how its outcome is graded.

    `expect`: reference code, run in a copy of the same namespace; the value of its last expression is what the answer
    must show. Later steps see the namespace that it leaves. `into`: an expression (mostly a name the request asked for)
    that is graded instead of what was shown. `also`: reference code of other fair readings. `ordered`: the request
    asks for an order. `changes`: starting variables that the request asks to change.
    `figure`: what was drawn is graded; `exact_bins` if the request fixed a histogram's bins; `texts` must stand in it.
    `says`, `never`: facts that an answer in words must, or must not, state; `answer` is a reply that does.
    """

    ask: str
    expect: str = ""
    into: str = ""
    also: tuple[str, ...] = ()
    ordered: bool = False
    changes: tuple[str, ...] = ()
    figure: bool = False
    exact_bins: bool = False
    texts: tuple[str, ...] = ()
    says: tuple[Fact, ...] = ()
    never: tuple[Fact, ...] = ()
    answer: str = ""

    @property
    def kind(self) -> Literal["value", "figure", "words"]:
        if self.says:
            return "words"
        return "figure" if self.figure else "value"


@dataclass(frozen=True)
class Task:
    """`setup` is the notebook's first cell."""

    id: str
    subject: Subject
    setup: str
    steps: tuple[Step, ...] = field(default_factory=tuple)


def one(id: str, subject: Subject, setup: str, ask: str, expect: str = "", **more: object) -> Task:
    """A task of a single request."""
    return Task(id, subject, setup, (Step(ask, expect, **more),))  # type: ignore[arg-type]
