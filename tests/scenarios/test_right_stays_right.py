"""Nothing changes what the model wrote because of the request's words: right code runs to the letter, undoubted.

Only live data, a traceback, or a failed check of types may change a candidate or cast doubt on it. Each case is a
request in a person's words and right code for it; whatever the words look like, that code must be what would run.
"""

from __future__ import annotations

import dataclasses
import gc
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType

import pytest
from IPython.core.interactiveshell import InteractiveShell

from llmos_jupyter.agent import inspection
from llmos_jupyter.agent.answering import strategy, trial
from llmos_jupyter.agent.answering.drafts import Draft
from llmos_jupyter.agent.answering.stream.deadline import Deadline
from llmos_jupyter.agent.context.notebook_context import NotebookContext, Turn
from llmos_jupyter.agent.inspection import check
from llmos_jupyter.agent.mending.mend import mend
from llmos_jupyter.effects.copy.kernel_copy import supported
from llmos_jupyter.protocol import Candidate, Message, Options, Record, Session, Task
from tests.effects.copy.shells import shell_with
from tests.scenarios.right_programs.cases import CASES, SPACES, Case

needs_rehearsal = pytest.mark.skipif(supported() is not None, reason=str(supported()))
# A copy of the kernel has them at once; it would import them anew in each case.
HEAVY = ("matplotlib.pyplot", "scipy.stats", "sklearn.cluster", "sklearn.linear_model", "sklearn.preprocessing")
SALES = "item,amount\npen,3\nink,50\ncup,12\n"
CONFIDENCE = 0.95
BUDGET = 10.0


@pytest.fixture(scope="module", autouse=True)
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the file that some notebooks read."""
    folder = tmp_path_factory.mktemp("harm")
    (folder / "sales.csv").write_text(SALES)
    for module in HEAVY:
        importlib.import_module(module)
    gc.freeze()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        importlib.import_module("matplotlib.pyplot").switch_backend("Agg")
        yield folder


class Notebook:
    """A case's notebook as it is when the request comes: its variables, and its earlier answers, which were run."""

    def __init__(self, case: Case) -> None:
        self._code = case.code
        self._shell: InteractiveShell = shell_with(**SPACES[case.setup]())
        self._context = NotebookContext(self._shell)
        for answer in case.answers:
            assert self._shell.run_cell(answer).success, answer
            turn = Turn(Message(role="user", content="the request before"), "the request before")
            self._context.commit(turn, f"```python\n{answer}\n```")
        importlib.import_module("matplotlib.pyplot").close("all")

    def tried(self, request: str, *known: Draft) -> Draft:
        """What became of the case's code as an answer to a request; code among the known is not rehearsed again."""
        candidate = Candidate(text=f"```python\n{self._code}\n```", confidence=CONFIDENCE)
        draft = Draft(candidate, self._code, True, 0)
        if "request" in {field.name for field in dataclasses.fields(Draft)}:
            draft = dataclasses.replace(draft, request=request)
        steps = trial.Trial(self._shell, self._context, _record, BUDGET)
        for _ in steps.attempt(_task(request), draft, Deadline(60), known=known):
            pass
        return draft


def _task(request: str) -> Task:
    session = Session(id="s", pid=1, started=0.0)
    return Task(
        id="t", number=1, text=request, options=Options(), session=session, state="running", created=0.0, updated=0.0
    )


def _record(task: Task, record: Record) -> None:
    """What is stored of an attempt is of no interest here."""


@needs_rehearsal
@pytest.mark.parametrize("case", CASES, ids=[f"{number}-{case.setup}" for number, case in enumerate(CASES)])
def test_right_code_runs_as_it_was_written(case: Case) -> None:
    notebook = Notebook(case)
    draft = notebook.tried(case.request)
    assert draft.code == case.code, case.request
    assert draft.works, f"{case.request}: {draft.why}"
    assert draft.rehearsal is not None
    assert draft.rehearsal.status == "passed"
    assert not [finding for finding in draft.findings if finding.kind == "mended"]
    doubts = [doubt for doubt in draft.rehearsal.doubts if not doubt.startswith(case.doubts)]
    assert doubts == [], case.request
    if not case.doubts:
        assert strategy.more_candidates(None, draft) == 0

    # The request's words change nothing: without them it is the same.
    silent = notebook.tried("", draft)
    assert silent.code == draft.code
    assert silent.findings == draft.findings


def test_the_cases_are_many_and_different() -> None:
    assert len(CASES) >= 230
    assert len({case.request.lower() for case in CASES}) == len(CASES)
    scripts = {"Hindi": "ऀ-ॿ", "Chinese": "一-鿿", "Arabic": "؀-ۿ", "Thai": "฀-๿", "Russian": "Ѐ-ӿ"}
    for script, (first, _, last) in scripts.items():
        assert any(first <= letter <= last for case in CASES for letter in case.request), script


def test_what_changes_code_is_not_told_the_request() -> None:
    """Who sees both could change the one because of the other."""
    assert "request" not in inspect.signature(check.inspect).parameters
    assert "request" not in inspect.signature(mend).parameters
    modules = [trial, inspection]
    modules += [
        importlib.import_module(found.name)
        for found in pkgutil.walk_packages(inspection.__path__, "llmos_jupyter.agent.inspection.")
    ]
    seeing_both = {
        f"{module.__name__}.{name}"
        for module in modules
        for name, function in vars(module).items()
        if isinstance(function, FunctionType) and function.__module__ == module.__name__
        if "request" in (given := inspect.signature(function).parameters) and {"code", "tree"} & given.keys()
    }
    assert seeing_both == set()
