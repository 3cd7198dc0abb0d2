"""The child process that is MLX's engine: `mlx_lm.server` for one folder of weights, behind our gate.

Offline, pinned to the folder, no origin of a web page allowed, remote code never trusted.
`python -m llmos_jupyter.engines.mlx_server`, spoken to as `engine_child` says.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from llmos_jupyter.engines import engine_child
from llmos_jupyter.engines.gate import REFUSED, opens

INSTALL = 'Models of this format run in MLX: install it with `pip install "llmos-jupyter[mlx]"`, then ask again.'
# Prompts that are kept, each at the cost of its attention cache. With all places taken the server was seen to stand
# still (mlx-lm, issue 1834): there are more than some notebooks take, and the watchdog ends what stands still.
PROMPTS_KEPT = 32


def main() -> int:
    settings, answer = engine_child.begin()
    engine_child.offline()
    try:
        import mlx.core as mx
        from mlx_lm import server
    except ImportError as error:
        engine_child.give_up(answer, f"{INSTALL[:-1]} ({error}).")
    failed = _FirstError()
    logging.getLogger().addHandler(failed)
    serve = server._run_http_server

    def gated(host: str, port: int, generator: Any) -> None:
        def listening(address: str) -> None:
            while generator.model_provider.model is None:
                if not generator.generation_available():
                    name = Path(settings["name"]).name
                    why = f"{name} cannot be loaded by MLX ({failed.text})"
                    engine_child.give_up(answer, f"{why}: fetch its folder again, or choose another model.")
                time.sleep(0.02)
            engine_child.say(answer, address=address, device=_device(mx))

        serve(host, port, generator, _telling(listening), _behind_the_key(server.APIHandler, settings["api_key"]))

    server._run_http_server = gated
    engine_child.end_when_alone()
    sys.argv = ["mlx_lm.server", "--model", settings["model"], "--host", "127.0.0.1", "--port", "0"]
    sys.argv += ["--allowed-origins", "none", "--prompt-cache-size", str(PROMPTS_KEPT), "--log-level", "WARNING"]
    sys.argv += ["--chat-template-args", json.dumps({"enable_thinking": False})]
    sys.argv += ["--decode-concurrency", "1", "--prompt-concurrency", "1"]
    server.main()
    return 0


def _telling(listening: Any) -> type[ThreadingHTTPServer]:
    """A server that says where it listens once it does."""

    class Telling(ThreadingHTTPServer):
        daemon_threads = True

        def server_activate(self) -> None:
            super().server_activate()
            address = f"http://127.0.0.1:{self.server_address[1]}"
            threading.Thread(target=listening, args=(address,), daemon=True).start()

    return Telling


def _behind_the_key(handler: Any, key: str) -> Any:
    """The handler of requests, which reads no further than the headers of one without the key."""

    class Gated(handler):  # type: ignore[misc]
        def parse_request(self) -> bool:
            if not super().parse_request():
                return False
            if opens(self.headers.get("Authorization"), key):
                return True
            self.send_response(401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(REFUSED)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(REFUSED)
            self.close_connection = True
            return False

        def log_message(self, format: str, *args: object) -> None:
            """A line for every look at its health would fill the log."""

    return Gated


class _FirstError(logging.Handler):
    """What the server logs when its thread dies of a model that cannot be loaded."""

    text = "see the log"

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            self.text = " ".join(str(record.exc_info[1]).split())[:200]


def _device(mx: Any) -> str:
    if "gpu" not in str(mx.default_device()):
        return "cpu"
    return "metal" if mx.metal.is_available() else "cuda"


if __name__ == "__main__":
    raise SystemExit(main())
