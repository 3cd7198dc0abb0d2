"""A kernel that answers questions: what its cells showed, what became of an answer, and grading in its namespace."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.quality.kernel import Kernel, Output
from benchmarks.quality.question_grading import Failure, closed, of_check, plain_text
from benchmarks.quality.questions import Closed, Question
from llmos_jupyter.protocol import ANSWER_MIME

# Seconds: for a question's first cell; for its asserts.
SETUP_LIMIT = 60.0
CHECK_LIMIT = 30.0


class QuestionKernel(Kernel):
    """`shown` of its cells is all they print and display, with the result; the display of an answer of ours is not:
    what it last said stands in `answer`."""

    probe = "benchmarks.quality.question_probe"

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.answer: dict[str, Any] = {}
        super().__init__(folder)

    def take(self, output: Output, kind: str, content: dict[str, Any]) -> bool:
        data = content.get("data", {}) if kind in ("display_data", "update_display_data", "execute_result") else {}
        if ANSWER_MIME in data:
            self.answer = data[ANSWER_MIME]
            return False
        if kind == "execute_result":
            output.shown += plain_text(data.get("text/plain", "")) + "\n"
            return False
        if kind == "display_data" and "text/markdown" not in data:
            output.shown += plain_text(data.get("text/plain", "")) + "\n"
            return False
        return super().take(output, kind, content)

    def prepare(self, question: Question) -> str:
        """Run a question's first cell in a folder of its own. Empty, or why it failed."""
        folder = tempfile.mkdtemp(dir=self.folder)
        for file in question.files:
            if not file.exists():
                return f"{file.name} is missing"
            shutil.copyfile(file, Path(folder) / file.name)
        self.run(f"__import__('os').chdir({folder!r})", limit=30, silent=True)
        return self.run(question.setup, limit=SETUP_LIMIT).error if question.setup else ""

    def again(self) -> None:
        """Empty the namespace."""
        self.run("%reset -f", limit=30)

    def grade(self, question: Question, output: Output) -> tuple[str, Failure]:
        """Why the answer is wrong, and the kind of failure; empty if it is right."""
        if isinstance(question.grading, Closed):
            return closed(question.grading.answers, output.shown)
        if not self.alive:
            return "the kernel is gone", "exception"
        found = self.run(question.grading.code, limit=CHECK_LIMIT, silent=True)
        return found.error.rstrip(" :"), "timeout" if found.status == "timeout" else of_check(found.error)
