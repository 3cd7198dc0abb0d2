"""A server elsewhere, used from a notebook: a real kernel, the real daemon, a real server with a key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.errors import LLMOSError
from tests.engines.servers import KEY, Misbehaving, serving
from tests.kernels import kernel


@pytest.fixture
def place() -> Iterator[str]:
    with serving() as found:
        yield found


def test_a_notebook_asks_a_server_elsewhere_and_keeps_no_key(
    home: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMOS_ENGINE", f"{place}/key/v1")
    monkeypatch.setenv("LLMOS_ENGINE_KEY", KEY)
    with serving() as elsewhere, kernel(home) as notebook:
        notebook.run("%load_ext llmos_jupyter")
        answered = notebook.run("%llmos is all well?")
        assert answered.status == "ok", answered.text
        assert "All is well." in answered.text
        status = notebook.run("%llmos status")
        assert "OpenAI-compatible server" in status.text
        doctor = notebook.run("%llmos doctor")
        assert "one after the other" in doctor.text
        other = notebook.run(f"%llmos use {elsewhere}/plain/v1#small")
        assert "This notebook now uses" in other.text
        refused = notebook.run(f"%llmos use {elsewhere}/busy/v1")
        assert "ask again in 17 seconds" in refused.text
        assert "Traceback" not in refused.text
    paths = {path.split("/")[1] for path, _, sent in Misbehaving.seen if sent}
    assert paths == {"key"}, "the key went elsewhere"
    held = [file for file in home.rglob("*") if file.is_file() and KEY.encode() in file.read_bytes()]
    assert not held, "the key was written down"


def test_what_a_server_does_wrong_is_a_sentence_in_the_daemon_too(home: Path, place: str) -> None:
    client = DaemonClient()
    for way, says in (("half", "breaks off"), ("html", "no OpenAI-compatible server"), ("key", "LLMOS_ENGINE_KEY")):
        with pytest.raises(LLMOSError, match=says):
            client.load(f"{place}/{way}/v1")
    status = client.load(f"{place}/plain/v1")
    assert status.engine is not None
    assert (status.engine.pid, status.engine.state) == (None, "ready")
    with pytest.raises(LLMOSError, match="server elsewhere"):
        client.remove(f"{place}/plain/v1")
