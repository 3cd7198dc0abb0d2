"""Functions travel without their code: the parent compiles the text of the cell itself, and the copy says which of the
code objects in it, or in a function that both have, is meant.
"""

from __future__ import annotations

import ast
import functools
import types
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects.table import CannotComeHome, Malformed

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def all_codes(code: types.CodeType) -> list[types.CodeType]:
    """A code object and all within it, in the order of the text."""
    found, queue = [], [code]
    while queue:
        here = queue.pop()
        found.append(here)
        queue += reversed([constant for constant in here.co_consts if isinstance(constant, types.CodeType)])
    return found


def form(code: types.CodeType) -> Any:
    """What tells one code object from another. Their own `==` also compares what Python notes in them as they run."""
    constants = tuple(form(part) if isinstance(part, types.CodeType) else repr(part) for part in code.co_consts)
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return code.co_name, code.co_firstlineno, code.co_code, code.co_flags, names, constants


class CompiledCell:
    """The code objects of one cell's text, compiled when first asked for."""

    def __init__(self, code: str, shell: InteractiveShell) -> None:
        self._code, self._shell = code, shell

    @functools.cached_property
    def codes(self) -> list[types.CodeType]:
        """All code objects below the cell's own; empty if the text is no Python."""
        shell = self._shell
        try:
            text = shell.transform_cell(self._code)
            name = shell.compile.cache(text, shell.execution_count, self._code)
            tree = shell.transform_ast(shell.compile.ast_parse(text, filename=name))
            flags = shell.compile.flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            # Statement by statement, as IPython does: what stands in one of them tells the compiler of the next.
            found = []
            for node in tree.body:
                compiled = compile(ast.Module([node], []), name, "exec", flags=flags, dont_inherit=True)
                found += all_codes(compiled)[1:]
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return []
        return found

    def at(self, number: Any) -> types.CodeType:
        if type(number) is not int or not 0 <= number < len(self.codes):
            raise Malformed("a function that is not in the text")
        return self.codes[number]


class CodePlaces:
    """In the copy: where the parent finds a code object."""

    def __init__(self, cell: CompiledCell, old: list[Any]) -> None:
        """`old`: what the names reached before the run."""
        self._cell = cell
        self._old = old

    @functools.cached_property
    def _in_text(self) -> dict[Any, int]:
        return {form(code): number for number, code in reversed(list(enumerate(self._cell.codes)))}

    @functools.cached_property
    def _in_old(self) -> dict[Any, tuple[types.FunctionType, int]]:
        found: dict[Any, tuple[types.FunctionType, int]] = {}
        for function in self._old:
            if type(function) is types.FunctionType:
                for number, code in enumerate(all_codes(function.__code__)):
                    found.setdefault(form(code), (function, number))
        return found

    def find(self, function: types.FunctionType) -> tuple[str, Any, int]:
        """`("text", None, n)`, or `("in", function, n)`: the n-th code object within a function of both sides."""
        code = form(function.__code__)
        if (number := self._in_text.get(code)) is not None:
            return "text", None, number
        if (inside := self._in_old.get(code)) is not None:
            return "in", *inside
        if (outer := _outer_of_library(function)) is not None:
            for number, inner in enumerate(all_codes(outer.__code__)):
                if form(inner) == code:
                    return "in", outer, number
        raise CannotComeHome(f"the code of the function {function.__name__} is not in the text of the cell", "function")


def _outer_of_library(function: types.FunctionType) -> types.FunctionType | None:
    """The library function within which a function was made."""
    from llmos_jupyter.effects import libraries

    # What `functools.wraps` writes does not change the code's own path, which Python has since 3.11.
    path = getattr(function.__code__, "co_qualname", function.__qualname__)
    outer, _, rest = path.partition(".<locals>")
    name = function.__globals__.get("__name__")
    if not rest or type(name) is not str:
        return None
    try:
        found = libraries.attribute(name, outer)
    except (CannotComeHome, Malformed):
        return None
    return found if type(found) is types.FunctionType else None
