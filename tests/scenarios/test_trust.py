"""Replay, undo, grants and forgetting in a real kernel with a real daemon, on a machine without any model."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from llmos_jupyter import config, paths
from llmos_jupyter.agent.replay.recording import Recording, record
from llmos_jupyter.cli import main
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.protocol import ANSWER_MIME, AnswerCell, Options
from llmos_jupyter.signatures import Signatures
from tests.kernels import Kernel, kernel

CODE = "df['weight'] = df['weight'] * 1000\ntotal = df['weight'].sum()\ntotal"
REQUEST = "weights in grams, and their total"


@pytest.fixture
def place(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLMOS_MODEL_DIR", str(home / "no-models"))
    monkeypatch.setenv("LLMOS_REPLAY", str(home / "lesson.llmos.json"))
    config.change("replay=true")
    pandas = pytest.importorskip("pandas")
    namespace = {"df": pandas.DataFrame({"weight": [1.0, 2.0]})}
    made = record(REQUEST, Options(), namespace, kind="code", answer=CODE, model="some-model")
    Recording(home / "lesson.llmos.json").add(made)
    return home


@pytest.fixture
def lesson(place: Path) -> Iterator[Kernel]:
    with kernel(place) as running:
        assert running.run("%load_ext llmos_jupyter").status == "ok"
        running.run("import pandas as pd\ndf = pd.DataFrame({'weight': [1.0, 2.0]})\nalias = df")
        yield running


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it would ask before it runs")
def test_a_lesson_is_replayed_undone_and_forgotten_without_a_model(lesson: Kernel) -> None:
    answered = lesson.run(f"%%llmos\n{REQUEST}")
    assert answered.status == "ok"
    for part in ("3000.0", "replayed from lesson.llmos.json", "some-model", "tried in the sandbox"):
        assert part in answered.text
    assert "replayed" in lesson.run("%llmos why").text
    assert "Nothing was" not in lesson.run("%llmos history").text
    undone = lesson.run("%llmos undo")
    assert "df" in undone.text
    assert "1.0, True, False" in lesson.run("print(df.weight[0], alias is df, 'total' in dir(), sep=', ')").text
    assert "replayed" in lesson.run("%llmos replay status").text
    assert "Nothing to undo" in lesson.run("%llmos undo").text
    damaged = paths.database_file().with_name("llmos.db.damaged-1")
    damaged.write_bytes(b"an older history")
    forgot = lesson.run("%llmos forget").text
    assert "Forgot 1 request of" in forgot
    assert "lesson.llmos.json" in forgot
    assert damaged.name in forgot
    assert "1 recorded answer removed" in lesson.run("%llmos replay clear").text
    assert "No request" in lesson.run("%llmos history").text


def test_a_cloned_lesson_runs_nothing_until_it_is_trusted(place: Path) -> None:
    file = place / "lesson.llmos.json"
    shutil.rmtree(paths.data_dir())
    config.change("mode=auto")
    pandas = pytest.importorskip("pandas")
    made = record("mean", Options(), {"df": pandas.DataFrame({"weight": [1.0]})}, kind="code", answer="seen = 1",
                  model="m")  # fmt: skip
    Recording(file, Signatures(place / "somebody else")).add(made)
    with kernel(place) as running:
        running.run("%load_ext llmos_jupyter\nimport pandas as pd\ndf = pd.DataFrame({'weight': [1.0, 2.0]})")
        for request in (REQUEST, "mean"):
            shown = running.run(f"%%llmos\n{request}")
            assert shown.status == "ok"
            assert "you did not record it on this machine" in shown.text
            assert "shown" in str(shown.updates[-1])
        assert "False, False" in running.run("print('total' in dir(), 'seen' in dir(), sep=', ')").text
        assert "after a question" in running.run("%llmos replay status").text
        assert "2 recorded answers" in running.run(f"%llmos trust {file}").text
        assert "3000.0" in running.run(f"%%llmos\n{REQUEST}").text


def test_in_the_background_only_the_users_own_recording_runs(place: Path) -> None:
    pandas = pytest.importorskip("pandas")
    namespace = {"df": pandas.DataFrame({"weight": [1.0]})}
    made = record("mean", Options(), namespace, kind="code", answer="seen = df['weight'].mean()", model="m")
    Recording(place / "lesson.llmos.json", Signatures(place / "somebody else")).add(made)
    with kernel(place) as running:
        running.run("%load_ext llmos_jupyter\nimport pandas as pd\ndf = pd.DataFrame({'weight': [1.0, 2.0]})")
        for request, result, name in ((REQUEST, "3000.0", "total"), ("mean", "did not record it", "seen")):
            running.run(f"%%llmos -b\n{request}")
            running.run("%llmos wait")
            number = 1 + (request == "mean")
            assert result in running.run(f"%llmos result {number}").text
            assert str(name == "total") in running.run(f"print('{name}' in dir())").text


def test_what_an_answer_leaves_behind_does_not_say_where_answers_are_recorded(place: Path) -> None:
    file = place / "lesson.llmos.json"
    other = place / "other"
    other.mkdir()
    (other / "config.json").write_text('{"mode": "auto", "retries": 7}')
    code = (
        "import os\n__vsc_ipynb_file__ = 'other/n.ipynb'\nos.environ['LLMOS_REPLAY'] = 'other/n.pth'\n"
        f"for name in ('LLMOS_DATA_DIR', 'JUPYTER_RUNTIME_DIR', 'HOME'):\n    os.environ[name] = {str(other)!r}\n"
        "os.chdir('/')"
    )
    config.change("retries=3")
    Recording(file).add(record("prepare", Options(), {}, kind="code", answer=code, model="m"))
    with kernel(place) as running:
        running.run("%load_ext llmos_jupyter")
        running.run("%%llmos\nprepare")
        asked = (
            "from llmos_jupyter.agent.replay.recording_place import recording_file; str(recording_file(get_ipython()))"
        )
        assert running.value(asked).strip("'") == str(file)
        assert running.value("__import__('os').getcwd()") == repr("/")  # it ran
        assert "retries          = 3" in running.run("%llmos config").text
        assert "prepare" in running.run("%llmos history").text
        assert "lesson.llmos.json" in running.run("%llmos replay clear").text
    assert [file.name for file in other.iterdir()] == ["config.json"]


def test_another_table_is_not_answered_from_the_recording(lesson: Kernel) -> None:
    lesson.run("df = df.rename(columns={'weight': 'mass'})")
    status = lesson.run("%llmos replay status")
    assert "asked: df is not what it was" in status.text


def test_grants_are_given_told_and_taken_back(lesson: Kernel, place: Path) -> None:
    (place / "results").mkdir()
    assert lesson.run("%llmos allow write results/").status == "ok"
    assert "results" in lesson.run("%llmos allowed").text
    assert lesson.run("%llmos allow network for this answer").status == "ok"
    assert lesson.run("%llmos revoke all").status == "ok"
    assert "results" not in lesson.run("%llmos allowed").text
    wrong = lesson.run("%llmos allow everything")
    assert wrong.status == "error"
    assert "write FOLDER" in wrong.text


def test_an_administrators_cap_holds(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMOS_MAX_MODE", "show")
    monkeypatch.setenv("LLMOS_MAX_GRANTS", "read")
    with kernel(place) as running:
        running.run("%load_ext llmos_jupyter\nimport pandas as pd\ndf = pd.DataFrame({'weight': [1.0, 2.0]})")
        shown = running.run(f"%%llmos\n{REQUEST}")
        assert "administrator" in shown.text
        assert "False" in running.run("print('total' in dir())").text
        refused = running.run("%llmos allow network")
        assert refused.status == "error"
        assert "administrator" in refused.text


def test_the_lesson_in_the_repository_needs_no_model(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebooks = Path(__file__).parents[2] / "notebooks"
    recording = shutil.copy(notebooks / "02-penguins.llmos.json", home)
    monkeypatch.setenv("LLMOS_MODEL_DIR", str(home / "no-models"))
    monkeypatch.setenv("LLMOS_REPLAY", str(recording))
    config.change("replay=true")
    assert main(["trust", str(recording)]) == 0
    lesson = nbformat.read(notebooks / "02-penguins.ipynb", as_version=4)
    NotebookClient(lesson, timeout=120, resources={"metadata": {"path": str(notebooks)}}).execute()
    asked = [cell for cell in lesson.cells if cell.cell_type == "code" and cell.source.startswith("%%llmos")]
    assert asked
    for cell in asked:
        assert "replayed from" in str(cell.outputs), cell.source


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it would ask before it runs")
def test_an_answer_is_kept_as_data_that_says_what_became_of_it(lesson: Kernel) -> None:
    answered = lesson.run(f"%%llmos\n{REQUEST}")
    cell = AnswerCell.model_validate(next(iter(answered.displays.values()))[ANSWER_MIME])
    assert (cell.state, cell.kind, cell.text, cell.number) == ("done", "code", CODE, 1)
    assert cell.rehearsal is not None
    assert cell.rehearsal.status == "passed"
    assert {change.name for change in cell.changes} == {"df", "alias", "total"}
    states = [data[ANSWER_MIME]["state"] for data in answered.updates if ANSWER_MIME in data]
    assert states.index("rehearsing") < states.index("running") < states.index("done")
    task = DaemonClient(start=False).trace(cell.task).task
    assert task.session.id == cell.session
    again = lesson.run(f"%%llmos --model no-such-model\n{REQUEST} once more")
    assert again.status == "error"
    failed = AnswerCell.model_validate(next(iter(again.displays.values()))[ANSWER_MIME])
    assert failed.state == "failed"
    assert "up" in lesson.run("%llmos feedback up 1").text
    assert DaemonClient(start=False).trace("1").task.feedback == "up"
    undone = lesson.run("%llmos undo 1")
    assert undone.updates[0][ANSWER_MIME]["state"] == "undone"
    assert "df" in undone.text
    assert DaemonClient(start=False).trace("1").task.feedback == "undone"
    assert "nothing to undo" in lesson.run("%llmos undo 1").text
    assert "There is no request 77" in lesson.run("%llmos undo 77").text


def test_answers_that_ran_later_are_undone_first(lesson: Kernel) -> None:
    for request in (REQUEST, f"{REQUEST}!"):
        lesson.run("import json, pathlib")
        made = record(request, Options(), {}, kind="code", answer="seen = 1", model="some-model")
        Recording(Path(lesson.value("__import__('os').environ['LLMOS_REPLAY']").strip("'"))).add(made)
    first, second = lesson.run("%%llmos\n" + REQUEST), lesson.run(f"%%llmos\n{REQUEST}!")
    assert first.status == second.status == "ok"
    refused = lesson.run("%llmos undo 1")
    assert "`%llmos undo` takes back request 2" in refused.text
    assert lesson.run("%llmos undo 2").status == "ok"
    assert lesson.run("%llmos undo 1").status == "ok"
