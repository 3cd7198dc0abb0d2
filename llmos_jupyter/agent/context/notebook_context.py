"""What the model is told of the notebook, within a budget of tokens, and laid out so that the engine's cache holds.

A prompt only ever grows at its end: the fixed opening, then for each request what had changed since the one before,
the request, and its final code. When it outgrows the budget it is begun anew from the live namespace, keeping the
last few requests.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llmos_jupyter.agent.context import cells, prompts
from llmos_jupyter.agent.context.budget import characters_that_fit, cut, fits, fitted, tokens
from llmos_jupyter.agent.context.kept import KeptAnswers
from llmos_jupyter.agent.context.relevance import names_in
from llmos_jupyter.agent.describe.secret_values import secrets_in
from llmos_jupyter.agent.describe.variables import (
    describe_columns,
    describe_imports,
    describe_variable,
    is_table,
    speaks_of,
    user_variables,
)
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.privacy.masking import mask, remember
from llmos_jupyter.protocol import Message

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

# Characters of one variable's description; a frame with 15 columns needs about 900.
DESCRIPTION = 900
# Characters of what is told of an unchanged table's columns because the request speaks of them, and of how many tables.
COLUMNS = 500
TABLES = 4
# Characters of one cell's source; how many cells back are told.
CELL = 500
CELLS = 4
# Tokens that a description of the whole notebook may take when a prompt is begun anew: at the 43 tokens/s at which a
# 1.5B model reads on two cores, a thousand are 23 s of waiting.
FRESH = 1000
# Requests that survive when a prompt is begun anew.
KEPT = 3
# Characters of what an answer showed; more of it stands in variables.
SHOWN = 300
# Seconds spent on looking at variables before one request.
LOOKING = 0.5


@dataclass
class Turn:
    """One request as it stands in the prompt: its message, and what it told of the notebook.

    `described`: each variable as it is without regard to the request, to know what changes; `told`: all that the prompt
    then says of it since it last changed; `shortened`: the names of which that is not the whole.
    """

    message: Message
    request: str
    described: dict[str, str] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    shortened: frozenset[str] = frozenset()
    imports: list[str] = field(default_factory=list)
    cells: int = 0
    passing: bool = False


class NotebookContext:
    """The prompt of one notebook, and what the model already knows of it."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._errors: dict[int, str] = {}
        self._runs: dict[str, int] = {}
        self._reruns: dict[int, int] = {}
        self._news: list[str] = []
        self._kept: KeptAnswers | None = None
        self._leaves = False
        self._begin()

    def _begin(self) -> None:
        self._messages = prompts.opening()
        self._described: dict[str, str] = {}
        self._told: dict[str, str] = {}
        self._shortened: frozenset[str] = frozenset()
        self._imports: list[str] = []
        self._cells = 0
        self._answers: list[tuple[str, str]] = []

    def note_error(self, execution_count: int, error: BaseException) -> None:
        """A cell of the user's raised: the model is told, in case the next request is about it."""
        try:
            said = f"{type(error).__name__}: {error}"
        except Exception:  # the exception is the user's: its text may do anything
            said = type(error).__name__
        self._errors[execution_count] = said[:300]

    def use_kept(self, kept: KeptAnswers | None, *, leaves: bool = False) -> None:
        """Tell examples out of the user's own kept answers from now on, or none. `leaves`: whether the prompt leaves
        this machine."""
        self._kept, self._leaves = kept, leaves

    def note_secrets(self) -> None:
        """From now on the secrets that the notebook's objects hold are masked, wherever they stand."""
        remember(secrets_in(self._shell.user_ns))

    def messages(self) -> list[Message]:
        return list(self._messages)

    def compose(self, request: str, budget: int, *, context: bool = True, use: Collection[str] = ()) -> Turn:
        """The next turn of the prompt. `budget` is in tokens, for the prompt as a whole.

        Raises LLMOSError if the request alone is longer than that, or a name in `use` does not exist.
        """
        self.note_secrets()
        room = budget - tokens(prompts.opening()) - 50
        need = prompts.estimate_tokens(request)
        if need > room:
            raise LLMOSError(
                f"The request is {len(request):,} characters long and about "
                f"{characters_that_fit(request, room, need):,} fit: "
                "put the data into a variable or a file, and ask about that."
            )
        request = mask(request)
        if not context or use:
            chosen = self._chosen(use, request) if use else {}
            notebook = "\n".join(fitted(list(chosen.values()), room - need))
            return Turn(prompts.request_message(notebook, request), request, passing=True)
        example = self._example(request, (room - need) // 2)
        need += prompts.estimate_tokens(example) if example else 0
        turn = self._turn(request, room - need, example)
        if tokens([*self._messages, turn.message]) > budget:
            self._compact()
            turn = self._turn(request, room - need - tokens(self._messages) + tokens(prompts.opening()), example)
        return turn

    def _example(self, request: str, room: int) -> str:
        """A kept answer to a request like this one; empty where none is, and while a prompt is only made warm."""
        if self._kept is None or not request.strip():
            return ""
        return self._kept.example(request, room, [asked for asked, _ in self._answers], leaves=self._leaves)

    def prompt(self, turn: Turn) -> list[Message]:
        """All messages to send for a turn."""
        return [*(prompts.opening() if turn.passing else self._messages), turn.message]

    def commit(self, turn: Turn, reply: str, shown: str = "") -> None:
        """The turn was answered with this text, and running it showed that: both become part of the prompt."""
        self.note_secrets()  # what ran may have made some
        reply = mask(reply)
        self._answers.append((turn.request, reply))
        self._news = []
        if shown.strip():
            self._news.append(f"That showed:\n{cut(mask(shown.strip()), SHOWN)}")
        if turn.passing:
            return
        self._messages += [turn.message, Message(role="assistant", content=reply)]
        self._described = turn.described
        self._told = turn.told
        self._shortened = turn.shortened
        self._imports = turn.imports
        self._cells = turn.cells

    @property
    def answers(self) -> list[str]:
        """The code or words of the answers so far, in order."""
        return [_code(reply) or reply for _, reply in self._answers]

    def note(self, sentence: str) -> None:
        """Something the next request must know: that an answer was undone, say."""
        self._news.append(sentence)

    def is_edit(self, execution_count: int) -> bool:
        """Whether the cell of this number is the user's own version of the last answer's code."""
        sources: list[str] = list(self._shell.user_ns.get("In", []))
        source = sources[execution_count].strip() if 0 < execution_count < len(sources) else ""
        return bool(source and self._answers) and _is_edit(source, _code(self._answers[-1][1]))

    def own_cells(self) -> list[str]:
        """The sources of the cells that the user has run, without requests."""
        sources: list[str] = list(self._shell.user_ns.get("In", []))[:-1]
        return [source for source in sources if "llmos" not in source.partition("\n")[0]]

    def note_cell(self, execution_count: int, cell_id: str | None) -> None:
        """Which of the notebook's cells an execution was: one that is run again takes the place of its earlier run."""
        if cell_id:
            earlier = self._runs.get(cell_id)
            self._runs[cell_id] = execution_count
            if earlier is not None:
                self._reruns[execution_count] = earlier

    def speaks_of_data(self, request: str) -> bool:
        """Whether a request names a table of the notebook, or a column of one word for word."""
        variables = user_variables(self._shell.user_ns, self._shell.user_ns_hidden)
        tables = {name: value for name, value in variables.items() if is_table(value)}
        return bool(names_in(list(tables), request)) or any(speaks_of(request, value)[0] for value in tables.values())

    def _chosen(self, names: Collection[str], request: str) -> dict[str, str]:
        missing = [name for name in names if name not in self._shell.user_ns]
        if missing:
            raise LLMOSError(f"There is no variable {missing[0]}: --use takes names that exist in this notebook.")
        return {
            name: describe_variable(name, self._shell.user_ns[name], max_chars=DESCRIPTION, request=request)
            for name in names
        }

    def _turn(self, request: str, room: int, example: str = "") -> Turn:
        described = self._describe(request)
        imports = describe_imports(self._shell.user_ns)
        new_cells, last = self._new_cells(described)
        parts = [*self._news, *new_cells]
        new_imports = [line for line in imports if line not in self._imports]
        if new_imports:
            parts.append("Already imported: " + "; ".join(new_imports))
        deadline = time.monotonic() + LOOKING
        whole, columns = self._sayings(request, described, deadline)
        # What is told again stands last: a small model takes what is nearest to the request.
        sayings = {name: whole[name] for name in described if name in whole}
        sayings |= {name: columns[name] for name in described if name in columns and name not in whole}
        places = {name: len(parts) + i for i, name in enumerate(sayings)}
        parts += sayings.values()
        gone = [name for name in self._described if name not in described]
        if gone:
            parts.append("Deleted: " + ", ".join(gone))
        room = min(room, FRESH)
        first: list[int] = []
        if not fits(parts, room):
            names = list(sayings)
            spoken = dict.fromkeys([*names_in(names, request), *self._by_columns(request, names, deadline)])
            first = [places[name] for name in spoken]
        shown = fitted(parts, room, first)
        for name in columns:
            if shown[places[name]] != columns[name]:  # its first words say nothing
                shown[places[name]] = ""
        notebook = mask("\n".join(part for part in shown if part))
        told = self._told_with(described, {name: shown[place] for name, place in places.items()})
        shortened = {name for name in self._shortened if name in described and name not in whole}
        shortened |= {name for name, text in whole.items() if shown[places[name]] != text}
        # Behind the news, which the engine may have read already.
        message = prompts.request_message("\n\n".join(part for part in (notebook, example) if part), request)
        return Turn(message, request, described, told, frozenset(shortened), imports, last)

    def _sayings(
        self, request: str, described: dict[str, str], deadline: float
    ) -> tuple[dict[str, str], dict[str, str]]:
        """The variables to be told whole now, and those of which only columns are told that the request speaks of.

        Whole: what changed, and what is named and was not told whole for want of room; of a wide table the columns of
        the request come first. Columns: of what the prompt says already, but not of these; of a table that is named
        its first line at least.
        """
        named = names_in(list(described), request)
        whole: dict[str, str] = {}
        for name, text in described.items():
            if self._described.get(name) != text or (name in self._shortened and name in named):
                value = self._shell.user_ns[name]
                timely = time.monotonic() < deadline
                if timely and describe_columns(name, value, request, current=text, max_chars=COLUMNS):
                    text = describe_variable(name, value, max_chars=DESCRIPTION, request=request)
                whole[name] = text
        # Where the request names a table, it does not speak of the others' columns of the same name.
        tables = [name for name in named if is_table(self._shell.user_ns[name])]
        known = [name for name in tables or described if name not in whole]
        columns: dict[str, str] = {}
        for name in self._by_columns(request, known, deadline)[:TABLES]:
            # What stands in the description still holds, for it did not change; of other columns nobody knows.
            current = "" if name in self._shortened else described[name]
            told, value = self._told.get(name, ""), self._shell.user_ns[name]
            if lines := describe_columns(name, value, request, current=current, told=told, max_chars=COLUMNS):
                columns[name] = lines
        for name in tables:
            # A reminder: without one the model took its last answer for the table that the request names.
            if name in described and name not in whole:
                columns.setdefault(name, described[name].split("\n", 1)[0])
        return whole, columns

    def _by_columns(self, request: str, names: list[str], deadline: float) -> list[str]:
        """The tables with columns that the request speaks of, the most clearly and the newest first; where it writes
        one to the letter, those alone that have such."""
        scores: dict[str, tuple[bool, float]] = {}
        for name in reversed(names):
            if time.monotonic() > deadline:
                break
            score = speaks_of(request, self._shell.user_ns[name])
            if score > (False, 0.0):
                scores[name] = score
        exact = any(score[0] for score in scores.values())
        return sorted(
            (name for name in scores if scores[name][0] or not exact), key=lambda name: scores[name], reverse=True
        )

    def _told_with(self, described: dict[str, str], now: dict[str, str]) -> dict[str, str]:
        """What the prompt says of each variable since it last changed, once these texts stand in it."""
        return {
            name: "\n".join(
                part
                for part in (self._told.get(name) if self._described.get(name) == text else "", now.get(name))
                if part
            )
            for name, text in described.items()
        }

    def _describe(self, request: str) -> dict[str, str]:
        variables = user_variables(self._shell.user_ns, self._shell.user_ns_hidden)
        deadline = time.monotonic() + LOOKING
        described: dict[str, str] = {}
        # What the request names and the newest first, in case time runs out; told in the order of their definition.
        for name in dict.fromkeys([*names_in(list(variables), request), *reversed(variables)]):
            value = variables[name]
            if time.monotonic() > deadline:
                described[name] = self._described.get(name) or f"{name}: {type(value).__name__}"
            else:
                described[name] = describe_variable(name, value, max_chars=DESCRIPTION)
        return {name: described[name] for name in variables if described[name]}

    def _new_cells(self, described: Collection[str]) -> tuple[list[str], int]:
        """The sources of the user's own cells since the last request, newest last, with their errors; without the data
        of variables that are described."""
        sources: list[str] = list(self._shell.user_ns.get("In", []))
        last = len(sources)
        told = []
        for number in range(max(self._cells, 1), last):
            source = sources[number].strip()
            error = self._errors.get(number)
            running = number == self._shell.execution_count and number == last - 1
            if running or not source or "llmos" in source.split("\n", 1)[0]:
                continue
            head = self._head(number, source, sources)
            if not error and not (source := cells.told(source, described)):
                continue
            told.append(f"{head}\n{cut(source, CELL)}")
            if error:
                told[-1] += f"\nIt raised {error}"
        return told[-CELLS:], last

    def _head(self, number: int, source: str, sources: list[str]) -> str:
        """What a cell is to the conversation: the user's version of our code is the truth from then on."""
        if self._answers and _is_edit(source, _code(self._answers[-1][1])):
            return "Cell, the user's own version of your last code; go on from this one:"
        earlier = self._reruns.get(number)
        if earlier is not None and earlier < len(sources):
            if sources[earlier].strip() == source:
                return "Cell, run again:"
            return "Cell, changed by the user; forget its earlier version:"
        return "Cell:"

    def _compact(self) -> None:
        """Begin the prompt anew with the last few requests; the namespace is described afresh with the next turn."""
        answers, told = self._answers[-KEPT:], self._cells
        self._begin()
        self._answers, self._cells = answers, max(told, 0)
        for request, reply in answers:
            self._messages += [
                prompts.request_message("", cut(request, CELL)),
                Message(role="assistant", content=cut(reply, 4 * CELL)),
            ]


def _code(reply: str) -> str:
    read = prompts.read_reply(reply)
    return read.text if read.kind == "code" else ""


def _is_edit(source: str, code: str) -> bool:
    """Whether a cell is our code with changes, and not merely like it."""
    if not code or source == code.strip():
        return False
    return difflib.SequenceMatcher(None, source[:2000], code[:2000], autojunk=False).ratio() > 0.75
