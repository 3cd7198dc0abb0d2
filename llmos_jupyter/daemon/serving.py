"""Be the daemon: one process for all notebooks of a user, until it is idle long enough or told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import logging.handlers
import os
import secrets
import signal
import socket
import sys
import time

import psutil
from filelock import FileLock, Timeout

from llmos_jupyter import paths
from llmos_jupyter._version import __version__
from llmos_jupyter.daemon.lifecycle import close_folders, listens, read_runtime_file
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.privacy.masking import MaskFilter
from llmos_jupyter.protocol import PROTOCOL, RuntimeInfo
from llmos_jupyter.system.private_files import FILE_MODE, private_umask

log = logging.getLogger(__name__)

# Seconds a daemon that ends may need: it stops its engine (two, or more while a model loads) and closes the database.
ENDING_TIMEOUT = 20.0


def serve() -> int:
    """Run the daemon in this process until it is idle long enough or told to stop. Returns the exit code."""
    with private_umask():
        return _serve_alone()


def _serve_alone() -> int:
    close_folders()
    life = FileLock(paths.runtime_dir() / "llmos-daemon.lock", mode=FILE_MODE)
    if not _take_the_lock(life):
        if _announced():
            print("A llmos daemon is running already: `llmos status` shows it.", file=sys.stderr)
            return 0
        print("The last llmos daemon is ending and does not end: try again, or restart the machine.", file=sys.stderr)
        return 1
    try:
        return asyncio.run(_serve())
    except LLMOSError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        paths.runtime_file().unlink(missing_ok=True)
        life.release()


def _take_the_lock(life: FileLock) -> bool:
    """Take the lock that a daemon holds for its life; one that is on its way out is waited for."""
    deadline = time.monotonic() + ENDING_TIMEOUT
    while True:
        try:
            life.acquire(timeout=0.1, poll_interval=0.02)
            return True
        except Timeout:
            if _announced() or time.monotonic() > deadline:
                return False


def _announced() -> bool:
    info = read_runtime_file()
    return info is not None and psutil.pid_exists(info.pid) and listens(info.port)


async def _serve() -> int:
    import uvicorn

    from llmos_jupyter.daemon.app import create_app
    from llmos_jupyter.daemon.core import Daemon
    from llmos_jupyter.daemon.stores.store import Store

    _log_to_file()
    token = secrets.token_urlsafe(32)
    daemon = Daemon(Store(paths.database_file()))
    await daemon.start()
    stop = asyncio.Event()
    app = create_app(daemon, token, stop.set)
    server = uvicorn.Server(
        uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1, lifespan="off")
    )
    # uvicorn would end the process by the signal it got, before the engine and the database are closed.
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows' event loop has no signal handlers
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # The protocol is named because asyncio turns off Nagle's algorithm (40 ms an answer) only where it is.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    port = listener.getsockname()[1]
    _write_runtime_file(
        RuntimeInfo(
            pid=os.getpid(), port=port, token=token, version=__version__, protocol=PROTOCOL, started=daemon.started
        )
    )
    print(f"llmos daemon {__version__} listens on 127.0.0.1:{port}; log: {paths.log_file()}", flush=True)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    housekeeping = asyncio.create_task(daemon.keep_house())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, housekeeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
    # From here on nobody may find it any more.
    paths.runtime_file().unlink(missing_ok=True)
    server.should_exit = True
    housekeeping.cancel()
    stopping.cancel()
    await asyncio.gather(serving, housekeeping, stopping, return_exceptions=True)
    await daemon.close()
    log.info("llmos daemon ended")
    return 0


def _write_runtime_file(info: RuntimeInfo) -> None:
    file = paths.runtime_file()
    draft = file.with_suffix(".tmp")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as output:
        json.dump(info.model_dump(), output)
    draft.replace(file)


def _log_to_file() -> None:
    handler = logging.handlers.RotatingFileHandler(
        paths.log_file(), maxBytes=2_000_000, backupCount=2, encoding="utf-8"
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(MaskFilter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("httpx").setLevel(logging.WARNING)
