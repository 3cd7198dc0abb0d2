"""Whether what a cell showed states the closed answers of a question, and what kind of failure it is if not."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Literal

# As close as two numbers must be to count as the same.
NEAR = 1e-6

# `held back`: code was written, and not run. `no code`: the model answered in words, or not at all.
Failure = Literal["", "exception", "wrong value", "nothing shown", "held back", "no code", "timeout"]
FAILURES: tuple[Failure, ...] = ("exception", "wrong value", "nothing shown", "held back", "no code", "timeout")


def plain_text(value: str) -> str:
    """The text of a result as a notebook shows it; a string's without its quotes and escapes."""
    text = value.strip()
    if text[:1] in ("'", '"'):
        try:
            read = ast.literal_eval(text)
        except (SyntaxError, ValueError):
            return value
        if isinstance(read, str):
            return read
    return value


def stated(shown: str, name: str) -> list[str]:
    """All values that stand in the text as `@name[value]`; brackets within a value are paired."""
    pattern = rf"@{re.escape(name)}\[((?:[^\[\]]|\[[^\[\]]*\])*)\]"
    return [found.strip() for found in re.findall(pattern, shown)]


def same_value(expected: str, given: str) -> bool:
    """Equal strings, or equal numbers."""
    if expected.strip() == given.strip():
        return True
    try:
        return abs(float(expected) - float(given)) <= NEAR
    except ValueError:
        return False


def closed(answers: Mapping[str, str], shown: str) -> tuple[str, Failure]:
    """Why the text does not state these answers, and the kind of failure; empty if it does.

    Of a name that stands there more than once the last counts, so that nobody is right who tells every possibility.
    """
    missing: list[str] = []
    wrong: list[str] = []
    for name, expected in answers.items():
        values = stated(shown, name)
        if not values:
            missing.append(name)
        elif not same_value(expected, values[-1]):
            wrong.append(f"{name} is {values[-1][:80]!r}, not {expected[:80]!r}")
    if wrong:
        return "; ".join(wrong)[:400], "wrong value"
    if missing:
        return f"not shown: {', '.join(missing)}"[:400], "nothing shown"
    return "", ""


def of_check(error: str) -> Failure:
    """The kind of failure by what the asserts raised: a missing name is a result that was not made."""
    if not error:
        return ""
    kind = error.partition(":")[0]
    return {"AssertionError": "wrong value", "NameError": "nothing shown"}.get(kind, "exception")  # type: ignore[return-value]
