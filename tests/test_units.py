"""Bytes and seconds, as people read them: in the same words as in the side panel, which reads the same file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmos_jupyter import units

VIEWS: dict[str, Any] = json.loads((Path(__file__).parent / "data/views.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["size", "seconds", "elapsed", "about", "rate"])
def test_figures_are_written_as_in_the_panel(name: str) -> None:
    assert [[count, getattr(units, name)(count)] for count, _ in VIEWS["units"][name]] == VIEWS["units"][name]


def test_texts_are_shortened_as_in_the_panel() -> None:
    assert [[text, most, units.shortened(text, most)] for text, most, _ in VIEWS["shortened"]] == VIEWS["shortened"]
