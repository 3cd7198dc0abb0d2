"""From the text of a candidate to a syntax tree whose line numbers are those the user sees."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from llmos_jupyter.protocol import Finding

Transform = Callable[[str], str]

# Cell and line magics whose text is Python that runs in the user's namespace.
_PYTHON_MAGICS = frozenset({"time", "timeit", "capture", "prun", "memit", "mprun", "lprun", "debug", "python_cell"})


@dataclass
class Source:
    """A parsed candidate. `numbered`: whether line numbers are the user's."""

    tree: ast.Module = field(default_factory=lambda: ast.Module(body=[], type_ignores=[]))
    numbered: bool = True
    findings: list[Finding] = field(default_factory=list)


def read(code: str, transform: Transform | None) -> Source:
    """Parse a candidate; what is wrong with its syntax comes back as findings."""
    lines = code.split("\n")
    lead = next((i for i, line in enumerate(lines) if line.strip()), len(lines))
    body = "\n".join(lines[lead:])
    if body.startswith("%%"):
        return _cell_magic(body, lead, transform)
    return _plain(body, lead, transform)


def _plain(code: str, lead: int, transform: Transform | None) -> Source:
    text, numbered = code, True
    try:
        if transform is not None:
            text = transform(code)
            numbered = text.rstrip("\n").count("\n") == code.rstrip().count("\n")
        tree = _parse(text)
    except Exception as error:  # a user's own input transformer may raise anything
        if transform is None and re.search(r"^\s*[%!?]|\?\s*$|=\s*[%!]", code, re.MULTILINE):
            return _plain(code, lead, _ipython_transform())
        return Source(findings=[_syntax_finding(error, code, lead, numbered)])
    tree = _Magics(transform).visit(tree)
    ast.increment_lineno(tree, lead)
    return Source(tree, numbered)


def _parse(text: str) -> ast.Module:
    """Parse, and compile without running: `return` at top level only shows there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape is for the user's own run to warn of
        tree = ast.parse(text)
        compile(tree, "<candidate>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    return tree


def _ipython_transform() -> Transform:
    from IPython.core.inputtransformer2 import TransformerManager

    transform: Transform = TransformerManager().transform_cell
    return transform


def _cell_magic(code: str, lead: int, transform: Transform | None) -> Source:
    """`%%magic`: IPython makes one string of the cell, so its body is read here, on its own lines."""
    head, _, body = code.partition("\n")
    name, _, rest = head[2:].strip().partition(" ")
    call = ast.parse(f"get_ipython().run_cell_magic({name!r}, {rest!r}, {body!r})").body
    if name not in _PYTHON_MAGICS:
        tree = ast.Module(body=call, type_ignores=[])
        for node in ast.walk(tree):
            if isinstance(node, (ast.expr, ast.stmt)):
                node.lineno = node.end_lineno = lead + 1
        return Source(tree)
    inner = read(body, transform) if body.strip() else Source()
    ast.increment_lineno(inner.tree, lead + 1)
    for finding in inner.findings:
        if finding.line is not None:
            finding.line += lead + 1
    if not inner.numbered:
        for node in ast.walk(inner.tree):
            if isinstance(node, (ast.expr, ast.stmt)):
                node.lineno = lead + 1
    made: list[ast.stmt] = []
    target = next((word for word in rest.split() if word.isidentifier()), None) if name == "capture" else None
    if target:
        made = ast.parse(f"{target} = get_ipython()").body
        ast.increment_lineno(made[0], lead)
    return Source(ast.Module(body=[*made, *inner.tree.body], type_ignores=[]), inner.numbered, inner.findings)


class _Magics(ast.NodeTransformer):
    """Puts the Python of `%time x = 1` where IPython put a string."""

    def __init__(self, transform: Transform | None) -> None:
        self._transform = transform

    def visit_Expr(self, node: ast.Expr) -> Any:
        found = magic_of(node.value)
        if found is None or found[0] != "run_line_magic" or found[1] not in _PYTHON_MAGICS:
            return node
        text = re.sub(r"^(-\w+(\s+\d+)?\s+)+", "", found[2])
        try:
            inner = _parse(text).body
        except (SyntaxError, ValueError):
            return node
        for statement in inner:
            ast.increment_lineno(statement, node.lineno - 1)
        return inner or node


def magic_of(node: ast.AST) -> tuple[str, str, str] | None:
    """`get_ipython().run_line_magic('pip', 'install x')` as (method, name, text), else None."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return None
    holder = node.func.value
    if not (isinstance(holder, ast.Call) and isinstance(holder.func, ast.Name) and holder.func.id == "get_ipython"):
        return None
    if node.func.attr not in {"run_line_magic", "run_cell_magic", "system", "getoutput", "magic"}:
        return None
    words = [a.value if isinstance(a, ast.Constant) and isinstance(a.value, str) else "" for a in node.args]
    if node.func.attr in {"system", "getoutput"}:
        return node.func.attr, "", words[0] if words else ""
    if node.func.attr == "magic":
        name, _, text = (words[0] if words else "").lstrip("%").partition(" ")
        return "run_line_magic", name, text
    return node.func.attr, words[0] if words else "", "\n".join(words[1:])


def _syntax_finding(error: Exception, code: str, lead: int, numbered: bool) -> Finding:
    line: int | None = None
    if isinstance(error, SyntaxError):
        line = error.lineno or None
        what = error.msg or "invalid syntax"
    elif isinstance(error, RecursionError | MemoryError):
        what = "the code is nested too deeply"
    else:
        what = str(error) or type(error).__name__
    shown = line + lead if line is not None and numbered else None
    where = f" on line {shown}" if shown else ""
    return Finding(
        kind="syntax",
        severity="error",
        message=f"This is not valid Python{where}: {what}{_syntax_hint(what, code, line)}.",
        line=shown,
    )


_CUT_OFF = re.compile(r"never closed|unterminated|unexpected EOF|EOF while|expected an indented block", re.IGNORECASE)
_PROSE = re.compile(r"^\s*(?:[-*\d.]+\s+)?[A-Z][a-z']*(?:[ ,]+[A-Za-z'`_]+){2,}[^=()\[\]]*[.:!?]?\s*$")


def _syntax_hint(what: str, code: str, line: int | None) -> str:
    lines = code.split("\n")
    if re.search(r"^\s*(```|~~~)", code, re.MULTILINE):
        return "; remove the Markdown fences (```) and leave only the code"
    near = lines[line - 1] if line and line <= len(lines) else ""
    if _PROSE.match(near):
        return "; that line looks like prose: make it a comment or leave it out"
    if _CUT_OFF.search(what):
        last = next((i for i in range(len(lines), 0, -1) if lines[i - 1].strip()), 1)
        if "indented" not in what or (line or 0) >= last:
            return "; the reply may have been cut off: write shorter code and finish it"
    prose = next((text.strip() for text in lines if _PROSE.match(text)), None)
    if prose:
        return f"; the line {prose[:50]!r} looks like prose: make it a comment or leave it out"
    if re.search(r"^\s*>>> ", code, re.MULTILINE):
        return "; remove the >>> prompts"
    return ""
