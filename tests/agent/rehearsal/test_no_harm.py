"""Programs that mean harm, by accident or not: none reaches anything outside the copy.

Looked at from the parent's side: a folder of files, two listening sockets, the processes, the shared memory and
the namespace are as they were.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from multiprocessing import shared_memory
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from llmos_jupyter.agent.rehearsal.kernel_copy import supported
from tests.agent.rehearsal.shells import descendants, descriptors, leftovers, rehearse, shell_with, tree

pytestmark = pytest.mark.skipif(supported() is not None, reason=str(supported()))

LIBC = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"

PROGRAMS = [
    # files
    "open(f'{HOME}/a', 'w').write('gone')",
    "open(f'{HOME}/a', 'a').write('more')",
    "open(f'{HOME}/a', 'r+b').truncate(0)",
    "import os\nos.truncate(f'{HOME}/a', 0)",
    "import os\nos.remove(f'{HOME}/a')",
    "import shutil\nshutil.rmtree(HOME)",
    "import shutil\nshutil.rmtree(HOME, ignore_errors=True)",
    "import shutil\nshutil.move(f'{HOME}/a', f'{HOME}/b')",
    "import shutil\nshutil.copy(f'{HOME}/a', f'{HOME}/b')",
    "import os\nos.rename(f'{HOME}/a', f'{HOME}/sub/a')",
    "import os\nos.replace(f'{HOME}/sub/x', f'{HOME}/a')",
    "import os\nos.link(f'{HOME}/a', f'{HOME}/b')",
    "import os\nos.symlink('/etc/passwd', f'{HOME}/b')",
    "import os\nos.mkdir(f'{HOME}/new')",
    "import os\nos.chmod(f'{HOME}/a', 0o777)",
    "import os\nos.utime(f'{HOME}/a', (1, 1))",
    "import os\nos.setxattr(f'{HOME}/a', 'user.mark', b'1')",
    "import os\nos.chdir(HOME)\nopen('a', 'w')",
    "import os\nfd = os.open(HOME, os.O_RDONLY)\nos.unlink('a', dir_fd=fd)",
    "import os\nfd = os.open(f'{HOME}/a', os.O_RDONLY)\nos.open(f'/proc/self/fd/{fd}', os.O_WRONLY)",
    "import os\nfd = os.open(f'{HOME}/a', os.O_RDONLY)\nos.fchmod(fd, 0)",
    "import tempfile, os\nd = tempfile.mkdtemp()\nos.symlink(f'{HOME}/a', d + '/l')\nopen(d + '/l', 'w')",
    "import tempfile, os\nd = tempfile.mkdtemp()\nos.link(f'{HOME}/a', d + '/l')\nopen(d + '/l', 'w')",
    "import tempfile, os\nd = tempfile.mkdtemp()\nos.rename(f'{HOME}/a', d + '/l')",
    "df.to_csv(f'{HOME}/a')",
    "df.to_pickle(f'{HOME}/p')",
    "np.save(f'{HOME}/n', big)",
    "np.memmap(f'{HOME}/a', mode='r+', dtype='u1')[0] = 0",
    "import sqlite3\nc = sqlite3.connect(f'{HOME}/db')\nc.execute('create table t(a)')",
    "handle.write('x'); handle.flush()",
    "handle.seek(0); handle.truncate()",
    "import os\nos.write(handle.fileno(), b'x')",
    "import os\nos.ftruncate(handle.fileno(), 0)",
    "mapped[:] = 0; mapped.flush()",
    "shared.buf[:4] = b'gone'",
    "shared.unlink()",
    "from multiprocessing import shared_memory\nshared_memory.SharedMemory(name=shared.name).buf[0] = 0",
    "%%writefile {HOME}/a\ngone",
    "%cd {HOME}\n%save -f a 1",
    "%logstart {HOME}/log over",
    LIBC + "libc.unlink(f'{HOME}/a'.encode())",
    LIBC + "libc.open(f'{HOME}/a'.encode(), 1 | 512)",
    LIBC + "libc.syscall(437, -100, f'{HOME}/a'.encode(), ctypes.create_string_buffer(b'\\x01', 24), 24)",
    # processes
    "import os\nos.system(f'rm -rf {HOME}')",
    "import subprocess\nsubprocess.run(['rm', '-rf', HOME])",
    "!rm -rf {HOME}",
    "%%bash\nrm -rf $HOME_OF_TEST",
    "%sx rm -rf {HOME}",
    "import pty\npty.spawn(['rm', '-rf', HOME])",
    "import os\nos.execvp('rm', ['rm', '-rf', HOME])",
    "import os\nwhile True: os.fork()",
    "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
    "import multiprocessing as m\np = m.Process(target=print)\np.start()",
    "import os, signal\nos.kill(PARENT, signal.SIGKILL)",
    "import os, signal\nos.killpg(0, signal.SIGKILL)",
    "import os, signal\nos.kill(-1, signal.SIGKILL)",
    "import os, signal\nos.pidfd_open(PARENT)",
    "import os\nopen(f'/proc/{PARENT}/mem', 'r+b')",
    "import os\nopen(f'/proc/{PARENT}/oom_score_adj', 'w').write('1000')",
    "import psutil\npsutil.Process(PARENT).kill()",
    "import resource\nresource.prlimit(PARENT, resource.RLIMIT_NOFILE, (10, 10))",
    LIBC + "libc.syscall(56, 17, None, None, None, None)",
    LIBC + "libc.ptrace(16, PARENT, None, None)",
    LIBC + "for n in (57, 58, 56, 435):\n    if libc.syscall(n, 17, 0, 0, 0, 0) == 0: import time; time.sleep(30)",
    # network
    "import socket\nsocket.create_connection(('127.0.0.1', PORT)).send(b'secret')",
    "import socket\nsocket.socket(socket.AF_UNIX).connect(f'{HOME}/socket')",
    "import socket\na, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)\na.sendto(b'x', f'{HOME}/datagrams')",
    "import socket\na, b = socket.socketpair()\na.sendto(b'x', f'{HOME}/datagrams')",
    "import urllib.request\nurllib.request.urlopen(f'http://127.0.0.1:{PORT}/').read()",
    "import asyncio\nawait asyncio.open_connection('127.0.0.1', PORT)",
    "client.send(b'secret')",
    "client.close()",
    "import socket\nclient.shutdown(socket.SHUT_RDWR)",
    "import os\nos.write(client.fileno(), b'secret')",
    "import socket\ns = socket.socket()\ns.bind(('', 0))\ns.listen()",
    # the kernel itself
    "import os\nos._exit(0)",
    "import os\nos.abort()",
    "import sys\nsys.exit()",
    "exit()",
    "import atexit\natexit.register(lambda: open(f'{HOME}/a', 'w'))",
    "import os\nos.closerange(0, 4096)",
    "import os\nfor fd in range(3, 2000):\n    try: os.write(fd, b'noise')\n    except OSError: pass",
    "import ctypes\nctypes.memset(id(df), 0, 64)",
    "import sys\nsys.setrecursionlimit(10**9)\ndef f(): f()\nf()",
    "x = []\nwhile True: x.append(bytearray(1 << 24))",
    "while True: pass",
    "import threading\nwhile True: threading.Thread(target=lambda: [0 for _ in iter(int, 1)], daemon=True).start()",
    "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))\nwhile True: pass",
    "import time\nopen('/dev/null').read()\ntime.sleep(100)",
    "import tempfile\nwhile True: tempfile.NamedTemporaryFile(delete=False).write(b'x' * 100_000)",
    "df.drop(df.index, inplace=True); big[:] = 0; items.clear(); items.append(items)",
    "%reset -f",
    "del df, big, items\nglobals().clear()",
    "import builtins\nbuiltins.print = None; builtins.open = None",
    "import os\nos.environ.clear()",
    "get_ipython().kernel = None; get_ipython().run_cell = None",
    "import gc\ngc.unfreeze()\nfor o in gc.get_objects():\n    if isinstance(o, dict): o.clear()",
]  # fmt: skip


class World:
    """What a program could damage."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        (self.home / "sub").mkdir(parents=True)
        for name in ("a", "sub/x", "handle"):
            (self.home / name).write_text("precious " * 10)
        np.ones(10_000, "u1").tofile(self.home / "map")
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.unix, self.datagrams = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.unix.bind(str(self.home / "socket"))
        self.unix.listen()
        self.datagrams.bind(str(self.home / "datagrams"))
        self.near, self.far = socket.socketpair()
        self.handle = (self.home / "handle").open("r+")
        self.handle.read(5)
        self.mapped = np.memmap(self.home / "map", dtype="u1", mode="r+")
        self.shared = shared_memory.SharedMemory(create=True, size=4096)
        self.shared.buf[:4] = b"kept"
        self.items: list[Any] = [1, [2]]
        self.df = pd.DataFrame({"a": [1, 2, 3]})
        self.big = np.arange(1 << 20)

    def names(self) -> dict[str, Any]:
        return {
            "HOME": str(self.home),
            "PORT": self.tcp.getsockname()[1],
            "PARENT": os.getpid(),
            "client": self.near,
            "handle": self.handle,
            "mapped": self.mapped,
            "shared": self.shared,
            "items": self.items,
            "df": self.df,
            "big": self.big,
            "np": np,
            "pd": pd,
        }

    def state(self, namespace: dict[str, Any]) -> dict[str, Any]:
        ready, _, _ = select.select([self.tcp, self.unix, self.datagrams, self.far], [], [], 0)
        return {
            "files": tree(self.home),
            "ready": len(ready),
            "offset": self.handle.tell(),
            "mapped": int(self.mapped.sum()),
            "shared": bytes(self.shared.buf[:4]),
            "shm": os.path.exists(f"/dev/shm/{self.shared.name}"),
            "names": {name: id(value) for name, value in namespace.items()},
            "values": (json.dumps(self.items), self.df.to_json(), int(self.big.sum())),
            "processes": descendants(),
            "descriptors": descriptors(),
            "environment": dict(os.environ),
            "folder": os.getcwd(),
            "builtins": (print, open, len),
            "score": Path("/proc/self/oom_score_adj").read_text(),
            "handlers": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
        }

    def close(self) -> None:
        for end in (self.tcp, self.unix, self.datagrams, self.near, self.far, self.handle):
            end.close()
        self.shared.close()
        self.shared.unlink()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.chdir(tmp_path)
    made = World(tmp_path)
    monkeypatch.setenv("HOME_OF_TEST", str(made.home))
    yield made
    made.close()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("program", PROGRAMS)
def test_no_harm(program: str, world: World) -> None:
    assert world.home.name == "home"  # a program that escapes must not find another folder under this name
    shell = shell_with(**world.names())
    before = world.state(shell.user_ns)
    started = time.monotonic()
    done = rehearse(program, shell, budget_seconds=0.7, memory_bytes=300 << 20)
    assert time.monotonic() - started < 20
    assert world.state(shell.user_ns) == before
    assert not leftovers()
    assert done.status != "unavailable", done
    after = rehearse("items", shell)
    assert (after.status, after.output) == ("passed", "[1, [2]]\n")


def test_there_are_enough() -> None:
    assert len(set(PROGRAMS)) == len(PROGRAMS) >= 40
