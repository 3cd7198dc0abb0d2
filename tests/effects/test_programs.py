"""Every program, run plainly and through the sandbox: names, types, dtypes, aliases, shared memory, results, outputs
are the same, the cell after it finds the same, and undo brings back what was there.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from llmos_jupyter.agent.rehearsal.kernel_copy import supported
from tests.effects.processes import Ahead, check, runs_of
from tests.effects.programs import PROGRAMS, Program

pytestmark = pytest.mark.skipif(supported() is not None, reason=str(supported()))


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest) -> Iterator[Ahead]:
    with runs_of(request) as ahead:
        yield ahead


@pytest.mark.parametrize("program", PROGRAMS, ids=[program.name.replace(" ", "-") for program in PROGRAMS])
def test_a_run_through_the_sandbox_is_as_a_plain_run(program: Program, runs: Ahead) -> None:
    check(program, runs)
