"""What magics and the process's own state come to, where an answer's code sets them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmos_jupyter.effects.copy.kernel_copy import supported
from llmos_jupyter.effects.transaction import commit, run_in_sandbox
from tests.effects.processes import SHELL, fresh_shell, in_fork

pytestmark = pytest.mark.skipif(supported() is not None, reason=str(supported()))


def done(act: Callable[[], Any]) -> Any:
    status, result = in_fork(act)
    assert status == "done", result
    return result


@pytest.mark.parametrize(
    ("code", "now"),
    [
        ("%cd sub", ("sub", "old")),
        ("%cd -q sub", ("sub", "old")),
        ("import os\nos.chdir('sub')", ("sub", "old")),
        ("import os\nos.environ['LLMOS_TRIED'] = 'new'", ("", "new")),
        ("%env LLMOS_TRIED=new", ("", "new")),
        ("import os\ndel os.environ['LLMOS_TRIED']", ("", None)),
    ],
)
def test_the_working_directory_and_the_environment_come_home_and_go_back(
    code: str, now: tuple[str, str | None], tmp_path: Path
) -> None:
    (tmp_path / "sub").mkdir()

    def state() -> tuple[str, str | None]:
        return os.path.relpath(os.getcwd(), tmp_path).strip("."), os.environ.get("LLMOS_TRIED")

    def act() -> None:
        os.chdir(tmp_path)
        os.environ["LLMOS_TRIED"] = "old"
        fresh_shell("x = 1")
        with run_in_sandbox(code, SHELL) as ran:
            assert ran.committable, (ran.report, ran.cannot)
            undo = commit(ran)
        assert state() == now
        undo.restore()
        assert state() == ("", "old")

    done(act)


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("%load_ext autoreload", "IPython's extensions"),
        ("%alias there echo there", "IPython's aliases"),
        ("%precision 3", "the settings of IPython's PlainTextFormatter"),
        ("%xmode Plain", "IPython's ways to show errors"),
        ("%pdb on", "IPython's ways to show errors"),
        ("%config InteractiveShell.ast_node_interactivity = 'all'", "the settings of IPython's InteractiveShell"),
    ],
)
def test_what_is_set_in_ipython_itself_is_told_and_not_lost(code: str, what: str) -> None:
    def act() -> list[str]:
        fresh_shell("x = 1")
        with run_in_sandbox(f"{code}\nx = 2", SHELL) as ran:
            assert ran.report.status == "passed", ran.report
            return [str(cannot) for cannot in ran.cannot]

    said = done(act)
    assert said
    assert said[0] == f"{what} changed, which belong to the kernel"


@pytest.mark.parametrize(
    ("code", "capability"),
    [
        ("%pip install six", "install packages"),
        ("!pip install six", "install packages"),
        ("!ls", "processes"),
        ("files = !ls", "processes"),
        ("%%bash\necho here", "processes"),
    ],
)
def test_commands_are_asked_about(code: str, capability: str) -> None:
    def act() -> tuple[str, list[str]]:
        fresh_shell("x = 1")
        with run_in_sandbox(code, SHELL) as ran:
            return ran.report.status, [refusal.capability.value for refusal in ran.refusals]

    assert done(act) == ("refused", [capability])
