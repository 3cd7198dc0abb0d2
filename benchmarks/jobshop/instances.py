"""The instances of Brandimarte, read as problems of the scheduler."""

from __future__ import annotations

from pathlib import Path

from llmos_jupyter.scheduling.problem import Option, Problem, Resource, Step

DATA = Path(__file__).parent.parent / "data" / "fjsp"


def read(file: Path) -> Problem:
    """An instance in the format of Brandimarte's files (README.md beside them)."""
    numbers = iter(file.read_text(encoding="utf-8").split("\n", 1)[1].split())
    jobs, machines = (int(word) for word in file.read_text(encoding="utf-8").split()[:2])
    steps = []
    for job in range(jobs):
        for operation in range(int(next(numbers))):
            options = {}
            for _ in range(int(next(numbers))):
                machine = next(numbers)
                options[f"machine {machine}"] = Option(float(next(numbers)))
            after = (f"{job}.{operation - 1}",) if operation else ()
            steps.append(Step(f"{job}.{operation}", options, after=after))
    return Problem(tuple(steps), tuple(Resource(f"machine {number}") for number in range(machines)))
