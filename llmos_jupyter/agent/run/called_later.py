"""What code only defines, and what of it reaches outside when it is called: by the user's own cells, so as their own
code. That is told with the answer, and not asked about.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llmos_jupyter.protocol import Capability, Finding, Refusal

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_BY_YOU, _BY_OTHERS = "when you call it", "when it is called"
# Reading is held to what the notebook's own code reads anyway, and is asked about where it names a file elsewhere.
_WORDS = {
    Capability.WRITE_FILES: "write files",
    Capability.NETWORK: "use the network",
    Capability.PROCESSES: "start processes",
    Capability.INSTALL: "install packages",
    Capability.EXIT: "end the kernel",
    Capability.KERNEL: "change the kernel",
    Capability.INPUT: "wait for input",
}


@dataclass(frozen=True)
class Definition:
    """A function or class that code leaves behind under a name, and the lines of it that run then: `when` says when."""

    name: str
    when: str
    first: int
    last: int


def told(code: str, findings: Sequence[Finding]) -> list[Finding]:
    """The findings, those within functions in the words of what will be: one for each function and capability."""
    definitions = list(_definitions(code))
    kept, said = [], set()
    for finding in findings:
        definition = _within(finding, definitions)
        if definition is None or finding.capability is None:
            kept.append(finding)
            continue
        text = _sentence(definition, finding.capability)
        if text not in said:
            said.add(text)
            kept.append(finding.model_copy(update={"message": text}))
    return kept


def unasked(code: str, findings: Sequence[Finding], refusals: Sequence[Refusal]) -> list[Finding]:
    """The findings of code that ran to its end in the sandbox: what stands in functions, and was not tried there, needs
    no yes to be there."""
    definitions = list(_definitions(code))
    tried = {refusal.capability for refusal in refusals}
    return [
        finding.model_copy(update={"capability": None})
        if finding.capability not in tried and _within(finding, definitions) is not None
        else finding
        for finding in findings
    ]


def _sentence(definition: Definition, capability: Capability) -> str:
    can = f"`{definition.name}` can {_WORDS[capability]} {definition.when}"
    return f"{can}: it then runs as your own code, outside the sandbox."


def _within(finding: Finding, definitions: list[Definition]) -> Definition | None:
    if finding.line is None or finding.capability not in _WORDS:
        return None
    line = finding.line
    return next((held for held in definitions if held.first <= line <= held.last), None)


def _definitions(code: str) -> Iterator[Definition]:
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # with magics the findings have no lines either
        return
    handed_on = _handed_on(tree)
    for statement in tree.body:
        if isinstance(statement, _FUNCTIONS):
            yield _of(statement, statement.name, _BY_OTHERS if statement.name in handed_on else _BY_YOU)
        elif isinstance(statement, ast.ClassDef):
            for method in statement.body:
                if isinstance(method, _FUNCTIONS):
                    named = not method.decorator_list and not method.name.startswith("__")
                    name = f"{statement.name}.{method.name}" if named else statement.name
                    yield _of(method, name, _BY_YOU if named else "when it is used")
        elif isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Lambda):
            target, body = statement.targets[0], statement.value.body
            if isinstance(target, ast.Name):
                when = _BY_OTHERS if target.id in handed_on else _BY_YOU
                yield Definition(target.id, when, body.lineno, body.end_lineno or body.lineno)


def _handed_on(tree: ast.Module) -> set[str]:
    """Names that code does more with than call them: gives them to a widget or a library, which calls them then."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    return {node.id for node in names if id(node) not in called}


def _of(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str, when: str) -> Definition:
    # Decorators and defaults run at once.
    return Definition(name, when, function.body[0].lineno, function.end_lineno or function.lineno)
