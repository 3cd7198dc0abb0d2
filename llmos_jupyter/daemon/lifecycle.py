"""Find the daemon, start it, end it: the side of its clients. `serving` is the daemon's own.

The runtime file says where it listens and carries the token. One lock decides who may start a daemon, another one is
held by the daemon for its whole life: there are never two, whoever comes first and however the last one died.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import psutil
from filelock import FileLock, Timeout
from pydantic import ValidationError

from llmos_jupyter import paths
from llmos_jupyter._version import __version__
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import PROTOCOL, RuntimeInfo
from llmos_jupyter.system.private_files import (
    FILE_MODE,
    close_files,
    close_tree,
    make_private,
    private_folder,
    users_umask,
)

# Seconds. The daemon imports its web framework: about 1 s on a free core, several beside a busy engine.
START_TIMEOUT = 60.0


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
    if info is None or not psutil.pid_exists(info.pid) or not listens(info.port):
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
    close_folders()
    lock = FileLock(paths.runtime_dir() / "llmos-daemon.start.lock", mode=FILE_MODE)
    try:
        # In short waits, so that the stop button works while another client is starting it.
        with lock.acquire(timeout=START_TIMEOUT, poll_interval=0.05):
            return find() or _start()
    except Timeout:
        raise LLMOSError("Another notebook has been starting the daemon for a minute: try `llmos stop`.") from None


def close_folders() -> None:
    """Make the folders, and close them and what lies in them to the machine's other users."""
    private_folder(paths.runtime_dir())
    close_files(private_folder(paths.data_dir()), *paths.DATA_FILES)
    close_files(paths.runtime_dir(), "llmos-daemon*")
    for folder in paths.data_folders():
        close_tree(folder)


def stop(wait: float = 15.0) -> bool:
    """End the running daemon, also one of another version. False if none was running."""
    info = read_runtime_file()
    if info is None or not psutil.pid_exists(info.pid) or not listens(info.port):
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


def listens(port: int) -> bool:
    """Whether something answers on this port of the loopback address."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2.0):
            return True
    except OSError:
        return False
