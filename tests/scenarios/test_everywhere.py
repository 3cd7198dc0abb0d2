"""The same magic in every place a notebook is run: none needs a server extension, and text is always there.

Without a model: the extension loads, says what it has to say as text, and bad input fails the cell with one sentence.
With the small model: a request is answered, its code ran, and what a person reads is there without Markdown.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from llmos_jupyter.daemon import lifecycle
from llmos_jupyter.protocol import ANSWER_MIME
from tests.conftest import SMALL
from tests.kernels import kernel

LOAD = "%load_ext llmos_jupyter"
ASK = f"%%llmos --model {SMALL}\nmake a variable called answer that is 42"
SEEN = "print('answer is', answer)"
BAD = "%llmos --retries 99 x"
REFUSED = "--retries cannot be 99"


def notebook(*cells: str) -> nbformat.NotebookNode:
    book = nbformat.v4.new_notebook()
    book.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return book


def written(folder: Path, *cells: str) -> Path:
    file = folder / "book.ipynb"
    nbformat.write(notebook(*cells), file)
    return file


def plain(cell: Any) -> str:
    """What a front end that knows nothing but text shows of a cell."""
    shown = []
    for output in cell["outputs"]:
        if output["output_type"] == "stream":
            shown.append(output["text"])
        elif output["output_type"] == "error":
            shown += output["traceback"]
        else:
            # Whatever else it offers, text is among it.
            shown.append(output["data"]["text/plain"])
    return "\n".join(shown)


def run(*command: str, folder: Path, given: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, input=given, capture_output=True, text=True, timeout=300
    )


# --- without a model ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folders of this module's own, for the daemon, IPython and Jupyter; no configuration of the user's counts."""
    folder = tmp_path_factory.mktemp("place")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("LLMOS_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR"):
            patch.setenv(name, str(folder / name.lower()))
        yield folder
        lifecycle.stop()


def test_nbclient_runs_it_and_stops_at_bad_input_with_the_sentence(place: Path) -> None:
    book = notebook(LOAD, "%llmos status", BAD, "after = 1")
    with pytest.raises(CellExecutionError) as raised:
        NotebookClient(book, resources={"metadata": {"path": str(place)}}).execute()
    assert "daemon" in plain(book.cells[1])
    assert REFUSED in plain(book.cells[2])
    assert REFUSED in str(raised.value)
    assert "llmos_jupyter/" not in plain(book.cells[2])
    assert not book.cells[3].outputs


def test_nbconvert_executes_and_exports_as_text(place: Path) -> None:
    file = written(place, LOAD, "%llmos status", BAD)
    done = run("nbconvert", "--to", "markdown", "--execute", "--allow-errors", "--stdout", str(file), folder=place)
    assert done.returncode == 0, done.stderr
    assert "process " in done.stdout
    assert REFUSED in done.stdout
    failing = run("nbconvert", "--to", "markdown", "--execute", "--stdout", str(file), folder=place)
    assert failing.returncode != 0
    assert REFUSED in failing.stderr


def test_papermill_runs_it_with_parameters(place: Path) -> None:
    pytest.importorskip("papermill")
    file = written(place, "words = 'status'", f"{LOAD}\nget_ipython().run_line_magic('llmos', words)")
    book = nbformat.read(file, as_version=4)
    book.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(book, file)
    good = run("papermill", str(file), "out.ipynb", "-p", "words", "config", folder=place)
    assert good.returncode == 0, good.stderr
    assert "max_tokens" in plain(nbformat.read(place / "out.ipynb", as_version=4).cells[-1])
    bad = run("papermill", str(file), "out.ipynb", "-p", "words", "--retries 99 x", folder=place)
    assert bad.returncode != 0
    assert REFUSED in plain(nbformat.read(place / "out.ipynb", as_version=4).cells[-1])
    unknown = run("papermill", str(file), "out.ipynb", "-p", "words", "why 99999", folder=place)
    assert unknown.returncode != 0
    assert "There is no request 99999" in unknown.stderr + plain(
        nbformat.read(place / "out.ipynb", as_version=4).cells[-1]
    )


def test_plain_ipython_by_option_and_by_pipe(place: Path) -> None:
    done = run("IPython", "--colors=NoColor", "-c", f"{LOAD}\n%llmos status\n{BAD}", folder=place)
    assert "process " in done.stdout, done.stdout + done.stderr
    assert REFUSED in done.stdout + done.stderr
    piped = run("IPython", "--colors=NoColor", folder=place, given=f"{LOAD}\n%llmos status\n{BAD}\nprint(6 * 7)\n")
    assert "process " in piped.stdout
    assert REFUSED in piped.stdout + piped.stderr
    assert "42" in piped.stdout
    assert "Traceback" not in piped.stdout + piped.stderr


def test_a_console_that_shows_text_alone(place: Path) -> None:
    """What qtconsole and `jupyter console` are: a client of a kernel, without widgets, Markdown or comms."""
    with kernel(place) as running:
        running.run(LOAD)
        status = running.run("%llmos status")
        assert "process " in status.text
        bad = running.run(BAD)
        assert (bad.status, REFUSED in bad.text) == ("error", True)
        assert running.run("'ipywidgets' in __import__('sys').modules").results[-1]["text/plain"] == "False"


def test_no_server_extension_is_needed(place: Path) -> None:
    """Jupyter's server is not so much as imported, and the package enables none."""
    script = (
        f"{LOAD}\n%llmos status\nimport sys\n"
        "servers = ('jupyter_server', 'jupyterlab', 'notebook')\n"
        "print('MODULES', [name for name in sys.modules if name.partition('.')[0] in servers])"
    )
    done = run("IPython", "--colors=NoColor", "-c", script, folder=place)
    assert "MODULES []" in done.stdout, done.stdout + done.stderr
    with kernel(place) as running:
        running.run(f"{LOAD}\n%llmos status")
        assert running.value("'jupyter_server' in __import__('sys').modules") == "False"


def test_loading_twice_and_unloading_leave_a_working_shell(place: Path) -> None:
    script = f"{LOAD}\n{LOAD}\n%reload_ext llmos_jupyter\n%llmos status\n%unload_ext llmos_jupyter\nprint(6 * 7)"
    done = run("IPython", "--colors=NoColor", "-c", script, folder=place)
    assert done.stdout.count("process ") == 1, done.stdout + done.stderr
    assert "42" in done.stdout


# --- with the small model -----------------------------------------------------------------------


def answered(text: str) -> None:
    assert "answer = 42" in text
    assert SMALL in text
    assert "created `answer`" in text


@pytest.mark.model
def test_an_answer_in_nbclient_has_text_beside_its_markdown(shared_home: Path) -> None:
    book = notebook(LOAD, ASK, SEEN)
    NotebookClient(book, resources={"metadata": {"path": str(shared_home)}}).execute()
    answered(plain(book.cells[1]))
    assert plain(book.cells[2]) == "answer is 42\n"
    kinds = {kind for output in book.cells[1].outputs if "data" in output for kind in output["data"]}
    assert kinds == {"text/plain", "text/markdown", ANSWER_MIME}
    nbformat.validate(book)


@pytest.mark.model
def test_what_needs_a_yes_is_shown_where_nobody_can_be_asked(shared_home: Path) -> None:
    words = "write the text hello to the file out.txt"
    book = notebook(LOAD, f"%%llmos --model {SMALL}\n{words}")
    NotebookClient(book, resources={"metadata": {"path": str(shared_home)}}).execute()
    assert "not run" in plain(book.cells[1])
    assert not (shared_home / "out.txt").exists()


@pytest.mark.model
@pytest.mark.parametrize("tool", ["nbconvert", "papermill"])
def test_an_answer_in_a_run_of_the_whole_notebook(shared_home: Path, tool: str) -> None:
    pytest.importorskip(tool)
    file = written(shared_home, LOAD, ASK, SEEN)
    output = shared_home / "out.ipynb"
    options = ["--to", "notebook", "--execute", "--output", output.name, str(file)]
    done = run(tool, *(options if tool == "nbconvert" else [str(file), str(output)]), folder=shared_home)
    assert done.returncode == 0, done.stderr
    cells = json.loads(output.read_text())["cells"]
    book = nbformat.from_dict(nbformat.read(output, as_version=4))
    assert len(cells) >= 3
    answered(plain(book.cells[-2]))
    assert "answer is 42" in plain(book.cells[-1])


@pytest.mark.model
def test_an_answer_in_plain_ipython(shared_home: Path) -> None:
    line = ASK.replace("%%llmos", "%llmos").replace("\n", " ")
    script = f"{LOAD}\n{line}\n{SEEN}\n"
    for done in (
        run("IPython", "--colors=NoColor", "-c", script, folder=shared_home),
        run("IPython", "--colors=NoColor", folder=shared_home, given=script),
    ):
        answered(done.stdout)
        assert "answer is 42" in done.stdout
        assert "\x1b]" not in done.stdout
        assert "text/markdown" not in done.stdout


@pytest.mark.model
def test_an_answer_in_a_console_that_shows_text_alone(shared_home: Path) -> None:
    with kernel(shared_home) as running:
        running.run(LOAD)
        cell = running.run(ASK)
        assert cell.status == "ok"
        assert all("text/plain" in data for data in [*cell.displays.values(), *cell.updates, *cell.results])
        answered(cell.text)
        assert running.value("answer") == "42"
        assert os.environ["LLMOS_DATA_DIR"] in running.run("%llmos status").text
