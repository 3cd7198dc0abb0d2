"""Every program, run plainly and through the sandbox: names, types, dtypes, aliases, shared memory, results, outputs
are the same, the cell after it finds the same, and undo brings back what was there.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import pytest

from llmos_jupyter.agent.rehearsal import supported
from tests.effects.processes import Ahead, plainly, selected, through_sandbox
from tests.effects.programs import PROGRAMS, Program

pytestmark = pytest.mark.skipif(supported() is not None, reason=str(supported()))


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest) -> Iterator[Ahead]:
    acts = {}
    for program in selected(request, "program"):
        acts[f"{program.name}, plainly"] = functools.partial(plainly, program)
        acts[program.name] = functools.partial(through_sandbox, program)
    ahead = Ahead(acts)
    yield ahead
    ahead.close()


@pytest.mark.parametrize("program", PROGRAMS, ids=[program.name.replace(" ", "-") for program in PROGRAMS])
def test_a_run_through_the_sandbox_is_as_a_plain_run(program: Program, runs: Ahead) -> None:
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
