"""The product, used: a real kernel, the real daemon, the real small model."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from llmos_jupyter.daemon.client import DaemonClient
from tests.conftest import SMALL
from tests.kernels import Cell, Kernel, kernel

pytestmark = pytest.mark.model

PENGUINS = Path(__file__).parents[2] / "notebooks" / "data" / "penguins.csv"
ASK = f"%%llmos --model {SMALL}\n"
STORY = ASK + "tell me in words a very long story about the roman empire"
SLEEP = ASK + "run exactly this code: import time; time.sleep(60)"


@pytest.fixture(scope="module")
def notebook(shared_home: Path) -> Iterator[Kernel]:
    with kernel(shared_home) as running:
        running.run("%load_ext llmos_jupyter")
        running.run(f"import pandas as pd; penguins = pd.read_csv({str(PENGUINS)!r})")
        yield running


@pytest.fixture(autouse=True)
def clean(notebook: Kernel) -> None:
    """Each test begins with the same names, and a model that knows nothing of the tests before."""
    notebook.run("%reset -f")
    notebook.run(f"import pandas as pd; penguins = pd.read_csv({str(PENGUINS)!r})")
    notebook.run("%reload_ext llmos_jupyter")


def stop_when(running: Kernel, ready: Callable[[Cell], bool]) -> tuple[Callable[[Cell], bool], list[float]]:
    """Presses the stop button once `ready`; the list says when."""
    pressed: list[float] = []

    def during(cell: Cell) -> bool:
        if ready(cell):
            pressed.append(time.monotonic())
            running.interrupt()
        return bool(pressed)

    return during, pressed


def interrupt(running: Kernel, code: str, ready: Callable[[Cell], bool]) -> tuple[Cell, float]:
    """Run a cell, stop it, and say how long it took to come back."""
    during, pressed = stop_when(running, ready)
    cell = running.run(code, during=during)
    assert pressed, f"never ready to be stopped: {cell.text}"
    return cell, time.monotonic() - pressed[0]


def test_a_sentence_becomes_code_that_ran(notebook: Kernel) -> None:
    cell = notebook.run(ASK + "make a list called squares with the squares of the numbers 1 to 10")
    assert cell.status == "ok", cell.text
    assert notebook.value("squares") == "[1, 4, 9, 16, 25, 36, 49, 64, 81, 100]"
    for part in (SMALL, "first token", "tokens/s", "tried in the sandbox in", "no error", "created `squares`"):
        assert part in cell.text
    # The code grew in the cell's output while it was written.
    lengths = [len(update.get("text/plain", "")) for update in cell.updates]
    assert len({length for length in lengths if length}) > 3
    assert any("```python" in update.get("text/markdown", "") for update in cell.updates)


def test_one_line_does_the_same_and_sees_the_columns(notebook: Kernel) -> None:
    cell = notebook.run(f"%llmos --model {SMALL} average body_mass_g in penguins")
    assert cell.status == "ok", cell.text
    assert "4201.75" in cell.text


def test_rich_output_is_as_if_the_user_had_run_it(notebook: Kernel) -> None:
    cell = notebook.run(ASK + "show the first 3 rows of penguins")
    assert any("text/html" in data for data in cell.results), cell.text
    cell = notebook.run(ASK + "plot a histogram of body_mass_g of penguins")
    assert any("image/png" in data for data in cell.displays.values()), cell.text


def test_a_question_is_answered_in_words_and_nothing_runs(notebook: Kernel) -> None:
    names = "sorted(name for name in globals() if not name.startswith('_'))"
    before = notebook.value(names)
    cell = notebook.run(f"%llmos --model {SMALL} what is a median?")
    assert cell.status == "ok", cell.text
    assert "middle" in cell.text
    assert "rehearsed" not in cell.text
    assert notebook.value(names) == before


def test_show_puts_the_code_into_the_next_cell(notebook: Kernel) -> None:
    cell = notebook.run(f"%%llmos --mode show --model {SMALL}\nmake a variable called answer that is 42")
    assert cell.status == "ok"
    assert "answer" in cell.next_input
    assert notebook.value("'answer' in globals()") == "False"


@pytest.mark.parametrize(("said", "ran"), [("y", "True"), ("n", "False"), ("", "False")])
def test_ask_waits_for_a_yes(notebook: Kernel, said: str, ran: str) -> None:
    cell = notebook.run(f"%%llmos --mode ask --model {SMALL}\nmake a variable called answer that is 42", answer=said)
    assert cell.status == "ok", cell.text
    assert notebook.value("'answer' in globals()") == ran


def test_what_reaches_outside_is_not_run_without_a_yes(notebook: Kernel, shared_home: Path) -> None:
    target = shared_home / "out.csv"
    words = f"save penguins to the file {str(target)!r}"
    cell = notebook.run(ASK + words)
    assert cell.status == "ok", cell.text
    assert not target.exists()
    assert "write files" in cell.text
    assert "to_csv" in cell.next_input
    notebook.run(ASK + words, answer="y")
    assert target.exists()


def test_stop_while_it_writes(notebook: Kernel) -> None:
    notebook.run(ASK + "make x equal to 1")
    cell, seconds = interrupt(notebook, STORY, lambda cell: len(cell.text) > 120)
    assert seconds < 1.0
    assert "Interrupted; nothing was changed." in cell.text
    assert notebook.value("1 + 1") == "2"
    client = DaemonClient()
    stopped = time.monotonic()
    while (engine := client.status().engine) and engine.busy_slots:
        assert time.monotonic() - stopped < 2.0
        time.sleep(0.05)
    assert client.tasks()[-1].state == "cancelled"


def test_stop_while_it_reads_a_long_prompt(notebook: Kernel) -> None:
    long = ASK + "what is a tree? " + "leaf " * 1500
    cell, seconds = interrupt(notebook, long, lambda cell: "reading" in cell.text)
    assert seconds < 1.0
    assert cell.ename == "AnswerStopped"
    assert notebook.run(ASK + "make x equal to 2").status == "ok"


def test_stop_while_it_rehearses_leaves_no_copy_behind(notebook: Kernel) -> None:
    cell, seconds = interrupt(notebook, SLEEP, lambda cell: "trying it in the sandbox" in cell.text)
    assert seconds < 1.0
    assert "nothing was changed" in cell.text
    pid = int(notebook.value("__import__('os').getpid()"))
    # The daemon is this kernel's child if this kernel was the first to need it.
    children = [child.pid for child in psutil.Process(pid).children() if child.status() != psutil.STATUS_ZOMBIE]
    assert set(children) <= {DaemonClient().status().pid}


def test_stop_while_the_code_runs(notebook: Kernel) -> None:
    cell, seconds = interrupt(notebook, SLEEP, lambda cell: "running for 2 s" in cell.text)
    assert seconds < 1.0
    assert "Interrupted; nothing was changed." in cell.text
    assert notebook.value("1 + 1") == "2"
    assert notebook.value("'time' in globals()") == "False"


def test_another_client_can_cancel_code_that_runs(notebook: Kernel) -> None:
    cancelled: list[float] = []

    def cancel(cell: Cell) -> bool:
        if "running for 2 s" in cell.text:
            client = DaemonClient()
            assert client.cancel(str(client.tasks()[-1].number)).state == "cancelled"
            cancelled.append(time.monotonic())
        return bool(cancelled)

    cell = notebook.run(SLEEP, during=cancel)
    assert time.monotonic() - cancelled[0] < 1.0
    assert cell.ename == "AnswerStopped"
    assert notebook.value("1 + 1") == "2"


def test_the_stop_button_works_while_the_daemon_and_the_engine_start(notebook: Kernel) -> None:
    os.kill(DaemonClient().status().pid, signal.SIGKILL)
    began = time.monotonic()
    _, seconds = interrupt(notebook, STORY, lambda cell: time.monotonic() - began > 0.3)
    assert seconds < 1.0
    _, seconds = interrupt(notebook, STORY, lambda cell: "loading" in cell.text or "reading" in cell.text)
    assert seconds < 1.0
    assert notebook.run(ASK + "make x equal to 3").status == "ok"
    assert notebook.value("x") == "3"


def test_a_daemon_killed_in_mid_answer_does_not_lose_the_request(notebook: Kernel) -> None:
    killed: list[int] = []

    def kill(cell: Cell) -> bool:
        if "def " in cell.text:
            pid = DaemonClient().status().pid
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)
        return bool(killed)

    words = "write a function is_prime(n), with a docstring, that says whether n is a prime number"
    cell = notebook.run(ASK + words, during=kill)
    assert killed
    assert cell.status == "ok", cell.text
    assert notebook.value("is_prime(7), is_prime(9)") == "(True, False)"
    assert [task.state for task in DaemonClient().tasks()[-1:]] == ["done"]


def test_two_notebooks_and_a_plain_ipython_share_one_daemon(notebook: Kernel, shared_home: Path) -> None:
    status = DaemonClient().status()
    with kernel(shared_home) as second:
        second.run("%load_ext llmos_jupyter")
        assert second.run(ASK + "make y equal to 5").status == "ok"
    script = f"%load_ext llmos_jupyter\n%llmos --model {SMALL} make z equal to 6\nprint('z is', z)\n%llmos status\n"
    file = shared_home / "script.ipy"
    file.write_text(script)
    plain = subprocess.run(
        [sys.executable, "-m", "IPython", "--colors=NoColor", str(file)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "z is 6" in plain.stdout, plain.stdout + plain.stderr
    assert "# created `z`" in plain.stdout
    after = DaemonClient().status()
    assert after.pid == status.pid
    assert f"process {status.pid}" in plain.stdout


def test_history_code_and_why_tell_the_whole_story(notebook: Kernel) -> None:
    notebook.run(ASK + "make a variable called answer that is 42")
    assert "make a variable called answer" in notebook.run("%llmos history").text
    assert "answer = 42" in notebook.run("%llmos code").next_input
    story = notebook.run("%llmos why").text
    for part in (
        "Candidate 1 · ",
        "tokens read",
        "Sent: system:",
        "penguins: DataFrame",
        "Came back:",
        "Inspection",
        "Tried in the sandbox",
        "Run",
        "Names: created `answer`",
        "### Where and when",
    ):
        assert part in story


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("%%llmos\n \n", "Write what you want"),
        ("f'{1}'; get_ipython().run_line_magic('llmos', '--model nosuch x')", "There is no model"),
        ("%llmos --retries 99 x", "--retries cannot be 99"),
        ("%llmos --use nothere the mean", "There is no variable nothere"),
        ("get_ipython().run_cell_magic('llmos', '', 'word ' * 220_000)", "put the data into a variable"),
        ("%llmos why 99999", "There is no request 99999"),
        ("%llmos config mode=maybe", "mode cannot be 'maybe'"),
        (f"%llmos --model {SMALL} --max-tokens 5 make a list of the first hundred primes", "--max-tokens"),
        (f"%llmos --model {SMALL} --timeout 0.01 tell me in words about rome", "--timeout"),
    ],
)
def test_bad_input_gets_one_sentence_and_fails_the_cell(notebook: Kernel, code: str, said: str) -> None:
    cell = notebook.run(code)
    assert cell.status == "error"
    assert said in cell.text
    assert "Traceback" not in cell.text
