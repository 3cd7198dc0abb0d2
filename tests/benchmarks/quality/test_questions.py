"""Questions of others: how they are read and split, how what a cell showed is graded, passes and their figures."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from benchmarks.quality import question_command, question_line, question_report, question_run
from benchmarks.quality.kernel import Output
from benchmarks.quality.question_bare import first_block, prompt
from benchmarks.quality.question_grading import closed, of_check, plain_text
from benchmarks.quality.question_kernel import QuestionKernel
from benchmarks.quality.question_probe import describe
from benchmarks.quality.question_report import brier, calibration_error, paired
from benchmarks.quality.questions import Asserts, Closed, Question, load, ordered, split_cell, split_function
from llmos_jupyter.protocol import ANSWER_MIME, DecisionRecord, Rehearsal, RehearsalRecord

TABLE = {
    "id": 3,
    "question": "How high is the tallest tree?",
    "constraints": "Round it to one decimal place.",
    "format": "@tallest[height] where height is in metres",
    "file_name": "two trees.csv",
    "level": "easy",
    "concepts": [],
    "answers": {"tallest": "21.5"},
}
CELL = {
    "task_id": "Toy/1",
    "prompt": "trees = [3, 9, 4]\n# Sort the trees,\n# the tallest first\nlimit = 2\ntallest = ",
    "entry_point": "none",
    "test": "\n\ndef check():\n    assert tallest == [9, 4, 3]\n",
    "canonical_solution": ["sorted(trees, reverse=True)"],
}
FUNCTION = {
    "task_id": "Toy/2",
    "prompt": "import math\n\ndef girth(radius):\n    # How long is the way around?\n",
    "entry_point": "girth",
    "test": "\n\ndef check(candidate):\n    assert candidate(1) == 2 * math.pi\n",
    "canonical_solution": ["    return 2 * math.pi * radius", "    return math.tau * radius"],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tables = tmp_path / "tables_qa" / "tables"
    tables.mkdir(parents=True)
    (tables / "two trees.csv").write_text("tree,height\noak,21.46\nelm,17\n", encoding="utf-8")
    (tables.parent / "questions.jsonl").write_text(json.dumps(TABLE) + "\n", encoding="utf-8")
    (tmp_path / "pandas_numpy").mkdir()
    lines = json.dumps(CELL) + "\n\n" + json.dumps(FUNCTION) + "\n"
    (tmp_path / "pandas_numpy" / "tasks.jsonl").write_text(lines, encoding="utf-8")
    return tmp_path


# --- reading ----------------------------------------------------------------------------------


def test_a_question_about_a_table_says_the_format_on_a_line_of_its_own(folder: Path) -> None:
    (question,) = load(folder, ["tables"])
    assert question.id == "tables-3"
    assert question.setup == "import pandas as pd\ndf = pd.read_csv('two trees.csv')"
    assert question.request.splitlines() == [
        "How high is the tallest tree?",
        "Round it to one decimal place.",
        "Print the answer exactly in this format: @tallest[height] where height is in metres",
    ]
    assert question.grading == Closed({"tallest": "21.5"})
    assert [file.read_text(encoding="utf-8")[:4] for file in question.files] == ["tree"]


def test_unfinished_code_becomes_a_cell_that_ran_and_a_request(folder: Path) -> None:
    cell, function = load(folder, ["pandas"])
    assert cell.setup == "trees = [3, 9, 4]\nlimit = 2"
    assert cell.request == "Sort the trees,\nthe tallest first\nPut the result into tallest."
    assert isinstance(cell.grading, Asserts)
    assert cell.grading.reference == "tallest = sorted(trees, reverse=True)"
    assert cell.grading.code.endswith("\n\ncheck()")
    assert function.setup == "import math"
    assert function.request == (
        "Write this function completely:\ndef girth(radius):\n    # How long is the way around?"
    )
    assert isinstance(function.grading, Asserts)
    assert function.grading.call == "check(girth)"
    assert function.grading.reference.endswith("around?\n    return 2 * math.pi * radius")


def test_the_order_is_the_same_for_everybody_and_mixes_the_sets() -> None:
    def some(count: int, name: Any) -> list[Question]:
        return [Question(f"{name}-{n}", name, "", "", Closed({})) for n in range(count)]

    everything = some(5, "tables") + some(20, "pandas")
    order = ordered(everything)
    assert order == ordered(everything)
    assert order != ordered(everything, 8)
    assert sorted(one.id for one in order) == sorted(one.id for one in everything)
    assert [one.set for one in order[:6]] == ["tables", "pandas", "pandas"] * 2
    assert [one for one in order if one.set == "tables"] == ordered(some(5, "tables"))


# --- splitting --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "setup", "request_", "begun"),
    [
        ("a = 1\n# double it\nb =", "a = 1", "double it\nPut the result into b.", "b ="),
        ("# # name the columns\nt.columns = ", "", "name the columns\nPut the result into t.columns.", "t.columns = "),
        ("t = 1\n# clean x\nt['x'] =\n", "t = 1", "clean x\nPut the result into t['x'].", "t['x'] =\n"),
        ("# clip\nt.loc[t['x']=='a','y'] = ", "", "clip\nPut the result into t.loc[t['x']=='a','y'].", None),
        ("# both\nlow, high =", "", "both\nPut the result into low, high.", "low, high ="),
        ("m = 0\n# fill it\nm", "m = 0", "fill it\nPut the result into m.", "m"),
        ("a = 1\n# set a to two\n", "a = 1", "set a to two", ""),
        ("#one\n\n# two\nx =", "", "one\ntwo\nPut the result into x.", None),
        ("# first\na = 1\n# then\nb = 2\nc =", "# first\na = 1\nb = 2", "then\nPut the result into c.", "c ="),
        (
            "a = '''\n# not a comment\n'''\n# sort\nb =",
            "a = '''\n# not a comment\n'''",
            "sort\nPut the result into b.",
            None,
        ),
        ("a = 1  # beside\n# real\nb = a == 1", "a = 1  # beside\nb = a == 1", "real", ""),
    ],
)
def test_cells(code: str, setup: str, request_: str, begun: str | None) -> None:
    split = split_cell(code)
    assert (split.setup, split.request) == (setup, request_)
    if begun is not None:
        assert split.begun == begun


def test_a_function_with_a_docstring_and_one_whose_body_begins() -> None:
    code = 'import re\n\ndef words(text):\n    """\n    The words of a text.\n    """\n    found = []\n'
    split = split_function(code, "words")
    assert split.setup == "import re"
    assert split.request == "Write this function completely:\n" + code.partition("\n\n")[2].rstrip()
    assert split.begun.endswith("found = []\n")
    assert split_function("def half(x):\n    # halve\n    return ", "half").begun.endswith("    return ")


def test_of_several_functions_only_the_last_is_to_be_written() -> None:
    code = "def half(x):\n    return x / 2\n\ndef halves(xs):\n    def half(x): pass\n    # all of them\n"
    split = split_function(code, "halves")
    assert split.setup == "def half(x):\n    return x / 2"
    assert split.request.splitlines()[1] == "def halves(xs):"


def test_what_asks_for_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no comment"):
        split_cell("a = 1\nb =")
    with pytest.raises(ValueError, match="no function"):
        split_function("def half(x):\n", "halves")


# --- grading ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "shown"),
    [
        ({"mean": "34.65"}, "@mean[34.65]"),
        ({"mean": "34.65"}, "The result:\n  @mean[ 34.650 ], as asked.\n"),
        ({"mean": "34.65"}, "@mean[34.6500005]"),
        ({"mean": "1.00", "kind": "none"}, "@mean[1]\n@kind[none]"),
        ({"mean": "1.0", "kind": "none"}, "first cell: @kind[none]\n\nsecond cell: @mean[1.0] @other[7]"),
        ({"mean": "2"}, "@mean[value]\n@mean[2]"),
        ({"years": "[1970, 1971]"}, "@years[[1970, 1971]]"),
        ({"what": "{'a': 1}"}, "@what[{'a': 1}]"),
        ({"name": '"oak"'}, '@name["oak"]'),
        ({"mean": "2"}, plain_text("'@mean[2]'")),
        ({"name": '"oak"', "n": "1"}, plain_text("'@name[\"oak\"]\\n@n[1]'")),
    ],
)
def test_right(answers: dict[str, str], shown: str) -> None:
    assert closed(answers, shown) == ("", "")


@pytest.mark.parametrize(
    ("answers", "shown", "failure"),
    [
        ({"mean": "34.65"}, "@mean[34.66]", "wrong value"),
        ({"mean": "34.65"}, "@mean[34.650002]", "wrong value"),
        ({"kind": "none"}, "@kind[None]", "wrong value"),
        ({"kind": "none"}, "@kind['none']", "wrong value"),
        ({"mean": "1"}, "@mean[nan]", "wrong value"),
        ({"mean": "1"}, "@mean[1] or @mean[2]", "wrong value"),
        ({"mean": "1", "kind": "none"}, "@mean[1]", "nothing shown"),
        ({"mean": "1"}, "@geo_mean[1] mean[1] 1", "nothing shown"),
        ({"mean": "1"}, "", "nothing shown"),
    ],
)
def test_wrong(answers: dict[str, str], shown: str, failure: str) -> None:
    why, kind = closed(answers, shown)
    assert why
    assert kind == failure


def test_what_is_no_string_stays_as_it_is_shown() -> None:
    assert plain_text("'it\\'s'") == "it's"
    for text in ("['@a[1]']", "'a' + 'b", "3.5", "'a', 'b'"):
        assert plain_text(text) == text


def test_kinds_of_failed_asserts() -> None:
    assert of_check("") == ""
    assert of_check("AssertionError") == "wrong value"
    assert of_check("NameError: name 'b' is not defined") == "nothing shown"
    assert of_check("KeyError: 'x'") == "exception"


@pytest.mark.parametrize(
    ("output", "failure", "ran", "words", "expected"),
    [
        (Output(), "", True, False, ""),
        (Output(error="ValueError: after it was shown"), "", True, False, ""),
        (Output(error="ValueError: no"), "nothing shown", True, False, "exception"),
        (Output(), "wrong value", True, False, "wrong value"),
        (Output(), "nothing shown", False, False, "held back"),
        (Output(), "nothing shown", False, True, "no code"),
        (Output("timeout", "did not end in 300 s"), "exception", True, False, "timeout"),
        (Output("timeout", "did not end in 300 s"), "nothing shown", False, True, "timeout"),
    ],
)
def test_outcomes(output: Output, failure: Any, ran: bool, words: bool, expected: str) -> None:
    outcome = question_line.graded(output, "why", failure, ran=ran, words=words)
    assert outcome["failure"] == expected
    assert outcome["right"] is (expected == "")


def test_the_display_of_an_answer_is_not_what_its_code_showed() -> None:
    kernel = object.__new__(QuestionKernel)
    output = Output()
    cell = {"text/plain": "@a[1]", "text/markdown": "@a[1]"}
    for kind, content in (
        ("display_data", {"data": cell}),
        ("update_display_data", {"data": cell | {ANSWER_MIME: {"state": "done"}}}),
        ("stream", {"name": "stderr", "text": "@a[2]"}),
        ("stream", {"name": "stdout", "text": "@b[1]\n"}),
        ("display_data", {"data": {"text/plain": "'@c[1]'"}}),
        ("execute_result", {"data": {"text/plain": '"@d[1]"', "text/html": "<b>"}}),
    ):
        assert not kernel.take(output, kind, content)
    assert output.shown == "@b[1]\n@c[1]\n@d[1]\n"
    assert kernel.answer == {"state": "done"}
    assert kernel.take(output, "status", {"execution_state": "idle"})


# --- the model alone --------------------------------------------------------------------------


def test_the_plain_prompt_lists_the_variables() -> None:
    import numpy as np
    import pandas as pd

    def half(x: float) -> float:
        return x / 2

    space = {
        "pd": pd,
        "t": pd.DataFrame({"x": [1, 2, 3, 4], "y": list("abcd")}),
        "a": np.arange(8).reshape(4, 2),
        "s": pd.Series([1.5]),
        "n": [1, 2, 3, 4],
        "half": half,
        "k": 3,
    }
    told = describe(space)
    assert "t: DataFrame, 4 rows, columns {'x': int64, 'y': " in told
    assert "\n2  3  c\n" in told
    assert "d" not in told.partition("first rows:")[2].partition("a: ")[0]
    assert "a: ndarray of int64, shape (4, 2), first: [[0, 1], [2, 3], [4, 5]]" in told
    assert "n: list, 4 items, first: [1, 2, 3]" in told
    assert "k: int = 3" in told
    assert "half: function half(x" in told
    messages = prompt(told, "sort t")
    assert [message.role for message in messages] == ["system", "user", "assistant", "user"]
    assert messages[-1].content == f"{told}\n\nRequest: sort t"
    assert messages[:-1] == prompt("", "other")[:-1]


def test_the_first_block_counts() -> None:
    assert first_block("Sure:\n```python\na = 1\n```\nor\n```python\na = 2\n```") == "a = 1"
    assert first_block("```\na = 1\n```") == "a = 1"
    assert first_block("```python\na = 1\nb = ") == "a = 1\nb = "
    assert first_block("It cannot be done.") == ""


# --- a pass -----------------------------------------------------------------------------------


class NoModel:
    def load(self, model: str) -> None:
        pass


class Answers:
    """In place of the model: answers everything with one piece of code."""

    def __init__(self, client: object, model: str) -> None:
        self.code = "print('@tallest[21.5]'); tallest = [9, 4, 3]; girth = lambda radius: radius"

    def answer(self, kernel: QuestionKernel, question: Question, limit: float) -> tuple[Output, None, str]:
        assert "DataFrame, 2 rows" in kernel.call("schema") or question.set != "tables"
        return kernel.run(self.code, limit=limit), None, self.code


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked, in this order."""
    ids: list[str] = []
    answer = question_run.answer_bare

    def noted(question: Question, *others: Any) -> dict[str, Any]:
        ids.append(question.id)
        return answer(question, *others)

    monkeypatch.setattr(question_run, "DaemonClient", NoModel)
    monkeypatch.setattr(question_run, "Bare", Answers)
    monkeypatch.setattr(question_run, "answer_bare", noted)
    return ids


def test_a_pass_is_written_down_resumed_and_told(
    folder: Path, tmp_path: Path, asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    needless = CELL | {"task_id": "Toy/3", "test": "def check():\n    pass\n"}
    hopeless = CELL | {"task_id": "Toy/4", "canonical_solution": ["[]"]}
    with (folder / "pandas_numpy" / "tasks.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(needless) + "\n" + json.dumps(hopeless) + "\n")
    questions, out = ordered(load(folder)), tmp_path / "out" / "pass.jsonl"
    question_run.run(questions, "bare", "toy", "", out, limit=1)
    assert len(asked) == 1
    question_run.run(questions, "bare", "toy", "", out)
    question_run.run(questions, "bare", "toy", "", out)
    assert sorted(asked) == ["Toy/1", "Toy/2", "tables-3"]

    lines = {line["id"]: line for line in question_run.read(out)}
    assert len(lines) == 5
    assert lines["tables-3"]["right"]
    assert lines["tables-3"]["shown"] == "@tallest[21.5]\n"
    assert lines["Toy/1"]["right"]
    assert (lines["Toy/2"]["right"], lines["Toy/2"]["failure"]) == (False, "wrong value")
    assert lines["Toy/3"]["left_out"] == "it is right without an answer"
    assert lines["Toy/4"]["left_out"] == "its reference fails: AssertionError"

    with pytest.raises(SystemExit, match="another pass"):
        question_run.run(questions, "bare", "other", "", out)
    question_run.run(questions, "bare", "toy", "", out, minutes=0)
    assert len(asked) == 3

    capsys.readouterr()
    question_command_report(out, out)
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["benchmark"] == "questions"
    whole = next(row for row in told["rows"] if row["set"] == "both")
    assert (whole["asked"], whole["solved"], whole["left out"]) == (3, 2, 2)
    assert whole["95 %"] == "21-94"  # by Wilson
    assert next(row for row in told["compared"] if row["set"] == "both")["both"] == 2
    assert next(row for row in told["failures"] if row["set"] == "pandas")["wrong value"] == 50.0
    assert told["calibration"] == []

    question_run.run(questions, "bare", "other", "", out, resume=False, limit=0)
    assert out.read_text(encoding="utf-8") == ""


def question_command_report(*files: Path) -> None:
    import argparse

    parser = argparse.ArgumentParser()
    question_command.add(parser.add_subparsers())
    given = parser.parse_args(["questions", "report", *map(str, files)])
    assert question_command.follow(given) == 0


def test_a_folder_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.quality.__main__ import main

    monkeypatch.delenv("LLMOS_QUESTIONS", raising=False)
    with pytest.raises(SystemExit, match="--questions"):
        main(["questions", "check"])
    with pytest.raises(SystemExit, match="There is no"):
        main(["questions", "check", "--questions", str(tmp_path)])


# --- what the loop tells ----------------------------------------------------------------------


def came_to(code: str, shown: str, index: int = 0) -> RehearsalRecord:
    """A candidate that ran, and showed this."""
    return RehearsalRecord(round=2, index=index, code=code, rehearsal=Rehearsal(status="passed", outcome={"": shown}))


def test_agreement_and_chance_are_read_from_the_trace() -> None:
    chosen = [DecisionRecord(round=2, decision="chosen", why="in whatever words")]
    first, same, other = came_to("a + 1", "5"), came_to("1 + a", "5", index=1), came_to("a", "4", index=2)
    respaced = came_to("a+1", "5", index=1)
    assert question_line.agreed([], [first, same], first) is None
    assert question_line.agreed(chosen, [first, other, same], first) is True
    assert question_line.agreed(chosen, [first, same, other], other) is False
    assert question_line.agreed(chosen, [first, respaced, other], first) is False
    assert question_line.chance({}, []) is None
    assert question_line.chance({}, [{"type": "decision", "chance": 0.25}, {"x": [{"chance": 0.5}]}]) == 0.5
    assert question_line.chance({"chance": 0.75}, [{"chance": 0.25}]) == 0.75


# --- figures ----------------------------------------------------------------------------------


def line(id: str, right: bool, seconds: float = 1.0, chance: float | None = None) -> dict[str, Any]:
    return {"id": id, "set": "pandas", "right": right, "seconds": seconds, "chance": chance}


def test_two_passes_are_compared_on_what_both_were_asked() -> None:
    first = [line(str(n), n < 2, 2.0) for n in range(12)] + [line("only first", True)]
    second = [line(str(n), n != 1, 3.0) for n in range(12)] + [{"id": "x", "set": "pandas", "left_out": "why"}]
    (row,) = paired("a", first, "b", second)
    assert (row["questions"], row["both"], row["only first"], row["only second"], row["neither"]) == (12, 1, 1, 10, 0)
    assert row["p"] == round(2 * 12 / 2**11, 4)
    assert row["second/first s"] == 1.5
    assert paired("a", first, "b", []) == []


def test_calibration_of_known_predictions() -> None:
    assert math.isnan(calibration_error([]))
    assert math.isnan(brier([]))
    assert calibration_error([(1.0, True), (0.0, False)]) == 0
    assert calibration_error([(0.9, False)] * 10 + [(0.1, True)] * 10) == pytest.approx(0.9)
    # Two bins of five: 0.2 where 1 of 5 was right, 0.9 where 3 of 5 were.
    told = [(0.2, n == 0) for n in range(5)] + [(0.9, n < 3) for n in range(5)]
    assert calibration_error(told, bins=2) == pytest.approx(0.15)
    assert brier([(0.75, True), (0.5, False)]) == pytest.approx((0.0625 + 0.25) / 2)
    (row,) = question_report.calibration(
        "a", [line("1", True, chance=0.8), line("2", False, chance=0.4), line("3", True)]
    )
    assert row["predicted"] == 2
    assert row["Brier"] == pytest.approx(0.1)
    assert question_report.calibration("a", [line("1", True)]) == []
