"""Data that the notebook has and a candidate invents or loads anew: small models begin with it unasked.

What they write down is what they were told of the variable, a few values of thousands; the user's own stays.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from llmos_jupyter.agent.cells import is_data
from llmos_jupyter.agent.inspection import live
from llmos_jupyter.protocol import Finding

_LOADERS = re.compile(r"^(?:read_\w+|load_\w+|fetch_\w+|open|loadtxt|genfromtxt)$")
_LOAD = re.compile(
    r"\b(?:re-?load\w*|load\w*|read\w*|open\w*|import\w*|file\w*|csv|tsv|excel|xlsx?|json|parquet|sql\w*|url|download\w*|"
    r"dataset|disk)\b|读|加载|导入|文件|打开",
    re.I,
)
_MAKE = (
    r"\b(?:creat\w*|defin\w*|mak\w*|generat\w*|build\w*|set|reset|let|overwrit\w*|replac\w*|put|assign\w*|call\w*)\b"
    r"|创建|定义|生成|新建|赋值|设为"
)

# Texts that a generation is watched for.
BEGINNINGS = 60


def drop_recreated(code: str, request: str, namespace: Mapping[str, Any]) -> tuple[str, Finding | None]:
    """The code without its leading re-creations of data that exists, unless the request asks for them."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return code, None
    if twin := _under_another_name(tree, request, namespace):
        node, name, real = twin
        lines = code.split("\n")
        lines[node.lineno - 1 : node.end_lineno] = [f"{name} = {real}"]
        told = f"Mended without the model: `{real}` of the notebook was taken, and not made anew as `{name}`."
        return "\n".join(lines), Finding(kind="mended", severity="note", message=told, name=real)
    dropped = [
        (node, node.targets[0].id)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and len(node.targets) == 1
        and isinstance(node.targets[0], ast.Name)
        and _recreates(node.value, node.targets[0].id, request, namespace)
    ]
    rest = [node for node in tree.body if all(node is not gone for gone, _ in dropped)]
    if not dropped or not any(not isinstance(node, (ast.Import, ast.ImportFrom)) for node in rest):
        return code, None
    if any(gone.lineno <= node.lineno <= (gone.end_lineno or 0) for gone, _ in dropped for node in rest):
        return code, None
    lines = code.split("\n")
    for node, _ in reversed(dropped):
        del lines[node.lineno - 1 : node.end_lineno]
    names = " and ".join(f"`{name}`" for name in dict.fromkeys(name for _, name in dropped))
    told = f"Mended without the model: {names} of the notebook was kept, and not made anew."
    finding = Finding(kind="mended", severity="note", message=told, name=dropped[0][1])
    return "\n".join(lines).strip("\n"), finding


def _under_another_name(
    tree: ast.Module, request: str, namespace: Mapping[str, Any]
) -> tuple[ast.Assign, str, str] | None:
    """A table that is written out with the very columns of one that exists; its new name and the real one."""
    for node in tree.body:
        if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and node.value.args):
            continue
        target, data = node.targets[0], node.value.args[0]
        name = target.id if isinstance(target, ast.Name) else ""
        if not name or name in namespace or not isinstance(data, ast.Dict) or not is_data(node.value):
            continue
        if _wanted_anew(name, request):
            continue
        keys = {key.value for key in data.keys if isinstance(key, ast.Constant)}
        twins = [
            other
            for other, value in namespace.items()
            if not other.startswith("_") and live.is_frame(value) and set(live.column_labels(value) or []) == keys
        ]
        if len(twins) == 1:
            return node, name, twins[0]
    return None


def beginnings(request: str, namespace: Mapping[str, Any]) -> list[str]:
    """How code begins that makes the notebook's tables and arrays anew: a generation can be ended there."""
    found = []
    for name, value in namespace.items():
        if name.startswith("_") or not _is_data(value) or _wanted_anew(name, request):
            continue
        kind = live.class_name(type(value))
        if kind == "DataFrame":
            found += [f"\n{name} = pd.DataFrame(", f"\n{name} = pd.read_", f"\n{name}: DataFrame"]
        elif kind == "ndarray":
            found.append(f"\n{name} = np.array(")
        elif kind in ("list", "dict"):
            found.append(f"\n{name} = {'[' if kind == 'list' else '{'}")
    return found[-BEGINNINGS:]


def _wanted_anew(name: str, request: str) -> bool:
    return bool(re.search(rf"(?:{_MAKE})[^.;。；]{{0,40}}(?<!\w){re.escape(name)}(?!\w)", request, re.I))


def _recreates(value: ast.expr, name: str, request: str, namespace: Mapping[str, Any]) -> bool:
    if name not in namespace or not _is_data(namespace[name]):
        return False
    if _wanted_anew(name, request):
        return False
    read = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
    if any(_is_data(namespace.get(other)) for other in read):
        return False
    if is_data(value):
        return True
    called = value.func if isinstance(value, ast.Call) else None
    last = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return bool(_LOADERS.match(last)) and not _LOAD.search(request)


def _is_data(value: object) -> bool:
    home = live.class_module(type(value)).partition(".")[0]
    if type(value) in (list, dict, tuple, set, str):
        return True
    return home in ("pandas", "numpy", "polars") and live.class_name(type(value)) in (
        "DataFrame", "Series", "ndarray", "LazyFrame", "Index", "DatetimeIndex"
    )  # fmt: skip
