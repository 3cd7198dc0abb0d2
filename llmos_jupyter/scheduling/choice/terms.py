"""What the optimisation models are asked for: aims, and the limits within which they choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.scheduling.problem import Option, Step


class Aim(Enum):
    """What is made small (cost, delay) or large (success)."""

    COST = "cost"
    DELAY = "delay"
    SUCCESS = "success"


@dataclass(frozen=True)
class Terms:
    """What may be used in all. None: no limit.

    capacity: by resource id, how many steps it may be given (static form). must_run: no step may be left out.
    """

    capacity: Mapping[str, int] = field(default_factory=dict)
    cost_budget: float | None = None
    delay_budget: float | None = None
    must_run: bool = True


def impossible() -> LLMOSError:
    """What is raised when the terms cannot be satisfied together."""
    return LLMOSError(
        "No choice satisfies all limits together: allow more capacity, memory, budget or time, or leave a step out."
    )


def coefficient(aim: Aim, step: Step, option: Option) -> float:
    """What giving the step to this option adds to the sum that is made small."""
    if aim is Aim.COST:
        return option.cost
    return step.weight * (option.wait if aim is Aim.DELAY else -option.probability)
