"""Kept answers as examples: out of the daemon's real store, in a real notebook's prompt."""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

from llmos_jupyter.agent.context import prompts
from llmos_jupyter.agent.context.kept import CODE, HEAD, KeptAnswers
from llmos_jupyter.agent.context.notebook_context import NotebookContext
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.daemon.stores.store import Store
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import (
    Code,
    FeedbackKind,
    FeedbackRecord,
    Finish,
    Request,
    Run,
    RunRecord,
    Session,
    Task,
    TaskState,
)
from llmos_jupyter.session.leaving import leaves
from llmos_jupyter.session.notebook import Notebook

ASKED = "the mean price of each shop, largest first"
LIKE = "the mean price of each city, largest first"
ANSWER = "# means\ndf.groupby('shop')['price'].mean().sort_values(ascending=False)"
TOLD = f"{HEAD}{ASKED}{CODE}{ANSWER.partition(chr(10))[2]}"
HERE = Session(id="here", notebook="/work/b.ipynb", pid=os.getpid(), started=0.0)


class History(DaemonClient):
    """The daemon's real store, without its process."""

    def __init__(self, store: Store) -> None:
        super().__init__(start=False)
        self.store = store
        self.calls = 0

    def tasks(self, *, session: str | None = None, states: Sequence[TaskState] = (), limit: int = 50) -> list[Task]:
        self.calls += 1
        return self.store.tasks(session=session, states=tuple(states), limit=limit)

    def code(self, key: str) -> Code:
        return Code(code=self.store.trace(key).code)


class Place:
    """A notebook with a table, and a history of answers."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "llmos.db")
        self.client = History(self.store)
        self.shell = InteractiveShell()
        self.shell.user_ns["df"] = pd.DataFrame({"shop": ["a"], "city": ["b"], "price": [1.0]})
        self.context = NotebookContext(self.shell)
        self.context.use_kept(KeptAnswers(self.client, self.shell.user_ns, HERE))

    def answered(
        self,
        text: str = ASKED,
        code: str = ANSWER,
        feedback: FeedbackKind = "",
        finish: Finish | None = None,
        notebook: str = "/work/a.ipynb",
    ) -> None:
        session = Session(id=f"of {notebook}", notebook=notebook, pid=os.getpid(), started=0.0)
        task = self.store.accept(Request(id=uuid.uuid4().hex, text=text, session=session))
        if code:
            self.store.add_record(task.id, RunRecord(round=0, code=code, run=Run(status="ok")))
        self.store.finish(task.id, finish or Finish(state="done"))
        if feedback:
            self.store.add_record(task.id, FeedbackRecord(feedback=feedback))

    def prompt(self, request: str = LIKE) -> str:
        return self.context.compose(request, 8000).message.content


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_kept_answer_to_a_like_request_stands_between_news_and_request(place: Place) -> None:
    place.context.use_kept(None)
    without = place.prompt()
    place.context.use_kept(KeptAnswers(place.client, place.shell.user_ns, HERE))
    assert place.prompt() == without  # to the letter, where there are none
    place.answered()
    news, _, request = without.rpartition("\n\nRequest: ")
    assert place.prompt() == f"{news}\n\n{TOLD}\n\nRequest: {request}"


@pytest.mark.parametrize("feedback", ["down", "undone", "edited"])
def test_what_the_user_did_not_keep_is_no_example(place: Place, feedback: FeedbackKind) -> None:
    place.answered(feedback=feedback)
    assert HEAD not in place.prompt()


@pytest.mark.parametrize(
    "finish",
    [
        Finish(state="failed", reason="ValueError: no"),
        Finish(state="done", reason="answered in words"),
        Finish(state="done", reason="shown, not run: show mode never runs code"),
        Finish(state="cancelled", reason="interrupted"),
    ],
)
def test_what_did_not_run_to_its_end_is_no_example(place: Place, finish: Finish) -> None:
    place.answered(finish=finish)
    assert HEAD not in place.prompt()


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("plot a histogram of the weights", ANSWER),
        (ASKED, ANSWER.replace("df.", "sales.")),
        (ASKED, "df = " + "df + " * 200 + "df"),
        (ASKED, ""),
        (ASKED, "# nothing"),
    ],
)
def test_what_is_about_something_else_or_cannot_run_here_or_is_long_is_no_example(
    place: Place, asked: str, code: str
) -> None:
    place.answered(asked, code)
    assert HEAD not in place.prompt()


def test_the_likest_is_told_and_of_one_request_its_newest_answer(place: Place) -> None:
    place.answered(LIKE, "df.old()")
    place.answered(LIKE, "df.new()")
    place.answered("the mean price of each shop", "df.other()")
    prompt = place.prompt()
    assert "df.new()" in prompt
    assert "df.old()" not in prompt
    assert prompt.count(HEAD) == 1


@pytest.mark.parametrize(
    ("asked", "like"),
    [
        ("प्रत्येक दुकान का औसत मूल्य दिखाओ", "प्रत्येक शहर का औसत मूल्य दिखाओ"),
        ("每个商店的平均价格", "每个城市的平均价格"),
        ("der mittlere Preis je Laden, absteigend", "der mittlere Preis je Stadt, absteigend"),
    ],
)
def test_requests_are_alike_in_any_language(place: Place, asked: str, like: str) -> None:
    place.answered(asked)
    assert HEAD in place.prompt(like)


def test_forget_forgets_examples(place: Place) -> None:
    place.answered()
    assert HEAD in place.prompt()
    place.store.forget(notebook="/work/a.ipynb")
    assert HEAD not in place.prompt()


def test_what_stands_in_the_prompt_is_not_told_again(place: Place) -> None:
    place.answered()
    place.context.commit(place.context.compose(ASKED, 8000), prompts.code_block(ANSWER))
    assert HEAD not in place.prompt()


def test_a_prompt_that_leaves_the_machine_holds_answers_of_this_notebook_alone(place: Place) -> None:
    place.context.use_kept(KeptAnswers(place.client, place.shell.user_ns, HERE), leaves=True)
    place.answered()
    assert HEAD not in place.prompt()
    place.answered(notebook=HERE.notebook)
    assert HEAD in place.prompt()


def test_what_leaves_the_machine() -> None:
    models = [
        "auto",
        "qwen2.5-coder-1.5b",
        "http://127.0.0.1:8000/v1",
        "http://localhost:1/v1",
        "https://llm.example.org/v1",
    ]
    assert [leaves(model) for model in models] == [False, False, False, False, True]


def test_secrets_in_examples_are_masked(place: Place) -> None:
    secret = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD"
    place.answered(code=f"api_key = '{secret}'\n{ANSWER}")
    prompt = place.prompt()
    assert HEAD in prompt
    assert secret not in prompt


def test_neither_a_warm_prompt_nor_one_without_context_asks_for_examples(place: Place) -> None:
    place.answered()
    assert HEAD not in place.prompt("")
    assert HEAD not in place.context.compose(LIKE, 8000, context=False).message.content
    assert place.client.calls == 0


def test_a_daemon_that_does_not_answer_keeps_nobody_from_asking(place: Place) -> None:
    def gone(*_: object, **__: object) -> list[Task]:
        raise LLMOSError("The llmos daemon does not answer: see `%llmos doctor`.")

    place.client.tasks = gone  # type: ignore[method-assign]
    assert place.prompt().endswith(f"Request: {LIKE}")


def test_a_cell_that_is_the_answer_with_changes_is_an_edit(place: Place) -> None:
    place.context.commit(place.context.compose(ASKED, 8000), prompts.code_block(ANSWER))
    place.shell.user_ns["In"] = ["", ANSWER.replace("ascending=False", "ascending=True"), ANSWER, "len(df)"]
    assert [place.context.is_edit(count) for count in range(5)] == [False, True, False, False, False]


def test_an_edit_is_told_to_the_daemon_and_the_answer_is_no_example_any_more(home: Path) -> None:
    shell = InteractiveShell()
    shell.user_ns["df"] = pd.DataFrame({"shop": ["a"], "price": [1.0]})
    notebook = Notebook(shell, [], [])
    client = notebook.client
    task = client.submit(Request(id=uuid.uuid4().hex, text=ASKED, session=notebook.session))
    client.record(task.id, RunRecord(round=0, code=ANSWER, run=Run(status="ok")))
    client.finish(task.id, Finish(state="done"))
    notebook.context.commit(notebook.context.compose(ASKED, 8000), prompts.code_block(ANSWER))
    notebook._ran.append(task.id)
    kept = KeptAnswers(client, shell.user_ns, HERE)
    assert kept.example(LIKE, 8000, [], leaves=False) == TOLD
    shell.user_ns["In"] = ["", "len(df)", ANSWER.replace("False", "True")]
    notebook.after_cell(1, None)
    assert kept.example(LIKE, 8000, [], leaves=False) == TOLD
    notebook.after_cell(2, None)
    assert client.trace(task.id).task.feedback == "edited"
    assert kept.example(LIKE, 8000, [], leaves=False) == ""
