"""The tasks by subject. The development set is tuned on; `validation`, the same tasks in other words, is not.

`heldout` is of other data, and was written without a look at the loop. A task that was looked at is held out no longer:
the first 30 were looked at after a first measurement, the others after the one that the README gives.
"""

from __future__ import annotations

import importlib
from dataclasses import replace

from benchmarks.quality.task import Task

SUBJECTS = ("pandas", "numpy", "matplotlib", "sklearn", "text", "dates", "python", "words", "chinese")
SETS = ("dev", "validation", "heldout")


def load(set_name: str = "dev") -> list[Task]:
    """All tasks of a set, in a fixed order. Raises ValueError for an unknown set."""
    if set_name not in SETS:
        raise ValueError(f"there is no set {set_name!r}: it is one of {', '.join(SETS)}")
    package = "heldout" if set_name == "heldout" else "tasks"
    tasks: list[Task] = []
    for subject in SUBJECTS:
        tasks += importlib.import_module(f"benchmarks.quality.{package}.{subject}_tasks").TASKS
    return [_reworded(task) for task in tasks] if set_name == "validation" else tasks


def _reworded(task: Task) -> Task:
    words = importlib.import_module(f"benchmarks.quality.validation.{task.subject}_words").WORDS[task.id]
    steps = zip(task.steps, words, strict=True)
    return replace(task, steps=tuple(replace(step, ask=ask) for step, ask in steps))
