"""The lock, tried from inside a process that put it on itself."""

from __future__ import annotations

import os
import sys
import textwrap
from pathlib import Path

import pytest

from llmos_jupyter.sandbox import lock as locking
from llmos_jupyter.sandbox import seccomp_filter
from llmos_jupyter.sandbox.landlock import landlock_version
from llmos_jupyter.sandbox.roots import Access, Roots

pytestmark = pytest.mark.skipif(locking.unsupported() is not None, reason="no lock on this platform")


NOTHING = Access()


def locked(code: str, tmp_path: Path, *, landlock: bool = True, access: Access = NOTHING) -> str:
    """Run code in a locked child that knows `scratch`, `outside` and `refused`; returns what it left in `say`. Nobody
    is told of what is refused."""
    scratch, outside = tmp_path / "scratch", tmp_path / "outside"
    scratch.mkdir()
    outside.mkdir()
    (outside / "kept").write_text("kept")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        said = "nothing was said"
        try:
            if not landlock:
                locking.landlock_version = lambda: 0
            lock = locking.lock(str(scratch), writing, Roots.here(), access)
            leak = locking.leaks(str(scratch), readable=access.read if landlock else None)
            said = f"{lock.description}|{leak}|"
            names = {"scratch": str(scratch), "outside": str(outside), "refused": refused, "writing": writing}
            exec(textwrap.dedent(code), names)
            said += str(names.get("say", "done"))
        except BaseException as error:
            said += f"raised {type(error).__name__}: {error}"
        finally:
            os.write(writing, said.encode())
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode()
    os.waitpid(child, 0)
    assert (outside / "kept").read_text() == "kept"
    assert [entry.name for entry in outside.iterdir()] == ["kept"]
    assert oct((outside / "kept").stat().st_mode & 0o777) in ("0o644", "0o664", "0o600")
    return said


def refused(act: object, *args: object) -> None:
    try:
        act(*args)  # type: ignore[operator]
    except (OSError, ValueError):  # Python words a refused setrlimit as a ValueError
        return
    raise AssertionError(f"{act} was not refused")


@pytest.mark.parametrize(
    "act",
    [
        "open(outside + '/new', 'w')",
        "open(outside + '/kept', 'a')",
        "os.truncate(outside + '/kept', 0)",
        "os.unlink(outside + '/kept')",
        "os.rename(outside + '/kept', scratch + '/kept')",
        "os.rename(outside + '/kept', outside + '/other')",
        "os.link(outside + '/kept', outside + '/link')",
        "os.symlink('/etc', outside + '/link')",
        "os.mkdir(outside + '/folder')",
        "os.rmdir(outside)",
        "os.mkfifo(outside + '/fifo')",
        "os.chmod(outside + '/kept', 0)",
        "os.chmod(os.open(outside + '/kept', os.O_RDONLY), 0)",
        "os.chown(outside + '/kept', 12345, 12345)",
        "os.utime(outside + '/kept', (0, 0))",
        "os.setxattr(outside + '/kept', 'user.x', b'1')",
        "os.open(outside, os.O_TMPFILE | os.O_WRONLY)",
        "socket.socket(socket.AF_INET, socket.SOCK_STREAM)",
        "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
        "os.fork()",
        "os.execv('/bin/true', ['/bin/true'])",
        "os.posix_spawn('/bin/true', ['/bin/true'], {})",
        "os.kill(os.getppid(), 0)",
        "os.kill(os.getppid(), signal.SIGTERM)",
        "os.kill(0, 0)",
        "os.kill(-1, 0)",
        "os.killpg(os.getpgrp(), 0)",
        "os.pidfd_open(os.getppid())",
        "os.setpriority(os.PRIO_PROCESS, os.getppid(), 5)",
        "os.sched_setaffinity(os.getppid(), {0})",
        "resource.prlimit(os.getppid(), resource.RLIMIT_CORE, (0, 0))",
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))",
        "os.chroot('/')",
        "os.close(writing)",
        "os.dup2(0, writing)",
        "signal.pidfd_send_signal(0, 0)",
        "fcntl.ioctl(0, 0x5412, b'x')",
    ],
)
@pytest.mark.parametrize("landlock", [True, False], ids=["landlock", "seccomp-only"])
def test_refused(act: str, landlock: bool, tmp_path: Path) -> None:
    code = f"import fcntl, os, resource, signal, socket\nrefused(lambda: {act})"
    said = locked(code, tmp_path, landlock=landlock)
    description, leak, result = said.split("|")
    assert (leak, result) == ("None", "done")
    assert description.startswith("Landlock v" if landlock and landlock_version() else "seccomp, no file")


@pytest.mark.parametrize(
    "code",
    [
        "say = open('pyproject.toml').read(10)",
        "import os\nsay = len(os.listdir('tests'))",
        "import threading\nt = threading.Thread(target=print)\nt.start()\nt.join()",
        "import asyncio\nasyncio.run(asyncio.sleep(0))",
        "import os, signal\nos.kill(os.getpid(), 0)\nsignal.raise_signal(0) if False else None",
        "import resource\nresource.getrlimit(resource.RLIMIT_CORE)",
        "import mmap\nm = mmap.mmap(-1, 4096)\nm[0] = 1",
        "open('/proc/self/status').read()",
        "import os\nos.closerange(3, 2000)",
    ],
)
def test_allowed(code: str, tmp_path: Path) -> None:
    assert "raised" not in locked(code, tmp_path)


needs_landlock = pytest.mark.skipif(not landlock_version(), reason="this kernel has no Landlock")


@needs_landlock
@pytest.mark.parametrize(
    "act",
    [
        "open(outside + '/kept')",
        "os.listdir(outside)",
        "os.listdir('/')",
        "open('/etc/passwd')",
        "open('/proc/1/cmdline')",
        "open('/proc/1/environ')",
        "os.open('../' * 20 + outside + '/kept', 0, dir_fd=os.open('/usr', 0))",
        "os.open('kept', 0, dir_fd=os.open(outside, os.O_PATH))",
        "open('/proc/self/root' + outside + '/kept')",
        "(os.chdir(outside), open('kept'))",
        "(os.symlink(outside + '/kept', scratch + '/l'), open(scratch + '/l'))",
        "os.link(outside + '/kept', scratch + '/l')",
    ],
)
def test_reading_outside_is_refused(act: str, tmp_path: Path) -> None:
    assert locked(f"import os\nrefused(lambda: {act})", tmp_path).endswith("|None|done")


@needs_landlock
def test_reading_that_was_granted_is_not_refused(tmp_path: Path) -> None:
    code = "say = open(outside + '/kept').read()"
    assert locked(code, tmp_path, access=Access(read=(str(tmp_path / "outside"),))).endswith("|None|kept")


@needs_landlock
def test_scratch_can_be_written(tmp_path: Path) -> None:
    code = """
        import os
        os.mkdir(scratch + '/a')
        open(scratch + '/a/f', 'w').write('x')
        os.rename(scratch + '/a/f', scratch + '/g')
        os.unlink(scratch + '/g')
        os.rmdir(scratch + '/a')
        open('/dev/null', 'w').write('x')
    """
    assert locked(code, tmp_path).endswith("done")
    assert list((tmp_path / "scratch").iterdir()) == []


def test_without_landlock_not_even_scratch_is_written(tmp_path: Path) -> None:
    said = locked("refused(open, scratch + '/f', 'w')", tmp_path, landlock=False)
    assert said == "seccomp, no file writes at all, refusals told by Python only|None|done"


def test_a_lock_that_does_nothing_is_seen(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    assert locking.leaks(str(scratch)) == "a file outside the scratch folder could be written"
    assert [entry.name for entry in tmp_path.iterdir()] == ["scratch"]


def test_other_platforms_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    locking.unsupported.cache_clear()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "Linux" in (locking.unsupported() or "")
    locking.unsupported.cache_clear()
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(locking.platform, "machine", lambda: "riscv64")
    assert "riscv64" in (locking.unsupported() or "")
    locking.unsupported.cache_clear()


@pytest.mark.parametrize("notify", [False, True])
def test_filter_for_aarch64_has_its_own_numbers(notify: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    import struct

    monkeypatch.setattr(locking.platform, "machine", lambda: "aarch64")
    program = seccomp_filter.program(seccomp_filter.Rules(1234, 7, 900, notify=notify))
    operations = [struct.unpack("=HBBI", program[i : i + 8]) for i in range(0, len(program), 8)]
    assert operations[1] == (0x15, 1, 0, 0xC00000B7)
    compared = {value for code, _, _, value in operations if code == 0x15}
    assert {198, 220, 221} <= compared  # socket, clone, execve of the generic table
    assert all(i + 1 + max(t, f) < len(operations) for i, (c, t, f, _) in enumerate(operations) if c & 7 == 5)
    assert operations[-1][0] == 0x06
