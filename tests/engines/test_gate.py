"""The gate before servers without a key: a real server behind it, and another user of the machine who knocks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from llmos_jupyter.engines import mlx_server
from llmos_jupyter.engines.gate import Gate, opens
from tests.engines.other_user import http, knock

KEY = "a-key-of-this-start"
# Reached behind the gate.
ENTERED: list[str] = []


def asgi() -> Iterator[int]:
    """A FastAPI application like that of `transformers serve`."""
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "POST", "OPTIONS", "DELETE"])
    async def everything(path: str) -> str:
        ENTERED.append(path)
        return "in"

    server = uvicorn.Server(uvicorn.Config(Gate(app, KEY), host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(5)


def handler() -> Iterator[int]:
    """A handler of `http.server` like that of `mlx_lm.server`."""

    class Everything(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ENTERED.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_OPTIONS = do_DELETE = do_GET

    server = ThreadingHTTPServer(("127.0.0.1", 0), mlx_server._behind_the_key(Everything, KEY))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture(params=[asgi, handler])
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    ENTERED.clear()
    yield from request.param()


def test_only_the_key_opens(port: int) -> None:
    address = f"http://127.0.0.1:{port}/v1/chat/completions"
    for header in (f"Bearer {KEY}x", f"Bearer {KEY[:-1]}", f"Basic {KEY}", KEY, "Bearer", f"bearer {KEY}", ""):
        answer = httpx.post(address, headers={"Authorization": header}, trust_env=False)
        assert answer.status_code == 401, header
        assert KEY not in answer.text
    assert httpx.get(address, trust_env=False).status_code == 401
    assert not ENTERED
    assert httpx.post(address, headers={"Authorization": f"Bearer {KEY}"}, trust_env=False).status_code == 200
    assert ENTERED


def test_another_user_of_the_machine_is_refused_on_every_route(port: int) -> None:
    requests = [
        http(method, path)
        for method in ("GET", "POST", "OPTIONS", "DELETE")
        for path in ("/", "/health", "/v1/models", "/load_model", "/reset", "/docs", "//v1/models", "/v1/../health")
    ]
    answers = knock(port, requests)
    assert len(answers) == len(requests)
    assert all(b" 401 " in answer for answer in answers), answers
    assert not ENTERED


def test_no_key_opens_nothing() -> None:
    assert not opens("Bearer ", "")
    assert not opens(None, KEY)
    assert opens(f"Bearer {KEY}", KEY)
    assert not opens("Bearer \udcff", KEY)
