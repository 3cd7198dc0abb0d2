"""Speeds that were measured are kept, and a busy moment does not make a machine slow."""

from __future__ import annotations

from pathlib import Path

from llmos_jupyter.daemon.stores.speed_store import KEPT, SpeedStore
from llmos_jupyter.daemon.stores.store import Store
from llmos_jupyter.protocol import Speed


def speed(writes: float, model: str = "m", at: float = 0.0) -> Speed:
    return Speed(model=model, engine="llama.cpp", device="cpu", reads=40.0, writes=writes, at=at)


def test_the_best_of_the_last_counts_and_survives(tmp_path: Path) -> None:
    store = Store(tmp_path / "llmos.sqlite")
    speeds = SpeedStore(store)
    for writes in (30.0, 9.0, 14.0, 3.0, 11.0, 12.0):
        speeds.add(speed(writes))
    speeds.add(speed(50.0, "n"))
    assert speeds.written() == {"m": 14.0, "n": 50.0}, f"30 was longer ago than the last {KEPT}"
    store.close()
    store = Store(tmp_path / "llmos.sqlite")
    assert SpeedStore(store).written() == {"m": 14.0, "n": 50.0}
    store.close()
