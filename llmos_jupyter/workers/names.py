"""Which names code reads, assigns and may change in place: by its text alone, without running it.

The analysis errs towards reading: a name that some path through the code may read before it is assigned counts as read.
Names inside functions, classes and comprehensions count where they are free. What is built at run time (`eval`,
`globals()[...]`, names in `!commands`) is not seen.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_TRIES = (ast.Try, getattr(ast, "TryStar", ast.Try))  # `except*` came with Python 3.11
# Magics whose line and cell are Python that runs in the notebook's namespace.
_PYTHON_MAGICS = frozenset({"time", "timeit", "capture", "prun"})
# What every shell has itself, or, as `Out`, would bring the whole notebook along.
_OF_THE_SHELL = frozenset({"get_ipython", "exit", "quit", "In", "Out"})


@dataclass
class Names:
    """`reads` exist before the code runs, `binds` are assigned by it, `touches` may be changed in place:
    an item or attribute is set, or a statement calls a method of the object or passes it to a function.
    """

    reads: set[str] = field(default_factory=set)
    binds: set[str] = field(default_factory=set)
    touches: set[str] = field(default_factory=set)


def names_of(code: str) -> Names:
    """The names of a cell, magics included. Raises SyntaxError."""
    from IPython.core.inputtransformer2 import TransformerManager

    names = Names()
    _Flow(names).block(ast.parse(TransformerManager().transform_cell(code)).body, set(_OF_THE_SHELL))
    names.touches -= _OF_THE_SHELL
    return names


@dataclass
class _Uses:
    """What one piece of code does in its own scope, whatever the order."""

    loads: set[str] = field(default_factory=set)
    stores: set[str] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)  # declared global
    inner_stores: set[str] = field(default_factory=set)  # assigned as globals by functions inside
    touches: set[str] = field(default_factory=set)


def _uses(nodes: Iterable[ast.AST]) -> _Uses:
    uses = _Uses()
    for node in nodes:
        _collect(node, uses)
    return uses


def _collect(node: ast.AST, uses: _Uses) -> None:
    if isinstance(node, ast.Name):
        (uses.loads if isinstance(node.ctx, ast.Load) else uses.stores).add(node.id)
    elif isinstance(node, ast.Import | ast.ImportFrom):
        uses.stores |= {alias.asname or alias.name.partition(".")[0] for alias in node.names if alias.name != "*"}
    elif isinstance(node, ast.Global):
        uses.shared |= set(node.names)
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        uses.stores.add(node.name)
    elif isinstance(node, ast.MatchMapping) and node.rest:
        uses.stores.add(node.rest)
    elif isinstance(node, ast.AugAssign):
        if isinstance(node.target, ast.Name):
            uses.loads.add(node.target.id)
        uses.touches |= _root(node.target)
    elif isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
        uses.touches |= _root(node)
    elif isinstance(node, ast.Expr):
        uses.touches |= _called_on(node.value)

    if isinstance(node, _FUNCTIONS):
        _collect_function(node, uses)
    elif isinstance(node, ast.ClassDef):
        uses.stores.add(node.name)
        for outer in (*node.decorator_list, *node.bases, *node.keywords):
            _collect(outer, uses)
        _merge_inner(_uses(node.body), set(), uses)
    elif isinstance(node, _COMPREHENSIONS):
        _collect_comprehension(node, uses)
    elif python := _magic(node):
        inner = names_of(python)
        uses.loads |= inner.reads
        uses.stores |= inner.binds
        uses.touches |= inner.touches
    else:
        for child in ast.iter_child_nodes(node):
            _collect(child, uses)


def _collect_function(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, uses: _Uses) -> None:
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [extra for extra in (arguments.vararg, arguments.kwarg) if extra]
    outer: list[ast.AST] = [*arguments.defaults, *[default for default in arguments.kw_defaults if default]]
    outer += [argument.annotation for argument in every if argument.annotation]
    if isinstance(node, ast.Lambda):
        body: list[ast.AST] = [node.body]
    else:
        uses.stores.add(node.name)
        body = list(node.body)
        outer += [*node.decorator_list, *([node.returns] if node.returns else [])]
    for part in outer:
        _collect(part, uses)
    _merge_inner(_uses(body), {argument.arg for argument in every}, uses)


def _collect_comprehension(node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, uses: _Uses) -> None:
    _collect(node.generators[0].iter, uses)
    inner = _uses(ast.iter_child_nodes(node))
    # `:=` inside assigns in the scope around it.
    walrus = {
        part.target.id
        for part in ast.walk(node)
        if isinstance(part, ast.NamedExpr) and isinstance(part.target, ast.Name)
    }
    uses.stores |= walrus
    inner.stores -= walrus
    _merge_inner(inner, set(), uses)


def _merge_inner(inner: _Uses, bound: set[str], uses: _Uses) -> None:
    """Add what an inner scope takes from, and gives to, the scopes around it."""
    local = (inner.stores | bound) - inner.shared
    uses.loads |= inner.loads - local
    uses.touches |= inner.touches - local
    uses.inner_stores |= (inner.stores & inner.shared) | inner.inner_stores


def _root(node: ast.AST) -> set[str]:
    """The name at the bottom of `name.a[0].b`."""
    while isinstance(node, ast.Subscript | ast.Attribute | ast.Starred | ast.Await | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def _called_on(node: ast.expr) -> set[str]:
    """The objects that a call standing as a statement may change."""
    touched: set[str] = set()
    while isinstance(node, ast.Await | ast.Call | ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Call):
            passed = [*node.args, *[keyword.value for keyword in node.keywords]]
            touched |= {argument.id for argument in passed if isinstance(argument, ast.Name)}
            if isinstance(node.func, ast.Attribute):
                touched |= _root(node.func)
            node = node.func
        else:
            node = node.value
    return touched


def _magic(node: ast.AST) -> str:
    """The Python inside `get_ipython().run_line_magic("time", "...")` or its cell form; empty if it is none."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
        return ""
    words = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
    if node.func.attr not in ("run_line_magic", "run_cell_magic") or words[:1] not in [[m] for m in _PYTHON_MAGICS]:
        return ""
    python = str(words[-1])
    try:
        ast.parse(python)
    except SyntaxError:  # options before the code, such as %timeit -n 3 f()
        return ""
    return python


class _Flow:
    """Walks the top level in the order in which it runs."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def block(self, body: Iterable[ast.stmt], assigned: set[str]) -> None:
        """Adds to `assigned` what the statements assign whichever way they go."""
        for statement in body:
            self.statement(statement, assigned)

    def use(self, assigned: set[str], *nodes: ast.AST | None) -> None:
        uses = _uses(node for node in nodes if node is not None)
        self.names.reads |= uses.loads - assigned
        self.names.touches |= uses.touches
        bound = uses.stores | uses.inner_stores
        self.names.binds |= bound
        assigned |= uses.stores

    def branches(self, assigned: set[str], *bodies: list[ast.stmt]) -> None:
        """Bodies of which one runs; an absent one is an empty list."""
        after = []
        for body in bodies:
            own = set(assigned)
            self.block(body, own)
            after.append(own)
        assigned |= set.intersection(*after)

    def statement(self, node: ast.stmt, assigned: set[str]) -> None:
        if isinstance(node, ast.If):
            self.use(assigned, node.test)
            self.branches(assigned, node.body, node.orelse)
        elif isinstance(node, ast.For | ast.AsyncFor):
            self.use(assigned, node.iter)
            self.use(assigned, node.target)  # a loop is taken to run at least once
            self.branches(assigned, node.body, [])
            self.block(node.orelse, set(assigned))
        elif isinstance(node, ast.While):
            self.use(assigned, node.test)
            self.branches(assigned, node.body, [])
            self.block(node.orelse, set(assigned))
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                self.use(assigned, item.context_expr)
                self.use(assigned, item.optional_vars)
            self.block(node.body, assigned)
        elif isinstance(node, _TRIES):
            self.attempt(node, assigned)
        elif isinstance(node, ast.Match):
            self.use(assigned, node.subject)
            for case in node.cases:
                own = set(assigned)
                self.use(own, case.pattern)
                self.use(own, case.guard)
                self.block(case.body, own)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            self.use(assigned, node.value, getattr(node, "annotation", None))
            if node.value is not None:
                self.use(assigned, *(node.targets if isinstance(node, ast.Assign) else [node.target]))
        else:
            self.use(assigned, node)

    def attempt(self, node: ast.Try, assigned: set[str]) -> None:
        """`try`: a handler starts from what was assigned before, and what follows has what every way out assigned."""
        straight = set(assigned)
        self.block(node.body, straight)
        self.block(node.orelse, straight)
        after = [straight]
        for handler in node.handlers:
            own = set(assigned)
            self.use(own, handler.type)
            name = {handler.name} if handler.name else set()
            own |= name
            self.block(handler.body, own)
            after.append(own - name)  # Python deletes it at the handler's end
        assigned |= set.intersection(*after)
        self.block(node.finalbody, assigned)
