"""What a worker does inside its own process: become a kernel, begin a job, and end it.

The kernel is an ordinary ipykernel. It is locked in two steps. Its files are locked before it has a second thread, so
that no thread is left out; its system calls once its sockets are open. `begin` and `end` are run by the daemon as
silent cells before and after the job's own.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol.jobs import Answered, Job, Limits, Missing
from llmos_jupyter.sandbox import lock
from llmos_jupyter.system.private_files import private
from llmos_jupyter.workers import threads, transfer
from llmos_jupyter.workers.order import Order

ANSWERED = "answered.json"
BEGIN = "__import__('llmos_jupyter.workers.inside', fromlist=['begin']).begin()"
END = "__import__('llmos_jupyter.workers.inside', fromlist=['end']).end()"
JOB, CONFINEMENT, RESULTS = "job.json", "confinement.txt", "results"
HIGH_WATER = 100_000  # messages kept for a reader that is slow, where ZeroMQ would keep a thousand and drop the rest
READ = 0.005  # seconds in which that thread has read what is in its pipe
NO_INPUT = "A background cell cannot ask for input: assign the answer to a variable before, and use that."

_order: Order
_landlock = 0
_before: dict[str, bytes | None] = {}
_bring: set[str] = set()


def be_kernel(order: Order, guardian: int, tell_ready: int) -> NoReturn:
    """Turn this process, forked from the nursery and with one thread, into the kernel. Never returns."""
    global _order, _landlock
    try:
        _order = order
        _be_ordinary(guardian)
        os.environ["TMPDIR"] = str(order.scratch)
        os.environ["IPYTHONDIR"] = str(order.scratch / ".ipython")
        for name in ("JPY_PARENT_PID", "JPY_SESSION_NAME"):
            os.environ.pop(name, None)
        tempfile.tempdir = None
        if sys.platform == "linux":
            shared = ["/dev/shm"] if order.processes and os.path.isdir("/dev/shm") else []
            _landlock = lock.lock_files([order.files, order.sockets, *shared, *order.write], order.devices)
        _serve(order, tell_ready)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def _be_ordinary(guardian: int) -> None:
    with contextlib.suppress(PermissionError):
        os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    if sys.platform == "linux":
        lock.die_with_parent(guardian)
        with contextlib.suppress(OSError):  # when memory runs out it is this process's turn, not the notebook's
            Path("/proc/self/oom_score_adj").write_text("500")


def _serve(order: Order, tell_ready: int) -> None:
    import zmq
    from ipykernel import kernelapp
    from traitlets.config import Config

    zmq.Context.instance().setsockopt(zmq.SNDHWM, HIGH_WATER)
    listening = kernelapp.IOPubThread

    def without_port(socket: Any, pipe: bool = False, **options: Any) -> Any:
        """The kernel would open a TCP port to be told by forked children what they print."""
        return listening(socket, pipe=False, **options)

    kernelapp.IOPubThread = without_port
    os.register_at_fork(after_in_child=_print_plainly)
    app = kernelapp.IPKernelApp.instance(
        connection_file=str(order.connection_file), config=Config(HistoryManager={"enabled": False})
    )
    app.initialize([])
    os.write(tell_ready, b"1")
    os.close(tell_ready)
    app.start()


def _print_plainly() -> None:
    """In a forked child: print to the descriptors, which the kernel reads; ZeroMQ's sockets are the kernel's alone."""
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        setattr(sys, name, open(descriptor, "w", buffering=1, errors="replace", closefd=False))  # noqa: SIM115


def begin() -> None:
    """Take up the job: limits, lock, variables. Raises LLMOSError when one of them cannot be had."""
    from IPython.core.getipython import get_ipython

    job = _job()
    shell = get_ipython()
    _limit(job.limits)
    _settle(job)
    shell.kernel.raw_input = shell.kernel.getpass = _refuse_input
    locked = "not locked yet: it is before its code runs" if job.lock_later else _lock(job)
    _write(CONFINEMENT, locked)
    if job.variables:
        values, missing = transfer.unpack(job.variables)
        if missing:
            raise LLMOSError(_not_loaded(missing[0]))
        shell.user_ns.update(values)
        for name in job.touches:
            if name in values:
                _before[name] = transfer.digest(values[name])
    threads.limit_loaded(job.limits.cores)


def lock_now() -> None:
    """Before code that is not ours runs in a worker that was not locked at once. Raises LLMOSError if it cannot be."""
    _lock(_job())


def bring_back(names: Iterable[str]) -> None:
    """These names come back as well."""
    _bring.update(names)


def answered(what: Answered) -> None:
    """What becomes of a request in words goes with the results."""
    _write(ANSWERED, what.model_dump_json())


def _write(name: str, text: str) -> None:
    """Leave a file for the daemon. The umask is the user's here, for what their code writes."""
    with open(Path(_order.files) / name, "w", encoding="utf-8", opener=private) as output:
        output.write(text)


def _job() -> Job:
    return Job.model_validate_json((Path(_order.files) / JOB).read_text(encoding="utf-8"))


def _limit(limits: Limits) -> None:
    import resource

    os.nice(max(0, limits.nice - os.nice(0)))
    threads.limit_threads(limits.cores)
    threads.bind(limits.affinity)
    if limits.gpus is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(limits.gpus)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if limits.memory_bytes and sys.platform == "linux":
        # Memory that was asked for, used or not: so a large allocation is an ordinary MemoryError. What the guardian
        # counts is used memory, and what is mapped or shared besides.
        already = _data_bytes()
        resource.setrlimit(resource.RLIMIT_DATA, (already + limits.memory_bytes,) * 2)


def _data_bytes() -> int:
    """`VmData`, which RLIMIT_DATA limits (proc(5), setrlimit(2))."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0


def _settle(job: Job) -> None:
    folder = Path(job.folder) if job.folder and Path(job.folder).is_dir() else _order.scratch
    os.chdir(folder)
    sys.path[:] = [*dict.fromkeys([str(folder), *sys.path, *job.search_path])]


def _refuse_input(*_: Any, **__: Any) -> NoReturn:
    raise EOFError(NO_INPUT)


def _lock(job: Job) -> str:
    """Lock system calls; what holds the code now. Raises LLMOSError if nothing does and nobody agreed to that."""
    grants = job.grants
    lacking = "" if sys.platform == "linux" and not lock.unsupported() else "this system has no lock"
    if not lacking and not _landlock:
        lacking = "this Linux kernel has no Landlock"
    if not lacking:
        try:
            lock.lock_calls(
                landlock=_landlock, network=grants.network, processes=grants.processes, attributes=bool(grants.write)
            )
            lacking = (
                lock.leaks(
                    _order.files,
                    writable=grants.write,
                    network=grants.network,
                    # Before version 6 Landlock knows nothing of signals, and who may start processes may signal them.
                    processes=grants.processes and _landlock < 6,
                )
                or ""
            )
        except OSError as error:
            lacking = str(error)
    if not lacking:
        return f"Landlock v{_landlock} + seccomp"
    if grants.unlocked:
        return f"unlocked ({lacking})"
    raise LLMOSError(
        f"A worker here cannot be locked down ({lacking}): allow this task to run unlocked, or run it in the notebook."
    )


def _not_loaded(missing: Missing) -> str:
    return (
        f"`{missing.name}` could not be loaded in the worker ({missing.reason}): "
        "give more memory, or make it within the code."
    )


def end() -> None:
    """Write what comes back; and let be told what child processes printed, which a thread of the kernel's reads, and
    would tell a fifth of a second later."""
    time.sleep(READ)
    sys.stdout.flush()
    sys.stderr.flush()
    from IPython.core.getipython import get_ipython

    namespace = get_ipython().user_ns
    job = _job()
    back = {name: namespace[name] for name in sorted({*job.binds, *_bring}) if name in namespace}
    for name in job.touches:
        if name in namespace and name not in back and transfer.digest(namespace[name]) != _before.get(name):
            back[name] = namespace[name]
    transfer.pack_results(back, Path(_order.files) / RESULTS, job.limits.result_bytes)
