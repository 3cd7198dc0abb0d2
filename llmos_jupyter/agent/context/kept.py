"""The user's own kept answers as examples: what they asked before in like words, with the code that they left standing.

Read from the daemon's history at each request, so that `forget` forgets them here as well. An answer counts as kept if
it ran to its end and was neither undone, nor edited, nor thumbed down. It is an example if its request shares enough of
its letters with the new one, whatever the language, and its code uses no variable that this notebook lacks.
"""

from __future__ import annotations

import ast
import logging
from collections.abc import Collection, Mapping
from typing import Any

from llmos_jupyter.agent.context import prompts
from llmos_jupyter.agent.context.relevance import REQUEST, words
from llmos_jupyter.agent.inspection.names import undefined
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.privacy.masking import mask
from llmos_jupyter.protocol import Session, Task

log = logging.getLogger(__name__)

# So many of the newest answers are looked at, and of those the likest few.
NEWEST = 200
LIKEST = 3
# What an example costs at the most: at the 50 tokens/s at which a 1.5B model reads on two cores, 4 s of waiting.
TOKENS = 200
# Characters of its request.
ASKED = 200
# Of all letters in the words of both requests, those in words that they share. Of 105 public questions over 23 tables,
# pairs above it ask for the same method, most often of another table.
ALIKE = 0.55


class KeptAnswers:
    """Finds examples for one notebook."""

    def __init__(self, client: DaemonClient, namespace: Mapping[str, Any], session: Session) -> None:
        self._client = client
        self._namespace = namespace
        self._session = session

    def example(self, request: str, room: int, known: Collection[str], *, leaves: bool) -> str:
        """The likest kept answer in words for the prompt, in at most `room` tokens; empty if there is none.

        `known`: requests that stand in the prompt anyway; `leaves`: whether the prompt leaves this machine, so that
        only answers of this notebook may go with it.
        """
        try:
            tasks = self._client.tasks(states=("done",), limit=NEWEST)
            for task in self._likest(request, tasks, known, leaves=leaves):
                told = _told(task.text, self._client.code(task.id).code)
                if prompts.estimate_tokens(told) <= min(room, TOKENS) and self._runs_here(told):
                    return mask(told)
        except LLMOSError as error:
            log.warning("the kept answers cannot be read: %s", error)
        return ""

    def _likest(self, request: str, tasks: list[Task], known: Collection[str], *, leaves: bool) -> list[Task]:
        asked = _words(request)
        scored: dict[str, tuple[float, int, Task]] = {}
        for task in tasks:  # of one request asked again, the newest answer
            if not kept(task) or task.text in known or (leaves and not self._own(task)):
                continue
            alike = likeness(asked, _words(task.text))
            if alike >= ALIKE:
                scored[task.text] = (alike, task.number, task)
        return [task for *_, task in sorted(scored.values(), key=lambda each: each[:2], reverse=True)][:LIKEST]

    def _own(self, task: Task) -> bool:
        session, notebook = self._session, task.session.notebook
        return task.session.id == session.id or bool(notebook and notebook == session.notebook)

    def _runs_here(self, told: str) -> bool:
        try:
            tree = ast.parse(told.partition(CODE)[2])
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
        return bool(tree.body) and not any(undefined(tree, self._namespace))


HEAD = "An earlier request of this user, in another state of the notebook: "
CODE = "\nIts code, which the user kept:\n"


def kept(task: Task) -> bool:
    """Whether the code of an answer ran to its end and the user let it stand. What was answered in words, or shown and
    not run, has a reason."""
    return task.kind == "ask" and task.state == "done" and not task.reason and task.feedback in ("", "up")


def likeness(one: Collection[str], other: Collection[str]) -> float:
    """Between 0 and 1: how many letters of two requests' words stand in words that both have."""
    both = sum(2 * len(word) for word in one if word in other)
    return both / (sum(map(len, one)) + sum(map(len, other)) or 1)


def _words(request: str) -> frozenset[str]:
    """Its words; of scripts without spaces the pairs of characters, and not the sentence, which no other shares."""
    every = frozenset(words(request[:REQUEST]))
    return frozenset(word for word in every if len(word) < 3 or not {word[:2], word[-2:]} <= every)


def _told(request: str, code: str) -> str:
    lines = [line for line in code.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    asked = " ".join(request.split())
    return f"{HEAD}{asked if len(asked) <= ASKED else asked[: ASKED - 1] + '…'}{CODE}" + "\n".join(lines)
