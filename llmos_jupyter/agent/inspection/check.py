"""The whole inspection of one candidate."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from llmos_jupyter.agent.inspection import loops, names, source
from llmos_jupyter.agent.inspection.walk import Walk
from llmos_jupyter.protocol import Finding


def inspect(code: str, namespace: Mapping[str, Any], *, transform: source.Transform | None = None) -> list[Finding]:
    """Check a candidate against the live namespace, without running any of it or of the user's code.

    `transform` is IPython's `shell.transform_cell`; without it, IPython's own is used where the code
    has magics. Findings come errors first, then by line; lines are those of `code`, or None where
    the transform moved them. Never raises on bad code: that is a finding.
    """
    read = source.read(code, transform)
    found = list(read.findings)
    if read.tree.body:
        try:
            found.extend(_all(read.tree, namespace))
        except RecursionError:
            if not found:
                found.append(_too_deep())
    if not read.numbered:
        for finding in found:
            finding.line = None
    return _ordered(found)


def _all(tree: ast.Module, namespace: Mapping[str, Any]) -> Iterator[Finding]:
    walk = Walk(tree, namespace)
    yield from walk.findings
    yield from names.undefined(tree, namespace)
    yield from names.bindings(tree, namespace)
    yield from loops.endless(tree)


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
