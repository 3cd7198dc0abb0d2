"""Background tasks of a notebook on a real Dask cluster, and options that name a place."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmos_jupyter import config
from tests.kernels import Kernel, kernel
from tests.session.test_tasks import ended, task
from tests.workers.test_dask import Cluster

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="background cells need Linux or macOS")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    made.scheduler()
    made.worker("--resources", "GPU=1")
    yield made
    made.kill()


@pytest.fixture
def notebook(home: Path) -> Iterator[Kernel]:
    with kernel(home) as running:
        assert running.run("%load_ext llmos_jupyter").status == "ok"
        yield running


WHERE = "import os\nwhere = os.environ['LLMOS_DATA_DIR']"


def test_a_notebook_s_tasks_go_to_the_cluster_and_back(notebook: Kernel, cluster: Cluster) -> None:
    there = str(cluster.folder / "there")
    notebook.run(f"%%llmos run\n{WHERE}")
    assert there not in notebook.run("where").text
    assert "Dask scheduler" in notebook.run("%llmos config workers=tpc://x").text
    notebook.run(f"%llmos config workers={cluster.address}")
    notebook.run("x = 20")
    ran = notebook.run(f"%%llmos run --gpu 1\n{WHERE}\ny = x + 1")
    assert ran.status == "ok", ran.text
    assert notebook.run("where, y").text.strip() == f"({there!r}, 21)"
    assert "Started on cluster" in notebook.run("%llmos why 2").text
    notebook.run(f"%%llmos run --on workers\n{WHERE}")
    assert there not in notebook.run("where").text
    notebook.run("%llmos config workers=local")
    notebook.run(f"%%llmos run\n{WHERE}")
    assert there not in notebook.run("where").text
    assert [task(number).state for number in range(1, 5)] == ["done"] * 4


def test_a_place_that_does_not_exist_and_gpus_that_are_not_there(notebook: Kernel) -> None:
    for line, said in (
        ("--on moon", "no resource 'moon' to run on: choose from workers"),
        ("--gpu 5", "it needs 5 GPUs and this machine has"),
        ("--gpu -1", "--gpu cannot be -1"),
        ("--gpu x", "--gpu cannot be 'x'"),
    ):
        refused = notebook.run(f"%%llmos run -b {line}\nx = 1")
        assert refused.status == "error", line
        assert said in refused.text, refused.text
        assert "Traceback" not in refused.text


def test_a_cluster_that_is_not_there_is_waited_for(notebook: Kernel) -> None:
    config.change("workers=tcp://127.0.0.1:9")
    sent = notebook.run("import llmos_jupyter\nhandle = llmos_jupyter.submit('z = 1', gpu=1, on='cluster')")
    assert sent.status == "ok", sent.text
    until = time.monotonic() + 30
    while "does not answer" not in (shown := notebook.run("print(handle.board.bundle()['text/plain'])").text):
        assert time.monotonic() < until, shown
        time.sleep(0.2)
    notebook.run("handle.cancel()")
    assert ended(1).state == "cancelled"
