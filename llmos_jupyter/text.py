"""Text from anywhere, made fit to be sent, stored and shown."""

from __future__ import annotations

import re

# Halves of surrogate pairs: Python's strings may hold them, UTF-8, JSON and SQLite cannot.
_LONE = re.compile("[\ud800-\udfff]")
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
# C0 and C1 controls save tab and newline, and what turns the direction of a line that is shown around (which lets code
# read otherwise than it runs: CVE-2021-42574).
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")


def wellformed(text: str) -> str:
    """The text with U+FFFD for each lone surrogate, so that it can be encoded as UTF-8."""
    return _LONE.sub("\ufffd", text)


def readable(text: str) -> str:
    """The text of a request or of a reply without what no reader sees: NUL and other control characters, terminal
    escapes, marks that turn the writing direction; lines end in a newline alone. Chinese, Arabic, emoji and the joiners
    they need stay as they are.
    """
    text = _ANSI.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", wellformed(text))
