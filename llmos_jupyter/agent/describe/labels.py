"""What is odd about a table's column names, and how they must be written for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

from llmos_jupyter.agent.describe.basics import class_dict, class_name, is_exactly, label, mro

SHOWN = 4
# Characters of a cell in which a number is looked for.
LOOKED_AT = 1000
# Signs that separate the columns of a file, of which a name holds one if the file was read with another.
_SEPARATORS = (";", "\t", "|")


def label_notes(labels: Sequence[object], name: str, table: type) -> list[str]:
    """The notes on a pandas table's column names. `name`: what the table is called."""
    notes = [_kinds(labels), _twice(labels), _lookalikes(labels), _byte_order_mark(labels)]
    texts = [each for each in labels if type(each) is str]
    taken = attributes_of(table)
    hidden = [f"{name}[{each!r}]" for each in dict.fromkeys(texts) if each in taken]
    if hidden:
        notes.append(f"only as {_some(hidden)}")
    return [note for note in notes if note]


def attributes_of(table: type) -> frozenset[str]:
    """All that the class and its bases define, by their own dictionaries."""
    return frozenset(name for base in mro(table) for name in class_dict(base))


def wrong_separator(labels: Sequence[object], cells: Sequence[object], beside: Sequence[object]) -> str:
    """A file read whole into one column, known by its name. `cells`: some of its values; `beside`: of its index."""
    if len(labels) != 1 or type(labels[0]) is not str:
        return ""
    sign = next((sign for sign in _SEPARATORS if sign in str(labels[0])), None)
    if sign is None:
        return ""
    if (cells or beside) and not any(type(each) is str and sign in each for each in (*cells, *beside)):
        return ""
    end = re.escape(sign)
    commas = any(
        type(each) is str and re.search(rf"(?:^|{end})\s*-?\d+,\d+\s*(?:{end}|$)", each[:LOOKED_AT]) for each in cells
    )
    # Lines with decimal commas were split at these: what stood before the first is in the index.
    split = any(type(each) is str and sign in each and each[-1].isdecimal() for each in beside)
    hint = f"sep={sign!r}" + (", decimal=','" if sign == ";" and (commas or split) else "")
    return f"one column whose name holds {sign!r}: probably read with the wrong separator: {hint}"


def _kinds(labels: Sequence[object]) -> str:
    kinds = {id(cls): cls for cls in map(type, labels)}
    if all(cls is str for cls in kinds.values()):
        return ""
    if all(cls is int for cls in kinds.values()):
        return "labels are integers"
    return f"labels are of {', '.join(class_name(cls) for cls in islice(kinds.values(), SHOWN))}"


def _twice(labels: Sequence[object]) -> str:
    seen: set[tuple[str, object]] = set()
    twice: dict[str, None] = {}
    for each in labels:
        if not _plain(each):  # other objects may be slow, or odd, to compare
            continue
        key = (type(each).__name__, each)
        if key in seen:
            twice[label(each)] = None
        seen.add(key)
    return f"duplicate column names: {_some(list(twice))}" if twice else ""


def _plain(value: object) -> bool:
    if type(value) is tuple:
        return all(is_exactly(part, str, int) for part in value)
    return is_exactly(value, str, int)


def _lookalikes(labels: Sequence[object]) -> str:
    alike: dict[str, dict[str, None]] = {}
    for each in labels:
        if type(each) is str:
            alike.setdefault(" ".join(each.casefold().split()), {})[each] = None
    groups = [list(group) for group in alike.values() if len(group) > 1]
    if not groups:
        return ""
    return f"names that differ only in case or spaces: {_some([label(each) for group in groups for each in group])}"


def _byte_order_mark(labels: Sequence[object]) -> str:
    marked = [each for each in labels if type(each) is str and each.startswith(("\ufeff", "ï»¿"))]
    return "a name begins with a byte order mark: read with encoding='utf-8-sig'" if marked else ""


def _some(texts: Sequence[str]) -> str:
    return ", ".join(texts[: SHOWN + 2]) + (", ..." if len(texts) > SHOWN + 2 else "")


__all__ = ["attributes_of", "label_notes", "wrong_separator"]
