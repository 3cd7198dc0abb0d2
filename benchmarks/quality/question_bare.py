"""A question put to the model alone: one plain prompt that never changes, one greedy answer, its first code block."""

from __future__ import annotations

import contextlib
import os
import re
import time
import uuid

from benchmarks.quality.kernel import Output
from benchmarks.quality.question_kernel import QuestionKernel
from benchmarks.quality.questions import Question
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Candidate, Finish, Generation, Message, Options, Request, Session
from llmos_jupyter.system import processes

SYSTEM = """\
You write Python for a Jupyter notebook. The variables that are listed exist already: use them, do not create them \
again. Reply with one ```python code block that does what is asked, and nothing else. Import what you use."""
EXAMPLE = (
    "weights: list, 4 items, first: [4.5, 8.0, 15.25]\n\n"
    "Request: What is the mean weight?\nRound it to two decimal places.\n"
    "Print the answer exactly in this format: @mean_weight[mean]",
    '```python\nmean = sum(weights) / len(weights)\nprint(f"@mean_weight[{mean:.2f}]")\n```',
)
# The magic's own defaults.
MAX_TOKENS = 600


def prompt(schema: str, request: str) -> list[Message]:
    listed = f"{schema}\n\n" if schema else ""
    return [
        Message(role="system", content=SYSTEM),
        Message(role="user", content=EXAMPLE[0]),
        Message(role="assistant", content=EXAMPLE[1]),
        Message(role="user", content=f"{listed}Request: {request}"),
    ]


_BLOCK = re.compile(r"```[ \t]*(?:python|py)?[ \t]*\n(.*?)(?:^[ \t]*```|\Z)", re.DOTALL | re.MULTILINE)


def first_block(text: str) -> str:
    """The code of a reply's first block, also of one that was cut off; empty if there is none."""
    found = _BLOCK.search(text)
    return found[1].strip("\n") if found else ""


class Bare:
    """Asks the model through the daemon, so that the engine is the loop's."""

    def __init__(self, client: DaemonClient, model: str) -> None:
        self._client = client
        self._model = model
        pid = os.getpid()
        self._session = Session(id=uuid.uuid4().hex, pid=pid, started=processes.started(pid))

    def answer(self, kernel: QuestionKernel, question: Question, limit: float) -> tuple[Output, Candidate | None, str]:
        """What a question's cell came to, the model's reply and the code that ran, within `limit` seconds."""
        began = time.monotonic()
        messages = prompt(kernel.call("schema"), question.request)
        try:
            candidate = self._write(messages, question.request, began + limit)
        except LLMOSError as error:
            seconds = time.monotonic() - began
            late = seconds > limit
            return Output("timeout" if late else "error", str(error), seconds=seconds), None, ""
        code = first_block(candidate.text)
        left = limit - (time.monotonic() - began)
        output = kernel.run(code, limit=max(left, 1.0)) if code else Output()
        output.seconds = time.monotonic() - began
        return output, candidate, code

    def _write(self, messages: list[Message], request: str, deadline: float) -> Candidate:
        options = Options(model=self._model, max_tokens=MAX_TOKENS)
        generation = Generation(messages=messages, model=self._model, max_tokens=MAX_TOKENS)
        task = self._client.submit(Request(id=uuid.uuid4().hex, text=request, options=options, session=self._session))
        candidate: Candidate | None = None
        try:
            with contextlib.closing(self._client.generate(task.id, generation, deadline=deadline)) as items:
                for item in items:
                    if item.type in ("failure", "cancelled", "preempted"):
                        raise LLMOSError(str(item))
                    if item.type == "done":
                        candidate = item.candidate
        finally:
            self._client.finish(task.id, Finish(state="done" if candidate else "cancelled"))
        if candidate is None:
            raise LLMOSError("The model wrote nothing.")
        return candidate
