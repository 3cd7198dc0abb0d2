"""Results of the model's code in the background are unpickled in the sandbox, and committed."""

from __future__ import annotations

import os
import time
import zlib
from multiprocessing import util
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

from llmos_jupyter.effects.copy.kernel_copy import supported
from llmos_jupyter.sandbox import roots, seccomp_filter
from llmos_jupyter.sandbox.landlock import landlock_version
from llmos_jupyter.session import foreign_results
from llmos_jupyter.workers.fingerprints import Seen
from llmos_jupyter.workers.transfer import pack_results

pytestmark = pytest.mark.skipif(
    supported() is not None or not landlock_version() or not seccomp_filter.available(), reason="no lock of this kind"
)


class Calls:
    """Pickled as a call of this function."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InteractiveShell:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    shell = InteractiveShell()
    roots.fix_roots(shell)
    return shell


def test_results_come_and_share_what_they_shared(shell: InteractiveShell, tmp_path: Path) -> None:
    array = np.arange(10)
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    shell.user_ns["old"] = before = [1]
    shell.user_ns["busy"] = [2]
    seen = {"old": Seen(before), "busy": None}
    values = {"frame": frame, "array": array, "twin": array, "old": [3], "busy": [4]}
    merged = foreign_results.merge(shell, pack_results(values, tmp_path / "results"), seen, 7)
    assert merged.missing == []
    assert merged.set == ["frame", "array", "twin", "old"]
    assert merged.kept == {"busy": "busy_from_task_7"}
    assert shell.user_ns["frame"].equals(frame)
    assert shell.user_ns["array"] is shell.user_ns["twin"]
    assert (shell.user_ns["old"], shell.user_ns["busy"], shell.user_ns["busy_from_task_7"]) == ([3], [2], [4])


def test_what_a_pickle_does_is_refused_and_the_rest_comes(shell: InteractiveShell, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cr3t")
    values = {
        "runs": Calls(os.system, f"touch {tmp_path}/ran"),
        "reads": Calls(np.fromfile, str(tmp_path / "secret"), "u1"),
        # No audit event tells of these two.
        "starts": Calls(util.spawnv_passfds, b"/usr/bin/touch", [b"touch", f"{tmp_path}/ran".encode()], ()),
        "calls": Calls(eval, f"__import__('ctypes').pythonapi.system(b'touch {tmp_path}/ran')"),
        "ends": Calls(os._exit, 3),
        "fails": Calls(int, "x"),
        "good": [1, 2],
        "late": Calls(zlib.decompressobj),
    }
    merged = foreign_results.merge(shell, pack_results(values, tmp_path / "results"), {}, 7)
    assert merged.set == ["good"]
    assert shell.user_ns["good"] == [1, 2]
    assert not (tmp_path / "ran").exists()
    reasons = {missing.name: missing.reason for missing in merged.missing}
    assert reasons.keys() == values.keys() - {"good"}
    for name in ("runs", "starts", "calls"):
        assert "which it may not" in reasons[name], reasons
    assert f"read {tmp_path}/secret" in reasons["reads"]
    assert "ValueError" in reasons["fails"]
    assert "save it to a file" in reasons["late"]


def test_a_pickle_that_never_ends(shell: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_results, "BUDGET_SECONDS", 0.3)
    merged = foreign_results.merge(shell, pack_results({"x": Calls(time.sleep, 99)}, tmp_path / "results"), {}, 7)
    assert [missing.name for missing in merged.missing] == ["x"]
    assert "x" not in shell.user_ns
