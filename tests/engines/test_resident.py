"""The small and the large model side by side: the real engine, two notebooks, one daemon."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path

import psutil
import pytest

from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.protocol import Done, Generation, Message, Request, Session
from llmos_jupyter.reports.tables import status_text
from tests.conftest import SMALL
from tests.kernels import kernel

pytestmark = pytest.mark.model_1_5b

LARGE = "qwen2.5-coder-1.5b"


def answer(client: DaemonClient, model: str) -> Done:
    session = Session(id=uuid.uuid4().hex, pid=os.getpid(), started=psutil.Process().create_time())
    task = client.submit(Request(id=uuid.uuid4().hex, text="words", session=session))
    asked = Generation(messages=[Message(role="user", content="Say yes.")], model=model, max_tokens=4)
    last = list(client.generate(task.id, asked, deadline=time.monotonic() + 300))[-1]
    assert isinstance(last, Done), last
    return last


def test_two_notebooks_use_the_small_and_the_large_model_in_turn(home: Path) -> None:
    client = DaemonClient()
    first = [answer(client, model) for model in (SMALL, LARGE)]
    before = {engine.model: engine.pid for engine in client.status().engines}
    again = [answer(client, model) for model in (SMALL, LARGE)]
    status = client.status()
    assert {engine.model: engine.pid for engine in status.engines} == before, "one was loaded anew"
    assert before.keys() == {SMALL, LARGE}
    assert [done.candidate.model for done in first] == [SMALL, LARGE]
    # Each has kept what it read.
    assert all(done.candidate.timings.cached_tokens > 0 for done in again)
    for engine in status.engines:
        assert engine.pid is not None
        assert engine.memory_bytes >= psutil.Process(engine.pid).memory_info().rss * 0.9
        assert f"{engine.model} on {engine.device}" in status_text(status)


def test_a_notebook_pins_a_model_and_sees_which_are_loaded(home: Path) -> None:
    with kernel(home) as notebook:
        notebook.run("%load_ext llmos_jupyter")
        pinned = notebook.run("%llmos use 0.5b --pin")
        assert f"This notebook now uses {SMALL}, which stays loaded." in pinned.text
        assert f"loaded: {SMALL} on " in (models := notebook.run("%llmos models").text)
        assert ", pinned, used " in models
        let_go = notebook.run("%llmos use 0.5b --unpin")
        assert "is ended again when other models need its memory" in let_go.text
        assert "pinned" not in notebook.run("%llmos status").text
        other = notebook.run(f"%llmos use {LARGE} --unpin")
        assert f"{LARGE} is not loaded: `%llmos models` shows which are." in other.text
        assert "Traceback" not in other.text
