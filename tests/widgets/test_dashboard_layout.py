"""What the dashboard draws, from data: tables, arrangement of bars, series, and what is sent of a change."""

from __future__ import annotations

import itertools
import math
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmos_jupyter.protocol import (
    EngineSample,
    GpuSample,
    Options,
    Queued,
    Sample,
    Session,
    Span,
    StepRecord,
    Task,
    TaskState,
)
from llmos_jupyter.widgets import figures, saved
from llmos_jupyter.widgets.gantt import LANES, Gantt, arrange
from llmos_jupyter.widgets.live import Picture
from llmos_jupyter.widgets.queue import about, rows, table_html, table_text
from llmos_jupyter.widgets.utilisation import used

NOW = 1_700_000_000.0
HOSTILE = "<img src=x onerror=alert(1)> & </td></table><script>alert(2)</script>"
RTL = "احسب المتوسط لكل عمود"


def queued(number: int, text: str = "x", state: TaskState = "running", why: str = "", more: int = 0) -> Queued:
    session = Session(id="s", pid=1, started=0.0)
    task = Task(
        id=f"{number:032x}", number=number, kind="run", text=text, options=Options(), session=session, state=state,
        created=NOW - 42, updated=NOW,
    )  # fmt: skip
    record = step(number, state="waiting" if state == "accepted" else "running", planned=(20, 30), priority=50)
    return Queued(task=task, step=record, why=why, more=more)


def step(
    number: int,
    *spans: tuple[float, float | None],
    planned: tuple[float, float] | None = None,
    resource: str = "workers",
    **given: Any,
) -> StepRecord:
    """A step with times relative to NOW."""
    return StepRecord(
        id=f"step{number}",
        task=f"{number:032x}",
        kind=given.pop("kind", "run"),
        resource=resource if spans else "",
        state=given.pop("state", "done" if spans else "waiting"),
        created=NOW + (spans[0][0] if spans else 0),
        planned=Span(start=NOW + planned[0], end=NOW + planned[1]) if planned else None,
        spans=[Span(start=NOW + a, end=None if b is None else NOW + b) for a, b in spans],
        **given,
    )


def names(steps: Sequence[StepRecord], text: str = "x") -> dict[str, str]:
    return {one.task: f"{int(one.task, 16)} {text}" for one in steps}


def sample(at: float, cores: Sequence[float] = (10.0, 30.0), **given: Any) -> Sample:
    return Sample(at=NOW + at, cores=list(cores), memory_used=4_000_000_000, memory_total=16_000_000_000, **given)


class Tags(HTMLParser):
    """The tags and the text of a piece of HTML."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


# --- tasks ------------------------------------------------------------------------------------


def test_a_row_says_what_a_task_is_and_when_it_starts() -> None:
    (row,), more = rows([queued(7, "the mean", "accepted", "waits for a core")], NOW)
    assert row.cells == ("7", "waiting", "normal", "40 s", "in 20 s", "the mean", "waits for a core")
    assert more == 0
    assert table_text([row], 3).splitlines()[0].split() == ["No", "State", "Priority", "Age", "Starts", "What", "Why"]
    assert table_text([row], 3).endswith("and 3 more")


def test_a_long_queue_is_twelve_rows_and_a_number() -> None:
    queue = [queued(number, more=9_988) for number in range(12)]
    shown, more = rows(queue, NOW)
    assert (len(shown), more) == (12, 9_988)
    assert "and 9988 more" in table_html(shown, more)
    assert rows([queued(number) for number in range(20)], NOW)[1] == 8


@pytest.mark.parametrize("text", [HOSTILE, RTL, "‮evil", "a" * 200_000, "\x00\x1b[31mred"])
def test_names_of_tasks_are_text_whatever_they_are(text: str) -> None:
    shown, _ = rows([queued(1, text, why=text)], NOW)
    page = Tags(table_html(shown, 0))
    assert set(page.tags) == {"table", "thead", "tbody", "tr", "th", "td"}
    assert ("dir", "auto") in page.attributes
    assert not any(name.startswith("on") for name, _ in page.attributes)
    assert len(table_html(shown, 0)) < 3000


@given(st.text(max_size=300), st.text(max_size=300))
@settings(max_examples=50, deadline=None)
def test_any_text_is_only_text(text: str, why: str) -> None:
    one = step(1, (-20, -10), why=why)
    picture = Picture("live", "", 0.0, None, (queued(1, text or "x", why=why),), (one,), {one.task: f"1 {text}"})
    gantt = arrange([one], picture.names, NOW)
    page = Tags(saved.page([saved.queue_html(picture), saved.gantt_html(gantt)], picture))
    assert not {"script", "img", "a", "iframe"} & set(page.tags)


def test_ages_change_seldom() -> None:
    assert [about(s) for s in (-5, 0, 4.9, 42, 90, 7300, 200_000)] == [
        "0 s", "0 s", "0 s", "40 s", "2 min", "2 h", "2 days",
    ]  # fmt: skip
    assert len({about(s / 10) for s in range(600)}) == 12


def test_ages_are_by_the_daemons_clock() -> None:
    picture = Picture(offset=3600.0)
    assert picture.now == pytest.approx(time.time() + 3600, abs=5)


# --- schedule ---------------------------------------------------------------------------------


def test_what_runs_at_once_stands_in_lanes_beside_each_other() -> None:
    steps = [step(1, (-30, -10)), step(2, (-20, -5)), step(3, (-9, None), state="running")]
    gantt = arrange(steps, names(steps), NOW)
    assert gantt.lanes == ("workers", "workers (2)")
    assert [bar.lane for bar in gantt.bars] == ["workers", "workers (2)", "workers"]
    assert gantt.bars[2].open
    assert gantt.bars[2].end == NOW
    assert gantt.bars[0].label == "1"
    assert gantt.busy


def test_a_plan_stands_by_what_came_of_it() -> None:
    one = step(1, (-30, -10), planned=(-35, -20), predicted=15.0, predicted_p90=22.0, why="Started: it was free.")
    gantt = arrange([one], names([one], "the mean"), NOW)
    actual, planned = gantt.bars
    assert (actual.planned, planned.planned) == (False, True)
    assert actual.lane == planned.lane
    assert (planned.start, planned.end) == (NOW - 35, NOW - 20)
    assert actual.about[0] == "1 the mean"
    assert "20.0 s" in actual.about[2]
    assert "predicted 15.0 s, 9 of 10 within 22.0 s" in actual.about
    assert actual.about[-1] == "Started: it was free."


def test_plans_take_no_lanes_from_what_runs() -> None:
    # Each planned for later than it ran, as long as durations are not known.
    steps = [step(n, (-30 + n, -29 + n), planned=(-20, -5)) for n in range(6)]
    assert arrange(steps, names(steps), NOW).lanes == ("workers",)


def test_a_step_that_gave_way_has_several_bars_and_a_line_between() -> None:
    one = step(1, (-30, -25), (-10, None), kind="generation", resource="model", state="running")
    gantt = arrange([one], names([one]), NOW)
    assert [(bar.start - NOW, bar.end - NOW) for bar in gantt.bars] == [(-30, -25), (-10, 0)]
    (line,) = gantt.breaks
    assert (line.start - NOW, line.end - NOW, line.lane) == (-25, -10, "model")
    assert "part 1 of 2" in gantt.bars[0].about[2]


def test_a_dependency_goes_from_an_end_to_a_start() -> None:
    steps = [step(1, (-30, -10)), step(2, (-8, -2), after=["step1"]), step(3, planned=(5, 9), after=["step2", "gone"])]
    gantt = arrange(steps, names(steps), NOW)
    assert [(line.start - NOW, line.end - NOW) for line in gantt.dependencies] == [(-10, -8), (-2, 5)]


def test_what_waits_is_planned_where_its_kind_ran_last() -> None:
    steps = [
        step(1, (-30, -10), resource="cluster"),
        step(2, planned=(5, 9)),
        step(3, planned=(5, 9), kind="generation"),
    ]
    gantt = arrange(steps, names(steps), NOW)
    assert [bar.lane for bar in gantt.bars] == ["cluster", "cluster", "model"]


def test_a_step_keeps_its_lane() -> None:
    first = [step(1, (-30, -10)), step(2, (-29, None), state="running")]
    before = arrange(first, names(first), NOW)
    assert before.places["step2"] == "workers (2)"
    later = arrange(first[1:], names(first), NOW + 5, before.places)
    assert later.places["step2"] == "workers (2)"


def test_no_more_than_three_hundred_bars_the_newest() -> None:
    steps = [step(n, (-500 + n / 10, -499 + n / 10)) for n in range(2000)]
    steps += [step(9000, (-5, None), state="running"), *(step(5000 + n, planned=(n, n + 1)) for n in range(2000))]
    began = time.perf_counter()
    gantt = arrange(steps, names(steps), NOW)
    assert time.perf_counter() - began < 5
    assert len(gantt.bars) <= 300
    shown = {bar.step for bar in gantt.bars}
    assert {"step9000", "step5000", "step1999"} <= shown
    assert "step0" not in shown


def test_hundreds_at_once_do_not_make_hundreds_of_lanes() -> None:
    steps = [step(n, (-50, None), state="running") for n in range(200)]
    assert len(arrange(steps, names(steps), NOW).lanes) == LANES


def test_old_things_are_not_shown() -> None:
    old = step(1, (-5000, -4000))
    assert arrange([old], names([old]), NOW) == Gantt(NOW)


# --- utilisation ------------------------------------------------------------------------------


def test_series_are_on_the_daemons_grid_with_gaps() -> None:
    samples = [sample(at) for at in (-10, -8, -6, -2, 0)]
    found = used(samples)
    assert found.interval == 2.0
    processor = found.series[0]
    assert processor.values[:3] == (20.0, 20.0, 20.0)
    assert math.isnan(processor.values[3])
    assert len(processor.values) == 6
    assert found.cores == (10.0, 30.0)


def test_without_a_gpu_it_says_why() -> None:
    found = used([sample(0, gpu_why="No NVIDIA driver answers.")])
    assert [one.key for one in found.series] == ["processor", "memory", "tokens"]
    assert "GPU: No NVIDIA driver answers." in found.words
    assert "Model: none is loaded." in found.words


def test_gpus_and_the_model_have_their_own_curves() -> None:
    gpus = [GpuSample(id=str(n), name="X", percent=50.0, memory_used=5, memory_total=10) for n in range(2)]
    engine = EngineSample(model="m", tokens_per_second=12.34, slots=4, busy=1, waiting=2)
    found = used([sample(0, gpus=gpus, engine=engine)])
    values = {one.key: one.last for one in found.series}
    assert values["gpu0"] == 50.0
    assert values["gpu1 memory"] == 50.0
    assert values["tokens"] == 12.3
    assert "Model: m, 12.3 tokens/s, 1 of 4 slots busy, 2 waiting" in found.words
    hidden = used([sample(0, gpus=[GpuSample(id="0", name="X")])])
    assert math.isnan(hidden.series[3].last)
    assert "GPU 0 (X): utilisation not told" in hidden.words


def test_nothing_measured_yet_is_said() -> None:
    assert used([]).words == ("The daemon has not measured anything yet.",)
    assert "has not measured" in saved.used_html(used([]))


# --- what is sent -----------------------------------------------------------------------------


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
    figure.draw(arrange([one], {one.task: f"1 {HOSTILE}"}, NOW))
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


# --- without scripts --------------------------------------------------------------------------


def test_a_saved_picture_has_tables_and_drawings_and_no_script() -> None:
    steps = [step(1, (-30, -10), planned=(-30, -15), state="failed"), step(2, (-9, -4), after=["step1"])]
    picture = Picture("lost", "The daemon went away.", NOW - time.time(), None, (queued(7, HOSTILE),), tuple(steps))
    gantt = arrange(steps, names(steps, HOSTILE), NOW)
    parts = [saved.queue_html(picture), saved.used_html(used([sample(-1), sample(0)])), saved.gantt_html(gantt)]
    page = saved.page(parts, picture)
    found = Tags(page)
    assert found.tags.count("svg") == 4
    assert found.tags.count("table") == 2
    assert "script" not in found.tags
    assert "The daemon went away." in found.text
    assert HOSTILE[:20] in found.text
    assert len(page) < 20_000
    assert saved.FAILED in page
    assert re.search(r'fill="url\(#llmos-\w+-run\)"', page)


def test_an_empty_picture_reads_well() -> None:
    text = saved.dashboard_text(Picture())
    assert text == (
        "Looking for the llmos daemon.\n\nNothing waits and nothing runs.\n\n"
        "The daemon has not measured anything yet.\n\nNothing has run in the last ten minutes."
    )


# --- the extra --------------------------------------------------------------------------------


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_the_package_stays_light() -> None:
    code = "import sys, llmos_jupyter.widgets; print({'ipywidgets', 'plotly', 'numpy'} & sys.modules.keys())"
    assert run(code).strip() == "set()"


def test_without_the_extra_it_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['ipywidgets'] = None\n"
        "from llmos_jupyter.errors import LLMOSError\n"
        "try:\n    from llmos_jupyter.widgets import Dashboard\n"
        "except LLMOSError as error:\n    print(error)"
    )
    assert "pip install 'llmos-jupyter[lab]'" in run(code)
