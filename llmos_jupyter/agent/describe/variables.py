"""What a small language model is told of the live variables: compact text, one source of truth.

`describe_variable` is asked after every cell, of values that anyone may have made: it runs no code of
theirs, prints nothing, raises nothing, and bounds its time by how much it looks at. Two equal answers mean
that nothing changed which the model needs; so no answer holds an address or a time.
"""

from __future__ import annotations

import logging
import types
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from llmos_jupyter.agent.context.relevance import best_score, spoken_of
from llmos_jupyter.agent.describe.basics import (
    class_dict,
    class_module,
    describe_class_of,
    is_exactly,
    is_kind,
    is_library_kind,
    label,
    module_dict,
    own_attributes,
    plain,
)
from llmos_jupyter.agent.describe.columns import Facts
from llmos_jupyter.agent.describe.objects import describe_object
from llmos_jupyter.agent.describe.secret_values import secrets_of
from llmos_jupyter.agent.describe.shapes import is_exactly_a
from llmos_jupyter.agent.describe.table_layout import Asked, facts_of, lines_of
from llmos_jupyter.agent.describe.tables import columns_of
from llmos_jupyter.privacy.masking import mask_known, mask_value
from llmos_jupyter.privacy.secret_names import secret_name

log = logging.getLogger(__name__)

MAX_IMPORTS = 60
MOST_SPOKEN = 20
_MISSING = object()
_IPYTHON = frozenset({"In", "Out", "get_ipython", "exit", "quit"})
# Where people import from what is defined elsewhere and not re-exported by a parent.
_PUBLIC = {
    "IPython.core.display": "IPython.display",
    "IPython.core.display_functions": "IPython.display",
    "IPython.lib.display": "IPython.display",
}


def describe_variable(
    name: str, value: object, *, max_chars: int = 400, deadline: float = 0.05, request: str = ""
) -> str:
    """One variable in at most `max_chars` characters; empty for a module.

    `deadline`: about how many seconds it may take. It decides how many cells of a table or an array are
    looked at; figures from a part of the values are marked "about". `request`: of a table that is too wide to tell a
    line of each column, those that it speaks of get one. Never raises.
    """
    if is_kind(value, types.ModuleType) or max_chars <= 0:
        return ""
    head, hides = f"{label(name)}: ", _hidden_builtin(name)
    try:
        room = max_chars - len(head) - len(hides)
        first, line, rest = describe_object(value, room, deadline, Asked(label(name), request)).partition("\n")
        text = head + first + hides + line + rest
    except Exception:  # the promise is never to raise, whatever the value is and whatever library made it
        log.info("the model is told no more than the class of %s", name, exc_info=True)
        text = head + describe_class_of(value)
    text = mask_known(mask_value(name, text), secrets_of(name, value))
    return text if len(text) <= max_chars else text[: max_chars - 1] + "…"


def describe_columns(
    name: str,
    value: object,
    request: str,
    *,
    current: str = "",
    told: str = "",
    max_chars: int = 400,
    deadline: float = 0.05,
) -> str:
    """A line for each column of a table that the request speaks of and that was not told yet; empty if there is none.

    `current`: a description of the value as it is now, which need not be repeated; `told`: what was said of it before,
    which is not repeated while it holds. Never raises.
    """
    try:
        columns = columns_of(value)
        if columns is None:
            return ""
        spoken = [each.position for each in spoken_of(columns.texts, request)[:MOST_SPOKEN]]
        new = [i for i in spoken if f"\n  {columns.labels[i]}: " not in current]
        facts = dict(zip(new, facts_of(columns, new, deadline), strict=True))
        new = [i for i in new if not _was_told(columns.labels[i], facts[i], told)]
        head = f"{label(name)}, columns of this request:"
        lines = lines_of(columns, new, [facts[i] for i in new], max_chars - len(head))
    except Exception:  # as above: a library's object may be in any state
        log.info("the model is not told of the request's columns of %s", name, exc_info=True)
        return ""
    return mask_known(mask_value(name, head + "".join(lines)), secrets_of(name, value)) if lines else ""


def _was_told(written: str, facts: Facts, told: str) -> bool:
    """Whether a line of the column stands in the text and still holds, with whatever examples."""
    if secret_name(plain(written)) is not None:  # its values are masked, and cannot be compared
        return f"\n  {written}: " in told
    return f"\n  {written}: {facts.text(0)}" in told or f"\n  {written}: {facts.dtype}\n" in f"{told}\n"


def is_table(value: object) -> bool:
    """Whether columns of it can be told. Never raises."""
    return is_library_kind(value, "pandas", "DataFrame") or any(
        is_exactly_a(value, *kind) for kind in (("polars", "DataFrame"), ("pyarrow", "Table"))
    )


def speaks_of(request: str, value: object) -> tuple[bool, float]:
    """How clearly a request speaks of a table's columns: whether one stands in it word for word, and how much is
    shared. Never raises."""
    try:
        columns = columns_of(value)
        return best_score(spoken_of(columns.texts, request)) if columns is not None else (False, 0.0)
    except Exception:  # labels may be of anyone's making; a table that cannot be read is not spoken of
        return (False, 0.0)


def _hidden_builtin(name: str) -> str:
    """A note if the name is one of Python's own functions or types, which it hides."""
    hidden = module_dict("builtins").get(name)
    if name.startswith("_") or not is_exactly(hidden, type, types.BuiltinFunctionType):
        return ""
    return f" (hides the builtin {name})"


def user_variables(user_ns: Mapping[str, object], hidden: Collection[str] = frozenset()) -> dict[str, object]:
    """The user's own names, in order of definition.

    Without names that start with `_`, modules, what was imported, and `hidden`. Where `hidden` is IPython's
    `user_ns_hidden` (names with the objects they had), a name that the user bound anew is the user's.
    """
    found: dict[str, object] = {}
    for name, value in list(user_ns.items()):
        if not _may_be_the_users(name, value):
            continue
        if name in hidden and not (isinstance(hidden, Mapping) and hidden[name] is not value):
            continue
        if is_kind(value, types.ModuleType) or import_source(value, name) is not None:
            continue
        found[name] = value
    return found


def _may_be_the_users(name: object, value: object) -> bool:
    if type(name) is not str or name.startswith("_") or name in _IPYTHON:
        return False
    # IPython's own guard around `open`
    return value is not module_dict("IPython.core.interactiveshell").get("_modified_open", _MISSING)


def describe_imports(user_ns: Mapping[str, object]) -> list[str]:
    """The imports alive in the namespace as source lines, in order of definition, at most 60."""
    lines = dict.fromkeys(_import_lines(user_ns))
    return list(lines)[:MAX_IMPORTS]


def _import_lines(user_ns: Mapping[str, object]) -> Iterator[str]:
    for name, value in list(user_ns.items()):
        if not _may_be_the_users(name, value) or not name.isidentifier():
            continue
        if is_kind(value, types.ModuleType):
            if (line := _module_line(name, value)) is not None:
                yield line
        elif (source := import_source(value, name)) is not None:
            module, attribute = source
            renamed = "" if name == attribute else f" as {name}"
            yield f"from {module} import {attribute}{renamed}"


def _module_line(name: str, module: object) -> str | None:
    path = own_attributes(module).get("__name__")
    if type(path) is not str or path == "__main__" or not all(p.isidentifier() for p in path.split(".")):
        return None
    path = {"posixpath": "os.path", "ntpath": "os.path"}.get(path, path)
    parent, _, last = path.rpartition(".")
    if name == path:
        return f"import {path}"
    return f"from {parent} import {last}" if parent and name == last else f"import {path} as {name}"


def import_source(value: object, name: str = "") -> tuple[str, str] | None:
    """`(module, attribute)` from which a function, class or library object can be imported, else None.

    The shortest module wins: `pandas`, not `pandas.core.frame`. What was made in the notebook, or returned
    by a library's function, is in no module and so is the user's. `name`: what it is called here; a
    library's ready-made objects (`ipywidgets.interact`) are known by nothing else.
    """
    module, attribute = _home(value)
    if not (module and attribute):
        # `numpy.random.rand` is a method of a hidden object.
        owner = value.__self__ if is_exactly(value, types.MethodType) else value  # type: ignore[attr-defined]
        module, attribute = class_module(type(owner)), name
    if module in ("", "__main__", "builtins") or not attribute.isidentifier():
        return None
    parts = module.split(".")
    paths = [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
    for path in (_PUBLIC.get(module), *paths):
        if path and path.isascii() and module_dict(path).get(attribute) is value:
            return path, attribute
    return None


def _home(value: Any) -> tuple[str, str]:
    """Where a function, a class or the like says it was defined; empty for ordinary values."""
    home: tuple[object, object] = ("", "")
    if is_exactly(value, types.FunctionType, types.BuiltinFunctionType):
        home = value.__module__, value.__name__
    elif is_exactly(value, types.MethodType) and type(value.__func__) is types.FunctionType:
        home = value.__func__.__module__, value.__func__.__name__  # random.randint and its like
    elif is_kind(value, type):
        home = class_module(value), type.__dict__["__name__"].__get__(value)
    elif class_module(type(value)) == "typing":
        home = "typing", own_attributes(value).get("_name")
    elif "__wrapped__" in (own := own_attributes(value)):  # functools.lru_cache and its like
        home = own.get("__module__"), own.get("__name__")
    elif class_module(type(value)) == "numpy":
        # ufuncs and dispatched functions: `from numpy import sin` gives no Python function
        named = class_dict(type(value)).get("__name__")
        home = "numpy", (named.__get__(value) if named is not None else own.get("__name__"))
    module, name = home
    return (module, name) if type(module) is str and type(name) is str else ("", "")


__all__ = [
    "describe_columns",
    "describe_imports",
    "describe_variable",
    "import_source",
    "is_table",
    "speaks_of",
    "user_variables",
]
