"""What an import statement binds, told without importing anything."""

from __future__ import annotations

import ast
import difflib
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.mending.nearest import did_you_mean, nearest
from llmos_jupyter.protocol import Finding

# Distributions whose name is not that of the module.
_DISTRIBUTIONS = {
    "sklearn": "scikit-learn", "cv2": "opencv-python", "PIL": "pillow", "bs4": "beautifulsoup4", "yaml": "pyyaml",
    "skimage": "scikit-image", "dateutil": "python-dateutil", "dotenv": "python-dotenv", "docx": "python-docx",
    "Bio": "biopython", "fitz": "pymupdf", "serial": "pyserial", "psycopg2": "psycopg2-binary", "umap": "umap-learn",
}  # fmt: skip


def imported(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """(name, object) for each name an import binds; MISSING for what is not loaded yet."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            path = alias.name if alias.asname else alias.name.partition(".")[0]
            yield alias.asname or path, _loaded(path)
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            if alias.name != "*":
                yield alias.asname or alias.name, member(node, alias.name)


def _loaded(path: str) -> Any:
    found = sys.modules.get(path)
    return live.MISSING if found is None else found


def member(node: ast.ImportFrom, name: str) -> Any:
    module = _loaded(node.module or "") if not node.level else live.MISSING
    if module is live.MISSING:
        return live.MISSING
    found = live.static(module, name)
    return _loaded(f"{node.module}.{name}") if found is live.MISSING else found


def check(node: ast.Import | ast.ImportFrom) -> Iterator[Finding]:
    """Imports that are certain to fail."""
    if isinstance(node, ast.ImportFrom):
        if node.level or not node.module or node.module == "__future__":
            return
        if finding := _missing(node.module, node.lineno):
            yield finding
            return
        module = _loaded(node.module)
        if module is live.MISSING or not live.is_module(module):
            return
        for alias in node.names:
            if alias.name != "*" and live.lacks(module, alias.name) and not live.has_submodule(node.module, alias.name):
                near = nearest(alias.name, live.members(module))
                yield Finding(
                    kind="unknown-attribute",
                    severity="error",
                    message=f"Module {node.module} has no `{alias.name}`{did_you_mean(near)}: import one it has.",
                    line=node.lineno,
                    name=alias.name,
                    suggestions=near,
                )
        return
    for alias in node.names:
        if finding := _missing(alias.name, node.lineno):
            yield finding


def _missing(path: str, line: int) -> Finding | None:
    top, *rest = path.split(".")
    if path in sys.modules and sys.modules[path] is not None:
        return None
    if not live.spec_exists(top):
        package = _DISTRIBUTIONS.get(top, top)
        near = difflib.get_close_matches(top, _installed(), 1, 0.8)
        if near:
            text = f"There is no module `{top}` here (did you mean {near[0]!r}?); import that, or install it first."
        else:
            text = f"The module `{top}` is not installed: run `%pip install {package}` first, or do without it."
        return Finding(
            kind="undefined-name",
            severity="error",
            message=text,
            line=line,
            name=top,
            suggestions=[*near, f"%pip install {package}"],
        )
    parent = top
    for part in rest:
        module = sys.modules.get(parent)
        if module is None or not live.is_module(module):
            return None  # looking further would import the parent
        if not live.has_submodule(parent, part):
            near = nearest(part, live.members(module))
            return Finding(
                kind="unknown-attribute",
                severity="error",
                message=f"The package {parent} has no module `{part}`{did_you_mean(near)}; import one it has.",
                line=line,
                name=part,
                suggestions=near,
            )
        parent = f"{parent}.{part}"
    return None


def _installed() -> list[str]:
    known = (*sys.stdlib_module_names, *sys.modules, *metadata.packages_distributions())
    return [n for n in dict.fromkeys(known) if "." not in n and not n.startswith("_")]
