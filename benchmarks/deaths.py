"""Random deaths of the sandbox: whatever ends it, and whenever, the notebook goes on as if nothing had been.

    python -m benchmarks.deaths [--deaths 1000] [--seed 0]

A real IPython shell holds variables of many kinds; each run ends in another way: by a signal, by `os._exit`, by a
segmentation fault, at a limit of memory, at Stop, in its own code or by a hand from outside, after a random time: while
it is prepared, while its code runs, while it packs what it made, while a file is kept that it is about to change. Then
the shell's process is looked at: the variables and all that goes with them, its children, threads, descriptors and
mapped files, the folder of temporary files, shared memory, the file that was granted. A run that came to its end all
the same is committed and undone. `growth_mb` is what the process's own memory grew by after a tenth of the runs,
`growth_blocks` how many small objects more it holds: where only the first grows, it is Python's allocator that keeps
memory which is hardly used.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import hashlib
import os
import pickle
import random
import signal
import sys
import tempfile
import threading
import time
import types
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
from IPython.core.interactiveshell import InteractiveShell

from benchmarks.common import note, report
from llmos_jupyter.agent.undo.files import FileKeeper
from llmos_jupyter.effects import ambient
from llmos_jupyter.effects.objects import names
from llmos_jupyter.effects.table import CannotComeHome
from llmos_jupyter.effects.transaction import commit, run_in_sandbox
from llmos_jupyter.sandbox.process.interrupts import interrupts_deferred
from llmos_jupyter.sandbox.roots import Access, forget_roots

MEMORY = 256 << 20  # bytes that a run may use
LONGEST = 0.6  # seconds after the fork, within which it is ended from outside
AIM_MB = 16.0
SIGNALS = [
    signal.Signals[f"SIG{name}"]
    for name in ["KILL", "SEGV", "ABRT", "TERM", "BUS", "ILL", "FPE", "QUIT", "HUP", "SYS", "PIPE", "USR1", "STOP"]
]
# `{number}` is a signal, `{seconds}` a random time, FILE a file that may be written.
OWN = {
    "a signal to itself": "import os\nos.kill(os.getpid(), {number})",
    "a signal to itself later": "import signal\nsignal.setitimer(signal.ITIMER_REAL, {seconds})\n{work}",
    "os._exit": "import os\nkept.append(1)\nos._exit({number})",
    "os._exit by a thread": "import os, threading\nthreading.Timer({seconds}, os._exit, [3]).start()\n{work}",
    "os._exit when shown": "import os\nclass D:\n    def __repr__(self):\n        os._exit(4)\nd = D()",
    "segmentation fault": "import ctypes\nframe['x'] = 1\nctypes.string_at(0)",
    "stack overflow": "import sys\nsys.setrecursionlimit(10 ** 9)\ndeep = []\n"
    "for _ in range(10 ** 6): deep = [deep]\nrepr(deep)",
    "memory limit": "held = []\nwhile True: held.append(bytearray(1 << 20))",
    "memory limit as it packs": "import numpy as np\nbig = [np.ones(1 << 20) for _ in range(24)]\n"
    "more = [str(n) for n in range(400_000)]",
    "a limit of its own": "import resource\nhere = int(open('/proc/self/statm').read().split()[0]) * 4096\n"
    "resource.setrlimit(resource.RLIMIT_AS, (here + (8 << 20), here + (8 << 20)))\n{work}",
    "all descriptors closed": "import os\nos.closerange(0, 65536)",
    "its report forged": "import os\nfor fd in range(3, 1024):\n"
    '    try: os.write(fd, b\'{{"event": "end"}}\\n\' * {number})\n'
    "    except OSError: pass\nwhile True: pass",
    "a file half written": "with open(FILE, 'wb') as file:\n    for part in range(1000): file.write(b'new' * 40_000)\n"
    "    import os\n    os._exit(1)",
}
WORK = {
    "runs": "while True: pass",
    "opens files": "import os\nwhile True: os.close(os.open('/usr', 0))",
    "packs objects": "made = [[n, str(n), (n, [n])] for n in range(30_000)]\nkept.append(made)",
    "packs arrays": "import numpy as np\narrays = [np.arange(1 << 17) * n for n in range(60)]\nframe['z'] = 2.0",
    "writes files": "for n in range(100):\n    with open(FILE, 'ab') as file: file.write(b'new' * 100_000)\n"
    "frame['z'] = 2.0",
    "ends": "frame.loc[0, 'x'] = -1.0\nkept.append('new')\nboth['new'] = kept",
}


def namespace() -> dict[str, Any]:
    kept = [1, 2, [3, {"a": 4}]]
    first, second = types.SimpleNamespace(name="first"), types.SimpleNamespace(name="second")
    first.other, second.other = second, first
    frame = pd.DataFrame({"x": np.arange(2000.0), "y": ["a", "b"] * 1000})
    return {
        "kept": kept,
        "frame": frame,
        "part": frame[:10],
        "both": {"kept": kept, "frame": frame},
        "first": first,
        "values": np.arange(50_000),
        "dice": random.Random(7),
        "big": np.zeros(4 << 20),
    }


@dataclass
class State:
    """What a death must leave as it was."""

    variables: dict[str, int]
    content: str
    children: set[int]
    threads: set[str]
    descriptors: dict[str, str]
    mapped: int
    files: dict[str, bytes]
    ambient: dict[str, str]

    def differences(self, before: State) -> list[str]:
        found = [name for name in ("variables", "content", "files") if vars(self)[name] != vars(before)[name]]
        found += [name for name, value in self.ambient.items() if value != before.ambient.get(name)]
        found += [f"the process {pid}" for pid in self.children - before.children]
        found += [f"the thread {name}" for name in self.threads - before.threads]
        found += [f"the descriptor of {path}" for fd, path in self.descriptors.items() if fd not in before.descriptors]
        return found + (["memory of a file that stays mapped"] if self.mapped > before.mapped else [])


def state(shell: InteractiveShell, folder: Path) -> State:
    variables = names.variables(shell)
    others = {
        name: value for name, value in variables.items() if not callable(value) and not hasattr(value, "__path__")
    }
    others = {name: plain(value) for name, value in others.items()}
    gc.collect()
    return State(
        {name: id(value) for name, value in variables.items()},
        hashlib.sha256(pickle.dumps((others, random.getstate(), np.random.get_state()))).hexdigest(),
        {child.pid for child in psutil.Process().children(recursive=True)},
        {thread.name for thread in threading.enumerate() if "History" not in type(thread).__name__},
        descriptors(),
        sum("/memfd:llmos" in line for line in Path("/proc/self/maps").read_text(errors="replace").splitlines()),
        {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")},
        {name: repr(value) for name, value in ambient.snapshot().items()},
    )


def plain(value: Any) -> Any:
    """A frame by its columns, as pandas writes its blocks down now in one way and now in another."""
    if type(value) is not pd.DataFrame:
        return value
    return list(value.columns), value.index, [value[name].tolist() for name in value.columns]


def descriptors() -> dict[str, str]:
    """By number, what they are open on; save those of IPython's history, whose thread comes and goes."""
    found = {}
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found[number] = os.readlink(f"/proc/self/fd/{number}")
    return {number: path for number, path in found.items() if "history.sqlite" not in path and "/proc" not in path}


def segments() -> set[str]:
    """Shared memory of the machine, by its names."""
    posix = set(os.listdir("/dev/shm"))
    return posix | set(Path("/proc/sysvipc/shm").read_text().splitlines()[1:])


def children() -> list[int]:
    """The sandboxes of this process that live."""
    return [child.pid for child in psutil.Process().children()]


@dataclass
class Tally:
    ends: Counter[str] = field(default_factory=Counter)
    harm: list[str] = field(default_factory=list)
    committed: int = 0
    slowest: float = 0.0


class Stage:
    """A shell with variables, a folder for temporary files, and a file that runs may write."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.tally = Tally()

    def __enter__(self) -> Stage:
        self._folder = Path(os.path.realpath(tempfile.mkdtemp(prefix="deaths-")))
        self._usual_folder, tempfile.tempdir = tempfile.tempdir, str(self._folder)
        self.file = self._folder / "granted" / "file"
        self.file.parent.mkdir()
        self.file.write_bytes(b"old" * 100_000)
        self.shell = InteractiveShell.instance()
        self.shell.reset(new_session=False)
        self.shell.user_ns["__spec__"] = None
        self.shell.user_ns.update(namespace(), FILE=str(self.file), np=np, pd=pd)
        forget_roots(self.shell)
        self.run("x = 1", "nothing", contextlib.nullcontext)
        self.before = state(self.shell, self._folder)
        return self

    def __exit__(self, *_: object) -> None:
        import shutil

        tempfile.tempdir = self._usual_folder
        shutil.rmtree(self._folder)

    def die(self) -> None:
        """One death, of a kind and at a time that chance decides."""
        dice = self._random
        number, seconds = int(dice.choice(SIGNALS[:-1])), round(dice.uniform(0.001, LONGEST), 3)
        work = dice.choice(list(WORK))
        way = dice.choice([*OWN, *["killed"] * 8, *["killed as a file is kept"] * 2, *["Stop"] * 4])
        if way in OWN:
            code = OWN[way].format(number=number, seconds=seconds, work=WORK[work])
            self.run(code, way, contextlib.nullcontext)
        elif way == "killed as a file is kept":
            self.run(WORK["writes files"], way, contextlib.nullcontext, kept=dice.choice((1, 2, 3)))
        elif way == "Stop":
            self.run(WORK[work], f"{way} while it {work}", lambda: stop(seconds))
        else:
            chosen = dice.choice(SIGNALS)
            self.run(WORK[work], f"{way} while it {work}", lambda: killer(seconds, chosen))

    def run(self, code: str, way: str, hand: Callable[[], Any], kept: int = 0) -> None:
        """One run, and what it left. `kept`: at which of the changes of a file the copy is killed."""
        files, told = FileKeeper(1 << 30), [0]
        began = time.monotonic()

        def keep(path: str) -> None:
            told[0] += 1
            if told[0] == kept:
                kill(signal.SIGKILL)
            files.keep(path)

        access = Access(write=(str(self.file),), read=(str(self.file),))
        end = "stopped"
        try:
            with hand():
                ran = run_in_sandbox(
                    code, self.shell, budget_seconds=2.0, memory_bytes=MEMORY, access=access, keep=keep
                )
            end = ran.report.status if not ran.cannot else "cannot come home"
            # As the notebook does: Stop comes too late for what is being committed.
            with ran, contextlib.suppress(CannotComeHome), interrupts_deferred():
                undo = commit(ran)
                self.tally.committed += 1
                undo.restore()
                del undo
            del ran
        except KeyboardInterrupt:
            pass
        files.ran()
        files.restore()
        files.close()
        self.tally.slowest = max(self.tally.slowest, time.monotonic() - began)
        self.tally.ends[f"{way.partition(' while')[0]}: {end}"] += 1
        if hasattr(self, "before"):
            now = state(self.shell, self._folder)
            if harm := now.differences(self.before):
                self.tally.harm.append(f"{way}, {end}: {', '.join(harm)}")
                note(f"{self.tally.harm[-1]}\n{code}")
                self.before = now


def kill(number: int) -> None:
    for pid in children():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


@contextlib.contextmanager
def killer(seconds: float, number: int) -> Iterator[None]:
    """Send the sandbox a signal, this long after it came into being."""
    over = threading.Event()

    def act() -> None:
        while not children() and not over.wait(0.002):
            pass
        if not over.wait(seconds):
            kill(number)

    thread = threading.Thread(target=act)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextlib.contextmanager
def stop(seconds: float) -> Iterator[None]:
    """Press Stop after this time."""
    usual = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, usual)


def own_memory() -> float:
    """Megabytes of this process's own memory that are in use."""
    gc.collect()
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("RssAnon:")).split()[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deaths", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if sys.platform != "linux":
        raise SystemExit("The sandbox's fork is Linux's: there is nothing to measure here.")
    shared, settled, blocks = segments(), 0.0, 0
    with Stage(options.seed) as stage:
        for number in range(options.deaths):
            stage.die()
            if number == options.deaths // 10:
                settled, blocks = own_memory(), sys.getallocatedblocks()
            if not number % 100:
                note(f"{number} deaths, {own_memory():.0f} MB")
        growth, grown = own_memory() - settled, sys.getallocatedblocks() - blocks
        tally = stage.tally
    left = sorted(segments() - shared)
    rows = [{"end": end, "runs": count} for end, count in sorted(tally.ends.items())]
    report(
        "deaths",
        rows,
        deaths=options.deaths,
        committed=tally.committed,
        harm=tally.harm,
        shared_memory_left=left,
        growth_mb=round(growth, 1),
        growth_blocks=grown,
        slowest_s=round(tally.slowest, 2),
        aim_met=not tally.harm and not left and growth <= AIM_MB,
    )


if __name__ == "__main__":
    main()
