"""How a table's columns are laid out in the room there is: a line each, names in a row, or the pattern of names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from llmos_jupyter.agent.context.relevance import spoken_of
from llmos_jupyter.agent.describe.columns import ALL, COLUMNS_PER_SECOND, EXAMPLES, Budget, Facts

# Columns of which names are looked at.
MOST_COLUMNS = 20_000
# Columns with names alike that are told as one group; names that begin alike without numbers need more.
ALIKE = 6
BEGIN_ALIKE = 12
# Characters that are kept for naming the columns that the request does not speak of, and of the room the most.
FOR_OTHERS = 120
FOR_OTHERS_SHARE = 0.3
# Example rows: of tables that are not wide, and only where they cost little: one row of an ordinary table of twelve
# columns is a seventh of its description, and says nothing that ranges and examples do not.
ROW_COLUMNS = 12
ROW_CHARS = 50
ROW_SHARE = 0.12
NARROW = 4
NARROW_SHARE = 0.35


class Asked(NamedTuple):
    """For whom a value is described: what it is called, and the request, if there is one."""

    name: str = "v"
    request: str = ""


NOBODY = Asked()


class Columns(NamedTuple):
    """What is known of a table's columns before any is looked at.

    `labels` as they are written in code, `texts` as they are compared with a request; both may stop at
    `MOST_COLUMNS`, `width` counts all.
    """

    labels: list[str]
    texts: list[str]
    dtypes: list[str]
    width: int
    facts: Callable[[int, Budget], Facts]
    rows: Callable[[int], list[str]] | None = None


class _Group(NamedTuple):
    """Columns told by their first and last name, or one column."""

    text: str
    bare: str
    size: int


def lay_out(head: str, columns: Columns, room: int, deadline: float, request: str = "") -> str:
    """The richest layout that fits: a line for each column with examples, fewer, none; else a line for those that the
    request speaks of, and the names of the others, of many alike the first and the last."""
    width = columns.width
    if width == 0:
        return head
    most = max(1, int(deadline * COLUMNS_PER_SECOND))
    if width <= min(room // 15, most):
        budget = Budget.of(deadline, width)
        facts = [columns.facts(i, budget) for i in range(width)]
        for examples in (ALL, EXAMPLES, 2, 0):
            lines = [f"\n  {n}: {f.text(examples)}" for n, f in zip(columns.labels, facts, strict=True)]
            text = head + "".join(lines)
            if len(text) <= room:
                return text + _rows(columns, facts, text, room) if examples == ALL else text
    told = [spoken.position for spoken in spoken_of(columns.texts, request)[:most]] if request else []
    most_room = room - min(FOR_OTHERS, int(room * FOR_OTHERS_SHARE)) - len(head)
    lines = lines_of(columns, told, facts_of(columns, told, deadline), most_room)
    told = told[: len(lines)]
    return _others(head + "".join(lines), columns, frozenset(told), room)


def facts_of(columns: Columns, positions: Sequence[int], deadline: float) -> list[Facts]:
    """The facts of some columns: those of one are the same whatever others are asked for with it."""
    budget = Budget.of(deadline, max(1, int(deadline * COLUMNS_PER_SECOND)))
    return [columns.facts(i, budget) for i in positions]


def lines_of(columns: Columns, positions: Sequence[int], facts: Sequence[Facts], room: int) -> list[str]:
    """A line for each of these columns while they fit, with less in them rather than fewer of them."""
    lines: list[str] = []
    for examples in (ALL, EXAMPLES, 2, 0):
        lines = [f"\n  {columns.labels[i]}: {f.text(examples)}" for i, f in zip(positions, facts, strict=True)]
        if sum(map(len, lines)) <= room:
            return lines
    full = lines
    lines = [f"\n  {columns.labels[i]}: {columns.dtypes[i]}" for i in positions]
    while lines and sum(map(len, lines)) > room:
        lines.pop()
    # The first are spoken of most clearly.
    spare = room - sum(map(len, lines))
    for i, line in enumerate(lines):
        spare -= len(full[i]) - len(line)
        if spare < 0:
            break
        lines[i] = full[i]
    return lines


def _rows(columns: Columns, facts: Sequence[Facts], text: str, room: int) -> str:
    """Two rows as they are, or one, where that costs little and repeats no examples."""
    shown = sum(bool(fact.examples) for fact in facts)
    if columns.rows is None or not 1 < columns.width <= ROW_COLUMNS or 2 * shown > columns.width:
        return ""
    most = min(ROW_CHARS, (NARROW_SHARE if columns.width <= NARROW else ROW_SHARE) * len(text), room - len(text))
    rows = columns.rows(2)
    for count in range(len(rows), 0, -1):
        line = f"\n  first row{'s' if count > 1 else ''}: {', '.join(rows[:count])}"
        if len(line) <= most:
            return line
    return ""


def _others(text: str, columns: Columns, told: frozenset[int], room: int) -> str:
    """The text and the columns that have no line in it, with their types if these fit."""
    total = columns.width - len(told)
    if total == 0:
        return text
    head = f"{text}\n  {'others' if told else 'columns'}: "
    left = [i for i in range(len(columns.labels)) if i not in told]
    groups = list(_grouped(columns, left))
    for items in ([g.text for g in groups], [g.bare for g in groups]):
        whole = head + ", ".join(items)
        if len(whole) <= room and len(columns.labels) == columns.width:
            return whole
    out, shown = head, 0
    for group in groups:
        after = total - shown - group.size
        more = f", ... {after} more" if after else ""
        joint = ", " if shown else ""
        if len(out) + len(joint) + len(group.bare) + len(more) > room:
            break
        out += joint + group.bare
        shown += group.size
    return out + (f"{', ' if shown else ''}... {total - shown} more" if shown < total else "")


def _grouped(columns: Columns, positions: Iterable[int]) -> Iterable[_Group]:
    """The columns in order, with those named alike but for their numbers, or alike in how they begin, as one."""
    by_numbers: dict[str, list[int]] = {}
    for i in positions:
        by_numbers.setdefault(re.sub(r"\d+", "0", columns.labels[i]), []).append(i)
    by_beginning: dict[str, list[int]] = {}
    for members in by_numbers.values():
        if len(members) < ALIKE:
            for i in members:
                by_beginning.setdefault(_beginning(columns.labels[i]), []).append(i)
    groups = [(members[0], members, "") for members in by_numbers.values() if len(members) >= ALIKE]
    for beginning, members in by_beginning.items():
        if beginning and len(members) >= BEGIN_ALIKE:
            groups.append((members[0], members, beginning))
        else:
            groups += [(i, [i], "") for i in members]
    for _, members, beginning in sorted(groups):
        yield _group(columns, members, beginning)


def _group(columns: Columns, members: list[int], beginning: str) -> _Group:
    first, last = columns.labels[members[0]], columns.labels[members[-1]]
    if len(members) == 1:
        return _Group(f"{first} {columns.dtypes[members[0]]}", first, 1)
    kinds = dict.fromkeys(columns.dtypes[i] for i in members)
    kind = f" {next(iter(kinds))}" if len(kinds) == 1 else ""
    if beginning:
        some = ", ".join(columns.labels[i] for i in members[:2])
        text = f"{some}, ... ({len(members)}{kind} that begin with {beginning})"
    else:
        text = f"{first} .. {last} ({len(members)}{kind})"
    return _Group(text, text, len(members))


def _beginning(written: str) -> str:
    """What stands before the first sign in a name: `city_` of `city_Rome`."""
    found = re.match(r"'?[^\W_]+[_\-.: /]", written)
    return found[0] if found else ""


__all__ = ["NOBODY", "Asked", "Columns", "facts_of", "lay_out", "lines_of"]
