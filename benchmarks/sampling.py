"""What looking at the machine costs: the daemon's processor time, beside that of jupyterlab-nvdashboard's server part.

    python -m benchmarks.sampling [--seconds 30]

Ours: a real daemon that does nothing else, once with `sample_every` at 60 s and once at 1 s, with nobody and with five
watching by its live stream. The peer: a Jupyter Server without and with its extension's processor chart open in one and
in five browsers, which ask ten times a second each, as its front end does unless told otherwise. Both without a GPU.
Processor time of the whole process, in percent of one core, above that of the same process when it does not sample.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psutil

from benchmarks.asking import own_daemon
from benchmarks.common import note, report
from benchmarks.load import Peer, environment, version
from llmos_jupyter import config
from llmos_jupyter.daemon.lifecycle import find_or_start

PEER = "jupyterlab-nvdashboard"
TOKEN = "benchmark"
# Milliseconds: `updateFrequency` in the peer's schema.
PEERS_PACE = 100


def cpu(pid: int, seconds: float) -> float:
    """Percent of one core that a process takes over so many seconds."""
    process = psutil.Process(pid)

    def spent() -> float:
        times = process.cpu_times()
        return float(times.user + times.system)

    before, began = spent(), time.perf_counter()
    time.sleep(seconds)
    return 100 * (spent() - before) / (time.perf_counter() - began)


@contextlib.contextmanager
def watchers(count: int) -> Iterator[None]:
    """So many readers of the daemon's live stream, in a process of their own."""
    info = find_or_start()
    script = f"""
import asyncio, httpx
async def watch():
    async with httpx.AsyncClient(trust_env=False, timeout=None) as client:
        url, headers = "http://127.0.0.1:{info.port}/v1/live", {{"Authorization": "Bearer {info.token}"}}
        async with client.stream("GET", url, headers=headers) as stream:
            async for _ in stream.aiter_bytes():
                pass
async def main():
    await asyncio.gather(*(watch() for _ in range({count})))
asyncio.run(main())
"""
    with _running([sys.executable, "-c", script]):
        time.sleep(3)
        yield


@contextlib.contextmanager
def _running(command: list[str], **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    quiet: Any = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet, env=os.environ | environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def ours(seconds: float) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    with own_daemon():
        config.change("sample_every=60")
        pid = find_or_start().pid
        time.sleep(5)
        idle = cpu(pid, seconds)
        config.change("sample_every=1")
        time.sleep(3)
        for count in (0, 5):
            with watchers(count) if count else contextlib.nullcontext():
                rows.append({"sampler": "llmos daemon", "watching": count, "percent": cpu(pid, seconds) - idle})
    return rows


def peers(seconds: float) -> list[dict[str, object]]:
    python = environment(Peer(PEER, PEER, "jupyterlab_nvdashboard"))
    port = 8897
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        command = [str(python), "-m", "jupyter_server", "--no-browser", "--allow-root", f"--port={port}"]
        command += [f"--ServerApp.token={TOKEN}", f"--ServerApp.root_dir={folder}"]
        with _running(command, JUPYTER_CONFIG_DIR=f"{folder}/config", JUPYTER_RUNTIME_DIR=f"{folder}/run") as server:
            for _ in range(200):
                with contextlib.suppress(httpx.TransportError):
                    httpx.get(f"http://127.0.0.1:{port}/api", trust_env=False)
                    break
                time.sleep(0.2)
            time.sleep(5)
            idle = cpu(server.pid, seconds)
            for count in (1, 5):
                with _running([str(python), "-c", CLIENT, str(port), TOKEN, str(count), str(PEERS_PACE)]):
                    time.sleep(3)
                    percent = cpu(server.pid, seconds) - idle
                    rows.append({"sampler": f"{PEER} {version(python, PEER)}", "watching": count, "percent": percent})
    return rows


CLIENT = """
import asyncio, json, sys
from tornado.websocket import websocket_connect
async def watch(port, token, pace):
    socket = await websocket_connect(f"ws://127.0.0.1:{port}/nvdashboard/cpu_resource?token={token}")
    await socket.write_message(json.dumps({"updateFrequency": int(pace), "isPaused": False}))
    while await socket.read_message() is not None:
        pass
async def main(port, token, count, pace):
    await asyncio.gather(*(watch(port, token, pace) for _ in range(int(count))))
asyncio.run(main(*sys.argv[1:]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=30.0)
    seconds = parser.parse_args().seconds
    rows = ours(seconds)
    note("the peer")
    rows += peers(seconds)
    mine, theirs = (float(str(rows[i]["percent"])) for i in (0, 2))
    report("sampling", rows, seconds=seconds, ratio=theirs / mine if mine > 0 else None, aim_percent=1.0)


if __name__ == "__main__":
    main()
