"""What texts in a column are written like: numbers, dates, digits to be kept, units, stray spaces.

Told by the form of the values alone; which of two readings is right (is 03/04 in March or in April?) only where some
value proves it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from llmos_jupyter.agent.describe.basics import literal

# Different values looked at, characters of one that may still be a number or a date, and exceptions that are named.
LOOKED_AT = 500
LONG = 40
EXCEPTIONS = 2
# More digits than a float keeps apart.
EXACT_DIGITS = 15

_NUMBER = re.compile(
    r"(?P<sign>[+\-−]\s?)?(?P<before>[^\w\s.,;:+\-−()]{1,3}\s?)?"
    r"(?P<digits>\d{1,3}(?:[,.' \u00a0\u202f’]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?|[.,]\d+)(?:[eE][+-]?\d+)?"
    r"(?P<unit>\s?[^\W\d_%]{1,6}[²³]?(?:/[^\W\d_]{1,4}[²³]?)?|\s?[°%‰][^\W\d_]?|\s?[^\w\s.,;:+\-()/'\"]{1,2})?"
)
_ISO = re.compile(r"\d{4}-(\d{2})-(\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?(?:Z|[+-]\d{2}:?\d{2}))?)?")
_YEAR_FIRST = re.compile(r"\d{4}([/.])(\d{1,2})\1(\d{1,2})(?: .*\d:\d\d.*)?")
_YEAR_LAST = re.compile(r"(?P<date>(\d{1,2})([./-])(\d{1,2})\3(?:\d{4}|\d{2}))(?:[ T,].*\d:\d\d.*)?")
_IN_A_ROW = re.compile(r"(?:19|20)\d{2}(\d{2})(\d{2})")
_TIME = re.compile(r"\d{1,2}:[0-5]\d(?::[0-5]\d(?:[.,]\d+)?)?")


def text_form(distinct: Sequence[str], shown: int = 0) -> str:
    """What the texts look like, in words; empty where they are just texts.

    `distinct`: each value once, of which the first `shown` are seen anyway.
    """
    notes = []
    looked = spread(distinct, LOOKED_AT)
    bare = [text.strip() for text in looked]
    written = [text for text in dict.fromkeys(bare) if text]
    if form := _form(written):
        notes.append(form)
    if bare != list(looked):
        notes.append("some with spaces at the ends")
    if "" in bare and "" not in distinct[:shown]:
        notes.append("some empty")
    return ", ".join(notes)


def spread(values: Sequence[str], most: int) -> Sequence[str]:
    """About `most` of the values, from all over."""
    return values if len(values) <= most else values[:: -(-len(values) // most)]


def _form(texts: list[str]) -> str:
    if not any(c.isdecimal() for text in texts[:8] for c in text[:LONG]):
        return ""
    short = [text for text in texts if len(text) <= LONG]
    for look in (_digits, _dates, _numbers):
        if found := look(short, texts):
            return found
    return ""


def _exceptions(matched: Sequence[object], texts: list[str]) -> str | None:
    """`, except 'n/a'`; None if too many of the texts do not have the form for it to be one."""
    missed = [text for text, match in zip(texts, matched, strict=True) if not match]
    if len(missed) > max(len(texts) // 10, len(texts) > 2) or len(missed) == len(texts):
        return None
    if not missed:
        return ""
    more = ", ..." if len(missed) > EXCEPTIONS else ""
    return f", except {', '.join(literal(text, 20) for text in missed[:EXCEPTIONS])}{more}"


def _digits(short: list[str], texts: list[str]) -> str:
    """Numbers that are names: to make numbers of them would lose leading zeros, or the last digits."""
    if len(short) < len(texts) or not all(text.isdecimal() for text in texts):
        return ""
    if len(texts) > 2 and all(_month_and_day(_IN_A_ROW.fullmatch(text)) for text in texts):
        return "looks like dates (YYYYMMDD)"
    sizes = sorted({len(text) for text in texts})
    if sizes[-1] <= EXACT_DIGITS and not any(text[0] == "0" and len(text) > 1 for text in texts):
        return ""
    return f"digits as text, {sizes[0]}{f' to {sizes[-1]}' if len(sizes) > 1 else ''} long"


def _dates(short: list[str], texts: list[str]) -> str:
    if len(short) < len(texts):
        return ""
    for pattern, name in ((_ISO, "ISO"), (_YEAR_FIRST, "year first")):
        matched = [pattern.fullmatch(text) for text in texts]
        if (but := _exceptions(matched, texts)) is not None and all(_month_and_day(m) for m in matched if m):
            return f"looks like dates ({name}){but}"
    found = [_YEAR_LAST.fullmatch(text) for text in texts]
    if (but := _exceptions(found, texts)) is not None:
        if order := _day_or_month_first([m for m in found if m]):
            return f"looks like dates ({order}){but}"
        return ""
    if (but := _exceptions([_TIME.fullmatch(text) for text in texts], texts)) is not None:
        return f"looks like times{but}"
    return ""


def _month_and_day(match: re.Match[str] | None) -> bool:
    if match is None:
        return False
    month, day = match.groups()[-2:]
    return 1 <= int(month) <= 12 and 1 <= int(day) <= 31


def _day_or_month_first(matches: list[re.Match[str]]) -> str:
    pairs = [(int(m[2]), int(m[4]), m["date"]) for m in matches]
    if not all(0 < one <= 31 and 0 < two <= 31 and min(one, two) <= 12 for one, two, _ in pairs):
        return ""
    day = next((text for one, _, text in pairs if one > 12), "")
    month = next((text for _, two, text in pairs if two > 12), "")
    if day and month:
        return f"day first and month first mixed: {day}, {month}"
    if day or month:
        return f"day first: {day}" if day else f"month first: {month}"
    return "day or month first, no value tells"


def _numbers(short: list[str], texts: list[str]) -> str:
    matched = [_NUMBER.fullmatch(text) if len(text) <= LONG else None for text in texts]
    but = _exceptions(matched, texts)
    if but is None:
        return ""
    found = [match for match in matched if match]
    units = list(dict.fromkeys((m["unit"] or "").strip() for m in found))
    if len(units) > 3 or (len(units) > 1 and len(found) < 2 * len(units)):
        return ""
    notes = [_separators([m["digits"] for m in found])]
    named = [unit for unit in units if unit]
    if len(named) > 1 and all(len(m["unit"] or "") <= 1 for m in found):  # `1A`, `1B`, `2A`: names, not amounts
        return ""
    if named:
        notes.append(f"unit {', '.join(map(repr, named))}{' or none' if '' in units else ''}")
    signs = dict.fromkeys(m["before"].strip() for m in found if m["before"])
    if len(signs) > 3 or not all(map(_is_unit, [*named, *signs])):
        return ""
    if signs:
        notes.append(f"{', '.join(map(repr, signs))} before")
    said = "; ".join(note for note in notes if note)
    return f"looks like numbers{f' ({said})' if said else ''}{but}"


def _is_unit(text: str) -> bool:
    """Letters, a currency's sign, per cent and degrees: nothing that could be more than a unit."""
    return all(c in "%‰°/²³" or c.isalpha() or unicodedata.category(c) == "Sc" for c in text)


def _separators(numbers: list[str]) -> str:
    """Which sign stands for what, where any does other than the point before decimals."""
    signs = [[c for c in number if not c.isdecimal()] for number in numbers]
    if all(
        not each or (each == ["."] and len(n.rpartition(".")[2]) != 3) for each, n in zip(signs, numbers, strict=True)
    ):
        return ""
    decimal: dict[str, None] = {}
    thousands: dict[str, None] = {}
    unclear: dict[str, None] = {}
    for number, each in zip(numbers, signs, strict=True):
        if not each:
            continue
        last = each[-1]
        if len(set(each)) > 1:
            decimal[last] = None
            thousands.update(dict.fromkeys(each[:-1]))
        elif len(each) > 1 or last not in ",.":
            thousands[last] = None
        elif len(number.rpartition(last)[2]) != 3 or number.startswith(("0", last)):
            decimal[last] = None
        else:
            unclear[last] = None
    # What one value leaves open, another settles.
    for sign in [sign for sign in unclear if sign not in decimal and sign not in thousands]:
        other = "." if sign == "," else ","
        (thousands if other in decimal or (sign == "," and other not in thousands) else decimal)[sign] = None
    notes = []
    if thousands:
        notes.append(f"{', '.join(map(repr, thousands))} between thousands")
    if "," in decimal:
        notes.append("decimal comma" if "." not in decimal else "decimal comma or point")
    return "; ".join(notes)


__all__ = ["spread", "text_form"]
