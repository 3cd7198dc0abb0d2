"""A small part of `benchmarks.deaths`, and that it sees what a death could leave."""

from __future__ import annotations

import contextlib
import os
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox's fork is Linux's")
if sys.platform == "linux":
    from benchmarks import deaths


def test_a_few_deaths_leave_nothing() -> None:
    with deaths.Stage(seed=5) as stage:
        for _ in range(6):
            stage.die()
    assert stage.tally.harm == []
    assert stage.tally.ends.total() == 7


def test_a_death_as_a_file_is_kept() -> None:
    with deaths.Stage(seed=5) as stage:
        stage.run(deaths.WORK["writes files"], "killed", contextlib.nullcontext, kept=1)
    assert stage.tally.ends["killed: died"] == 1
    assert stage.tally.harm == []


def test_what_is_left_is_seen() -> None:
    with deaths.Stage(seed=5) as stage:
        opened = os.open(stage.file, os.O_RDONLY)
        stage.shell.user_ns["kept"].append(1)
        stage.file.write_bytes(b"new")
        child = os.fork()
        if child == 0:
            os.read(os.pipe()[0], 1)
        try:
            found = deaths.state(stage.shell, stage.file.parents[1]).differences(stage.before)
        finally:
            os.kill(child, 9)
            os.waitpid(child, 0)
            os.close(opened)
    assert found == ["content", "files", f"the process {child}", f"the descriptor of {stage.file}"]
