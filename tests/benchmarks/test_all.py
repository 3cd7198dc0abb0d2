"""The benchmarks' common parts, and the promise that loading the extension is cheap and offline."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from benchmarks import transaction
from benchmarks.common import percentile, report, table
from benchmarks.load import AIM_SECONDS, start
from llmos_jupyter.agent.rehearsal.kernel_copy import supported
from tests.agent.rehearsal.shells import shell_with


def test_percentile() -> None:
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile([1, 2], 0.5) == 1.5
    assert percentile([5], 0.99) == 5
    assert percentile(range(101), 0.95) == pytest.approx(95)
    assert (percentile([2, 1], 0), percentile([2, 1], 1)) == (1, 2)
    for values, share in (([], 0.5), ([1], 1.1), ([1], -0.1)):
        with pytest.raises(ValueError, match=r"percentile|share"):
            percentile(values, share)


def test_table_aligns_and_marks_what_is_absent() -> None:
    text = table([{"name": "a", "s": 0.12345}, {"name": "longer", "s": None}])
    assert text.splitlines() == ["name        s", "------  -----", "a       0.123", "longer      -"]


def test_the_last_line_is_strict_json(capsys: pytest.CaptureFixture[str]) -> None:
    report("demo", [{"x": float("nan"), "y": 1}], aim=float("inf"))

    def refuse(name: str) -> object:
        raise AssertionError(name)

    last = json.loads(capsys.readouterr().out.splitlines()[-1], parse_constant=refuse)
    assert last["benchmark"] == "demo"
    assert last["rows"] == [{"x": None, "y": 1}]
    assert last["aim"] is None
    assert last["machine"]["cores"] >= 1


@pytest.mark.skipif(supported() is not None, reason=str(supported()))
def test_a_transaction_is_measured_beside_a_plain_cell_and_leaves_nothing() -> None:
    shell = shell_with(**(transaction.frame_of(1e-5) or {}))
    before = shell.user_ns["frame"].copy()
    for _, code, fresh in transaction.tasks(0.001):
        row = transaction.measure(shell, code, fresh, 1)
        assert float(str(row["transaction_s"])) > 0
        assert (row["copies"] is None) == (fresh == 0)
    assert shell.user_ns["frame"].equals(before)
    assert not {"x", "fresh", "part"} & shell.user_ns.keys()


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="the child's processor time is asked of a Unix system")
def test_loading_is_cheap_and_offline() -> None:
    python = Path(sys.executable)
    start(python, "llmos_jupyter")
    bare = min(start(python, "").cpu for _ in range(3))
    loaded = min(start(python, "llmos_jupyter").cpu for _ in range(3))
    assert loaded - bare < AIM_SECONDS
    assert start(python, "llmos_jupyter", audit=True).calls == []


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="the child's processor time is asked of a Unix system")
def test_the_measurement_sees_cost_network_and_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slow_extension.py").write_text(
        "import socket, time\n"
        "def load_ipython_extension(shell):\n"
        "    while time.process_time() < 1.5: pass\n"
        "    socket.getaddrinfo('localhost', 80)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    seen = start(Path(sys.executable), "slow_extension", audit=True)
    assert seen.cpu >= 1.5
    assert seen.calls == ["socket.getaddrinfo"]
    with pytest.raises(RuntimeError, match="no_such_extension"):
        start(Path(sys.executable), "no_such_extension")
