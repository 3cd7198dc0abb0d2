"""Programs as students and analysts ask for them come home, and the cell after them finds what a plain run leaves."""

from __future__ import annotations

import functools
import importlib.util
import random
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from llmos_jupyter.agent.rehearsal.kernel_copy import supported
from llmos_jupyter.agent.rehearsal.nested import run_nested
from llmos_jupyter.effects.transaction import commit, run_in_sandbox
from tests.effects.everyday import EVERYDAY
from tests.effects.processes import Ahead, cell, fresh_shell, selected, shown_by
from tests.effects.programs import Program

pytestmark = pytest.mark.skipif(supported() is not None, reason=str(supported()))

# What still cannot, and a part of what is said of it.
STAYS = {
    "singleton by metaclass": "the class Config has the metaclass Meta",
    "generator of primes kept": "it is a generator",
}


def _followed(program: Program) -> dict[str, Any]:
    """What the cell after a program shows, when it came home and when it was run plainly."""
    shell = fresh_shell("")
    ran = run_in_sandbox(program.code, shell)
    if not ran.committable:
        return {"cannot": [str(why) for why in ran.cannot], "report": ran.report.model_dump()}
    found = {}
    for way in ("home", "plain"):
        np.random.seed(0)
        if way == "home":
            shown_by(shell, lambda: commit(ran))
        else:
            shell = fresh_shell("")
            assert run_nested(shell, program.code, silent=True).success
        random.seed(0)
        found[way] = cell(shell, program.then)
    return found


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest) -> Iterator[Ahead]:
    programs = [program for program in selected(request, "program") if not _missing(program)]
    ahead = Ahead({program.name: functools.partial(_followed, program) for program in programs})
    yield ahead
    ahead.close()


def _missing(program: Program) -> list[str]:
    """The libraries that a program needs and that are not installed."""
    names = re.findall(r"(?:^|; )(?:import|from) (\w+)", program.code, re.MULTILINE)
    return [name for name in names if importlib.util.find_spec(name) is None]


@pytest.mark.parametrize("program", EVERYDAY, ids=[program.name.replace(" ", "-") for program in EVERYDAY])
def test_an_ordinary_answer_comes_home(program: Program, runs: Ahead) -> None:
    if missing := _missing(program):
        pytest.skip(f"{', '.join(missing)} is not installed")
    status, done = runs.result(program.name)
    assert status == "done", done
    if program.name in STAYS:
        assert any(STAYS[program.name] in why for why in done["cannot"]), done
        return
    assert "cannot" not in done, done
    success, _ = done["plain"]
    assert success, done["plain"]
    assert done["home"] == done["plain"]
