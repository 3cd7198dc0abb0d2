"""Bytes and seconds for people, written one way everywhere.

The side panel has the same functions in `labextension/src/format.ts`; `tests/data/views.json` holds both to the same
words.
"""

from __future__ import annotations


def size(count: float) -> str:
    """A number of bytes in decimal units: `512 bytes`, `90 kB`, `1.1 GB`."""
    if count < 1000:
        return f"{count:.0f} bytes"
    unit, *larger = "kB", "MB", "GB", "TB"
    count /= 1000
    while count >= 999.5 and larger:
        count /= 1000
        unit, *larger = larger
    return f"{count:.1f} {unit}" if count < 9.95 or unit in ("GB", "TB") else f"{count:.0f} {unit}"


def seconds(count: float) -> str:
    """A measured or expected time in seconds: `0.42 s`, `3.1 s`, `25 s`, `2 min 5 s`."""
    if count < 0.995:
        return f"{max(0.0, count):.2f} s"
    return f"{count:.1f} s" if count < 9.95 else elapsed(count + 0.5)


def elapsed(count: float) -> str:
    """Time that goes by, to the second: `25 s`, `2 min 5 s`, `3 h 4 min`."""
    whole = max(0, int(count))
    return f"{whole // 60} min {whole % 60} s" if 60 <= whole < 3600 else _coarse(whole)


def about(count: float) -> str:
    """A wait or an age in seconds, in words that change seldom: `40 s`, `3 min`, `2 h 5 min`, `4 days`."""
    whole = max(0, int(count))
    return f"{whole - whole % 5} s" if whole < 60 else _coarse(whole)


def _coarse(whole: int) -> str:
    if whole < 60:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def rate(value: float) -> str:
    """A figure with one digit after the point while it is small: `8.4`, `13`."""
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


def shortened(text: str, length: int) -> str:
    """At most this many characters of a text, on one line, with `…` for the rest. Only its beginning is looked at."""
    flat = " ".join(text[: 4 * length].split())
    cut = len(flat) > length or len(text) > 4 * length
    return f"{flat[: length - 1]}…" if cut else flat
