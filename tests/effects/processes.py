"""Programs run in forks of the test's process, each in a namespace of its own: plainly, and through the sandbox."""

from __future__ import annotations

import contextlib
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
from collections.abc import Callable
from typing import Any

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

from llmos_jupyter.agent.nested import run_nested
from llmos_jupyter.effects import ambient, names
from llmos_jupyter.effects.safe_outputs import bundle
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
SHELL = InteractiveShell.instance()
SHELL.history_manager.enabled = False
gc.freeze()


def in_fork(act: Callable[[], Any], seconds: int = 60) -> Any:
    """What `act` returns, run in a fork of this process."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        gc.disable()
        sys.setrecursionlimit(50_000)
        os.close(reading)
        signal.alarm(seconds)
        try:
            said: Any = ("done", act())
        except BaseException:
            said = ("failed", traceback.format_exc())
        with os.fdopen(writing, "wb") as pipe:
            pickle.dump(said, pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    _, status = os.waitpid(pid, 0)
    if not data:
        return "died", f"status {status}"
    return pickle.loads(data)


def fresh_shell(setup: str) -> InteractiveShell:
    shell = SHELL
    shell.reset(new_session=False)
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
