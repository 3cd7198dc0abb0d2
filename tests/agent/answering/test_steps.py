"""A request that failed, answered in steps: with a real shell and sandbox, and scripted words of the model."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmos_jupyter.agent.answering import events, steps, strategy
from llmos_jupyter.protocol import Candidate, DecisionRecord, RunRecord
from tests.agent.answering.test_loop import Scene, block

FAILS = block("1 / 0")
OTHERS = (FAILS, FAILS, FAILS)  # the candidates beside the first
TWO = "1. take the even numbers\n2. add them up\n"
EVEN = "+even = numbers[1::2]\n# 2."
TOTAL = "+total = sum(even)\n# 3."
SHOW = "+print(f'#total: {total}')\n```"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    scene = Scene(tmp_path)
    scene.shell.user_ns["numbers"] = [1, 2, 3, 4]
    return scene


def ask(scene: Scene, *replies: str) -> str:
    return scene.ask(*replies, candidates=None)


def records(scene: Scene) -> list[object]:
    return [stored.record for stored in scene.store.trace("1").records]


def test_each_step_runs_before_the_next_is_written_and_all_are_one_answer(scene: Scene) -> None:
    assert ask(scene, FAILS, FAILS, *OTHERS, TWO, EVEN, TOTAL, SHOW) == "done"
    assert (scene["even"], scene["total"]) == ([2, 4], 6)
    listed = ["take the even numbers", "add them up"]
    assert [event.step for event in scene.seen if isinstance(event, events.Stepping)] == [*listed, steps.SHOW]
    first, second = "# 1. take the even numbers\neven = numbers[1::2]\n", "# 2. add them up\ntotal = sum(even)\n"
    third = f"# 3. {steps.SHOW}\n"
    code = f"{first}{second}{third}print(f'#total: {{total}}')"
    assert [record.code for record in records(scene) if isinstance(record, RunRecord)] == [code]
    # What each has made is told to the next, and stands neither in the answer nor in the next prompt.
    made = ["#    even: list\n#    [2, 4]\n", "#    total: int\n#    6\n"]
    assert scene.client.sent[-1].prefix == f"```python\n{first}{made[0]}{second}{made[1]}{third}"
    assert scene.context.messages()[-1].content == block(code)
    told = [
        record.why for record in records(scene) if isinstance(record, DecisionRecord) and record.decision == "steps"
    ]
    assert told == ["; ".join(listed)]
    assert scene.rights.history.pushed == 1
    # What was wrong before is told for the code: told for the list, it comes back as steps.
    listing, coding = (scene.client.sent[place].messages[-1].content for place in (3, 4))
    assert "ZeroDivisionError" not in listing
    assert "ZeroDivisionError" in coding


def test_another_candidate_that_works_needs_no_steps(scene: Scene) -> None:
    assert ask(scene, FAILS, FAILS, block("r = 5\nr"), FAILS, FAILS) == "done"
    assert scene["r"] == 5
    assert scene.count(events.Stepping) == 0


def test_a_list_of_one_step_means_none(scene: Scene) -> None:
    assert ask(scene, FAILS, FAILS, *OTHERS, "1. divide\n") == "failed"
    assert scene.count(events.Stepping) == 0


def test_a_step_that_fails_is_repaired_from_its_failing_line(scene: Scene) -> None:
    broken = "+even = numbers[::2]\nodd = even['x']\n# 2."
    assert (
        ask(scene, FAILS, FAILS, *OTHERS, TWO, broken, "+odd = even\n# 2.", "+total = sum(odd)\n# 3.", SHOW) == "done"
    )
    assert scene["total"] == 4
    repair = scene.client.sent[5]
    assert repair.prefix.startswith(
        "```python\n# 1. take the even numbers\neven = numbers[::2]\n# not: odd = even['x']\n"
    )
    assert repair.grammar is not None
    assert '"# 2."' in repair.grammar


def test_steps_that_cannot_be_mended_change_nothing(scene: Scene) -> None:
    broken = "+even = numbers['x']\n# 2."
    assert ask(scene, FAILS, FAILS, *OTHERS, TWO, broken, broken, broken) == "failed"
    assert "even" not in scene.shell.user_ns


def test_a_reply_without_an_end_ends_the_steps(scene: Scene) -> None:
    endless = "+even = [" + "1, 2, 3, " * 300
    assert ask(scene, FAILS, FAILS, *OTHERS, TWO, endless) == "failed"
    assert "even" not in scene.shell.user_ns


def test_stop_between_two_steps_changes_nothing(scene: Scene) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    replies = (FAILS, FAILS, *OTHERS, TWO, "+even = numbers[::2]\n# 2.")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps._Answer, "_made", stopped)
        with pytest.raises(KeyboardInterrupt):
            ask(scene, *replies)
    assert scene.store.tasks()[-1].state == "cancelled"
    assert "even" not in scene.shell.user_ns


def test_what_takes_long_runs_again_only_with_the_last_step(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "LONG", 0.0)
    assert (
        ask(scene, FAILS, FAILS, *OTHERS, "1. one\n2. two\n", "+a = 1\n# 2.", "+b = a\n# 3.", "+c = b\nc\n```")
        == "done"
    )
    assert (scene["a"], scene["b"], scene["c"]) == (1, 1, 1)
    tried = [event.code for event in scene.seen if isinstance(event, events.Inspected)]
    assert len(tried) == 4  # two before the steps, the first step, and the whole


@pytest.mark.parametrize(
    ("candidates", "rounds", "wanted"), [(None, None, True), (None, 2, True), (1, None, False), (None, 0, False)]
)
def test_when_steps_are_tried(candidates: int | None, rounds: int | None, wanted: bool) -> None:
    assert strategy.in_steps(candidates, rounds) is wanted


def test_a_list_that_was_cut_off_loses_its_last_line() -> None:
    assert steps.read_list(Candidate(text="1. a\n2. b\n3. c", finish="length")) == ["a", "b"]
    assert steps.read_list(Candidate(text="1. a\n2. b\n")) == ["a", "b"]
    assert len(steps.read_list(Candidate(text="".join(f"{n}. x\n" for n in range(9))))) == steps.MOST


@pytest.mark.parametrize(
    "text", ["a = 1\n# 2. then\nb = 2", "a = 1\n# 2.", "a = 1\n```\n", "a = 1\n  ```", "a = 1\n\n"]
)
def test_a_step_ends_where_the_next_begins(text: str) -> None:
    assert steps.step_part(text, 1) == "a = 1"
