"""A grant loosens the sandbox by that much, and never the notebook's kernel."""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
from pathlib import Path

import pytest

from llmos_jupyter.agent.answering import events
from llmos_jupyter.effects.copy.kernel_copy import supported
from llmos_jupyter.sandbox import seccomp_filter
from llmos_jupyter.sandbox.landlock import landlock_version
from tests.agent.answering.test_loop import Scene, block
from tests.effects.copy.shells import tree

pytestmark = pytest.mark.skipif(
    supported() is not None or landlock_version() < 6 or not seccomp_filter.available(), reason="no lock of this kind"
)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    for name in ("work", "granted", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_text(f"{name}\n")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    scene = Scene(tmp_path)
    scene.moved(tmp_path / "work", monkeypatch)
    scene.shell.user_ns |= {"G": str(tmp_path / "granted"), "O": str(tmp_path / "other"), "KERNEL": os.getpid()}
    return scene


def questions(scene: Scene) -> list[str]:
    return [event.why for event in scene.seen if isinstance(event, events.Question)]


def notes(scene: Scene) -> str:
    return " ".join(event.text for event in scene.seen if isinstance(event, events.Noted))


APPEND = "import os\nwith open(G + '/a', 'a') as f: f.write(f'{os.getpid()}\\n')\nx = 1"


def test_a_granted_file_is_written_once_by_the_sandbox(scene: Scene, tmp_path: Path) -> None:
    scene.rights.grants.allow(f"write {tmp_path / 'granted'}")
    assert scene.ask(block(APPEND)) == "done"
    first, *more = (tmp_path / "granted" / "a").read_text().splitlines()
    assert first == "granted"
    assert len(more) == 1
    assert more != [str(os.getpid())]
    assert scene["x"] == 1
    assert questions(scene) == []


def test_a_yes_is_a_grant_of_the_folder(scene: Scene, tmp_path: Path) -> None:
    assert scene.ask(block(APPEND), say=True) == "done"
    assert len((tmp_path / "granted" / "a").read_text().splitlines()) == 2
    assert questions(scene) == [f"it wants to write files ({tmp_path}/granted/a)"]
    assert scene.rights.grants.access().write == (str(tmp_path / "granted"),)


@pytest.mark.parametrize("say", [False, None])
def test_without_a_yes_all_stays(scene: Scene, tmp_path: Path, say: bool | None) -> None:
    before = tree(tmp_path / "granted")
    assert scene.ask(block(APPEND), say=say) == "done"
    assert tree(tmp_path / "granted") == before
    assert "x" not in scene.shell.user_ns
    assert isinstance(scene.last, events.Shown)


def test_a_refusal_that_the_code_swallows_is_granted_and_done(scene: Scene, tmp_path: Path) -> None:
    code = "try:\n    open(G + '/new', 'w').write('x')\nexcept OSError as error:\n    print(error)\nx = 1"
    assert scene.ask(block(code), say=True) == "done"
    assert (tmp_path / "granted" / "new").read_text() == "x"
    assert scene["x"] == 1


CHANGES = """
import os, shutil
with open(G + '/a', 'w') as f: f.write('changed')
os.mkdir(G + '/folder')
open(G + '/folder/new', 'w').write('new')
shutil.rmtree(G + '/deep')
os.rename(G + '/moved', G + '/folder/moved')
os.replace(G + '/folder/new', G + '/replaced')
os.truncate(G + '/cut', 1)
os.link(G + '/linked', G + '/twin')
open(G + '/twin', 'a').write('through the twin')
os.chmod(G + '/a', 0o600)
os.symlink('a', G + '/link')
log.append(1)
made = 2
"""


def content(folder: Path) -> dict[str, object]:
    """Of all that a folder holds mode, size, time and bytes; of folders in it the mode, for undo makes some anew."""
    return {
        name: status[:1] if Path(name).is_dir() and not Path(name).is_symlink() else status
        for name, status in tree(folder).items()
        if name != str(folder)
    }


def changed(scene: Scene, folder: Path) -> dict[str, object]:
    for name in ("moved/deep", "deep/er"):
        (folder / name).mkdir(parents=True)
        (folder / name / "file").write_text(name)
    for name in ("replaced", "cut", "linked"):
        (folder / name).write_text(name)
    scene.shell.user_ns["log"] = []
    scene.rights.grants.allow(f"write {folder}")
    return content(folder)


def test_undo_brings_back_files_and_names_together(scene: Scene, tmp_path: Path) -> None:
    folder = tmp_path / "granted"
    before = changed(scene, folder)
    assert scene.ask(block(CHANGES)) == "done"
    assert (folder / "linked").read_text() == "linkedthrough the twin"
    assert (folder / "folder" / "moved" / "deep" / "file").exists()
    assert scene["log"] == [1]
    said = scene.rights.history.undo(scene.shell)
    assert content(folder) == before, said
    assert scene["log"] == []
    assert "made" not in scene.shell.user_ns


def test_what_a_thread_changed_meanwhile_is_kept_and_nobody_is_asked(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    xs: list[str] = []
    scene.shell.user_ns["xs"] = xs
    over = threading.Event()

    def write() -> None:
        while not over.wait(0.05):
            xs.append("thread")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert scene.ask(block("import time\ntime.sleep(0.5)\nxs.append('answer')\nx = 1")) == "failed"
    finally:
        over.set()
        thread.join()
    assert set(xs) == {"thread"}
    assert "x" not in scene.shell.user_ns
    assert questions(scene) == []
    assert "`xs` was changed in the notebook while the code ran" in capsys.readouterr().err.lower()


def test_what_a_failing_run_wrote_is_put_back(scene: Scene, tmp_path: Path) -> None:
    folder = tmp_path / "granted"
    before = changed(scene, folder)
    assert scene.ask(block(f"{CHANGES}\n1 / 0"), retries=0) == "failed"
    assert content(folder) == before
    assert scene["log"] == []
    assert f"put back: removed {folder}" in notes(scene)
    assert len(scene.rights.history) == 0


def test_what_else_a_run_wants_is_asked_with_everything_as_it_was(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "work" / "path").write_text(str(tmp_path / "other" / "a"))
    code = f"{APPEND}\nopen(open('path').read(), 'w').write('second')"
    assert scene.ask(block(code), say=True) == "done"
    assert questions(scene) == [
        f"it wants to write files ({tmp_path}/granted/a)",
        f"it wants to write files ({tmp_path}/other/a)",
    ]
    assert len((tmp_path / "granted" / "a").read_text().splitlines()) == 2
    assert (tmp_path / "other" / "a").read_text() == "second"
    scene.rights.history.undo(scene.shell)
    assert (tmp_path / "granted" / "a").read_text() == "granted\n"
    assert (tmp_path / "other" / "a").read_text() == "other\n"


def test_a_no_to_the_second_question_undoes_the_first(scene: Scene, tmp_path: Path) -> None:
    scene.rights.grants.allow(f"write {tmp_path / 'granted'}")
    (tmp_path / "work" / "path").write_text(str(tmp_path / "other" / "a"))
    assert scene.ask(block(f"{APPEND}\nopen(open('path').read(), 'w')"), say=False) == "done"
    assert (tmp_path / "granted" / "a").read_text() == "granted\n"
    assert "x" not in scene.shell.user_ns
    assert "put back: restored" in notes(scene)


def test_a_file_that_the_notebook_has_open_is_kept_too(scene: Scene, tmp_path: Path) -> None:
    scene.rights.grants.allow(f"write {tmp_path / 'granted'}")
    with open(tmp_path / "granted" / "a", "r+b", buffering=0) as file:
        scene.shell.user_ns["number"] = file.fileno()
        assert scene.ask(block("import os\nos.pwrite(number, b'GRANTED', 0)\nx = 1")) == "done"
        assert (tmp_path / "granted" / "a").read_text() == "GRANTED\n"
        scene.rights.history.undo(scene.shell)
    assert (tmp_path / "granted" / "a").read_text() == "granted\n"


def test_a_file_that_was_granted_before_it_was_there(scene: Scene, tmp_path: Path) -> None:
    new = tmp_path / "other" / "new"
    scene.rights.grants.allow(f"write {new}")
    code = (
        "path = O + '/new'\nprint(open(path, 'x').write('one'))\nopen(path, 'a').write('two')\nsaid = open(path).read()"
    )
    assert scene.ask(block(code)) == "done"
    assert questions(scene) == []
    assert new.read_text() == scene["said"] == "onetwo"
    scene.rights.history.undo(scene.shell)
    assert not new.exists()
    # And nothing beside it.
    assert scene.ask(block(f"{code}\nopen(O + '/' + 'n' * 2, 'w')"), say=False) == "done"
    assert os.listdir(tmp_path / "other") == ["a"]
    new.symlink_to("a")
    assert scene.ask(block("open(O + '/new', 'w').write('through a link')"), say=False) == "done"
    assert (tmp_path / "other" / "a").read_text() == "other\n"


def test_a_file_over_the_limit_is_told(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmos_jupyter.agent.run.running.UNDO_FILES", 4)
    scene.rights.grants.allow(f"write {tmp_path / 'granted'}")
    assert scene.ask(block(APPEND)) == "done"
    assert f"undo: {tmp_path}/granted/a cannot be restored" in notes(scene)


def test_a_database_is_written_and_undone(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "granted" / "d.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("create table t as select 1 as a")
    database.close()
    code = (
        "import sqlite3\nc = sqlite3.connect(G + '/d.sqlite')\nc.execute('delete from t')\nc.commit()\nc.close()\ndel c"
    )
    assert scene.ask(block(code), say=True) == "done"

    def rows() -> list[tuple[int]]:
        with sqlite3.connect(path) as database:
            found = database.execute("select * from t").fetchall()
        database.close()
        return found

    assert rows() == []
    scene.rights.history.undo(scene.shell)
    assert rows() == [(1,)]


def test_processes_run_in_the_sandbox(scene: Scene, tmp_path: Path) -> None:
    code = (
        "import subprocess, os\nparent = subprocess.check_output(['sh', '-c', 'echo $PPID'], text=True).strip()\n"
        "own = str(os.getpid())\n!echo hello; echo {own}\nlines = !echo one\nlines = list(lines)"
    )
    assert scene.ask(block(code), say=True) == "done"
    assert questions(scene)[1:] == []
    assert scene["parent"] == scene["own"] != str(os.getpid())
    assert scene["lines"] == ["one"]
    # The yes was for that answer.
    assert scene.ask(block(code), say=None) == "done"
    assert len(questions(scene)) == 1
    assert isinstance(scene.last, events.Shown)


def test_what_processes_print_is_seen(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.rights.grants.allow("processes")
    code = "import os, subprocess\nsubprocess.run(['echo', 'héllo'])\nstatus = os.system('echo again >&2; sleep 99 &')"
    assert scene.ask(block(code)) == "done"
    assert questions(scene) == []
    assert tuple(capsys.readouterr()) == ("héllo\n", "again\n")


def test_a_process_writes_no_more_than_was_granted_and_is_undone(scene: Scene, tmp_path: Path) -> None:
    scene.rights.grants.allow("processes")
    scene.rights.grants.allow(f"write {tmp_path / 'granted'}")
    code = "import subprocess\nsubprocess.run(['sh', '-c', f'echo x > {G}/a'], check=True)\nx = 1"
    assert scene.ask(block(code)) == "done"
    assert (tmp_path / "granted" / "a").read_text() == "x\n"
    scene.rights.history.undo(scene.shell)
    assert (tmp_path / "granted" / "a").read_text() == "granted\n"
    assert scene.ask(block(code.replace("{G}", "{O}")), say=None) == "done"
    (why,) = questions(scene)
    assert why.startswith(f"it wants to write files ({tmp_path}/other/a); what it has done so far")
    assert (tmp_path / "other" / "a").read_text() == "other\n"


def test_the_network_is_reached_from_the_sandbox(scene: Scene) -> None:
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)

        def accept() -> None:
            connection, _ = listener.accept()
            received.append(connection.recv(99))
            connection.sendall(b"answer")
            connection.close()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        scene.shell.user_ns["PORT"] = listener.getsockname()[1]
        code = (
            "import socket, os\nwith socket.create_connection(('127.0.0.1', PORT)) as s:\n"
            "    s.sendall(str(os.getpid()).encode())\n    said = s.recv(99)\ndel s"
        )
        assert scene.ask(block(code), say=True) == "done"
        thread.join()
    assert scene["said"] == b"answer"
    assert len(received) == 1
    assert received != [str(os.getpid()).encode()]


# --- the notebook itself ----------------------------------------------------------------------------

THREAD = "import threading, time\nthreading.Thread(target=time.sleep, args=(3,), daemon=True).start()"
OUTSIDE = "this has to run in the notebook itself, outside the sandbox"


@pytest.mark.parametrize("say", [True, False, None])
@pytest.mark.parametrize("code", ["i = (n for n in [1])", THREAD])
def test_what_cannot_come_home_runs_in_the_notebook_after_a_yes(scene: Scene, code: str, say: bool | None) -> None:
    for grant in ("write files", "read files", "network", "processes", "install"):
        scene.rights.grants.allow(grant)
    assert scene.ask(block(f"{code}\nimport os\nwhere = os.getpid()"), say=say) == "done"
    assert [why.partition(" (")[0] for why in questions(scene)] == [OUTSIDE]
    assert scene.shell.user_ns.get("where") == (os.getpid() if say else None)
    assert isinstance(scene.last, events.Ran if say else events.Shown)


def test_what_was_written_before_it_turned_out_is_put_back(scene: Scene, tmp_path: Path) -> None:
    code = f"{APPEND}\ni = (n for n in [1])"
    assert scene.ask(block(code), say=True) == "done"
    assert questions(scene)[1].startswith(OUTSIDE)
    assert (tmp_path / "granted" / "a").read_text() == f"granted\n{os.getpid()}\n"


def test_where_there_is_no_sandbox_each_answer_is_asked_about(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "llmos_jupyter.effects.copy.kernel_copy.supported", lambda: "There is no sandbox on this system."
    )
    assert scene.ask(block("x = 1"), say=None) == "done"
    assert [why.startswith(OUTSIDE) for why in questions(scene)] == [True]
    assert "x" not in scene.shell.user_ns
    assert scene.ask(block("x = 1"), say=True) == "done"
    assert scene["x"] == 1


def test_an_administrator_s_cap_keeps_code_out_of_the_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMOS_MAX_GRANTS", "read")
    scene = Scene(tmp_path)
    assert scene.ask(block("i = (n for n in [1])"), say=True) == "done"
    assert questions(scene) == []
    assert isinstance(scene.last, events.Shown)
    assert "administrator" in scene.last.why


def test_what_the_sandbox_never_lets_through_runs_in_the_notebook_after_a_yes(scene: Scene, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        scene.shell.user_ns["PATH"] = path
        code = "import socket\nwith socket.socket(socket.AF_UNIX) as s: s.connect(PATH)\ndel s\nx = 1"
        assert scene.ask(block(code), say=True) == "done"
    assert questions(scene)[-1].startswith(f"{OUTSIDE} (the sandbox does not let it do this")
    assert scene["x"] == 1
