"""Programs that reach outside, in every dress: nothing outside changes or is read, and the refusal is known."""

from __future__ import annotations

import os
import socket
import sqlite3
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from llmos_jupyter.agent.rehearsal.kernel_copy import supported
from llmos_jupyter.protocol import Capability
from llmos_jupyter.sandbox import seccomp_filter
from llmos_jupyter.sandbox.landlock import landlock_version
from tests.agent.rehearsal.shells import descendants, leftovers, rehearse, shell_with, tree

pytestmark = pytest.mark.skipif(
    supported() is not None or not landlock_version() or not seccomp_filter.available(), reason="no lock of this kind"
)

READ, WRITE = Capability.READ_FILES, Capability.WRITE_FILES
NET, PROC = Capability.NETWORK, Capability.PROCESSES


@dataclass
class Outside:
    """What must stay as it is: a folder of somebody's files, and a port of this machine."""

    folder: Path
    port: int
    listener: socket.socket

    def names(self) -> dict[str, object]:
        return {"OUT": str(self.folder), "PORT": self.port, "KERNEL": os.getpid()}


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    folder = tmp_path / "outside"
    (folder / "proj" / "__pycache__").mkdir(parents=True)
    (folder / "a").write_text("kept")
    (folder / "secret").write_text("s3cr3t")
    (folder / "b.csv").write_text("s3cr3t\n")
    (folder / "proj" / "util.py").write_text("x = 1\n")
    with sqlite3.connect(folder / "cookies.sqlite") as database:
        database.execute("create table cookies(value)")
        database.execute("insert into cookies values ('s3cr3t')")
    database.close()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield Outside(folder, listener.getsockname()[1], listener)


# name: (code, capability, target); `act` is the program.
PROGRAMS: dict[str, tuple[str, Capability, str]] = {
    "plain write": ("open(OUT + '/a', 'w')", WRITE, "{OUT}/a"),
    "plain read": ("print(open(OUT + '/secret').read())", READ, "{OUT}/secret"),
    "list": ("import os; print(os.listdir(OUT))", READ, "{OUT}"),
    "pandas": ("import pandas; print(pandas.read_csv(OUT + '/b.csv'))", READ, "{OUT}/b.csv"),
    "system by ctypes": (
        "import pkgutil; pkgutil.resolve_name('ctypes:pythonapi.system')(f'touch {OUT}/new'.encode())",
        PROC, "",
    ),
    "read by ctypes": (
        """
        import ctypes
        buffer = ctypes.create_string_buffer(64)
        c = ctypes.CDLL(None)
        c.read(c.open(f'{OUT}/secret'.encode(), 0), buffer, 64)
        print(buffer.value)
        """, READ, "{OUT}/secret",
    ),
    "unlink by ctypes": ("import ctypes; ctypes.CDLL(None).unlink(f'{OUT}/a'.encode())", WRITE, "{OUT}/a"),
    "chmod by ctypes": ("import ctypes; ctypes.CDLL(None).chmod(f'{OUT}/a'.encode(), 0)", WRITE, "{OUT}/a"),
    "truncate by ctypes": ("import ctypes; ctypes.CDLL(None).truncate(f'{OUT}/a'.encode(), 0)", WRITE, "{OUT}/a"),
    "mkdir by ctypes": ("import ctypes; ctypes.CDLL(None).mkdir(f'{OUT}/n'.encode(), 0)", WRITE, "{OUT}/n"),
    "link by ctypes": (
        "import ctypes; ctypes.CDLL(None).symlink(b'/etc', f'{OUT}/n'.encode())", WRITE, "{OUT}/n",
    ),
    "rename by ctypes": (
        "import ctypes; ctypes.CDLL(None).rename(f'{OUT}/a'.encode(), f'{OUT}/n'.encode())", WRITE, "{OUT}/n",
    ),
    "kill by ctypes": ("import ctypes; ctypes.CDLL(None).kill(KERNEL, 15)", PROC, "{KERNEL}"),
    "ptrace by ctypes": ("import ctypes; ctypes.CDLL(None).ptrace(16, KERNEL, 0, 0)", PROC, "{KERNEL}"),
    "connect by ctypes": (
        """
        import ctypes, struct
        c = ctypes.CDLL(None)
        address = struct.pack('=H', 2) + struct.pack('>H', PORT) + bytes([127, 0, 0, 1]) + bytes(8)
        c.connect(c.socket(2, 1, 0), address, 16)
        """, NET, "127.0.0.1",
    ),
    "vacuum into": (
        """
        import sqlite3
        database = sqlite3.connect(':memory:')
        database.execute('create table t as select 1')
        database.execute(f"vacuum into '{OUT}/backup.db'")
        """, WRITE, "{OUT}/backup.db",
    ),
    "attach and delete": (
        """
        import sqlite3
        database = sqlite3.connect(':memory:')
        database.execute(f"attach '{OUT}/cookies.sqlite' as d")
        print(database.execute('select * from d.cookies').fetchall())
        database.execute('delete from d.cookies')
        database.commit()
        """, READ, "{OUT}/cookies.sqlite",
    ),
    "readline writes": (
        "import readline; readline.add_history('x'); readline.write_history_file(OUT + '/h')", WRITE, "{OUT}/h",
    ),
    "readline reads": (
        "import readline; readline.read_history_file(OUT + '/b.csv'); print(readline.get_history_item(1))",
        READ, "{OUT}/b.csv",
    ),
    "spawnv_passfds": (
        "from multiprocessing import util; util.spawnv_passfds(b'/usr/bin/touch', [b'touch', OUT.encode()], [])",
        PROC, "",
    ),
    "pidfd": ("import os, signal; signal.pidfd_send_signal(os.pidfd_open(KERNEL), 0)", PROC, "{KERNEL}"),
    "bytecode of another project": (
        "open(OUT + '/proj/__pycache__/util.cpython-311.pyc', 'wb').write(b'x')",
        WRITE, "{OUT}/proj/__pycache__/util.cpython-311.pyc",
    ),
    "bytecode of another project, by the import system": (
        """
        import importlib.util, sys
        sys.dont_write_bytecode = False
        importlib.util.spec_from_file_location('util', OUT + '/proj/util.py').loader.get_code('util')
        """, READ, "{OUT}/proj/util.py",
    ),
    "a moved cache": (
        "import os; os.environ['MPLCONFIGDIR'] = os.environ['XDG_CACHE_HOME'] = OUT; open(OUT + '/a', 'w')",
        WRITE, "{OUT}/a",
    ),
    "a moved search path": (
        "import sys; sys.path.append(OUT); print(open(OUT + '/secret').read())", READ, "{OUT}/secret",
    ),
    "chdir": ("import os; os.chdir('/'); print(open(OUT + '/secret').read())", READ, "{OUT}/secret"),
    "chdir into it": ("import os; os.chdir(OUT); print(open('secret').read())", READ, "{OUT}/secret"),
    "relative to a folder's descriptor": (
        "import os; print(os.read(os.open('..' + OUT + '/secret', 0, dir_fd=os.open('/usr', 0)), 9))",
        READ, "{OUT}/secret",
    ),
    "through a link": (
        """
        import os, tempfile
        link = tempfile.gettempdir() + '/l'
        if not os.path.lexists(link):
            os.symlink(OUT + '/secret', link)
        print(open(link).read())
        """, READ, "{OUT}/secret",
    ),
    "through proc": ("print(open('/proc/self/root' + OUT + '/secret').read())", READ, "{OUT}/secret"),
    "a message to a port": (
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('127.0.0.1', PORT))",
        NET, "127.0.0.1",
    ),
    "a program": ("import subprocess; subprocess.run(['touch', OUT + '/new'])", PROC, "touch {OUT}/new"),
    "execve": ("import os; os.execv('/bin/touch', ['touch', OUT + '/new'])", PROC, "touch {OUT}/new"),
}  # fmt: skip

DRESSES = {
    "plain": "act()",
    "swallowed": "try:\n    act()\nexcept Exception as error:\n    pass",
    "in a future": (
        "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(1) as pool:\n    pool.submit(act)"
    ),
    "in a comprehension": "[act() for _ in range(2)]",
}


@pytest.mark.parametrize("dress", DRESSES.values(), ids=DRESSES)
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_nothing_happens_outside_and_it_is_known(
    program: tuple[str, Capability, str], dress: str, outside: Outside
) -> None:
    body, capability, target = program
    code = "def act():\n" + textwrap.indent(textwrap.dedent(body).strip(), "    ") + "\n" + dress
    before, others = tree(outside.folder), descendants()
    done = rehearse(code, shell_with(**outside.names()))
    assert tree(outside.folder) == before
    with pytest.raises(BlockingIOError):
        outside.listener.accept()
    assert "s3cr3t" not in done.output
    assert done.status in ("passed", "refused"), done
    known = [(refusal.capability, refusal.target) for refusal in done.refusals]
    assert (capability, target.format(**outside.names())) in known, done.refusals
    assert len(set(known)) == len(known)
    assert descendants() == others
    assert not leftovers()


@pytest.mark.parametrize("dress", DRESSES.values(), ids=DRESSES)
@pytest.mark.parametrize(
    "body",
    [
        "database.execute('delete from cookies')\ndatabase.commit()",
        "file.write('x' * 10_000)",
        "os.write(number, b'x')",
    ],
)
def test_the_users_own_open_files_are_not_written_and_it_is_known(body: str, dress: str, outside: Outside) -> None:
    code = "import os\ndef act():\n" + textwrap.indent(body, "    ") + "\n" + dress
    database = sqlite3.connect(outside.folder / "cookies.sqlite", check_same_thread=False)
    with open(outside.folder / "a", "a") as file:
        names = {"database": database, "file": file, "number": file.fileno()}
        before = tree(outside.folder)
        done = rehearse(code, shell_with(**names))
    database.close()
    assert tree(outside.folder) == before
    target = str(outside.folder / ("cookies.sqlite" if "database" in body else "a"))
    assert [refusal.target for refusal in done.refusals if refusal.capability is WRITE] == [target], done


def test_a_descriptor_of_the_users_that_code_takes_for_its_own_is_its_own(outside: Outside) -> None:
    code = (
        "import os, tempfile\nfile.close()\nfd = os.open(tempfile.gettempdir() + '/x', os.O_CREAT | os.O_RDWR)\n"
        "os.dup2(fd, number)\nos.write(number, b'x')\nassert os.pread(fd, 9, 0) == b'x'"
    )
    with open(outside.folder / "a", "a") as file:
        done = rehearse(code, shell_with(file=file, number=file.fileno()))
    assert (done.status, done.refusals) == ("passed", []), done
