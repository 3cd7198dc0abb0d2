"""A reply that has fallen into a loop: the same words over and over, until the tokens run out.

Small models do it, most at temperature 0. Asked after every few tokens while a reply streams, so it looks at the end of
the text only, and takes under 1 ms whatever the length.
"""

from __future__ import annotations

# Characters at the end of the text that are looked at.
WINDOW = 4000
# A unit must come this often in a row, and fill this many characters in all, before it is called a loop: a table of
# zeros, a line of dashes and a list of similar items in real code stay below.
TIMES = 8
FILLED = 400
# The same for one character or two: "0, 0, 0, " and "----" are data or decoration for longer.
SHORT_UNIT = 4
SHORT_FILLED = 1200
# Lines that differ in their numbers only (`x17 = 17`) are a loop when there are this many in a row.
NUMBERED_LINES = 60
_DIGITS = str.maketrans("0123456789", "0" * 10)


def looping(text: str) -> bool:
    """Whether a reply written so far ends in a loop that it will not leave by itself."""
    end = text[-WINDOW:]
    return _repeats(end) or _counts_on(end)


def _repeats(end: str) -> bool:
    """Whether the text ends in one unit, TIMES times in a row."""
    if len(end) < FILLED:
        return False
    # Where the last characters stood before is how long a unit can be. Twice the shortest tail is enough to find one.
    tail = end[-24:]
    before = end.rfind(tail, 0, len(end) - 1)
    while before >= 0:
        unit = len(end) - len(tail) - before
        if unit * TIMES > len(end):
            return False
        filled = _filled(end, unit)
        if filled >= max(unit * TIMES, SHORT_FILLED if unit <= SHORT_UNIT else FILLED):
            return True
        before = end.rfind(tail, 0, before + len(tail) - 1)
    return False


def _filled(end: str, unit: int) -> int:
    """How many characters at the end repeat with this period."""
    length = unit
    while length < len(end) and end[-length - 1] == end[-length - 1 + unit]:
        length += 1
    return length


def _counts_on(end: str) -> bool:
    """Whether the last lines are one line with other numbers each time, and too many to be meant."""
    lines = end.rsplit("\n", NUMBERED_LINES + 1)
    if len(lines) < NUMBERED_LINES + 2:
        return False
    shapes = {_shape(line) for line in lines[1:-1]}
    return len(shapes) == 1 and any(character.isalpha() for character in shapes.pop())


def _shape(line: str) -> str:
    shape = line.strip().translate(_DIGITS)
    while "00" in shape:
        shape = shape.replace("00", "0")
    return shape
