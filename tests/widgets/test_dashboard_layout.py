"""What the dashboard draws, from data: tables, arrangement of bars, series, and what is sent of a change."""

from __future__ import annotations

import math
import re
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmos_jupyter.protocol import EngineSample, GpuSample
from llmos_jupyter.units import about
from llmos_jupyter.widgets import saved
from llmos_jupyter.widgets.gantt import LANES, Gantt, Lane, arrange
from llmos_jupyter.widgets.live import Picture
from llmos_jupyter.widgets.queue import rows, table_html, table_text
from llmos_jupyter.widgets.step_words import TaskName
from llmos_jupyter.widgets.utilisation import used
from tests.examples import examples
from tests.widgets.pictures import HOSTILE, NOW, RTL, Tags, names, queued, sample, step

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
@settings(max_examples=examples(50), deadline=None)
def test_any_text_is_only_text(text: str, why: str) -> None:
    one = step(1, (-20, -10), why=why)
    picture = Picture("live", "", 0.0, None, (queued(1, text or "x", why=why),), (one,), {one.task: TaskName(1, text)})
    gantt = arrange([one], picture.names, NOW)
    page = Tags(saved.page([saved.queue_html(picture), saved.gantt_html(gantt)], picture))
    assert not {"script", "img", "a", "iframe"} & set(page.tags)


def test_ages_change_seldom() -> None:
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
    assert actual.about == planned.about
    assert actual.about[:3] == ("Task 1: code in a worker on workers, done", "the mean", "Started: it was free.")
    assert "Predicted 15 s (9 of 10 within 22 s), took 20 s." in actual.about


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
    assert "Gave way or was paused once, for 15 s." in gantt.bars[0].about


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
    assert [bar.lane for bar in gantt.bars] == ["cluster", "cluster", "engine"]


def test_a_step_keeps_its_lane() -> None:
    first = [step(1, (-30, -10)), step(2, (-29, None), state="running")]
    before = arrange(first, names(first), NOW)
    assert before.places["step2"] == Lane("workers", 2)
    later = arrange(first[1:], names(first), NOW + 5, before.places)
    assert later.places["step2"] == Lane("workers", 2)


def test_no_more_than_three_hundred_bars_the_newest() -> None:
    steps = [step(n, (-500 + n / 10, -499 + n / 10)) for n in range(2000)]
    steps += [step(9000, (-5, None), state="running"), *(step(5000 + n, planned=(n, n + 1)) for n in range(2000))]
    began = time.process_time()
    gantt = arrange(steps, names(steps), NOW)
    assert time.process_time() - began < 5
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
    assert "No GPU is seen. No NVIDIA driver answers." in found.words
    assert "Model: none is loaded." in found.words


def test_gpus_and_the_model_have_their_own_curves() -> None:
    gpus = [GpuSample(id=str(n), name="X", percent=50.0, memory_used=5, memory_total=10) for n in range(2)]
    engine = EngineSample(model="m", tokens_per_second=12.34, slots=4, busy=1, waiting=2)
    found = used([sample(0, gpus=gpus, engine=engine)])
    values = {one.key: one.last for one in found.series}
    assert values["gpu0"] == 50.0
    assert values["gpu1 memory"] == 50.0
    assert values["tokens"] == 12.3
    assert "Model: m, writes 12 tokens/s, 1 of 4 slots busy, 2 waiting" in found.words
    hidden = used([sample(0, gpus=[GpuSample(id="0", name="X")])])
    assert math.isnan(hidden.series[3].last)
    assert "GPU 0 (X): the driver does not tell how busy it is" in hidden.words


def test_nothing_measured_yet_is_said() -> None:
    assert used([]).words == ("The daemon has not measured anything yet.",)
    assert "has not measured" in saved.used_html(used([]))


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
