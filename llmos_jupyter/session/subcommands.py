"""The sub-commands of %llmos: one table, from which reading a line, completion, dispatch and help are derived.

A new one is a row here and a function of its name in `commands`. Imports nothing heavy: `%load_ext` must be quick.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TASK = r"\d{1,9}"
_MAYBE_TASK = rf"({_TASK})?"
_COUNT = r"([1-9]\d{0,8})?"
_CAPABILITY = r"read|write|network|process(es)?|install"


@dataclass(frozen=True)
class Subcommand:
    """`argument`: what must follow the name, as a regular expression, for a line to be this sub-command and no request;
    `usage`: the same for people; `help`: what it does."""

    name: str
    argument: str
    usage: str
    help: str

    def takes(self, tail: str) -> bool:
        """Whether what follows the name makes the line this sub-command."""
        return re.fullmatch(self.argument, tail) is not None

    def meant(self, tail: str) -> bool:
        """Whether the line can hardly be a request in words: nothing follows the name, or no letter, or one word where
        the sub-command takes one."""
        return not any(map(str.isalpha, tail)) or (self.argument != "" and len(tail.split()) == 1)


_TABLE = (
    Subcommand("status", "", "", "the daemon, its engine, what is running"),
    Subcommand("models", "", "", "the models there are, and which fit this machine"),
    # The path of a file or folder may hold blanks.
    Subcommand(
        "use",
        r"\S+(\s+--(device(=|\s+)\S+|(un)?pin))*|[/~.]\S.*",
        "NAME",
        "use this model in this notebook (auto: let llmos choose);\na server elsewhere: http://host:8000/v1#model;\n"
        "--device cpu: compute it there; --pin: keep it loaded (--unpin: no longer)",
    ),
    Subcommand("history", _COUNT, "[N]", "the last N requests of this notebook"),
    Subcommand("code", _MAYBE_TASK, "[N]", "the code of request N (default: the last) into the next cell"),
    Subcommand("why", _MAYBE_TASK, "[N]", "the whole trace of request N: what was sent, came back, was found, ran"),
    Subcommand("cancel", _MAYBE_TASK, "[N]", "cancel request N, or all that are running"),
    Subcommand("queue", "", "", "the tasks of all notebooks that wait or run, and why"),
    Subcommand("dashboard", "", "", "tasks, utilisation and schedule as they are, live"),
    Subcommand("resources", "", "", "what there is to run on, and how much of it is taken"),
    Subcommand("learned", "", "", "what was learned of durations and success, and how good the predictions are"),
    Subcommand("trace", r"\S+\.json", "FILE.json", "what ran where and when, for ui.perfetto.dev"),
    Subcommand("wait", _MAYBE_TASK, "[N]", "wait for task N (default: all of this notebook)"),
    Subcommand("result", _TASK, "N", "show again what task N showed"),
    Subcommand("retry", _TASK, "N", "run task N once more"),
    Subcommand("pause", _TASK, "N", "let task N stand still, or wait on"),
    Subcommand("resume", _TASK, "N", "let a paused task go on"),
    Subcommand("priority", rf"{_TASK}\s+\S+", "N low", "give a task that waits another priority"),
    Subcommand(
        "allow",
        rf"({_CAPABILITY})\b.*|\S+",
        "WHAT",
        "let answers do more without asking: write data/, read ~/survey, network,\n"
        "processes, install packages; with `for this answer` behind it: once",
    ),
    Subcommand("allowed", "", "", "what answers may do without asking"),
    Subcommand("revoke", rf"(all|{_CAPABILITY})\b.*|\S+", "WHAT", "take a grant back (all: every one)"),
    Subcommand("undo", _MAYBE_TASK, "[N]", "take back what the last answer did; again: the one before"),
    Subcommand(
        "feedback",
        rf"(up|down|none)(\s+{_TASK})?",
        "up [N]",
        "request N was answered well (down: badly; none: take it back)",
    ),
    Subcommand(
        "replay",
        r"(status|clear)",
        "status",
        "which requests of this notebook are answered without asking the model\n(clear: forget the recorded answers)",
    ),
    Subcommand(
        "trust",
        r"\"[^\"]+\"|'[^']+'|\S+\.(json|ipynb)",
        "FILE",
        "let the answers that somebody else recorded in FILE run as if you had",
    ),
    Subcommand("forget", "", "", "remove this notebook's history from the database"),
    Subcommand("doctor", "", "", "check that everything works, with remedies"),
    Subcommand("config", r"(\w+\s*=\s*\S.*)?", "[KEY=VALUE]", "show or change your settings"),
    Subcommand("help", "", "", "this page; `%llmos?` describes the options"),
)
SUBCOMMANDS = {subcommand.name: subcommand for subcommand in _TABLE}

_REQUESTS = (
    ("%%llmos [options]", "the cell's text goes to the model; its code runs in a sandbox, and what it did comes here"),
    ("%llmos [options] words", "the same for one line"),
    ("%%llmos -b [options]", "answer in the background, while you go on"),
    ("%%llmos run [options]", "the cell is Python and runs as a task in a process of its own; -b: in the background"),
)
_END = """
A sentence that begins with a sub-command's name reaches the model when more words follow
(`%llmos why is the mean so high`). Where it could be either, write it in a %%llmos cell or after two
dashes: `%llmos -- status`."""


def help_text() -> str:
    """What `%llmos help` prints."""
    rows = [*_REQUESTS, *((f"%llmos {each.name} {each.usage}".rstrip(), each.help) for each in _TABLE)]
    width = max(len(usage) for usage, _ in rows) + 2
    lines = [usage.ljust(width) + text.replace("\n", "\n" + " " * width) for usage, text in rows]
    return "\n".join([*lines, _END])
