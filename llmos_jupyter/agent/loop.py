"""The agent loop: generate, inspect, rehearse, repair, and only then run. A generator of typed events.

Everything before the real run leaves the user's namespace untouched, so it can be interrupted, or fail, at any point.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llmos_jupyter.agent import prompts
from llmos_jupyter.agent.context import NotebookContext, Turn
from llmos_jupyter.agent.events import (
    Accepted,
    AgentEvent,
    GaveUp,
    Inspected,
    Question,
    Ran,
    Rehearsed,
    Rehearsing,
    Repairing,
    Running,
    Shown,
    Waiting,
    Words,
    Writing,
    Written,
)
from llmos_jupyter.agent.execution import execute
from llmos_jupyter.agent.inspection import column_hints, inspect
from llmos_jupyter.agent.rehearsal import rehearse
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import (
    Candidate,
    Capability,
    DecisionRecord,
    ErrorReport,
    Finding,
    Finish,
    Generation,
    InspectionRecord,
    Message,
    Options,
    Record,
    Rehearsal,
    RehearsalRecord,
    Request,
    RunRecord,
    Session,
    Task,
)

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

# Reading files is part of looking at data; everything else outside the namespace wants a yes.
GRANTED = frozenset({Capability.READ_FILES})

Steps = Generator[AgentEvent, "bool | None", None]


class CancelledElsewhere(Exception):
    """Another client cancelled this request."""


@dataclass
class Draft:
    """One candidate's code and what is known of it."""

    reply: str
    code: str
    complete: bool
    findings: list[Finding] = field(default_factory=list)
    rehearsal: Rehearsal | None = None

    @property
    def error(self) -> ErrorReport | None:
        return self.rehearsal.error if self.rehearsal else None

    @property
    def problems(self) -> list[str]:
        return [finding.message for finding in self.findings if finding.severity == "error"]

    @property
    def signature(self) -> tuple[object, ...]:
        """What makes two failures the same failure."""
        said = (self.error.type, self.error.message) if self.error else tuple(self.problems)
        return (*said, self.rehearsal.status if self.rehearsal else "")


class Loop:
    """Answers requests in one notebook."""

    def __init__(
        self,
        shell: InteractiveShell,
        client: DaemonClient,
        context: NotebookContext,
        session: Session,
        *,
        rehearsal_budget: float,
    ) -> None:
        self._shell = shell
        self._client = client
        self._context = context
        self._session = session
        self._budget = rehearsal_budget

    def answer(self, text: str, options: Options, context_tokens: int) -> Steps:
        """Answer one request. Closing the generator, or an exception in it, ends the task as cancelled or failed."""
        deadline = time.monotonic() + options.timeout
        room = max(context_tokens - options.max_tokens - 100, 256)
        turn = self._context.compose(text, room, context=options.context, use=options.use)
        request = Request(id=uuid.uuid4().hex, text=text, options=options, session=self._session)
        task = self._client.submit(request)
        finish = Finish(state="cancelled", reason="interrupted")
        try:
            yield Accepted(task)
            finish = yield from self._answer(task, turn, options, deadline)
        except CancelledElsewhere as cancelled:
            finish = Finish(state="cancelled", reason=str(cancelled))
            raise LLMOSError(f"This request was {cancelled}.") from None
        except LLMOSError as error:
            finish = Finish(state="failed", reason=str(error))
            raise
        except Exception as error:
            finish = Finish(state="failed", reason=f"{type(error).__name__}: {error}"[:500])
            raise
        finally:
            self._client.finish(task.id, finish)

    def _answer(
        self, task: Task, turn: Turn, options: Options, deadline: float
    ) -> Generator[AgentEvent, bool | None, Finish]:
        base = self._context.prompt(turn)
        messages = base
        failures: list[Draft] = []
        for round_ in range(options.retries + 1):
            candidate = yield from self._generate(task, messages, options, round_, deadline)
            reply = prompts.read_reply(candidate.text)
            if reply.kind == "words":
                yield Written(candidate, "")
                yield Words(reply.text, candidate.finish != "length")
                self._context.commit(turn, reply.text)
                return Finish(state="done", reason="answered in words")
            if reply.kind == "nothing" and not failures:
                raise LLMOSError(_nothing(candidate, options))
            draft = Draft(candidate.text, reply.text, reply.complete)
            yield Written(candidate, draft.code)
            if candidate.finish == "length":
                message = f"The answer was longer than {options.max_tokens} tokens: raise --max-tokens or ask for less."
                yield GaveUp(message, draft.code)
                return Finish(state="failed", reason=message)
            yield from self._try(task, draft, round_, deadline)
            if _works(draft):
                return (yield from self._use(task, turn, draft, options, round_, len(failures)))
            why = _why(draft)
            repeated = any(old.code == draft.code or old.signature == draft.signature for old in failures)
            failures.append(draft)
            if round_ == options.retries or repeated:
                break
            yield Repairing(round_ + 1, options.retries, why)
            problems = draft.problems + self._hints(draft)
            self._record(task, DecisionRecord(round=round_, decision="repair", why=why))
            messages = [
                *base,
                Message(role="assistant", content=draft.reply if draft.complete else prompts.code_block(draft.code)),
                prompts.repair_message(draft.error, problems),
            ]
        return (yield from self._give_up(task, failures[-1], len(failures)))

    # --- one candidate ----------------------------------------------------------------------

    def _generate(
        self, task: Task, messages: list[Message], options: Options, round_: int, deadline: float
    ) -> Generator[AgentEvent, bool | None, Candidate]:
        generation = Generation(
            round=round_,
            messages=messages,
            model=options.model,
            max_tokens=options.max_tokens,
            temperature=options.temperature,
            seed=options.seed,
            grammar=prompts.GRAMMAR,
        )
        text = ""
        with closing(self._client.generate(task.id, generation, deadline=deadline)) as items:
            for item in items:
                if item.type == "token":
                    text += item.text
                    yield Writing(text)
                elif item.type == "progress":
                    if item.phase == "restarting":
                        text = ""
                    yield Waiting(item)
                elif item.type == "failure":
                    raise LLMOSError(item.message)
                elif item.type == "cancelled":
                    raise CancelledElsewhere(item.reason)
                else:
                    return item.candidate
        raise LLMOSError("The answer ended without a word: ask again.")

    def _try(self, task: Task, draft: Draft, round_: int, deadline: float) -> Steps:
        """Inspect, then rehearse. What is not even Python is not rehearsed."""
        draft.findings = inspect(draft.code, self._shell.user_ns, transform=self._shell.transform_cell)
        self._record(task, InspectionRecord(round=round_, code=draft.code, findings=draft.findings))
        yield Inspected(draft.findings)
        if any(finding.kind == "syntax" for finding in draft.findings):
            return
        yield Rehearsing()
        budget = max(0.1, min(self._budget, deadline - time.monotonic()))
        draft.rehearsal = rehearse(draft.code, self._shell, budget_seconds=budget)
        self._record(task, RehearsalRecord(round=round_, code=draft.code, rehearsal=draft.rehearsal))
        yield Rehearsed(draft.rehearsal)

    def _hints(self, draft: Draft) -> list[str]:
        if not draft.error:
            reason = draft.rehearsal.reason if draft.rehearsal else ""
            return [reason] if reason else []
        return column_hints(draft.error.type, draft.error.message, self._shell.user_ns, draft.code)

    # --- what becomes of it -----------------------------------------------------------------

    def _use(
        self, task: Task, turn: Turn, draft: Draft, options: Options, round_: int, failed: int
    ) -> Generator[AgentEvent, bool | None, Finish]:
        """Run the candidate, or ask, or show it: as the mode and what it reaches for demand."""
        reply = draft.reply if not failed and draft.complete else prompts.code_block(draft.code)
        if options.mode == "show":
            return (yield from self._show(task, turn, draft, reply, round_, "show mode never runs code"))
        why = _needs_yes(draft)
        if why or options.mode == "ask":
            allowed = yield Question(draft.code, why)
            if allowed is None:
                why = why or "ask mode"
                return (yield from self._show(task, turn, draft, reply, round_, f"nobody could be asked ({why})"))
            decision = "approved" if allowed else "refused"
            self._record(task, DecisionRecord(round=round_, decision=decision, why=why or "ask mode"))
            if not allowed:
                return (yield from self._show(task, turn, draft, reply, round_, "you said no"))
        yield Running(draft.code)
        foreseen = draft.rehearsal.changes if draft.rehearsal else []
        run = execute(draft.code, self._shell, foreseen)
        self._record(task, RunRecord(round=round_, code=draft.code, run=run))
        yield Ran(draft.code, run)
        if run.status == "interrupted":
            return Finish(state="cancelled", reason="interrupted while it ran")
        self._context.commit(turn, reply)
        if run.error:
            return Finish(state="failed", reason=f"{run.error.type}: {run.error.message}"[:500])
        return Finish(state="done")

    def _show(
        self, task: Task, turn: Turn, draft: Draft, reply: str, round_: int, why: str
    ) -> Generator[AgentEvent, bool | None, Finish]:
        self._record(task, DecisionRecord(round=round_, decision="shown", why=why))
        yield Shown(draft.code, why)
        self._context.commit(turn, reply)
        return Finish(state="done", reason=f"shown, not run: {why}")

    def _give_up(self, task: Task, draft: Draft, tried: int) -> Generator[AgentEvent, bool | None, Finish]:
        times = "1 attempt" if tried == 1 else f"{tried} attempts"
        message = (
            f"No working code in {times} ({_why(draft)}); nothing was changed. Say it in other words, or mend the code."
        )
        self._record(task, DecisionRecord(round=tried - 1, decision="gave up", why=_why(draft)))
        yield GaveUp(message, draft.code)
        return Finish(state="failed", reason=message)

    def _record(self, task: Task, record: Record) -> None:
        self._client.record(task.id, record)


def _works(draft: Draft) -> bool:
    if draft.rehearsal is None:
        return False
    if draft.rehearsal.status == "unavailable":
        # Without a rehearsal, inspection has the last word before the user.
        return not draft.problems
    return draft.rehearsal.status in ("passed", "unfinished", "refused")


def _needs_yes(draft: Draft) -> str:
    """Why this candidate must not run without the user's yes; empty if it may."""
    rehearsal = draft.rehearsal
    if rehearsal is None or rehearsal.status == "unavailable":
        return f"it could not be rehearsed: {rehearsal.reason}" if rehearsal else "it was not rehearsed"
    refused = [f"{refusal.capability.value} ({refusal.what})" for refusal in rehearsal.refusals]
    named = {refusal.capability for refusal in rehearsal.refusals}
    seen = [
        finding.capability.value
        for finding in draft.findings
        if finding.capability and finding.capability not in named | GRANTED
    ]
    wants = list(dict.fromkeys([*refused, *seen]))
    return "it wants to " + _listed(wants) if wants else ""


def _listed(wants: list[str]) -> str:
    verbs = {"network": "use the network", "processes": "start processes"}
    said = []
    for want in wants[:4]:
        head, space, rest = want.partition(" (")
        said.append(verbs.get(head, head) + (space + rest if space else ""))
    return ", ".join(said)


def _why(draft: Draft) -> str:
    """In a few words, why a candidate failed."""
    if draft.error:
        return f"{draft.error.type}: {draft.error.message}"[:300]
    if draft.rehearsal and draft.rehearsal.reason:
        return draft.rehearsal.reason
    return (draft.problems or ["it does not work"])[0].rstrip(".")


def _nothing(candidate: Candidate, options: Options) -> str:
    if candidate.finish == "length":
        return f"The model wrote nothing within {options.max_tokens} tokens: raise --max-tokens."
    return "The model gave an empty answer: say it in other words, or choose a larger model with `%llmos use NAME`."
