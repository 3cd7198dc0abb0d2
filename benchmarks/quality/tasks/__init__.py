"""The project's own tasks by subject: regression tests; all of them have been looked at.

`dev` is what the loop is tuned on, `reworded` the same tasks in other words, `other` tasks about other data. How well
questions are answered that nobody of the project wrote is measured by `python -m benchmarks.quality questions`.
"""

from __future__ import annotations

import importlib
from dataclasses import replace

from benchmarks.quality.task import Task

SUBJECTS = ("pandas", "numpy", "matplotlib", "sklearn", "text", "dates", "python", "words", "chinese")
SETS = ("dev", "reworded", "other")


def load(set_name: str = "dev") -> list[Task]:
    """All tasks of a set, in a fixed order. Raises ValueError for an unknown set."""
    if set_name not in SETS:
        raise ValueError(f"there is no set {set_name!r}: it is one of {', '.join(SETS)}")
    package = "other" if set_name == "other" else "tasks"
    tasks: list[Task] = []
    for subject in SUBJECTS:
        tasks += importlib.import_module(f"benchmarks.quality.{package}.{subject}_tasks").TASKS
    return [_reworded(task) for task in tasks] if set_name == "reworded" else tasks


def _reworded(task: Task) -> Task:
    words = importlib.import_module(f"benchmarks.quality.reworded.{task.subject}_words").WORDS[task.id]
    steps = zip(task.steps, words, strict=True)
    return replace(task, steps=tuple(replace(step, ask=ask) for step, ask in steps))
