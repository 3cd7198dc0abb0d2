"""Vendors' keys that a printer broke over several lines, in the middle of a word."""

from __future__ import annotations

import re

from llmos_jupyter.privacy.known_values import BREAK
from llmos_jupyter.privacy.secret_names import looks_like_password, masked
from llmos_jupyter.privacy.secret_vendors import VENDORS, Form

_HEAD = re.compile(r"[\w+/=.~-]{4,}$")
_TAIL = re.compile(r"[\w+/=.~-]+")
_HEX = re.compile(r"[0-9a-f]{16,}")
# Lines that one key fills, and characters of a line that are looked at.
_LINES, _LINE = 6, 400


def mask_wrapped(text: str) -> str:
    """The text with such keys masked, and their breaks with them."""
    lowered = text.lower()
    likely = [form for form in VENDORS if form.marker in lowered]
    parts, start = [], 0
    for at in BREAK.finditer(text):
        if at.start() < start:
            continue
        head = _HEAD.search(text, max(start, at.start() - _LINE), at.start())
        if head is None:
            continue
        word = head[0].lower()
        forms = [form for form in likely if form.marker in word]
        if forms and (whole := _whole(text, head, at, forms)):
            begin, end, kind = whole
            parts += [text[start:begin], masked(kind)]
            start = end
    return "".join([*parts, text[start:]])


def _whole(text: str, head: re.Match[str], at: re.Match[str], forms: list[Form]) -> tuple[int, int, str] | None:
    """Where a key begins that goes on behind the break, where it ends, and its kind; None if none goes on."""
    complete = any(form.expression.search(head[0]) for form in forms)
    joined, found = head[0], None
    place: re.Match[str] | None = at
    for _ in range(_LINES):
        if place is None or (tail := _TAIL.match(text, place.end())) is None:
            break
        # What is complete may be followed by a word of its own.
        if complete and not (looks_like_password(tail[0]) or _HEX.fullmatch(tail[0])):
            break
        joined += tail[0]
        for form in forms:
            key = form.expression.search(joined)
            if key and key.start() < len(head[0]) < key.end() == len(joined):
                found = head.start() + key.start(), tail.end(), form.kind
        place = BREAK.match(text, tail.end())
    return found
