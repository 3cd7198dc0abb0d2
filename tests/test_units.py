"""Bytes and seconds, as people read them."""

from __future__ import annotations

import pytest

from llmos_jupyter.units import seconds, size


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1500, "1.5 kB"),
        (90_400, "90 kB"),
        (999_600, "1.0 MB"),
        (491_400_000, "491 MB"),
        (1_117_320_736, "1.1 GB"),
        (12_340_000_000, "12.3 GB"),
        (2_500_000_000_000, "2500.0 GB"),
    ],
)
def test_sizes(count: float, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(("count", "text"), [(0.04, "0.0 s"), (3.14, "3.1 s"), (9.96, "10 s"), (75.4, "75 s")])
def test_seconds(count: float, text: str) -> None:
    assert seconds(count) == text
