"""How the user is asked."""

from __future__ import annotations

import builtins

import pytest

from llmos_jupyter.showing import IN_SIGHT, ask


@pytest.mark.parametrize(
    ("why", "lines", "asked"),
    [
        ("", 1, "Run this code? [y/N] "),
        ("it wants to write", IN_SIGHT, "Asking because it wants to write. Run this code? [y/N] "),
        ("", 124, "Run all 124 lines of this code? [y/N] "),
    ],
)
def test_code_that_goes_on_below_is_asked_about_by_its_length(
    why: str, lines: int, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(builtins, "input", lambda prompt: said.append(prompt) or "y")
    assert ask(why, lines) is True
    assert said == [asked]


def test_where_nobody_can_be_asked_there_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr(builtins, "input", nobody)
    assert ask("") is None
