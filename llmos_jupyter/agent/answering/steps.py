"""A request for which no candidate works, once more in steps: each is written, run in the sandbox and checked before
the next is written.

The model lists the steps itself, under a grammar; a list of one line means that there are none. Then it writes their
code as one reply, each step below its number, and is stopped at the next number: what stands there so far is run, and
what it made is put below it as a comment for the steps to come. All that was read and written stays in the engine's
cache. The answer is one piece of code, that of all the steps, and is committed once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from llmos_jupyter.agent.answering import line_repair
from llmos_jupyter.agent.answering.drafts import Draft
from llmos_jupyter.agent.answering.events import AgentEvent, Stepping
from llmos_jupyter.agent.answering.stream import resuming
from llmos_jupyter.agent.context import prompts
from llmos_jupyter.effects.copy.shown_result import assigned_last
from llmos_jupyter.privacy.masking import mask
from llmos_jupyter.protocol import Candidate, Message

MOST = 5
# Tokens of the list: five lines of some twenty.
LIST_TOKENS = 150
# Steps that fail are repaired so many times in one answer.
REPAIRS = 2
# All steps so far run again with each new one, so long runs wait for the last: seconds.
LONG = 5.0
# Lines that tell what a step made, and characters of one.
LINES = 3
LINE = 160
# The generations of this come behind those of the ordinary rounds.
ROUND = 20

LIST = (
    "First list the steps of the computation, in order: at most five short lines, each with what is computed and the "
    "columns that it takes. Nothing has to be imported or loaded. If it takes one step, write one line."
)
# Without it the last step of 1.5B's lists left out the form that the request asks for.
SHOW = "Show the result in the form that the request asks for."
CODE = "Now write the code of these steps in one block, each step below its number as a comment."
_NUMBERED = "".join(f'"{number}. " words (' for number in range(1, MOST + 1)).removesuffix(" (") + ")?" * (MOST - 1)
LIST_GRAMMAR = f"root ::= {_NUMBERED}\n" + r'words ::= [^`\n]+ "\n"' + "\n"

Written = Generator[AgentEvent, "bool | None", "Candidate | None"]
Tried = Generator[AgentEvent, "bool | None", None]


@dataclass(frozen=True)
class Tools:
    """What steps are made with, in one notebook and for one task.

    `write(messages, prefix, grammar, tokens, round)` has the model write a reply, which holds its prefix; `attempt`
    tries a candidate in the sandbox; `failure` says why one failed, with what the live objects say of it; `told` keeps
    the list of steps in the trace.
    """

    write: Callable[[list[Message], str, str, int | None, int], Written]
    attempt: Callable[[Draft], Tried]
    failure: Callable[[Draft], list[str]]
    told: Callable[[list[str]], None]


def in_steps(
    tools: Tools, base: list[Message], request: str, notes: Sequence[str]
) -> Generator[AgentEvent, bool | None, Draft | None]:
    """The request answered in steps; None if the model sees one step only, or one of them fails. `notes`: what was
    wrong with the answer before."""
    asking = [*base[:-1], _with(base[-1], LIST)]
    listed = yield from tools.write(asking, "", LIST_GRAMMAR, LIST_TOKENS, ROUND)
    steps = read_list(listed) if listed else []
    if len(steps) < 2:
        return None
    tools.told(steps)
    steps = [*steps, SHOW]
    told = "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
    # Behind the list: notes before it came back as steps.
    code = (
        prompts.minding(Message(role="user", content=CODE), list(notes))
        if notes
        else Message(role="user", content=CODE)
    )
    messages = [*asking, Message(role="assistant", content=told), _with(code)]
    return (yield from _Answer(tools, messages, steps, request).written())


def _with(message: Message, *more: str) -> Message:
    return message.model_copy(update={"content": mask("\n\n".join((message.content, *more)))})


def read_list(listed: Candidate) -> list[str]:
    """The steps of a numbered list; a last line that was cut off is none."""
    lines = listed.text.split("\n")
    if listed.finish != "stop":
        lines = lines[:-1]
    steps = [re.sub(r"^\s*\d+[.)]\s*", "", line).strip() for line in lines]
    return [step for step in steps if step][:MOST]


@dataclass
class _Answer:
    """The code so far: `code` as it is to be committed, `shown` the same with what is told of it to the model alone."""

    tools: Tools
    messages: list[Message]
    steps: list[str]
    request: str
    code: str = ""
    shown: str = ""
    names: frozenset[str] = frozenset()
    repairs: int = REPAIRS
    untried: bool = False
    whole: Candidate | None = None

    def written(self) -> Generator[AgentEvent, bool | None, Draft | None]:
        for number, step in enumerate(self.steps, 1):
            last = number == len(self.steps)
            yield Stepping(number, len(self.steps), step)
            heading = f"# {number}. {step}\n"
            kept = f"{self.code}\n{heading}" if self.code else heading
            grammar = step_grammar(number, last=last)
            code = yield from self._code(kept, f"{self.shown}{heading}", grammar, number, 2 * number - 1)
            if code is None:
                return None
            if self.untried and not last:
                self.code = code
                continue
            draft = yield from self._tried(code, number, last=last)
            if draft is None or last:
                return draft
        return None

    def _code(
        self, kept: str, shown: str, grammar: str, number: int, round_: int
    ) -> Generator[AgentEvent, bool | None, str | None]:
        """The code with what the model writes behind `shown`, of which `kept` stays; None if it cannot be used."""
        prefix = mask(f"```python\n{shown}")
        candidate = yield from self.tools.write(self.messages, prefix, grammar, None, ROUND + round_)
        if candidate is None or candidate.finish != "stop":
            return None
        self.whole = candidate if self.whole is None else resuming.joined(self.whole, candidate)
        body = step_part(candidate.text.removeprefix(prefix), number)
        if not body:
            return None
        self.shown = f"{shown}{body}\n"
        return f"{kept}{body}"

    def _tried(self, code: str, number: int, *, last: bool) -> Generator[AgentEvent, bool | None, Draft | None]:
        """Try the code up to this step, and once more repaired if it fails. The draft, closed unless it is the last."""
        round_ = 2 * number - 1
        while True:
            draft = yield from self._attempt(code, round_, last=last)
            if draft.works and not draft.unfinished:
                return draft
            again = yield from self._repaired(draft, number, last=last)
            if again is None:
                return None
            code, round_ = again, 2 * number

    def _attempt(self, code: str, round_: int, *, last: bool) -> Generator[AgentEvent, bool | None, Draft]:
        assert self.whole is not None
        name = "" if last else assigned_last(code)
        look = f"\n{name}" if name else ""
        candidate = self.whole.model_copy(update={"text": prompts.code_block(code)})
        # A name that the request gives to its result belongs to the last step.
        draft = Draft(candidate, code + look, True, ROUND + round_, self.request if last else "", mended=True)
        try:
            yield from self.tools.attempt(draft)
        except BaseException:
            _close(draft)
            raise
        draft.code = draft.code.removesuffix(look) if look else draft.code
        if not last or not draft.works or draft.unfinished:
            _close(draft)
        if draft.rehearsal is not None and draft.works:
            self.untried = draft.rehearsal.status != "passed" or draft.rehearsal.seconds > LONG
            if draft.code != code:  # mended
                self.shown = f"{draft.code}\n"
            self.code = draft.code
            self.shown += self._made(draft)
        return draft

    def _made(self, draft: Draft) -> str:
        """What the last step has made and shown, as comments."""
        assert draft.rehearsal is not None
        new = [change for change in draft.rehearsal.changes if change.type and change.name not in self.names]
        self.names |= {change.name for change in new}
        made = ", ".join(f"{change.name}: {change.type}" for change in new)
        lines = [*([made] if made else []), *draft.rehearsal.output.rstrip().split("\n")]
        return "".join(f"#    {prompts.plain(line)[:LINE]}\n" for line in lines[:LINES] if line.strip())

    def _repaired(self, draft: Draft, number: int, *, last: bool) -> Generator[AgentEvent, bool | None, str | None]:
        """The failed code, gone on with from before its failing line; None if that cannot be, or was done before."""
        if not self.repairs or draft.failing_line is None:
            return None
        self.repairs -= 1
        part = line_repair.sound_part(draft.code, draft.failing_line)
        line = line_repair.failing_line(draft.code, part)
        shown = line_repair.opened(part, line, self.tools.failure(draft)).removeprefix("```python\n")
        grammar = line_repair.another_line(line, end=_end(number, last=last))
        return (yield from self._code(f"{part}\n" if part else "", shown, grammar, number, 2 * number))


def step_grammar(number: int, *, last: bool) -> str:
    """A grammar for the code of one step: comments of its own would look like the next one's beginning."""
    return (
        f"root ::= first line* {_end(number, last=last)}\n"
        + r'first ::= [^`#\n] [^\n]* "\n"'
        + f"\n{line_repair.STATEMENTS}"
    )


def _end(number: int, *, last: bool) -> str:
    return '"```"' if last else f'("```" | {json.dumps(f"# {number + 1}.")})'


def step_part(text: str, number: int) -> str:
    """What belongs to one step of what the model wrote: up to the end of the block, or the next step's number."""
    ended = re.search(rf"^(?:[ \t]*```|#[ \t]*{number + 1}\.)", text, re.MULTILINE)
    return (text[: ended.start()] if ended else text).rstrip()


def _close(draft: Draft) -> None:
    if draft.ran is not None:
        draft.ran.close()
