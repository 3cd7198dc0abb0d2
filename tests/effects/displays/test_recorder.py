"""What a run shows is kept within bounds, and of it what a reader would look at."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llmos_jupyter.effects.displays.recorder import MOST_END, MOST_TEXT, Recorder, redrawn


def said(recorder: Recorder) -> str:
    return "".join(output[2] for output in recorder.content())


def test_of_much_text_the_beginning_and_the_end_are_kept() -> None:
    recorder = Recorder()
    for i in range(100_000):
        recorder.stream("stdout", f"{i}\n")
    text = said(recorder)
    assert text.startswith("0\n1\n2\n")
    assert text.endswith("\n99998\n99999\n")
    assert len(text) < MOST_TEXT + MOST_END + 100
    total = sum(len(f"{i}\n") for i in range(100_000))
    assert f"… {total - MOST_TEXT - MOST_END} characters left out …" in text


def test_the_end_keeps_its_streams() -> None:
    recorder = Recorder()
    recorder.stream("stdout", "x" * MOST_TEXT)
    recorder.stream("stdout", "out ")
    recorder.stream("stderr", "err")
    assert recorder.content()[1:] == [["stream", "stdout", "out "], ["stream", "stderr", "err"]]


def test_a_progress_bar_of_hours_leaves_room_for_what_follows() -> None:
    recorder = Recorder()
    recorder.stream("stdout", "begun\n")
    for i in range(20_000):
        recorder.stream("stderr", f"\r{i:6} of 20000 |{'#' * 40}|")
    recorder.stream("stderr", "\n")
    recorder.stream("stdout", "accuracy 0.93\n")
    text = said(recorder)
    assert recorder.dropped == 0
    assert text.startswith("begun\n")
    assert redrawn(text).endswith(f" 19999 of 20000 |{'#' * 40}|\naccuracy 0.93\n")


def test_little_text_stays_as_it_was_written() -> None:
    recorder = Recorder()
    recorder.stream("stderr", "\r1 %\r2 %")
    assert recorder.content() == [["stream", "stderr", "\r1 %\r2 %"]]


@given(st.text(alphabet="ab\r\n", max_size=30))
def test_redrawing_keeps_the_lines_and_does_nothing_twice(text: str) -> None:
    once = redrawn(text)
    assert once.count("\n") == text.count("\n")
    assert redrawn(once) == once
    assert len(once) <= len(text)
