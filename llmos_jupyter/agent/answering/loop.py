"""The agent loop: generate, inspect, run in the sandbox, repair, and commit. A generator of typed events.

Everything before the commit leaves the user's namespace untouched, so it can be interrupted, or fail, at any point.

Over 400 lines: the whole way of one request stands here, to be read top to bottom.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Generator
from typing import TYPE_CHECKING

from llmos_jupyter.agent.answering import line_repair, real_names, steps, strategy, verdicts
from llmos_jupyter.agent.answering.chance import chance, unsure
from llmos_jupyter.agent.answering.drafts import Draft, agreed, choose, same_program
from llmos_jupyter.agent.answering.events import (
    Accepted,
    AgentEvent,
    Chosen,
    Comparing,
    GaveUp,
    Noted,
    Repairing,
    Replayed,
    Shown,
    Words,
    Written,
)
from llmos_jupyter.agent.answering.figures import uncomputed
from llmos_jupyter.agent.answering.permissions import Verdict, decide
from llmos_jupyter.agent.answering.recorded import RecordedAnswers
from llmos_jupyter.agent.answering.stream.deadline import Deadline
from llmos_jupyter.agent.answering.stream.model import CancelledElsewhere, ModelStream, generation_of
from llmos_jupyter.agent.answering.trial import Trial
from llmos_jupyter.agent.capability.own_files import own_files
from llmos_jupyter.agent.context import prompts
from llmos_jupyter.agent.context.notebook_context import NotebookContext, Turn
from llmos_jupyter.agent.replay.recording import FOREIGN, Recording
from llmos_jupyter.agent.run.running import Rights, run
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.privacy.masking import mask, mask_all
from llmos_jupyter.protocol import (
    Candidate,
    Decision,
    DecisionRecord,
    Finish,
    Message,
    Mode,
    Options,
    Record,
    Request,
    RunRecord,
    Session,
    Task,
)
from llmos_jupyter.text import readable

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

Steps = Generator[AgentEvent, "bool | None", None]


log = logging.getLogger(__name__)


class Loop:
    """Answers requests in one notebook."""

    def __init__(
        self,
        shell: InteractiveShell,
        client: DaemonClient,
        context: NotebookContext,
        session: Session,
        rights: Rights,
        *,
        rehearsal_budget: float,
        recording: Recording | None = None,
    ) -> None:
        self._shell = shell
        self._client = client
        self._context = context
        self._session = session
        self._rights = rights
        self._recorded = RecordedAnswers(recording, shell, context)
        self._stream = ModelStream(client)
        self.model = ""
        self._budget = rehearsal_budget
        self._trial = Trial(shell, context, self._record, rehearsal_budget, rights.grants)

    def answer(self, text: str, options: Options, context_tokens: int) -> Steps:
        """Answer one request. Closing the generator, or an exception in it, ends the task as cancelled or failed."""
        deadline = Deadline(options.timeout)
        text = readable(text)
        if not text.strip():
            raise LLMOSError("The request has no readable words: write what you want in any language.")
        room = max(context_tokens - options.max_tokens - 100, 256)
        self._rights.grants.own_files = own_files(self._context.own_cells())
        turn = self._context.compose(text, room, context=options.context, use=options.use)
        request = Request(id=uuid.uuid4().hex, text=mask(text), options=options, session=self._session)
        task = self._client.submit(request)
        # The daemon has filled in what the user left open.
        advised = {"candidates": task.options.candidates, "retries": task.options.retries, "model": task.options.model}
        self.model = task.options.model
        finish = Finish(state="cancelled", reason="interrupted")
        try:
            yield Accepted(task)
            finish = yield from self._answer(task, turn, options, options.model_copy(update=advised), deadline)
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
            self._rights.grants.end_answer()
            try:
                self._client.finish(task.id, mask_all(finish))
            except LLMOSError as error:
                # The answer stands, or its own error is told; the daemon ends the task with the kernel.
                log.warning("request %s could not be ended: %s", task.number, error)

    def _answer(
        self, task: Task, turn: Turn, asked: Options, options: Options, deadline: Deadline
    ) -> Generator[AgentEvent, bool | None, Finish]:
        """`asked`: the options as the user gave them, by which answers are recorded; `options`: as they were filled
        in."""
        if (replayed := (yield from self._replay(task, turn, asked, deadline))) is not None:
            return replayed
        base = self._context.prompt(turn)
        first = yield from self._first(task, base, turn.request, options, deadline)
        if isinstance(first, Words):
            first = (yield from self._computed(task, base, turn, first, options, deadline)) or first
        if isinstance(first, Words):
            yield first
            entry = self._recorded.entry(turn, asked, "words", first.text, first.model)
            self._context.commit(turn, first.text)
            if first.complete:
                yield from self._recorded.keep(entry)
            return Finish(state="done", reason="answered in words")
        if first.candidate.finish == "length":
            message = f"The answer was longer than {options.max_tokens} tokens: raise --max-tokens or ask for less."
            yield GaveUp(message, first.code)
            return Finish(state="failed", reason=message)
        if first.candidate.finish == "stop" and first.rehearsal is None:
            yield from self._trial.attempt(task, first, deadline)
        drafts = [first]
        try:
            return (yield from self._choose(task, base, turn, drafts, asked, options, deadline))
        finally:
            for draft in drafts:
                if draft.ran is not None:
                    draft.ran.close()

    def _choose(
        self,
        task: Task,
        base: list[Message],
        turn: Turn,
        drafts: list[Draft],
        asked: Options,
        options: Options,
        deadline: Deadline,
    ) -> Generator[AgentEvent, bool | None, Finish]:
        """Repair the first candidate, write others beside it, try steps if none works, and use the best."""
        rounds = strategy.repairs(asked.retries, options.retries)
        for number in range(1, rounds + 1):
            sound = drafts[-1].works and not drafts[-1].faults
            if sound or not (yield from self._repair(task, base, drafts, number, rounds, options, deadline)):
                break
        if more := strategy.candidates(asked.candidates, options.candidates, drafts[-1]):
            yield from self._more(task, turn, drafts, more, options, deadline)
            asked_whether = generation_of(base, options, round_=rounds + 3)
            yield from verdicts.judge(drafts, asked_whether, lambda each: self._stream.candidates(task, each, deadline))
        if choose(drafts) is None and strategy.in_steps(asked.candidates, asked.retries):
            yield from self._in_steps(task, base, drafts, options, deadline)
        while (chosen := choose(drafts)) is not None:
            draft, why = chosen
            if why:
                self._record(task, DecisionRecord(round=draft.round, decision="chosen", why=why))
            if draft is not drafts[-1] or why:
                yield Chosen(draft.candidate, draft.code, draft.findings, draft.rehearsal, why)
            if not draft.unfinished:
                return (yield from self._use(task, turn, draft, asked, deadline, unsure(draft, drafts)))
            # It was given less time than it takes, and nothing else works: now it runs to its end.
            yield from self._trial.attempt(task, draft, deadline)
        return (yield from self._give_up(task, drafts[-1], len(drafts)))

    # --- recorded answers -------------------------------------------------------------------

    def _replay(
        self, task: Task, turn: Turn, options: Options, deadline: Deadline
    ) -> Generator[AgentEvent, bool | None, Finish | None]:
        """Give the recorded answer again, inspected and rehearsed like any other; None if there is none that works.

        Code that the user has not signed runs only after a yes, which signs it."""
        if (match := self._recorded.find(turn, options)) is None:
            return None
        (found, signed), name = match, self._recorded.file
        foreign = not signed
        why = f"recorded in {name}" + (f", but {FOREIGN}" if foreign else "")
        self._record(task, DecisionRecord(round=0, decision="replayed", why=why))
        candidate = Candidate(text=found.text, model=found.model)
        yield Replayed(found.text if found.kind == "code" else "", found.model, name, foreign)
        if found.kind == "words":
            yield Words(found.text, True, found.model)
            self._context.commit(turn, found.text)
            return Finish(state="done", reason="replayed")
        draft = Draft(
            candidate.model_copy(update={"text": prompts.code_block(found.text)}), found.text, True, 0, turn.request
        )
        draft.foreign = found if foreign else None
        yield from self._trial.attempt(task, draft, deadline)
        if not draft.works:
            self._record(task, DecisionRecord(round=0, decision="asked again", why=draft.why))
            return None
        return (yield from self._use(task, turn, draft, options, deadline))

    # --- candidates -------------------------------------------------------------------------

    def _first(
        self, task: Task, base: list[Message], request: str, options: Options, deadline: Deadline
    ) -> Generator[AgentEvent, bool | None, Draft | Words]:
        """The likeliest candidate, shown while it is written; or words, still to be told."""
        generation = generation_of(base, options, round_=0)
        for candidate in (yield from self._stream.candidates(task, generation, deadline)):
            reply = prompts.read_reply(candidate.text)
            if reply.kind == "words":
                yield Written(candidate, "")
                return Words(reply.text, candidate.finish != "length", candidate.model)
            if reply.kind == "nothing":
                raise LLMOSError(_nothing(candidate, options))
            yield Written(candidate, reply.text)
            return Draft(candidate, reply.text, reply.complete, 0, request)
        raise LLMOSError("The answer ended without a word: ask again.")

    def _computed(
        self, task: Task, base: list[Message], turn: Turn, words: Words, options: Options, deadline: Deadline
    ) -> Generator[AgentEvent, bool | None, Draft | None]:
        """Code that computes what the words made up: figures about the notebook's data. None if it does not work."""
        figures = uncomputed(words.text, (message.content for message in base))
        if not figures or options.retries == 0 or not self._context.speaks_of_data(turn.request):
            return None
        why = f"the answer in words has figures that nothing computed ({', '.join(figures[:3])})"
        yield Repairing(1, 1, why)
        self._record(task, DecisionRecord(round=0, decision="repair", why=why))
        generation = generation_of(base, options, round_=1).model_copy(update={"grammar": prompts.CODE_GRAMMAR})
        for candidate in (yield from self._stream.candidates(task, generation, deadline)):
            reply = prompts.read_reply(candidate.text)
            if reply.kind != "code" or candidate.finish != "stop":
                break
            yield Written(candidate, reply.text)
            draft = Draft(candidate, reply.text, reply.complete, 1, turn.request)
            yield from self._trial.attempt(task, draft, deadline)
            if draft.works:
                return draft
        yield Noted(f"Nothing computed the figures in these words: {', '.join(figures[:3])}.")
        return None

    def _more(
        self, task: Task, turn: Turn, drafts: list[Draft], more: int, options: Options, deadline: Deadline
    ) -> Steps:
        """Candidates beside the first and its repairs, written side by side, minding what these have shown. One without
        a doubt ends the search."""
        base, best = self._context.prompt(turn), drafts[-1]
        yield Comparing(more, best.why if not best.works else "")
        if notes := self._trial.failure(best) or self._trial.doubts(best):
            base = [*base[:-1], _masked(prompts.minding(base[-1], notes))]
        yield from self._others(task, base, drafts, more, options, deadline)

    def _others(
        self,
        task: Task,
        base: list[Message],
        drafts: list[Draft],
        more: int,
        options: Options,
        deadline: Deadline,
    ) -> Steps:
        """More candidates, written side by side and tried as they end, until two agree or one settles it."""
        best, round_ = drafts[-1], 2
        budget = strategy.beside_seconds(drafts, self._budget)
        generation = generation_of(base, options, round_=round_).model_copy(
            update={
                "purpose": "compare",
                "n": more,
                "grammar": prompts.CODE_GRAMMAR,
                "temperature": max(options.temperature, strategy.TEMPERATURE),
                # The same question gives the same answer.
                "seed": 1 if options.seed is None else options.seed + 1,
            }
        )

        def take(candidate: Candidate) -> Generator[AgentEvent, bool | None, bool]:
            reply = prompts.read_reply(candidate.text)
            if reply.kind == "code" and candidate.finish == "stop" and reply.complete:
                draft = Draft(candidate, reply.text, reply.complete, round_, best.request)
                yield from self._trial.attempt(task, draft, deadline, quiet=True, known=drafts, budget=budget)
                drafts.append(draft)
            return agreed(drafts) or ((not best.works or bool(best.doubts)) and strategy.settled(drafts))

        # They are tried while the model's stream is open, which has one end.
        yield from self._stream.candidates(task, generation, deadline.later(more * budget), take)

    def _repair(
        self,
        task: Task,
        base: list[Message],
        drafts: list[Draft],
        number: int,
        rounds: int,
        options: Options,
        deadline: Deadline,
    ) -> Generator[AgentEvent, bool | None, bool]:
        """Let the model go on from before the failing line, told what failed there; whether there is something new."""
        failed = drafts[-1]
        if failed.failing_line is None:
            return False
        yield Repairing(number, rounds, failed.why)
        self._record(task, DecisionRecord(round=failed.round, decision="repair", why=failed.why))
        unknown = failed.error.unknown if failed.error else None
        start = real_names.opening(failed.code, unknown) if unknown else None
        if start is None:
            before = [(draft.code, draft.failing_line) for draft in drafts]
            start = line_repair.opening(failed.code, failed.failing_line, self._trial.failure(failed), before)
        generation = generation_of(base, options, round_=number + 2).model_copy(
            update={"purpose": "repair", "prefix": start.prefix, "grammar": start.grammar}
        )
        for candidate in (yield from self._stream.candidates(task, generation, deadline)):
            reply = prompts.read_reply(start.reply(candidate.text))
            if reply.kind != "code" or candidate.finish == "length":
                return False
            yield Written(candidate, reply.text)
            draft = Draft(candidate, reply.text, reply.complete, number + 2, failed.request, mended=True)
            yield from self._trial.attempt(task, draft, deadline)
            again = any(same_program(old.code, draft.code) for old in drafts)
            drafts.append(draft)
            return not again
        return False

    def _in_steps(
        self, task: Task, base: list[Message], drafts: list[Draft], options: Options, deadline: Deadline
    ) -> Steps:
        """The request once more, in steps that are checked one by one, minding what the candidates have shown."""
        best = drafts[-1]

        def write(messages: list[Message], prefix: str, grammar: str, tokens: int | None, round_: int) -> steps.Written:
            update = {"prefix": prefix, "grammar": grammar, "max_tokens": tokens or options.max_tokens}
            generation = generation_of(messages, options, round_=round_).model_copy(update=update)
            return next(iter((yield from self._stream.candidates(task, generation, deadline))), None)

        def told(each: list[str]) -> None:
            self._record(task, DecisionRecord(round=steps.ROUND, decision="steps", why="; ".join(each)))

        tools = steps.Tools(write, lambda draft: self._trial.attempt(task, draft, deadline), self._trial.failure, told)
        notes = self._trial.failure(best) or self._trial.doubts(best)
        if (draft := (yield from steps.in_steps(tools, base, best.request, notes))) is not None:
            drafts.append(draft)

    # --- what becomes of it -----------------------------------------------------------------

    def _use(
        self, task: Task, turn: Turn, draft: Draft, options: Options, deadline: Deadline, warning: str = ""
    ) -> Generator[AgentEvent, bool | None, Finish]:
        """Run the candidate, or ask, or show it: as the mode and what it reaches for demand. `warning`: that it is
        likely wrong."""
        if warning:
            yield Noted(warning)
        mode, done = options.mode, None
        while done is None:
            verdict = yield from self._permitted(task, draft, mode)
            mode = "auto"  # from now on only what is new is asked about
            if not verdict.allowed:
                return (yield from self._show(task, turn, draft, verdict.why))
            if draft.foreign:
                yield from self._recorded.sign(draft.foreign)
                draft.foreign = None
            if verdict.asked and not verdict.here and draft.kept_from_reading:
                # It may read that now, which may show that it wants more, or that it does not work.
                yield from self._trial.attempt(task, draft, deadline)
                if not draft.works:
                    return (yield from self._give_up(task, draft, 1))
                continue
            entry = self._recorded.entry(turn, options, "code", draft.code, draft.candidate.model)
            done = yield from run(draft, self._shell, self._rights, here=verdict.here)
        self._context.note_secrets()  # before what the run did is written down
        place = {"round": draft.round, "index": draft.candidate.index}
        self._record(task, RunRecord(**place, code=draft.code, run=done, chance=chance(draft)))
        if done.status == "interrupted":
            return Finish(state="cancelled", reason="interrupted while it ran")
        self._context.commit(turn, draft.reply, _shown(draft))
        if done.error:
            return Finish(state="failed", reason=f"{done.error.type}: {done.error.message}"[:500])
        yield from self._recorded.keep(entry)
        return Finish(state="done")

    def _permitted(self, task: Task, draft: Draft, mode: Mode) -> Generator[AgentEvent, bool | None, Verdict]:
        verdict = yield from decide(draft, mode, self._rights.grants, self._rights.caps)
        if verdict.asked:
            decision: Decision = "approved" if verdict.allowed else "refused"
            self._record(task, DecisionRecord(round=draft.round, decision=decision, why=verdict.why))
        return verdict

    def _show(self, task: Task, turn: Turn, draft: Draft, why: str) -> Generator[AgentEvent, bool | None, Finish]:
        self._record(task, DecisionRecord(round=draft.round, decision="shown", why=why))
        yield Shown(draft.code, why)
        self._context.commit(turn, draft.reply)
        return Finish(state="done", reason=f"shown, not run: {why}")

    def _give_up(self, task: Task, draft: Draft, tried: int) -> Generator[AgentEvent, bool | None, Finish]:
        times = "1 attempt" if tried == 1 else f"{tried} attempts"
        message = (
            f"No working code in {times} ({draft.why}); nothing was changed. Say it in other words, or mend the code."
        )
        self._record(task, DecisionRecord(round=draft.round, decision="gave up", why=draft.why))
        yield GaveUp(message, draft.code)
        return Finish(state="failed", reason=message)

    def _record(self, task: Task, item: Record) -> None:
        self._client.record(task.id, mask_all(item))


def _masked(message: Message) -> Message:
    return message.model_copy(update={"content": mask(message.content)})


def _shown(draft: Draft) -> str:
    """What the user saw of the result, unless it is a variable, which the model is told of anyway."""
    last = draft.code.rstrip().rpartition("\n")[2]
    return draft.rehearsal.output if draft.rehearsal and not last.strip().isidentifier() else ""


def _nothing(candidate: Candidate, options: Options) -> str:
    if candidate.finish == "length":
        return f"The model wrote nothing within {options.max_tokens} tokens: raise --max-tokens."
    return "The model gave an empty answer: say it in other words, or choose a larger model with `%llmos use NAME`."
