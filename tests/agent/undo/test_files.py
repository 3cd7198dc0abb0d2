"""Files that a run changed, put back from copies."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from pathlib import Path

import pytest

from llmos_jupyter.agent.undo.files import FileKeeper
from tests.agent.rehearsal.shells import tree

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes and links of Unix")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("a,b\n1,2\n")
    (tmp_path / "data" / "deep").mkdir()
    (tmp_path / "data" / "deep" / "b.txt").write_text("b")
    os.chmod(tmp_path / "data" / "a.csv", 0o640)
    os.utime(tmp_path / "data" / "a.csv", ns=(10**18, 10**18))
    (tmp_path / "link").symlink_to("data/a.csv")
    return tmp_path


def test_everything_at_once(folder: Path) -> None:
    before = tree(folder)
    keeper = FileKeeper(1 << 20)
    data = folder / "data"
    for path in (data, folder / "link", folder / "new" / "sub" / "c.txt", folder / "moved.txt"):
        keeper.keep(path)
    (folder / "link").write_text("through the link")
    os.rename(data / "deep" / "b.txt", folder / "moved.txt")
    (folder / "new" / "sub").mkdir(parents=True)
    (folder / "new" / "sub" / "c.txt").write_text("c")
    shutil.rmtree(data)
    keeper.ran()
    notes = keeper.restore()
    after = tree(folder)
    for name, status in before.items():
        if Path(name) != folder:
            assert after[name] == status, name
    assert after.keys() == before.keys()
    assert f"removed {folder / 'moved.txt'}" in notes
    assert keeper.restore() == []
    keeper.close()


def test_a_link_to_nothing(folder: Path) -> None:
    link = folder / "dangling"
    link.symlink_to("nowhere")
    keeper = FileKeeper(1 << 20)
    keeper.keep(link)
    link.write_text("makes the target")
    link.unlink()
    keeper.restore()
    assert os.readlink(link) == "nowhere"
    assert not (folder / "nowhere").exists()


def test_the_users_later_file_stays(folder: Path) -> None:
    keeper = FileKeeper(1 << 20)
    path = folder / "data" / "a.csv"
    keeper.keep(str(path))
    path.write_text("answer")
    keeper.ran()
    path.write_text("the user's")
    assert keeper.restore() == [f"{path} was changed again after the answer, and stayed as it is."]
    assert path.read_text() == "the user's"


def test_a_folder_with_something_else_in_it_stays(folder: Path) -> None:
    keeper = FileKeeper(1 << 20)
    keeper.keep(folder / "made")
    (folder / "made").mkdir()
    keeper.ran()
    (folder / "made" / "mine").write_text("x")
    assert keeper.restore() == [f"The folder {folder / 'made'} stayed, because something else is in it."]


def test_over_the_limit(folder: Path) -> None:
    keeper = FileKeeper(4)
    keeper.keep(folder / "data" / "a.csv")
    (sentence,) = keeper.impossible
    assert sentence.endswith("cannot be restored: with it, copies would need 8 bytes, and undo may keep 4 bytes.")
    (folder / "data" / "a.csv").write_text("x")
    assert keeper.restore() == []


def test_hard_links_and_descriptors(folder: Path) -> None:
    path = folder / "data" / "a.csv"
    os.link(path, folder / "twin")
    keeper = FileKeeper(1 << 20)
    with path.open("r+b") as file:
        keeper.keep(file.fileno() if os.path.exists("/proc/self/fd") else path)
        file.truncate(0)
    keeper.restore()
    assert (folder / "twin").read_text() == "a,b\n1,2\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_copies_are_private_and_go(folder: Path) -> None:
    keeper = FileKeeper(1 << 20)
    keeper.keep(folder / "data" / "a.csv")
    private = Path(keeper._folder)
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    keeper.close()
    assert not private.exists()


def test_what_cannot_be_written_back_is_said(folder: Path) -> None:
    path = folder / "data" / "a.csv"
    keeper = FileKeeper(1 << 20)
    keeper.keep(path)
    path.unlink()
    path.mkdir()
    keeper.ran()
    (note,) = keeper.restore()
    assert "could not be restored" in note
    assert Path(note.rpartition("is in ")[2].partition(" until")[0]).read_text() == "a,b\n1,2\n"
