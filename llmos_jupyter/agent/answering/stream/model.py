"""Candidates from the model, while it writes them, over interruptions by more urgent work."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from math import exp

from llmos_jupyter.agent.answering.events import AgentEvent, Waiting, Writing
from llmos_jupyter.agent.answering.stream import resuming
from llmos_jupyter.agent.answering.stream.deadline import Deadline
from llmos_jupyter.agent.answering.stream.repetition import looping
from llmos_jupyter.agent.context import prompts
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Candidate, Generation, Message, Options, Task
from llmos_jupyter.text import readable

# Is given each candidate as it ends; by returning True it ends the generation.
Take = Callable[[Candidate], Generator[AgentEvent, "bool | None", bool]]


class CancelledElsewhere(Exception):
    """Another client cancelled this request."""


def generation_of(messages: list[Message], options: Options, *, round_: int) -> Generation:
    """What is asked of the model: one candidate, code or words."""
    return Generation(
        round=round_,
        messages=messages,
        model=options.model,
        max_tokens=options.max_tokens,
        temperature=options.temperature,
        seed=options.seed,
        grammar=prompts.GRAMMAR,
    )


class ModelStream:
    """What the model writes for the tasks of one notebook."""

    def __init__(self, client: DaemonClient) -> None:
        self._client = client

    def candidates(
        self, task: Task, generation: Generation, deadline: Deadline, take: Take | None = None
    ) -> Generator[AgentEvent, bool | None, list[Candidate]]:
        """All candidates of a generation. `take` is given each as it ends.

        What gave way to more urgent work goes on from what it had written, one candidate after the other. Raises
        LLMOSError if the engine fails, CancelledElsewhere if the task is cancelled.
        """
        candidates: list[Candidate] = []
        left = [(generation, Candidate(text=""))]
        while left:
            part, before = left.pop(0)
            interrupted, enough = yield from self._part(task, part, before, deadline, candidates, take)
            if enough:
                break
            left = [(resuming.continued(part, written), written) for written in interrupted] + left
        return candidates

    def _part(
        self,
        task: Task,
        generation: Generation,
        before: Candidate,
        deadline: Deadline,
        candidates: list[Candidate],
        take: Take | None,
    ) -> Generator[AgentEvent, bool | None, tuple[list[Candidate], bool]]:
        """A generation until it ends or gives way: what it had written then, and whether the search is over."""
        text = generation.prefix
        # What was written before an interruption has no probabilities any more.
        confidence: list[tuple[int, float]] = [] if not text else [(len(text), 1.0)]
        ended = len(candidates)
        with closing(self._client.generate(task.id, generation, deadline=deadline.at)) as items:
            for item in items:
                if item.type == "token":
                    if generation.n == 1:
                        text += item.text
                        if item.text:
                            confidence.append((len(item.text), 1.0 if item.logprob is None else exp(item.logprob)))
                        yield Writing(text, confidence)
                        if looping(text):
                            candidates.append(Candidate(text=text, finish="cancelled", messages=generation.messages))
                            return [], True
                elif item.type == "progress":
                    if item.phase == "restarting":
                        text = generation.prefix
                        confidence = confidence[:1] if text else []
                        del candidates[ended:]
                    yield Waiting(item)
                elif item.type == "failure":
                    raise LLMOSError(item.message)
                elif item.type == "cancelled":
                    raise CancelledElsewhere(item.reason)
                elif item.type == "preempted":
                    return [resuming.joined(before, written) for written in item.written], False
                else:
                    candidate = resuming.joined(before, item.candidate)
                    candidate.text = readable(candidate.text)
                    candidates.append(candidate)
                    if take and (yield from take(candidate)):
                        return [], True
                    if not item.more:
                        break
        return [], False
