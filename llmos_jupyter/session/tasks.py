"""Background tasks for people: options as they are written, and the Python API."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import PRIORITIES, Options
from llmos_jupyter.reports.chrome_trace import chrome_trace

if TYPE_CHECKING:
    from llmos_jupyter.daemon.client import DaemonClient
    from llmos_jupyter.session.handle import Handle
    from llmos_jupyter.session.notebook import Notebook

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
# What an option is called where people write it.
_FLAGS = {"gpus": "gpu"}
_BYTES = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def options(given: Mapping[str, Any]) -> Options:
    """The options of a task, from words. Raises ValueError, one sentence."""
    values = in_figures(given)
    try:
        return Options.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        option = _FLAGS.get(str(first["loc"][0]), str(first["loc"][0]))
        raise ValueError(f"--{option} cannot be {first['input']!r}: {first['msg'].lower()}.") from None


def in_figures(given: Mapping[str, Any]) -> dict[str, Any]:
    """A task's options with numbers for words. Raises ValueError, one sentence."""
    values = dict(given)
    if "priority" in values:
        values["priority"] = priority(values["priority"])
    if "deadline" in values:
        values["deadline"] = _amount(values["deadline"], _SECONDS, "--deadline", "90s, 10m or 2h")
    if memory := values.pop("memory", None):
        values["memory_bytes"] = int(_amount(memory, _BYTES, "--memory", "500M or 8G"))
    if "after" in values:
        items = values["after"] if isinstance(values["after"], list) else [values["after"]]
        values["after"] = [name for item in items for name in re.split(r"[,\s]+", str(item)) if name]
    if "gpu" in values:
        values["gpus"] = values.pop("gpu")
    return values


def priority(text: str | int) -> int:
    """A priority's number. Raises ValueError, one sentence."""
    value = PRIORITIES.get(str(text).lower(), text)
    try:
        number = int(value)
    except ValueError:
        number = -1
    if not 0 <= number <= 1000:
        raise ValueError(
            f"--priority cannot be {text!r}: it takes interactive, normal, low, or a number from 0 to 1000."
        )
    return number


def _amount(text: str, units: Mapping[str, float], option: str, examples: str) -> float:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]?)(?:i?b)?\s*", str(text).lower())
    if not found or found[2] not in units or float(found[1]) <= 0:
        raise ValueError(f"{option} cannot be {text!r}: write it like {examples}.")
    return float(found[1]) * units[found[2]]


def write_trace(client: DaemonClient, file: str) -> str:
    """Write what ran where and when as a Chrome trace; returns a sentence.

    Raises LLMOSError if there is nothing yet, or the file cannot be written.
    """
    steps = client.steps()
    if not steps:
        raise LLMOSError("Nothing has run yet: ask for something first.")
    names = {task.id: f"{task.number} {' '.join(task.text.split())[:30]}" for task in client.tasks(limit=1000)}
    path = Path(file).expanduser()
    try:
        path.write_text(json.dumps(chrome_trace(steps, names)), encoding="utf-8")
    except OSError as error:
        raise LLMOSError(f"{path} cannot be written ({error.strerror}): name another file.") from error
    return f"{len(steps)} steps are in {path}: open it at https://ui.perfetto.dev."


def submit(code: str | Callable[..., Any], *arguments: Any, **given: Any) -> Handle:
    """Run code, or a function with these arguments, as a background task of the running notebook.

    `given`: priority, deadline, after, cores, memory, gpu, on, as the magic takes them. Returns a handle like a
    future's, which can be awaited. What a function returns comes back as the name `returned` of its `result()`.
    """
    notebook = _notebook()
    text, extra = code if isinstance(code, str) else "returned = _call(*_arguments)", {}
    if callable(code):
        extra = {"_call": code, "_arguments": arguments}
    try:
        chosen = options(given)
    except ValueError as error:
        raise LLMOSError(str(error)) from None
    return notebook.run(text, chosen, background=True, extra=extra)


def ask(words: str, **given: Any) -> Handle:
    """Answer a request in words in the background of the running notebook, as `%%llmos -b` does.

    `given`: the magic's options, such as model="1.5b", priority="low" or after="last". Returns a handle like a
    future's; its `result()` holds the names that the answer made.
    """
    notebook = _notebook()
    try:
        return notebook.ask(words, notebook.options(in_figures({"priority": "normal", **given})))
    except ValidationError as error:
        first = error.errors()[0]
        raise LLMOSError(f"{first['loc'][0]} cannot be {first['input']!r}: {first['msg'].lower()}.") from None
    except ValueError as error:
        raise LLMOSError(str(error)) from None


def _notebook() -> Notebook:
    """The running notebook's llmos. Raises LLMOSError where there is none."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None:
        raise LLMOSError("There is no notebook: call this in one, or in IPython.")
    magics = shell.magics_manager.registry.get("LLMOSMagics")
    if magics is None:
        shell.run_line_magic("load_ext", "llmos_jupyter")
        magics = shell.magics_manager.registry["LLMOSMagics"]
    notebook: Notebook = magics.notebook
    return notebook
