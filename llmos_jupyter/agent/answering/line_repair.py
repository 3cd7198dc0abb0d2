"""A failed candidate, repaired from the failing line on: what ran before it is kept, and the model goes on from there.

Shown its failed code and the error, a small model writes the whole again, often to the letter. Here it is put back to
the place before the failing statement, with the error and what the live objects say of it as a comment, and may write
anything but that line. The engine has read all that stands before already: a repair costs the tokens that differ.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence

from llmos_jupyter.agent.context import prompts

# Characters of one line of the comment, and its lines.
LINE = 240
NOTES = 4
# Lines of code without comments at the left margin: 1.5B goes on with ours, for up to 600 tokens.
STATEMENTS = r"""line ::= ([^`#\n] [^\n]*)? "\n"
"""


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


def without(reply: str, beginning: str, part: str) -> str:
    """The reply with the comment taken out that `opened` put into it."""
    kept = "```python\n" + (part + "\n" if part else "")
    return kept + reply.removeprefix(beginning) if reply.startswith(beginning) else reply


def another_line(line: str, end: str = '"```"') -> str:
    """A grammar for the rest of a code block whose first line is not this one, nor this one with a comment. `end`: what
    it ends with."""
    rule = '" "* [^ #\\n] [^\\n]* "\\n"'
    for place, character in reversed(list(enumerate(line))):
        excluded = json.dumps(character, ensure_ascii=False)[1:-1]
        excluded = excluded.replace("]", "\\]").replace("^", "\\^").replace("-", "\\-")
        tick = "" if line[:place].strip() else "`#"  # which would close the block, or go on commenting
        rule = f'([^{excluded}{tick}\\n] [^\\n]* "\\n" | {json.dumps(character, ensure_ascii=False)} {rule})'
    return f"root ::= first line* {end}\nfirst ::= {rule}\n{STATEMENTS}"


def _one_line(text: str) -> str:
    text = prompts.plain(" ".join(text.split()))
    return text if len(text) <= LINE else f"{text[: LINE - 1]}…"
