"""Rehearsals in a real ipykernel: its sockets, its event loop and its display machinery stay whole."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from llmos_jupyter.effects.copy.kernel_copy import supported
from tests.effects.copy.shells import Kernel, capabilities, changes, kernel
from tests.examples import examples

pytestmark = pytest.mark.skipif(supported() is not None, reason=str(supported()))


@pytest.fixture(scope="module")
def notebook() -> Iterator[Kernel]:
    with kernel() as running:
        yield running


def rehearsed(notebook: Kernel, code: str, **options: object) -> str:
    """The output of a candidate that passed, in a kernel that showed nothing and works on."""
    done = notebook.rehearse(code, **options)
    assert done.status == "passed", done
    assert set(notebook.kinds()) <= {"status", "execute_input", "stream"}
    assert notebook.run("1 + 1") == "2"
    return done.output


def test_prints_and_results(notebook: Kernel) -> None:
    assert rehearsed(notebook, "print('hello')\n6 * 7") == "hello\n42\n"
    assert rehearsed(notebook, "display('shown')") == "'shown'\n"


def test_warnings_and_logs(notebook: Kernel) -> None:
    notebook.run("import logging, warnings; logging.basicConfig()")
    output = rehearsed(notebook, "warnings.warn('careful')\nlogging.warning('logged')")
    assert "UserWarning: careful" in output
    assert "WARNING:root:logged" in output
    assert "llmos-rehearsal-" not in output


def test_plots(notebook: Kernel) -> None:
    pytest.importorskip("matplotlib")
    for code in (
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]);",
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.hist([1, 2])",
    ):
        assert "<Figure size" in rehearsed(notebook, code, budget_seconds=20)
    broken = notebook.rehearse("import matplotlib.pyplot as plt\nplt.plot([1], [1, 2])")
    assert broken.status == "failed"
    notebook.run("%matplotlib inline\nimport matplotlib.pyplot as plt")
    notebook.run("plt.plot([1, 2])")
    assert "display_data" in notebook.kinds()


def test_progress_bars(notebook: Kernel) -> None:
    pytest.importorskip("tqdm")
    output = rehearsed(notebook, "from tqdm import tqdm\nfor i in tqdm(range(30)): pass")
    assert "100%" in output
    assert output.count("%") == 1
    rehearsed(notebook, "from tqdm.notebook import tqdm\nfor i in tqdm(range(3)): pass", budget_seconds=20)


def test_widgets(notebook: Kernel) -> None:
    pytest.importorskip("ipywidgets")
    notebook.run("import ipywidgets\nslider = ipywidgets.IntSlider()")
    assert rehearsed(notebook, "slider.value = 5\ndisplay(slider)\nipywidgets.HTML('x')") != ""
    assert notebook.run("slider.value") == "0"
    rehearsed(notebook, "out = ipywidgets.Output()\nwith out: print('inside')")


def test_all_processors_of_sklearn(notebook: Kernel) -> None:
    pytest.importorskip("sklearn")
    notebook.run(
        "import numpy as np\nfrom sklearn.ensemble import RandomForestClassifier\n"
        "from sklearn.model_selection import cross_val_score\nfrom sklearn.cluster import KMeans\n"
        "X = np.random.rand(200, 5); y = (X[:, 0] > .5).astype(int); A = X.T @ X\n"
        "KMeans(2, n_init=1).fit(X)  # starts the pools of OpenMP and BLAS in the kernel"
    )
    code = (
        "print(cross_val_score(RandomForestClassifier(5, n_jobs=-1), X, y, n_jobs=-1, cv=2).shape)\n"
        "KMeans(2, n_init=1).fit(X)\n(X.T @ X).shape"
    )
    assert rehearsed(notebook, code, budget_seconds=20) == "(2,)\n(5, 5)\n"
    assert rehearsed(notebook, "from joblib import Parallel, delayed\nParallel(2, backend='loky')([delayed(abs)(-1)])")


def test_await_while_the_kernels_loop_runs(notebook: Kernel) -> None:
    notebook.run(
        "import asyncio\nasync def beat():\n    global beats\n"
        "    for beats in range(1000): await asyncio.sleep(.01)\ntask = asyncio.create_task(beat())"
    )
    assert rehearsed(notebook, "await asyncio.sleep(0.01)\nprint('slept')") == "slept\n"
    first = int(notebook.run("beats"))
    time.sleep(0.3)
    assert int(notebook.run("beats")) > first
    notebook.run("task.cancel()")


def test_magics(notebook: Kernel) -> None:
    assert "Wall time" in rehearsed(notebook, "%%time\nx = 1")
    assert "loop" in rehearsed(notebook, "%timeit -n 2 -r 2 sum(range(9))")
    assert rehearsed(notebook, "%%capture got\nprint('x')\n") == ""
    assert capabilities(notebook.rehearse("!ls")) == ["processes"]
    assert capabilities(notebook.rehearse("%pip install nothing")) == ["install packages"]


def test_next_input_and_payloads_go_nowhere(notebook: Kernel) -> None:
    rehearsed(notebook, "get_ipython().set_next_input('surprise')")
    message = notebook.start("R('get_ipython().set_next_input(1)')")
    notebook.finish(message)
    reply = notebook.client.get_shell_msg(timeout=10)
    while reply["parent_header"].get("msg_id") != message:
        reply = notebook.client.get_shell_msg(timeout=10)
    assert reply["content"]["payload"] == []


def test_input_and_exit(notebook: Kernel) -> None:
    assert capabilities(notebook.rehearse("input('?')")) == ["ask for input"]
    assert capabilities(notebook.rehearse("import pdb; pdb.set_trace()")) == ["ask for input"]
    assert capabilities(notebook.rehearse("exit()")) == ["end the kernel"]
    assert notebook.rehearse("import os; os._exit(1)").status == "died"
    assert notebook.run("1 + 1") == "2"


def test_history_and_count_stay(notebook: Kernel) -> None:
    notebook.run("41")
    assert notebook.rehearse("42").output == "42\n"
    assert notebook.run("_").startswith("41")
    before = int(notebook.run("get_ipython().execution_count"))
    notebook.rehearse("43")
    assert int(notebook.run("get_ipython().execution_count")) == before + 2


def test_changes(notebook: Kernel) -> None:
    notebook.run("items = [1]")
    assert changes(notebook.rehearse("items.append(2); new = 1")) == {"items": "mutated", "new": "created"}
    assert notebook.run("items, 'new' in globals()") == "([1], False)"


def test_an_interrupt_ends_it_long_before_its_budget(notebook: Kernel) -> None:
    message = notebook.start("R('while True: pass', budget_seconds=60)")
    time.sleep(1)
    notebook.manager.interrupt_kernel()
    started = time.monotonic()
    assert "KeyboardInterrupt" in notebook.finish(message)
    assert time.monotonic() - started < 10
    assert notebook.run("import psutil; psutil.Process().children()") == "[]"
    assert notebook.rehearse("1").status == "passed"


def test_many_rehearsals_then_everything_works(notebook: Kernel) -> None:
    count = "import os; len(os.listdir('/proc/self/fd'))"
    notebook.rehearse("1")
    before = notebook.run(count)
    for _ in range(examples(50)):
        assert notebook.rehearse("x = 1").status == "passed"
    assert int(notebook.run(count)) <= int(before) + 2  # the history thread may have come back
    assert notebook.run("print('alive')") == "alive\n"
