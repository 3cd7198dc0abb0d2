"""The grammar of %llmos and %%llmos: a line in, one call out. Imports nothing heavy: `%load_ext` must be quick.

A line is options, then either a sub-command with its arguments or words for the model. A sentence that begins with a
sub-command's name is still a sentence unless what follows is exactly what that sub-command takes; `--` before the words
settles it, and in a cell (`%%llmos`) everything is words.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from llmos_jupyter.agent.replay.recording_place import fix_place
from llmos_jupyter.session.subcommands import SUBCOMMANDS

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell

    from llmos_jupyter.session.notebook import Notebook

MODES = ("auto", "ask", "show")
# Options that say how a task runs, and not how the model answers.
OF_TASKS = frozenset({"background", "priority", "deadline", "after", "cores", "memory", "gpu", "on"})


@dataclass(frozen=True)
class Call:
    """A magic's line, understood."""

    options: dict[str, Any]
    subcommand: str = ""
    argument: str = ""
    words: str = ""
    run: bool = False


_OPTION = re.compile(r"\s*(--?[A-Za-z][\w-]*)(=(\"[^\"]*\"|'[^']*'|\S*))?(?=\s|$)")
_VALUE = re.compile(r"\s+(\"[^\"]*\"|'[^']*'|\S+)")


def parse(line: str, cell: str | None, parser: argparse.ArgumentParser) -> Call:
    """Read a magic's line (and cell). Raises UsageError, one sentence, for what cannot be meant.

    Options stand first; from the first word on, everything is taken literally, quotes and dashes included.
    """
    known = parser._option_string_actions
    arguments: list[str] = []
    rest = line
    closed = run = False
    while True:
        if cell is not None and not run and re.match(r"\s*run(\s+-[^ ]|\s*$)", rest):
            rest, run = rest.strip()[3:], True
        if re.match(r"\s*--(\s|$)", rest):
            rest, closed = rest.strip()[2:], True
            break
        found = _OPTION.match(rest)
        if not found:
            break
        name, has_value, value = found.group(1), found.group(2) is not None, found.group(3) or ""
        action = known.get(name)
        if action is None:
            raise UsageError(_unknown_option(name, list(known)))
        rest = rest[found.end() :]
        if action.nargs == 0:
            if has_value:
                raise UsageError(f"{name} takes no value.")
            arguments.append(name)
            continue
        if not has_value:
            following = _VALUE.match(rest)
            if not following:
                raise UsageError(f"{name} needs a value: {_wanted(action)}.")
            value, rest = following.group(1), rest[following.end() :]
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        _check(action, name, value)
        arguments.append(f"{name}={value}")
    # A magic's parser raises UsageError by itself.
    options = {key: value for key, value in vars(parser.parse_args(arguments)).items() if value is not None}
    options.pop("words", None)
    words = rest.strip()
    if run:
        if words:
            raise UsageError(f"After `run` come options only: {words.split()[0]!r} is none; the code stands below.")
        return Call(options, words=(cell or "").strip("\n"), run=True)
    if cell is None and not closed:
        head, _, tail = words.partition(" ")
        subcommand, tail = SUBCOMMANDS.get(head), tail.strip()
        if subcommand and subcommand.takes(tail):
            return Call(options, head, tail)
        if subcommand and subcommand.meant(tail):
            usage = f"%llmos {head} {subcommand.usage}".rstrip()
            raise UsageError(f"Write `{usage}`, or, if these are words for the model, `%llmos -- {words}`.")
    return Call(options, words="\n".join(part for part in (words, (cell or "").strip()) if part))


def _check(action: argparse.Action, name: str, value: str) -> None:
    """Say what a value must be in a sentence; argparse would print its usage."""
    try:
        converted = action.type(value) if callable(action.type) else value
    except ValueError:
        raise UsageError(f"{name} cannot be {value!r}: it takes {_wanted(action)}.") from None
    if action.choices is not None and converted not in action.choices:
        raise UsageError(f"{name} cannot be {value!r}: it takes {_wanted(action)}.")


def _wanted(action: argparse.Action) -> str:
    if action.choices is not None:
        return "one of " + ", ".join(map(str, action.choices))
    if action.type is int:
        return "a whole number"
    return "a number" if action.type is float else "a name"


def _unknown_option(name: str, known: list[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else "`%llmos?` lists them."
    return f"There is no option {name}: {hint} (To begin a sentence with dashes, put `--` before it.)"


@magics_class
class LLMOSMagics(Magics):  # type: ignore[misc]  # IPython carries no types
    """%llmos and %%llmos."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._notebook: Notebook | None = None
        self._errors: list[tuple[int, BaseException]] = []
        self._cells: list[tuple[int, str | None]] = []

    @property
    def notebook(self) -> Notebook:
        if self._notebook is None:
            from llmos_jupyter.session.notebook import Notebook

            self._notebook = Notebook(self.shell, self._errors, self._cells)
        return self._notebook

    @magic_arguments()
    @argument(
        "--mode", choices=MODES, help="auto: keep what passes in the sandbox; ask: wait for a yes; show: never run"
    )
    @argument("--model", help="a model's name, a .gguf file, a Hugging Face repository, or auto")
    @argument("--retries", type=int, help="rounds of repair, 0 to 10 (default: as many as it takes)")
    @argument("--candidates", type=int, help="pieces of code to compare, 1 to 16 (default: as many as it takes)")
    @argument("--fresh", action="store_true", default=None, help="ask the model even if the answer is recorded")
    @argument(
        "--timeout", type=float, help="seconds for the model to write (default 600); code runs as long as it takes"
    )
    @argument("--max-tokens", type=int, help="longest answer, in tokens (default 600)")
    @argument("--temperature", type=float, help="0 always gives the likeliest answer (default 0)")
    @argument("--seed", type=int, help="repeats an answer when the temperature is above 0")
    @argument("--no-context", action="store_true", default=None, help="tell the model nothing of the notebook")
    @argument("--use", action="append", metavar="NAME", help="tell the model of this variable only (repeatable)")
    @argument(
        "-b",
        "--background",
        action="store_true",
        default=None,
        help="go on at once; what comes back appears later",
    )
    @argument("--priority", help="of a task: interactive, normal (default), low, or a number")
    @argument("--deadline", help="of a task: when it should have ended, as 90s, 10m or 2h from now")
    @argument("--after", action="append", metavar="N", help="of a task: wait until task N (or: last) has ended well")
    @argument("--cores", type=int, help="of a task: threads it may use (default 1)")
    @argument("--memory", help="of a task: what it may use at the most, as 500M or 8G")
    @argument("--gpu", type=int, metavar="N", help="of a task: GPUs it needs; the others it does not see (default 0)")
    @argument("--on", metavar="RESOURCE", help="of a task: where it runs, as workers or cluster")
    @argument("words", nargs="*", help="what you want, in your own words, or a sub-command (see %%llmos help)")
    @no_var_expand  # a brace or a dollar in a sentence is a brace or a dollar
    @line_cell_magic
    def llmos(self, line: str, cell: str | None = None) -> None:
        """Ask the model on this machine: its code is inspected, and runs in a locked copy of the kernel.

        `%llmos help` lists the sub-commands.
        """
        call = parse(line, cell, self.llmos.__func__.parser)
        if call.subcommand:
            from llmos_jupyter.session import commands

            commands.run(self.notebook, call.subcommand, call.argument)
            return
        if call.run:
            self._run(call)
            return
        if not call.words:
            raise UsageError("Write what you want in words, for example: %llmos the mean of each column of df")
        self._ask(call)

    def _run(self, call: Call) -> None:
        from llmos_jupyter.session import tasks

        if not call.words.strip():
            raise UsageError("Write the code to run below %%llmos run.")
        given = dict(call.options)
        if of_words := given.keys() - OF_TASKS:
            name = min(of_words).replace("_", "-")
            raise UsageError(f"--{name} is for words to the model, and `run` takes Python as it stands: leave it out.")
        background = given.pop("background", False)
        try:
            options = tasks.options(given)
        except ValueError as error:
            raise UsageError(str(error)) from None
        self.notebook.run(call.words, options, background=background)

    def _ask(self, call: Call) -> None:
        from pydantic import ValidationError

        from llmos_jupyter.session import tasks

        given = dict(call.options)
        background = given.get("background", False)
        if not background and (of_tasks := (OF_TASKS - {"background", "priority"}) & given.keys()):
            raise UsageError(
                f"--{min(of_tasks)} is for what runs in the background: add -b, or write `%%llmos run` and Python."
            )
        if background:
            given.setdefault("priority", "normal")
        try:
            given = tasks.in_figures(given)
        except ValueError as error:
            raise UsageError(str(error)) from None
        if given.pop("no_context", False):
            given["context"] = False
        if "use" in given:
            given["use"] = [name for item in given["use"] for name in re.split(r"[,\s]+", item) if name]
        notebook = self.notebook
        try:
            options = notebook.options(given)
        except ValidationError as error:
            first = error.errors()[0]
            name = "--" + str(first["loc"][0]).replace("_", "-")
            raise UsageError(f"{name} cannot be {first['input']!r}: {first['msg'].lower()}.") from None
        if background:
            notebook.ask(call.words, options)
        else:
            notebook.answer(call.words, options)

    # --- the shell's events -----------------------------------------------------------------

    def pre_run_cell(self, info: ExecutionInfo) -> None:
        # Plain IPython knows no cells.
        cell = (self.shell.execution_count, getattr(info, "cell_id", None))
        if self._notebook:
            self._notebook.before_cell(*cell)
        else:
            self._cells.append(cell)

    def post_run_cell(self, result: ExecutionResult) -> None:
        error = result.error_before_exec or result.error_in_exec
        count = self.shell.execution_count - 1
        if self._notebook:
            self._notebook.after_cell(count, error)
        elif error is not None:
            self._errors = [*self._errors[-9:], (count, error)]

    # --- completion -------------------------------------------------------------------------

    def complete(self, shell: InteractiveShell, event: Any) -> list[str]:
        """Completions for a line that begins with the magic: options, their values, sub-commands, names."""
        before: str = event.text_until_cursor
        words = before.split()
        # The last whole word; the one under the cursor is still being written.
        whole = words if before.endswith((" ", "\t")) else words[:-1]
        last = whole[-1] if whole else ""
        if last == "--mode":
            return list(MODES)
        if last in ("--model", "use"):
            from llmos_jupyter.engines import catalogue

            return ["auto", *(model.name for model in catalogue.models())]
        if last == "--device":
            from llmos_jupyter.system.device_names import KINDS

            return list(KINDS)
        if last == "--on":
            return ["workers", "cluster"]
        if last == "--use":
            return [name for name in shell.user_ns if not name.startswith("_") and name not in shell.user_ns_hidden]
        options = [name for name in self.llmos.__func__.parser._option_string_actions if name.startswith("--")]
        commands = list(SUBCOMMANDS) if whole == ["%llmos"] else []
        return [*options, *commands]


_QUESTION = re.compile(r"^(\s*)%llmos[ \t]+(?=[^\s?])(.*\?\s*)$")


def keep_questions(lines: list[str]) -> list[str]:
    """`%llmos what is a median?` is a question for the model; IPython would look up the object `median`."""
    if lines and lines[0].startswith("%%"):
        return lines
    return [
        _QUESTION.sub(lambda found: f"{found[1]}get_ipython().run_line_magic('llmos', {found[2].strip()!r})\n", line)
        for line in lines
    ]


def register(shell: InteractiveShell) -> None:
    """Called by `%load_ext llmos_jupyter`."""
    from llmos_jupyter.sandbox.roots import fix_roots

    fix_place(shell)
    fix_roots(shell)  # before any code can change the folder
    magics = LLMOSMagics(shell)
    shell.register_magics(magics)
    shell.events.register("pre_run_cell", magics.pre_run_cell)
    shell.events.register("post_run_cell", magics.post_run_cell)
    if keep_questions not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(keep_questions)
    for key in ("%llmos", "%%llmos"):
        shell.set_hook("complete_command", lambda shell, event: magics.complete(shell, event), str_key=key)
