"""Tables as text, in which a column's or a row's name says that its values are secrets.

As pandas and polars print them (rows down, rows across, a Series, a named index), as CSV and its like, as Markdown, as
HTML; also tables of names and values (`db_password | ...`). Where a table is aligned the secret becomes as many stars,
so that it stays so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from llmos_jupyter.privacy.secret_names import (
    TYPES,
    SecretName,
    holder_name,
    is_secret,
    looks_random,
    masked,
    secret_name,
)

# What the columns of a table of names and values are called.
_NAMES = frozenset([
    "name", "key", "variable", "var", "setting", "parameter", "param", "option", "property", "field", "config", "env",
    "item", "attribute", "secret",
])  # fmt: skip
_VALUES = frozenset(["value", "val", "values", "content", "data", "default", "current", "setting"])
_CELL = re.compile(r"\S+(?: \S+)*")
_WORD = re.compile(r"\S+")
_NUMBER = re.compile(r"[-+]?(?=[.,]*\d)[\d.,]+(?:e[-+]?\d+)?%?|NaN|NaT|<NA>", re.IGNORECASE)
# No word of a header: a number, or a part of a line of code.
_NO_NAME = re.compile(rf"^(?:{_NUMBER.pattern})$|[='\":;{{}}\[\]]|^#$", re.IGNORECASE)
_RULE = re.compile(r"[-+=:─═┌┐└┘├┤╞╡╪┼┴┬╭╮╰╯│┆| ]*")


def mask_tables(text: str) -> str:
    """The text with the secrets in its tables masked."""
    if "\\n" in text:
        text = _LITERAL.sub(lambda literal: _lines(literal[0], "\\n"), text)
    if "\n" in text:
        text = _lines(text, "\n")
    return _html(text) if "<t" in text else text


# A string's repr, in which the end of a line is two characters.
_LITERAL = re.compile(r"(?<=')(?:\\.|[^'\\\n]){4,20000}(?=')|(?<=\")(?:\\.|[^\"\\\n]){4,20000}(?=\")")


def _lines(text: str, end: str) -> str:
    lines = text.split(end)
    if len(lines) > 1:
        for step in (_aligned, _named_index, _series, _across, _separated, _ruled):
            step(lines)
    return end.join(lines)


def _stars(cell: str) -> str:
    return "*" * len(cell)


# --- which cells of a row ---------------------------------------------------------------------------


class _Columns:
    """What a header says: which columns hold secrets, and which two hold names and their values."""

    def __init__(self, header: Sequence[str]) -> None:
        names = [cell.strip().strip("\"'`*") for cell in header]
        self.secret = {i: found for i, name in enumerate(names) if name and (found := holder_name(name))}
        lowered = [name.lower() for name in names]
        self.name = next((i for i, name in enumerate(lowered) if name in _NAMES), None)
        self.value = next((i for i, name in enumerate(lowered) if name in _VALUES and i != self.name), None)
        if self.name in self.secret:  # a column called `secret` beside `value` holds names
            self.name = None if self.value is None else self.name

    def __bool__(self) -> bool:
        return bool(self.secret) or (self.name is not None and self.value is not None)

    def of(self, row: Sequence[str]) -> dict[int, SecretName]:
        """The cells of a row that may be secrets."""
        cells = {i: secret for i, secret in self.secret.items() if i < len(row)}
        if self.name is not None and self.value is not None and max(self.name, self.value) < len(row):
            named = secret_name(row[self.name].strip().strip("\"'`"))
            cells.pop(self.name, None)
            if named:
                cells[self.value] = named
        return cells


def _holds(cell: str, secret: SecretName) -> bool:
    """Whether a table's cell is a secret: a number under a password's name is a count, or it is a PIN."""
    plain = cell.strip().strip("\"'")
    if plain in ("", "…") or _RULE.fullmatch(plain):
        return False
    if _NUMBER.fullmatch(plain) and secret.sure != "digits" and not (plain.isdigit() and len(plain) > 5):
        return False
    return is_secret(plain, secret)


# --- as pandas prints them --------------------------------------------------------------------------


def _aligned(lines: list[str]) -> None:
    """Columns that end where their names end. A header begins with the index's blanks, or stands over two columns."""
    for number, header in enumerate(lines[:-1]):
        if number and "  " in lines[number - 1].strip():  # no header but a row
            continue
        words = list(_WORD.finditer(header))
        if not words or not (header[0] == " " or len(words) > 1) or any(map(_NO_NAME.search, header.split())):
            continue
        columns = _Columns([word[0] for word in words])
        begins = [0, *(word.end() for word in words)]
        spans = [(begins[i], word.end()) for i, word in enumerate(words)]
        for i in range(1, len(words)):  # a name of two words
            pair = header[words[i - 1].start() : words[i].end()]
            if i not in columns.secret and "  " not in pair and (secret := secret_name(pair)):
                columns.secret[i] = secret
                columns.secret.pop(i - 1, None)
        if not columns:
            continue
        row = number + 1
        if lines[row][:1] not in ("", " ") and len(lines[row].rstrip()) < begins[1]:
            row += 1  # the line with the index's name
        while row < len(lines) and "  " in lines[row].strip():
            lines[row] = _row(lines[row], spans, columns)
            row += 1


def _row(line: str, spans: Sequence[tuple[int, int]], columns: _Columns) -> str:
    row = [line[_begin(line, begin) : end] for begin, end in spans]
    for i, secret in columns.of(row).items():
        end = spans[i][1]
        aligned = end <= len(line) and line[end - 1 : end] != " " and line[end : end + 1] in ("", " ")
        cell = row[i].strip()
        if i == 0:  # the index stands before it, without a name
            cell = (_CELL.findall(cell) or [""])[-1]
        if aligned and _holds(cell, secret):
            line = line[: end - len(cell)] + _stars(cell) + line[end:]
    return line


def _begin(line: str, begin: int) -> int:
    """Where a cell begins that may be wider than its column's name."""
    while 0 < begin < len(line) and line[begin] != " " and line[begin - 1] != " ":
        begin -= 1
    return begin


def _named_index(lines: list[str]) -> None:
    """A frame whose index is called `password`: its name stands alone in the line under the header."""
    for number in range(1, len(lines) - 1):
        name = lines[number].rstrip()
        if not name or name[0] == " " or lines[number - 1][:1] != " " or not (secret := secret_name(name)):
            continue
        if "  " in name or _CELL.search(lines[number - 1]) is None:
            continue
        for row in range(number + 1, len(lines)):
            found = _CELL.match(lines[row])
            if not found or found.end() == len(lines[row]):
                break
            if _holds(found[0], secret):
                lines[row] = _stars(found[0]) + lines[row][found.end() :]


_SERIES = re.compile(r"Name: (?P<name>.+?), (?:Length: \d+, )?dtype: ")
_POLARS_SERIES = re.compile(r"Series: '(?P<name>[^'\n]+)' \[")
_LAST = re.compile(r"^(\S.*?)?( {2,})(\S+(?: \S+)*)$")


def _series(lines: list[str]) -> None:
    """The repr of a Series, which names itself below its values, or above them (polars)."""
    for number, line in enumerate(lines):
        found = _SERIES.match(line)
        if above := _POLARS_SERIES.match(line):
            _listed(lines, number + 1, secret_name(above["name"]))
        secret = secret_name(found["name"]) if found else None
        row = number - 1
        while secret and row >= 0 and (last := _LAST.match(lines[row])):
            if _holds(last[3], secret):
                lines[row] = lines[row][: last.start(3)] + _stars(last[3])
            row -= 1


def _listed(lines: list[str], row: int, secret: SecretName | None) -> None:
    while secret and row < len(lines) and lines[row] != "]":
        value = lines[row].strip().strip("'\"")
        if value != "[" and _holds(value, secret):
            lines[row] = lines[row].replace(value, _stars(value))
        row += 1


_ACROSS = re.compile(r"(?P<name>[^\W\d_][\w-]*(?: [\w-]+){0,2})(?P<gap> {2,})(?P<rest>\S.*)$")


def _across(lines: list[str]) -> None:
    """Rows that begin with their name: a transposed frame, one row of a frame. Two such lines make a table."""
    for number, line in enumerate(lines):
        found = _ACROSS.match(line)
        secret = secret_name(found["name"]) if found else None
        if found is None or secret is None:
            continue
        before, after = (
            lines[max(number - 1, 0)] if number else "",
            lines[number + 1] if number + 1 < len(lines) else "",
        )
        header = before[:1] == " " and len(before.rstrip()) == len(line.rstrip())
        if not (header or any(_ACROSS.match(near) or near.startswith("Name: ") for near in (before, after))):
            continue
        start = found.start("rest")
        rest = _CELL.sub(partial(_word, secret), line[start:])
        lines[number] = line[:start] + rest


def _word(secret: SecretName, cell: re.Match[str]) -> str:
    """A cell of a row, if it is one word: several are somebody's sentence, and a number is a count."""
    word = " " not in cell[0] and (secret.sure == "digits" or not _NUMBER.fullmatch(cell[0]))
    return _stars(cell[0]) if word and _holds(cell[0], secret) else cell[0]


# --- with a separator -------------------------------------------------------------------------------

_HEADER_CELL = re.compile(r"\s*(['\"]?)[\w .()/%#-]{0,40}\1\s*")


def _separated(lines: list[str]) -> None:
    """CSV and its like: a header of names, then lines of as many fields."""
    for number, header in enumerate(lines[:-1]):
        for separator in (",", "\t", ";"):
            # The lines above it are of another kind: it is a header, and not a row.
            if separator not in header or (number and lines[number - 1].count(separator) == header.count(separator)):
                continue
            names = header.split(separator)
            if len(names) < 2 or not all(map(_HEADER_CELL.fullmatch, names)) or header[:1] == " ":
                continue
            columns = _Columns(names)
            across = not names[0].strip() and all(_NUMBER.fullmatch(name.strip()) for name in names[1:])
            if not columns and not across:
                continue
            row = number + 1
            while row < len(lines) and len(fields := _fields(lines[row], separator)) == len(names):
                cells = columns.of(fields)
                if across and (secret := secret_name(fields[0].strip("\"'"))):
                    cells = dict.fromkeys(range(1, len(names)), secret)
                for i, secret in cells.items():
                    quote = fields[i][:1] if fields[i][:1] in ("'", '"') and len(fields[i]) > 1 else ""
                    # A blank after the separator is how a sentence or a line of code is written.
                    if _holds(fields[i], secret) and (fields[i][:1] != " " or looks_random(fields[i].strip())):
                        fields[i] = f"{quote}{masked(secret.kind)}{quote}"
                lines[row] = separator.join(fields)
                row += 1


def _fields(line: str, separator: str) -> list[str]:
    """The fields of a line; a separator between quotes is none."""
    if '"' not in line:
        return line.split(separator)
    return re.findall(rf'(?:^|(?<={separator}))("(?:[^"]|"")*"|[^{separator}]*)', line)


# --- between rules ----------------------------------------------------------------------------------

_BETWEEN = re.compile("[│┆┃]|(?<!\\|)\\|(?!\\|)")


def _ruled(lines: list[str]) -> None:
    """Markdown, and the boxes that polars draws."""
    columns: _Columns | None = None
    for number, line in enumerate(lines):
        bars = list(_BETWEEN.finditer(line))
        if len(bars) < 2:
            columns = columns if line.strip() and _RULE.fullmatch(line) else None
            continue
        ends = [-1, *(bar.start() for bar in bars), len(line)]
        cells = [line[ends[i] + 1 : ends[i + 1]] for i in range(len(ends) - 1)]
        if columns is None:
            columns = _Columns(cells)
            continue
        for i, secret in columns.of(cells).items():
            cell = cells[i].strip()
            if cell and cell.lower() not in TYPES and _holds(cell, secret):
                cells[i] = cells[i].replace(cell, _stars(cell))
        lines[number] = "".join(cell + (line[ends[i + 1]] if i < len(bars) else "") for i, cell in enumerate(cells))


# --- HTML -------------------------------------------------------------------------------------------

_TABLE = re.compile(r"<table\b.*?(?:</table>|\Z)", re.DOTALL | re.IGNORECASE)
_TR = re.compile(r"<tr\b.*?(?:</tr>|\Z)", re.DOTALL | re.IGNORECASE)
_TD = re.compile(r"<t(?P<kind>[hd])\b[^>]*>(?P<cell>[^<]*)", re.IGNORECASE)


def _html(text: str) -> str:
    return _TABLE.sub(lambda table: _html_table(table[0]), text)


def _html_table(table: str) -> str:
    columns = _Columns(())

    def row(found: re.Match[str]) -> str:
        nonlocal columns
        cells = list(_TD.finditer(found[0]))
        values = [cell["cell"] for cell in cells]
        heads = [cell for cell in cells if cell["kind"].lower() == "h"]
        if heads and len(heads) == len(cells):
            # pandas gives the index's name a row of its own, under the others'.
            columns = _merged(columns, _Columns(values))
            return found[0]
        secrets = columns.of(values)
        if heads and (named := secret_name(values[0].strip())):
            secrets |= dict.fromkeys(range(1, len(cells)), named)
        return _with_cells(found[0], cells, secrets)

    return _TR.sub(row, table)


def _merged(first: _Columns, second: _Columns) -> _Columns:
    if first.name is not None and second.name is None:
        second.name, second.value = first.name, first.value
    second.secret = {**first.secret, **second.secret}
    return second


def _with_cells(row: str, cells: Sequence[re.Match[str]], secrets: dict[int, SecretName]) -> str:
    for i in sorted(secrets, reverse=True):
        cell = cells[i]["cell"]
        if _holds(cell, secrets[i]):
            row = row[: cells[i].start("cell")] + masked_html(secrets[i].kind) + row[cells[i].end("cell") :]
    return row


def masked_html(kind: str) -> str:
    """What stands for a secret where a bracket would be markup."""
    return f"&lt;masked: {kind}&gt;"
