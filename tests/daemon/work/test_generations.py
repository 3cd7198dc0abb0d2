"""Generations in the real daemon with the real small model: who goes first, who gives way, and what goes on."""

from __future__ import annotations

import threading
import time
import uuid
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from llmos_jupyter.agent.answering.stream import resuming
from llmos_jupyter.agent.context import prompts
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.protocol import (
    Candidate,
    Done,
    Finish,
    Generation,
    Message,
    Options,
    Preempted,
    Request,
    Session,
    StepRecord,
    Task,
)
from tests.conftest import SMALL

pytestmark = pytest.mark.model

LONG = "Request: a class for a bank account with deposits, withdrawals, transfers and a history, with docstrings"
WORDY = [*prompts.opening(), Message(role="user", content=LONG)]
SHORT = [*prompts.opening(), Message(role="user", content="Request: what is a median?")]


@pytest.fixture(scope="module")
def client(shared_home: Path) -> DaemonClient:
    client = DaemonClient()
    client.load(SMALL)
    return client


def ask(client: DaemonClient, priority: int, notebook: str = "a") -> Task:
    # Each its own kernel: what a kernel asks later ends what it asked before.
    process = psutil.Process()
    session = Session(id=notebook + uuid.uuid4().hex, pid=process.pid, started=process.create_time())
    return client.submit(Request(id=uuid.uuid4().hex, text="x", options=Options(priority=priority), session=session))


def generation(messages: list[Message], tokens: int, grammar: str | None = prompts.GRAMMAR) -> Generation:
    return Generation(messages=messages, model=SMALL, max_tokens=tokens, grammar=grammar)


def whole(client: DaemonClient, task: Task, wanted: Generation) -> Candidate:
    """A generation to its end, over all interruptions."""
    before = Candidate(text="")
    while True:
        last = list(client.generate(task.id, wanted, deadline=time.monotonic() + 120))[-1]
        if isinstance(last, Done):
            return resuming.joined(before, last.candidate)
        assert isinstance(last, Preempted), last
        before = resuming.joined(before, last.written[0])
        wanted = resuming.continued(wanted, before)


def steps(client: DaemonClient, task: Task) -> list[StepRecord]:
    return client.steps(task=task.id)


def test_a_background_generation_gives_way_and_goes_on_where_it_was(client: DaemonClient) -> None:
    quiet = whole(client, ask(client, 0), generation(WORDY, 120))
    assert quiet.timings.tokens > 100

    background, found = ask(client, 0), []
    writing = threading.Event()

    def write() -> None:
        with closing(DaemonClient(start=False)) as own:
            items = own.generate(background.id, generation(WORDY, 120), deadline=time.monotonic() + 120)
            count, last = 0, None
            for item in items:
                count += item.type == "token"
                if count == 20:
                    writing.set()
                last = item
            assert isinstance(last, Preempted), last
            found.append(last.written[0])
            rest = resuming.continued(generation(WORDY, 120), last.written[0])
            found.append(resuming.joined(last.written[0], whole(own, background, rest)))

    thread = threading.Thread(target=write)
    thread.start()
    assert writing.wait(60)
    urgent = ask(client, 100)
    answer = whole(client, urgent, generation(SHORT, 20))
    thread.join(120)
    assert answer.text
    part, all_ = found
    assert 20 <= part.timings.tokens < quiet.timings.tokens
    # The same words as if nobody had come in between, and hardly a token of them was read again.
    assert all_.text == quiet.text
    assert all_.timings.prompt_tokens - all_.timings.cached_tokens <= 4
    assert all_.confidence is not None
    assert quiet.confidence is not None
    assert abs(all_.confidence - quiet.confidence) < 0.05

    (paused,), (first,) = steps(client, background), steps(client, urgent)
    assert [paused.state, first.state] == ["done", "done"]
    assert len(paused.spans) == 2
    assert len(first.spans) == 1
    assert paused.spans[0].end is not None
    assert first.spans[0].end is not None
    assert paused.spans[0].end <= first.spans[0].start <= first.spans[0].end <= paused.spans[1].start
    assert "class low" in paused.why
    assert "waited" in paused.why


def test_what_gave_way_and_is_not_asked_for_again_leaves_the_queue(client: DaemonClient) -> None:
    background, last = ask(client, 0), []

    def write() -> None:
        with closing(DaemonClient(start=False)) as own:
            last.extend(own.generate(background.id, generation(WORDY, 220), deadline=time.monotonic() + 120))

    thread = threading.Thread(target=write)
    thread.start()
    until = time.monotonic() + 60
    while not any(step.spans for step in steps(client, background)) and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.5)
    whole(client, ask(client, 100), generation(SHORT, 10))
    thread.join(60)
    assert last[-1].type == "preempted"
    assert steps(client, background)[0].state == "paused"
    client.finish(background.id, Finish(state="cancelled", reason="its kernel was interrupted"))
    assert steps(client, background)[0].state == "cancelled"


def test_what_waits_goes_by_its_class_and_the_waiting_are_told_why(client: DaemonClient) -> None:
    order: list[int] = []
    waited: list[str] = []
    first = ask(client, 100)

    def run(task: Task, priority: int) -> None:
        with closing(DaemonClient(start=False)) as own:
            for item in own.generate(task.id, generation(SHORT, 30, None), deadline=time.monotonic() + 120):
                if item.type == "progress" and item.phase == "waiting" and item.detail:
                    waited.append(item.detail)
            order.append(priority)

    with closing(client.generate(first.id, generation(WORDY, 150), deadline=time.monotonic() + 120)) as items:
        for item in items:
            if item.type == "token":
                break
        threads = [threading.Thread(target=run, args=(ask(client, p, str(p)), p)) for p in (0, 50)]
        for thread in threads:
            thread.start()
            time.sleep(0.3)
        for _ in items:
            pass
    for thread in threads:
        thread.join(120)
    assert order == [50, 0]
    assert any("more urgent" in why for why in waited), waited


def test_a_task_that_is_cancelled_while_it_waits_leaves_the_queue(client: DaemonClient) -> None:
    first, second = ask(client, 100), ask(client, 0)
    last = []

    def run() -> None:
        with closing(DaemonClient(start=False)) as own:
            last.extend(own.generate(second.id, generation(SHORT, 30), deadline=time.monotonic() + 60))

    with closing(client.generate(first.id, generation(WORDY, 120), deadline=time.monotonic() + 120)) as items:
        next(item for item in items if item.type == "token")
        thread = threading.Thread(target=run)
        thread.start()
        time.sleep(0.5)
        with closing(DaemonClient(start=False)) as own:
            assert own.cancel(second.id).state == "cancelled"
        thread.join(10)
    assert last[-1].type == "cancelled"
    assert steps(client, second)[0].state == "cancelled"


CODE = 'def half(n):\n    """Half of n, `n` a number."""\n    return n / 2\n\nhalf(8)'


@pytest.mark.parametrize("cut", [0, 3, 10, 11, 14, 15, 40, 44, 76, 84, 85, 86])
def test_a_reply_goes_on_from_wherever_it_was_cut(client: DaemonClient, cut: int) -> None:
    reply = prompts.code_block(CODE)
    assert cut < len(reply)
    rest = resuming.continued(generation(WORDY, 24, prompts.CODE_GRAMMAR), Candidate(text=reply[:cut]))
    text = whole(client, ask(client, 100), rest).text
    assert text.startswith(reply[:cut])
    read = prompts.read_reply(text)
    assert read.kind == "code", text


def test_words_that_were_cut_stay_words(client: DaemonClient) -> None:
    for written in ("A median", "The call `"):
        rest = resuming.continued(generation(SHORT, 20), Candidate(text=written))
        text = whole(client, ask(client, 100), rest).text
        assert text.startswith(written)
        assert prompts.read_reply(text).kind == "words"
