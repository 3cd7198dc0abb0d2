"""How things stand, told live; the queue and the history in windows; places and thumbs. A real daemon, no model."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from llmos_jupyter.daemon import lifecycle
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Options, Pulse, Request, Task
from llmos_jupyter.protocol.jobs import Job
from tests.daemon.test_lifecycle import me
from tests.daemons import emptied


@pytest.fixture
def client(shared_home: Path) -> Iterator[DaemonClient]:
    lifecycle.find_or_start()
    client = DaemonClient(start=False)
    yield client
    client.close()
    emptied(me().id)


def background(client: DaemonClient, code: str, **options: object) -> Task:
    name = uuid.uuid4().hex
    given = Options.model_validate({"background": True, **options})
    return client.submit_job(
        Request(id=name, kind="run", text=code, options=given, session=me()), Job(id=name, code=code)
    )


def asked(client: DaemonClient, text: str) -> Task:
    return client.submit(Request(id=uuid.uuid4().hex, text=text, session=me()))


def numbers(client: DaemonClient, limit: int = 50, offset: int = 0) -> list[int]:
    return [one.task.number for one in client.queue(limit, offset)]


class Watch:
    """Reads pulses in a thread."""

    def __init__(self) -> None:
        self.pulses: list[Pulse] = []
        self._client = DaemonClient(start=False)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for pulse in self._client.live():
            self.pulses.append(pulse)

    def until(self, seconds: float, **wanted: int) -> Pulse:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for pulse in self.pulses[-1:]:
                if all(getattr(pulse, name) == value for name, value in wanted.items()):
                    return pulse
            time.sleep(0.02)
        raise AssertionError(f"{wanted} not seen: {self.pulses[-1:]}")


def test_a_pulse_comes_at_once_and_when_something_changes(client: DaemonClient) -> None:
    watches = [Watch(), Watch()]
    before = [watch.until(5, running=0, waiting=0) for watch in watches]
    task = background(client, "import time\ntime.sleep(30)")
    for watch, first in zip(watches, before, strict=True):
        pulse = watch.until(20, running=1)
        assert pulse.revision > first.revision
        assert pulse.daemon == first.daemon
        assert abs(pulse.at - time.time()) < 5
    client.cancel(str(task.number))
    for watch in watches:
        watch.until(20, running=0, waiting=0)


def test_nothing_new_is_said_slowly_and_the_same_to_all(client: DaemonClient) -> None:
    watches = [Watch() for _ in range(5)]
    time.sleep(3.5)
    for watch in watches:
        assert 2 <= len(watch.pulses) <= 8  # at once, then once a second, and what else the daemon had to say
    assert len({watch.pulses[-1].revision for watch in watches}) == 1


def test_the_live_stream_needs_the_token(shared_home: Path) -> None:
    info = lifecycle.find_or_start()
    assert httpx.get(f"http://127.0.0.1:{info.port}/v1/live", trust_env=False).status_code == 401


def test_a_daemon_that_goes_away_ends_the_stream(client: DaemonClient) -> None:
    pulses = DaemonClient(start=False).live()
    next(pulses)
    lifecycle.stop()
    assert all(isinstance(pulse, Pulse) for pulse in pulses)


def test_the_queue_is_read_in_windows(client: DaemonClient) -> None:
    hold = background(client, "import time\ntime.sleep(60)")
    waiting = [background(client, f"{i}", after=[str(hold.number)]) for i in range(30)]
    assert numbers(client, 5) == [hold.number, *(task.number for task in waiting[:4])]
    window = client.queue(10, 25)
    assert [one.task.number for one in window] == [task.number for task in waiting[24:]]
    assert window[0].more == 0
    assert client.queue(10, 5)[0].more == 31 - 15
    assert client.queue(10, 100) == []


def hog(client: DaemonClient) -> list[Task]:
    """Tasks that keep all workers busy, so that others wait."""
    from llmos_jupyter.system import hardware

    return [background(client, "import time\ntime.sleep(120)") for _ in range(hardware.processors().logical)]


def test_tasks_are_put_into_the_order_that_the_user_wants(client: DaemonClient) -> None:
    running = [task.number for task in hog(client)]
    end = time.monotonic() + 30
    while [one.task.state for one in client.queue()].count("running") < len(running) and time.monotonic() < end:
        time.sleep(0.1)
    long = "import time\ntime.sleep(120)"
    a, b, c, d = (str(background(client, f"'{name}'\n{long}").number) for name in "abcd")
    low = str(background(client, f"'low'\n{long}", priority=0).number)

    def order() -> list[str]:
        return [str(number) for number in numbers(client)][len(running) :]

    assert set(order()[:4]) == {a, b, c, d}
    client.place(d, order()[0])
    assert order()[0] == d
    client.place(a, d)
    client.place(b, None)
    placed = order()
    assert placed[:2] == [a, d]
    assert placed.index(b) == 3
    assert placed[-1] == low
    client.place(low, d)  # before one of a higher class: it joins that class
    assert order()[:3] == [a, low, d]
    assert client.place(a, a).state == "accepted"
    # What the user arranged outlives the daemon.
    wanted = order()
    lifecycle.stop()
    lifecycle.find_or_start()
    client.close()

    def standing() -> tuple[set[str], list[str]]:
        """Those that run, and those that wait, in order. What ran before has failed by now."""
        tasks = [entry.task for entry in client.queue()]
        waiting = [str(task.number) for task in tasks if task.state == "accepted"]
        return {str(task.number) for task in tasks} - set(waiting), waiting

    end = time.monotonic() + 20
    while len(standing()[0]) < min(len(running), len(wanted)) and time.monotonic() < end:
        time.sleep(0.1)
    assert standing() == (set(wanted[: len(running)]), wanted[len(running) :])
    with pytest.raises(LLMOSError, match="no request 999"):
        client.place("999", None)


def test_what_does_not_wait_is_not_moved(client: DaemonClient) -> None:
    running = hog(client)[0]
    waiting = background(client, "1")
    end = time.monotonic() + 30
    while client.trace(str(running.number)).task.state != "running" and time.monotonic() < end:
        time.sleep(0.1)
    with pytest.raises(LLMOSError, match="does not wait in the queue any more"):
        client.place(str(waiting.number), str(running.number))
    with pytest.raises(LLMOSError, match="does not wait in the queue any more"):
        client.place(str(running.number), None)


def test_the_history_is_searched_and_paged(client: DaemonClient) -> None:
    texts = ["The Mean of x", "a plot of y", "50% of _all_ x", "Größe von <b>df</b>"]
    tasks = [asked(client, text) for text in texts]
    info = lifecycle.find_or_start()

    def found(**query: object) -> list[str]:
        response = httpx.get(
            f"http://127.0.0.1:{info.port}/v1/tasks",
            params={key: str(value) for key, value in query.items()},
            headers={"Authorization": f"Bearer {info.token}"},
            trust_env=False,
        )
        response.raise_for_status()
        return [task["text"] for task in response.json()]

    assert found() == texts
    assert found(search="MEAN") == texts[:1]
    assert found(search="of x") == [texts[0], texts[2]]
    assert found(search="%") == [texts[2]]
    assert found(search="<b>df") == [texts[3]]
    assert found(search=str(tasks[1].number)) == [texts[1]]
    assert found(before=tasks[2].number) == texts[:2]
    assert found(before=tasks[2].number, limit=1) == texts[1:2]
    assert found(search="nothing like it") == []


def test_a_thumb_is_kept_and_taken_back(client: DaemonClient) -> None:
    task = asked(client, "the mean")
    assert task.feedback == ""
    assert client.feedback(str(task.number), "up").feedback == "up"
    assert client.feedback(task.id, "down").feedback == "down"
    assert client.tasks()[0].feedback == "down"
    assert client.feedback(str(task.number), "").feedback == ""
    kinds = [stored.record.type for stored in client.trace(task.id).records]
    assert kinds.count("feedback") == 3
    with pytest.raises(LLMOSError, match="no request 99"):
        client.feedback("99", "up")


def test_settings_are_read_and_changed_with_a_sentence_for_what_cannot_be(client: DaemonClient) -> None:
    info = lifecycle.find_or_start()
    url = f"http://127.0.0.1:{info.port}/v1/settings"
    headers = {"Authorization": f"Bearer {info.token}"}
    changed = httpx.post(url, json={"name": "mode", "value": "ask"}, headers=headers, trust_env=False)
    assert changed.json()["mode"] == "ask"
    assert httpx.get(url, headers=headers, trust_env=False).json()["mode"] == "ask"
    refused = httpx.post(url, json={"name": "mode", "value": "never"}, headers=headers, trust_env=False)
    assert refused.status_code == 400
    assert "mode cannot be 'never'" in json.loads(refused.text)["message"]
