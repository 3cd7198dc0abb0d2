"""The list scheduler's figures, what it decides, and the words in which it says why."""

from __future__ import annotations

import math
from dataclasses import dataclass

from llmos_jupyter.scheduling.dispatch.ready import Waiting
from llmos_jupyter.scheduling.problem import Step, class_name

# Seconds a step of priority 0 waits before it is due; half as long for each 20 of priority: low 30 min, normal 5.3 min,
# interactive 56 s.
PATIENCE, PATIENCE_HALVES = 1800.0, 20
# One second in so many goes to lower classes of which a step is due.
DUE_SHARE = 4
# Seconds after which a due step that went before higher classes gives way to them again, if it can be paused.
TURN = 10.0
# A step with a deadline is due this many times its predicted duration before it.
DEADLINE_MARGIN = 1.5
# How many steps that do not fit are passed over in one decision before it is left at that.
LOOKAHEAD = 64
# Weight of a class in the objective of a window: doubles with each 10 of priority (interactive 1024, normal 32, low 1).
CLASS_WEIGHT_DOUBLES = 10


@dataclass(frozen=True)
class Start:
    """Start a step on a resource now. reason: why it, and why now, for the user. duration: predicted seconds."""

    step: str
    resource: str
    reason: str
    duration: float


@dataclass(frozen=True)
class Yield:
    """Pause a running step (then call `pause`), because a more urgent one waits for its place.

    It is told at every decision until that is done.
    """

    step: str
    waiting: str
    reason: str


@dataclass(frozen=True)
class Decision:
    """What to do now. overran: steps that have now run longer than predicted (each is told once per doubling)."""

    starts: tuple[Start, ...] = ()
    yields: tuple[Yield, ...] = ()
    overran: tuple[str, ...] = ()


def patience(priority: float) -> float:
    """Seconds that a step of a class may wait before it is due."""
    return PATIENCE * math.pow(2.0, -priority / PATIENCE_HALVES)


def due(step: Step, ready: float) -> float:
    """When a step that could start at `ready` should have started at the latest."""
    patient = ready + patience(step.priority)
    if step.deadline is None:
        return patient
    predicted = min(option.wait for option in step.options.values())
    return min(patient, step.deadline - DEADLINE_MARGIN * predicted)


def class_weight(priority: float) -> float:
    """What a second of waiting counts in a class, beside other classes."""
    return math.pow(2.0, priority / CLASS_WEIGHT_DOUBLES)


def reason(entry: Waiting, now: float, lacked: str, *, as_due: bool, planned: bool) -> str:
    """Why a step starts now: what put it first, and what it waited for."""
    kind = class_name(entry.step.priority)
    waited = now - entry.ready
    if planned:
        first = f"class {kind}; first in the improved plan"
    elif as_due and waited < patience(entry.step.priority):
        first = f"class {kind}; must start now to be done by its deadline"
    elif as_due:
        first = f"class {kind}; has waited longer than its class is let wait"
    else:
        first = f"first in class {kind}"
    return f"{first}; started at once" if waited < 0.05 else f"{first}; waited {waited:.1f} s for {lacked}"
