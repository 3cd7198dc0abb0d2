"""Figures in an answer in words that nothing has computed."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NUMBER = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?(?!\w)")
# Whole numbers up to this one count steps, ways and words, and are no figures.
COUNTING = 10


def uncomputed(words: str, prompt: Iterable[str]) -> list[str]:
    """The numbers in `words` that stand nowhere in the prompt, as they are written there.

    A model that answers a question about data in words has made them up: it has run nothing.
    """
    known = {number for text in prompt for number in _numbers(text)}
    return [written for number, written in _numbers(words).items() if number not in known and not _counts(number)]


def _numbers(text: str) -> dict[float, str]:
    return {float(written.replace(",", "")): written for written in _NUMBER.findall(text)}


def _counts(number: float) -> bool:
    return number == int(number) and number <= COUNTING
