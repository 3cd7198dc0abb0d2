"""Bytes and seconds for people, written one way everywhere."""

from __future__ import annotations


def size(count: float) -> str:
    """A number of bytes in decimal units: `512 bytes`, `90 kB`, `1.1 GB`."""
    if count < 1000:
        return f"{count:.0f} bytes"
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 999.5 or unit == "GB":
            break
    return f"{count:.1f} {unit}" if count < 9.95 or unit == "GB" else f"{count:.0f} {unit}"


def seconds(count: float) -> str:
    """A measured or expected time in seconds: `0.4 s`, `25 s`."""
    return f"{count:.1f} s" if count < 9.95 else f"{count:.0f} s"


def about(count: float) -> str:
    """A number of seconds as a person would say it, which changes seldom: to 5 s below a minute, then to the minute."""
    count = max(0.0, count)
    if count < 60:
        return f"{5 * int(count / 5)} s"
    if count < 3600:
        return f"{count / 60:.0f} min"
    return f"{count / 3600:.0f} h" if count < 2 * 86400 else f"{count / 86400:.0f} days"
