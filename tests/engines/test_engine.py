"""The real engine with the real small model, through the daemon."""

from __future__ import annotations

import os
import signal
import time
import uuid
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from llmos_jupyter import config
from llmos_jupyter.agent.context import prompts
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import CandidateRecord, Done, Generation, Message, Request, Session, StreamItem, Task
from tests.conftest import SMALL

pytestmark = pytest.mark.model

STORY = [Message(role="user", content="Tell a very long story about a lighthouse keeper.")]


@pytest.fixture
def client(shared_home: Path) -> DaemonClient:
    return DaemonClient()


@pytest.fixture
def task(client: DaemonClient) -> Task:
    session = Session(id=uuid.uuid4().hex, pid=os.getpid(), started=psutil.Process().create_time())
    return client.submit(Request(id=uuid.uuid4().hex, text="a story", session=session))


def generation(messages: list[Message] = STORY, max_tokens: int = 400, grammar: str | None = None) -> Generation:
    return Generation(messages=messages, model=SMALL, max_tokens=max_tokens, grammar=grammar)


def finish(items: list[StreamItem]) -> Done:
    last = items[-1]
    assert isinstance(last, Done), last
    return last


def soon(seconds: float = 300.0) -> float:
    return time.monotonic() + seconds


def busy(client: DaemonClient) -> int:
    engine = client.status().engine
    assert engine is not None
    return engine.busy_slots


def test_tokens_come_one_by_one_and_the_candidate_is_stored(client: DaemonClient, task: Task) -> None:
    items = list(client.generate(task.id, generation(max_tokens=20), deadline=soon()))
    done = finish(items)
    tokens = [item.text for item in items if item.type == "token"]
    assert len(tokens) > 10
    assert "".join(tokens) == done.candidate.text
    assert done.candidate.finish == "length"
    assert done.candidate.timings.tokens == 20
    records = [stored.record for stored in client.trace(task.id).records]
    assert records[1:] == [CandidateRecord(round=0, candidate=done.candidate)]
    assert "strategy" in records[0].model_dump_json()


def test_a_prompt_seen_before_is_not_read_again(client: DaemonClient, task: Task) -> None:
    messages = [Message(role="user", content="Numbers: " + " ".join(map(str, range(200))))]
    finish(list(client.generate(task.id, generation(messages, 4), deadline=soon())))
    longer = [*messages, Message(role="assistant", content="Yes."), Message(role="user", content="Go on.")]
    timings = finish(list(client.generate(task.id, generation(longer, 4), deadline=soon()))).candidate.timings
    assert timings.prompt_tokens - timings.cached_tokens < 40 < timings.cached_tokens


def test_warming_reads_the_prompt_beforehand(client: DaemonClient, task: Task) -> None:
    messages = [Message(role="user", content="Words: " + "tree house river " * 100)]
    assert client.warm(messages, SMALL)
    timings = finish(list(client.generate(task.id, generation(messages, 4), deadline=soon()))).candidate.timings
    assert timings.cached_tokens > 300


def test_the_grammar_ends_a_reply_with_its_code_block(client: DaemonClient, task: Task) -> None:
    messages = [*prompts.opening(), prompts.request_message("", "print hello")]
    text = finish(
        list(client.generate(task.id, generation(messages, 200, prompts.GRAMMAR), deadline=soon()))
    ).candidate.text
    assert text.startswith("```python\n")
    assert text.endswith("\n```")
    assert prompts.read_reply(text).kind == "code"


def test_hanging_up_stops_the_engine(client: DaemonClient, task: Task) -> None:
    with closing(client.generate(task.id, generation(max_tokens=3000), deadline=soon())) as items:
        for item in items:
            if item.type == "token":
                break
    left = time.monotonic()
    while busy(client):
        assert time.monotonic() - left < 2.0
        time.sleep(0.05)
    # What was written until then is kept.
    kept = [stored.record for stored in client.trace(task.id).records]
    assert [record.candidate.finish for record in kept if isinstance(record, CandidateRecord)] == ["cancelled"]


def test_cancelling_from_elsewhere_ends_the_stream(client: DaemonClient, task: Task) -> None:
    items = client.generate(task.id, generation(max_tokens=3000), deadline=soon())
    while next(items).type != "token":
        pass
    assert DaemonClient().cancel(str(task.number)).state == "cancelled"
    assert list(items)[-1].type == "cancelled"
    assert list(client.generate(task.id, generation(), deadline=soon()))[-1].type == "cancelled"


def test_an_engine_killed_in_mid_answer_is_restarted_and_the_answer_begun_anew(
    client: DaemonClient, task: Task
) -> None:
    items = client.generate(task.id, generation(max_tokens=60), deadline=soon())
    while next(items).type != "token":
        pass
    engine = client.status().engine
    assert engine is not None
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGKILL)
    rest = list(items)
    assert any(item.type == "progress" and item.phase == "restarting" for item in rest)
    assert finish(rest).candidate.timings.tokens == 60
    after = client.status().engine
    assert after is not None
    assert after.restarts == engine.restarts + 1
    assert after.pid != engine.pid


def test_a_daemon_killed_in_mid_answer_is_started_and_asked_again(client: DaemonClient, task: Task) -> None:
    items = client.generate(task.id, generation(max_tokens=60), deadline=soon())
    while next(items).type != "token":
        pass
    status = client.status()
    engine = status.engine
    assert engine is not None
    os.kill(status.pid, signal.SIGKILL)
    rest = list(items)
    assert any(item.type == "progress" and item.phase == "restarting" for item in rest)
    assert finish(rest).candidate.timings.tokens == 60
    assert client.status().pid != status.pid
    # The engine did not outlive its daemon.
    assert engine.pid is not None
    assert not psutil.pid_exists(engine.pid)


def test_two_clients_share_one_engine(client: DaemonClient, task: Task) -> None:
    session = Session(id=uuid.uuid4().hex, pid=os.getpid(), started=psutil.Process().create_time())
    other = DaemonClient().submit(Request(id=uuid.uuid4().hex, text="other", session=session))
    first = client.generate(task.id, generation(max_tokens=40), deadline=soon())
    while next(first).type != "token":
        pass
    second = DaemonClient().generate(other.id, generation(max_tokens=20), deadline=soon())
    while next(second).type != "token":
        pass
    assert busy(client) == 2
    finish(list(first))
    finish(list(second))
    engines = [
        p
        for p in psutil.process_iter(["cmdline"])
        if "llmos_jupyter.engines.starting.llama_cpp_server" in (p.info["cmdline"] or [])
    ]
    assert len([p for p in engines if p.ppid() == client.status().pid]) == 1


def test_a_request_longer_than_the_model_can_read_gets_a_sentence(client: DaemonClient, task: Task) -> None:
    messages = [Message(role="user", content="word " * 20_000)]
    last = list(client.generate(task.id, generation(messages, 10), deadline=soon()))[-1]
    assert last.type == "failure"
    assert "shorten" in last.message


def test_a_damaged_model_file_gets_a_sentence(client: DaemonClient, task: Task, tmp_path: Path) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"GGUF" + os.urandom(4000))
    asked = Generation(messages=STORY, model=str(bad), max_tokens=5)
    last = list(client.generate(task.id, asked, deadline=soon()))[-1]
    assert last.type == "failure"
    assert "\n" not in last.message


def test_an_unknown_model_gets_a_sentence_with_near_names(client: DaemonClient, task: Task) -> None:
    asked = Generation(messages=STORY, model="qwen2.5-codr-1.5b", max_tokens=5)
    last = list(client.generate(task.id, asked, deadline=soon()))[-1]
    assert last.type == "failure"
    assert "qwen2.5-coder-1.5b" in last.message


def test_what_cannot_fit_is_not_loaded(client: DaemonClient, task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmos_jupyter.engines import catalogue, download
    from llmos_jupyter.engines.selection import Machine
    from llmos_jupyter.engines.starting import placement

    model = catalogue.resolve(SMALL)
    path = download.ensure(model)
    with pytest.raises(LLMOSError, match="close something and try again"):
        placement.launch(model, path, Machine(ram_total=2**30, ram_available=2**28, cores=2), 2, 8192)


def test_an_idle_model_is_unloaded_and_loaded_again_when_wanted(client: DaemonClient, task: Task) -> None:
    config.change("unload_after=0.5")
    try:
        finish(list(client.generate(task.id, generation(max_tokens=4), deadline=soon())))
        waiting = time.monotonic()
        while client.status().engine is not None:
            assert time.monotonic() - waiting < 20
            time.sleep(0.2)
    finally:
        config.change("unload_after=900")
    finish(list(client.generate(task.id, generation(max_tokens=4), deadline=soon())))
