"""Which files all code may read, and that nothing code does changes that."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from llmos_jupyter.agent.capability.own_files import own_files
from llmos_jupyter.agent.rehearsal.kernel_copy import supported
from llmos_jupyter.sandbox.landlock import landlock_version
from llmos_jupyter.sandbox.roots import Access, Roots, fix_roots, roots_of
from tests.agent.rehearsal.shells import rehearse, shell_with

needs_lock = pytest.mark.skipif(supported() is not None or not landlock_version(), reason="no lock of this kind")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    for name in (".ssh", ".config", "project", "other", ".cache/matplotlib", "scikit_learn_data"):
        (folder / name).mkdir(parents=True)
        (folder / name / "a").write_text("a")
    (folder / "data.csv").write_text("x\n1\n")
    (folder / ".netrc").write_text("secret")
    monkeypatch.setenv("HOME", str(folder))
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR"):
        monkeypatch.delenv(name, raising=False)
    return folder


def test_a_project_in_the_home_folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home / "project")
    roots = Roots.here()
    for path in ("project/a", ".cache/matplotlib/a", "scikit_learn_data/a"):
        assert roots.may_read(str(home / path))
    for path in ("data.csv", "other/a", ".ssh/a", ".netrc", ".config/a", "", "project2/a"):
        assert not roots.may_read(str(home / path))
    for path in (sys.executable, os.__file__, pytest.__file__, "/usr/share/zoneinfo/UTC", "/dev/urandom"):
        assert roots.may_read(os.path.realpath(path))
    for path in (
        "/",
        "/etc/shadow",
        "/etc/passwd",
        "/root/.bashrc",
        "/var/log/syslog",
        "/proc/1/environ",
        "/etc/ssl/private/k",
    ):
        assert not roots.may_read(path)


def test_no_bytecode_may_be_written(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home / "project")
    roots = Roots.here()
    for folder in (home / "project", home / "other", Path(os.__file__).parent):
        assert not roots.may_write(str(folder / "__pycache__" / "x.cpython-311.pyc"))
    assert roots.may_write(str(home / ".cache" / "matplotlib" / "fontlist.json"))
    assert not roots.may_write(str(home / ".cache" / "other"))


def test_what_code_changes_later_changes_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home / "project")
    shell = shell_with()
    roots = fix_roots(shell)
    os.chdir("/")
    monkeypatch.setenv("MPLCONFIGDIR", str(home / "other"))
    monkeypatch.setenv("HOME", "/")
    monkeypatch.syspath_prepend(str(home / "other"))
    assert fix_roots(shell) is roots_of(shell) is roots
    assert not roots.may_read(str(home / "other" / "a"))
    assert not roots.may_write(str(home / "other" / "a"))


@pytest.mark.parametrize("levels", [0, 1, 2, 20])
def test_an_environment_that_names_everything_opens_nothing(
    levels: int, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPLCONFIGDIR", str(home) + "/.." * levels)
    monkeypatch.setenv("SEABORN_DATA", str(home))
    monkeypatch.syspath_prepend(str(home))
    monkeypatch.chdir(home / "project")
    roots = Roots.here()
    assert not roots.may_read(str(home / ".ssh" / "a"))
    assert not roots.may_write(str(home / "other" / "a"))


@needs_lock
def test_a_notebook_in_the_home_folder_does_not_read_what_is_hidden(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    (home / "link").symlink_to(home / ".ssh" / "a")
    shell = shell_with()
    done = rehearse("import os\nprint(open('data.csv').read(), open('other/a').read(), len(os.listdir('.')))", shell)
    assert (done.status, done.refusals) == ("passed", []), done
    for path in (".ssh/a", ".netrc", "link"):
        done = rehearse(f"open({path!r})", shell)
        assert done.status == "refused"
        assert [refusal.target for refusal in done.refusals] == [os.path.realpath(home / path)]


@needs_lock
def test_a_notebook_in_a_wide_folder_reads_the_files_that_lie_there(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home.parent)
    (home.parent / "here.txt").write_text("x")
    shell = shell_with()
    assert rehearse("open('here.txt').read()", shell).status == "passed"
    assert rehearse("open('home/.netrc').read()", shell).status == "refused"


@needs_lock
def test_files_and_modules_that_the_users_cells_name(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home / "project")
    (home / "other" / "helper_of_mine.py").write_text("x = 7")
    cells = [
        f"import sys\nsys.path.append({str(home / 'other')!r})",
        f"df = read({str(home / 'data.csv')!r})",
        "os.listdir('/')",
    ]
    named = own_files(cells)
    assert named == {str(home / "other"), str(home / "data.csv")}
    access = Access(read=tuple(sorted(named)))
    code = (
        f"open({str(home / 'data.csv')!r})\nimport sys\nsys.path.append({str(home / 'other')!r})\nimport helper_of_mine"
    )
    assert rehearse(code, shell_with(), access=access).status == "passed"
    assert rehearse(code, shell_with()).status == "refused"


@needs_lock
def test_paths_that_change_while_they_are_judged_open_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second thread swaps the path in memory all the time: what the process outside reads is not what is opened."""
    monkeypatch.chdir(home / "project")
    code = f"""
import ctypes, threading, time
libc = ctypes.CDLL(None)
allowed, secret = {os.fsencode(home / "project" / "a")!r} + b'\\0', {os.fsencode(home / ".netrc")!r} + b'\\0'
path = ctypes.create_string_buffer(allowed, 200)
ending = time.monotonic() + 1
def swap():
    while time.monotonic() < ending:
        ctypes.memmove(path, secret, len(secret))
        ctypes.memmove(path, allowed, len(allowed))
threading.Thread(target=swap).start()
data = ctypes.create_string_buffer(20)
opened = 0
while time.monotonic() < ending:
    fd = libc.open(path, 0)
    if fd >= 0:
        opened += 1
        libc.read(fd, data, 6)
        libc.close(fd)
        assert data.raw[:6] != b'secret'
    libc.chmod(path, 0)
    libc.unlink(path)
assert opened
"""
    done = rehearse(code, shell_with(), budget_seconds=20)
    assert done.status == "passed", done
    assert (home / ".netrc").read_text() == "secret"
    assert os.stat(home / ".netrc").st_mode & 0o777
    assert os.stat(home / "project" / "a").st_mode & 0o777
