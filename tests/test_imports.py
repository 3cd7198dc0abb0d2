"""Who may import whom: no circle between modules, lazy and typed imports included, and the rooms one way."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import llmos_jupyter

PACKAGE = Path(llmos_jupyter.__file__).parent

# What everybody may import, and what a room may import beside that and itself. A name stands for all that is in it.
GROUND = (
    "protocol",
    "errors",
    "paths",
    "config",
    "_version",
    "privacy",
    "signatures",
    "text",
    "units",
    "system",
    "sandbox",
)
MAY_IMPORT = {
    **dict.fromkeys(GROUND, ()),
    "engines": (),
    "scheduling": (),
    "workers": (),
    "monitoring": (),
    "daemon": ("engines", "monitoring", "scheduling", "workers"),
    "effects": (),
    "agent": ("effects", "daemon.client"),
    "widgets": ("daemon.client",),
    "reports": ("agent", "effects", "daemon.client", "daemon.lifecycle", "engines", "monitoring", "widgets", "workers"),
    "session": ("agent", "daemon.client", "effects", "engines", "reports", "scheduling", "widgets", "workers"),
    "server_extension": ("daemon.client", "daemon.lifecycle"),
    "cli": ("agent", "daemon", "engines", "monitoring", "reports", "session", "widgets"),
}


def _modules() -> dict[str, Path]:
    """All modules by their names within the package; the package itself is ""."""
    parts = {file: file.relative_to(PACKAGE).with_suffix("").parts for file in PACKAGE.rglob("*.py")}
    return {".".join(names[:-1] if names[-1] == "__init__" else names): file for file, names in parts.items()}


def _imports(module: str, modules: dict[str, Path]) -> Iterator[str]:
    """The modules of ours that one imports, wherever in its text."""
    for node in ast.walk(ast.parse(modules[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: write imports in full"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            first, _, rest = name.partition(".")
            if first == "llmos_jupyter":
                while rest not in modules:  # what is imported may be a name in a module
                    rest = rest.rpartition(".")[0]
                if rest != module:
                    yield rest


def _circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """Sets of modules that import each other: each reaches all others of its set."""

    def reached(start: str, edges: dict[str, set[str]]) -> set[str]:
        seen, todo = set(), [start]
        while todo:
            for module in edges[todo.pop()] - seen:
                seen.add(module)
                todo.append(module)
        return seen

    importers: dict[str, set[str]] = {module: set() for module in graph}
    for module, imported in graph.items():
        for each in imported:
            importers[each].add(module)
    circles = [reached(module, graph) & reached(module, importers) for module in graph]
    return [circle for number, circle in enumerate(circles) if circle and circle not in circles[:number]]


@functools.cache
def _graph() -> dict[str, set[str]]:
    modules = _modules()
    return {module: set(_imports(module, modules)) for module in modules}


def test_a_circle_is_found() -> None:
    assert _circles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set()}) == [{"a", "b", "c"}]


def test_no_modules_import_each_other() -> None:
    assert [sorted(circle) for circle in _circles(_graph())] == []


def test_rooms_import_one_way() -> None:
    wrong = []
    for module, imported in _graph().items():
        if not module:
            continue  # the entry points
        room = module.partition(".")[0]
        assert room in MAY_IMPORT, f"{room} is new: say what it may import"
        allowed = (room, *GROUND, *MAY_IMPORT[room])
        wrong += [
            f"{module} imports {each or 'the package itself'}"
            for each in imported
            if not any(each == name or each.startswith(f"{name}.") for name in allowed)
        ]
    assert wrong == []


def test_the_protocol_imports_nothing_of_ours() -> None:
    assert [
        f"{module} imports {each}"
        for module, imported in _graph().items()
        for each in imported
        if module.partition(".")[0] == "protocol" and each.partition(".")[0] != "protocol"
    ] == []
