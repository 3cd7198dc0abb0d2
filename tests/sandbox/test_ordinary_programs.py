"""What ordinary programs do for their own ends is no refusal: nobody is asked about it."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from llmos_jupyter.agent.rehearsal.kernel_copy import supported
from tests.agent.rehearsal.shells import rehearse, shell_with

pytestmark = pytest.mark.skipif(supported() is not None, reason=str(supported()))

PROGRAMS = {
    "read_csv": "import pandas as pd\nassert pd.read_csv('data.csv').sales.sum() == 7",
    "pickle in temp": (
        "import pickle, tempfile\nwith tempfile.TemporaryDirectory() as d:\n"
        "    with open(d + '/x', 'wb') as f: pickle.dump([1], f)\n"
        "    with open(d + '/x', 'rb') as f: assert pickle.load(f) == [1]"
    ),
    "a named temporary file": "import tempfile\nwith tempfile.NamedTemporaryFile('w+') as f: f.write('x')",
    "files copied in temp": (
        "import os, pathlib, shutil, tempfile\nd = tempfile.mkdtemp()\npathlib.Path(d, 'a').write_text('1')\n"
        "shutil.copy2(d + '/a', d + '/b')\nshutil.copytree('.', d + '/c')\nos.utime(d + '/b', (1, 1))\n"
        "os.chmod(d + '/b', 0o600)\nshutil.make_archive(d + '/z', 'zip', d + '/c')\nshutil.rmtree(d)"
    ),
    "time zones": "import datetime, zoneinfo\ndatetime.datetime.now(zoneinfo.ZoneInfo('Europe/Oslo'))",
    "listing": "import glob, os, pathlib\nassert glob.glob('*.csv') == os.listdir('.') == ['data.csv']",
    "what is not there": (
        "import os\nos.path.exists('/root/.ssh/id')\nfor name in ('absent', '/root/absent', '/absent/too'):\n"
        "    try: open(name)\n    except FileNotFoundError: pass\n    try: open('/absent/x', 'w')\n"
        "    except FileNotFoundError: pass\nos.makedirs('/tmp', exist_ok=True)\n"
        "try: os.remove('/tmp/llmos-absent')\nexcept FileNotFoundError: pass"
    ),
    "imports": "import requests, json, xml.dom.minidom, ssl, sqlite3, asyncio, scipy.stats, IPython",
    "source of a library": "import inspect, json\nassert 'def dumps' in inspect.getsource(json)",
    "installed packages": "import importlib.metadata as m\nassert len(list(m.distributions())) > 20",
    "the machine": (
        "import ctypes.util, os, platform, psutil, socket\nplatform.platform(); platform.processor()\n"
        "ctypes.util.find_library('c')\npsutil.cpu_percent(); psutil.virtual_memory(); psutil.disk_usage('.')\n"
        "psutil.Process().memory_info(); psutil.cpu_count(False); socket.gethostname()"
    ),
    "TLS": "import mimetypes, ssl\nssl.create_default_context()\nmimetypes.guess_type('a.csv')",
    "threads": "import asyncio\nawait asyncio.gather(*[asyncio.to_thread(abs, -1) for _ in range(3)])",
    "semaphores": "import multiprocessing\nwith multiprocessing.Lock(): pass\nmultiprocessing.Queue()",
    "a progress bar": "from tqdm import tqdm\nfor _ in tqdm(range(3)): pass",
    "a database in memory": "import sqlite3\nsqlite3.connect(':memory:').execute('create table t(a)')",
    "a pair of sockets": (
        "import socket\na, b = socket.socketpair()\na.sendmsg([b'x'])\nassert b.recv(1) == b'x'\n"
        "socket.socket().close()"
    ),
    "scikit-learn": (
        "from sklearn.datasets import load_iris\nfrom sklearn.ensemble import RandomForestClassifier\n"
        "X, y = load_iris(return_X_y=True)\nassert RandomForestClassifier(5, n_jobs=2).fit(X, y).score(X, y) > 0.8"
    ),
    "matplotlib": (
        "import io, matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\n"
        "plt.title('a font')\nplt.savefig(io.BytesIO())"
    ),
    "polars": "import polars as pl\nassert pl.read_csv('data.csv')['sales'].sum() == 7",
}


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data.csv").write_text("day,sales\n2024-01-01,3\n2024-01-02,4\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("code", PROGRAMS.values(), ids=PROGRAMS)
def test_an_ordinary_program_has_no_refusal(code: str, work: Path) -> None:
    if "polars" in code and "polars" in sys.modules:
        pytest.skip("another test has started polars' threads, which no fork can copy")
    done = rehearse(code, shell_with(), budget_seconds=60)
    assert (done.status, done.refusals, done.error) == ("passed", [], None), done
    assert os.listdir(work) == ["data.csv"]


def test_seaborn_has_no_refusal(work: Path) -> None:
    pytest.importorskip("seaborn")
    done = rehearse("import seaborn, matplotlib\nmatplotlib.use('agg')\nseaborn.histplot([1, 2])", shell_with())
    assert (done.status, done.refusals) == ("passed", []), done


def test_a_process_is_refused_but_not_what_a_library_asks_the_system(work: Path) -> None:
    code = "import subprocess, platform\nplatform.processor()\ntry: subprocess.run(['git'])\nexcept OSError: pass"
    assert [refusal.target for refusal in rehearse(code, shell_with()).refusals] == ["git"]


def test_opening_stays_quick(work: Path) -> None:
    """Every opening is put to the process outside; ten thousand must not take longer than a slow import."""
    code = "import os\nfor _ in range(10_000): os.close(os.open('data.csv', 0))"
    started = time.monotonic()
    assert rehearse(code, shell_with(), budget_seconds=60).status == "passed"
    assert time.monotonic() - started < 10
