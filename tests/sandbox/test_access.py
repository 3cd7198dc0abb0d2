"""What was granted loosens the sandbox by that much, and by no more."""

from __future__ import annotations

import os
import socket
import stat
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from llmos_jupyter.agent.rehearsal.kernel_copy import supported
from llmos_jupyter.protocol import Rehearsal
from llmos_jupyter.sandbox.landlock import landlock_version
from llmos_jupyter.sandbox.roots import Access
from tests.agent.rehearsal.shells import descendants, descriptors, rehearse, shell_with

pytestmark = pytest.mark.skipif(
    supported() is not None or landlock_version() < 6, reason="no lock of this kind on this machine"
)


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("work", "granted", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_text(name)
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def run(code: str, folder: Path, access: Access, **names: Any) -> Rehearsal:
    return rehearse(code, shell_with(G=str(folder / "granted"), O=str(folder / "other"), **names), access=access)


def targets(done: Rehearsal) -> list[str]:
    return [refusal.target for refusal in done.refusals]


def test_a_folder_that_may_be_read(tmp_path: Path) -> None:
    access = Access(read=(str(tmp_path / "granted"),))
    done = run("import os\nprint(open(G + '/a').read(), os.listdir(G))", tmp_path, access)
    assert (done.status, done.refusals, done.output) == ("passed", [], "granted ['a']\n")
    done = run("open(O + '/a').read()", tmp_path, access)
    assert (done.status, targets(done)) == ("refused", [f"{tmp_path}/other/a"])
    done = run("open(G + '/a', 'w')", tmp_path, access)
    assert (done.status, targets(done)) == ("refused", [f"{tmp_path}/granted/a"])


def test_a_file_that_may_be_read(tmp_path: Path) -> None:
    (tmp_path / "granted" / "b").write_text("b")
    access = Access(read=(str(tmp_path / "granted" / "a"),))
    assert run("open(G + '/a').read()", tmp_path, access).status == "passed"
    assert targets(run("open(G + '/b').read()", tmp_path, access)) == [f"{tmp_path}/granted/b"]


def test_a_folder_that_may_be_written(tmp_path: Path) -> None:
    access = Access(write=(str(tmp_path / "granted"),))
    code = """
import os, shutil
with open(G + '/new', 'w') as file: file.write('written')
shutil.copy2(G + '/new', G + '/copy')
os.chmod(G + '/copy', 0o4640)
os.utime(G + '/copy', (1_000_000, 2_000_000))
os.mkdir(G + '/folder')
os.rename(G + '/a', G + '/folder/a')
"""
    done = run(code, tmp_path, access)
    assert (done.status, done.refusals) == ("passed", []), done
    copy = tmp_path / "granted" / "copy"
    assert copy.read_text() == "written"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o640  # and no set-user-ID
    assert copy.stat().st_mtime == 2_000_000
    assert (tmp_path / "granted" / "folder" / "a").read_text() == "granted"
    for act in (
        "open(O + '/a', 'w')",
        "os.chmod(O + '/a', 0)",
        "os.rename(G + '/new', O + '/new')",
        "os.remove(O + '/a')",
    ):
        done = run(f"import os\n{act}", tmp_path, access)
        assert done.status == "refused", done
        assert all(target.startswith(f"{tmp_path}/other/") for target in targets(done))
    os.symlink(tmp_path / "other" / "a", tmp_path / "granted" / "link")
    assert run("import os\nos.chmod(G + '/link', 0)", tmp_path, access).status == "refused"
    assert (tmp_path / "other" / "a").read_text() == "other"


def test_a_file_that_is_open_already_is_written_where_it_may_be(tmp_path: Path) -> None:
    access = Access(write=(str(tmp_path / "granted"),))
    with open(tmp_path / "granted" / "a", "a") as granted, open(tmp_path / "other" / "a", "a") as other:
        done = run("granted.write('!'); granted.flush()", tmp_path, access, granted=granted)
        assert (done.status, done.refusals) == ("passed", []), done
        done = run("other.write('!'); other.flush()", tmp_path, access, other=other)
        assert targets(done) == [str(tmp_path / "other" / "a")]
    assert (tmp_path / "granted" / "a").read_text() == "granted!"
    assert (tmp_path / "other" / "a").read_text() == "other"


def test_the_network(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        code = "import socket\nwith socket.create_connection(('127.0.0.1', PORT)) as s: s.sendall(b'hello')"
        assert targets(run(code, tmp_path, Access(), PORT=port)) == ["127.0.0.1"]
        received: list[bytes] = []

        def accept() -> None:
            connection, _ = listener.accept()
            received.append(connection.recv(9))
            connection.close()

        thread = threading.Thread(target=accept)
        thread.start()
        done = run(code, tmp_path, Access(network=True), PORT=port)
        assert (done.status, done.refusals) == ("passed", [])
        thread.join()
    assert received == [b"hello"]
    # The sockets of this machine's programs are not the network.
    code = "import socket\nsocket.socket(socket.AF_UNIX).connect('/run/docker.sock')"
    assert run(code, tmp_path, Access(network=True)).status == "refused"
    assert targets(run("open(O + '/a', 'w')", tmp_path, Access(network=True))) == [f"{tmp_path}/other/a"]


def test_processes_are_held_like_the_sandbox_and_end_with_it(tmp_path: Path) -> None:
    access, others = Access(processes=True), descendants()
    done = run("import subprocess\nprint(subprocess.check_output(['echo', 'hello'], text=True))", tmp_path, access)
    assert (done.status, done.refusals, done.output) == ("passed", [], "hello\n\n"), done
    done = run("import subprocess\nsubprocess.run(['cp', 'a', O + '/new'], check=True)", tmp_path, access)
    assert targets(done) == [f"{tmp_path}/other/new"]
    assert not (tmp_path / "other" / "new").exists()
    done = run(f"import os\nos.kill({os.getpid()}, 15)", tmp_path, access)
    assert done.status != "passed"
    before = descriptors()
    run("import subprocess\nsubprocess.Popen('sleep 98 & setsid sleep 99 &', shell=True)", tmp_path, access)
    assert descendants() == others
    assert descriptors() == before
    time.sleep(0.05)
    assert not [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] in (["sleep", "98"], ["sleep", "99"])]
