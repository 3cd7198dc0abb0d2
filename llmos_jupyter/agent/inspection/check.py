"""The whole inspection of one candidate."""

from __future__ import annotations

import ast
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from llmos_jupyter.agent.inspection import function_bodies, loops, names, patches, source
from llmos_jupyter.agent.inspection.dataflow.interpreter import Interpreter
from llmos_jupyter.protocol import Finding

log = logging.getLogger(__name__)


def inspect(code: str, namespace: Mapping[str, Any], *, transform: source.Transform | None = None) -> list[Finding]:
    """Check a candidate against the live namespace, without running any of it or of the user's code.

    `transform` is IPython's `shell.transform_cell`; without it, IPython's own is used where the code
    has magics. Findings come errors first, then by line; lines are those of `code`, or None where
    the transform moved them. Never raises: bad code is a finding, and a check that fails finds nothing and
    is logged, because rehearsal still stands between the code and the user's namespace.
    """
    try:
        read = source.read(code, transform)
    except (RecursionError, MemoryError):  # CPython's parser, on thousands of brackets
        return [_too_deep()]
    found = list(read.findings)
    if read.tree.body:
        try:
            for check in _CHECKS:
                found.extend(_guarded(check, read.tree, namespace))
        except RecursionError:
            if not found:
                found.append(_too_deep())
    if not read.numbered:
        for finding in found:
            finding.line = None
    return _ordered(found)


Check = Callable[[ast.Module, Mapping[str, Any]], Iterable[Finding]]

_CHECKS: tuple[Check, ...] = (
    lambda tree, namespace: Interpreter(tree, namespace).findings,
    names.undefined,
    names.bindings,
    loops.endless,
    patches.patches,
    function_bodies.missing_attributes,
)


def _guarded(check: Check, tree: ast.Module, namespace: Mapping[str, Any]) -> Iterator[Finding]:
    try:
        yield from check(tree, namespace)
    except RecursionError:
        raise
    # The code is a model's and the namespace anyone's: an object nobody thought of must not cost the user the answer.
    except Exception:
        log.exception("a check failed; its findings are missing")


def _too_deep() -> Finding:
    text = "The code is nested too deeply to be checked: write it in smaller steps."
    return Finding(kind="syntax", severity="error", message=text)


def _ordered(found: list[Finding]) -> list[Finding]:
    seen: set[tuple[Any, ...]] = set()
    out = []
    for finding in sorted(found, key=lambda f: (f.severity != "error", f.line or 0)):
        key = (finding.kind, finding.line, finding.name, finding.capability)
        if key not in seen:
            seen.add(key)
            out.append(finding)
    return out
