"""Rows, lanes and words of the widgets are those of the side panel: both read `tests/data/views.json`.

Its inputs are what the daemon sends; `labextension/src/__tests__/views.spec.ts` reads the same file.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from llmos_jupyter.protocol import PRIORITIES, Queued, Sample, StepRecord
from llmos_jupyter.widgets import step_words
from llmos_jupyter.widgets.gantt import arrange
from llmos_jupyter.widgets.queue import rows
from llmos_jupyter.widgets.utilisation import figures, gpu_figures

VIEWS: dict[str, Any] = json.loads((Path(__file__).parent.parent / "data/views.json").read_text(encoding="utf-8"))
SCHEDULE = VIEWS["schedule"]
STEPS = [StepRecord.model_validate(step) for step in SCHEDULE["steps"]]
TASKS = {task: step_words.TaskName(**name) for task, name in SCHEDULE["tasks"].items()}


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_priorities_have_the_names_of_the_panel() -> None:
    assert VIEWS["priorities"] == PRIORITIES


@pytest.mark.parametrize("case", VIEWS["queue"], ids=lambda case: case["row"]["what"][:20])
def test_a_row_of_the_queue_says_what_the_panel_says(case: dict[str, Any]) -> None:
    sent = Queued.model_validate(case["queued"])
    # What the daemon would send of this task and step today.
    assert Queued.of(sent.task, sent.step, sent.why, sent.more) == sent
    (row,), _ = rows([sent], VIEWS["now"])
    assert asdict(row) | case["row"] == asdict(row)


def test_the_schedule_has_the_rows_and_lanes_of_the_panel() -> None:
    gantt = arrange(STEPS, TASKS, VIEWS["now"])
    begins = {bar.step: bar.start for bar in reversed(gantt.bars)}
    lanes = [
        {
            "row": lane.row,
            "steps": sorted((step for step in gantt.places if gantt.places[step] == lane), key=begins.get),
        }
        for lane in sorted(set(gantt.places.values()), key=lambda lane: lane.order)
    ]
    assert lanes == [{"row": row["row"], "steps": lane} for row in SCHEDULE["rows"] for lane in row["lanes"]]


def test_a_step_is_told_as_in_the_panel() -> None:
    known = {step.id: step for step in STEPS}
    told = {step.id: list(step_words.describe(step, TASKS, known, VIEWS["now"])) for step in STEPS}
    assert told == SCHEDULE["words"]
    assert SCHEDULE["kinds"] == step_words.KINDS
    assert SCHEDULE["signs"] == step_words.SIGNS


@pytest.mark.parametrize("case", VIEWS["machine"])
def test_the_machine_is_told_as_in_the_panel(case: dict[str, Any]) -> None:
    sample = Sample.model_validate(case["sample"])
    assert figures(sample) == case["figures"]
    assert [gpu_figures(gpu) for gpu in sample.gpus] == case["gpus"]
