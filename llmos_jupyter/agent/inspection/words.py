"""Tables of names, written as text so that a hundred of them stay readable."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())
