"""The loop with a real shell, inspection and rehearsal; only the model's words are scripted, so that each way through
it is taken. The real model takes some of them in `tests/session/test_notebook.py`."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
from IPython.core.interactiveshell import InteractiveShell

from llmos_jupyter.agent.answering import events, strategy
from llmos_jupyter.agent.answering.drafts import Draft
from llmos_jupyter.agent.answering.loop import Loop
from llmos_jupyter.agent.context import prompts
from llmos_jupyter.agent.context.notebook_context import NotebookContext
from llmos_jupyter.agent.replay.recording import Recording, record
from llmos_jupyter.agent.run.running import Rights
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.daemon.stores.store import Store
from llmos_jupyter.effects.kinds.values.containers import ListKind
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import (
    Candidate,
    Done,
    Finish,
    Generation,
    Options,
    Record,
    Rehearsal,
    Request,
    RunRecord,
    Session,
    StreamItem,
    Task,
    Token,
)
from llmos_jupyter.sandbox import roots
from llmos_jupyter.signatures import Signatures
from tests.agent.answering.test_line_repair import allows


class Scripted(DaemonClient):
    """The daemon's real store, and replies from a list in place of the engine's; one that begins with a plus goes on
    from what stands there."""

    def __init__(self, store: Store, replies: list[str], advised: dict[str, int] | None = None) -> None:
        super().__init__(start=False)
        self.advised = advised or {}
        self.store = store
        self.replies = list(replies)
        self.sent: list[Generation] = []
        self.left: list[tuple[float, float]] = []  # seconds that the model has, and when that was

    def submit(self, request: Request) -> Task:
        task = self.store.accept(request)
        return task.model_copy(update={"options": task.options.model_copy(update=self.advised)})

    def record(self, task_id: str, record: Record) -> None:
        self.store.add_record(task_id, record)

    def finish(self, task_id: str, finish: Finish) -> Task:
        return self.store.finish(task_id, finish)

    def generate(self, task_id: str, generation: Generation, *, deadline: float) -> Generator[StreamItem, None, None]:
        self.sent.append(generation)
        now = time.monotonic()
        self.left.append((deadline - now, now))
        for index in range(generation.n):
            reply = self.replies.pop(0)
            if reply.startswith("+"):
                reply = generation.prefix + reply[1:]
            yield Token(text=reply, index=index)
            finish = "length" if reply.endswith("<cut>") else "stop"
            sure = 0.9 if reply in ("yes", "no") else None
            candidate = Candidate(text=reply.removesuffix("<cut>"), finish=finish, index=index, confidence=sure)
            yield Done(candidate=candidate, more=generation.n - 1 - index)


class Scene:
    """A shell, a scripted model, and what came of a request."""

    def __init__(self, folder: Path) -> None:
        self.shell = InteractiveShell()
        self.store = Store(folder / "llmos.db")
        self.context = NotebookContext(self.shell)
        self.rights = Rights.of(self.shell)
        self.recording: Recording | None = None
        self.text = "do it"
        self.seen: list[events.AgentEvent] = []
        self.advised: dict[str, int] = {}
        self.client = Scripted(self.store, [])

    def moved(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """As if the notebook had been started in this folder."""
        monkeypatch.chdir(folder)
        roots.forget_roots(self.shell)
        self.rights = Rights.of(self.shell)

    def ask(self, *replies: str, say: bool | None = None, budget: float = 5.0, **options: Any) -> str:
        """Answer a request; returns the end of the task as the store has it."""
        self.client = Scripted(self.store, list(replies), self.advised)
        session = Session(id="s", pid=os.getpid(), started=psutil.Process().create_time())
        loop = Loop(
            self.shell,
            self.client,
            self.context,
            session,
            self.rights,
            rehearsal_budget=budget,
            recording=self.recording,
        )
        steps = loop.answer(self.text, Options(**{"candidates": 1} | options), 8192)
        self.seen = []
        reply: bool | None = None
        try:
            while True:
                event = steps.send(reply) if isinstance(self.last, events.Question) else next(steps)
                reply = say
                self.seen.append(event)
        except StopIteration:
            pass
        return self.store.tasks()[-1].state

    @property
    def last(self) -> events.AgentEvent | None:
        return self.seen[-1] if self.seen else None

    def count(self, kind: type) -> int:
        return sum(isinstance(event, kind) for event in self.seen)

    def __getitem__(self, name: str) -> Any:
        return self.shell.user_ns[name]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def block(code: str) -> str:
    return f"```python\n{code}\n```"


def test_what_passes_is_run_and_remembered(scene: Scene) -> None:
    assert scene.ask(block("x = 41 + 1\nx")) == "done"
    assert scene["x"] == 42
    assert scene.context.messages()[-1].content == block("x = 41 + 1\nx")
    assert any(isinstance(stored.record, RunRecord) for stored in scene.store.trace("1").records)


def test_a_failing_candidate_is_repaired_before_the_namespace_is_touched(scene: Scene) -> None:
    scene.shell.user_ns["df"] = pd.DataFrame({"weight": [1.0, 3.0]})
    log: list[int] = []
    scene.shell.user_ns["log"] = log
    wrong, right = block("log.append(1)\nm = len(df['weight'] / {})"), block("log.append(2)\nm = df['weight'].mean()")
    assert scene.ask(wrong, right) == "done"
    assert scene["m"] == 2.0
    assert log == [2]
    # The same prompt, and the reply up to the failing line; then the error, with the real columns, as a comment.
    first, second = scene.client.sent
    assert second.messages == first.messages
    kept, *told = second.prefix.removeprefix("```python\n").splitlines()
    assert kept == "log.append(1)"
    assert told[0] == "# not: m = len(df['weight'] / {})"
    assert all(line.startswith("# ") for line in told)
    assert "TypeError: unsupported operand" in told[1]
    assert "df['weight']: Series weight, 2 rows" in told[2]
    # What is remembered is the code that ran, not the way to it.
    assert [message.content for message in scene.context.messages()][-1] == right
    assert wrong not in [message.content for message in scene.context.messages()]


def test_a_label_that_is_the_same_as_text_is_mended_where_the_run_has_shown_it(scene: Scene) -> None:
    scene.shell.user_ns["df"] = pd.DataFrame({" km": [1.0, 3.0], "city": ["x", "y"]})
    # What comes out of `eval` no inspection can follow.
    code = "t = eval('df.copy()')\nn = t['km'].sum()\nn"
    assert scene.ask(block(code)) == "done"
    assert scene["n"] == 4.0
    assert scene.count(events.Repairing) == 0
    chosen = next(record.record for record in scene.store.trace("1").records if isinstance(record.record, RunRecord))
    assert chosen.code == code.replace("'km'", "' km'")


def test_names_take_what_a_call_gives_in_its_order(scene: Scene) -> None:
    code = "from scipy.stats import shapiro\np_value, stat = shapiro([2.0, 4.0, 4.5, 9.0])\nstat > p_value"
    assert scene.ask(block(code)) == "done"
    assert scene["stat"] > scene["p_value"]
    assert runs(scene) == [code.replace("p_value, stat =", "stat, p_value =")]
    (said,) = [event.rehearsal for event in scene.seen if isinstance(event, events.Rehearsed)]
    assert said.edits == []  # it was run again, and is right


def test_where_a_name_is_not_there_the_model_chooses_among_those_that_are(scene: Scene) -> None:
    scene.shell.user_ns["df"] = pd.DataFrame({"weight": [1.0, 3.0], "height": [1, 2]})
    wrong, right = block("x = 1\nm = df['heaviness'].mean()"), block("x = 1\nm = df['weight'].mean()")
    assert scene.ask(wrong, right) == "done"
    assert scene["m"] == 2.0
    first, second = scene.client.sent
    assert second.messages == first.messages
    assert second.prefix == "```python\nx = 1\nm = df["
    assert allows(second.grammar or "", "'height'].max()")
    assert not allows(second.grammar or "", "'heaviness'].max()")


def test_repair_ends_after_the_retries(scene: Scene) -> None:
    assert scene.ask(block("a = 1/0"), block("b = [][1]"), block("c = {}[2]"), block("d = 1"), retries=2) == "failed"
    assert scene.count(events.Repairing) == 2
    assert isinstance(scene.last, events.GaveUp)
    assert scene.last.code == "c = {}[2]"
    assert not {"a", "b", "c", "d"} & set(scene.shell.user_ns)


def test_repair_ends_when_the_same_comes_back(scene: Scene) -> None:
    assert scene.ask(block("a = 1/0"), block("a = 1/0"), block("a = 1"), retries=5) == "failed"
    assert scene.count(events.Repairing) == 1


def test_what_is_broken_is_tried_again_whatever_was_advised(scene: Scene) -> None:
    scene.advised = {"candidates": 1, "retries": 0}
    assert scene.ask(block("a = 1/0"), block("a = 1"), candidates=None, retries=None) == "done"
    assert scene["a"] == 1


@pytest.mark.parametrize("fault", ["json.encode(x)", "nowhere(x)"])
def test_what_a_function_is_certain_to_lack_is_repaired_before_anybody_calls_it(scene: Scene, fault: str) -> None:
    scene.advised = {"candidates": 1, "retries": 0}
    wrong = block(f"import json\ndef f(x):\n    y = x\n    return {fault}")
    right = block("import json\ndef f(x):\n    y = x\n    return json.dumps(y)")
    assert scene.ask(wrong, right, candidates=None, retries=None) == "done"
    assert scene["f"]([1]) == "[1]"
    kept = scene.client.sent[1].prefix.removeprefix("```python\n")
    assert kept.startswith(f"import json\ndef f(x):\n    y = x\n    # not: return {fault}\n    # The ")


def test_a_function_that_may_lack_something_and_says_so_is_left_alone(scene: Scene) -> None:
    assert scene.ask(block("def f():\n    try: return json.encode(1)\n    except Exception: return 0")) == "done"
    assert scene.count(events.Repairing) == 0


def test_no_retries_means_none(scene: Scene) -> None:
    assert scene.ask(block("a = 1/0"), block("a = 1"), retries=0) == "failed"
    assert scene.count(events.Written) == 1


def test_what_is_not_python_is_repaired_without_rehearsal(scene: Scene) -> None:
    assert scene.ask(block("x = = 1"), block("x = 1")) == "done"
    assert scene.count(events.Rehearsed) == 1
    assert scene["x"] == 1


def test_words_run_nothing(scene: Scene) -> None:
    assert scene.ask("The median is the middle.\n```python\nx = 1\n```") == "done"
    assert isinstance(scene.last, events.Words)
    assert "x" not in scene.shell.user_ns


def test_half_a_block_is_refused_with_a_sentence(scene: Scene) -> None:
    assert scene.ask("```python\nx = 1\ny = [1, 2,<cut>", max_tokens=9) == "failed"
    assert isinstance(scene.last, events.GaveUp)
    assert "--max-tokens" in scene.last.message
    assert "x" not in scene.shell.user_ns


@pytest.mark.parametrize("reply", ["", "  \n", "```python\n```", "```"])
def test_no_code_and_no_words_is_refused_with_a_sentence(scene: Scene, reply: str) -> None:
    with pytest.raises(LLMOSError, match="empty answer"):
        scene.ask(reply)
    assert scene.store.tasks()[-1].state == "failed"


@pytest.mark.parametrize(("said", "written"), [(True, True), (False, False), (None, False)])
def test_files_are_written_only_after_a_yes(scene: Scene, tmp_path: Path, said: bool | None, written: bool) -> None:
    target = tmp_path / "out.txt"
    assert scene.ask(block(f"open({str(target)!r}, 'w').write('x')"), say=said) == "done"
    question = next(event for event in scene.seen if isinstance(event, events.Question))
    assert "write files" in question.why
    assert "out.txt" in question.why
    assert target.exists() == written
    assert scene.count(events.Shown) == (not written)


def test_a_swallowed_refusal_still_wants_a_yes(scene: Scene, tmp_path: Path) -> None:
    code = f"try:\n    open({str(tmp_path / 'o')!r}, 'w').write('x')\nexcept OSError:\n    pass\nx = 1"
    scene.ask(block(code), say=None)
    assert scene.count(events.Question) == 1
    assert "x" not in scene.shell.user_ns


@pytest.mark.parametrize(
    "code", ["import subprocess; subprocess.run(['true'])", "import socket; socket.socket()", "!true"]
)
def test_processes_and_network_want_a_yes(scene: Scene, code: str) -> None:
    scene.ask(block(code), say=None)
    assert scene.count(events.Question) == 1
    assert scene.count(events.Running) == 0


def test_reading_under_the_working_directory_needs_no_yes(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.moved(tmp_path, monkeypatch)
    (tmp_path / "in.txt").write_text("hello")
    assert scene.ask(block("text = open('in.txt').read()\ntext")) == "done"
    assert scene["text"] == "hello"
    assert scene.count(events.Question) == 0


def test_reading_elsewhere_wants_a_yes(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    scene.moved(tmp_path / "here", monkeypatch)
    (tmp_path / "in.txt").write_text("hello")
    scene.ask(block("text = open('../in.txt').read()\ntext"), say=None)
    assert "text" not in scene.shell.user_ns
    assert scene.count(events.Question) == 1


def test_what_may_be_read_is_read_in_the_sandbox_and_what_comes_to_light_is_asked(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("here", "first", "other"):
        (tmp_path / name).mkdir()
    scene.moved(tmp_path / "here", monkeypatch)
    (tmp_path / "first" / "next.txt").write_text(str(tmp_path / "other" / "in.txt"))
    (tmp_path / "other" / "in.txt").write_text("hello")
    code = "path = open('../first/next.txt').read()\ntext = open(path).read()\ntext"
    assert scene.ask(block(code), say=True) == "done"
    assert scene["text"] == "hello"
    why = [event.why for event in scene.seen if isinstance(event, events.Question)]
    assert why == [f"it wants to read files ({tmp_path}/{name})" for name in ("first/next.txt", "other/in.txt")]
    # What was granted once is not asked again, and is open from the start.
    scene.ask(block("again = open('../other/in.txt').read()"), say=None)
    assert scene.count(events.Question) == 0
    assert scene["again"] == "hello"


def test_a_file_that_the_code_was_kept_from_is_asked_for_also_where_it_swallows_that(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    scene.moved(tmp_path / "here", monkeypatch)
    (tmp_path / "in.txt").write_text("hello")
    code = "import readline\ntry:\n    readline.read_history_file('../in.txt')\nexcept Exception as e:\n    print(e)"
    scene.ask(block(code), say=None)
    assert scene.count(events.Question) == 1
    assert scene.count(events.Running) == 0


def test_a_yes_to_reading_shows_that_the_code_does_not_work(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    scene.moved(tmp_path / "here", monkeypatch)
    (tmp_path / "in.txt").write_text("hello")
    assert scene.ask(block("number = int(open('../in.txt').read())"), say=True) == "failed"
    assert isinstance(scene.last, events.GaveUp)
    assert scene.count(events.Running) == 0


def test_ask_mode_asks_also_for_harmless_code(scene: Scene) -> None:
    assert scene.ask(block("x = 1"), say=False, mode="ask") == "done"
    assert "x" not in scene.shell.user_ns
    assert scene.ask(block("x = 1"), say=True, mode="ask") == "done"
    assert scene["x"] == 1


def test_show_mode_rehearses_repairs_and_never_runs(scene: Scene) -> None:
    assert scene.ask(block("x = 1/0"), block("x = 1"), mode="show", say=True) == "done"
    assert isinstance(scene.last, events.Shown)
    assert scene.last.code == "x = 1"
    assert "x" not in scene.shell.user_ns


def test_long_code_runs_once_and_tells_what_it_prints(scene: Scene) -> None:
    scene.shell.user_ns["n"] = 0
    code = "import time\nfor i in range(4):\n    print('step', i)\n    time.sleep(0.5)\nn += 1"
    assert scene.ask(block(code), budget=0.5) == "done"
    assert scene["n"] == 1
    (rehearsed,) = [event.rehearsal for event in scene.seen if isinstance(event, events.Rehearsed)]
    assert rehearsed.status == "passed"
    told = [event for event in scene.seen if isinstance(event, events.StillRunning)]
    assert told
    assert all(event.seconds >= 1 and event.printed.startswith("step 0\nstep 1\n") for event in told)
    assert told[-1].printed.endswith("step 3\n")
    assert scene.count(events.Written) == scene.count(events.Rehearsing) == 1


def test_a_loop_without_an_end_keeps_its_budget(scene: Scene) -> None:
    assert scene.ask(block("n = 0\nwhile True:\n    n += 1"), budget=0.5, retries=0) == "failed"
    rehearsed = next(event for event in scene.seen if isinstance(event, events.Rehearsed))
    assert rehearsed.rehearsal.status == "unfinished"
    assert rehearsed.rehearsal.seconds == 0.5
    assert "n" not in scene.shell.user_ns


def test_running_code_does_not_take_the_models_time_for_a_repair(scene: Scene) -> None:
    assert scene.ask(block("import time\ntime.sleep(1.5)\nx = 1/0"), block("x = 1"), timeout=100) == "done"
    (first, began), (second, went_on) = scene.client.left
    assert (went_on - began) - (first - second) >= 1.5


def test_an_interrupt_of_running_code_ends_the_answer(scene: Scene) -> None:
    pressed: list[float] = []

    def press() -> None:
        pressed.append(time.monotonic())
        signal.raise_signal(signal.SIGINT)

    timer = threading.Timer(2.0, press)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            scene.ask(block("x = 1\nsum(range(10**13))"))
    finally:
        timer.cancel()
    assert time.monotonic() - pressed[0] < 10
    task = scene.store.tasks()[-1]
    assert (task.state, task.reason) == ("cancelled", "interrupted")
    assert "x" not in scene.shell.user_ns


@pytest.mark.parametrize(
    "code", ["import os; os._exit(3)", "import os; os.kill(os.getpid(), 9)", "import os; os.abort()"]
)
def test_code_that_ends_the_kernel_is_never_run_unasked(scene: Scene, code: str) -> None:
    assert scene.ask(block(code), block(code), say=None) in ("done", "failed")
    assert scene.count(events.Running) == 0


def test_what_the_run_raises_after_a_yes_is_reported_and_the_task_failed(scene: Scene, tmp_path: Path) -> None:
    code = f"open({str(tmp_path / 'o')!r}, 'w').write('x')\nraise ValueError('late')"
    assert scene.ask(block(code), say=True) == "failed"
    ran = next(event for event in scene.seen if isinstance(event, events.Ran))
    assert ran.run.error is not None
    assert (ran.run.error.type, ran.run.error.line) == ("ValueError", 2)


def test_changes_are_told_by_name_and_kind(scene: Scene) -> None:
    scene.shell.run_cell("old = 1\nitems = [1]\ngone = 2\nsame = 'x'", store_history=True)
    scene.ask(block("new = 3\nold = 4\nitems.append(2)\ndel gone"))
    ran = next(event for event in scene.seen if isinstance(event, events.Ran))
    assert {(change.name, change.kind) for change in ran.run.changes} == {
        ("new", "created"),
        ("old", "rebound"),
        ("items", "mutated"),
        ("gone", "deleted"),
    }


def test_leaving_the_loop_early_cancels_the_task(scene: Scene) -> None:
    client = Scripted(scene.store, [block("x = 1")])
    session = Session(id="s", pid=os.getpid(), started=psutil.Process().create_time())
    steps = Loop(scene.shell, client, scene.context, session, scene.rights, rehearsal_budget=5).answer(
        "x", Options(), 8192
    )
    while not isinstance(next(steps), events.Writing):
        pass
    steps.close()
    assert scene.store.tasks()[-1].state == "cancelled"
    assert "x" not in scene.shell.user_ns


def test_await_at_top_level_works(scene: Scene) -> None:
    assert scene.ask(block("import asyncio\nawait asyncio.sleep(0.01)\nx = 5\nx")) == "done"
    assert scene["x"] == 5


# --- several candidates -----------------------------------------------------------------------


SLOW = block("import time\ntime.sleep(1.2)\nx = 'slow'")


def test_candidates_beside_the_first_are_not_waited_for(scene: Scene) -> None:
    doubtful = block("import numpy as np\nx = 'quick'\nnp.nan")
    assert scene.ask(doubtful, SLOW, SLOW.replace("slow", "slower"), candidates=3, budget=0.5) == "done"
    assert scene["x"] == "quick"
    assert scene.count(events.StillRunning) == 0


def test_the_only_one_that_may_work_runs_to_its_end_then(scene: Scene) -> None:
    assert scene.ask(block("1/0"), SLOW, block("[][1]"), candidates=3, retries=0, budget=0.5) == "done"
    assert scene["x"] == "slow"
    statuses = [event.rehearsal.status for event in scene.seen if isinstance(event, events.Rehearsed)]
    assert statuses == ["failed", "passed"]


def test_what_fails_late_gives_way_to_the_next(scene: Scene) -> None:
    late = SLOW.replace("x = 'slow'", "raise ValueError('late')")
    assert scene.ask(block("1/0"), late, SLOW, candidates=3, retries=0, budget=0.5) == "done"
    assert scene["x"] == "slow"


def test_candidates_beside_may_take_twice_what_the_first_took() -> None:
    def took(seconds: float) -> Draft:
        return Draft(Candidate(text=""), "", True, 0, rehearsal=Rehearsal(status="passed", seconds=seconds))

    assert strategy.beside_seconds([took(0.1)], 5) == 5
    assert strategy.beside_seconds([took(9), took(2)], 5) == 18
    assert strategy.beside_seconds([took(900)], 5) == strategy.MOST_BESIDE
    assert strategy.beside_seconds([Draft(Candidate(text=""), "", True, 0)], 5) == 5


def test_the_outcome_most_candidates_agree_on_is_chosen(scene: Scene) -> None:
    scene.shell.user_ns["df"] = pd.DataFrame({"weight": [1.0, 3.0, 8.0]})
    odd, one, two = block("r = df['weight'].sum()\nr"), block("r = df['weight'].mean()\nr"), block("df.weight.mean()")
    assert scene.ask(odd, one, two, candidates=3) == "done"
    assert scene["r"] == 4.0
    assert any(isinstance(event, events.Chosen) and "2 of 3" in event.why for event in scene.seen)


def test_candidates_are_read_from_one_prompt_and_end_early_when_they_agree(scene: Scene) -> None:
    same = [block("r = 2\nr"), block("s = 1 + 1\ns"), block("raise ValueError"), block("t = 9\nt")]
    assert scene.ask(*same, candidates=4) == "done"
    assert [generation.n for generation in scene.client.sent] == [1, 3]
    assert scene.client.sent[0].messages == scene.client.sent[1].messages
    assert len(scene.client.replies) == 2
    assert scene["r"] == 2
    assert "s" not in scene.shell.user_ns


def test_of_candidates_that_differ_the_one_is_chosen_that_the_model_says_yes_to(scene: Scene) -> None:
    scene.text = "the second of three"
    differing = [block("r = 1\nr"), block("r = 2\nr"), block("raise ValueError"), block("r = 3\nr")]
    assert scene.ask(*differing, "no", "yes", "no", candidates=4) == "done"
    assert scene["r"] == 2
    chosen = next(event for event in scene.seen if isinstance(event, events.Chosen))
    assert chosen.why == "no two of 4 candidates came to the same; of this one the model says yes, 90% likely"
    *_, request, code, result = scene.client.sent[3].messages
    assert "the second of three" in request.content
    assert code.content == block("r = 2\nr")
    assert result.content.startswith("It gives:\n2\n")
    assert scene.client.sent[3].grammar == 'root ::= "yes" | "no"\n'
    # Nobody is shown the words of it.
    assert not [event for event in scene.seen if isinstance(event, events.Writing) and event.text in ("yes", "no")]


def test_where_one_works_or_two_agree_the_model_is_not_asked_which_is_right(scene: Scene) -> None:
    assert scene.ask(block("r = 1\nr"), block("r = 2\nr"), block("s = 1 + 1\ns"), candidates=3) == "done"
    assert scene.ask(block("r = 1\nr"), block("raise ValueError"), block("raise KeyError"), candidates=3) == "done"
    assert [generation.n for generation in scene.client.sent] == [1, 2]


def test_after_a_failure_others_are_tried_before_the_user_sees_any(scene: Scene) -> None:
    replies = [block("r = undefined_thing"), block("r = 1 / 0"), block("r = 5\nr"), block("r = [][0]")]
    assert scene.ask(*replies, candidates=None) == "done"
    assert scene["r"] == 5
    assert scene.count(events.Running) == 1


def test_an_answer_that_shows_nothing_is_compared_with_others(scene: Scene) -> None:
    replies = [block("pass"), "1. one step\n", block("r = 3\nr"), block("q = 3\nq")]
    assert scene.ask(*replies, candidates=None) == "done"
    assert scene["r"] == 3


@pytest.mark.parametrize("first", ["df['b'] = df['b'].fillna('')", "df.sum()"])
def test_an_answer_that_changes_nothing_or_joins_texts_is_compared_with_others(scene: Scene, first: str) -> None:
    scene.shell.user_ns["df"] = pd.DataFrame({"a": [1, 2], "b": ["n/a", "x"]})
    right = "df['b'] = df['b'].replace('n/a', '')"
    assert scene.ask(block(first), block(right), block(right), candidates=None) == "done"
    assert scene["df"].b.tolist() == ["", "x"]
    assert "Mind:" in scene.client.sent[1].messages[-1].content


def test_what_the_data_say_against_an_answer_is_told_with_it(scene: Scene) -> None:
    scene.shell.user_ns["df"] = pd.DataFrame({"a": [1, 2], "b": ["n/a", "x"]})
    assert scene.ask(block("df['b'] = df['b'].fillna('')")) == "done"
    (noted,) = [event.text for event in scene.seen if isinstance(event, events.Noted)]
    assert "`df` is the same as before" in noted


def test_a_label_that_is_not_there_is_no_name_for_the_result(scene: Scene) -> None:
    scene.shell.user_ns["df"] = pd.DataFrame({"a": [1, 2]})
    scene.text = "mean of not_here in df"
    assert scene.ask(block("df['not_here'].mean()"), block("mean = df['a'].mean()\nmean")) == "done"
    assert scene["mean"] == 1.5
    assert "not_here" not in scene.shell.user_ns


MADE_UP = "The mean of a is 47.3."


def test_words_with_figures_that_nothing_computed_are_computed(scene: Scene) -> None:
    scene.shell.user_ns["df"] = pd.DataFrame({"a": [1, 2], "b": ["n/a", "x"]})
    scene.text = "what is the mean of a in df?"
    assert scene.ask(MADE_UP, block("mean = df.a.mean()\nmean")) == "done"
    assert scene["mean"] == 1.5
    assert scene.count(events.Words) == 0
    assert scene.client.sent[1].grammar == prompts.CODE_GRAMMAR


def test_where_they_cannot_be_computed_the_words_are_told_with_a_warning(scene: Scene) -> None:
    scene.shell.user_ns["df"] = pd.DataFrame({"a": [1, 2], "b": ["n/a", "x"]})
    scene.text = "what is the mean of a in df?"
    assert scene.ask(MADE_UP, block("1 / 0")) == "done"
    noted, words = scene.seen[-2:]
    assert isinstance(noted, events.Noted)
    assert "47.3" in noted.text
    assert isinstance(words, events.Words)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ("what is a mean?", "A mean of 12 and 14 is 13."),
        ("what does df hold?", "It has 2 rows and the columns a and b."),
    ],
)
def test_other_words_stay_words(scene: Scene, request_: str, words: str) -> None:
    scene.shell.user_ns["df"] = pd.DataFrame({"alpha": [1, 2], "beta": ["n/a", "x"]})
    scene.text = request_
    assert scene.ask(words) == "done"
    assert isinstance(scene.last, events.Words)


def question(scene: Scene, text: str) -> None:
    scene.shell.user_ns["ages"] = {"ann": 31, "bob": 25, "cy": 40}
    scene.shell.user_ns["heights"] = pd.Series([1.6, 1.9, 1.7])
    scene.text = text


def runs(scene: Scene) -> list[str]:
    records = [stored.record for stored in scene.store.trace("1").records]
    return [record.code for record in records if isinstance(record, RunRecord)]


def test_what_has_one_meaning_is_mended_and_told(scene: Scene) -> None:
    scene.shell.user_ns["df"] = pd.DataFrame({"Body Mass": [1.0, 3.0]})
    assert scene.ask(block("total = np.sum(df['body_mass'])\ntotal")) == "done"
    assert scene["total"] == 4.0
    told = [f.message for event in scene.seen if isinstance(event, events.Inspected) for f in event.findings]
    assert any("import numpy as np" in message for message in told)
    assert any("'Body Mass'" in message for message in told)
    assert "Body Mass" in scene.context.messages()[-1].content


def test_a_name_that_two_columns_could_mean_is_not_mended(scene: Scene) -> None:
    scene.shell.user_ns["df"] = pd.DataFrame({"price_1": [1.0], "price_2": [2.0]})
    assert scene.ask(block("df['price_3'].sum()"), retries=0) == "failed"


# --- undo, replay, privacy, the guard ---------------------------------------------------------


def test_a_run_can_be_undone_in_place(scene: Scene) -> None:
    df = scene.shell.user_ns["df"] = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    scene.ask(block("df['a'] = 0\ndel df['b']\nc = 1"))
    assert list(df.columns) == ["a"]
    said = scene.rights.history.undo(scene.shell)
    assert scene["df"] is df
    assert df.to_dict("list") == {"a": [1, 2], "b": [3, 4]}
    assert "c" not in scene.shell.user_ns
    assert any("df" in sentence for sentence in said)


def test_a_run_that_failed_half_way_can_be_undone(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.shell.user_ns |= {"log": [1], "first": [True]}
    # A generator cannot be committed, so it runs here; and what happens only outside the copy cannot be foreseen.
    late = f"if os.getpid() == {os.getpid()}:\n    raise ValueError('late')"
    code = f"import os\nlog.append(2)\ni = (n for n in [1])\n{late}"
    assert scene.ask(block(code), say=True) == "failed"
    assert any("in the notebook itself" in event.why for event in scene.seen if isinstance(event, events.Question))
    assert scene["log"] == [1, 2]
    scene.rights.history.undo(scene.shell)
    assert scene["log"] == [1]


def test_stop_while_effects_are_committed_or_undone_leaves_no_half(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = ListKind.put
    log = scene.shell.user_ns["log"] = [1]

    def stopped(kind: object, obj: object, state: object) -> None:
        put(kind, obj, state)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(ListKind, "put", stopped)
    assert scene.ask(block("log.append(2)\nx = [3]")) == "done"
    assert (log, scene["x"]) == ([1, 2], [3])
    scene.rights.history.undo(scene.shell)  # stopped half way as well
    assert (log, "x" in scene.shell.user_ns) == ([1], False)


def test_files_written_with_a_yes_are_restored(scene: Scene, tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    target.write_text("old")
    scene.ask(block(f"open({str(target)!r}, 'w').write('new')"), say=True)
    assert target.read_text() == "new"
    scene.rights.history.undo(scene.shell)
    assert target.read_text() == "old"


def test_what_behaves_only_in_rehearsal_is_stopped_and_undone(scene: Scene, tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    code = (
        f"x = 1\nimport os\nw = 'w' + ''\nif os.getpid() == {os.getpid()}:\n    open({str(target)!r}, w).write('new')"
    )
    scene.ask(block(code), say=None)
    assert not target.exists()
    assert "x" not in scene.shell.user_ns


def test_the_same_notebook_again_needs_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMOS_DATA_DIR", str(tmp_path / "data"))
    first, second = Scene(tmp_path), Scene(tmp_path)
    for scene in (first, second):
        scene.recording = Recording(tmp_path / "n.llmos.json")
        scene.text = "the mean weight"
        scene.shell.user_ns["df"] = pd.DataFrame({"weight": [1.0, 3.0]})
    assert first.ask(block("m = df['weight'].mean()\nm")) == "done"
    assert second.ask() == "done"
    assert second["m"] == 2.0
    assert second.count(events.Rehearsed) == 1
    assert second.client.sent == []


def test_a_changed_context_or_fresh_asks_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMOS_DATA_DIR", str(tmp_path / "data"))
    scene = Scene(tmp_path)
    scene.recording = Recording(tmp_path / "n.llmos.json")
    scene.shell.user_ns["df"] = pd.DataFrame({"weight": [1.0, 3.0]})
    scene.ask(block("m = df['weight'].mean()\nm"))
    assert scene.ask(block("m = 5\nm"), fresh=True) == "done"
    assert scene["m"] == 5
    other = Scene(tmp_path)
    other.recording = scene.recording
    other.shell.user_ns["df"] = pd.DataFrame({"mass": [1.0]})
    other.recording.clear()
    other.ask(block("m = df['mass'].mean()\nm"))
    other.shell.user_ns["df"] = pd.DataFrame({"height": [1.0]})
    assert other.ask(block("h = df['height'].mean()\nh")) == "done"
    assert len(other.client.sent) == 1


def test_words_are_replayed_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMOS_DATA_DIR", str(tmp_path / "data"))
    first, second = Scene(tmp_path), Scene(tmp_path)
    for scene in (first, second):
        scene.recording = Recording(tmp_path / "n.llmos.json")
    first.ask("The median is the middle value.")
    assert second.ask() == "done"
    assert any(isinstance(event, events.Words) and "middle" in event.text for event in second.seen)


FOREIGN = "m = df['weight'].mean()\nm"


def foreign(scene: Scene, tmp_path: Path, code: str = FOREIGN, kind: str = "code") -> Recording:
    """A recording that came with somebody's repository answers the next request."""
    scene.text = "the mean weight"
    scene.shell.user_ns["df"] = pd.DataFrame({"weight": [1.0, 3.0]})
    file = tmp_path / "n.llmos.json"
    made = record(scene.text, Options(candidates=1), scene.shell.user_ns, kind=kind, answer=code, model="m")
    Recording(file, Signatures(tmp_path / "somebody else")).add(made)
    scene.recording = Recording(file, Signatures(tmp_path / "data"))
    return scene.recording


def test_code_of_a_foreign_recording_is_shown_where_nobody_can_be_asked(scene: Scene, tmp_path: Path) -> None:
    recording = foreign(scene, tmp_path)
    before = recording.file.read_bytes()
    assert scene.ask(say=None) == "done"
    assert scene.count(events.Question) == 1
    assert isinstance(scene.last, events.Shown)
    assert "did not record it" in scene.last.why
    assert scene.last.code == FOREIGN
    assert "m" not in scene.shell.user_ns
    assert recording.file.read_bytes() == before
    assert not (tmp_path / "data").exists()


def test_a_no_runs_nothing_and_asks_again(scene: Scene, tmp_path: Path) -> None:
    foreign(scene, tmp_path)
    for _ in range(2):
        assert scene.ask(say=False) == "done"
        assert scene.count(events.Question) == 1
        assert "m" not in scene.shell.user_ns


def test_a_yes_runs_a_foreign_recording_and_signs_it(scene: Scene, tmp_path: Path) -> None:
    foreign(scene, tmp_path)
    assert scene.ask(say=True) == "done"
    assert [event.foreign for event in scene.seen if isinstance(event, events.Replayed)] == [True]
    assert scene["m"] == 2.0
    del scene.shell.user_ns["m"]
    assert scene.ask(say=None) == "done"
    assert scene["m"] == 2.0
    assert scene.count(events.Question) == 0
    assert scene.client.sent == []


def test_a_yes_signs_also_what_then_fails(scene: Scene, tmp_path: Path) -> None:
    recording = foreign(scene, tmp_path, f"open({str(tmp_path / 'o')!r}, 'w')\nraise ValueError('late')")
    assert scene.ask(say=True) == "failed"
    answer = recording.find(scene.text, Options(), scene.shell.user_ns)
    assert answer is not None
    assert recording.signed(answer)


def test_a_trusted_file_is_asked_about_no_more(scene: Scene, tmp_path: Path) -> None:
    assert foreign(scene, tmp_path).trust() == 1
    assert scene.ask(say=None) == "done"
    assert scene["m"] == 2.0


def test_foreign_words_say_that_they_are(scene: Scene, tmp_path: Path) -> None:
    foreign(scene, tmp_path, "It is the middle.", kind="words")
    assert scene.ask(say=None) == "done"
    assert any(event.foreign for event in scene.seen if isinstance(event, events.Replayed))


def test_secrets_reach_neither_the_model_nor_the_store(scene: Scene, tmp_path: Path) -> None:
    scene.shell.user_ns |= {"password": "hunter2-Xq9", "db": "postgres://me:s3cr3t-Pw@host/db"}
    scene.text = "connect with password='tr0ub4dor-3'"
    scene.ask(block("x = 1"))
    sent = scene.client.sent[0].model_dump_json() + scene.store.trace("1").model_dump_json()
    for secret in ("hunter2-Xq9", "s3cr3t-Pw", "tr0ub4dor-3"):
        assert secret not in sent
    assert "masked" in sent


def test_the_secrets_in_a_users_cells_reach_neither_the_model_nor_the_store(scene: Scene, tmp_path: Path) -> None:
    hidden = ["Pa55w0rd1", "Pa55w0rd2", "Pa55w0rd3", "Pa55w0rd4", "a8f5f167f44f4964", "Pa55w0rd5", "CAESIJlU9JMYEhOP"]
    one, two, three, four, five, six, seven = hidden
    for cell in (
        f"import pandas as pd\nusers = pd.DataFrame({{'user': ['ann'], 'password': ['{one}']}})\nprint(users.to_csv())",
        f"conf = pd.DataFrame({{'name': ['db_password'], 'value': ['{two}']}})",
        f"creds = ('ann', '{three}')",
        f"dsn = 'host=h user=u password={four}'",
        f"login_url = 'https://api.x.com/v1?token={five}e998dee827110c'",
        f"raise ValueError('login failed for ann/{six}@orcl')",
        f"vault = 'hvs.{seven}v4igdhm9PnZDrabYTobQ4Ymnlq1qY'",
    ):
        scene.shell.run_cell(cell, store_history=True)
    scene.context.note_error(6, ValueError(f"login failed for ann/{six}@orcl"))
    scene.text = "show users and conf and creds and dsn and login_url and vault"
    scene.ask(block("print(users.to_csv(), conf, creds, dsn, login_url, vault)\nusers.to_json()"), retries=0)
    scene.text = "and now?"
    scene.ask(block("x = 1"))
    scene.store.close()
    sent = "".join(generation.model_dump_json() for generation in scene.client.sent)
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert "login_url" in sent
    for secret in hidden:
        assert secret not in sent
        assert secret.encode() not in kept


SAID, MADE = "v4ult-Xk9", "t0ken-Xk7"


@pytest.mark.parametrize(
    "code",
    [
        "print(users.to_json())",
        "print(users.to_csv())",
        "users.password.tolist()",
        "import textwrap\nprint(textwrap.fill('it is ' + users.password[0], 10))",
        "raise ValueError('no login for ann/' + users.password[0] + '@orcl')",
        "assert False, users.password[0]",
        "made = {'api key': users.password[0]}\nprint(made.values())",
        # Nothing of this was in the notebook before.
        "other = pd.DataFrame({'password': ['t0ken' + '-Xk7']})\nprint(other.password.tolist())",
        "other = pd.DataFrame({'password': ['t0ken' + '-Xk7']})\nassert False, other.password[0]",
    ],
)
def test_the_secrets_of_the_notebooks_objects_are_kept_nowhere(code: str, scene: Scene, tmp_path: Path) -> None:
    scene.shell.user_ns["users"] = pd.DataFrame({"user": ["ann"], "password": [SAID]})
    scene.recording = Recording(tmp_path / "lesson.llmos.json", Signatures(tmp_path / "signatures"))
    scene.ask(block(code), retries=0)
    scene.text = "and now?"
    scene.ask(block("x = 1"))
    scene.store.close()
    sent = "".join(generation.model_dump_json() for generation in scene.client.sent)
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"and now?" in kept
    for text in (sent.encode(), kept):
        for secret in (SAID, MADE):
            assert secret[:6].encode() not in text


def test_an_endless_reply_is_cut_short(scene: Scene) -> None:
    assert scene.ask("```python\n" + "x = x + 1\n" * 400, retries=0) == "failed"
    assert isinstance(scene.last, events.GaveUp)
    assert "over and over" in scene.last.message


def test_garbage_in_a_request_is_dropped(scene: Scene) -> None:
    scene.text = "do\x00 it \ud800 \x1b[31mnow 现在 🙂"
    assert scene.ask(block("x = 1")) == "done"
    assert "现在 🙂" in scene.client.sent[0].messages[-1].content
    scene.text = "\x00\x01"
    with pytest.raises(LLMOSError, match="readable"):
        scene.ask(block("x = 1"))


@pytest.mark.parametrize(
    ("request_text", "reply", "name"),
    [
        ("double them, call it twice_as_many", "d = [2]\nd", "twice_as_many"),
        ("the numbers as a list `kept`", "[n for n in (1, 2)]", "kept"),
        ("把结果保存为 all_counts", "c = {1: 2}\nc", "all_counts"),
    ],
)
def test_the_name_a_request_asks_for_is_given(scene: Scene, request_text: str, reply: str, name: str) -> None:
    scene.text = request_text
    assert scene.ask(block(reply)) == "done"
    assert name in scene.shell.user_ns


@pytest.mark.parametrize(
    "request_text", ["add a column called total", "write a function called f(x)", "group into bins"]
)
def test_other_names_are_left_alone(scene: Scene, request_text: str) -> None:
    scene.text = request_text
    scene.ask(block("r = 1\nr"))
    assert not {"total", "f", "bins"} & scene.shell.user_ns.keys()
