"""The model's own yes or no to candidates that worked and came to different results.

Shown the request, its code and what that gave, it is asked for one token; how probable "yes" is says which candidate it
believes (as P(True), Kadavath et al. 2022). Nothing is asked where candidates agree, or where only one is left.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

from llmos_jupyter.agent.answering.drafts import Draft, rivals
from llmos_jupyter.agent.answering.events import AgentEvent, Writing
from llmos_jupyter.agent.context import prompts
from llmos_jupyter.privacy.masking import mask
from llmos_jupyter.protocol import Candidate, Generation, Message

Asking = Generator[AgentEvent, "bool | None", list[Candidate]]

# How many are asked about, and characters of a result that are shown.
MOST = 4
SHOWN = 600
_GRAMMAR = 'root ::= "yes" | "no"\n'
_QUESTION = "Is this what was asked for, and right? Answer yes or no."


def judge(
    drafts: list[Draft], generation: Generation, ask: Callable[[Generation], Asking]
) -> Generator[AgentEvent, bool | None, None]:
    """Ask about each of those between which `choose` would have to guess. `generation`: the request's own, whose
    messages the engine has read."""
    for draft in rivals(drafts)[:MOST]:
        shown = [Message(role="assistant", content=mask(draft.reply)), Message(role="user", content=mask(_told(draft)))]
        changes = {"messages": [*generation.messages, *shown], "grammar": _GRAMMAR, "max_tokens": 2, "temperature": 0.0}
        for candidate in (yield from _unseen(ask(generation.model_copy(update=changes)))):
            draft.believed = _of_yes(candidate)


def _told(draft: Draft) -> str:
    rehearsal = draft.rehearsal
    output = rehearsal.output.strip() if rehearsal else ""
    made = [f"{change.name}: {change.type}" for change in rehearsal.changes] if rehearsal else []
    shown = output or "\n".join(made)
    shown = shown if len(shown) <= SHOWN else f"{shown[: SHOWN // 2]}\n...\n{shown[-SHOWN // 2 :]}"
    return prompts.plain(f"It gives:\n{shown}\n\n{_QUESTION}")


def _of_yes(candidate: Candidate) -> float | None:
    """The probability of yes; of a no that is not certain the rest, whatever else it may stand for."""
    likely = candidate.confidence
    if likely is None:
        return None
    return likely if candidate.text.strip() == "yes" else 1 - likely


def _unseen(steps: Asking) -> Asking:
    """Without showing what is written: it is no part of the answer."""
    try:
        while True:
            event = next(steps)
            if not isinstance(event, Writing):
                yield event
    except StopIteration as ended:
        candidates: list[Candidate] = ended.value
        return candidates
    finally:
        steps.close()
