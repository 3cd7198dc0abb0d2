"""Find the daemon or start it; be the daemon.

The runtime file says where it listens and carries the token. One lock decides who may start a daemon, another one is
held by the daemon for its whole life: there are never two, whoever comes first and however the last one died.
"""

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
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import psutil
from filelock import FileLock, Timeout
from pydantic import ValidationError

from llmos_jupyter import __version__, paths
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.privacy.masking import MaskFilter
from llmos_jupyter.protocol import PROTOCOL, RuntimeInfo
from llmos_jupyter.system.private_files import (
    FILE_MODE,
    close_files,
    make_private,
    private_folder,
    private_umask,
    users_umask,
)

log = logging.getLogger(__name__)

# Seconds. The daemon imports its web framework: about 1 s on a free core, several beside a busy engine.
START_TIMEOUT = 60.0
# Seconds a daemon that ends may need: it stops its engine (two, or more while a model loads) and closes the database.
ENDING_TIMEOUT = 20.0


# --- finding and starting: any client ----------------------------------------------------------


def read_runtime_file() -> RuntimeInfo | None:
    """What the runtime file says; None if there is none, or none that is ours and whole."""
    file = paths.runtime_file()
    try:
        if hasattr(os, "getuid") and file.stat().st_uid != os.getuid():
            return None
        info = RuntimeInfo.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, ValidationError, UnicodeDecodeError):
        return None
    return info


def find() -> RuntimeInfo | None:
    """The running daemon, None if none listens. Raises LLMOSError if it speaks another protocol than we do."""
    info = read_runtime_file()
    if info is None or not psutil.pid_exists(info.pid) or not _listens(info.port):
        return None
    if info.protocol < PROTOCOL:
        raise LLMOSError(
            f"The running llmos daemon ({info.version}) is older than this llmos-jupyter ({__version__}): "
            "restart it with `llmos stop`, and the next request starts the new one."
        )
    if info.protocol > PROTOCOL:
        raise LLMOSError(
            f"The running llmos daemon ({info.version}) is newer than this llmos-jupyter ({__version__}): "
            "restart this kernel, or upgrade its package."
        )
    return info


def find_or_start(report: Callable[[str], None] = lambda text: None) -> RuntimeInfo:
    """The running daemon, started if there is none. Raises LLMOSError when it does not come up."""
    if info := find():
        return info
    report("starting the llmos daemon")
    _close_folders()
    lock = FileLock(paths.runtime_dir() / "llmos-daemon.start.lock", mode=FILE_MODE)
    try:
        # In short waits, so that the stop button works while another client is starting it.
        with lock.acquire(timeout=START_TIMEOUT, poll_interval=0.05):
            return find() or _start()
    except Timeout:
        raise LLMOSError("Another notebook has been starting the daemon for a minute: try `llmos stop`.") from None


def _close_folders() -> None:
    """Make the folders, and close them and what lies in them to the machine's other users."""
    private_folder(paths.runtime_dir())
    close_files(private_folder(paths.data_dir()), *paths.DATA_FILES)
    close_files(paths.runtime_dir(), "llmos-daemon*")


def stop(wait: float = 15.0) -> bool:
    """End the running daemon, also one of another version. False if none was running."""
    info = read_runtime_file()
    if info is None or not psutil.pid_exists(info.pid) or not _listens(info.port):
        paths.runtime_file().unlink(missing_ok=True)
        return False
    process = psutil.Process(info.pid)
    process.terminate()
    try:
        process.wait(wait)
    except psutil.TimeoutExpired:
        process.kill()
    return True


def _start() -> RuntimeInfo:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("JPY_", "MPLBACKEND"))}
    environment |= paths.fixed_environment()
    make_private(paths.log_file())
    with paths.log_file().open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "llmos_jupyter.daemon"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Not the notebook's folder: a queue.py in it would shadow the standard library's.
            cwd=paths.data_dir(),
            env=environment,
            start_new_session=True,
            umask=users_umask(),  # the daemon has its own, and hands the user's on to workers
        )
    # Whoever started it may well outlive it, and should not keep its remains in the process table.
    threading.Thread(target=process.wait, name="llmos-daemon", daemon=True).start()
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        info = find()
        if info:
            return info
        if process.poll() not in (None, 0):
            raise LLMOSError(f"The llmos daemon could not start: {_last_line()} (log: {paths.log_file()}).")
        time.sleep(0.02)
    raise LLMOSError(f"The llmos daemon did not answer within {START_TIMEOUT:.0f} s: see {paths.log_file()}.")


def _last_line() -> str:
    with contextlib.suppress(OSError):
        lines = paths.log_file().read_text(encoding="utf-8", errors="replace").strip().splitlines()
        if lines:
            return lines[-1][:300]
    return "no reason given"


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2.0):
            return True
    except OSError:
        return False


# --- being the daemon --------------------------------------------------------------------------


def serve() -> int:
    """Run the daemon in this process until it is idle long enough or told to stop. Returns the exit code."""
    with private_umask():
        return _serve_alone()


def _serve_alone() -> int:
    _close_folders()
    life = FileLock(paths.runtime_dir() / "llmos-daemon.lock", mode=FILE_MODE)
    if not _become_the_one(life):
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


def _become_the_one(life: FileLock) -> bool:
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
    return info is not None and psutil.pid_exists(info.pid) and _listens(info.port)


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
