"""What a recorded answer depends on, as hashes: its request, the variables that it reads, the answer before it."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence

from llmos_jupyter.agent.describe.variables import describe_variable, user_variables
from llmos_jupyter.agent.replay.kinds import kind_of
from llmos_jupyter.privacy.masking import mask
from llmos_jupyter.protocol import Options

# Characters of a description that words are held against.
DESCRIPTION = 900


def normalised(request: str) -> str:
    """A request without what makes no difference: white space, forms of the same character; secrets masked."""
    return mask(" ".join(unicodedata.normalize("NFC", request).split()))


def asked_hash(request: str, options: Options) -> str:
    """Hash of a request and the options that matter."""
    return hash_of(normalised(request), str(options.context), ",".join(sorted(options.use)), str(options.seed))


def hash_of(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def reads(request: str, options: Options, answer: str, kind: str, namespace: Mapping[str, object]) -> dict[str, str]:
    """The variables that an answer reads, and the hash of what matters of each."""
    if kind == "code":
        names = _names_read(answer) & namespace.keys() | set(options.use)
    else:
        said = set(re.findall(r"[^\W\d]\w*", f"{request} {answer}"))
        names = {name for name in user_variables(namespace) if name in said} | set(options.use)
    return {name: state(kind, name, namespace) for name in sorted(names) if not name.startswith("_")}


_IPYTHON = frozenset({"In", "Out", "get_ipython", "exit", "quit"})


def _names_read(code: str) -> set[str]:
    """The names that code reads before it binds them: what it binds first may be left over from its last run."""
    try:
        tree = ast.parse(code)
    except SyntaxError:  # a cell with magics: every word, for it is better to ask than to be wrong
        return set(re.findall(r"[^\W\d]\w*", code)) - _IPYTHON
    read: set[str] = set()
    bound: set[str] = set()
    for statement in tree.body:
        nodes = list(ast.walk(statement))
        local = {name for node in nodes for name in _binds(node)}
        read |= {n.id for n in nodes if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Store)} - bound - local
        read |= {n.target.id for n in nodes if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name)} - bound
        # What a branch binds may stay unbound.
        if not isinstance(statement, (ast.If, ast.For, ast.While, ast.Try)):
            bound |= local | {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return read - _IPYTHON


def _binds(node: ast.AST) -> set[str]:
    """The names that a node binds for the code inside or behind it, other than by assignment."""
    if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
        return {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    if isinstance(node, ast.arg):
        return {node.arg}
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    if isinstance(node, ast.withitem) and isinstance(node.optional_vars, ast.Name):
        return {node.optional_vars.id}
    return {node.name} if isinstance(node, ast.ExceptHandler) and node.name else set()


def state(kind: str, name: str, namespace: Mapping[str, object]) -> str:
    """Hash of what matters of a variable: to code its kind, to words what the model is told of it. Empty if there is
    none."""
    if name not in namespace:
        return ""
    value = namespace[name]
    return hash_of(kind_of(value) if kind == "code" else describe_variable(name, value, max_chars=DESCRIPTION))


def after(previous: Sequence[str]) -> str:
    """Hash of the last answer: any request may lean on it, and no word says in every language that it does not."""
    if not previous:
        return ""
    lines = [line.rstrip() for line in previous[-1].splitlines()]
    return hash_of(*(line for line in lines if line))
