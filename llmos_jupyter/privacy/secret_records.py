"""Secrets in records as JSON or Python writes them, in which a name stands apart from its value.

`{"columns": ["user", "password"], "data": [["ann", ...]]}`, a column of names beside a column of values, or
`{"name": "db_password", "value": ...}`, in one line or, as YAML has it, in two.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

from llmos_jupyter.privacy.known_values import KnownValues
from llmos_jupyter.privacy.secret_names import SecretName, holder_name, is_secret, masked, secret_name

# Characters of a text that is read as data.
LONGEST = 200_000
_NAME = r"(?:name|key|variable|var|setting|parameter|param|option|property|field|env)"
_VALUE = r"(?:value|val|values|content|default)"
_STRING = r"(?:'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\")"
_PAIR = re.compile(
    rf"(?P<head>(['\"]){_NAME}\2\s*:\s*['\"](?P<name>[^'\"\n]{{2,64}})['\"]\s*,\s*(['\"]){_VALUE}\4\s*:\s*)"
    rf"(?P<value>{_STRING})",
    re.IGNORECASE,
)
_LINES = re.compile(
    rf"(?P<head>\b{_NAME}:[ \t]*['\"]?(?P<name>[\w.-]{{2,64}})['\"]?[ \t]*\n[ \t]*{_VALUE}:[ \t]*)"
    r"(?P<value>['\"]?[^\s'\"#][^\n'\"]*['\"]?)",
    re.IGNORECASE,
)
_LIKELY = re.compile(rf"['\"](?:columns|{_VALUE})['\"]\s*:\s*[\[{{]", re.IGNORECASE)


def mask_records(text: str) -> str:
    """The text with the secrets in its records masked."""
    if ":" not in text:
        return text
    text = _LINES.sub(_pair, _PAIR.sub(_pair, text))
    if len(text) <= LONGEST and _LIKELY.search(text):
        for line in text.split("\n"):
            if _LIKELY.search(line) and (values := dict(_apart(_read(line)))):
                # Where a name says so, a common word is a secret as well.
                for value, kind in values.items():
                    text = re.sub(rf"(?<=['\"]){re.escape(value)}(?=['\"])", masked(kind), text)
                text = KnownValues(values).masked(text)
    return text


def _pair(found: re.Match[str]) -> str:
    secret = secret_name(found["name"])
    value = found["value"].strip("'\"")
    if secret is None or not is_secret(value, secret):
        return found[0]
    return found["head"] + found["value"].replace(value, masked(secret.kind))


def _read(line: str) -> Any:
    """The data that a line is, or begins or ends with; None if it is none."""
    start = min((place for bracket in "[{" if (place := line.find(bracket)) >= 0), default=-1)
    if start < 0:
        return None
    try:
        return json.JSONDecoder().raw_decode(line, start)[0]
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(line[start : max(map(line.rfind, "]}")) + 1])
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _apart(data: Any) -> Iterator[tuple[str, str]]:
    """Text and kind of the secrets whose names stand apart from them."""
    if not isinstance(data, dict):
        return
    columns, rows = data.get("columns"), data.get("data")
    if isinstance(columns, list) and isinstance(rows, list):
        for place, name in enumerate(columns):
            secret = holder_name(name) if isinstance(name, str) else None
            yield from _secrets(secret, [row[place] for row in rows if isinstance(row, list) and len(row) > place])
    lowered = {key.lower(): _cells(item) for key, item in data.items() if isinstance(key, str)}
    names = next((cells for key, cells in lowered.items() if re.fullmatch(_NAME, key)), [])
    values = next((cells for key, cells in lowered.items() if re.fullmatch(_VALUE, key)), [])
    for name, value in zip(names, values, strict=False):
        yield from _secrets(secret_name(name) if isinstance(name, str) else None, [value])


def _cells(item: Any) -> list[Any]:
    return list(item.values()) if isinstance(item, dict) else item if isinstance(item, list) else []


def _secrets(secret: SecretName | None, values: list[Any]) -> Iterator[tuple[str, str]]:
    for value in values:
        if secret and isinstance(value, str) and is_secret(value, secret):
            yield value, secret.kind
