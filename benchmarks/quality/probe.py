"""The part of the benchmark that runs inside the kernel: sees what a request left behind, and grades it there.

It is called by expressions that are evaluated silently beside the cells, so that it leaves no name, no output and no
history that a prompt could show.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import sys
import types
from dataclasses import dataclass, field
from typing import Any

from benchmarks.quality.grading import alike, cell, is_scalar, same, shown, states
from benchmarks.quality.task import Step, Task

SAW: list[Any] = []


def saw_figure(figure: Any) -> None:
    """A hook of pyplot's (`figure.hooks`): the inline backend closes figures before anybody could look."""
    SAW.append(figure)


@dataclass
class State:
    task: Task
    reference: dict[str, Any]
    step: int = 0
    starting: dict[str, Any] = field(default_factory=dict)
    copies: dict[str, Any] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    outputs: dict[Any, int] = field(default_factory=dict)


STATE: State | None = None


def start(set_name: str, task_id: str, fresh: bool = True) -> str:
    """Prepare for a task, before its setup cell."""
    global STATE
    from benchmarks.quality.tasks import load

    task = next(task for task in load(set_name) if task.id == task_id)
    if not fresh:
        _cleaned()
    STATE = State(task, _reference(task.setup))
    if any(step.figure for step in task.steps):
        import matplotlib

        matplotlib.rcParams["figure.hooks"] = [f"{__name__}:saw_figure"]
    return "started"


def before(step: int) -> str:
    """Remember the namespace as it is before a request."""
    state = _state()
    space = _space()
    state.step = step
    if not state.starting:
        state.starting = {name: space[name] for name in state.reference if name in space and _is_data(space[name])}
    state.copies = {name: _copy(space[name]) for name in state.starting if name in space}
    state.names = {name: id(value) for name, value in space.items() if not name.startswith("_")}
    state.outputs = {number: id(value) for number, value in space.get("_oh", {}).items()}
    SAW.clear()
    return "ready"


def after(text: str, words: str) -> str:
    """Grade what a request left: `text` is what its cell printed or displayed, `words` the reply in words, if any.

    Returns JSON: `right`, `why` not, `harm` (starting variables changed against the request), `extended` (those that
    only gained a column or a key).
    """
    state = _state()
    step = state.task.steps[state.step]
    harm, extended = _unasked(state, step)
    try:
        why = _graded(state, step, text, words)
    finally:
        SAW.clear()
    return json.dumps({"right": not why, "why": why, "harm": harm, "extended": extended})


# --- the reference ----------------------------------------------------------------------------


def _reference(setup: str) -> dict[str, Any]:
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(setup, "<setup>", "exec"), space)
    return {name: value for name, value in space.items() if not name.startswith("__")}


def _evaluate(code: str, space: dict[str, Any]) -> Any:
    """Run code in a namespace; the value of its last expression."""
    import ast

    tree = ast.parse(code)
    end = tree.body[-1] if tree.body else None
    last = end if isinstance(end, ast.Expr) else None
    if last:
        tree.body.pop()
    space.setdefault("__name__", "__main__")
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(tree, "<reference>", "exec"), space)
        if last is None:
            return None
        return eval(compile(ast.Expression(last.value), "<reference>", "eval"), space)


def _expected(state: State, step: Step) -> list[Any]:
    """The values (or the lists of figures) that are right. The reference namespace moves on with the first."""
    values = []
    start = {
        name: value if isinstance(value, types.ModuleType) else _copy(value) for name, value in state.reference.items()
    }
    for number, code in enumerate((step.expect, *step.also)):
        space = state.reference if number == 0 else {name: _copy(value) for name, value in start.items()}
        SAW.clear()
        value = _evaluate(code, space)
        if step.figure:
            values.append(_drawn())
            _close_figures()
        else:
            values.append(eval(step.into, space) if step.into and number == 0 else value)
    return values


# --- grading ----------------------------------------------------------------------------------


def _graded(state: State, step: Step, text: str, words: str) -> str:
    space = _space()
    if step.kind == "words":
        said = "\n".join(part for part in (words, text, *(str(value) for value in _results(state, space))) if part)
        return _facts(step, said)
    drawn = _drawn()
    expected = _expected(state, step)
    if step.figure:
        from benchmarks.quality.figures import same_figures

        reasons = [same_figures(one, drawn, exact_bins=step.exact_bins, must_say=step.texts) for one in expected]
        return "" if "" in reasons else reasons[0]
    if step.into:
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                actual = eval(step.into, space)
        except Exception as error:  # the answer's code may raise anything
            return f"{step.into}: {type(error).__name__}: {error}"
        reasons = [same(one, actual, ordered=step.ordered) for one in expected]
        return "" if "" in reasons else reasons[0]
    reasons = _shown_reasons(state, step, space, text, words, expected)
    return "" if "" in reasons else (reasons or ["nothing was shown"])[0]


def _shown_reasons(
    state: State, step: Step, space: dict[str, Any], text: str, words: str, expected: list[Any]
) -> list[str]:
    """Why each thing that the request showed is not the answer; an empty text among them if one is."""
    results = _results(state, space)
    new = [value for name, value in space.items() if not name.startswith("_") and state.names.get(name) != id(value)]
    new = [value for value in new if _is_data(value)]
    reasons: list[str] = []
    for one in expected:
        reasons += [same(one, value, ordered=step.ordered) for value in results]
        if text.strip():
            reasons.append(shown(one, text, ordered=step.ordered))
        if not results and words:
            reasons.append(shown(one, words, ordered=step.ordered))
        if is_scalar(one):
            # A number left in a variable answers only where nothing else was shown.
            if not results and not text.strip():
                reasons += [same(one, value) for value in new[-1:]]
        else:
            # Of a table, an answer may show the head and keep the whole in a variable.
            reasons += [same(one, value, ordered=step.ordered) for value in new]
    return reasons


def _results(state: State, space: dict[str, Any]) -> list[Any]:
    shown = space.get("_oh", {})
    return [value for number, value in shown.items() if state.outputs.get(number) != id(value)][-1:]


def _facts(step: Step, said: str) -> str:
    if not said.strip():
        return "nothing was said"
    for fact in step.says:
        if not states(fact, said):
            return f"does not say {fact!r}: {said.strip()[:150]}"
    for fact in step.never:
        if states(fact, said):
            return f"says {fact!r}: {said.strip()[:150]}"
    return ""


def _drawn() -> list[Any]:
    return [figure for figure in SAW if figure.axes]


def _close_figures() -> None:
    if plt := sys.modules.get("matplotlib.pyplot"):
        plt.close("all")


# --- what nobody asked for --------------------------------------------------------------------


def _unasked(state: State, step: Step) -> tuple[list[str], list[str]]:
    space = _space()
    harm: list[str] = []
    extended: list[str] = []
    for name, old in state.copies.items():
        if name in step.changes:
            continue
        if name not in space:
            harm.append(f"{name} was deleted")
        elif not unchanged(old, space[name]):
            (extended if only_extended(old, space[name]) else harm).append(f"{name} was changed")
    return harm, extended


def unchanged(old: Any, new: Any) -> bool:
    import numpy as np
    import pandas as pd

    if type(old) is not type(new):
        return bool(is_scalar(old) and is_scalar(new) and alike(cell(old), cell(new)))
    if isinstance(old, pd.DataFrame | pd.Series | pd.Index):
        return bool(old.equals(new)) and (isinstance(old, pd.Index) or bool(old.index.equals(new.index)))
    if isinstance(old, np.ndarray):
        return (
            old.shape == new.shape and old.dtype == new.dtype and bool(np.all((old == new) | (_nan(old) & _nan(new))))
        )
    if isinstance(old, dict):
        return list(old) == list(new) and all(unchanged(old[key], new[key]) for key in old)
    if isinstance(old, list | tuple):
        return len(old) == len(new) and all(unchanged(a, b) for a, b in zip(old, new, strict=True))
    if is_scalar(old) or isinstance(old, set | frozenset):
        return bool(alike(cell(old), cell(new)))
    # A fitted model, a class of the user's: their state, as far as it has any.
    return repr(vars(old)) == repr(vars(new)) if hasattr(old, "__dict__") else True


def only_extended(old: Any, new: Any) -> bool:
    """Whether all that was there is there still with the same values: a column or a key was added, a type converted."""
    import pandas as pd

    if isinstance(old, pd.DataFrame) and isinstance(new, pd.DataFrame):
        return (
            len(old) == len(new)
            and all(column in new.columns for column in old.columns)
            and all(_same_column(old[column], new[column]) for column in old.columns)
        )
    if isinstance(old, dict) and isinstance(new, dict):
        return all(key in new and unchanged(old[key], new[key]) for key in old)
    return False


def _same_column(old: Any, new: Any) -> bool:
    return all(alike(cell(a), cell(b), label=True) for a, b in zip(old, new, strict=True))


def _nan(array: Any) -> Any:
    import numpy as np

    return array != array if array.dtype.kind in "fc" else np.zeros(array.shape, dtype=bool)


# --- the kernel -------------------------------------------------------------------------------


def _space() -> dict[str, Any]:
    from IPython.core.getipython import get_ipython

    space: dict[str, Any] = get_ipython().user_ns
    return space


def _state() -> State:
    if STATE is None:
        raise RuntimeError("start() comes first")
    return STATE


def _is_data(value: Any) -> bool:
    return not isinstance(value, types.ModuleType | types.FunctionType | type | types.BuiltinFunctionType)


def _copy(value: Any) -> Any:
    if not _is_data(value):
        return value
    if type(value).__name__ in ("DataFrame", "Series"):
        return value.copy(deep=True)
    return copy.deepcopy(value)


def _cleaned() -> None:
    """A kernel that is used again: what an earlier task's code may have set."""
    _close_figures()
    if matplotlib := sys.modules.get("matplotlib"):
        matplotlib.rcdefaults()
    if pandas := sys.modules.get("pandas"):
        pandas.reset_option("display")
    SAW.clear()
