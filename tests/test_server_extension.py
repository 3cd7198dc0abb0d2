"""The proxy in a real Jupyter Server, before a real daemon."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from httpx_sse import aconnect_sse, connect_sse

from llmos_jupyter import paths
from llmos_jupyter.daemon import lifecycle
from llmos_jupyter.protocol import PROTOCOL, Pulse, RuntimeInfo, Status
from llmos_jupyter.server_extension import BODY_LIMIT, ROUTES
from tests.jupyter_servers import TOKEN, Server, jupyter_server


@pytest.fixture(scope="module", params=["/", "/user/ada@home/"], ids=["plain", "hub"])
def server(request: pytest.FixtureRequest, shared_home: Path) -> Iterator[Server]:
    """As a user starts one, and as JupyterHub does."""
    with jupyter_server(shared_home / f"server{request.param_index}", request.param) as started:
        yield started


@pytest.fixture
def daemon(server: Server) -> RuntimeInfo:
    return lifecycle.find_or_start()


def raw(server: Server, path: str, method: str = "GET", headers: dict[str, str] | None = None) -> tuple[int, str]:
    """A request whose path goes out exactly as it is written here."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request(method, path, headers={"Authorization": f"token {TOKEN}"} | (headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def until(true: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return False


def streams_of(daemon: RuntimeInfo) -> int:
    """How many connections the daemon's listener has that are not over."""
    connections = psutil.Process(daemon.pid).net_connections("tcp")
    return sum(c.status == psutil.CONN_ESTABLISHED and c.laddr.port == daemon.port for c in connections)


# --- who gets in -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["v1/status", "v1/live", "v1/shutdown", "anything"])
def test_without_a_token_nobody_gets_in(server: Server, daemon: RuntimeInfo, path: str) -> None:
    for token in (None, "wrong"):
        with server.client(token) as client:
            for answer in (client.get(path), client.post(path), client.put(path), client.head(path)):
                assert answer.status_code == 403
                assert daemon.token not in answer.text


def test_with_a_token_the_daemon_answers(server: Server, daemon: RuntimeInfo) -> None:
    with server.client() as client:
        answer = client.get("v1/status")
    assert answer.status_code == 200
    assert Status.model_validate_json(answer.content).pid == daemon.pid
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Content-Type"] == "application/json"
    assert daemon.token not in answer.text + str(answer.headers)


def test_a_cookie_reads_but_changes_nothing_without_the_xsrf_token(server: Server, daemon: RuntimeInfo) -> None:
    with server.client(None) as client:
        client.get(server.url, params={"token": TOKEN})  # the page that logs a browser in
        assert client.get("v1/status").status_code == 200
        assert client.post("v1/models/unload").status_code == 403
        assert client.post("start").status_code == 403
        assert client.post("v1/models/unload", headers={"X-XSRFToken": client.cookies["_xsrf"]}).status_code == 200
        assert client.post("v1/models/unload", headers={"X-XSRFToken": "2|another"}).status_code == 403


def test_a_page_of_another_origin_gets_nothing_with_the_users_cookie(server: Server, daemon: RuntimeInfo) -> None:
    with server.client(None) as client:
        client.get(server.url, params={"token": TOKEN})
        for origin in ("http://evil.example", "null", f"http://127.0.0.1:{server.port + 1}"):
            foreign = {"Origin": origin, "X-XSRFToken": client.cookies["_xsrf"]}
            for answer in (client.get("v1/status", headers=foreign), client.post("v1/models/unload", headers=foreign)):
                assert answer.status_code == 404
                assert "pid" not in answer.text
        with client.stream("GET", "v1/live", headers={"Origin": "http://evil.example"}) as answer:
            assert answer.status_code == 404


def test_who_may_only_look_changes_nothing(home: Path) -> None:
    authorizer = "tests.jupyter_servers.ReadOnly"
    settings = {"authorizer_class": authorizer, "allow_unauthenticated_access": False}
    with jupyter_server(home / "server", **settings) as server, server.client() as client:
        for path in ("start", "v1/models/unload", "v1/tasks/1/cancel"):
            answer = client.post(path)
            assert answer.status_code == 403
            assert "not authorized to execute on resource: llmos" in answer.json()["message"]
        assert lifecycle.find() is None
        started = lifecycle.find_or_start()
        assert Status.model_validate_json(client.get("v1/status").content).pid == started.pid
        with server.client(None) as nobody:
            assert nobody.get("v1/status").status_code == 403


# --- what is reachable -------------------------------------------------------------------------


def routes_of(daemon: RuntimeInfo) -> dict[tuple[str, str], set[str]]:
    """The daemon's own: the parameters of each method and path, its identifiers written as {key}."""
    answer = httpx.get(
        f"http://127.0.0.1:{daemon.port}/openapi.json",
        headers={"Authorization": f"Bearer {daemon.token}"},
        trust_env=False,
    )
    return {
        (method.upper(), re.sub(r"{\w+}", "{key}", path[1:])): {
            parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "query"
        }
        for path, operations in answer.json()["paths"].items()
        for method, operation in operations.items()
    }


def test_the_table_is_a_part_of_the_daemons_routes(daemon: RuntimeInfo) -> None:
    offered = routes_of(daemon)
    for route in ROUTES:
        assert set(route.parameters) == offered[route.method, route.path], route


def test_what_the_table_has_not_is_not_there(server: Server, daemon: RuntimeInfo) -> None:
    forwarded = {(route.method, route.path) for route in ROUTES}
    paths_known = {path for _, path in routes_of(daemon)} | {"openapi.json", "docs", "redoc", "", "v1", "v1/"}
    asked = 0
    with server.client() as client:
        for path in sorted(paths_known):
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
                if (method, path) in forwarded:
                    continue
                answer = client.request(method, path.replace("{key}", "1"))
                assert (answer.status_code, list(answer.json())) == (404, ["message"]), (method, path)
                asked += 1
    assert asked > 100
    assert lifecycle.find() == daemon  # nothing reached /v1/shutdown


TRICKS = (
    "v1/../openapi.json",
    "v1/tasks/../shutdown",
    "v1/tasks/%2e%2e/shutdown",
    "v1/tasks/..%2fshutdown",
    "v1/tasks/1%2Frecords",
    "v1/tasks/1%2f..%2f..%2fshutdown",
    "v1/tasks/1/../../shutdown",
    "v1/tasks/1/records",
    "v1/tasks/1/code/",
    "v1/tasks//code",
    "v1/tasks/x/records",
    "v1/tasks/x/generations",
    "v1/tasks/forget",
    "v1/tasks/1%0d%0aX:%20y",
    "v1/tasks/1;a=b",
    "v1/tasks/1%00",
    "v1/tasks/%D9%A1",
    "v1/status/",
    "v1/status%3f",
    "v1//status",
    "/v1/status",
    "//evil.example/v1/status",
    "http://evil.example/v1/status",
    "v1/status@evil.example",
    "V1/status",
    "..%2f..%2fv1/status",
)


@pytest.mark.parametrize("trick", TRICKS)
def test_no_path_leads_out_of_the_table(server: Server, daemon: RuntimeInfo, trick: str) -> None:
    for method in ("GET", "POST"):
        status, said = raw(server, server.root + trick, method)
        assert status == 404, said
        assert daemon.token not in said
    assert lifecycle.find() == daemon


def test_another_host_in_the_request_line_is_not_asked(server: Server, daemon: RuntimeInfo) -> None:
    for path in (f"http://evil.example{server.root}v1/status", f"//evil.example{server.root}v1/status"):
        status, said = raw(server, path)
        assert '"pid"' not in said, status  # whatever Jupyter Server makes of it, the daemon was not asked


def test_parameters_stay_parameters(server: Server, daemon: RuntimeInfo) -> None:
    with server.client() as client:
        assert client.get(f"v1/queue?limit=1&_=123&token={TOKEN}&x=/../../shutdown").json() == []
        answer = client.get("v1/queue?limit=1%26offset%3D5")
        assert (answer.status_code, "limit" in answer.json()["message"]) == (422, True)
        answer = client.get("v1/tasks?state=done&state=nonsense")
        assert answer.status_code == 422  # both have come
        assert client.get("v1/steps?since=1%23fragment").status_code == 422


def test_errors_of_the_daemon_come_through(server: Server, daemon: RuntimeInfo) -> None:
    with server.client() as client:
        answer = client.get("v1/tasks/4711")
        assert answer.status_code == 404
        assert "4711" in answer.json()["message"]
        answer = client.post("v1/models/remove", json={"name": "nosuch"})
        assert answer.status_code == 400
        assert "nosuch" in answer.json()["message"]
        assert client.post("v1/models/remove", content=b"{").status_code == 422


def test_a_body_may_not_be_long(server: Server, daemon: RuntimeInfo) -> None:
    fits = json.dumps({"name": "x" * (BODY_LIMIT - 100)}).encode()
    with server.client() as client:
        assert client.post("v1/models/remove", content=fits).status_code == 400  # the daemon has read it
        for body in (b"x" * (BODY_LIMIT + 1), b"x" * 20_000_000):
            answer = client.post("v1/models/remove", content=body)
            assert answer.status_code == 413
            assert f"{BODY_LIMIT:,} bytes" in answer.json()["message"]
        answer = client.post(
            "v1/models/remove", content=iter([b"x" * BODY_LIMIT, b"x"])
        )  # in chunks, of unknown length
        assert answer.status_code == 413
        assert client.get("v1/status").status_code == 200


# --- streams -----------------------------------------------------------------------------------


def test_each_event_comes_as_it_is_sent(server: Server, daemon: RuntimeInfo) -> None:
    """The stream has no end: events that are here have come before it."""
    with server.client() as client, connect_sse(client, "GET", "v1/live") as source:
        assert source.response.headers["Content-Type"].startswith("text/event-stream")
        assert source.response.headers["X-Accel-Buffering"] == "no"
        assert source.response.headers["Cache-Control"] == "no-cache"
        events = source.iter_sse()
        first, second, third = (Pulse.model_validate_json(next(events).data) for _ in range(3))
        assert first.at < second.at < third.at
        assert Status.model_validate_json(client.get("v1/status").content).pid == daemon.pid


def test_when_the_browser_goes_away_so_does_the_connection_to_the_daemon(server: Server, daemon: RuntimeInfo) -> None:
    assert until(lambda: streams_of(daemon) == 0)
    with server.client() as client, client.stream("GET", "v1/live") as answer:
        chunks = answer.iter_raw()
        next(chunks)
        assert streams_of(daemon) == 1
    assert until(lambda: streams_of(daemon) == 0)
    assert "Traceback" not in server.log.read_text()


def test_fifty_pages_at_once(server: Server, daemon: RuntimeInfo) -> None:
    reading: set[asyncio.Task[None] | None] = set()

    async def page(client: httpx.AsyncClient, leave: asyncio.Event) -> None:
        async with aconnect_sse(client, "GET", "v1/live") as source:
            events = source.aiter_sse()
            pulses = [Pulse.model_validate_json((await anext(events)).data) for _ in range(2)]
            assert pulses[0].at < pulses[1].at
            reading.add(asyncio.current_task())
            await leave.wait()

    async def all_pages() -> None:
        leave = asyncio.Event()
        async with httpx.AsyncClient(
            base_url=server.api,
            headers={"Authorization": f"token {TOKEN}"},
            timeout=60,
            limits=httpx.Limits(max_connections=None),
            trust_env=False,
        ) as client:
            pages = [asyncio.create_task(page(client, leave)) for _ in range(50)]
            while len(reading) < 50:
                await asyncio.sleep(0.1)
                for failed in (task for task in pages if task.done()):
                    failed.result()
            assert streams_of(daemon) == 50
            assert (await client.get("v1/status")).status_code == 200  # and there is room for more
            leave.set()
            await asyncio.gather(*pages)

    asyncio.run(all_pages())
    assert until(lambda: streams_of(daemon) == 0)


# --- a daemon that comes and goes --------------------------------------------------------------


def test_without_a_daemon_reading_says_so_and_starts_none(server: Server) -> None:
    lifecycle.stop()
    with server.client() as client:
        for path in ("v1/status", "v1/queue", "v1/tasks"):
            answer = client.get(path)
            assert (answer.status_code, list(answer.json())) == (503, ["message"])
        assert not paths.runtime_file().exists()
        answer = client.post("start")
        assert answer.status_code == 200
        assert Status.model_validate_json(answer.content).pid == lifecycle.find_or_start().pid
        assert client.get("v1/status").json() == client.post("start").json()
        lifecycle.stop()
        assert client.post("v1/models/unload").status_code == 200  # what changes something starts one
        assert lifecycle.find() is not None
    assert " 503 " not in server.log.read_text()


def test_a_live_stream_waits_for_a_daemon(server: Server) -> None:
    lifecycle.stop()
    with server.client() as client, connect_sse(client, "GET", "v1/live") as source:
        events = source.iter_sse()
        first = next(events)
        assert (source.response.status_code, first.event, list(first.json())) == (200, "absent", ["message"])
        assert not paths.runtime_file().exists()
        lifecycle.find_or_start()
        assert Pulse.model_validate_json(next(events).data).protocol == PROTOCOL


def test_nothing_waits_for_a_daemon_once_the_browser_is_gone(server: Server) -> None:
    lifecycle.stop()
    with server.client() as client, connect_sse(client, "GET", "v1/live") as source:
        assert next(source.iter_sse()).event == "absent"
    daemon = lifecycle.find_or_start()
    time.sleep(2.5)  # two looks and more
    assert streams_of(daemon) == 0


def test_a_killed_daemon_ends_the_stream_and_the_next_one_is_found(server: Server, daemon: RuntimeInfo) -> None:
    with server.client() as client:
        with client.stream("GET", "v1/live") as answer:
            chunks = answer.iter_raw()
            next(chunks)
            os.kill(daemon.pid, signal.SIGKILL)
            for _ in chunks:  # ends, and without an error: browsers would write one to their console
                pass
        until = time.monotonic() + 10
        while client.get("v1/status").status_code == 502 and time.monotonic() < until:  # it is dying, not yet dead
            time.sleep(0.05)
        assert client.get("v1/status").status_code == 503
        again = Status.model_validate_json(client.post("start").content)
        assert again.pid != daemon.pid
        assert Status.model_validate_json(client.get("v1/status").content).pid == again.pid


def test_a_daemon_that_dies_before_it_answers(server: Server, daemon: RuntimeInfo) -> None:
    os.kill(daemon.pid, signal.SIGSTOP)  # it takes connections still, as the system does for it, and says nothing
    answers: list[httpx.Response] = []
    with server.client() as client:
        asking = threading.Thread(target=lambda: answers.append(client.get("v1/status")))
        asking.start()
        # Not accepted yet, it belongs to nobody: it is seen from its other end.
        server_process = psutil.Process(server.pid)
        assert until(
            lambda: any(c.raddr and c.raddr.port == daemon.port for c in server_process.net_connections("tcp"))
        )
        time.sleep(1.0)  # the first is that of looking whether it listens
        os.kill(daemon.pid, signal.SIGKILL)
        asking.join(30)
    assert (answers[0].status_code, list(answers[0].json())) == (502, ["message"])


def test_many_who_start_it_at_once_get_the_same(server: Server) -> None:
    lifecycle.stop()

    async def start_all() -> set[int]:
        async with httpx.AsyncClient(
            headers={"Authorization": f"token {TOKEN}"}, timeout=90, trust_env=False
        ) as client:
            answers = await asyncio.gather(*(client.post(f"{server.api}start") for _ in range(20)))
        return {Status.model_validate_json(answer.content).pid for answer in answers}

    assert len(asyncio.run(start_all())) == 1


@pytest.mark.parametrize(("protocol", "word"), [(0, "older"), (999, "newer")])
def test_a_daemon_of_another_version(server: Server, daemon: RuntimeInfo, protocol: int, word: str) -> None:
    file = paths.runtime_file()
    was = file.read_text()
    file.write_text(daemon.model_copy(update={"protocol": protocol}).model_dump_json())
    try:
        with server.client() as client:
            for answer in (client.get("v1/status"), client.post("v1/models/unload"), client.post("start")):
                assert answer.status_code == 409
                assert word in answer.json()["message"]
    finally:
        file.write_text(was)
