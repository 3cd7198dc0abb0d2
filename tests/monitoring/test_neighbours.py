"""What others take of the processors, and how many threads are left for the engine."""

from __future__ import annotations

import os

import pytest

from llmos_jupyter.monitoring import neighbours
from llmos_jupyter.monitoring.neighbours import UNTIL_FEWER, UNTIL_MORE, Neighbours
from llmos_jupyter.system.hardware import Processors


class Machine:
    """Two cores whose load a test says, second by second."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, cores: int = 2, threads_a_core: int = 1) -> None:
        self.now = 0.0
        self.logical = cores * threads_a_core
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(self.logical)), raising=False)
        self.neighbours = Neighbours(Processors(self.logical, cores), lambda: self.now)

    def spend(self, seconds: int, busy: float, ours: float = 0.0) -> list[int]:
        """So many seconds with so many logical processors busy, of which the engine has `ours`."""
        threads = []
        for _ in range(seconds):
            self.now += 1.0
            self.neighbours.note([100 * busy / self.logical] * self.logical, ours, 1.0)
            threads.append(self.neighbours.threads())
        return threads


def test_what_the_engine_takes_is_not_taken_by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    machine.spend(60, busy=2.0, ours=2.0)
    assert machine.neighbours.taken < 0.01
    assert machine.neighbours.threads() == 2


def test_a_busy_core_is_left_to_who_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    threads = machine.spend(60, busy=2.0, ours=1.0)
    assert machine.neighbours.taken == pytest.approx(1.0, abs=0.01)
    assert threads[: int(UNTIL_FEWER)] == [2] * int(UNTIL_FEWER), "a short cell is no neighbour"
    assert threads[-1] == 1


def test_one_thread_is_always_left(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    assert machine.spend(60, busy=2.0)[-1] == 1
    assert machine.neighbours.taken == pytest.approx(2.0, abs=0.01)


def test_it_has_all_cores_again_soon_after_the_others_have_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    machine.spend(60, busy=1.0)
    threads = machine.spend(30, busy=0.0)
    assert threads[0] == 1
    assert threads.index(2) < UNTIL_MORE + 2 * neighbours.AVERAGED


def test_many_cores_lose_one_for_one_neighbour(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Machine(monkeypatch, cores=8).spend(60, busy=1.0)[-1] == 7


def test_two_logical_processors_are_one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, cores=4, threads_a_core=2)
    machine.spend(60, busy=2.0)
    assert machine.neighbours.taken == pytest.approx(1.0, abs=0.01)


def test_in_a_container_with_a_quota_the_machine_says_nothing() -> None:
    inside = Neighbours(Processors(2, 2), quota=True)
    for _ in range(60):
        inside.note([100.0] * 64, 0.0, 1.0)
    assert (inside.taken, inside.threads()) == (0.0, 2)


def test_changing_loads_do_not_make_it_change(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    assert {threads for _ in range(10) for threads in machine.spend(8, 1.6) + machine.spend(12, 0.0)} == {2}
