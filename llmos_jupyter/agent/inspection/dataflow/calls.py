"""Calls: what they reach outside the namespace, what they hide, what they return, what they may change."""

from __future__ import annotations

import ast
import sys
import types
from typing import TYPE_CHECKING, Any

from llmos_jupyter.agent import live
from llmos_jupyter.agent.inspection import outside, shell
from llmos_jupyter.agent.inspection.dataflow import methods, reshape
from llmos_jupyter.agent.inspection.dataflow.values import (
    UNKNOWN,
    Const,
    Dict,
    Frame,
    Function,
    Part,
    Ref,
    Seq,
    Series,
    Value,
)
from llmos_jupyter.agent.inspection.outside import Argument, Arguments
from llmos_jupyter.agent.inspection.source import magic_of
from llmos_jupyter.agent.inspection.words import words
from llmos_jupyter.protocol import Capability

if TYPE_CHECKING:
    from llmos_jupyter.agent.inspection.dataflow.walk import Walk

# Libraries whose functions do not add columns to a frame they are given.
_TRUSTED = words(
    "pandas numpy matplotlib seaborn sklearn plotly scipy statsmodels polars xgboost lightgbm torch "
    "tensorflow keras IPython tqdm builtins altair bokeh joblib ipywidgets display pyarrow networkx"
) | frozenset(sys.stdlib_module_names)
_PATH_MAKERS = words(
    "Path PosixPath WindowsPath home cwd joinpath resolve absolute with_suffix with_name with_stem "
    "expanduser relative_to"
)
_SECRETIVE = frozenset({"os", "subprocess", "builtins", "shutil", "sys", "posix", "importlib"})


def call(walk: Walk, node: ast.Call) -> Value:
    found = magic_of(node)
    if found is not None:
        return _magic(walk, node, *found)
    receiver: Value | None = None
    if isinstance(node.func, ast.Attribute):
        receiver = walk.expr(node.func.value)
        callee = walk.attribute(receiver, node.func.attr, node.func, called=True)
    else:
        callee = walk.expr(node.func)
        _hidden_builtin(walk, node.func)
    args = [walk.expr(a) for a in node.args]
    keywords = {k.arg: walk.expr(k.value) for k in node.keywords if k.arg}
    for k in node.keywords:
        if k.arg is None:
            walk.expr(k.value)
    arguments: Arguments = {i: _argument(v) for i, v in enumerate(args)}
    arguments.update({k: _argument(v) for k, v in keywords.items()})
    for value in [*args, *keywords.values()]:
        _passed(walk, value, node)
    path = callee.path if isinstance(callee, Ref) else None
    _outside(walk, node, callee, receiver, path, arguments)
    followed = walk.inline(callee, args, keywords) if isinstance(callee, Function) else None
    if followed is not None:
        result = followed
    elif isinstance(callee, Part):
        result = methods.method(walk, callee, node, args, keywords)
    else:
        if path is not None:
            _hidden(walk, node, path, args, keywords)
        result = _result(walk, node, callee, path, args, keywords)
    _effects(walk, node, callee, receiver, [*args, *keywords.values()], followed is not None)
    return result


def _hidden_builtin(walk: Walk, func: ast.expr) -> None:
    """A variable of the notebook that stands in a builtin's way, and cannot be called."""
    if isinstance(func, ast.Name) and func.id not in walk.state.names and live.hides_builtin(walk.namespace, func.id):
        kind = live.class_name(type(walk.namespace[func.id]))
        text = (
            f"`{func.id}` is a variable of the notebook here, of type {kind}, and hides Python's function: "
            f"write `builtins.{func.id}` after `import builtins`."
        )
        walk.error("shadowed-builtin", text, func, func.id, [f"builtins.{func.id}"])


def _argument(value: Value) -> Argument:
    if isinstance(value, Const):
        return Argument(value.value)
    if isinstance(value, Ref):
        return Argument(path=value.path)
    return Argument()


# --- outside ----------------------------------------------------------------------------------


def report_capability(
    walk: Walk, capability: Capability, name: str, node: ast.AST, targets: list[str] | None = None
) -> None:
    """`targets`: the paths or addresses, where they are known; the finding's name shows them."""
    what = "deletes every variable of the notebook" if name == "%reset" else outside.WORDS[capability]
    if name in outside.KERNEL:
        what = "changes or watches the kernel itself"
    walk.warn(
        "capability",
        f"`{name}` {what}: approve it only if that is wanted.",
        node,
        f"{name}({', '.join(map(repr, targets))})" if targets else name,
        capability=capability,
        # What a symbolic link says is a text: nothing is done to what it leads to.
        targets=targets[1:] if targets and name.endswith("symlink") else targets or (),
    )


def _outside(
    walk: Walk, node: ast.Call, callee: Value, receiver: Value | None, path: str | None, arguments: Arguments
) -> None:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    found: Capability | None = None
    if path is not None:
        found = outside.capability(path, arguments)
        if found is None and isinstance(callee, Ref) and callee.obj is not live.MISSING:
            known = walk.identities.path(callee.obj)
            if known is not None:
                path, found = known, outside.capability(known, arguments)
        if path in {"subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.Popen",
                    "subprocess.check_output", "os.system", "os.popen"} and _installs(node):  # fmt: skip
            found = Capability.INSTALL
            walk.installs = True
        if path == "os.kill" and "getpid" in ast.dump(node):
            report_capability(walk, Capability.EXIT, path, node)
    if found is None and name and not (path or "").startswith("pathlib.Path()."):
        unknown = receiver is UNKNOWN or isinstance(receiver, Frame | Series | Part)
        own = isinstance(receiver, Ref) and not _resolved_module(receiver)
        if unknown or own:
            found = outside.by_method_name(name, arguments)
    if found is not None:
        shown = (path or "").removeprefix("builtins.")
        shown = shown if shown and "(" not in shown else name or "call"
        report_capability(walk, found, shown, node, outside.targets(path or name, found, arguments))


def _resolved_module(value: Ref) -> bool:
    return value.obj is not live.MISSING and (live.is_module(value.obj) or live.is_class(value.obj))


def _installs(node: ast.Call) -> bool:
    words = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    text = " ".join(words)
    return shell.command(text) == [Capability.INSTALL]


def _passed(walk: Walk, value: Value, node: ast.Call) -> None:
    """A function that reaches outside, handed to another that will call it."""
    if isinstance(value, Ref) and value.path in outside.ALWAYS and value.path not in {"sys.stdin"}:
        report_capability(walk, outside.ALWAYS[value.path], value.path, node)


def _magic(walk: Walk, node: ast.Call, method: str, name: str, text: str) -> Value:
    if method in {"system", "getoutput"}:
        found, shown = shell.command(text), "!" + text.strip()[:40]
    else:
        found, shown = shell.magic(name, text), ("%%" if method == "run_cell_magic" else "%") + name
    for capability in found:
        report_capability(walk, capability, shown, node)
    walk.installs |= Capability.INSTALL in found
    if name in {"run", "load", "pylab", "store", "reset"}:
        walk.forget_all()
    return UNKNOWN


# --- hidden code ------------------------------------------------------------------------------


def _hidden(walk: Walk, node: ast.Call, path: str, args: list[Value], keywords: dict[str, Value]) -> None:
    why = outside.HIDDEN.get(path)
    if path.startswith("ctypes.") and "()" not in path:
        why = "calls machine code"
    if path == "yaml.load" and "SafeLoader" not in ast.dump(node):
        why = "can run any code"
    if path == "numpy.load" and keywords.get("allow_pickle") == Const(True):
        why = "unpickles, which can run any code"
    if path == "torch.load" and keywords.get("weights_only") == Const(True):
        why = None
    if path == "builtins.getattr" and len(args) >= 2 and isinstance(args[0], Ref) and not isinstance(args[1], Const):
        why = "picks a function by a name that is not written out" if args[0].path in _SECRETIVE else None
    text = args[0].value if args and isinstance(args[0], Const) else None
    if path in {"builtins.eval", "builtins.exec", "builtins.compile"} and isinstance(text, str):
        _literal_code(walk, node, text)
        if isinstance(node.args[0], ast.Constant | ast.BinOp | ast.JoinedStr):
            return
    if why:
        shown = path.removeprefix("builtins.")
        walk.warn("hidden-code", f"`{shown}` {why}, which no check can see: write the code out instead.", node, shown)


def _literal_code(walk: Walk, node: ast.Call, text: str) -> None:
    """Code in a literal is as visible as the rest: walk it too."""
    try:
        inner = ast.parse(text.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for part in ast.walk(inner):
        if isinstance(part, ast.expr | ast.stmt):
            part.lineno = node.lineno
    if walk.depth < 2:
        walk.depth += 1
        certain, walk.certain = walk.certain, False
        walk.block(inner.body)
        walk.certain = certain
        walk.depth -= 1


# --- results and effects ----------------------------------------------------------------------


def _result(
    walk: Walk, node: ast.Call, callee: Value, path: str | None, args: list[Value], keywords: dict[str, Value]
) -> Value:
    if path is None:
        return UNKNOWN
    if path == "builtins.getattr" and len(args) == 2 and isinstance(args[1], Const) and type(args[1].value) is str:
        return walk.attribute(args[0], args[1].value, node)
    if path in {"builtins.__import__", "importlib.import_module"} and args and isinstance(args[0], Const):
        name = str(args[0].value)
        return walk.module(name.partition(".")[0] if path == "builtins.__import__" else name)
    if path == "builtins.vars" and args and isinstance(args[0], Ref):
        return Ref(f"{args[0].path}.__dict__")
    if path == "functools.partial" and args:
        return args[0]
    if path == "sqlite3.connect" and (args or keywords):
        where = args[0] if args else keywords.get("database")
        return Ref("sqlite3.connect(':memory:')" if where == Const(":memory:") else "sqlite3.connect()")
    if path.startswith("pathlib."):
        if path.rpartition(".")[2] in _PATH_MAKERS:
            return Ref("pathlib.Path()")
        return UNKNOWN
    if path in {"builtins.range"} and args and all(isinstance(a, Const) and type(a.value) is int for a in args):
        turns = range(*[a.value for a in args if isinstance(a, Const)][:3]) if args != [Const(0)] else range(0)
        if len(turns) > 0:
            return Ref("nonempty")
    if path in {"builtins.sorted", "builtins.list", "builtins.tuple"} and args:
        if isinstance(args[0], Seq) and path != "builtins.sorted":
            return Seq(args[0].items, list if path == "builtins.list" else tuple)
        return Ref(cls=tuple if path == "builtins.tuple" else list)
    made = reshape.function(walk, path, node, args, keywords)
    if made is not None:
        return made
    obj = callee.obj if isinstance(callee, Ref) else live.MISSING
    if obj is not live.MISSING and live.is_class(obj):
        return Ref(outside.instance_path(obj), cls=obj if live.closed(obj) else None)
    return Ref(path + "()") if path.count("(") < 2 and len(path) < 200 else UNKNOWN


def _effects(
    walk: Walk, node: ast.Call, callee: Value, receiver: Value | None, values: list[Value], followed: bool
) -> None:
    """Forget what the call may have changed, unless it was followed step by step."""
    if isinstance(receiver, Ref) and receiver.obj is not live.MISSING and not _resolved_module(receiver):
        walk.forget(receiver)
        if _users(type(receiver.obj)):
            walk.state.all_dirty = True
    if isinstance(node.func, ast.Attribute) and isinstance(receiver, Seq | Dict):
        walk.forget_name(node.func.value, receiver)
    if isinstance(callee, Function) and followed:
        return
    path = callee.path if isinstance(callee, Ref) else None
    trusted = isinstance(callee, Part) or (path is not None and path.partition(".")[0] in _TRUSTED)
    if isinstance(callee, Ref) and type(callee.obj) is types.FunctionType:
        trusted = not _is_users(callee.obj)
    if callee is UNKNOWN and isinstance(node.func, ast.Name):
        walk.forget_all()
    for value in [callee, *values]:
        # A function that is handed over may be called, and with the other arguments.
        if _may_run(walk, value):
            trusted = False
    for argument, value in zip([*node.args, *(k.value for k in node.keywords)], values, strict=False):
        if not trusted:
            walk.forget(value)
            walk.forget_name(argument, value)
        elif isinstance(value, Ref):
            walk.forget(value)


def _may_run(walk: Walk, value: Value) -> bool:
    """If the value is a function of the user's or of the candidate's, forget what it may change."""
    if isinstance(value, Function):
        _ran(walk, value)
        return True
    if isinstance(value, Ref) and type(value.obj) is types.FunctionType and _is_users(value.obj):
        _forget_names(walk, set(_global_names(value.obj.__code__)), set())
        walk.state.all_dirty = True
        return True
    if not isinstance(value, Seq):
        return False
    ran = [_may_run(walk, item) for item in value.items]  # each of them, not up to the first
    return any(ran)


def _ran(walk: Walk, function: Function) -> None:
    nodes = list(ast.walk(function.node))
    _forget_names(walk, {n.id for n in nodes if isinstance(n, ast.Name)}, set())
    for node in nodes:
        if isinstance(node, ast.Global | ast.Nonlocal):
            walk.state.names.update(dict.fromkeys(node.names, UNKNOWN))


def _users(cls: type) -> bool:
    return live.class_module(cls).partition(".")[0] not in _TRUSTED


def _is_users(function: types.FunctionType) -> bool:
    """Whether the function is not a trusted library's. Its `__module__` could say anything, and pandas
    sets it to the public place; where its globals live does not lie."""
    home = function.__globals__
    name = home.get("__name__")
    if type(name) is not str or name == "__main__" or name.partition(".")[0] not in _TRUSTED:
        return True
    module = sys.modules.get(name)
    return module is None or home is not types.ModuleType.__getattribute__(module, "__dict__")


def _global_names(code: types.CodeType) -> list[str]:
    names = list(code.co_names)
    for constant in code.co_consts:
        if type(constant) is types.CodeType:
            names += _global_names(constant)
    return names


def _forget_names(walk: Walk, names: set[str], seen: set[str]) -> None:
    """Forget the frames that a function names, and those that the functions it names do."""
    for name in names - seen:
        seen.add(name)
        value: Any = walk.lookup(name)
        if isinstance(value, Frame):
            walk.forget(value)
        elif isinstance(value, Ref) and type(value.obj) is types.FunctionType and _is_users(value.obj):
            _forget_names(walk, set(_global_names(value.obj.__code__)), seen)
        elif isinstance(value, Function):
            nodes = list(ast.walk(value.node))
            walk.state.names.update({n: UNKNOWN for g in nodes if isinstance(g, ast.Global) for n in g.names})
            _forget_names(walk, {n.id for n in nodes if isinstance(n, ast.Name)}, seen)
