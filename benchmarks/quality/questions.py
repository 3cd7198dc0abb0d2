"""Questions that nobody of the project wrote: read from a folder that is given, none of them kept here.

`tables` (tables_qa): questions about a CSV table with closed answers, graded by what a cell shows. `pandas`
(pandas_numpy): unfinished code whose last comment says what comes next, graded by asserts. What a question is about is
the notebook so far (`setup`), and what is asked is a request in words.
"""

from __future__ import annotations

import io
import json
import random
import re
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

SetName = Literal["tables", "pandas"]
SETS: tuple[SetName, ...] = ("tables", "pandas")
SEED = 7
# Of a sample, a question about a table takes about twice the time of one of the others.
PANDAS_FOR_A_TABLE = 2


@dataclass(frozen=True)
class Closed:
    """Right if the cell shows each name with its value, as `@name[value]`."""

    answers: dict[str, str]


@dataclass(frozen=True)
class Asserts:
    """Right if this code runs to its end in the namespace that the answer left.

    `reference` is an answer that should be right.
    """

    test: str
    call: str
    reference: str

    @property
    def code(self) -> str:
        return f"{self.test.strip()}\n\n{self.call}"


@dataclass(frozen=True)
class Question:
    """`setup` is the notebook's first cell, and finds `files` beside it."""

    id: str
    set: SetName
    setup: str
    request: str
    grading: Closed | Asserts
    files: tuple[Path, ...] = ()


def load(folder: Path, wanted: Sequence[SetName] = SETS) -> list[Question]:
    """The questions of these sets in their files' order. Raises FileNotFoundError where a set is missing."""
    questions: list[Question] = []
    if "tables" in wanted:
        place = folder / "tables_qa"
        questions += [_about_table(line, place / "tables") for line in _lines(place / "questions.jsonl")]
    if "pandas" in wanted:
        questions += [_unfinished(line) for line in _lines(folder / "pandas_numpy" / "tasks.jsonl")]
    return questions


def ordered(questions: Sequence[Question], seed: int = SEED) -> list[Question]:
    """The same shuffled order for every way and model, one question of a table and two others in turn, so that what
    was answered in a limited time can be compared."""
    piles: dict[SetName, list[Question]] = {name: [one for one in questions if one.set == name] for name in SETS}
    for pile in piles.values():
        random.Random(seed).shuffle(pile)
    order: list[Question] = []
    while any(piles.values()):
        for name in SETS:
            count = 1 if name == "tables" else PANDAS_FOR_A_TABLE
            order += piles[name][:count]
            del piles[name][:count]
    return order


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


# --- tables -----------------------------------------------------------------------------------


def _about_table(line: dict[str, Any], tables: Path) -> Question:
    name = line["file_name"]
    parts = [line["question"], line["constraints"], f"Print the answer exactly in this format: {line['format']}"]
    return Question(
        f"tables-{line['id']}",
        "tables",
        f"import pandas as pd\ndf = pd.read_csv({name!r})",
        "\n".join(part.strip() for part in parts if part.strip()),
        Closed({key: str(value) for key, value in line["answers"].items()}),
        (tables / name,),
    )


# --- unfinished code --------------------------------------------------------------------------


@dataclass(frozen=True)
class Split:
    """Unfinished code as a cell that has run and a request. `begun`: how what is asked for begins, as code."""

    setup: str
    request: str
    begun: str


def _unfinished(line: dict[str, Any]) -> Question:
    function = "" if line["entry_point"] == "none" else line["entry_point"]
    prompt = line["prompt"]
    split = split_function(prompt, function) if function else split_cell(prompt)
    solutions = line["canonical_solution"]
    solution = solutions if isinstance(solutions, str) else solutions[0]
    grading = Asserts(line["test"], f"check({function})", split.begun + solution)
    return Question(line["task_id"], "pandas", split.setup, split.request, grading)


def split_function(prompt: str, name: str) -> Split:
    """Code that ends in a function's beginning: what stands before the last `def` of that name has run.

    Raises ValueError if no such function begins at the left margin.
    """
    found = list(re.finditer(rf"^def {re.escape(name)}\b", prompt, re.MULTILINE))
    if not found:
        raise ValueError(f"no function {name} begins here: {prompt[-200:]!r}")
    at = found[-1].start()
    begun = prompt[at:]
    return Split(prompt[:at].strip("\n"), f"Write this function completely:\n{begun.rstrip()}", begun)


# The left side of an assignment that has no right side yet, or a name that stands alone where the code ends.
_TARGET = re.compile(r"^(?P<target>[^\s#].*?)[ \t]*(?<![=!<>])=$")
_NAME = re.compile(r"^[A-Za-z_]\w*$")


def split_cell(prompt: str) -> Split:
    """Code whose last comment says what comes next. All that is finished, before and behind the comment, has run."""
    lines = prompt.split("\n")
    last = _last_comment(prompt)
    if not last:
        raise ValueError(f"no comment says what is wanted: {prompt[-200:]!r}")
    begins, ends = last[0], last[-1] + 1
    words = [re.sub(r"^(?:#+[ \t]?)+", "", lines[number].strip()).strip() for number in last]
    behind, begun = lines[ends:], ""
    while behind and not behind[-1].strip():
        behind.pop()
    if behind and (target := _target(behind[-1].rstrip())):
        words.append(f"Put the result into {target}.")
        begun = prompt[prompt.rindex(behind.pop()) :]  # with all spaces at its end
    setup = "\n".join([*lines[:begins], *behind]).strip("\n")
    return Split(setup, "\n".join(word for word in words if word), begun)


def _target(line: str) -> str:
    """What an unfinished last line assigns to; empty if it is a finished one."""
    assigned = _TARGET.match(line)
    return assigned["target"] if assigned else line if _NAME.match(line) else ""


def _last_comment(code: str) -> list[int]:
    """The lines (from 0) of the last block of comments that stand on lines of their own; empty lines do not end it."""
    lines = code.split("\n")
    alone: list[int] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type == tokenize.COMMENT and not token.line[: token.start[1]].strip():
                alone.append(token.start[0] - 1)
    except (tokenize.TokenError, SyntaxError):
        pass  # unfinished, as expected
    block = alone[-1:]
    for number in reversed(alone[:-1]):
        if any(line.strip() for line in lines[number + 1 : block[0]]):
            break
        block.insert(0, number)
    return block
