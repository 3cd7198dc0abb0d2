"""Programs run in forks of the test's process, each in a namespace of its own: plainly, and through the sandbox."""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import io
import os
import pickle
import random
import re
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

from llmos_jupyter.effects import ambient
from llmos_jupyter.effects.copy import kernel_copy as rehearsal
from llmos_jupyter.effects.copy.nested import run_nested
from llmos_jupyter.effects.displays.safe_outputs import bundle
from llmos_jupyter.effects.objects import names
from llmos_jupyter.effects.transaction import commit, run_in_sandbox
from tests.effects.canon import ADDRESS, canon
from tests.effects.programs import Program

# What a program imports is imported in the notebook first, which is seen in the warning filters: here once for all.
for _name in (
    "plotly.graph_objects",
    "scipy.sparse",
    "scipy.stats",
    "sklearn.cluster",
    "sklearn.decomposition",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.model_selection",
    "sklearn.neighbors",
    "sklearn.pipeline",
    "sklearn.preprocessing",
    "sklearn.tree",
):
    importlib.import_module(_name)
plt.get_fignums()
# Addresses, and the names that plotly gives to what it draws.
_RANDOM = re.compile(rf"{ADDRESS.pattern}|[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}")
rehearsal.Copy.preparation = 60.0  # these tests also run on machines that are busy
SHELL = InteractiveShell.instance()
SHELL.history_manager.enabled = False
# As in a kernel, whose shell is there before pyplot: without one, figures get a callback of the plain prompt, and an
# earlier test of this process may have seen to that.
plt.switch_backend("agg")
gc.freeze()


@functools.cache
def run_once() -> None:
    """As in a notebook that has run something: what is imported and looked at once is there in each fork."""
    with run_in_sandbox("1", fresh_shell("")):
        pass
    gc.freeze()


class Fork:
    """`act` at work in a fork of this process."""

    def __init__(self, act: Callable[[], Any], seconds: int = 120) -> None:
        run_once()
        reading, writing = os.pipe()
        sys.stdout.flush()
        self._pid = os.fork()
        if self._pid == 0:
            gc.disable()
            sys.setrecursionlimit(50_000)
            os.close(reading)
            signal.alarm(seconds)
            if (torch := sys.modules.get("torch")) is not None:
                torch.set_num_threads(1)  # a pool of threads does not survive the next fork
            try:
                said: Any = ("done", act())
            except BaseException:
                said = ("failed", traceback.format_exc())
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump(said, pipe)
            os._exit(0)
        os.close(writing)
        self._reading = reading

    def result(self) -> Any:
        """What `act` returned, once it has."""
        with os.fdopen(self._reading, "rb") as pipe:
            data = pipe.read()
        _, status = os.waitpid(self._pid, 0)
        with contextlib.suppress(pickle.UnpicklingError, EOFError):  # it died before it had said all
            return pickle.loads(data)
        return "died", f"status {status}"


def in_fork(act: Callable[[], Any], seconds: int = 120) -> Any:
    """What `act` returns, run in a fork of this process."""
    return Fork(act, seconds).result()


class Ahead:
    """Acts in forks, as many at a time as there are cores: while a test looks at one, the next are at work."""

    def __init__(self, acts: dict[str, Callable[[], Any]], seconds: int = 120) -> None:
        self._waiting, self._seconds = dict(acts), seconds
        self._forks: dict[str, Fork] = {}

    def result(self, name: str) -> Any:
        if name not in self._forks:
            self._start(name)
        for following in list(self._waiting)[: max(0, (os.cpu_count() or 1) + 1 - len(self._forks))]:
            self._start(following)
        return self._forks.pop(name).result()

    def _start(self, name: str) -> None:
        self._forks[name] = Fork(self._waiting.pop(name), self._seconds)

    def close(self) -> None:
        """Wait for those that nobody asked for."""
        for fork in self._forks.values():
            fork.result()


@contextlib.contextmanager
def runs_of(request: pytest.FixtureRequest) -> Iterator[Ahead]:
    """The runs, plain and through the sandbox, of the programs that a module's tests are selected for."""
    acts: dict[str, Callable[[], Any]] = {}
    for program in selected(request, "program"):
        acts[f"{program.name}, plainly"] = functools.partial(plainly, program)
        acts[program.name] = functools.partial(through_sandbox, program)
    ahead = Ahead(acts)
    yield ahead
    ahead.close()


def check(program: Program, runs: Ahead) -> None:
    """That a program's run through the sandbox is as its plain run."""
    status, plain = runs.result(f"{program.name}, plainly")
    assert status == "done", plain
    status, home = runs.result(program.name)
    assert status == "done", home
    assert "cannot" not in home, (home["cannot"], home["report"])
    assert home["untouched"]
    assert home["state"] == plain["state"]
    assert home["shown"] == plain["shown"]
    assert home.get("then") == plain.get("then")
    assert home["undone"] == home["before"]


def selected(request: pytest.FixtureRequest, parameter: str) -> list[Any]:
    """The values of a parameter with which the tests of a module will run, in their order."""
    items = [item for item in request.session.items if getattr(item, "module", None) is request.module]
    specs = [item.callspec.params for item in items if hasattr(item, "callspec")]
    return [spec[parameter] for spec in specs if parameter in spec]


def fresh_shell(setup: str) -> InteractiveShell:
    shell = SHELL
    shell.reset(new_session=False)
    shell.user_ns["__spec__"] = None  # a module has one, and `multiprocessing` asks `__main__` for it
    shell.user_ns.update(np=np, pd=pd)
    random.seed(0)  # a fork seeds it anew
    shell.display_pub = CapturingDisplayPublisher()
    if setup:
        result = run_nested(shell, setup, silent=True)
        assert result.success, setup
    return shell


def state_of(shell: InteractiveShell) -> Any:
    """The namespace, the last results, what belongs to the process, and the open figures."""
    found = dict(sorted(names.variables(shell).items()))
    results = {name: shell.user_ns.get(name) for name in ("_", "__", "___")}
    found |= {f"result {name}": value for name, value in results.items() if not isinstance(value, str) or value}
    found |= {f"Out {key}": value for key, value in dict(shell.user_ns["_oh"]).items()}
    process = ambient.snapshot()
    process["the environment variables"] = sorted(process["the environment variables"].items())
    return canon(found), repr(process), sorted(names.figures())


def shown_by(shell: InteractiveShell, act: Callable[[], Any], *, made_safe: bool = True) -> tuple[Any, Any]:
    """What `act` returns, and what it shows. `made_safe`: whether that was done to it already."""
    out, err = io.StringIO(), io.StringIO()
    shell.display_pub.outputs = []
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        returned = act()
    displays = [{k: v for k, v in entry.items() if k != "transient"} for entry in shell.display_pub.outputs]
    if not made_safe:
        cleaned = [{**d, "data": bundle(d["data"], d["metadata"]).data} for d in displays]
        displays = [d for d in cleaned if d["data"]]  # plotly first shows a script that loads it, and nothing else
    return returned, [_RANDOM.sub("", text) for text in (out.getvalue(), err.getvalue(), repr(displays))]


def cell(shell: InteractiveShell, code: str) -> tuple[bool, Any]:
    result, shown = shown_by(shell, lambda: run_nested(shell, code), made_safe=False)
    return result.success, shown


def plainly(program: Program) -> dict[str, Any]:
    shell = fresh_shell(program.setup)
    success, shown = cell(shell, program.code)
    found = {"success": success, "shown": shown, "state": state_of(shell)}
    if program.then:
        found["then"] = [*cell(shell, program.then), state_of(shell)]
    return found


def through_sandbox(program: Program) -> dict[str, Any]:
    shell = fresh_shell(program.setup)
    before = state_of(shell)
    ran = run_in_sandbox(program.code, shell)
    untouched = state_of(shell) == before
    if not ran.committable:
        return {"cannot": [str(why) for why in ran.cannot], "report": ran.report.model_dump(), "untouched": untouched}
    undo, shown = shown_by(shell, lambda: commit(ran))
    found = {"success": True, "shown": shown, "state": state_of(shell), "untouched": untouched}
    if program.then:
        dice = random.getstate()

        def follow() -> Any:
            random.setstate(dice)
            return [*cell(shell, program.then), state_of(shell)]

        found["then"] = in_fork(follow)[1]
    undo.restore()
    found["undone"] = state_of(shell)
    found["before"] = before
    return found
