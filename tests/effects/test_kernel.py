"""Transactions in a real ipykernel: outputs arrive as a cell's, pictures included, and the kernel works on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from llmos_jupyter.agent.rehearsal.kernel_copy import supported
from tests.agent.rehearsal.shells import Kernel, kernel

pytestmark = pytest.mark.skipif(supported() is not None, reason=str(supported()))

PRELUDE = """
from llmos_jupyter.effects.transaction import commit, run_in_sandbox
done = []
def T(code):
    ran = run_in_sandbox(code, get_ipython())
    if ran.cannot:
        print('CANNOT', *ran.cannot)
    done.append(commit(ran))
"""


@pytest.fixture(scope="module")
def notebook() -> Iterator[Kernel]:
    with kernel() as running:
        running.run(PRELUDE)
        yield running


def committed(notebook: Kernel, code: str) -> str:
    return notebook.run(f"T({code!r})")


def test_prints_results_and_names(notebook: Kernel) -> None:
    assert committed(notebook, "x = [1]\nprint('hello')\nx") == "hello\n[1]"
    assert notebook.run("x.append(_[0]); x, Out").startswith("([1, 1], {")
    assert committed(notebook, "x.append(2); y = x") == ""
    assert notebook.run("x is y, x") == "(True, [1, 1, 2])"
    notebook.run("done.pop().restore()")
    assert notebook.run("'y' in globals(), x") == "(False, [1, 1])"


def test_frames_show_as_tables(notebook: Kernel) -> None:
    notebook.run("import pandas as pd; df = pd.DataFrame({'a': [1, 2]})")
    committed(notebook, "df['b'] = df.a * 2\ndf")
    results = [m["content"]["data"] for m in notebook.messages if m["msg_type"] == "execute_result"]
    assert "<table" in results[0]["text/html"]
    assert notebook.run("df.b.tolist()") == "[2, 4]"


def test_plots_are_shown_once(notebook: Kernel) -> None:
    pytest.importorskip("matplotlib")
    code = "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1, 2])\nplt.show()"
    assert "CANNOT" not in committed(notebook, code)
    pictures = [m for m in notebook.messages if m["msg_type"] == "display_data"]
    assert len(pictures) == 1
    assert "image/png" in pictures[0]["content"]["data"]
    assert notebook.run("len(ax.lines), plt.get_fignums()") == "(1, [])"
    committed(notebook, "ax.set_title('t')\nfig")
    assert notebook.run("ax.get_title()") == "'t'"


def test_await_and_functions(notebook: Kernel) -> None:
    committed(notebook, "import asyncio\nasync def f(): return 3\nz = await f()\ndef g(n): return n + z")
    assert notebook.run("g(1), await f()") == "(4, 3)"


def test_what_needs_a_script_is_left_out_with_a_sentence(notebook: Kernel) -> None:
    maps = "class Map:\n    def _repr_html_(self): return '<div></div><script>alert(1)</script>'\nm = Map()\nm"
    said = committed(notebook, maps)
    assert "A script was left out" in said
    assert "`display(m)` in a cell of your own shows it." in said
    shown = [message["content"].get("data", {}) for message in notebook.messages]
    assert not any("text/html" in data for data in shown)
    committed(notebook, "from IPython.display import *\ndisplay(HTML('<b onclick=x>hi</b>'), Javascript('alert(1)'))")
    shown = [message["content"]["data"] for message in notebook.messages if message["msg_type"] == "display_data"]
    assert [data.get("text/html") for data in shown] == ["<b>hi</b>", None]
    assert not any("application/javascript" in data for data in shown)


def test_a_widget_of_the_users_is_shown_and_a_new_one_cannot_come_home(notebook: Kernel) -> None:
    pytest.importorskip("ipywidgets")
    notebook.run("import ipywidgets; slider = ipywidgets.IntSlider()")
    assert "CANNOT" not in committed(notebook, "slider")
    results = [m["content"]["data"] for m in notebook.messages if m["msg_type"] == "execute_result"]
    assert "application/vnd.jupyter.widget-view+json" in results[0]
    said = committed(notebook, "display(ipywidgets.IntSlider())")
    assert "CANNOT what it shows: the widget IntSlider works only where it was made" in said
    assert "CANNOT slider: a IntSlider in it changed" in committed(notebook, "slider.value = 5")
    assert notebook.run("slider.value") == "0"
    committed(notebook, "seen = []\nslider.observe(seen.append, 'value')")
    assert notebook.run("slider.value = 3; len(seen)") == "1"


def test_progress_bars_are_no_widgets_to_be_asked_about(notebook: Kernel) -> None:
    pytest.importorskip("ipywidgets")
    said = committed(notebook, "from tqdm.notebook import tqdm\nfor i in tqdm(range(3)): pass\nprint(i)")
    assert said == "2\n"
    assert not any(message["msg_type"] == "display_data" for message in notebook.messages)


def test_what_fails_changes_nothing(notebook: Kernel) -> None:
    assert "CannotComeHome" in committed(notebook, "w = 1\n1 / 0")
    assert "CANNOT i: it is a generator" in committed(notebook, "i = (n for n in [1])\nw = 2")
    assert notebook.run("'w' in globals(), 1 + 1") == "(False, 2)"
