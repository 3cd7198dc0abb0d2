"""The name a request gives its result ("call it clean"): what small models forget can be put right without them."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Mapping
from typing import Any

from llmos_jupyter.agent.inspection import live
from llmos_jupyter.agent.inspection.nearest import plain
from llmos_jupyter.protocol import Finding

_NAMED = re.compile(
    r"(?:\b(?:call(?:ed)?(?:\s+(?:it|them|this|that|the\s+result))?|named|name\s+(?:it|them|the\s+result)|"
    r"(?:save|store|keep|put)\s+(?:it|them|this|that|the\s+result)\s+(?:in|into|as)|assign\s+(?:it|them)\s+to)\s+"
    r"|(?:叫做?|命名为|称为|存入|存为|存到|保存为|保存到|赋值给)\s*)[`'\"]?([A-Za-z_]\w*)\b[`'\"]?(?!\s*\()",
    re.IGNORECASE,
)
# "a new table complete with ...", "make a DataFrame logs from ...", "..., as pivot": an article, what it is, and a word
# that is no English one there.
_OF_A_KIND = re.compile(
    r"\b(?:an?|new|the|into|in)\s+(?:new\s+)?(?:pandas\s+|numpy\s+)?"
    r"(?:DataFrame|data frame|table|list|dict|dictionary|array|series|set|tuple|string|variable)\s+([A-Za-z_]\w*)"
    r"(?=\s+(?:of|with|from|containing|holding|that|which|where|for|by|having|out of)\b|\s*[,.:;]|\s*$)"
    r"|\s+as\s+([A-Za-z_]\w*)\s*[.!]?$",
    re.IGNORECASE,
)
# "ordered = grid with every row sorted", "..., as ordered": nothing but a name stands there.
# "put the number of each point in lab" and "... -> people" end with one.
_PLAIN = re.compile(
    r"(?:^|[.;:]\s+)([A-Za-z_]\w*)\s*=(?!=)|,\s+as\s+([A-Za-z_]\w*)\s*[.!]?$"
    r"|\b(?:put|store|save|keep)\b[^.;:]{1,80}\b(?:in|into)\s+([A-Za-z_]\w*)\s*[.!]?$|(?:->|=>|→)\s*([A-Za-z_]\w*)\s*[.!]?$"
)
_ADJECTIVES = frozenset(
    ["full", "made", "free", "out", "only", "just", "long", "here", "above", "below", "again", "too", "instead", "well",
     "possible", "shown", "before", "usual", "needed", "follows", "default", "first", "last", "comprehension", "index",
     "sorted", "grouped", "keyed", "indexed", "built", "percent", "percentage", "percentages", "text", "string",
     "strings", "number", "numbers", "date", "dates", "integer", "integers", "int", "float", "floats",
     "category", "csv", "json",
     "histogram", "heatmap", "scatter", "line", "lines", "bar", "bars", "plot", "chart", "dictionary", "array", "numpy"]
)  # fmt: skip
# "a column called total" names no variable, and "called from" is English.
_COLUMN = re.compile(r"(?:column|columns|field|key|axis|label|title|file|函数|列|字段)\W*$", re.IGNORECASE)
_ENGLISH = frozenset(
    ["a", "an", "the", "it", "them", "this", "that", "one", "its", "their", "from", "by", "with", "and", "or", "in",
     "on", "of", "to", "for", "at", "when", "if", "list", "dict", "variable", "table"]
)  # fmt: skip


_PLACES = frozenset(
    ["order", "place", "memory", "mind", "dollars", "euros", "metres", "meters", "total", "one", "words"]
)


def requested_name(request: str, namespace: Mapping[str, Any]) -> str:
    """The variable that the request wants its result in; empty if it names none, or more than one."""
    names = {
        found[1]
        for found in _NAMED.finditer(request)
        if found[1].lower() not in _ENGLISH
        and not keyword.iskeyword(found[1])
        and not _COLUMN.search(request[: found.start()])
    }
    plain_names = {next(filter(None, found.groups())): found for found in _PLAIN.finditer(request)}
    names = names or {
        name
        for name, found in plain_names.items()
        if found[3] is None or (_may_be_a_name(name) and name not in namespace and name.lower() not in _PLACES)
    }
    names = names or {
        name
        for found in _OF_A_KIND.finditer(request)
        if _may_be_a_name(name := found[1] or found[2]) and name not in namespace
    }
    return names.pop() if len(names) == 1 and not keyword.iskeyword(min(names)) else ""


def _may_be_a_name(word: str) -> bool:
    """Whether a word at a name's place is none that English would have there."""
    low = word.lower()
    return low not in _ENGLISH | _ADJECTIVES and not low.endswith(("ing", "ed")) and not keyword.iskeyword(word)


def give_name(code: str, name: str, namespace: Mapping[str, Any]) -> tuple[str, Finding | None]:
    """The code with its result under the requested name, if it shows a result under none or another."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return code, None
    if not tree.body or not isinstance(last := tree.body[-1], ast.Expr) or _mentions(tree, name):
        return code, None
    lines = code.split("\n")
    if isinstance(last.value, ast.Name):
        old = last.value.id
        bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        if old not in bound or old in namespace:
            return code, None
        lines[last.lineno - 1 :] = [f"{name} = {old}", name]
    elif isinstance(last.value, ast.Call) and isinstance(last.value.func, ast.Name) and last.value.func.id == "print":
        return code, None
    else:
        lines[last.lineno - 1] = f"{name} = {lines[last.lineno - 1]}"
        lines.append(name)
    told = f"Mended without the model: the result was given the name `{name}` that the request asks for."
    return "\n".join(lines), Finding(kind="mended", severity="note", message=told, name=name)


def spell_columns(code: str, request: str, namespace: Mapping[str, Any]) -> tuple[str, Finding | None]:
    """New columns spelt as the request spells them: `running_total`, where the code makes a 'Running Total'."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return code, None
    known = {label for value in namespace.values() if live.is_frame(value) for label in live.column_labels(value) or []}
    wanted = {plain(word): word for word in re.findall(r"[A-Za-z]\w*_\w+|['\"`]([^'\"`]{2,40})['\"`]", request) if word}
    wanted |= {plain(word): word for word in re.findall(r"[A-Za-z]\w*_\w+", request)}
    made = {
        node.slice.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.slice, ast.Constant)
    }
    for label in sorted(label for label in made if type(label) is str and label not in known):
        right = wanted.get(plain(label))
        if right and right != label and label not in request:
            spelt = re.sub(rf"(['\"]){re.escape(label)}\1", repr(right), code)
            told = f"Mended without the model: the new column {label!r} was spelt {right!r}, as in the request."
            return spelt, Finding(kind="mended", severity="note", message=told, name=right)
    return code, None


def _mentions(tree: ast.Module, name: str) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value == name:
            return True
        if name in (getattr(node, "id", None), getattr(node, "name", None), getattr(node, "attr", None)):
            return True
        if isinstance(node, ast.keyword) and node.arg == name:
            return True
    return False
