"""What a figure sends of a change: only that, and nothing while nothing changes."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from llmos_jupyter.widgets import figures
from llmos_jupyter.widgets.gantt import arrange
from llmos_jupyter.widgets.step_words import TaskName
from llmos_jupyter.widgets.utilisation import used
from tests.widgets.pictures import HOSTILE, NOW, names, sample, step


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The updates of figures, as they go to the front end."""
    updates: list[dict[str, Any]] = []

    def send(self: Any, message: dict[str, Any], buffers: Any = None) -> None:
        state = message.get("state", {})
        if state.get("_py2js_update"):
            updates.append(
                {**state["_py2js_update"], "bytes": len(str(message)) + sum(b.nbytes for b in buffers or ())}
            )

    monkeypatch.setattr("ipywidgets.Widget._send", send)
    return updates


def test_nothing_is_sent_while_nothing_changes(sent: list[dict[str, Any]]) -> None:
    steps = [step(1, (-30, -10), planned=(-30, -12)), step(2, (-9, -4), after=["step1"])]
    figure = figures.GanttFigure()
    assert figure.draw(arrange(steps, names(steps), NOW))
    before = len(sent)
    assert not figure.draw(arrange(steps, names(steps), NOW + 1))
    assert len(sent) == before
    series = figures.UsedFigure(used([sample(0)]))
    assert series.draw(used([sample(0)]))
    assert not series.draw(used([sample(0)]))


def test_one_change_costs_one_small_message(sent: list[dict[str, Any]]) -> None:
    steps = [step(n, (-500 + n, -499 + n), why="Started on workers: first in class normal.") for n in range(280)]
    figure = figures.GanttFigure()
    figure.draw(arrange(steps, names(steps, "a name of some length"), NOW))
    whole = sum(update["bytes"] for update in sent)
    sent.clear()
    steps.append(step(999, (-1, None), state="running"))
    figure.draw(arrange(steps, names(steps, "a name of some length"), NOW))
    assert sum(update["bytes"] for update in sent) < whole / 2
    sent.clear()
    # What runs grows: numbers alone.
    figure.draw(arrange(steps, names(steps, "a name of some length"), NOW + 1))
    assert len(sent) == 1
    assert sent[0]["bytes"] < 2000
    assert set(sent[-1]["style_data"]) == {"x"}
    assert set(sent[-1]["layout_data"]) == {"shapes.0.x0", "shapes.0.x1"}


def test_the_range_is_never_sent_so_that_a_zoom_stays(sent: list[dict[str, Any]]) -> None:
    steps = [step(1, (-30, None), state="running")]
    figure = figures.GanttFigure()
    for seconds in range(3):
        figure.draw(arrange(steps, names(steps), NOW + seconds))
    assert len(sent) >= 3
    assert not any("range" in key for update in sent for key in update["layout_data"])
    assert figure.figure.layout.uirevision == "llmos"


def test_no_message_leaves_out_what_another_trace_changes(sent: list[dict[str, Any]]) -> None:
    figure = figures.GanttFigure()
    for count in range(1, 30):
        steps = [step(n, (-500 + n, -499 + n), planned=(-400, -399), after=[f"step{n - 1}"]) for n in range(count)]
        steps.append(step(99, (-1, None), state="running"))
        figure.draw(arrange(steps, names(steps), NOW + count))
    assert len(sent) > 30
    for update in sent:
        for values in update["style_data"].values():
            assert "_undefined_" not in values


def test_kinds_differ_in_pattern_as_well_as_in_colour() -> None:
    bars = [trace for trace in figures.GanttFigure().figure.data if trace.type == "bar" and trace.name != "planned"]
    looks = {trace.name: (trace.marker.color, trace.marker.pattern.shape) for trace in bars}
    assert len(looks) == 4
    for (_, one), (_, other) in itertools.combinations(looks.items(), 2):
        assert one[0] != other[0]
        assert one[1] != other[1]


def test_names_in_the_figure_are_escaped() -> None:
    one = step(1, (-30, -10), resource=HOSTILE, why=HOSTILE)
    figure = figures.GanttFigure()
    figure.draw(arrange([one], {one.task: TaskName(1, HOSTILE)}, NOW))
    texts = [text for trace in figure.figure.data if trace.type == "bar" for text in (trace.hovertext or ())]
    lanes = [lane for trace in figure.figure.data for lane in (trace.y if trace.y is not None else ())]
    assert texts
    for text in [*texts, *filter(None, lanes)]:
        assert "<" not in text.replace("<br>", "")


def test_percentages_go_as_one_byte_each() -> None:
    assert figures.small([1.4, 99.6], whole=True).tolist() == [1, 100]
    assert figures.small([1.4], whole=True).dtype == np.uint8
    assert figures.small([1.4, math.nan], whole=True).dtype == np.float32
    assert figures.small([300.0], whole=True).dtype == np.float32


def test_only_updates_go_over_the_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    states: list[dict[str, Any]] = []
    monkeypatch.setattr("ipywidgets.Widget._send", lambda self, message, buffers=None: states.append(message["state"]))
    one = step(1, (-30, None), state="running")
    figure = figures.GanttFigure()
    figure.draw(arrange([one], names([one]), NOW))
    states.clear()
    figure.draw(arrange([one], names([one]), NOW + 1))
    assert [list(state) for state in states] == [["_py2js_update"]]
    assert states[0]["_py2js_update"] is not None


def test_what_the_front_end_fills_in_is_not_read_and_a_zoom_is(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    take = "ipywidgets.Widget._handle_msg"
    monkeypatch.setattr(take, lambda self, message: read.extend(message["content"]["data"]["state"]))
    figure = figures.GanttFigure().figure
    for name in ("_js2py_layoutDelta", "_js2py_traceDeltas", "_js2py_relayout"):
        figure._handle_msg({"content": {"data": {"method": "update", "state": {name: {}}}}})
    assert read == ["_js2py_relayout"]


def test_a_front_end_that_comes_later_is_told_the_present() -> None:
    one = step(1, (-30, -10))
    figure = figures.GanttFigure()
    figure.draw(arrange([one], names([one]), NOW))
    state = figure.figure.get_state()
    assert any(trace.get("hovertext") for trace in state["_widget_data"])
