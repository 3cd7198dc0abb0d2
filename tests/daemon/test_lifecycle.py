"""There is one daemon, it lets nobody else in, and it can be killed at any time."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from llmos_jupyter import __version__, config, paths
from llmos_jupyter.agent.replay.recording import Recording, record
from llmos_jupyter.cli import main
from llmos_jupyter.daemon import lifecycle
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.daemon.stores.store import Store
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import PROTOCOL, DecisionRecord, Finish, Options, Request, Session
from llmos_jupyter.system.private_files import private_folder
from llmos_jupyter.workers import transfer
from tests.kernels import kernel


def me() -> Session:
    return Session(id="kernel", pid=os.getpid(), started=psutil.Process().create_time())


def request(text: str = "the mean") -> Request:
    return Request(id=uuid.uuid4().hex, text=text, session=me())


@pytest.fixture
def info(home: Path) -> lifecycle.RuntimeInfo:
    return lifecycle.find_or_start()


@pytest.fixture
def standing(shared_home: Path) -> lifecycle.RuntimeInfo:
    """A daemon that tests share which do nothing to it."""
    return lifecycle.find_or_start()


def get(info: lifecycle.RuntimeInfo, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{info.port}{path}", headers=headers, trust_env=False)


def test_clients_that_come_at_once_find_the_same_daemon(home: Path) -> None:
    script = "from llmos_jupyter.daemon.lifecycle import find_or_start; print(find_or_start().pid)"
    with ThreadPoolExecutor(4) as pool:
        started = [
            pool.submit(subprocess.run, [sys.executable, "-c", script], capture_output=True, text=True, check=True)
            for _ in range(4)
        ]
        pids = {int(run.result().stdout) for run in started}
    assert len(pids) == 1
    assert psutil.pid_exists(pids.pop())


def test_a_second_daemon_gives_way_to_the_first(info: lifecycle.RuntimeInfo) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "llmos_jupyter.daemon"], capture_output=True, text=True, timeout=60, check=False
    )
    assert second.returncode == 0
    assert "running already" in second.stderr
    assert lifecycle.find() == info


def test_the_runtime_file_is_the_users_alone(standing: lifecycle.RuntimeInfo) -> None:
    assert paths.runtime_file().stat().st_mode & 0o777 == 0o600
    listening = [c for c in psutil.Process(standing.pid).net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}


def modes(*folders: Path) -> dict[str, int]:
    """The rights of others on each file and folder of ours; IPython's own lie in one of these."""
    found = [*folders, *(file for folder in folders for file in folder.rglob("*") if ".ipython" not in file.parts)]
    return {file.name: file.lstat().st_mode & 0o077 for file in found if not file.is_socket()}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
@pytest.mark.parametrize("umask", [0, 0o002])
def test_all_files_are_the_users_alone_whoever_made_them(
    umask: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, run = tmp_path / "data", tmp_path / "run"
    monkeypatch.setenv("LLMOS_DATA_DIR", str(data))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(run))
    # What an older version left, and a user who shares by default.
    data.mkdir(mode=0o755)
    for name in ("llmos.db.damaged-1", "daemon.log.1", "engine.log"):
        (data / name).write_text("old")
        (data / name).chmod(0o644)
    (data / "llmos.db").touch(0o644)
    for name in ("jobs", "results", "states", "workers"):
        (data / name / "old").mkdir(parents=True)
        (data / name / "old" / "1.pickle").touch(0o666)
    before = os.umask(umask)
    try:
        assert main(["config", "yield_cores=true"]) == 0
        config.change("mode=ask")  # as a kernel does
        Recording(tmp_path / "n.llmos.json").add(record("x", Options(), {}, kind="code", answer="1", model="m"))
        DaemonClient().submit(request())
        transfer.pack_known({"x": [1, 2]}, paths.jobs_dir() / "new")
        assert (data / "llmos.db-wal").stat().st_size
        assert {name for name, others in modes(data, run).items() if others} == set()
        (tmp_path / "mine").touch()
        assert (tmp_path / "mine").stat().st_mode & 0o777 == 0o666 & ~umask
    finally:
        os.umask(before)
        lifecycle.stop()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes, and no background cells")
def test_what_background_cells_leave_is_the_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, run = tmp_path / "home" / "data", tmp_path / "home" / "run"
    monkeypatch.setenv("LLMOS_DATA_DIR", str(data))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(run))
    monkeypatch.setenv("LLMOS_MODEL_DIR", str(tmp_path / "no-models"))
    before = os.umask(0)
    try:
        with kernel(tmp_path) as running:
            running.run("%load_ext llmos_jupyter\nx = [1, 2]")
            running.run("%%llmos run -b\nopen('theirs', 'w').close()\ny = x * 1000\nimport time\ntime.sleep(1)")
            seen: dict[str, int] = {}
            deadline = time.monotonic() + 20
            while not (tmp_path / "theirs").exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            seen |= modes(data, run)  # while the worker lives
            running.run("%llmos wait")
            seen |= modes(data, run)
            assert running.value("len(y)") == "2000"
        assert {"jobs", "workers", "results", "job.json", "llmos.db"} <= seen.keys()
        assert {name for name, others in seen.items() if others} == set()
        assert (tmp_path / "theirs").stat().st_mode & 0o777 == 0o666
    finally:
        os.umask(before)
        lifecycle.stop()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_a_folder_that_all_share_stays_as_it_is(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    private_folder(shared)
    assert shared.stat().st_mode & 0o7777 == 0o1777
    (tmp_path / "link").symlink_to(shared)
    private_folder(tmp_path / "link")
    assert shared.stat().st_mode & 0o7777 == 0o1777
    assert private_folder(tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("path", ["/v1/status", "/v1/tasks", "/v1/live", "/openapi.json", "/docs", "/", "/nothing"])
def test_no_route_without_the_token(standing: lifecycle.RuntimeInfo, path: str) -> None:
    assert get(standing, path).status_code == 401
    assert get(standing, path, authorization="Bearer wrong").status_code == 401
    assert get(standing, path, authorization=standing.token).status_code == 401


def test_pages_of_other_sites_are_turned_away(standing: lifecycle.RuntimeInfo) -> None:
    token = f"Bearer {standing.token}"
    assert get(standing, "/v1/status", authorization=token).status_code == 200
    assert get(standing, "/v1/status", authorization=token, host="evil.example").status_code == 400
    assert get(standing, "/v1/status", authorization=token, host="127.0.0.1.evil.example").status_code == 400
    assert get(standing, "/v1/status", authorization=token, origin="https://evil.example").status_code == 403
    assert get(standing, "/v1/status", authorization=token, origin="null").status_code == 403


def test_every_route_and_type_stands_in_the_schema(standing: lifecycle.RuntimeInfo) -> None:
    schema = get(standing, "/openapi.json", authorization=f"Bearer {standing.token}").json()
    operations = {route["operationId"] for methods in schema["paths"].values() for route in methods.values()}
    assert operations >= {"status", "live", "submit", "trace", "cancel", "record", "finish", "generate", "models"}
    assert {"StreamEvent", "Trace", "Candidate", "Rehearsal", "Problem"} <= set(schema["components"]["schemas"])
    for methods in schema["paths"].values():
        for route in methods.values():
            good = next(answer for code, answer in route["responses"].items() if code.startswith("2"))
            assert all(content.get("schema") is not None for content in good["content"].values()), route


def test_bad_bodies_get_a_sentence(standing: lifecycle.RuntimeInfo) -> None:
    answer = httpx.post(
        f"http://127.0.0.1:{standing.port}/v1/tasks",
        headers={"Authorization": f"Bearer {standing.token}"},
        json={"id": "short"},
        trust_env=False,
    )
    assert answer.status_code == 422
    assert answer.json()["message"]


def test_stale_runtime_files_do_not_matter(home: Path) -> None:
    paths.runtime_dir().mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        dead = {"pid": 2**22 - 3, "port": stranger.getsockname()[1], "token": "t", "version": "0", "protocol": PROTOCOL}
        for text in ("", "{", "[]", '{"pid": 1}', json.dumps(dead | {"started": 0.0})):
            paths.runtime_file().write_text(text)
            assert lifecycle.find() is None
    assert DaemonClient().status().version == __version__


@pytest.mark.parametrize(("protocol", "word"), [(PROTOCOL - 1, "older"), (PROTOCOL + 1, "newer")])
def test_another_version_is_named_with_the_remedy(info: lifecycle.RuntimeInfo, protocol: int, word: str) -> None:
    content = info.model_copy(update={"protocol": protocol}).model_dump_json()
    paths.runtime_file().write_text(content)
    with pytest.raises(LLMOSError, match=f"{word}.*restart"):
        DaemonClient().status()


def test_a_killed_daemon_comes_back_with_all_tasks(info: lifecycle.RuntimeInfo) -> None:
    client = DaemonClient()
    task = client.submit(request())
    client.record(task.id, DecisionRecord(round=0, decision="noted"))
    os.kill(info.pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(info.pid)] if psutil.pid_exists(info.pid) else [], timeout=10)
    trace = client.trace(str(task.number))
    assert trace.task.text == "the mean"
    assert client.finish(task.id, Finish(state="done")).state == "done"
    assert client.status().pid != info.pid


def test_a_cell_that_was_half_accepted_keeps_no_daemon_from_starting(home: Path) -> None:
    """The machine was turned off between the task and its job."""
    store = Store(paths.database_file())
    half = Request(id=uuid.uuid4().hex, kind="run", text="1", options=Options(background=True), session=me())
    store.accept(half)
    store.close()
    client = DaemonClient()
    told = client.trace(half.id).task
    assert (told.state, "run its cell again" in told.reason) == ("failed", True)


def test_an_idle_daemon_ends_itself(home: Path) -> None:
    config.change("exit_after=1")
    found = lifecycle.find_or_start()
    psutil.Process(found.pid).wait(30)
    assert not paths.runtime_file().exists()


def test_a_task_whose_kernel_is_gone_is_ended(standing: lifecycle.RuntimeInfo) -> None:
    client = DaemonClient()
    gone = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    session = Session(id="gone", pid=gone.pid, started=psutil.Process(gone.pid).create_time())
    task = client.submit(Request(id=uuid.uuid4().hex, text="x", session=session))
    gone.kill()
    gone.wait()
    deadline = time.monotonic() + 30
    while client.trace(task.id).task.state != "failed":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert "kernel ended" in client.trace(task.id).task.reason


def test_stopping_ends_it(info: lifecycle.RuntimeInfo) -> None:
    assert lifecycle.stop()
    assert not psutil.pid_exists(info.pid) or psutil.Process(info.pid).status() == psutil.STATUS_ZOMBIE
    assert not paths.runtime_file().exists()
    assert not lifecycle.stop()
    with pytest.raises(LLMOSError, match="No llmos daemon"):
        DaemonClient(start=False).status()
