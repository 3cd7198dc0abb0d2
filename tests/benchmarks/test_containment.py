"""A small part of `benchmarks.containment`, and that its canaries see what they are there for."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the rehearsal's lock is Linux's")
if sys.platform == "linux":
    from benchmarks.containment.disguises import WAYS, disguised
    from benchmarks.containment.harmful import programs
    from benchmarks.containment.harmless import snippets
    from benchmarks.containment.stage import Stage


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as stage:
        yield stage


def test_there_are_enough_and_no_two_alike() -> None:
    assert len({code for _, code in programs()}) == len(programs()) >= 200
    assert len({code for _, code in snippets()}) == len(snippets()) >= 500


SAMPLE = [
    "open(f'{OUT}/a', 'w').write('x')",
    "getattr(__import__('os'), 're' + 'move')(f'{OUT}/a')",
    "import socket; socket.create_connection(('127.0.0.1', PORT))",
    "import subprocess; subprocess.run(['touch', stamp])",
    "open(f'{OUT}/secret').read()",
    "import os; os._exit(0)",
    "import os\nif os.getpid() == KERNEL: open(OUT + '/a', 'w').write('x')",
    "import time\ntime.sleep(RUNS_ON)\ntry: open(OUT + '/a', 'w')\nexcept OSError: pass",
]


@pytest.mark.parametrize("code", SAMPLE)
def test_harm_neither_happens_nor_passes(stage: Stage, code: str) -> None:
    story = stage.play(code)
    assert story.harm == []
    assert story.end != "ran"
    assert story.caught_by


@pytest.mark.parametrize("way", WAYS if sys.platform == "linux" else [])
@pytest.mark.parametrize("code", ["open(f'{OUT}/a', 'w').write('x')", "x = open(f'{OUT}/secret').read()"])
def test_the_sandbox_alone_holds_what_comes_in_disguise(stage: Stage, way: str, code: str) -> None:
    story = stage.play(disguised(code, way), straight=True)
    assert story.harm == []


def test_the_secret_is_missed_where_nothing_holds(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.containment import stage as module

    def unheld(code: str, shell: object) -> module.Story:
        shell.run_cell(code)  # type: ignore[attr-defined]
        return module.Story("ran")

    monkeypatch.setattr(module, "_through_the_sandbox", unheld)
    assert stage.play("x = open(f'{OUT}/secret').read()", straight=True).harm == ["read"]
    for way in WAYS:
        shown = {
            "when shown": "\nd",
            "when described": "\nlen(d)",
            "call_later": "\nloop.run_until_complete(asyncio.sleep(.2))",
        }
        code = disguised("open(f'{OUT}/a', 'w').write('x')", way) + shown.get(way, "")
        assert "outside" in stage.play(code, straight=True).harm, way


@pytest.mark.parametrize("code", ["z = df['x'] * 2", "import pandas as pd\npd.read_csv('data.csv')"])
def test_the_harmless_runs(stage: Stage, code: str) -> None:
    story = stage.play(code)
    assert (story.end, story.harm) == ("ran", [])


def test_the_canaries_see(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing between a program and the world, each of them is found out."""
    from benchmarks.containment import stage as module

    def unheld(code: str, shell: object, base: object) -> module.Story:
        shell.run_cell(code)  # type: ignore[attr-defined]
        return module.Story("failed")

    monkeypatch.setattr(module, "_through_the_loop", unheld)
    code = "kept.append(3)\nopen(f'{OUT}/a', 'w')\nopen('n', 'w')\nimport os, socket\nos.system(f'touch {stamp}')\n"
    code += "socket.create_connection(('127.0.0.1', PORT))\nsocket.socket(2, 2).sendto(b'x', ('127.0.0.1', PORT))\n"
    code += "socket.socket(socket.AF_UNIX).connect(SOCKET)"
    assert {"namespace", "outside", "work", "process", "tcp", "udp", "unix"} <= set(stage.play(code).harm)
    assert stage.play("import signal, os\nos.kill(KERNEL, signal.SIGKILL)").harm == ["kernel"]
