"""What a forked copy inherits from its parent, made harmless: descriptors, shared memory, signals, threads.

A fork shares more than memory: an open file's offset, a socket's stream of bytes, a page mapped from a file.
All of it is cut here, in the child, before anything of the candidate's runs.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import re
import signal
import stat
import sys
import threading
import warnings
from collections.abc import Callable, Collection, Iterator

import psutil
from threadpoolctl import ThreadpoolController, threadpool_limits

with contextlib.suppress(ImportError):  # Windows has neither, and no rehearsal
    import fcntl
    import resource

COPIED = 512 << 20  # bytes of one shared mapping that may be copied when its file cannot be mapped again
SPARE_ADDRESSES = 4 << 30  # bytes of address space beyond the memory limit: stacks, reservations
_HARMLESS_DEVICES = frozenset({(1, 3), (1, 5), (1, 7), (1, 8), (1, 9)})  # null zero full random urandom
_MREMAP_MAYMOVE, _MREMAP_FIXED = 1, 2
_MAP_FIXED = 0x10
_LINE = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) ([0-9a-f]+) ([0-9a-f]+):([0-9a-f]+) (\d+)\s*(.*)")


def cut_descriptors(
    keep: set[int], never: Collection[str] = (), writable: Callable[[str], bool] = lambda path: False
) -> dict[int, str]:
    """Give the process descriptors of its own, under the old numbers.

    A regular file is opened again, for reading, at the same offset; but those `never`, by their real paths, and those
    that are `writable` stay as they are. Devices without an effect and folders stay; anything else (sockets, pipes,
    terminals, GPU devices) becomes /dev/null. Returns the files that were open for writing and no longer are, by
    descriptor.
    """
    cut: dict[int, str] = {}
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for fd in [int(name) for name in os.listdir("/proc/self/fd")]:
        if fd in keep or fd == null:
            continue
        try:
            status = os.fstat(fd)
        except OSError:  # the folder's own descriptor, closed since
            continue
        if fd <= 2:
            os.dup2(null, fd)
        elif stat.S_ISREG(status.st_mode):
            path = os.readlink(f"/proc/self/fd/{fd}")
            if path in never:
                os.dup2(null, fd, inheritable=False)
            elif not writable(path):
                if fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY:
                    cut[fd] = path
                _reopen(fd, null)
        elif stat.S_ISDIR(status.st_mode):
            continue
        elif not (
            stat.S_ISCHR(status.st_mode) and (os.major(status.st_rdev), os.minor(status.st_rdev)) in _HARMLESS_DEVICES
        ):
            os.dup2(null, fd, inheritable=False)
    os.close(null)
    return cut


def open_for_writing() -> set[str]:
    """The paths of regular files that this process has open for writing."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # closed meanwhile
            flags = fcntl.fcntl(int(name), fcntl.F_GETFL)
            if flags & os.O_ACCMODE != os.O_RDONLY and stat.S_ISREG(os.fstat(int(name)).st_mode):
                found.add(os.readlink(f"/proc/self/fd/{name}"))
    return found


def _reopen(fd: int, null: int) -> None:
    try:
        # A file of memory alone can be opened for writing through /proc by whoever holds it: no lock by path.
        if os.readlink(f"/proc/self/fd/{fd}").startswith("/memfd:"):
            raise OSError
        fresh = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        os.dup2(null, fd, inheritable=False)
        return
    os.lseek(fresh, os.lseek(fd, 0, os.SEEK_CUR), os.SEEK_SET)
    os.dup2(fresh, fd, inheritable=False)
    os.close(fresh)


def raise_descriptor(fd: int) -> int:
    """Move a descriptor out of the range that small numbers in user code may hit."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, min(900, limit // 2))
    os.close(fd)
    return high


# --- memory shared with other processes -----------------------------------------------------------


def cut_shared_memory() -> None:
    """Make every writable shared mapping private: what the child writes there, nobody else sees."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = libc.mremap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    libc.mremap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int, ctypes.c_void_p]
    libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for start, size, offset, path, inode in _shared_mappings():
        if (path.startswith("/") and _map_again(libc, start, size, offset, path, inode)) or (
            size <= COPIED and not _is_device(path) and _copy_over(libc, start, size)
        ):
            continue
        libc.mprotect(start, size, mmap.PROT_READ)  # a write now ends the copy, and is reported as such


def _shared_mappings() -> Iterator[tuple[int, int, int, str, int]]:
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        lines = maps.read().splitlines()
    for line in lines:
        if (found := _LINE.match(line)) is None:
            continue
        start, end, permissions, offset, _, _, inode, path = found.groups()
        if permissions[3] == "s" and permissions[1] == "w":
            yield int(start, 16), int(end, 16) - int(start, 16), int(offset, 16), path, int(inode)


def _is_device(path: str) -> bool:
    return path.startswith("/dev/") and not path.startswith(("/dev/shm/", "/dev/zero"))


def _map_again(libc: ctypes.CDLL, start: int, size: int, offset: int, path: str, inode: int) -> bool:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_ino != inode:
            return False
        protection = mmap.PROT_READ | mmap.PROT_WRITE
        return bool(libc.mmap(start, size, protection, mmap.MAP_PRIVATE | _MAP_FIXED, fd, offset) == start)
    finally:
        os.close(fd)


def _copy_over(libc: ctypes.CDLL, start: int, size: int) -> bool:
    protection = mmap.PROT_READ | mmap.PROT_WRITE
    copy = libc.mmap(None, size, protection, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    if copy is None or copy == ctypes.c_void_p(-1).value:
        return False
    ctypes.memmove(copy, start, size)
    return bool(libc.mremap(copy, size, size, _MREMAP_MAYMOVE | _MREMAP_FIXED, start) == start)


# --- signals, limits, threads ---------------------------------------------------------------------


def reset_signals() -> None:
    """The signals of a fresh interpreter: none of the kernel's handlers, no alarm still running."""
    signal.set_wakeup_fd(-1)
    for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
        signal.setitimer(timer, 0)
    ignored = {signal.SIGPIPE, signal.SIGXFSZ}  # as Python has it: they become OSErrors
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):  # numbers reserved by the C library
            signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def leave_debuggers() -> None:
    """A debugger or profiler of the kernel's would wait for its own threads, which the copy has not."""
    sys.settrace(None)
    sys.setprofile(None)
    threading.settrace(None)
    threading.setprofile(None)
    if sys.version_info >= (3, 12):
        for tool in range(6):  # as many as there are (sys.monitoring)
            if sys.monitoring.get_tool(tool) is not None:
                sys.monitoring.set_events(tool, 0)


def available_memory() -> int:
    """Bytes that can still be had, on the machine and in the control group of a container."""
    available = int(psutil.virtual_memory().available)
    try:
        with open("/sys/fs/cgroup/memory.max") as limit, open("/sys/fs/cgroup/memory.current") as used:
            available = min(available, int(limit.read()) - int(used.read()))
    except (OSError, ValueError):  # no such group, or "max"
        pass
    return max(available, 0)


def limit_resources(memory_bytes: int, budget_seconds: float, largest_file: int) -> None:
    """Memory above the present size, no core file, small files, and processor time as a backstop."""
    sizes = memory_sizes()
    bounded = budget_seconds < float("inf")
    processor_seconds = int((budget_seconds + 60) * (os.cpu_count() or 1)) if bounded else resource.RLIM_INFINITY
    for which, value in (
        (resource.RLIMIT_DATA, sizes["VmData"] + memory_bytes),
        (resource.RLIMIT_AS, sizes["VmSize"] + memory_bytes + SPARE_ADDRESSES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, largest_file),
        (resource.RLIMIT_CPU, processor_seconds),
    ):
        hard = resource.getrlimit(which)[1]
        if hard != resource.RLIM_INFINITY:
            value = hard if value == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (value, value))


def memory_sizes() -> dict[str, int]:
    """The `Vm…` and `Rss…` lines of /proc/self/status, in bytes; elsewhere the resident size, for all that is asked."""
    if sys.platform != "linux":
        resident = int(psutil.Process().memory_info().rss)
        return {"VmRSS": resident, "VmHWM": resident, "RssFile": 0}
    status = os.open("/proc/self/status", os.O_RDONLY | os.O_CLOEXEC)  # not `open`, which a candidate may replace
    try:
        text = os.read(status, 1 << 16)
    finally:
        os.close(status)
    lines = [line.split() for line in text.splitlines() if line.startswith((b"Vm", b"Rss"))]
    return {name.rstrip(b":").decode(): int(value) * 1024 for name, value, *_ in lines}


def open_peak_switch() -> int | None:
    """A descriptor that starts the peak of resident memory anew when "5" is written; None without one.

    To be opened before the lock, which would refuse it, and used after. Source: proc(5), clear_refs.
    """
    try:
        return os.open("/proc/self/clear_refs", os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return None


_modules_looked_at = 0


def look_for_thread_pools() -> None:
    """Look in the parent for libraries with thread pools, again only if modules were imported since: threadpoolctl
    remembers what it looked at, and so each copy finds them in a tenth of the time."""
    global _modules_looked_at
    if _modules_looked_at != len(sys.modules):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of two libraries that are a danger to each other
            ThreadpoolController()
        _modules_looked_at = len(sys.modules)


def use_one_thread() -> None:
    """Native thread pools did not survive the fork: with one thread they never look for their workers."""
    for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "BLIS"):  # for libraries not yet loaded
        os.environ[f"{name}_NUM_THREADS"] = "1"
    threadpool_limits(1)
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(1)
    if (numexpr := sys.modules.get("numexpr")) is not None:
        numexpr.set_num_threads(1)
    if (arrow := sys.modules.get("pyarrow")) is not None:
        arrow.set_cpu_count(1)
        arrow.set_io_thread_count(1)
    # joblib without multiprocessing runs `n_jobs=-1` here, one after the other, instead of failing to fork.
    os.environ["JOBLIB_MULTIPROCESSING"] = "0"
    for name, module in list(sys.modules.items()):
        if name.startswith("joblib.") and "mp" in getattr(module, "__dict__", ()):
            module.__dict__["mp"] = None
