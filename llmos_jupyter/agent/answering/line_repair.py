"""A failed candidate, repaired from the failing line on: what ran before it is kept, and the model goes on from there.

Shown its failed code and the error, a small model writes the whole again, often to the letter. Here it is put back to
the place before the failing statement, with the error and what the live objects say of it as a comment, and may write
anything but that line. The engine has read all that stands before already: a repair costs the tokens that differ.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from llmos_jupyter.agent.context import prompts
from llmos_jupyter.privacy.masking import mask

# Characters of one line of the comment, and its lines.
LINE = 240
NOTES = 4
# Lines of code without comments at the left margin: 1.5B goes on with ours, for up to 600 tokens.
STATEMENTS = r"""line ::= ([^`#\n] [^\n]*)? "\n"
"""


class Opening(NamedTuple):
    """The beginning of a reply that the model goes on from, the grammar of the rest, and, where the beginning tells
    more than belongs to the code, what stays of it."""

    prefix: str
    grammar: str
    kept: str | None = None

    def reply(self, text: str) -> str:
        """The whole reply, without what was only told."""
        if self.kept is None or not text.startswith(self.prefix):
            return text
        return self.kept + text.removeprefix(self.prefix)


def opening(code: str, line: int | None, notes: Sequence[str], tried: Sequence[tuple[str, int | None]] = ()) -> Opening:
    """How code that failed at a line goes on from before that line. `notes`: why it failed; `tried`: all that failed
    so far, and where."""
    part = sound_part(code, line)
    failed = failing_line(code, part)
    prefix = mask(opened(part, failed, notes))
    kept = "```python\n" + (part + "\n" if part else "")
    return Opening(prefix, another_line(failed, *failed_behind(part, tried)), kept)


def sound_part(code: str, line: int | None) -> str:
    """The lines before the statement that stands at `line` (1 is the first), also where that is within a function, a
    loop or a branch; of what does not parse, the statements before it that do. Empty if there are none, or nobody
    knows the line."""
    lines = code.split("\n")
    if (tree := _parsed(code)) is not None:
        start = 0 if line is None else _start(tree, line)
        return "\n".join(lines[: start - 1]).rstrip() if start else ""
    for end in range(min(max((line or len(lines)) - 1, 0), len(lines)), 0, -1):
        part = "\n".join(lines[:end])
        if part.strip() and _parsed(part) is not None and not _goes_on(lines[end:]):
            return part.rstrip()
    return ""


def _start(tree: ast.Module, line: int) -> int:
    """The first line of the innermost statement that begins at or before `line` and reaches to it; 0 if none does."""
    best = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            start = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
            if start <= line <= (node.end_lineno or node.lineno):
                best = max(best, start)
    return best


def _parsed(code: str) -> ast.Module | None:
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _goes_on(rest: list[str]) -> bool:
    """Whether lines belong to the statement before them: they are indented, or a clause of it."""
    first = next((line for line in rest if line.strip()), "")
    return first[:1].isspace() or re.match(r"(?:elif|else|except|finally)\b|[)\]}]", first) is not None


def failing_line(code: str, part: str) -> str:
    """The first line behind the sound part that is neither empty nor a comment."""
    behind = code[len(part) :].split("\n")
    return next((line for line in behind if line.strip() and not line.lstrip().startswith("#")), "")


def opened(part: str, line: str, notes: Sequence[str]) -> str:
    """The beginning of a reply that the model goes on from: the sound part, and why the next line must be another."""
    indent = line[: len(line) - len(line.lstrip())]
    comment = [f"not: {_one_line(line)}", *(_one_line(note) for note in notes[:NOTES])]
    return "```python\n" + "\n".join([*([part] if part else []), *(f"{indent}# {text}" for text in comment)]) + "\n"


def failed_behind(part: str, failed: Iterable[tuple[str, int | None]]) -> list[str]:
    """The lines with which code went on behind the sound part and failed: of each code, and its line that failed."""
    lines = [failing_line(code, part) for code, line in failed if sound_part(code, line) == part]
    return list(dict.fromkeys(line for line in lines if line))


def another_line(*lines: str, end: str = '"```"') -> str:
    """A grammar for the rest of a code block whose first line is none of these, nor one of them with a comment; nor
    does anything stand behind one that comes to its value before that is looked at (`.y` in `x = f(z).y`). `end`: how
    the reply ends."""
    lines = tuple(dict.fromkeys(map(_without_comment, lines)))
    complete = {line: _comes_to_its_value(line) for line in lines}
    beginnings = sorted({line[:end] for line in lines for end in range(len(line) + (not complete[line]))})
    rules = {written: f"at{number}" for number, written in enumerate(beginnings)}
    listed = []
    for written, rule in rules.items():
        following = sorted(
            {line[len(written)] for line in lines if len(line) > len(written) and line.startswith(written)}
        )
        ways = [f"{_quoted(c)} {rules[written + c]}" for c in following if written + c in rules]
        ended = any(written.rstrip() == line.rstrip() for line in lines)
        excluded = "".join(map(_in_class, following))
        if ended:
            ways.append(f'[^ #{excluded}\\n] [^\\n]* "\\n"')
            if " " not in following:
                ways.append('" "+ [^ #\\n] [^\\n]* "\\n"')
        elif written.strip():
            ways += [f'[^{excluded}\\n] [^\\n]* "\\n"', '"\\n"']
        else:  # neither a fence, which would close the block, nor another comment
            ways.append(f'[^{excluded}`#\\n] [^\\n]* "\\n"')
        listed.append(f"{rule} ::= {' | '.join(ways)}\n")
    return f"root ::= at0 line* {end}\n{''.join(listed)}{STATEMENTS}"


def _without_comment(line: str) -> str:
    tree = _parsed(line.strip())
    if tree is None or not tree.body:
        return line
    code = line.strip().encode()[: tree.body[-1].end_col_offset].decode()
    return line[: len(line) - len(line.lstrip())] + code


def _comes_to_its_value(line: str) -> bool:
    """Whether the line is a call or an item, shown or put into a name: it failed before anything behind it counts."""
    tree = _parsed(line.strip())
    if tree is None or len(tree.body) != 1:
        return False
    statement = tree.body[0]
    if isinstance(statement, ast.Assign) and not all(isinstance(target, ast.Name) for target in statement.targets):
        return False
    return isinstance(statement, ast.Assign | ast.Expr) and isinstance(statement.value, ast.Call | ast.Subscript)


def _quoted(character: str) -> str:
    return json.dumps(character, ensure_ascii=False)


def _in_class(character: str) -> str:
    return _quoted(character)[1:-1].replace("]", "\\]").replace("^", "\\^").replace("-", "\\-")


def _one_line(text: str) -> str:
    text = prompts.plain(" ".join(text.split()))
    return text if len(text) <= LINE else f"{text[: LINE - 1]}…"
